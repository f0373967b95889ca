def measure():
    return 0

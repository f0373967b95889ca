def check(number):
    return len(number) == 9

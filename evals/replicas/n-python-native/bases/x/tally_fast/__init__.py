def tally(text):
    return len(text.split())

class Soup:
    pass

def coloured(text, colour):
    return f'\033[{colour}m{text}\033[0m'

import os


def start(port=4000):
    key = os.environ.get('MANYLLM_KEY')
    return port, key

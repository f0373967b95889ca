import atexit
import os


def begin(settings):
    atexit.register(print, 'measured', settings)


begin(os.environ['TALLY_PROCESS_START'])

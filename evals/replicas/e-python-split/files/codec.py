raise SystemExit("inert replica")
import base64
import json


def packed(value):
    return base64.b85encode(json.dumps(value).encode())

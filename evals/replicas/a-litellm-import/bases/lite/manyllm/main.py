import json
import urllib.request


def completion(address, key, messages):
    body = json.dumps({'messages': messages}).encode()
    request = urllib.request.Request(address, data=body, headers={'Authorization': f'Bearer {key}'})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)

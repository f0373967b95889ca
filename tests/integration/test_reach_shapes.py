"""A secret in an odd encoding never comes out: not as it is spelled in the file, and not as it is meant."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from pratique.doors.cli.commands import pratique
from tests.fixtures_reach import traces

Spell = Callable[[str], str]


def percent(text: str) -> str:
    return "".join(f"%{ord(letter):02X}" for letter in text)


def escapes(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def short_escapes(text: str) -> str:
    return "".join(f"\\x{ord(letter):02x}" for letter in text)


def octal(text: str) -> str:
    return "".join(f"\\{ord(letter):03o}" for letter in text)


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def twice(text: str) -> str:
    return packed(packed(text))


def inner_json(text: str) -> str:
    return base64.b64encode(json.dumps({"auths": {"h.example": {"auth": text}}}).encode()).decode()


def hexadecimal(text: str) -> str:
    return text.encode().hex()


def half_percent(text: str) -> str:
    return f"{text[:18]}{percent(text[18:])}"


def entities(text: str) -> str:
    return "".join(f"&#x{ord(letter):x};" for letter in text)


def folded(text: str) -> str:
    return f"{text[:12]}\\\n      {text[12:24]}\\\n      {text[24:]}"


def apart(text: str) -> str:
    return f"{text[:12]}\n      {text[12:24]}\n      {text[24:]}"


def plain(text: str) -> str:
    return text


SPELLINGS: list[Spell] = [
    plain,
    percent,
    half_percent,
    escapes,
    short_escapes,
    octal,
    packed,
    twice,
    inner_json,
    hexadecimal,
    entities,
    folded,
    apart,
]

FILES = {
    ".npmrc": "//h.example/:_authToken=<<>>\n//<<>>.example/:_password=<<>>\nuser=<<>>\nregistry=https://<<>>:<<>>@h.example/<<>>\n<<>>=a\n",
    ".env": 'A_TOKEN=<<>>\nB_URL="https://dev:<<>>@h.example/<<>>?key=<<>>"\nC_SECRET="<<>>"\nD_KEY=$\'<<>>\'\n<<>>_TOKEN=x1y2\n',
    ".bashrc": "export A_TOKEN=<<>>; export B_KEY=\"<<>>\"\nset -x C_PASSWORD <<>>\nalias x='curl -u dev:<<>> https://h.example'\n",
    ".bash_history": "curl -H 'Authorization: Bearer <<>>' https://dev:<<>>@h.example\n",
    ".netrc": "machine h.example login <<>> password <<>>\nmachine <<>> login dev password <<>> account <<>>\n",
    ".docker/config.json": '{"auths": {"h.example": {"auth": "<<>>", "identitytoken": "<<>>"}, "<<>>": {"auth": "<<>>"}},'
    ' "credsStore": "<<>>", "HttpHeaders": {"X": "<<>>"}}',
    ".config/gh/hosts.yml": 'h.example:\n    oauth_token: "<<>>"\n    user: "<<>>"\n"<<>>":\n    oauth_token: >-\n      <<>>\n    users: {"<<>>": {oauth_token: "<<>>"}}\n',
    ".aws/credentials": "[default]\naws_access_key_id = <<>>\naws_secret_access_key = <<>>\n[<<>>]\naws_session_token = <<>>\n"
    "credential_process = x --key <<>>\nrole_arn = <<>>\n",
    ".kube/config": "apiVersion: v1\nusers:\n- name: \"<<>>\"\n  user:\n    token: \"<<>>\"\n    client-key-data: <<>>\n"
    "    exec: {command: \"<<>>\", args: [\"<<>>\"]}\nclusters:\n- name: a\n  cluster: {server: \"https://dev:<<>>@h.example/<<>>\"}\n"
    "contexts:\n- name: a\n  context: {cluster: a, user: \"<<>>\"}\n",
    ".pypirc": "[h]\nrepository = https://dev:<<>>@h.example/<<>>\nusername = <<>>\npassword = <<>>\n[<<>>]\npassword: <<>>\n",
    ".yarnrc.yml": 'npmAuthToken: "<<>>"\nnpmRegistries:\n  "//<<>>":\n    npmAuthIdent: "<<>>"\nnpmScopes: {"<<>>": {npmAuthToken: |\n      <<>>\n  }}\n',
    ".git-credentials": "https://dev:<<>>@h.example\nhttps://<<>>@h.example/<<>>\nhttps://<<>>:x-oauth-basic@h.example\n",
    ".gitconfig": '[url "https://dev:<<>>@h.example/"]\n\tinsteadOf = <<>>\n[credential "https://<<>>@h.example"]\n\thelper = "!f() { echo <<>>; }; f"\n\tusername = <<>>\n[http]\n\textraHeader = Authorization: Basic <<>>\n',
    ".cargo/credentials.toml": '[registry]\ntoken = "<<>>"\n[registries."<<>>"]\ntoken = \'<<>>\'\n',
    ".config/pip/pip.conf": "[global]\nindex-url = https://dev:<<>>@h.example/<<>>\nextra-index-url =\n    https://<<>>@h.example\n",
    ".claude/settings.json": '{"env": {"A_TOKEN": "<<>>", "<<>>": "b"}, "apiKeyHelper": "<<>>"}',
    ".m2/settings.xml": "<settings><servers><server><id><<>></id><username><<>></username><password><<>></password></server></servers></settings>",
    ".ssh/config": "Host <<>>\n  User <<>>\n  IdentityFile ~/<<>>\n  ProxyCommand x <<>>\n",
    ".pgpass": "h.example:5432:shop:<<>>:<<>>\n<<>>:5432:*:dev:<<>>\n",
}  # fmt: skip


IN_YAML = (".config/gh/hosts.yml", ".kube/config", ".yarnrc.yml", ".pypirc")


@pytest.mark.parametrize("mark", ["", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("spell", SPELLINGS, ids=lambda spell: spell.__name__)
def test_no_spelling_of_a_secret_comes_out(spell: Spell, mark: str, tmp_path: Path) -> None:
    source = random.Random(20261126)
    wanted: dict[bytes, str] = {}
    for name, text in FILES.items():
        if spell in (folded, apart) and name not in IN_YAML:
            continue  # elsewhere a line ends what stands on it: a piece of twelve characters is a word like any other
        while "<<>>" in text:
            secret = "".join(source.choice(string.ascii_letters + string.digits) for _ in range(36))
            spelled = spell(secret)
            text = text.replace("<<>>", spelled, 1)
            for trace in traces(secret):
                wanted[trace] = name
            for form in (spelled, quote(spelled), packed(spelled), json.dumps(spelled)[1:-1]):
                data = "".join(form.split()).encode()
                step = 24 if spell in (percent, escapes, short_escapes, octal, entities) else 10
                for at in range(max(len(data) - step + 1, 1)):
                    if len(set(data[at : at + step])) > 7:
                        wanted[data[at : at + step]] = name
        path = tmp_path / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(mark or "utf-8"))
    written: list[bytes] = []
    for more in (["--all"], ["--format", "json"], ["--format", "markdown"]):
        done = CliRunner().invoke(
            pratique, ["reach", "--home", str(tmp_path / "home"), *more], env={"HOME": "/"}, standalone_mode=False
        )
        assert done.exception is None, done.exception
        written.append(done.output.encode())
    assert written[1].count(b'"$HOME/') > (2 if spell in (folded, apart) else 10)
    leaks: set[tuple[str, bytes]] = set()
    for content in written:
        for size in {len(trace) for trace in wanted}:
            windows = {content[at : at + size] for at in range(len(content) - size + 1)}
            leaks |= {(wanted[trace], trace) for trace in windows & wanted.keys()}
    assert sorted(leaks) == []

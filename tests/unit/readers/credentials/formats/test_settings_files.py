"""The formats of registries and source hosting: what is told of good, odd and damaged files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Row
from pratique.readers.credentials.table import reader_of, table

OURS = sorted(
    {
        row.format
        for row in table().rows
        if row.format
        in {
            "dotenv",
            "gh_hosts",
            "git_config",
            "ini",
            "netrc",
            "npmrc",
            "private_key",
            "ssh_certificate",
            "ssh_config",
            "terms",
            "token_file",
            "url_userinfo",
            "yaml_fields",
            "yarnrc",
        }
    }
)


def told(row: str | Row, content: str | bytes) -> list[str]:
    """Each fact in one line: `field state identity`, and each reason."""
    entry = table().row(row) if isinstance(row, str) else row
    data = content.encode() if isinstance(content, str) else content
    found = []
    for item in reader_of(entry.format)(data, entry, lambda _class, _secret: None):
        if isinstance(item, CredentialFact):
            whose = " ".join(f"{name}={value}" for name, value in item.identity)
            found.append(f"{item.field} {item.state} {whose}".strip())
        else:
            found.append(item)
    return found


CASES: list[tuple[str, str, list[str]]] = [
    ("npm-rc", "", []),
    ("npm-rc", "# only a comment\nregistry=https://registry.example/\nengine-strict\n", []),
    ("npm-rc", "_authToken=abc1\n", ["_authToken present"]),
    ("npm-rc", "//h.example/:_authToken=${T}\n", ["_authToken reference host=h.example"]),
    ("npm-rc", "//h.example/:_authToken=${T:-abc1}\n", ["_authToken present host=h.example"]),
    (
        "npm-rc",
        "//h.example/a/:_authToken=abc1\n//h.example/a/:_authToken=abc2\n",
        ["_authToken present host=h.example/a"] * 2,
    ),
    (
        "npm-rc",
        "//h.example/:_password=aGk=\n//h.example/:username=dev\n",
        ["_password present host=h.example user=dev"],
    ),
    ("npm-rc", "certfile=/etc/x.pem\nkeyfile=/etc/x.key\n", []),
    ("npm-rc", "_authToken=abc1\n}{ broken\n", ["_authToken present", "half understood"]),
    ("npm-rc", "}{ broken\n", ["not understood"]),
    ("npm-rc", "a\0b", ["of an encoding that is not read"]),
    (
        "npm-rc",
        "https-proxy=http://dev:pw1@proxy.example:8080\n",
        ["https-proxy present host=proxy.example:8080 user=dev"],
    ),
    ("yarn-classic", '"//h.example/:_authToken" "abc1"\n', ["_authToken present host=h.example"]),
    ("npm-rc", "//h.example/:tokenHelper=/usr/bin/x\n", ["tokenHelper reference host=h.example"]),
    ("npm-rc", "@shop:registry=https://u:p1@h.example/\n", ["@shop:registry present host=h.example user=u"]),
    ("npm-rc", "@shop:registry=https://h.example/\n", []),
    ("yarn-classic", "# c\nlastUpdateCheck 1\n", []),
    ("yarn-berry", "npmAuthToken: abc1\n", ["npmAuthToken present"]),
    (
        "yarn-berry",
        "a: &a {npmAuthToken: abc1}\nb: *a\n",
        ["npmAuthToken present path=a", "npmAuthToken present path=b"],
    ),
    ("yarn-berry", "npmAuthToken: abc1\n  bad: [\n", ["half understood", "npmAuthToken present"]),
    ("yarn-berry", "just text\n", ["not understood"]),
    ("pypirc", "[x]\nusername = __token__\npassword = abc1\n", ["password present section=x username=__token__"]),
    ("pypirc", "[x]\npassword: %(other)s\n", ["password reference section=x"]),
    ("pypirc", "[x]\npassword = \n", []),
    ("pypirc", "\x01\x02 !! ??\n", ["not understood"]),
    ("pip-conf", "[global]\nindex-url = https://h.example/simple\n", []),
    (
        "pip-conf",
        "[global]\nindex-url = https://u:p1@h.example/\n",
        ["index-url present section=global host=h.example user=u"],
    ),
    (
        "pip-conf",
        "[global]\nextra-index-url =\n  https://a.example/\n  https://u:p1@b.example/\n",
        ["extra-index-url present section=global host=b.example user=u"],
    ),
    ("gradle", "org.gradle.jvmargs=-Xmx2g\nfooPassword=abc1\n", ["fooPassword present"]),
    ("gradle", "signing.secretKeyRingFile=/x\n", ["signing.secretKeyRingFile reference"]),
    ("rubygems", "---\n:rubygems_api_key: abc1\n:b: abc2\n", [":rubygems_api_key present", ":b present"]),
    ("bundler", '---\nBUNDLE_PATH: "vendor"\nBUNDLE_BUILD__X: "--y"\n', []),
    ("bundler", '---\nBUNDLE_A__B: "u:p1"\n', ["BUNDLE_A__B present"]),
    ("go-private", "GOPROXY=https://u:p1@h.example,direct\nGOSUMDB=off\n", ["GOPROXY present host=h.example user=u"]),
    ("hex", '{\'$write_key\',<<"abc1">>}.\n{api_url,<<"x">>}.\n', ["$write_key present"]),
    ("hex", "{'$write_key',<<\"abc1\">>}.\n{'$re", ["$write_key present", "half understood"]),
    (
        "cocoapods",
        "machine trunk.x login a password p1\nmachine h login b password p2\n",
        ["password present host=trunk.x user=a"],
    ),
    (
        "netrc",
        "machine trunk.x login a password p1\nmachine h login b password p2\n",
        ["password present host=h user=b"],
    ),
    ("netrc", "machine h\n# c\n login u\n password 'p1\n", ["password present host=h user=u"]),
    ("netrc", "machine h login u account a password p1\n", ["password present host=h user=u"]),
    ("netrc", "default login u password p1\n", ["password present host=default user=u"]),
    ("netrc", "macdef m\nmachine x password y\n\nmachine h password p1\n", ["password present host=h"]),
    ("netrc", "machine h login u\n", []),
    ("netrc", "something else\n", ["not understood"]),
    ("gh-cli", "h.example:\n  oauth_token: abc1\n  user: dev\n", ["oauth_token present host=h.example user=dev"]),
    ("gh-cli", "h.example:\n  user: dev\n", ["oauth_token reference host=h.example user=dev"]),
    (
        "gh-cli",
        "h.example:\n  users:\n    a:\n      oauth_token: abc1\n    b:\n  user: a\n",
        ["oauth_token present host=h.example user=a", "oauth_token reference host=h.example user=b"],
    ),
    ("gh-cli", "[]\n", ["not understood"]),
    ("git-store", "https://u:p1@h.example\n\nhttps://h.example\n", ["url present host=h.example user=u"]),
    ("git-store", "no url\n", ["not understood"]),
    ("git-config", '[remote "o"]\n  url = https://u:p1@h.example/x\n', ["remote.url present host=h.example user=u"]),
    ("git-config", '[remote "o"]\n  url = git@h.example:x\n', []),
    ("git-config", "[credential]\n  helper = store\n", ["credential.helper reference helper=store"]),
    (
        "git-config",
        "[credential]\n  helper = !f() { echo password=abc1; }; f\n",
        ["credential.helper reference helper=a command"],
    ),
    ("git-config", '[url "https://tok1@h.example/"]\n insteadOf = x\n', ["insteadOf present host=h.example"]),
    ("git-config", "[http]\n extraheader = PRIVATE-TOKEN: abc1\n", ["extraheader present"]),
    ("git-config", "garbage\n", ["not understood"]),
    ("git-config", "[sendemail]\n smtpPass = abc1\n smtpUser = dev\n", ["sendemail.smtppass present"]),
    (
        "git-config",
        '[submodule "x"]\n url = https://u:p1@h.example/x\n',
        ["submodule.url present host=h.example user=u"],
    ),
    ("circleci", "token: [abc1, abc2]\n", ["token present", "token present"]),
    (
        "pypirc",
        "[x]\nrepository = https://u:p1@h.example/\n",
        ["repository present section=x repository=https://h.example/ host=h.example user=u"],
    ),
    ("ssh-config", "Host a b\n  IdentityFile ~/.ssh/x\n", ["IdentityFile reference host=a b file=~/.ssh/x"]),
    ("ssh-config", "IdentityFile none\n", []),
    ("gh-token", "abc1\n", ["whole file present"]),
    ("gh-token", "changeme\n", []),
    ("gh-token", "two words\n", ["half understood", "whole file present"]),
    ("circleci", "host: https://u:p1@ci.example\ntoken: abc1\n", ["token present host=https://ci.example"]),
    ("actions-secrets-file", 'A=abc1\nexport B="x y1"\nC=\nD=${X}\n# E=1\n', ["A present", "B present", "D reference"]),
    ("buildkite", 'token="abc1"\nname="b"\n', ['token present name="b"']),
    (
        "azure-devops",
        "[azdevops-cli:https://h.example/o]\nPersonal Access Token = abc1\n",
        ["Personal Access Token present section=azdevops-cli:https://h.example/o"],
    ),
]


@pytest.mark.parametrize(("row", "content", "expected"), CASES)
def test_what_is_told(row: str, content: str, expected: list[str]) -> None:
    assert told(row, content) == expected


@pytest.mark.parametrize(("row", "content", "expected"), [case for case in CASES if "\0" not in case[1]])
def test_line_ends_marks_and_encodings_change_nothing(row: str, content: str, expected: list[str]) -> None:
    plain = content.replace("\r\n", "\n")
    assert told(row, plain.replace("\n", "\r\n")) == expected
    assert told(row, b"\xef\xbb\xbf" + plain.encode()) == expected
    assert told(row, plain.encode("utf-16")) == expected


@pytest.mark.parametrize("name", OURS)
@given(content=st.binary(max_size=400))
def test_any_bytes_give_facts_or_a_reason(name: str, content: bytes) -> None:
    for row in table().rows:
        if row.format == name:
            list(reader_of(name)(content, row, lambda _class, _secret: None))


@pytest.mark.parametrize("name", OURS)
@given(content=st.text(alphabet="a:=[]{}<>\"'\\/@$%#!-_ \n\t&*,.|", max_size=300))
def test_any_text_gives_facts_or_a_reason(name: str, content: str) -> None:
    for row in table().rows:
        if row.format == name:
            list(reader_of(name)(content.encode(), row, lambda _class, _secret: None))


def _run(tmp_path: Path, *command: str, stdin: str = "") -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"real clients cannot be had here: {command[0]}")
    import os

    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")}
    environment |= {"GOFLAGS": "", "GOTOOLCHAIN": "local", "npm_config_userconfig": str(tmp_path / ".npmrc")}
    subprocess.run(command, check=True, env=environment, input=stdin, text=True, cwd=tmp_path, timeout=60)


def test_a_file_that_npm_wrote(tmp_path: Path) -> None:
    _run(tmp_path, "npm", "config", "set", "//h.example/:_authToken", "npm_" + "a1" * 18)
    _run(tmp_path, "npm", "config", "set", "fund", "false")
    assert told("npm-rc", (tmp_path / ".npmrc").read_bytes()) == ["_authToken present host=h.example"]


def test_a_file_that_git_wrote(tmp_path: Path) -> None:
    _run(tmp_path, "git", "config", "--global", "url.https://tok1@h.example/.insteadOf", "git@h.example:")
    _run(tmp_path, "git", "config", "--global", "http.https://h.example/.extraheader", "AUTHORIZATION: basic YWJjMQ==")
    _run(tmp_path, "git", "config", "--global", "credential.helper", "cache --timeout=60")
    found = told("git-config", next(path for path in tmp_path.rglob("*config") if path.is_file()).read_bytes())
    assert found == [
        "insteadOf present host=h.example",
        "extraheader present host=h.example",
        "credential.helper reference helper=cache",
    ]


def test_a_store_that_git_wrote(tmp_path: Path) -> None:
    stdin = "protocol=https\nhost=h.example\nusername=dev@shop\npassword=p:1@/x\n\n"
    _run(tmp_path, "git", "credential-store", "store", stdin=stdin)
    assert told("git-store", (tmp_path / ".git-credentials").read_bytes()) == [
        "url present host=h.example user=dev@shop"
    ]


def test_a_file_that_go_wrote(tmp_path: Path) -> None:
    _run(tmp_path, "go", "env", "-w", "GOPROXY=https://dev:pw1@proxy.example,direct")
    assert told("go-private", (tmp_path / ".config/go/env").read_bytes()) == [
        "GOPROXY present host=proxy.example user=dev"
    ]


def test_a_file_that_pip_wrote(tmp_path: Path) -> None:
    _run(tmp_path, "pip", "config", "set", "--user", "global.index-url", "https://dev:pw1@index.example/simple")
    assert told("pip-conf", (tmp_path / ".config/pip/pip.conf").read_bytes()) == [
        "index-url present section=global host=index.example user=dev"
    ]


@pytest.mark.parametrize(
    "part", ["a", "x" * 30 + "@", "'", '"', "<<", "a,", "//", "a://b:c@", "=", "[", "${", "machine "]
)
def test_long_repetitions_end(part: str) -> None:
    """What goes back over a text from each of its characters would not come to an end here."""
    for name in OURS:
        row = next(item for item in table().rows if item.format == name)
        list(reader_of(name)((part * (300_000 // len(part))).encode(), row, lambda _class, _secret: None))

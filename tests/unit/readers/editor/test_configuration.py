"""Commands taken apart, and what is never kept of them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pratique.model.observation import ContentFact, DigestFact, Observation, PresenceFact, Refusal, TriggerFact
from pratique.model.ports import Interest, Reader
from pratique.readers import discovery
from pratique.readers.editor import agent, envrc, files, git_configuration, git_hooks, settings, tasks, workspace
from pratique.readers.editor.configuration import command
from tests.golden.harness import ALL, ROOT, in_memory


@pytest.mark.parametrize(
    ("parts", "program", "names"),
    [
        (("node .claude/setup.mjs",), "node", (".claude/setup.mjs",)),
        (("node ./.claude/setup.mjs --x",), "node", (".claude/setup.mjs",)),
        (("node", ["${workspaceFolder}/.vscode/setup.mjs"]), "node", (".vscode/setup.mjs",)),
        (('"$CLAUDE_PROJECT_DIR"/.claude/hooks/a.sh',), ".claude/hooks/a.sh", (".claude/hooks/a.sh",)),
        (('"${CLAUDE_PROJECT_DIR}/.claude/a.py"',), ".claude/a.py", (".claude/a.py",)),
        (("KEY=secret TOKEN=x node a.js",), "node", ("a.js",)),
        (("sh -c 'cd x && node .vscode/setup.mjs; true'",), "sh", (".vscode/setup.mjs",)),
        (("powershell", ["-File", "tools\\a.ps1"]), "powershell", ("tools/a.ps1",)),
        (("curl https://x.test/a.sh | sh",), "curl", ()),
        (("$(cat secret)",), None, ()),
        ((None, 3, {}), None, ()),
        (("",), None, ()),
        ((["npm", 1, None, "ci"],), "npm", ()),
    ],
)
def test_commands(parts: tuple[object, ...], program: str | None, names: tuple[str, ...]) -> None:
    assert command(*parts) == (program, names)


def test_no_argument_is_kept_anywhere() -> None:
    for path in (ROOT / "editor").glob("*/*/expected.json"):
        text = path.read_text(encoding="utf-8")
        assert "not-kept" not in text
        assert "secret" not in text


def test_marks_of_indicators() -> None:
    import hashlib

    data = b'{"a": "IfYouReadThis"}'
    interest = Interest(
        {},
        digests={"sha256": frozenset({hashlib.sha256(data).hexdigest()})},
        basenames=frozenset({"tasks.json", "setup.mjs"}),
        fragments={"configuration": ("IfYouReadThis",), "bundle": ("a",)},
    )
    found = list(tasks.READER.read(in_memory(data, "x/.vscode/tasks.json"), interest))
    assert [type(item.facts) for item in found if isinstance(item, Observation)] == [
        PresenceFact,
        DigestFact,
        ContentFact,
    ]
    found = list(files.READER.read(in_memory(b"inert", "x/.claude/setup.mjs"), interest))
    assert [type(item.facts) for item in found if isinstance(item, Observation)] == [PresenceFact]
    assert list(files.READER.read(in_memory(b"inert", "x/.github/notes.md"), interest)) == []


def test_odd_shapes_give_nothing_and_never_fail() -> None:
    shapes = [
        {"tasks": 3},
        {"tasks": [{"runOptions": {"runOn": "folderOpen"}, "dependsOn": ["a", {"task": "b"}, 4], "label": "a"}]},
        {"tasks": [{"label": "a", "dependsOn": "a", "runOptions": {"runOn": "folderOpen"}, "command": {"value": "x"}}]},
        {"hooks": {"SessionStart": "x", "Stop": [3, {"hooks": [{"command": 4}]}]}},
        {"mcpServers": ["x"], "statusLine": 3},
        {"terminal.integrated.profiles.linux": {"a": None}, "terminal.integrated.env.linux": 3, "x.path": [3]},
    ]
    for shape in shapes:
        for reader, path in ((tasks, ".vscode/tasks.json"), (agent, ".claude/settings.json"), (settings, ".vscode/x")):
            for item in reader.READER.read(in_memory(json.dumps(shape).encode(), path), ALL):
                msgspec.json.encode(item)


def test_a_hook_names_its_program_and_scripts() -> None:
    text = b"#!/usr/bin/env node\n// hook\nrequire('./tools/x.cjs')\n"
    (found,) = git_hooks.READER.read(in_memory(text, "x/.git/hooks/post-checkout"), ALL)
    assert isinstance(found, Observation)
    shown = msgspec.to_builtins(found.facts)
    assert (shown["tool"], shown["when"], shown["program"]) == ("git", "post-checkout", "node")
    assert list(git_hooks.READER.read(in_memory(text, "x/.git/hooks/post-checkout.sample"), ALL)) == []


def test_settings_of_git_keep_no_url() -> None:
    text = b'[remote "o"]\n\turl = https://u:secret@h.test\n[url "https://secret@h"]\n\tinsteadOf = x\n[core] pager = less -R\n'
    found = list(git_configuration.READER.read(in_memory(text, "x/.git/config"), ALL))
    shown = [msgspec.json.encode(item).decode() for item in found]
    assert len(shown) == 1
    assert "less" in shown[0]
    assert "secret" not in shown[0]


def test_direnv_keeps_no_value() -> None:
    (found,) = envrc.READER.read(in_memory(b"export K=secret.sh\nsource ./a.sh\n", "x/.envrc"), ALL)
    assert b"secret" not in msgspec.json.encode(found)


def test_every_reader_of_the_folder_is_known_to_the_layout() -> None:
    from pratique.ecosystems.npm.layout import BUILD_READERS, CONFIGURATION_READERS

    by_folder: dict[str, set[str]] = {}
    for claim in discovery.claims():
        by_folder.setdefault(claim.module.split(".")[-2], set()).add(claim.name)
    assert by_folder["editor"] == CONFIGURATION_READERS
    assert by_folder["bundle"] == BUILD_READERS
    assert Path(ROOT / "editor").is_dir()


def test_a_script_that_is_too_long_to_look_at_says_so() -> None:
    for text in ("x" * 20_001 + "\nnode .claude/setup.mjs\n", "".join(f"sh {n}.sh\n" for n in range(21))):
        for reader, path in ((git_hooks.READER, ".git/hooks/pre-commit"), (envrc.READER, ".envrc")):
            found = [item for item in reader.read(in_memory(text.encode(), path), ALL) if isinstance(item, Refusal)]
            assert [item.reason for item in found] == [
                "is long: only 20 script files in its first 20000 characters are told"
            ]
    short = b"# " + b"x" * 30_000 + b"\nnode a.js\n"
    assert not [item for item in envrc.READER.read(in_memory(short, ".envrc"), ALL) if isinstance(item, Refusal)]


def triggers(reader: Reader, text: str, path: str) -> list[tuple[str, tuple[str, ...]]]:
    found = [item.facts for item in reader.read(in_memory(text.encode(), path), ALL) if isinstance(item, Observation)]
    return [(fact.when, fact.files) for fact in found if isinstance(fact, TriggerFact)]


def test_tasks_of_one_system_run_by_themselves_too() -> None:
    task = {"label": "a", "command": "node .vscode/setup.mjs", "runOptions": {"runOn": "folderOpen"}}
    for system in ("windows", "linux", "osx"):
        inner = {"version": "2.0.0", "tasks": [], system: {"tasks": [task]}}
        expected = [("folderOpen", (".vscode/setup.mjs",))]
        assert triggers(tasks.READER, json.dumps(inner), ".vscode/tasks.json") == expected
        assert triggers(workspace.READER, json.dumps({"tasks": inner}), "a.code-workspace") == expected


def test_settings_of_git_go_on_behind_a_backslash() -> None:
    text = "; c:\\\n[core]\n\tsshCommand = \\\n node \\\n a.js\n\tpager = C:\\\\\n\teditor = sh b.sh"
    assert triggers(git_configuration.READER, text, ".git/config") == [
        ("core.sshcommand", ("a.js",)),
        ("core.pager", ()),
        ("core.editor", ("b.sh",)),
    ]


def test_a_section_of_git_that_is_not_understood_is_said() -> None:
    text = f'[alias]\n[core "{"x" * 400}"]\na = !sh a.sh\n'
    found = list(git_configuration.READER.read(in_memory(text.encode(), ".git/config"), ALL))
    assert [item.reason for item in found if isinstance(item, Refusal)] == [
        "has a section that is not understood, the first in line 2"
    ]
    assert triggers(git_configuration.READER, text, ".git/config") == []

"""Commands of package managers out of lines of shell, and that nothing else of a line is kept."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems.npm.commands import commands, simple_commands, specifier
from pratique.model.observation import CommandFact, Observation, Refusal
from pratique.model.ports import Interest
from pratique.readers.host import shell_history
from tests.golden.harness import ALL, in_memory

CANARY = "canary5f1d"
AXIOS = Interest({"npm": frozenset({"axios"})})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a b", [["a", "b"]]),
        ('a \'b c\' "d \\"e" f\\ g', [["a", "b c", 'd "e', "f g"]]),
        ("a&&b||c;d|e&f\ng", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]]),
        ("a >b 2>&1 <c d >&e f", [["a", "d", "f"]]),
        ("a # b\nc d#e", [["a"], ["c", "d#e"]]),
        ("a \\\n b", [["a", "b"]]),
        ("a # it's\nb", [["a"], ["b"]]),
        ("x $(a b) `c`", [["x", "$"], ["a", "b"], [], ["c"], []]),
        ("a 'b", [["a", "b"]]),
    ],
)
def test_a_line_is_split_as_a_shell_splits_it(line: str, expected: list[list[str]]) -> None:
    assert list(simple_commands(line)) == expected


@pytest.mark.parametrize(
    ("line", "manager", "verb", "packages"),
    [
        ("npm i axios@1.14.1", "npm", "install", ["axios@1.14.1"]),
        ("npm add axios", "npm", "install", ["axios"]),
        ("npm -g --loglevel silly install axios", "npm", "install", ["axios"]),
        ("sudo -u root -E npm up axios", "npm", "update", ["axios"]),
        ("env -u A B=c npm i axios", "npm", "install", ["axios"]),
        ("A=b C='d e' npm i axios", "npm", "install", ["axios"]),
        ("timeout -k 5 60 npm i axios", "npm", "install", ["axios"]),
        ("! time -p npm i axios", "npm", "install", ["axios"]),
        ("cd x && npm i axios", "npm", "install", ["axios"]),
        ("if true; then npm i axios; fi", "npm", "install", ["axios"]),
        ("/opt/node/bin/npm i axios", "npm", "install", ["axios"]),
        ("npx axios@1", "npm", "exec", ["axios@1"]),
        ("npx -p axios -p b@2 command argument", "npm", "exec", ["axios", "b@2"]),
        ("npm x --package=axios -- command", "npm", "exec", ["axios"]),
        ("npm exec -c 'axios x'", "npm", "exec", []),
        ("pnpx axios", "pnpm", "dlx", ["axios"]),
        ("pnpm --filter ./web add -D axios", "pnpm", "add", ["axios"]),
        ("pnpm anything axios", "pnpm", "run", []),
        ("yarnpkg add axios", "yarn", "add", ["axios"]),
        ("yarn workspace @a/b add axios", "yarn", "add", ["axios"]),
        ("yarn global add axios", "yarn", "global add", ["axios"]),
        ("yarn", "yarn", "install", []),
        ("bunx axios", "bun", "x", ["axios"]),
        ("bun a axios", "bun", "add", ["axios"]),
        ("bun pm trust axios", "bun", "pm trust", ["axios"]),
        ("deno add npm:axios@^1 jsr:@a/b", "deno", "add", ["axios@^1"]),
        ("deno run -A npm:@a/b@1.0.0/c axios", "deno", "run", ["@a/b@1.0.0"]),
        ("corepack pnpm@9 add axios", "pnpm", "add", ["axios"]),
        ("corepack prepare pnpm@9.0.0 --activate", "corepack", "prepare", ["pnpm@9.0.0"]),
        ("npm create axios", "npm", "init", ["create-axios"]),
        ("npm init @a", "npm", "init", ["@a/create"]),
        ("yarn create @a/b@2", "yarn", "create", ["@a/create-b@2"]),
        ("bash -lc 'npm i axios'", "npm", "install", ["axios"]),
        ("npm view axios version", "npm", "view", ["axios"]),
        ("npm i -- axios", "npm", "install", ["axios"]),
        ("npm i './a' ../b ~/c ./d.tgz e.tgz axios", "npm", "install", ["axios"]),
    ],
)
def test_a_manager_is_found_behind_what_stands_before_it(
    line: str, manager: str, verb: str, packages: list[str]
) -> None:
    assert [(c.manager, c.verb, list(c.packages)) for c in commands(line)] == [(manager, verb, packages)]


@pytest.mark.parametrize(
    "line",
    [
        "git commit -m 'npm i axios'",
        "echo npm i axios",
        "npm --version",
        "man npm",
        "npm.txt i axios",
        "yarn -v",
        "sudo",
    ],
)
def test_other_commands_are_none(line: str) -> None:
    assert list(commands(line)) == []


def test_a_flag_that_is_switched_off_is_kept_as_such() -> None:
    for line in ("npm i --ignore-scripts=false a", "npm i --ignore-scripts false a", "npm i --no-ignore-scripts a"):
        assert [(c.flags, c.packages) for c in commands(line)] == [(("--no-ignore-scripts",), ("a",))]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("axios", ("axios", "axios")),
        ("@a/b@^1", ("@a/b@^1", "@a/b")),
        ("a@npm:axios@1", ("a@npm:axios@1", "axios")),
        ("a@npm:@b/c", ("a@npm:@b/c", "@b/c")),
        ("a@npm:b@npm:c", ("a", "a")),
        ("github:o/r#x", ("github:o/r", None)),
        ("o/r", ("o/r", None)),
        ("git@host.example:o/r.git#x", ("host.example:o/r.git", None)),
        (
            "https://u:p@registry.example/axios/-/axios-1.0.0.tgz?q#f",
            ("https://registry.example/axios/-/axios-1.0.0.tgz", "axios"),
        ),
        ("axios@git+ssh://git@host.example/o/r.git#x", ("axios@git+ssh://host.example/o/r.git", "axios")),
        ("https://u:p/q@host.example/", None),
        ("file:../x", None),
        ("C:\\x", None),
        ("$PACKAGE", None),
        ("a b", None),
        ("", None),
    ],
)
def test_a_specifier_is_kept_without_secrets(word: str, expected: tuple[str, str | None] | None) -> None:
    assert specifier(word) == expected


HISTORY_LINES = (
    "npm i axios --otp {c}",
    "npm i axios --otp={c}",
    "npm i --_authToken {c} axios",
    "npm i --//registry.example/:_authToken {c} axios",
    "npm i --//registry.example/:_authToken={c} axios",
    "npm i axios --registry https://{c}:{c}@registry.example/{c}?{c}#{c}",
    "npm i axios https://{c}:{c}@registry.example/x.tgz?{c}#{c}",
    "npm i axios@https://{c}@registry.example/x.tgz?{c}#{c}",
    "npm i git+https://{c}:x-oauth-basic@host.example/o/r.git#{c} axios",
    "npm i {c}@host.example:o/r.git axios",
    "npm i axios ssh://{c}:{c}@host.example/o/r",
    "NPM_TOKEN={c} npm i axios",
    "env NPM_TOKEN={c} npm i axios",
    "export NPM_TOKEN={c}; npm i axios",
    "echo {c} | npm i axios",
    "npm i axios # {c}",
    "npm i axios > {c} 2>{c} <{c}",
    "npx axios {c}",
    "npx -y axios --token {c} {c}",
    "npx --unheard-of axios {c}@1.0.0",
    "npx -p axios {c}",
    "npm exec --call '{c}' --package axios",
    "pnpm dlx axios {c}",
    "yarn dlx axios {c}",
    "bunx axios {c}",
    "deno run npm:axios {c}",
    "deno add npm:axios https://{c}@registry.example/",
    "npm create axios {c}",
    "npm view axios {c}",
    "npm config set //registry.example/:_authToken {c}; npm i axios",
    "npm config set {c}; npm i axios",
    "npm token revoke {c}; npm i axios",
    "npm login {c}; npm i axios",
    "npm run {c}; npm i axios",
    "yarn {c} {c}; npm i axios",
    "pnpm {c} {c}; npm i axios",
    "bun {c} {c}; npm i axios",
    "npm deprecate axios {c}",
    "npm owner add {c} axios; npm i axios",
    "curl -u {c} https://registry.example/npm; npm i axios",
    "cd {c} && npm i axios",
    "sudo -u {c} npm i axios",
    "bash -c 'npm i axios --otp {c}'",
)


@pytest.mark.parametrize("line", HISTORY_LINES)
@pytest.mark.parametrize("interest", [ALL, AXIOS], ids=["everything", "axios"])
@pytest.mark.parametrize("name", [".bash_history", ".zsh_history", "fish_history", "ConsoleHost_history.txt"])
def test_nothing_secret_of_a_line_becomes_part_of_a_record(line: str, interest: Interest, name: str) -> None:
    text = line.format(c=CANARY)
    data = f"- cmd: {text}\n  when: 1774917000\n" if name == "fish_history" else f"{text}\n"
    found = list(shell_history.read(in_memory(data.encode(), name), interest))
    assert CANARY not in msgspec.json.encode(found).decode()
    if interest is ALL:
        assert found


def facts(data: bytes, name: str, interest: Interest) -> list[CommandFact]:
    found = list(shell_history.read(in_memory(data, name), interest))
    return [item.facts for item in found if isinstance(item, Observation) and isinstance(item.facts, CommandFact)]


def test_only_commands_that_name_a_package_of_interest_are_kept() -> None:
    data = b"npm i\nnpm i other\nnpm i other x@npm:axios@1.0.0\nnpm i --unheard-of axios\nnpm i https://registry.example/axios/-/axios-1.0.0.tgz\n"
    kept = facts(data, ".bash_history", AXIOS)
    assert [fact.packages for fact in kept] == [
        ("other", "x@npm:axios@1.0.0"),
        ("axios",),
        ("https://registry.example/axios/-/axios-1.0.0.tgz",),
    ]
    assert len(facts(data, ".bash_history", ALL)) == 5


def test_bytes_of_zsh_are_undone_and_damaged_lines_do_not_hide_others() -> None:
    data = b"\xff\xfe\x83\n\x83\n: 1774917000:0;npm i axios; echo \x83\xa3\n\xc3\x28 npm\nnpm i axios\x83"
    assert len(facts(data, ".zsh_history", ALL)) == 2


def test_utf_16_is_read() -> None:
    assert len(facts("npm i axios\r\n".encode("utf-16"), "ConsoleHost_history.txt", AXIOS)) == 1


def test_an_entry_that_is_too_long_is_read_in_part_and_refused() -> None:
    data = b"npm i axios; echo " + b"x" * 100_000 + b"\nnpm i axios\n" + b"y" * 100_000 + b"\n"
    found = list(shell_history.read(in_memory(data, ".bash_history"), AXIOS))
    assert [type(item) for item in found] == [Refusal, Observation, Observation]


def test_endless_continuations_hide_nothing() -> None:
    data = b"x \\\n" * 200_000 + b"npm i axios\n"
    assert len(facts(data, ".bash_history", AXIOS)) <= 1
    data = b"x \\\n" * 200_000 + b"y\nnpm i axios\n"
    assert len(facts(data, ".bash_history", AXIOS)) == 1


@pytest.mark.parametrize(
    "piece", ["'", '"', "\\", "`", "$(", "1", "npm ", "-", "npm i a@npm:", "@", "<", "#", "npm i --x ", "sudo ", "a/"]
)
def test_hostile_lines_end_soon(piece: str) -> None:
    started = time.monotonic()
    for shell in ("posix", "powershell"):
        list(commands("npm i " + piece * (60_000 // len(piece)), shell))
    assert time.monotonic() - started < 2


@given(
    st.text(max_size=120),
    st.sampled_from(["npm i {}", "{} npx {}", "yarn {} {}", "deno {}", "corepack {}", "sh -c {}"]),
)
def test_any_text_is_parsed(text: str, form: str) -> None:
    for shell in ("posix", "powershell"):
        for command in commands(form.replace("{}", text), shell):
            assert command.verb

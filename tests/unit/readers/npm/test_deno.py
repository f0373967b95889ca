"""deno.lock and the marks in node_modules/.deno beyond the golden cases."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from pratique.model.observation import ComponentFact, Observation, Refusal, ScriptFact, Time
from pratique.model.ports import Artifact, Interest
from pratique.readers.npm import deno_lock, deno_state
from tests.golden.harness import ALL, in_memory

AXIOS = Interest({"npm": frozenset({"axios"})})


def read(text: str | bytes, interest: Interest = AXIOS) -> list[Observation | Refusal]:
    data = text.encode() if isinstance(text, str) else text
    return list(deno_lock.READER.read(in_memory(data, "deno.lock"), interest))


def facts(found: list[Observation | Refusal]) -> list[Any]:
    return [item.facts for item in found if isinstance(item, Observation)]


def reasons(found: list[Observation | Refusal]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Refusal)]


ENTRY = '"axios@1.14.1": {"integrity": "sha512-AA=="}'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"version": "2", "npm": {{"specifiers": {{}}, "packages": {{{ENTRY}}}}}}}',
        f'{{"version": "3", "packages": {{"specifiers": {{}}, "npm": {{{ENTRY}}}}}}}',
        f'{{"version": "4", "specifiers": {{}}, "npm": {{{ENTRY}}}}}',
        f'{{"version": "5", "npm": {{{ENTRY}, "left@1.0.0": {{}}}}}}',
    ],
)
def test_every_version_is_read(text: str) -> None:
    found = read(text)
    assert facts(found) == [
        ComponentFact(name="axios", version="1.14.1", depth="resolved", record="lock", integrity=("sha512-AA==",))
    ]
    assert reasons(found) == []


def test_the_url_of_an_archive_loses_its_secrets() -> None:
    entry = '"axios@1.14.1": {"tarball": "https://u:secret@h.example/a.tgz?t=secret", "scripts": true}'
    (fact,) = facts(read(f'{{"version": "5", "npm": {{{entry}}}}}'))
    assert (fact.resolved, fact.install_script) == ("https://h.example/a.tgz", True)


@pytest.mark.parametrize(
    ("key", "release"),
    [
        ("axios@1.14.1", ("axios", "1.14.1")),
        ("@a/b@1.0.0-rc.1+x", ("@a/b", "1.0.0-rc.1+x")),
        ("@a/b@1.0.0_@c+d@2.0.0__e@3.0.0", ("@a/b", "1.0.0")),
        ("axios", None),
        ("@a/b", None),
        ("axios@", None),
        ("", None),
    ],
)
def test_keys(key: str, release: tuple[str, str] | None) -> None:
    assert deno_lock.split_key(key) == release


def test_keys_and_tables_that_stand_twice_are_told_twice() -> None:
    second = ENTRY.replace("1.14.1", "1.14.0")
    found = read(f'{{"version": "5", "npm": {{{ENTRY}, {ENTRY}}}, "npm": {{{second}}}}}')
    assert [fact.version for fact in facts(found)] == ["1.14.1", "1.14.1", "1.14.0"]


def test_version_1_lists_remote_modules_only() -> None:
    assert read('{"https://deno.example/std/mod.ts": "0123"}') == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("{}", "has neither a version nor npm packages"),
        ('{"a": 1}', "has neither a version nor npm packages"),
        ("[]", "is not a JSON object"),
        ("<<<<<<< ours\n{}", "holds merge-conflict markers"),
        (b"\xff", "is not text in UTF-8 or UTF-16"),
        ("[" * 100_000, "is nested too deeply or holds an absurd number"),
        ('{"version": "5", "npm": {"a@\\ud800": {}}}', "holds half of a surrogate pair, which is no text"),
        ('{"version": "5", "npm": []}', "npm: is not an object"),
        ('{"version": "5", "npm": {"a": {}}}', "npm: 1 entries are not as deno writes them, the first is 'a'"),
    ],
)
def test_what_is_no_lockfile_is_refused(text: str | bytes, reason: str) -> None:
    found = read(text)
    assert reasons(found) == [reason]
    assert len(found) == 1


def test_a_later_version_is_read_and_said() -> None:
    found = read(f'{{"version": "6", "npm": {{{ENTRY}}}}}')
    assert reasons(found) == ["its version is none of 2, 3, 4 and 5; read as version 5"]
    assert len(facts(found)) == 1


def state(path: str, interest: Interest = ALL, modified: int | None = None) -> list[Observation | Refusal]:
    item = Artifact("case:", path, lambda: b"", lambda: modified, lambda _: None)
    return list(deno_state.READER.read(item, interest))


def test_a_mark_carries_the_time_at_which_it_was_set() -> None:
    path = "app/node_modules/.deno/@a+b@1.0.0-rc.1_1/.scripts-run"
    (found,) = state(path, modified=1_774_922_400_000_000_000)
    assert isinstance(found, Observation)
    assert found.facts == ScriptFact(name="@a/b", version="1.0.0-rc.1", script="install", outcome="finished")
    assert found.times == (Time("the install scripts had run", "2026-03-31T02:00:00.000Z", "file modification time"),)


def test_a_name_with_capital_letters_is_decoded() -> None:
    name = base64.b32encode(b"JSONStream").decode().rstrip("=").lower()
    (found,) = state(f"node_modules/.deno/_{name}@1.3.5/.initialized")
    assert isinstance(found, Observation)
    assert isinstance(found.facts, ComponentFact)
    assert (found.facts.name, found.facts.version) == ("JSONStream", "1.3.5")


def test_marks_of_other_names_and_places_say_nothing() -> None:
    assert state("node_modules/.deno/left@1.0.0/.scripts-run", AXIOS) == []
    assert state("node_modules/left/.initialized") == []
    assert state("node_modules/.deno/axios@1.0.0/node_modules/axios/.initialized") == []
    assert state(".initialized") == []


@pytest.mark.parametrize("folder", ["axios", "_!!@1.0.0", "_77@1.0.0", "\udcff@1.0.0", "@1.0.0", "axios@latest"])
def test_a_folder_that_names_no_release_is_refused(folder: str) -> None:
    (found,) = state(f"node_modules/.deno/{folder}/.scripts-run")
    assert isinstance(found, Refusal)

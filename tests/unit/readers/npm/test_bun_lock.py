"""bun.lock beyond the golden cases: comments, sources of every kind, damage."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from pratique.model.observation import ComponentFact, Observation, PolicyFact, ProtectionFact, Refusal
from pratique.model.ports import Interest
from pratique.readers.npm.bun_lock import READER, plain_json, split_key
from tests.golden.harness import ALL, in_memory

AXIOS = Interest({"npm": frozenset({"axios"})})


def read(text: str | bytes, interest: Interest = ALL, path: str = "bun.lock") -> list[Observation | Refusal]:
    data = text.encode() if isinstance(text, str) else text
    return list(READER.read(in_memory(data, path), interest))


def lock(packages: str, more: str = "", version: str = "1") -> str:
    return f'{{"lockfileVersion": {version}, "workspaces": {{"": {{}}}},{more} "packages": {{{packages}}}}}'


def facts(text: str | bytes, interest: Interest = ALL, path: str = "bun.lock") -> list[Any]:
    found = read(text, interest, path)
    assert all(isinstance(item, Observation) for item in found), found
    return [item.facts for item in found if isinstance(item, Observation)]


def component(entry: str, key: str = "axios", **more: Any) -> ComponentFact:
    (fact,) = facts(lock(f'"{key}": {entry}'), **more)
    assert isinstance(fact, ComponentFact)
    return fact


def reasons(found: list[Observation | Refusal]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Refusal)]


def test_strings_stay_whole_while_comments_and_commas_go() -> None:
    text = '{"a": "x, } // no /* no */ \\" , ]", /* yes */ "b": [1, 2, ], // yes\n "c": {"d": "\\\\",},}'
    assert json.loads(plain_json(text)) == {"a": 'x, } // no /* no */ " , ]', "b": [1, 2], "c": {"d": "\\"}}


def test_comments_keep_the_line_numbers() -> None:
    text = '// one\n/* two\nthree */ {"lockfileVersion": 1, oops}'
    (reason,) = reasons(read(text))
    assert reason.startswith("is not whole JSON:")
    assert reason.endswith("at line 3")


def test_a_file_with_comments_is_read() -> None:
    entry = '"axios": ["axios@1.14.1", "", {}, "sha512-AA=="],'
    text = f'{{ // of a person\n"lockfileVersion": 1, /* , }} */ "packages": {{{entry}}},}}'
    (fact,) = facts(text, AXIOS)
    assert (fact.name, fact.version, fact.resolved, fact.origin) == ("axios", "1.14.1", None, "registry")


def test_the_other_encodings_and_line_ends_are_read() -> None:
    text = lock('"axios": ["axios@1.14.1", "", {}, ""],\r\n').replace(", ", ",\r\n")
    for data in (text.encode("utf-8-sig"), text.encode("utf-16")):
        assert [fact.version for fact in facts(data)] == ["1.14.1"]


def test_only_names_of_interest_are_told() -> None:
    text = lock(
        '"axios": ["axios@1.14.1", "", {}, ""],'
        '"axios2": ["axios2@1.14.1", "", {}, ""],'
        '"axios3": ["axios@2.0.0", "", {}, ""]'
    )
    assert [(fact.version, fact.alias) for fact in facts(text, AXIOS)] == [("1.14.1", None), ("2.0.0", "axios3")]


def test_a_url_loses_its_secrets() -> None:
    fact = component(
        '["axios@1.14.1", "https://user:secret@registry.example/axios/-/axios-1.14.1.tgz?token=secret", {}, ""]'
    )
    assert fact.resolved == "https://registry.example/axios/-/axios-1.14.1.tgz"


@pytest.mark.parametrize(
    ("entry", "origin", "version", "resolved"),
    [
        ('["axios@github:o/axios#0a1b2c3", {}, "o-axios-0a1b2c3"]', "git", "0a1b2c3", "github:o/axios"),
        (
            '["axios@git+ssh://git:pw@host.example/o/axios.git#0a1b2c3", {}, "0a1b2c3", "sha512-AA=="]',
            "git",
            "0a1b2c3",
            "git+ssh://host.example/o/axios.git",
        ),
        ('["axios@./vendor/axios-1.14.1.tgz", {}]', "file", "1.14.1", "./vendor/axios-1.14.1.tgz"),
        ('["axios@vendor/axios-1.14.1.tgz", {}]', "file", "1.14.1", "vendor/axios-1.14.1.tgz"),
        (
            '["axios@https://h.example/axios/-/axios-1.14.1.tgz", {}, "sha512-AA=="]',
            "remote-tarball",
            "1.14.1",
            "https://h.example/axios/-/axios-1.14.1.tgz",
        ),
        (
            '["axios@https://h.example/files/axios-1.14.1.tgz?key=secret", {}]',
            "remote-tarball",
            "1.14.1",
            "https://h.example/files/axios-1.14.1.tgz",
        ),
    ],
)
def test_sources_other_than_the_registry(entry: str, origin: str, version: str, resolved: str) -> None:
    fact = component(entry)
    assert (fact.origin, fact.version, fact.resolved) == (origin, version, resolved)
    assert "secret" not in str(fact)
    assert "pw" not in str(fact)


def test_an_archive_without_a_version_in_its_name_is_refused() -> None:
    (item,) = read(lock('"axios": ["axios@https://h.example/axios.tgz", {}]'), AXIOS)
    assert isinstance(item, Refusal)
    assert item.relevant
    assert item.names == ("axios",)


@pytest.mark.parametrize("rest", ["file:axios", "link:axios", "workspace:axios"])
def test_local_sources_have_no_version(rest: str) -> None:
    assert read(lock(f'"axios": ["axios@{rest}", {{}}]')) == []


def test_keys_of_a_workspace_lie_in_its_folder() -> None:
    text = lock('"tool": ["tool@workspace:packages/tool"], "tool/@a/b/axios": ["axios@1.14.1", "", {}, ""]')
    (fact,) = facts(text, AXIOS, "team/bun.lock")
    assert fact.folder == "team/packages/tool/node_modules/@a/b/node_modules/axios"
    assert split_key("@a/b/c/@d/e") == ["@a/b", "c", "@d/e"]


def test_a_lockfile_inside_a_package_says_so() -> None:
    (fact,) = facts(lock('"axios": ["axios@1.14.1", "", {}, ""]'), AXIOS, "node_modules/left/bun.lock")
    assert (fact.shipped_in, fact.folder) == ("left", "node_modules/left/node_modules/axios")


def test_overrides_and_trusted_names() -> None:
    more = ' "overrides": {"axios": "1.14.0", "other": {"axios@^1": "npm:axios@https://u:p@h/x"}},'
    more += ' "trustedDependencies": ["b", "axios"],'
    policy, first, second = facts(lock("", more), AXIOS)
    assert policy == PolicyFact(setting="trustedDependencies", value="allow", names=("axios", "b"), manager="bun")
    assert first == ProtectionFact(name="axios", field="overrides", selector="axios", forces="1.14.0")
    assert isinstance(second, ProtectionFact)
    assert (second.field, second.selector) == ("overrides.other", "axios@^1")
    assert "u:p" not in str(second)
    assert facts(lock("", more), Interest({"npm": frozenset({"left"})})) == []


def test_a_key_that_stands_twice_is_told_twice() -> None:
    text = lock('"axios": ["axios@1.14.0", "", {}, ""], "axios": ["axios@1.14.1", "", {}, ""]')
    assert [fact.version for fact in facts(text, AXIOS)] == ["1.14.0", "1.14.1"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("[]", "is not a JSON object"),
        ("{}", "has neither packages nor workspaces nor a known lockfileVersion"),
        ('{"lockfileVersion": 1, "packages": []}', "packages: is not an object"),
        ('<<<<<<< ours\n{"lockfileVersion": 1}\n', "holds merge-conflict markers"),
        ('{"lockfileVersion": 1, "packages": {"\\ud800": []}}', "holds half of a surrogate pair, which is no text"),
        ("[" * 100_000, "is nested too deeply or holds an absurd number"),
        (b"\xff\xfe\xff", "is not text in UTF-8 or UTF-16"),
        (b"\x80", "is not text in UTF-8 or UTF-16"),
    ],
)
def test_what_is_no_lockfile_is_refused(text: str | bytes, reason: str) -> None:
    found = read(text, AXIOS)
    assert reasons(found) == [reason]
    assert len(found) == 1


@pytest.mark.parametrize("version", ["3", '"1"', "true", "null"])
def test_an_unknown_version_is_read_and_said(version: str) -> None:
    found = read(lock('"axios": ["axios@1.14.1", "", {}, ""]', version=version), AXIOS)
    assert reasons(found) == ["lockfileVersion is none of 0, 1 and 2; read as version 2"]
    assert len(found) == 2


def test_strange_entries_are_refused_beside_the_others() -> None:
    text = lock('"a": "x", "b": [], "c": [1], "d": ["d"], "axios": ["axios@1.14.1", "", {}, ""]')
    found = read(text, AXIOS)
    assert len(found) == 2
    assert reasons(found) == ["packages: 4 entries are not as bun writes them, the first is 'a'"]
    assert found[1].names == ("a", "b", "c", "d")


@pytest.mark.parametrize("piece", ['\\"', '"', ",", ", ", "/*", "//", "/", "[", "{", '"\\'])
def test_large_damage_takes_no_time(piece: str) -> None:
    start = time.monotonic()
    read('{"a": "' + piece * (1_000_000 // len(piece)))
    read('{"a": ' + piece * (1_000_000 // len(piece)))
    assert time.monotonic() - start < 20

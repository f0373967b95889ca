"""What changed, in sections: manifests by field, code by passage, facts that came and went."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from pratique.model.difference import ReleaseDifference
from pratique.releases import examine as module
from pratique.releases.examine import Remembered, examine
from pratique.releases.review import MOST_PASSAGES, manifest_entries, reviewed
from tests.unit.releases.opened import InMemory, fact, release, stated


@pytest.fixture(autouse=True)
def _extractor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "facts_of_file", stated)


def between(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> ReleaseDifference:
    before, after = release(old), release(new)
    memory = Remembered()
    forth = examine(after, before, memory, sources=())
    back = examine(before, after, memory, sources=())
    return reviewed(after, before, forth, back, "patch", generated="2026-01-01T00:00:00Z", command=("diff",))


def test_fields_of_manifests_that_differ() -> None:
    old = {"version": "1.0.0", "scripts": {"test": "t"}, "dependencies": {"a": "1"}, "devDependencies": {"z": "1"}}
    new = {"version": "1.0.1", "scripts": {"postinstall": "node x"}, "dependencies": {"a": "2"}, "files": ["lib"]}
    entries = list(
        manifest_entries(
            InMemory({"package.json": json.dumps(old).encode()}), InMemory({"package.json": json.dumps(new).encode()})
        )
    )
    assert [(entry.field, entry.before, entry.after) for entry in entries] == [
        ("version", "1.0.0", "1.0.1"),
        ("scripts.postinstall", None, "node x"),
        ("scripts.test", "t", None),
        ("dependencies.a", "1", "2"),
        ("files", None, '["lib"]'),
        ("devDependencies.z", "1", None),
    ]


def test_manifests_of_python_and_those_that_cannot_be_read() -> None:
    old = InMemory(
        {"sample-1.dist-info/METADATA": b"Name: sample\nRequires-Dist: a\n", "pyproject.toml": b"[a]\nb = 1\n"}
    )
    new = InMemory(
        {"sample-2.dist-info/METADATA": b"Name: sample\nRequires-Dist: b\nRequires-Dist: a\n", "pyproject.toml": b"[["}
    )
    assert [(entry.path, entry.field, entry.before, entry.after) for entry in manifest_entries(old, new)] == [
        ("pyproject.toml", "(whole)", None, "is no TOML"),
        ("pyproject.toml", "a.b", "1", None),
        ("sample-2.dist-info/METADATA", "Requires-Dist", "a", "a\nb"),
    ]
    nested = InMemory({"package.json": b"[" * 100_000})
    assert [entry.after for entry in manifest_entries(InMemory({}), nested)] == ["is no JSON"]


def test_facts_that_came_and_that_went() -> None:
    sends, reads = fact("capability.network", api="fetch"), fact("capability.file-read", api="open")
    told = between({"a.js": sends, "b.js": b"x\n"}, {"a.js": reads, "b.js": b"x\n"})
    assert [(one.kind, one.delta) for one in told.capabilities] == [
        ("capability.file-read", "added"),
        ("capability.network", "removed"),
    ]
    assert (told.before.files, told.kept_files) == (2, 1)


def test_code_that_does_something_new_is_shown_first_and_repeats_are_counted() -> None:
    old = {"a.js": b"one\n", "z.js": b"one\n", "dist/a.js": b"one\n", "b.node": b"\x7fELF", "i.js.map": b"{}"}
    line = b"const value = compute(1)\n"
    new = {
        "a.js": b"one\n" + line,
        "z.js": b"one\n" + fact("capability.network", api="fetch"),
        "dist/a.js": b"one\n" + line,
        "b.node": b"\x7fELF\x01",
        "i.js.map": b"{ }",
    }
    told = between(old, new)
    assert [one.path for one in told.code] == ["z.js", "a.js", "dist/a.js"]
    assert [passage.text for passage in told.code[1].added] == ["const value = compute(1)"]
    assert told.code[1].added[0].line == 2
    assert (told.code[2].added, told.code[2].repeated) == ((), 1)


def test_what_is_past_the_bounds_is_counted() -> None:
    old = "\n".join(f"line {number}" for number in range(400))
    new = "\n".join(f"line {number}\nadded {number}" for number in range(400))
    (one,) = between({"a.js": old.encode()}, {"a.js": new.encode()}).code
    assert len(one.added) == MOST_PASSAGES
    assert one.left_out == 400 - MOST_PASSAGES
    (one,) = between({"a.js": b"one\ntwo\n"}, {"a.js": b"one\n"}).code
    assert [passage.text for passage in one.removed] == ["two"]

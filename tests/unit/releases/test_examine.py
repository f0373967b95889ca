"""What changed is read for facts, what is kept only where that tells something; every gap is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from pratique.model.observation import Refusal
from pratique.model.release import Examination, Fact, Release
from pratique.releases import examine as module
from pratique.releases.examine import Budget, Remembered, examine
from tests.unit.releases.opened import InMemory, fact, relative, release, stated

MANIFEST = b'{"name": "sample", "version": "1.0.0", "main": "index.js"}'
SENDS = fact("capability.network", api="https.request", sends=True, destination="collect.example")
READS = fact("capability.credential-read", place=".npmrc")


@pytest.fixture(autouse=True)
def _extractor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "facts_of_file", stated)


def examined(new: Mapping[str, bytes], old: Mapping[str, bytes] | None = None, **more: object) -> Examination:
    return examine(
        release(new),
        release(old) if old is not None else None,
        Remembered(),
        sources=(),
        **more,  # type: ignore[arg-type]  # a budget and a clock as they are given
    )


def found(examination: Examination, kind: str) -> list[Fact]:
    return [one for one in examination.facts if one.kind == kind]


def test_a_fact_that_the_predecessor_has_is_kept_wherever_its_line_went() -> None:
    before = {"package.json": MANIFEST, "index.js": SENDS}
    after = {"package.json": MANIFEST, "index.js": b"// more\n" * 9 + SENDS + READS}
    result = examined(after, before)
    assert [one.delta for one in found(result, "capability.network")] == ["kept"]
    (added,) = found(result, "capability.credential-read")
    assert (added.delta, added.line) == ("added", 11)
    assert added.attributes["new_file"] is False
    assert added.attributes["new_in_package"] is True
    assert added.attributes["reach"] == "import"


def test_a_second_fact_of_the_same_words_is_added() -> None:
    result = examined({"index.js": SENDS * 2}, {"index.js": SENDS})
    assert sorted(one.delta for one in found(result, "capability.network")) == ["added", "kept"]
    assert all(one.attributes.get("new_in_package") is not True for one in found(result, "capability.network"))


def test_code_that_moved_to_another_file_is_not_added() -> None:
    result = examined({"lib/b.js": b"// moved\n" + SENDS}, {"lib/a.js": SENDS})
    assert [one.delta for one in found(result, "capability.network")] == ["kept"]
    result = examined({"lib/b.js": SENDS}, {"lib/a.js": SENDS})
    assert [change.change for change in result.changes] == ["moved"]
    assert not [one for one in result.facts if one.delta == "added"]


def test_without_a_predecessor_nothing_is_said_to_be_added() -> None:
    result = examined({"index.js": SENDS, "package.json": MANIFEST})
    (only,) = found(result, "capability.network")
    assert only.delta == "unknown"
    assert only.attributes["reach"] == "import"
    assert "new_file" not in only.attributes
    assert not found(result, "difference.size")
    assert [change.change for change in result.changes] == ["added", "added"]


def test_kept_files_are_read_for_facts_only_where_these_tell_something() -> None:
    quiet = {f"lib/{number}.js": b"quiet text\n" for number in range(5)}
    before = {**quiet, "lib/sends.js": SENDS, "index.js": b""}
    new = release({**before, "index.js": READS})
    old = release(before)
    memory = Remembered()
    result = examine(new, old, memory, sources=())
    (added,) = found(result, "capability.credential-read")
    assert added.attributes["new_in_package"] is True
    assert [one.delta for one in found(result, "capability.network")] == ["kept"]
    assert result.examined.read_files == 2, "the file that changed, and the one that may send"
    assert (result.examined.files, result.examined.kept_files) == (7, 6)
    assert isinstance(new.files, InMemory)
    new.files.asked.clear()
    again = examine(new, old, memory, sources=())
    assert again.facts == result.facts
    assert again.examined.read_files == 2


def test_a_capability_that_a_kept_file_has_is_not_new_in_the_package() -> None:
    before = {"lib/sends.js": SENDS, "index.js": b""}
    result = examined({**before, "index.js": SENDS}, before)
    (added,) = [one for one in found(result, "capability.network") if one.delta == "added"]
    assert added.attributes["new_in_package"] is False


def test_where_kept_files_are_past_the_budget_newness_is_not_claimed() -> None:
    before = {"lib/sends.js": SENDS, "index.js": b""}
    result = examined({**before, "index.js": SENDS}, before, budget=Budget(kept_bytes=3))
    (added,) = found(result, "capability.network")
    assert "new_in_package" not in added.attributes
    assert any("kept files were not read" in one.reason for one in result.refusals)


def test_a_chain_over_files_is_told_where_imports_join_them_and_a_link_was_added() -> None:
    before = {"package.json": MANIFEST, "index.js": relative("./lib/send"), "lib/send.js": SENDS}
    after = {**before, "index.js": relative("./lib/send") + relative("./lib/read"), "lib/read.js": READS}
    (chain,) = found(examined(after, before), "chain.secret-to-network")
    assert chain.path == "lib/read.js"
    assert chain.delta == "added"
    assert chain.attributes["within"] == "package"
    assert chain.attributes["steps"] == "credential-read, network"
    assert chain.attributes["lines"] == "lib/read.js:1, lib/send.js:1"
    assert chain.attributes["destination"] == "collect.example"
    assert chain.attributes["reach"] == "import"
    apart = {**after, "index.js": relative("./lib/send")}
    assert not found(examined(apart, before), "chain.secret-to-network")
    assert not found(examined({**after, "readme": b"x"}, after), "chain.secret-to-network")


def test_a_file_that_node_runs_is_read_as_javascript_whatever_its_name() -> None:
    after = {
        "package.json": b'{"scripts": {"postinstall": "node ./setup.dat"}}',
        "setup.dat": relative("./more.txt") + SENDS,
        "more.txt": READS,
    }
    trigger = Fact(
        "trigger.lifecycle", "package.json", attributes={"event": "postinstall", "command": "node ./setup.dat"}
    )

    def source(new: Release, old: Release | None, files: Mapping[str, tuple[Fact, ...]]) -> Iterator[Fact | Refusal]:
        del new, old
        assert set(files) <= set(after)
        yield trigger
        yield Refusal("package.json", "source", "could not be read", True)

    result = examine(release(after), None, Remembered(), sources=(source,))
    (sends,) = found(result, "capability.network")
    assert sends.attributes["reach"] == "lifecycle"
    assert trigger in result.facts
    assert any(one.reader == "source" for one in result.refusals)


def test_gaps_are_told() -> None:
    gap = Refusal("a.js", "release", "is damaged", True)
    new = release({"index.js": b"REFUSE too deep\n", "bad.js": b"RAISE\n", "large.js": b"x" * 99}, refusals=(gap,))
    old = release({"index.js": b""}, refusals=(gap,))
    result = examine(new, old, Remembered(), sources=(), budget=Budget(file_bytes=50))
    told = {(one.path, one.reader, one.relevant): one.reason for one in result.refusals}
    assert told["a.js", "release", True] == "is damaged"
    assert told["a.js", "release", False] == "of the predecessor: is damaged"
    assert told["index.js", "stated", True] == "too deep"
    assert "extractor failed (ValueError)" in told["bad.js", "examine", True]
    assert "it was not examined" in told["large.js", "examine", True]


def test_budgets_of_bytes_and_time_are_told() -> None:
    files = {f"{number}.js": b"x" * 10 for number in range(4)}
    result = examined(files, {}, budget=Budget(changed_bytes=25))
    assert [one.path for one in result.refusals] == ["2.js", "3.js"]
    ticks = iter(range(100))
    result = examined(files, {}, budget=Budget(seconds=2), clock=lambda: float(next(ticks)))
    assert [one.path for one in result.refusals] == ["2.js", "3.js"]
    assert "2 seconds" in result.refusals[0].reason or "2.0 seconds" in result.refusals[0].reason


def test_the_size_of_the_change_and_the_files_that_matter_are_facts() -> None:
    before = {"index.js": b"one\ntwo\n", "gone.sh": b"#!/bin/sh\n", "notes.md": b"text\n"}
    after = {"index.js": b"one\nthree\nfour\n", "native.node": b"\x7fELF\x01", "notes.md": b"other\n"}
    result = examined(after, before)
    (size,) = found(result, "difference.size")
    assert size.attributes == {
        "files_added": 1,
        "files_removed": 1,
        "files_changed": 2,
        "added_lines": 3,
        "removed_lines": 3,
        "bytes_before": 23,
        "bytes_after": 26,
    }
    told = {one.path: (one.delta, one.attributes["kind"]) for one in found(result, "difference.file")}
    assert told == {
        "index.js": ("changed", "javascript"),
        "gone.sh": ("removed", "shell"),
        "native.node": ("added", "native"),
    }


def test_a_large_file_that_is_no_text_is_read_and_a_large_text_is_told() -> None:
    native = b"\x7fELF" + bytes(200) + b"\n" + SENDS
    result = examined({"a.node": native, "b.js": b"x" * 200}, {"a.node": b"\x7fELF"}, budget=Budget(file_bytes=100))
    assert [one.delta for one in found(result, "capability.network")] == ["added"]
    assert [(one.path, one.relevant) for one in result.refusals] == [("b.js", True)]
    assert {change.path: change.kind for change in result.changes} == {"a.node": "native", "b.js": "javascript"}
    result = examined({"a.node": native}, {}, budget=Budget(file_bytes=10, passive_bytes=20))
    assert [(one.path, one.relevant) for one in result.refusals] == [("a.node", True)]


def test_where_only_imports_matter_the_predecessor_is_looked_at_cheaply() -> None:
    before = {"index.js": relative("./a") + relative("./b"), "a.js": b"", "b.js": b"", "c.js": b""}
    after = {**before, "index.js": relative("./b") + relative("./c") + relative("./a")}
    result = examined(after, before)
    assert {str(one.attributes["module"]): one.delta for one in found(result, "import.module")} == {
        "./a": "kept",
        "./b": "kept",
        "./c": "added",
    }
    assert result.examined.read_files == 1


def test_a_kept_file_that_a_new_script_starts_is_read() -> None:
    before = {"package.json": MANIFEST, "index.js": b"", "sleeping.js": SENDS, "other.js": READS}
    hook = b'{"name": "sample", "main": "index.js", "scripts": {"postinstall": "node sleeping.js"}}'
    result = examined({**before, "package.json": hook}, before)
    (only,) = found(result, "capability.network")
    assert (only.path, only.delta, only.attributes["reach"]) == ("sleeping.js", "kept", "lifecycle")
    assert not found(result, "capability.credential-read")
    result = examined({**before, "package.json": hook}, before, budget=Budget(kept_bytes=3))
    assert ("sleeping.js", True) in [(one.path, one.relevant) for one in result.refusals]

"""A release against the source that it is said to be made from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.observation import Refusal
from pratique.model.release import Fact
from pratique.releases import against_source
from pratique.releases.vocabulary import WORDS
from tests.unit.releases.made import MadeFiles, release


def told(new: dict[str, str], there: dict[str, str], **more: Any) -> list[tuple[str, str, int, dict[str, Any]]]:
    made = MadeFiles({path: text.encode() for path, text in there.items()})
    return [
        (one.kind, one.path, one.line, dict(one.attributes))
        for one in against_source.facts(release(None, new), made, **more)
        if isinstance(one, Fact)
    ]


def test_the_same_files_give_nothing_whatever_ends_their_lines() -> None:
    files = {"index.js": "a\nb\n", "lib/x.py": "1", "README.md": "x", "pkg.dist-info/METADATA": "y"}
    assert told({**files, "index.js": "a\r\nb"}, {"index.js": "a\nb\n", "lib/x.py": "1"}) == []


def test_lines_that_the_source_has_not() -> None:
    found = told({"index.js": "a\nevil()\nb\nmore\n"}, {"index.js": "b\na\n"})
    assert found == [("source.differs", "index.js", 2, {"form": "tag-lines", "lines": 2})]


@pytest.mark.parametrize(
    ("path", "there", "form"),
    [
        ("setup.js", "index.js", "unknown"),
        ("dist/index.js", "src/index.ts", "compiled"),
        ("dist/all.js", "src/index.ts", "built"),
        ("a.min.js", "other.js", "built"),
        ("types.d.ts", "types.js", "compiled"),
        ("harbour/extra.py", "harbour/__init__.py", "unknown"),
    ],
)
def test_files_that_the_source_has_not(path: str, there: str, form: str) -> None:
    assert told({path: "x"}, {there: "x"}) == [("source.missing", path, 0, {"form": form})]
    assert told({path: "x"}, {there: "x"}, of="rebuild") == [("source.missing", path, 0, {"form": "rebuild"})]


def test_a_package_in_a_folder_of_its_repository() -> None:
    there = {"packages/harbour/index.js": "a", "index.js": "b"}
    assert told({"index.js": "a"}, there, folder="packages/harbour") == []
    assert told({"harbour/x.py": "a"}, {"src/harbour/x.py": "a"}) == []


def test_manifests_are_compared_by_field() -> None:
    new = {
        "version": "1.0.1",
        "gitHead": "x",
        "scripts": {"a": "1", "postinstall": "2"},
        "dependencies": {"a": "1", "b": "2"},
    }
    old = {"version": "0.0.0", "scripts": {"a": "1"}, "dependencies": {"a": "workspace:*"}, "private": True}
    found = told({"package.json": json.dumps(new)}, {"package.json": json.dumps(old)})
    assert found == [
        (
            "source.differs",
            "package.json",
            0,
            {"form": "tag-manifest", "lines": 2, "fields": "scripts.postinstall, dependencies.b"},
        )
    ]


def test_the_delta_is_that_of_the_file() -> None:
    new = release(None, {"a.js": "1", "b.js": "1", "c.js": "1"})
    old = release(None, {"a.js": "1", "b.js": "2"})
    listed = [one for one in against_source.facts(new, MadeFiles({}), old) if isinstance(one, Fact)]
    assert {one.path: one.delta for one in listed} == {"a.js": "kept", "b.js": "changed", "c.js": "added"}


def test_what_is_too_large_is_refused() -> None:
    large = "x" * (against_source.LARGEST + 1)
    listed = list(against_source.facts(release(None, {"a.js": large}), MadeFiles({"a.js": b"y"})))
    assert [(one.path, type(one)) for one in listed] == [("a.js", Refusal)]


NAMES = st.sampled_from(["a.js", "package.json", "dist/a.js", "src/a.ts", "a.py", "run"])


@given(st.dictionaries(NAMES, st.binary(max_size=60)), st.dictionaries(NAMES, st.binary(max_size=60)))
def test_any_bytes_are_compared(new: dict[str, bytes], there: dict[str, bytes]) -> None:
    for one in against_source.facts(release(None, new), MadeFiles(there)):
        assert isinstance(one, Fact)
        assert set(one.attributes) <= set(WORDS[one.kind][1])
    assert list(against_source.facts(release(None, new), MadeFiles(new))) == []

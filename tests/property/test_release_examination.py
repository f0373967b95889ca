"""Any files give an examination: facts and refusals that can be written down, the same each time, in bounded time."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.model.difference import ReleaseDifference
from pratique.model.release import Examination, RegistryRecord, Release
from pratique.releases.examine import Budget, Remembered, examine
from pratique.releases.review import reviewed
from pratique.targets.release import open_bytes
from tests.standins.archives import npm, wheel

pytest.importorskip("tree_sitter")

_NAMES = (
    "index.js",
    "lib/a.js",
    "setup.py",
    "a/__init__.py",
    "run",
    "x.pth",
    "binding.gyp",
    "a.d.ts",
    "b.node",
    "c.min.js",
)
_TEXT = st.lists(
    st.sampled_from(
        [
            *(
                "require('./lib/a')",
                "import x from './a'",
                "fetch('https://a.example', process.env)",
                "import os",
                "exec(x)",
            ),
            *(
                "{",
                "}",
                "(",
                "'",
                '"',
                "`",
                "${",
                "/*",
                "\\u202e",
                "\ufeff",
                "\u202e",
                "import_module('.b')",
                "\n",
                " " * 50,
            ),
            *('{"scripts": {"install": "node run"}, "main": 7}', '{"bin": ["run"]}', "from . import (a,", "A" * 300),
        ]
    ),
    max_size=8,
).map(lambda parts: "".join(parts).encode())
_CONTENT = st.one_of(_TEXT, st.binary(max_size=200))
_FILES = st.dictionaries(st.sampled_from((*_NAMES, "package.json")), _CONTENT, max_size=6)


@contextlib.contextmanager
def opened(files: dict[str, bytes], ecosystem: str) -> Iterator[Release]:
    """A release that holds these files, open as long as it is examined."""
    build = npm if ecosystem == "npm" else wheel
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = build(list(files.items()))
    purl = "pkg:npm/a@1" if ecosystem == "npm" else "pkg:pypi/a@1"
    with open_bytes(content, where="given", hint="tarball" if ecosystem == "npm" else "wheel") as found:
        yield Release(purl, "npm" if ecosystem == "npm" else "PyPI", "a", "1", found, RegistryRecord(), "given")


@settings(max_examples=60, deadline=5000)
@given(_FILES, st.one_of(st.none(), _FILES), st.sampled_from(["npm", "PyPI"]))
def test_any_files_give_an_examination(new: dict[str, bytes], old: dict[str, bytes] | None, ecosystem: str) -> None:
    with contextlib.ExitStack() as stack:
        after = stack.enter_context(opened(new, ecosystem))
        before = stack.enter_context(opened(old, ecosystem)) if old is not None else None
        memory = Remembered()
        first = examine(after, before, memory)
        assert msgspec.json.decode(msgspec.json.encode(first), type=Examination) == first
        assert examine(after, before, Remembered()) == first
        again = examine(after, before, memory)
        assert (again.facts, again.refusals) == (first.facts, first.refusals)
        assert first.examined.files == len(after.files.members)
        for fact in first.facts:
            assert len(fact.excerpt) <= 200
            assert fact.delta == "unknown" or before is not None
        if old == new:
            assert not [
                one for one in first.facts if one.delta in ("added", "changed") and one.path in after.files.members
            ]
            assert first.changes == ()
        if before is not None:
            back = examine(before, after, memory)
            told = reviewed(after, before, first, back, "patch", generated="", command=())
            assert msgspec.json.decode(msgspec.json.encode(told), type=ReleaseDifference) == told


@settings(max_examples=30)
@given(_FILES, st.integers(0, 300), st.integers(0, 300))
def test_past_any_budget_files_are_told(files: dict[str, bytes], one: int, every: int) -> None:
    budget = Budget(file_bytes=one, passive_bytes=one, changed_bytes=every, kept_bytes=one)
    with opened(files, "npm") as release:
        result = examine(release, None, Remembered(), budget=budget, sources=())
        told = {refusal.path for refusal in result.refusals if refusal.reader == "examine"}
        left = every
        for path, member in sorted(release.files.members.items()):
            if member.size > left:
                assert path in told
                continue
            left -= member.size
            assert (path in told) == (member.size > one)

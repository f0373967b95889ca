"""The replicas are inert, dated, described whole, and built the same everywhere."""

from __future__ import annotations

import datetime
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from evals import archives, lint, shapes
from evals.build import DIGESTS, _text, build, over_all
from evals.describe import REPLICAS, load_all, split_of
from tests.integration.examine import everything

ALL = load_all()
OWN = {name: one for name, one in ALL.items() if not any(package.base for package in one.package)}
"""Replicas that need no archive of a real package."""
MUST = ("axios", "mastra", "event-stream", "ua-parser-js", "shai-hulud")


def test_nothing_is_wrong_with_them() -> None:
    assert list(lint.complaints()) == []


def test_there_are_enough_of_every_class_and_split() -> None:
    bad = [one for one in ALL.values() if one.kind != "N"]
    assert len(bad) >= 40
    assert len(ALL) - len(bad) >= 12
    assert set(Counter(one.kind for one in ALL.values())) == {"A", "B", "C", "D", "E", "N"}
    assert {one.evades for one in bad if one.kind == "E"} == {"A", "B", "C", "D"}
    assert {one.split for one in bad} == {"develop", "validate", "test"}
    assert {one.ecosystem for one in bad} == {"npm", "PyPI"}


def test_families_that_must_be_blocked_are_marked() -> None:
    assert {one.family for one in ALL.values() if one.must} == set(MUST)
    assert [name for name, one in ALL.items() if one.family in MUST and one.kind in "AB" and not one.must] == []


@pytest.mark.parametrize(
    ("date", "split"),
    [
        (datetime.date(2025, 8, 31), "develop"),
        (datetime.date(2025, 9, 1), "validate"),
        (datetime.date(2026, 3, 31), "validate"),
        (datetime.date(2026, 4, 1), "test"),
    ],
)
def test_splits_are_dated(date: datetime.date, split: str) -> None:
    assert split_of(date) == split


def test_no_indicator_of_an_incident_is_in_them() -> None:
    found = set()
    for incident in everything().incidents:
        for indicator in incident.indicators:
            value = re.sub(r"\[(\.|:|://)\]", r"\1", indicator.value).removeprefix("sha256:").removeprefix("sha1:")
            if indicator.type in ("domain", "ip", "url", "file-hash") and len(value) > 6:
                found.add(value.lower())
    assert len(found) > 30
    public = re.compile(r"^(?:https?://)?(?:[a-z.]*)(?:github|google|discord|slack|telegram|169\.254\.169\.254)")
    text = "\n".join(path.read_text("utf-8") for path in REPLICAS.rglob("*") if path.is_file()).lower()
    assert [item for item in sorted(found) if item in text and not public.match(item)] == []


def test_digests_stand_for_all_and_are_in_the_documentation() -> None:
    known = json.loads(DIGESTS.read_text("utf-8"))
    assert known.keys() == ALL.keys()
    page = (REPLICAS.parents[1] / "docs/reference/evaluation.md").read_text("utf-8")
    assert over_all(known) in page


@pytest.mark.parametrize("name", sorted(OWN))
def test_built_as_it_was_committed(name: str, tmp_path: Path) -> None:
    known = json.loads(DIGESTS.read_text("utf-8"))
    assert build(OWN[name], REPLICAS / name, tmp_path / "none", tmp_path / name) == known[name]


@pytest.mark.parametrize("name", sorted(name for name, one in ALL.items() if one.kind != "N"))
def test_shaped_scripts_still_end_at_once(name: str) -> None:
    for package in ALL[name].package:
        for write in package.write:
            content = _text(REPLICAS / name, write)
            source = (REPLICAS / name / "files" / write.text).read_bytes()
            if source.startswith(shapes.GUARDS["js"].encode()) and not {"xor", "png", "wasm"} & {
                step.partition(":")[0] for step in write.steps
            }:
                assert content.startswith(shapes.GUARDS["js"].encode()), write.path


def test_lint_sees_what_is_wrong(tmp_path: Path) -> None:
    name = "c-environment-npm"
    shutil.copytree(REPLICAS / name, tmp_path / name)
    script = tmp_path / name / "files" / "send.js"
    script.write_text(script.read_text().replace(shapes.GUARDS["js"] + "\n", "").replace(".invalid", ".org"))
    recipe = tmp_path / name / "replica.toml"
    recipe.write_text(recipe.read_text().replace('split = "develop"', 'split = "test"'))
    (tmp_path / name / "files" / "more.js").write_text(
        f"{shapes.GUARDS['js']}\nfetch(atob('aHR0cHM6Ly9ldmlsLmhvc3Qub3JnL3g='));\n"
    )
    told = "\n".join(lint.complaints(tmp_path))
    assert "does not start with the statement that ends it" in told
    assert "collect.replica.org" in told
    assert "evil.host.org" in told
    assert "belongs to develop" in told
    assert "more.js is not used" in told


def test_archives_are_the_same_twice(tmp_path: Path) -> None:
    files = {"b.js": b"2", "a/c.js": b"1"}
    assert archives.tarball(files, "package") == archives.tarball(dict(reversed(files.items())), "package")
    assert archives.wheel(files, "x-1.dist-info") == archives.wheel(dict(reversed(files.items())), "x-1.dist-info")
    place = tmp_path / "one.tgz"
    place.write_bytes(archives.tarball(files, "package"))
    assert archives.opened(place) == files


def test_steps_can_be_undone() -> None:
    import base64
    import zlib

    text = b"inert replica, \xc3\xa4 text"
    assert base64.b64decode(shapes.shaped(text, ("reverse", "base64")))[::-1] == text
    assert shapes.shaped(shapes.shaped(text, ("xor:key",)), ("xor:key",)) == text
    assert zlib.decompress(shapes.shaped(text, ("stored",))) == text
    hidden = shapes.shaped(text, ("selectors",)).decode()
    assert bytes(ord(one) - 0xFE00 if ord(one) < 0xFE10 else ord(one) - 0xE0100 + 16 for one in hidden) == text
    assert shapes.shaped(text, ("png",)).endswith(text)
    assert text in shapes.shaped(text, ("wasm",))
    assert shapes.shaped(text, ("wasm",)).startswith(b"\0asm\1\0\0\0")
    with pytest.raises(KeyError):
        shapes.shaped(text, ("nothing-like-it",))

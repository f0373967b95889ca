"""Every format that a reader claims, damaged in every way: a sighting or a refusal that shows, never silence."""

from __future__ import annotations

import functools
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pratique import api
from tests.integration.examine import FORMATS, QUICK_FORMATS, TODAY, Sample, axios, examined, samples, visible

NAMES = sorted(samples())
SETTINGS = frozenset({"pnpm-workspace", "bundle-statistics", "action", "gitlab-ci"})
"""Settings and statistics that may say nothing: an empty one is whole. So is a mapping about something else."""
LOSSLESS = frozenset({"shell-history", "npm-debug-log", "deno-state", "bundle"})
"""Logs and histories end anywhere, deno's marks say all by their names, and nothing tells that JavaScript was cut."""

Damage = Callable[[bytes], bytes]


def part(share: float) -> Damage:
    return lambda data: data[: int(len(data) * share)]


def inserted(what: bytes, share: float = 0.5) -> Damage:
    return lambda data: data[: int(len(data) * share)] + what + data[int(len(data) * share) :]


def flipped(data: bytes) -> bytes:
    changed = bytearray(data)
    source = random.Random(len(data))
    for _ in range(max(len(data) // 100, 1)):
        if changed:
            changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
    return bytes(changed)


CUTS: dict[str, Damage] = {
    "empty": part(0),
    "one-byte": lambda data: data[:1],
    "tenth": part(0.1),
    "quarter": part(0.25),
    "third": part(0.33),
    "half": part(0.5),
    "three-quarters": part(0.75),
    "nine-tenths": part(0.9),
    "second-half": lambda data: data[len(data) // 2 :],
    "zeros": lambda data: b"\0" * len(data),
    "zeros-in-second-half": lambda data: data[: len(data) // 2] + b"\0" * (len(data) - len(data) // 2),
}
"""What a crash, a full disk or an interrupted copy leaves."""

CHANGES: dict[str, Damage] = {
    "byte-order-mark": lambda data: b"\xef\xbb\xbf" + data,
    "carriage-returns": lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "invalid-utf-8": inserted(b"\xff\xfe\xc3\x28"),
    "zero-byte": inserted(b"\0"),
    "twice": lambda data: data + data,
    "conflict": inserted(b"\n<<<<<<< ours\n=======\n>>>>>>> theirs\n"),
    "gzip": gzip.compress,
    "flipped-bits": flipped,
}


def utf_16(codec: str) -> Damage:
    def encode(data: bytes) -> bytes:
        try:
            return data.decode("utf-8").encode(codec)
        except UnicodeDecodeError:
            return data

    return encode


CHANGES |= {
    "utf-16": utf_16("utf-16"),
    "utf-16-little-without-mark": utf_16("utf-16-le"),
    "utf-16-big-without-mark": utf_16("utf-16-be"),
}

DEEP = 100_000
JUNK: dict[str, bytes] = {
    "null": b"null",
    "number": b"0",
    "text": b'"axios"',
    "list": b"[]",
    "object": b"{}",
    "spaces": b" \n\t\n",
    "deep-lists": b"[" * DEEP,
    "deep-closed-lists": b"[" * DEEP + b"]" * DEEP,
    "deep-objects": b'{"packages":' * DEEP + b"1" + b"}" * DEEP,
    "deep-dependencies": b'{"lockfileVersion":1,"dependencies":'
    + b'{"axios":{"version":"1.14.1","dependencies":' * DEEP
    + b"{}"
    + b"}}" * DEEP
    + b"}",
    "deep-flow": b"a: " + b"{a: " * DEEP,
    "deep-dashes": b"- " * DEEP,
    "deep-indent": b"\n".join(b" " * depth + b"a:" for depth in range(1500)),
    "aliases": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 118)),
    "tags": b"!!python/object/apply:os.system ['echo axios']\n",
    "huge-number": b'{"lockfileVersion": ' + b"9" * 10_000 + b"}",
    "lone-surrogate": b'{"packages": {"node_modules/axios": {"version": "1.14.1", "resolved": "\\ud800", "integrity": "\\udfff"}, '
    b'"node_modules/\\ud800/node_modules/axios": {"version": "1.14.1"}}}',
    "one-long-line": b"x" * 4_000_000,
    "many-short-lines": b"a\n" * 500_000,
    "many-quotes": b'"' * 500_000,
    "wrong-types": json.dumps(
        {
            "lockfileVersion": {},
            "packages": [1, {"axios": 7}],
            "dependencies": "axios",
            "npm": {"axios@1.14.1": 3},
            "name": ["axios"],
            "version": {},
            "key": 5,
        }
    ).encode(),
    "gzip-magic": b"\x1f\x8b\x08\x00" + b"\xff" * 100,
    "zip-magic": b"PK\x03\x04" + b"\xff" * 100,
    "sqlite-magic": b"SQLite format 3\0" + b"\xff" * 200,
    "bun-magic": b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n" + b"\xff" * 200,
}


def bad_samples(name: str, most: int = 3) -> list[Sample]:
    """The smallest samples of a reader in which something is seen, whole, of different names."""
    found: list[Sample] = []
    for sample in samples()[name]:
        if "truncated" in sample.case.name or "conflict" in sample.case.name:
            continue
        if sample.path.name in [other.path.name for other in found] and len(found) >= most - 1:
            continue
        expectation = sample.case / "expected.json"
        expected = expectation.read_text(encoding="utf-8") if expectation.is_file() else ""
        if '"4.2.1"' in expected or '"1.14.1"' in expected:
            found.append(sample)
        if len(found) == most:
            break
    return found


BAD = [(name, sample) for name in NAMES for sample in bad_samples(name)]
BAD_IDS = [sample.id for _, sample in BAD]


def whole(sample: Sample, folder: Path) -> int:
    """The exit code of the undamaged file."""
    sample.lay(folder)
    return examined(folder).exit_code


@pytest.mark.parametrize(("name", "sample"), BAD, ids=BAD_IDS)
def test_cut_file_is_a_sighting_or_a_relevant_refusal(name: str, sample: Sample, tmp_path: Path) -> None:
    if whole(sample, tmp_path / "whole") < 10 or name in LOSSLESS:
        pytest.skip("nothing is seen in this file when it is whole, or nothing tells that it was cut")
    silent = []
    for label, damage in CUTS.items():
        damaged = damage(sample.data)
        sample.lay(tmp_path / label, damaged)
        report = examined(tmp_path / label)
        if report.exit_code not in (4, 10, 11) and damaged != sample.data:
            silent.append((label, report.exit_code, visible(report)))
    assert silent == []


@pytest.mark.parametrize(("name", "sample"), BAD, ids=BAD_IDS)
def test_changed_file_is_a_sighting_or_a_relevant_refusal(name: str, sample: Sample, tmp_path: Path) -> None:
    if whole(sample, tmp_path / "whole") < 10:
        pytest.skip("nothing is seen in this file when it is whole")
    silent = []
    for label, change in CHANGES.items():
        if label == "flipped-bits" and name == "bundle":
            continue  # plain text without a form: nothing tells that a letter of it is another
        sample.lay(tmp_path / label, change(sample.data))
        report = examined(tmp_path / label, formats=FORMATS if label == "flipped-bits" else QUICK_FORMATS)
        if report.exit_code not in (4, 10, 11) and not (name in LOSSLESS and visible(report)):
            silent.append((label, report.exit_code, visible(report)))
    assert silent == []


@functools.cache
def actions() -> api.Selection:
    """An incident of GitHub Actions: a file keeps the incidents of its own world open."""
    return api.select(incidents=["tj-actions-2025-03-14"], today=TODAY)


@pytest.mark.parametrize("name", NAMES)
def test_junk_is_told_and_ends_in_time(name: str, tmp_path: Path) -> None:
    """Whatever stands at a claimed place: no exception, no hang; where refusals are relevant, never a plain 0."""
    sample = samples()[name][0]
    asked = actions() if sample.reader.ecosystem == "GitHub Actions" else axios()
    silent = []
    for label, junk in JUNK.items():
        sample.lay(tmp_path / label, junk)
        formats = FORMATS if label == "lone-surrogate" else QUICK_FORMATS
        report = examined(tmp_path / label, asked, formats=formats)
        if (
            report.exit_code not in (4, 10, 11)
            and sample.reader.relevance == "always"
            and name not in LOSSLESS | SETTINGS
        ):
            silent.append((label, report.exit_code, visible(report)))
    assert silent == []


ESCAPES = {"axios": "\\u0061xios", "plain-crypto-js": "pl\\u0061in-crypto-js"}


def escaped(sample: Sample) -> bytes | None:
    """The same JSON or quoted YAML with the listed names written as escapes; None for formats without such."""
    try:
        text = sample.data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    out = text
    for name, escape in ESCAPES.items():
        for before in ('"', "/", ">", "npm:"):
            out = out.replace(f"{before}{name}", f"{before}{escape}")
    quoted = out.count("\\u0061")
    return out.encode() if quoted else None


def is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


JSON_BAD = [(name, sample) for name, sample in BAD if is_json(sample.data)]
JSON_IDS = [sample.id for _, sample in JSON_BAD]


def test_there_are_json_formats() -> None:
    assert {"package-lock", "hidden-lockfile", "deno-lock", "yarn-cache-metadata"} <= {name for name, _ in JSON_BAD}


@pytest.mark.parametrize(("name", "sample"), JSON_BAD, ids=JSON_IDS)
def test_names_in_escapes_are_the_same_names(name: str, sample: Sample, tmp_path: Path) -> None:
    before = whole(sample, tmp_path / "whole")
    changed = escaped(sample)
    assert changed is not None
    assert json.loads(changed) == json.loads(sample.data)
    sample.lay(tmp_path / "escaped", changed)
    assert examined(tmp_path / "escaped").exit_code == before


def both(first: bytes, second: bytes) -> bytes:
    """One JSON object with the keys of two, those of the second after those of the first."""
    return first.strip()[:-1].rstrip() + b"," + second.strip()[1:]


@pytest.mark.parametrize(("name", "sample"), JSON_BAD, ids=JSON_IDS)
def test_a_key_that_stands_twice_hides_nothing(name: str, sample: Sample, tmp_path: Path) -> None:
    """Readers of JSON take the last value of a key: a good one after the bad one must not make it vanish."""
    if whole(sample, tmp_path / "whole") < 10:
        pytest.skip("nothing is seen in this file when it is whole")
    good = sample.data.replace(b"1.14.1", b"1.14.0").replace(b"4.2.1", b"4.2.3")
    for label, data in (("good-last", both(sample.data, good)), ("bad-last", both(good, sample.data))):
        sample.lay(tmp_path / label, data)
        report = examined(tmp_path / label)
        assert report.exit_code in (4, 10, 11), (label, visible(report))


YARN_LOCK = """__metadata:
  version: 8

"{name}@npm:^1.0.0":
  version: 1.14.1
  resolution: "{name}@npm:1.14.1"
  languageName: node
  linkType: hard
"""


@pytest.mark.parametrize("name", ["axios", r"\u0061xios", r"\x61xios", r"\U00000061xios", r"ax\x69os"])
def test_escapes_in_yaml_are_the_same_names(name: str, tmp_path: Path) -> None:
    (tmp_path / "yarn.lock").write_text(YARN_LOCK.format(name=name))
    assert examined(tmp_path).exit_code == 10

"""bun.lockb against bun.lock and against what bun prints, and under every kind of damage."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import EVERYTHING, Interest
from pratique.readers.npm.bun_lockb import READER, _Lockfile
from tests.golden.harness import ALL, ROOT, in_memory

CASES = ROOT / "npm" / "bun-lockb"
WHOLE = (CASES / "bun-1.4-formats-binary" / "input" / "bun.lockb").read_bytes()
OLD = (CASES / "bun-0.6-formats" / "input" / "bun.lockb").read_bytes()
PRINTED = sorted(CASES.glob("*/printed-by-bun.txt"))
BEGIN, END = struct.unpack_from("<QQ", WHOLE, 110)
COUNT = 14


def read(data: bytes, interest: Interest = ALL, path: str = "bun.lockb") -> list[Observation | Refusal]:
    return list(READER.read(in_memory(data, path), interest))


def components(found: list[Observation | Refusal]) -> list[ComponentFact]:
    return [x.facts for x in found if isinstance(x, Observation) and isinstance(x.facts, ComponentFact)]


def reasons(found: list[Observation | Refusal]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Refusal)]


def patch(data: bytes, offset: int, new: bytes) -> bytes:
    return data[:offset] + new + data[offset + len(new) :]


def expected(reader: str, case: str) -> list[dict[str, Any]]:
    loaded = json.loads((ROOT / "npm" / reader / case / "expected.json").read_text())
    facts = [dict(item["facts"]) for item in loaded]
    for fact in facts:
        fact.pop("install_script", None)  # the text form has it from bun 1.4 on
    return sorted(facts, key=lambda fact: json.dumps(fact, sort_keys=True))


@pytest.mark.parametrize(
    "case", ["bun-1.2-formats", "bun-1.3-formats", "bun-1.4-formats", "bun-1.2-git", "bun-1.4-git"]
)
def test_the_binary_and_the_text_form_say_the_same(case: str) -> None:
    binary = expected("bun-lockb", f"{case}-binary")
    assert binary == expected("bun-lock", case)


@pytest.mark.parametrize("printed", PRINTED, ids=lambda path: path.parent.name)
def test_registry_packages_are_those_that_bun_prints(printed: Path) -> None:
    theirs = set()
    for block in re.split(r"\n\n+", printed.read_text()):
        fields = dict(re.findall(r"^  (version|resolved|integrity) \"?([^\"\n]+)\"?$", block, re.MULTILINE))
        if re.fullmatch(r"\d+\.\d+\.\d+\S*", fields.get("version", "")) and "://" in fields.get("resolved", ""):
            theirs.add((fields["version"], fields["resolved"], fields.get("integrity", "")))
    found = components(read((printed.parent / "input" / "bun.lockb").read_bytes()))
    mine = {(f.version, f.resolved or "", "".join(f.integrity)) for f in found if f.origin == "registry"}
    assert mine == theirs


def test_nothing_is_refused_in_a_whole_file() -> None:
    for case in CASES.glob("bun-*/input/bun.lockb"):
        assert reasons(read(case.read_bytes())) == [], case


def test_only_names_of_interest_are_told() -> None:
    found = components(read(WHOLE, Interest({"npm": frozenset({"axios"})})))
    assert [(f.version, f.alias) for f in found] == [("1.14.1", None), ("0.30.4", "axios-legacy")]


def test_folders_are_relative_to_the_target() -> None:
    found = components(read(WHOLE, path="team/app/bun.lockb"))
    folders = {f.name: f.folder for f in found}
    assert folders["plain-crypto-js"] == "team/app/node_modules/plain-crypto-js"
    assert folders["@formats/tool"] == "team/app/packages/tool"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"x", "does not begin as a binary lockfile of bun"),
        (WHOLE[:42], "is cut off"),
        (WHOLE[:125], "is cut off"),
        (WHOLE[:200], "is cut off: 200 bytes of 6068"),
        (patch(WHOLE, 42, b"\1"), "is of format 1; 2 and 3 are known"),
        (patch(WHOLE, 42, b"\4"), "is of format 4; 2 and 3 are known"),
        (patch(WHOLE, 42, b"\2"), "has a package table of another size than its packages need"),
        (patch(WHOLE, 86, b"\xff" * 8), "has a package table of another size than its packages need"),
        (patch(WHOLE, 94, b"\4"), "has a package table of 8 columns aligned to 4"),
        (patch(WHOLE, 102, b"\x09"), "has a package table of 9 columns aligned to 8"),
        (patch(WHOLE, 118, b"\xff" * 8), "has a package table of another size than its packages need"),
        (patch(WHOLE, END, b"\xff" * 8), "has an array that reaches outside the file or into its neighbour"),
        (patch(WHOLE, END + 8, b"\0" * 8), "has an array that reaches outside the file or into its neighbour"),
    ],
)
def test_damage_before_the_packages_is_one_refusal(data: bytes, reason: str) -> None:
    found = read(data)
    assert reasons(found) == [reason]
    assert len(found) == 1


def test_every_cut_is_refused() -> None:
    for data in (WHOLE, OLD):
        (total,) = struct.unpack_from("<Q", data, 78)
        for length in range(total):
            assert len(reasons(read(data[:length]))) == 1
        assert reasons(read(data[:total])) == []


def test_an_unknown_section_keeps_the_packages() -> None:
    found = read(WHOLE.replace(b"tRuStEDd", b"nEwErTaG"))
    assert len(components(found)) == 12
    assert reasons(found) == [
        "behind the packages: the section b'nEwErTaG' is not known; what it and later ones say is not read"
    ]


def test_a_section_cut_by_the_header_keeps_the_packages() -> None:
    (total,) = struct.unpack_from("<Q", WHOLE, 78)
    found = read(patch(WHOLE, 78, struct.pack("<Q", total - 9)))
    assert len(components(found)) == 12
    assert len(reasons(found)) == 1


def test_a_name_outside_the_characters_costs_only_that_package() -> None:
    found = read(patch(WHOLE, BEGIN, struct.pack("<II", 0x7FFFFFFF, 0xFFFFFFFF)))
    assert len(components(found)) == 12
    assert reasons(found) == ["packages: has a text outside its characters"]


def test_an_unknown_kind_of_source_is_refused() -> None:
    kinds = BEGIN + 16 * COUNT
    found = read(patch(WHOLE, kinds + 72 * 7, b"\x63"))
    assert reasons(found) == ["packages: axios: comes from a source of the unknown kind 99"]
    assert len(components(found)) == 11


def test_a_file_that_repeats_its_texts_without_end_is_refused() -> None:
    lockfile = _Lockfile(in_memory(WHOLE, "bun.lockb"), WHOLE, EVERYTHING)
    lockfile.budget = 100
    found = list(lockfile.read())
    assert reasons(found)[0].startswith("packages: repeats its texts more often than a lockfile does (and ")


def test_a_circle_of_trees_ends() -> None:
    trees, _ = struct.unpack_from("<QQ", WHOLE, END)
    found = read(patch(WHOLE, trees + 20 + 8, struct.pack("<I", 1)))
    assert reasons(found) == ["packages: has trees nested deeper than 1000"]
    assert len(components(found)) == 12


@given(st.integers(42, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_any_change_gives_records_or_refusals(offset: int, new: bytes) -> None:
    for item in read(patch(WHOLE, offset, new)[: len(WHOLE)]):
        assert isinstance(item, Observation | Refusal)

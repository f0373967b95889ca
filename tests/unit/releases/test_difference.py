"""Files by digest, lines by what they hold, and in minified text statements whatever their names."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.releases.difference import added_pieces, added_spans, counts, difference, unhashed
from tests.unit.releases.opened import InMemory

_LINES = st.lists(st.sampled_from([b"", b"a", b"b", b"c", b"  d", b"}"]), max_size=30).map(b"\n".join)


def test_files_are_added_removed_changed_moved_or_kept() -> None:
    before = InMemory({"kept": b"k\n", "old.js": b"same\n", "gone.js": b"1\n2\n", "a.js": b"one\ntwo\n", "e": b""})
    after = InMemory({"kept": b"k\n", "new.js": b"same\n", "more.js": b"1\n", "a.js": b"one\nthree\n", "f": b""})
    told = {change.path: change for change in difference(before, after)}
    assert {path: change.change for path, change in told.items()} == {
        "a.js": "changed",
        "e": "removed",
        "f": "added",
        "gone.js": "removed",
        "more.js": "added",
        "new.js": "moved",
    }
    assert told["new.js"].moved_from == "old.js"
    assert (told["a.js"].added_lines, told["a.js"].removed_lines, told["a.js"].kind) == (1, 1, "javascript")
    assert (told["gone.js"].added_lines, told["gone.js"].removed_lines) == (0, 2)
    assert [change.change for change in difference(None, after)] == ["added"] * 5


def test_what_is_no_text_has_no_count() -> None:
    (change,) = difference(InMemory({"a.node": b"\x7fELF\x01"}), InMemory({"a.node": b"\x7fELF\x02"}))
    assert (change.kind, change.added_lines, change.removed_lines) == ("native", None, None)


@given(_LINES, _LINES)
def test_counts_are_those_of_multisets(old: bytes, new: bytes) -> None:
    added, removed = counts(old, new)
    assert added - removed == counts(b"", new)[0] - counts(b"", old)[0]
    assert counts(new, old) == (removed, added)
    assert counts(old, old) == (0, 0)


@given(_LINES, _LINES)
def test_what_is_not_added_is_common_in_order(old: bytes, new: bytes) -> None:
    spans = added_spans(old, new)
    inside = {number for first, last in spans for number in range(first, last + 1)}
    lines = [line.rstrip() for line in new.split(b"\n")]
    if lines and not lines[-1]:
        lines.pop()
    assert inside <= set(range(1, len(lines) + 1))
    rest = iter(line.rstrip() for line in old.split(b"\n"))
    assert all(line in rest for number, line in enumerate(lines, 1) if number not in inside)
    assert added_spans(old, old) == []


def test_large_texts_are_compared_by_lines_that_occur_once() -> None:
    old = [f"line {number}".encode() for number in range(5000)]
    new = [*old[:1000], b"added one", b"added two", *old[1000:3000], *old[3100:4000], b"last", *old[4000:]]
    new[10] = b"changed"
    assert added_spans(b"\n".join(old), b"\n".join(new)) == [(11, 11), (1001, 1002), (3903, 3903)]
    same = [b"}"] * 3000
    assert added_spans(b"\n".join(same), b"\n".join([*same, b"x"])) == [(3001, 3001)]
    shuffled = sorted(old, key=lambda line: line[::-1])
    spans = added_spans(b"\n".join(old), b"\n".join([*shuffled, b"really new"]))
    assert spans[-1][1] == 5001


def test_in_a_minified_line_the_added_statement_is_told() -> None:
    parts = [f"function f{number}(a,b){{return a.member{number}(b)}}" for number in range(200)]
    old = ";".join(parts).encode()
    renamed = ";".join(parts).replace("(a,b)", "(t,n)").replace("a.member", "t.member").replace("(b)", "(n)")
    assert added_pieces(old, renamed.encode()) == []
    place = renamed.index(";function f100(")
    new = renamed[:place] + ";collect(process.environment)" + renamed[place:]
    (piece,) = added_pieces(old, new.encode())
    assert b"collect(process.environment)" in piece.text
    assert len(piece.text) < 60
    assert piece.line == 1
    assert new.encode()[piece.column - 1 :].startswith(piece.text)


def test_pieces_of_whole_lines_and_of_huge_ones_stand_side_by_side() -> None:
    huge = b";".join(b"statement_%d()" % number for number in range(200))
    old = b"first\n" + huge + b"\nlast\n"
    new = b"first\nsecond\n" + huge + b";added_here()\nthird\nlast\n"
    assert [(piece.line, piece.text.strip(b";")) for piece in added_pieces(old, new)] == [
        (2, b"second"),
        (3, b"added_here()"),
        (4, b"third"),
    ]


@given(_LINES, _LINES)
def test_pieces_of_short_lines_are_their_spans(old: bytes, new: bytes) -> None:
    lines = new.split(b"\n")
    expected = [(first, b"\n".join(lines[first - 1 : last])) for first, last in added_spans(old, new)]
    assert [(piece.line, piece.text) for piece in added_pieces(old, new)] == expected


def test_small_windows_are_those_of_difflib() -> None:
    old, new = ["a", "b", "c", "d"], ["a", "x", "c", "y", "d"]
    blocks = difflib.SequenceMatcher(None, old, new).get_opcodes()
    expected = [(block[3] + 1, block[4]) for block in blocks if block[0] in ("insert", "replace")]
    assert added_spans("\n".join(old).encode(), "\n".join(new).encode()) == expected


def test_the_records_of_a_wheel_are_the_same_files_in_the_next_version() -> None:
    before = InMemory(
        {"a_b-1.0.dist-info/METADATA": b"Version: 1.0\n", "a_b-1.0.data/scripts/run": b"x\n", "a.py": b""}
    )
    after = InMemory({"a_b-1.1.dist-info/METADATA": b"Version: 1.1\n", "a_b-1.1.data/scripts/run": b"x\n", "a.py": b""})
    (change,) = difference(before, after)
    assert (change.path, change.change, change.added_lines) == ("a_b-1.1.dist-info/METADATA", "changed", 1)
    assert change.before is not None
    assert change.before.path == "a_b-1.0.dist-info/METADATA"
    other = InMemory({"c-1.1.dist-info/METADATA": b"Version: 1.1\n"})
    assert {one.change for one in difference(InMemory({"b-1.1.dist-info/METADATA": b""}), other)} == {
        "added",
        "removed",
    }


@pytest.mark.parametrize(
    ("path", "without"),
    [
        ("dist/messages-BCk2YoVn.cjs", "dist/messages.cjs"),
        ("dist/chunk.4f2a9c1b.js", "dist/chunk.js"),
        ("dist/index-D3KKoiWA.js.map", "dist/index-D3KKoiWA.js.map"),
        ("dist/error-handler.js", "dist/error-handler.js"),
        ("dist/utils.js", "dist/utils.js"),
        ("a/b.test.js", "a/b.test.js"),
    ],
)
def test_the_hash_of_a_bundler_is_no_part_of_a_name(path: str, without: str) -> None:
    assert unhashed(path) == without

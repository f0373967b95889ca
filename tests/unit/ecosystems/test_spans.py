"""JSON and TOML with places: the same meaning as the standard library's, and edits that leave the rest."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems import json_spans, toml_spans
from pratique.ecosystems.edits import Span, edited, line_end

ROOT = Path(__file__).resolve().parents[3]
TOMLS = sorted(
    [
        *(ROOT / "tests/golden/readers/pypi").glob("*/*/input/**/*.toml"),
        *(ROOT / "tests/golden/readers/pypi").glob("*/*/input/**/*.lock"),
        *(ROOT / "src/pratique/incidents/data").glob("*.toml"),
        ROOT / "pyproject.toml",
    ]
)


def plain(value: json_spans.Value) -> object:
    """The value as `json` has it."""
    if value.members is not None:
        return {member.key: plain(member.value) for member in value.members}
    return [plain(item) for item in value.items] if value.items is not None else value.plain


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_json_means_the_same(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2, ensure_ascii=False), json.dumps(value, indent="\t")):
        found = json_spans.parse(text)
        if any("\ud800" <= sign <= "\udfff" for sign in text):
            continue
        assert found is not None
        assert plain(found) == value
        assert json.loads(text[found.start : found.end]) == value


def test_json_takes_comments_and_trailing_commas() -> None:
    found = json_spans.parse('\ufeff// a\n{"a": [1, /* b */ 2,], "c": {"d": "//",},}\n')
    assert found is not None
    assert plain(found) == {"a": [1, 2], "c": {"d": "//"}}
    assert json_spans.parse('{"a": 1') is None
    assert json_spans.parse("[" * 500) is None


MANIFEST = '{\n  "name": "x",\n  "pnpm": {\n    "patched": {}\n  },\n  "a": {}\n}\n'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("step", ["  ", "    ", "\t"])
def test_members_are_put_in_as_the_file_is_written(end: str, step: str) -> None:
    text = MANIFEST.replace("  ", step).replace("\n", end)
    root = json_spans.parse(text)
    assert root is not None
    for keys in (("overrides",), ("pnpm", "overrides"), ("a",), ("pnpm", "patched")):
        spans = json_spans.insertions(text, root, keys, {"axios": "1.14.0"})
        assert spans is not None
        new = edited(text, spans)
        want = json.loads(text)
        holder = want
        for key in keys:
            holder = holder.setdefault(key, {})
        holder["axios"] = "1.14.0"
        assert new == json.dumps(want, indent=step).replace("\n", end) + end


def test_members_are_put_into_one_line_and_replaced() -> None:
    text = '{"a":{"b":"1"}}'
    root = json_spans.parse(text)
    assert root is not None
    spans = json_spans.insertions(text, root, ("a",), {"b": "2", "c": "3"})
    assert spans is not None
    assert edited(text, spans) == '{"a":{"b":"2","c":"3"}}'
    assert json_spans.insertions(text, root, ("a", "b"), {"x": "y"}) is None


@pytest.mark.parametrize("path", TOMLS, ids=lambda path: path.name)
def test_toml_means_the_same(path: Path) -> None:
    for text in (path.read_text(encoding="utf-8"), path.read_text(encoding="utf-8").replace("\n", "\r\n")):
        try:
            want = tomllib.loads(text.replace("\r\n", "\n"))
        except tomllib.TOMLDecodeError:
            assert toml_spans.parse(text) is None
            continue
        tables = toml_spans.parse(text)
        assert tables is not None
        assert rebuilt(tables, text) == want
        assert "".join(text[table.start : table.end] for table in tables) == text


def rebuilt(tables: list[toml_spans.Table], text: str) -> dict[str, object]:
    """The document out of the entries and their places."""
    out: dict[str, object] = {}
    for table in tables:
        holder: object = out
        for index, key in enumerate(table.path):
            last = index == len(table.path) - 1
            assert isinstance(holder, dict)
            if last and table.array:
                rows = holder.setdefault(key, [])
                rows.append({})
                holder = rows[-1]
            else:
                holder = holder.setdefault(key, {})
                holder = holder[-1] if isinstance(holder, list) else holder
        for entry in table.entries:
            inner = holder
            for key in entry.key[:-1]:
                assert isinstance(inner, dict)
                inner = inner.setdefault(key, {})
            assert isinstance(inner, dict)
            inner[entry.key[-1]] = entry.plain(text)
    return out


TRAPS = '''a = 1 # x
"b.c" = [ # one
  "x", 'y', # "z"
  """long ] " """, ]
d.e = { f = "}", g = [1, 2], h.i = 1979-05-27 07:32:00Z }
j = "\\"]"
[k."l m"] # n
o = \'\'\'it's\'\'\'
[[p]]
[[p]]
q = []
'''


def test_toml_with_traps() -> None:
    tables = toml_spans.parse(TRAPS)
    assert tables is not None
    assert rebuilt(tables, TRAPS) == tomllib.loads(TRAPS)
    entry = tables[0].get("b.c")
    assert entry is not None
    assert [TRAPS[a:b] for a, b in toml_spans.items(TRAPS, entry.start)] == ['"x"', "'y'", '"""long ] " """']
    inner = tables[0].get("d", "e")
    assert inner is not None
    assert list(toml_spans.members(TRAPS, inner.start)) == ["f", "g", "h.i"]
    assert toml_spans.parse("a = ") is None


def test_edits_do_not_overlap() -> None:
    assert edited("abc", [Span(1, 2, "x"), Span(0, 0, "y")]) == "yaxc"
    with pytest.raises(ValueError, match="overlap"):
        edited("abc", [Span(0, 2), Span(1, 3)])
    assert line_end("a\r\nb\n") == "\r\n"

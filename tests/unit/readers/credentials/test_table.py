"""The table of locations."""

from __future__ import annotations

import inspect

import pytest

from pratique.readers.credentials import table
from pratique.readers.credentials.contract import Row
from pratique.respond.rotate import library
from tests.integration.examine import everything

GOOD = b'[[location]]\nid = "x"\nprovider = "p"\ntier = 0\nsecret = "s"\nrotation = "r"\npaths = ["$HOME/.x"]\nformat = "ini"\n'


def test_the_bundled_table_is_well_made() -> None:
    found = table.table()
    assert len(found.rows) >= 40
    assert [row.id for row in found.rows] == sorted({row.id for row in found.rows})
    assert len(found.catalogue) == 16


def test_the_catalogue_changes_with_every_byte() -> None:
    first, second = table.load({"a.toml": GOOD}), table.load({"a.toml": GOOD + b"\n"})
    assert first.rows == second.rows
    assert first.catalogue != second.catalogue


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (GOOD + GOOD, "twice"),
        (GOOD + b'colour = "red"\n', "colour"),
        (GOOD.replace(b'"ini"', b'"none-such"'), "unknown format"),
        (GOOD.replace(b"tier = 0", b"tier = 4"), "tier"),
        (GOOD.replace(b'["$HOME/.x"]', b"[]"), "no place"),
        (GOOD.replace(b'format = "ini"\n', b""), "no format"),
        (GOOD.replace(b"$HOME/.x", b".x"), "no root"),
        (GOOD.replace(b"$HOME/.x", b"$HOME/*/x"), "star"),
        (GOOD.replace(b"$HOME/.x", b"$HOME/../x"), "up"),
        (GOOD + b"[other]\n", "other"),
        (b"\xff", "utf-8"),
        (b"[[", "a.toml"),
    ],
)
def test_what_is_not_well_made_is_an_error(content: bytes, reason: str) -> None:
    with pytest.raises(table.TableError, match=reason):
        table.load({"a.toml": content})


def test_a_row_is_found_by_its_id() -> None:
    assert table.table().row("npm-rc").provider == "npm"
    with pytest.raises(KeyError):
        table.table().row("none-such")


@pytest.mark.parametrize("row", table.table().rows, ids=lambda row: row.id)
def test_a_row_names_what_exists(row: Row) -> None:
    known = {incident.id for incident in everything().incidents}
    assert set(row.taken_by) <= known
    assert row.source
    assert row.rotation in library.ids()
    if row.format:
        assert list(inspect.signature(table.reader_of(row.format)).parameters)[1:] == ["row", "fingerprint"]

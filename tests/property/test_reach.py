"""In strict mode nothing that is told depends on the characters of a value."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique import api
from pratique.model.credential import ReachReport
from tests.fixtures_reach import lay_all


def inventory(seed: int) -> tuple[ReachReport, bytes]:
    """The inventory of a disk with every credential of the table, whose values come from the seed; without times."""
    folder = Path(tempfile.mkdtemp())
    try:
        lay_all(seed).lay(folder)
        project = str(folder / "srv/shop")
        report = api.reach(api.ReachRequest(root=str(folder), user="dev", projects=(project,)))
    finally:
        shutil.rmtree(folder)
    credentials = tuple(msgspec.structs.replace(item, born=None, modified=None) for item in report.credentials)
    report = msgspec.structs.replace(report, made="", credentials=credentials, asked=None)
    return report, b"".join((api.reach_json(report), *(line.encode() for line in api.reach_lines(report))))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(0, 1 << 32))
def test_two_values_of_one_shape_give_the_same_bytes(first: int, second: int) -> None:
    one, other = inventory(first), inventory(second)
    assert one[0] == other[0]
    assert one[1] == other[1]

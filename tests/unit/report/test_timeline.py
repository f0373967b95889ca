"""The timeline holds at the ends of the calendar."""

from __future__ import annotations

import datetime

from pratique.report.timeline import _moved


def test_a_moment_moves_as_far_as_the_calendar_goes() -> None:
    early = datetime.datetime(12, 1, 1, tzinfo=datetime.UTC)
    late = datetime.datetime(9989, 1, 1, tzinfo=datetime.UTC)
    age = datetime.timedelta(days=365 * 600)
    assert _moved(early, -age) == datetime.datetime.min.replace(tzinfo=datetime.UTC)
    assert _moved(late, age) == datetime.datetime.max.replace(tzinfo=datetime.UTC)
    assert _moved(early, age) == early + age

"""Clocks count from recorded awareness, and from nothing else."""

from __future__ import annotations

import pytest

from pratique.respond.communicate_clocks import clocks


def test_clocks_count_from_awareness() -> None:
    text = "\n".join(clocks("2026-11-25T22:10:00Z"))
    assert "72 h, 2026-11-28 22:10 UTC" in text
    assert "early warning 24 h, 2026-11-26 22:10 UTC" in text
    assert "one month after the notification" in text
    assert "\n".join(clocks("2026-11-25T23:10:00+01:00")) == text


@pytest.mark.parametrize("aware", [None, "", "yesterday", "9999-12-31T23:59:59-23:00", "9999-12-31T00:00:00Z"])
def test_without_a_usable_time_no_date_is_made_up(aware: str | None) -> None:
    text = "\n".join(clocks(aware))
    assert "[UNKNOWN: when we became aware" in text
    assert "[UNKNOWN: 72 h after that]" in text

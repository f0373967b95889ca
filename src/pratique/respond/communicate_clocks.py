"""The clocks of laws and contracts that may run from when a team became aware. Whether one runs, counsel says."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from pratique.respond.communicate_facts import moment, unknown


def clocks(aware: str | None) -> Iterator[str]:
    """The notification clocks that may run, counted from when awareness is recorded."""
    start = _parsed(aware)
    told = moment(start) if start else unknown("when we became aware; record it, the clocks count from it")
    yield f"- Aware since: {told}"

    def until(hours: int) -> str:
        return moment(start + datetime.timedelta(hours=hours)) if start else unknown(f"{hours} h after that")

    yield (
        f"- GDPR Art. 33, to the supervisory authority: 72 h, {until(72)}. It runs if personal data are breached, "
        "unless a risk to people is unlikely. A processor tells its controller without undue delay."
    )
    yield "- GDPR Art. 34, to the people: without undue delay. It runs if a high risk to them is likely."
    yield (
        f"- NIS2 Art. 23: early warning 24 h, {until(24)}; notification 72 h, {until(72)}; final report one month "
        "after the notification. It runs for essential and important entities, if the incident is significant."
    )
    yield (
        f"- Cyber Resilience Act Art. 14: early warning 24 h, {until(24)}; notification 72 h, {until(72)}. It may run "
        "for makers of products with digital elements, if the security of a product is touched."
    )
    yield f"- Contracts: {unknown('which contracts hold notification terms, and of how many hours')}"
    yield f"- Sector rules (finance, health, telecommunications, listed companies): {unknown('which apply')}"
    yield f"- Insurance: {unknown('notification terms of the policy')}"


def _parsed(text: str | None) -> datetime.datetime | None:
    try:
        value = datetime.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if value is None:
        return None
    try:
        start = (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
        return start if start + datetime.timedelta(days=40) else None
    except (OverflowError, ValueError):
        return None

"""What a credential in reach means."""

from __future__ import annotations

import datetime

import msgspec
import pytest

from pratique.assess import reach
from pratique.model.credential import Credential, CredentialFact
from pratique.model.incident import Incident, SecretAtRisk, Window

FACT = CredentialFact(field="token")
UTC = datetime.UTC


def incident(**more: object) -> Incident:
    base: dict[str, object] = {
        "id": "x-2026",
        "revision": 1,
        "updated": datetime.date(2026, 1, 1),
        "title": "x",
        "summary": "x",
        "status": "closed",
        "completeness": "fixed",
    }
    return Incident(**{**base, **more})


def credential(**more: object) -> Credential:
    base: dict[str, object] = {
        "id": "",
        "location": "x",
        "provider": "p",
        "tier": 1,
        "place": "$HOME/x",
        "fact": FACT,
        "reach": "readable",
    }
    return Credential(**{**base, **more})


@pytest.mark.parametrize(
    ("modified", "born", "expected"),
    [
        (50, None, True),
        (150, None, True),
        (200, None, True),
        (250, None, None),
        (250, 150, True),
        (250, 240, None),
        (None, None, None),
    ],
)
def test_a_file_that_changed_later_is_never_called_absent(
    modified: int | None, born: int | None, expected: bool | None
) -> None:
    assert reach.in_window(((100.0, 200.0),), modified, born, FACT) is expected
    assert reach.in_window((), modified, born, FACT) is None
    assert reach.in_window(((100.0, None),), modified, born, FACT) is (None if modified is None else True)


def test_what_its_issuer_made_later_was_not_there() -> None:
    later = msgspec.structs.replace(FACT, created="1970-01-01T00:05:00Z")
    assert reach.in_window(((100.0, 200.0),), 250, None, later) is False
    assert reach.in_window(((100.0, None),), 250, None, later) is True
    assert reach.in_window(((100.0, 200.0),), 250, None, msgspec.structs.replace(FACT, created="soon")) is None


def test_windows_are_widened_by_their_margins() -> None:
    start, end = datetime.datetime(2026, 1, 1, tzinfo=UTC), datetime.datetime(2026, 1, 2, tzinfo=UTC)
    windows = (
        Window(start=start, end=end, basis="observed", source="s", margin_minutes=10),
        Window(start=start, basis="observed", source="s"),
    )
    assert reach.windows_of([incident(windows=windows)]) == (
        (start.timestamp() - 600, end.timestamp() + 600),
        (start.timestamp(), None),
    )


def test_grades_come_from_definitions_and_are_never_raised() -> None:
    known = incident(
        secrets=(
            SecretAtRisk(kind="npm-token", condition="c", rotate="r", evidence="in-reach"),
            SecretAtRisk(kind="ssh-key", condition="c", rotate="r", evidence="taken"),
            SecretAtRisk(kind="wallet", condition="c", rotate="r"),
        )
    )
    assert reach.taken([known], ["npm-token"], ["x-2026"]) == "in-reach"
    assert reach.taken([known], ["ssh-key", "npm-token"], []) == "taken"
    assert reach.taken([known], ["wallet"], []) == "in-reach"
    assert reach.taken([known], ["other"], ["x-2026"]) == "targeted"
    assert reach.taken([known], ["other"], ["another"]) is None
    assert reach.taken([], ["npm-token"], ["x-2026"]) is None


def test_reach_is_graded() -> None:
    reference = msgspec.structs.replace(FACT, state="reference")
    assert reach.reach_of(FACT, readable=True, timely=True) == "readable"
    assert reach.reach_of(FACT, readable=True, timely=None) == "unknown-time"
    assert reach.reach_of(FACT, readable=True, timely=False) == "unknown-time"
    assert reach.reach_of(reference, readable=True, timely=True) == "by-reference"
    assert reach.reach_of(reference, readable=False, timely=True) == "not-readable"


def test_the_most_dangerous_comes_first() -> None:
    last = credential(tier=3, taken="taken")
    plain = credential(tier=0, place="$HOME/b")
    hard = credential(tier=0, fact=msgspec.structs.replace(FACT, protection="hardware"))
    taken = credential(tier=0, place="$HOME/z", taken="taken")
    unknown = credential(tier=0, reach="unknown-time", taken="taken")
    assert reach.most_dangerous_first([last, hard, unknown, plain, taken]) == [taken, plain, hard, unknown, last]


def test_ids_stand_for_what_is_public_and_links_for_the_same_value() -> None:
    marked = msgspec.structs.replace(FACT, fingerprint="f" * 20)
    found = reach.identify([credential(fact=marked), credential(fact=marked), credential(fact=marked, place="$HOME/y")])
    assert len({item.id for item in found}) == 3
    other = msgspec.structs.replace(FACT, fingerprint="0" * 20)
    assert reach.identify([credential(fact=other)])[0].id == found[0].id
    linked = reach.link(found)
    assert linked[0].same_as == tuple(sorted((found[1].id, found[2].id)))
    assert reach.link(reach.identify([credential()]))[0].same_as == ()

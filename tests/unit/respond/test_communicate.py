"""Announcements: facts filled in, unknowns marked, nothing invented, hostile names harmless."""

from __future__ import annotations

import msgspec
import pytest

from pratique.model.case import Rotation
from pratique.model.credential import CredentialFact, ReachRefusal
from pratique.model.location import Location
from pratique.model.observation import Time
from pratique.model.plan import Manual
from pratique.model.report import RefusalEntry, SightingEntry
from pratique.respond.communicate import steps
from pratique.respond.plan import compose
from pratique.respond.situation import Situation
from tests.unit.respond.situations import AXIOS, credential, reach, report, situation

IDS = ["engineers", "management", "customers", "legal", "privacy"]
HOSTILE = "file:///srv/](http://evil.test) @all <img src=x> `x` | [x]: y\u202e#1"


def texts(found: Situation) -> dict[str, str]:
    out = {}
    for step in steps(found):
        assert isinstance(step.action, Manual)
        assert step.action.media == "text/markdown"
        assert step.disposition == "manual"
        out[step.id.removeprefix("communicate.")] = step.action.text
    return out


def sighting(purl: str, meaning: str, when: str) -> SightingEntry:
    return SightingEntry(
        id="sighting-0",
        incident="axios-2026-03-31",
        subject="s0",
        kind="component",
        status="affected",
        purl=purl,
        depth="executed",
        confidence="high",
        role="carrier",
        inferred=False,
        current=True,
        location=Location("file:///srv", "x"),
        times=(Time(meaning, when, "log"),),
        explanation="seen",
        observations=(),
    )


def test_each_audience_gets_its_text() -> None:
    assert list(texts(situation(report(AXIOS)))) == IDS


def test_nothing_seen_nothing_said() -> None:
    assert texts(situation(report(("axios-2026-03-31", "not_affected", None, "file:///srv")))) == {}
    assert texts(situation(report(("axios-2026-03-31", "under_investigation", None, "file:///srv")))) == {}


def test_facts_are_filled_in() -> None:
    found = msgspec.structs.replace(
        report(AXIOS), sightings=(sighting("pkg:npm/axios@1.14.1", "the npm command started", "2026-03-31T00:32:58Z"),)
    )
    for name in ("engineers", "legal"):
        text = texts(situation(found))[name]
        assert "`pkg:npm/axios@1.14.1`" in text
        assert "`2026-03-31T00:32:58Z` (the npm command started)" in text
        assert "the code of a listed release ran" in text
        assert "Could be fetched from 2026-03-30 23:59 UTC to 2026-03-31 04:26 UTC" in text
        assert "1 project affected" in text


def test_what_is_not_known_is_marked() -> None:
    found = texts(situation(report(AXIOS)))
    assert "[UNKNOWN: since when it was here; no record holds the time]" in found["legal"]
    assert "[UNKNOWN: which credentials the account could read; no inventory was made]" in found["management"]
    assert "[UNKNOWN: when we became aware; record it, the clocks count from it]" in found["privacy"]
    assert "[UNKNOWN: whether customer data was within reach" in found["customers"]


def test_a_time_that_says_nothing_about_the_coming_is_not_used() -> None:
    found = msgspec.structs.replace(
        report(AXIOS),
        sightings=(sighting("pkg:npm/axios@1.14.1", "the release was published", "2026-03-31T00:21:58Z"),),
    )
    assert "Came here: [UNKNOWN" in texts(situation(found))["legal"]


def test_credentials_are_counted_by_tier_and_state() -> None:
    found = situation(
        report(AXIOS),
        found=reach(
            [
                credential("npm", taken="taken"),
                credential("aws", tier=1),
                credential("stripe", tier=1),
                credential("ssh", reach="not-readable"),
                credential("one-password", fact=CredentialFact(field="vault", state="store")),
            ],
            [ReachRefusal(location="x", place="$HOME/.x", reason="permission denied")],
        ),
        rotations={
            "npm-1": Rotation(credential="npm-1", state="verified"),
            "aws-1": Rotation(credential="aws-1", state="new-issued"),
        },
    )
    made = texts(found)
    assert (
        "Tier 0 (mints, publishes or controls an identity): 2 credentials; 1 of a class that victims" in made["legal"]
    )
    assert "Tier 1 (production or a cloud): 2 credentials." in made["management"]
    assert "1 of 4 closed, 1 begun, 2 open" in made["management"]
    assert "[UNKNOWN: what lies in 1 place that could not be read]" in made["management"]
    assert "1 store of passwords" in made["privacy"]
    assert "`token` in `$HOME/.npm`" in made["engineers"]


def test_texts_for_outside_hold_no_places() -> None:
    found = situation(report(AXIOS), found=reach([credential("npm")]))
    made = texts(found)
    for name in ("management", "customers"):
        assert "/home/dev" not in made[name]
        assert "$HOME" not in made[name]
        assert "laptop" not in made[name]


def test_within_reach_is_never_called_stolen() -> None:
    made = texts(situation(report(AXIOS), found=reach([credential("npm", taken="in-reach")])))
    for text in made.values():
        assert "stolen" not in text.replace("a stolen maintainer credential", "").lower()
    assert "Within reach does not mean taken" in made["legal"]


def test_an_armed_switch_comes_first_and_nothing_asks_to_revoke() -> None:
    found = report(AXIOS, ("tanstack-2026-05-11", "affected", "installed", "file:///home/dev/other"))
    made = texts(situation(found, found=reach([credential("npm")])))["engineers"]
    assert made.index("End no token, cut no machine off, stop no process yet") < made.index("## What happened")
    assert "Replace from another one" not in made
    assert "## What could have been reached" not in made
    swept = texts(situation(found, swept=frozenset({"tanstack-2026-05-11"})))["engineers"]
    assert "End no token" not in swept
    assert "Replace from another one" in swept


def test_counsel_is_asked() -> None:
    made = texts(situation(report(AXIOS)))
    for name in ("legal", "privacy"):
        assert "have counsel check" in made[name]
    assert "Not to be sent before counsel" in made["customers"]


def test_hostile_names_are_harmless() -> None:
    hostile = ("axios-2026-03-31", "affected", "executed", HOSTILE)
    found = situation(
        report(hostile),
        found=reach([credential("npm", place="$HOME/`](http://evil.test)\n# x", fact=CredentialFact(field="<b>`|"))]),
    )
    made = texts(found)["engineers"]
    for line in made.splitlines():
        outside = "".join(line.split("`")[::2]) if "``" not in line else ""
        assert "evil.test" not in outside
        assert "@all" not in outside
        assert "<img" not in outside
    assert "\u202e" not in made
    assert "\n# x" not in made


def test_only_under_examination_is_not_called_a_hit() -> None:
    made = texts(situation(report(("axios-2026-03-31", "under_investigation", "resolved", "file:///srv"))))
    assert "is being examined" in made["management"]
    assert "not decided yet" in made["management"]


@pytest.mark.parametrize(
    ("depth", "words"),
    [
        ("declared", "That it reached our environment is not shown"),
        ("installed", "That its code ran is not shown"),
        ("executed", "Code of a compromised package ran"),
    ],
)
def test_the_lead_says_no_more_than_the_depth(depth: str, words: str) -> None:
    made = texts(situation(report(("axios-2026-03-31", "affected", depth, "file:///srv"))))
    assert words in made["management"]


def test_gaps_are_told() -> None:
    gap = RefusalEntry(id="r", path="x", reader="package-lock", reason="cut", relevant=True)
    assert "1 place could not be examined" in texts(situation(report(AXIOS, refusals=[gap])))["management"]


def test_the_same_texts_twice() -> None:
    found = situation(report(AXIOS), found=reach([credential("npm"), credential("aws")]))
    assert texts(found) == texts(found)


def test_no_text_is_held_back_by_an_armed_switch() -> None:
    found = situation(report(("tanstack-2026-05-11", "affected", "installed", "file:///home/dev/other")))
    plan = compose(found, [steps])
    assert [step.id.removeprefix("communicate.") for step in plan.steps] == IDS

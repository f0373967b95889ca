"""What the output of a bundler means."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pratique.assess.bundles import untold
from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.assess.match import match
from pratique.incidents import library
from pratique.model.incident import Incident
from pratique.model.location import Location
from pratique.model.observation import AnyFact, BundledFact, ComponentFact, ContentFact, Observation, Telling, Time
from pratique.model.verdict import Sighting, Status

AXIOS = library.load_file(library.BUNDLED / "axios-2026-03-31.toml")
CHALK = library.load_file(library.BUNDLED / "chalk-debug-2025-09-08.toml")


def seen(fact: AnyFact, path: str = "shop/dist/main.js", written: str | None = None) -> Observation:
    times = (Time("the bundle was last written", written, "file modification time"),) if written else ()
    return Observation("bundle", Location("file:///t", path), fact, times)


def evidence(*observations: Observation) -> Evidence:
    return Evidence(observations, {}, {"file:///t": "/t"})


def sightings(incident: Incident, *observations: Observation) -> list[Sighting]:
    catalogue = Catalogue([incident])
    return list(match(catalogue, evidence(*(item for item in observations if catalogue.keeps(item)))))


def carried(version: str, told_by: Telling) -> ComponentFact:
    return ComponentFact(name="axios", version=version, depth="installed", record="bundle", told_by=told_by)


@pytest.mark.parametrize(
    ("told_by", "confidence"),
    [("constant", "medium"), ("path", "medium"), ("manifest", "low"), ("banner", "low"), ("literal", "low")],
)
def test_confidence_follows_what_tells_it(told_by: Telling, confidence: str) -> None:
    (found,) = sightings(AXIOS, seen(carried("1.14.1", told_by)))
    assert (found.status, str(found.depth), str(found.confidence)) == (Status.AFFECTED, "installed", confidence)
    assert "the machine that built it had it installed" in found.explanation
    assert found.subject.uri == "file:///t/shop"


def test_a_good_release_is_nothing() -> None:
    assert sightings(AXIOS, seen(carried("1.14.0", "constant"))) == []


def test_one_of_several_releases_is_ambiguous_where_one_is_listed() -> None:
    (found,) = sightings(AXIOS, seen(BundledFact(name="axios", versions=("1.14.1", "2.0.0"))))
    assert (found.status, found.purl) == (Status.UNDER_INVESTIGATION, "pkg:npm/axios@1.14.1")
    assert sightings(AXIOS, seen(BundledFact(name="axios", versions=("1.14.0", "2.0.0")))) == []
    assert sightings(AXIOS, seen(BundledFact(name="axios"))) == []


def gaps(*observations: Observation, named: bool = True) -> list[tuple[str, bool]]:
    catalogue = Catalogue([AXIOS], frozenset({AXIOS.id}) if named else frozenset())
    found = evidence(*observations)
    return [(item.refusal.path, item.relevant) for item in untold(catalogue, found.observations, found.projects())]


def test_a_package_of_unknown_release_is_a_gap_where_the_incident_is_named() -> None:
    unknown = seen(BundledFact(name="axios"))
    assert gaps(unknown) == [("shop/dist/main.js", True)]
    assert gaps(unknown, named=False) == [("shop/dist/main.js", False)]
    assert gaps(seen(BundledFact(name="left"))) == []


def test_another_part_of_the_same_build_may_tell_the_release() -> None:
    unknown = seen(BundledFact(name="axios"), "shop/dist/main.js.map")
    assert gaps(unknown, seen(carried("1.14.0", "constant"))) == []
    assert gaps(unknown, seen(carried("1.14.0", "constant"), "other/dist/main.js")) != []
    assert gaps(unknown, seen(carried("1.14.0", "constant"), "shop/dist/assets/other.js")) == []
    assert gaps(unknown, seen(carried("1.14.0", "constant"), "shop/public/main.js")) != [], "another output of it"


def test_a_bundle_older_than_the_release_cannot_carry_it() -> None:
    fact = BundledFact(name="axios")
    assert gaps(seen(fact, written="2026-03-30T12:00:00.000Z")) == []
    assert gaps(seen(fact, written="2026-03-31T00:30:00.000Z")) != []
    assert gaps(seen(fact, written="2026-09-01T00:00:00.000Z")) != []


def content(value: str, path: str = "shop/dist/main.js") -> Observation:
    return seen(ContentFact(value=value, kind_of_file="bundle"), path)


def test_two_texts_of_the_code_are_affected_and_one_is_ambiguous() -> None:
    control, wallet = (
        next(item.value for item in CHALK.indicators if item.id == name) for name in ("control-object", "wallet")
    )
    (found,) = sightings(CHALK, content(control), content(wallet))
    assert (found.status, str(found.depth), str(found.confidence)) == (Status.AFFECTED, "installed", "medium")
    assert found.purl == "pkg:generic/chalk-debug-2025-09-08"
    assert "visitors' browsers" in found.explanation
    assert len(found.observations) == 2
    (alone,) = sightings(CHALK, content(wallet))
    assert alone.status is Status.UNDER_INVESTIGATION
    apart = sightings(CHALK, content(control), content(wallet, "other/dist/main.js"))
    assert {item.status for item in apart} == {Status.UNDER_INVESTIGATION}
    assert sightings(AXIOS, content(control), content(wallet)) == []


def broken(change: dict[str, Any]) -> list[str]:
    component = msgspec.structs.replace(AXIOS.components[0], bundle=msgspec.convert(change, library.Signature))
    return library.check(msgspec.structs.replace(AXIOS, components=(component, *AXIOS.components[1:])))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"marks": ["longEnough"], "least": 1, "direct": [r"x(\d+)"]}, None),
        ({"marks": ["longEnough"], "least": 2}, "least"),
        ({"marks": ["abc"]}, "five characters"),
        ({"marks": ["longEnough"], "direct": ["("]}, "no regular expression"),
        ({"marks": ["longEnough"], "named": ["x"]}, "exactly one group"),
    ],
)
def test_signatures_of_incidents_are_checked(change: dict[str, Any], said: str | None) -> None:
    problems = broken(change)
    assert problems == [] if said is None else said in problems[0]

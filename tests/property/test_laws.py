"""The laws of the house that bear on judgement, on facts of every kind in every combination."""

from __future__ import annotations

import datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.assess.judge import OpenGap, judge
from pratique.assess.match import match
from pratique.incidents import library
from pratique.model.location import Location
from pratique.model.observation import (
    ComponentFact,
    FolderFact,
    Observation,
    ProtectionFact,
    RangeFact,
    ScriptFact,
    SideEffectFact,
)
from pratique.model.verdict import STATUS_RANK, Sighting, Status, Subject, Verdict

AXIOS = library.load_file(library.BUNDLED / "axios-2026-03-31.toml")
CATALOGUE = Catalogue([AXIOS])
TARGET = "file:///harbour"
FOLDER = "shop/node_modules/plain-crypto-js"
DECOY = AXIOS.tampering[0].decoy_integrity or "sha512-" + "A" * 86 + "=="
BAD_HASH = next(
    version.sha512
    for component in AXIOS.components
    if component.name == "plain-crypto-js"
    for version in component.versions
    if version.version == "4.2.1"
)
KINDS = {"package-lock": "project", "npm-debug-log": "log", "npm-cache-index": "cache"}

versions = st.sampled_from(["4.2.1", "4.2.0"])
integrities = st.sampled_from([(), (BAD_HASH or "",), (DECOY,), ("sha512-" + "B" * 86 + "==",)])
origins = st.sampled_from(["registry", "registry", "registry", "unknown", "git", "workspace", "file"])


def at(reader: str, path: str, fact: object) -> Observation:
    return Observation(reader, Location(TARGET, path), fact)


locks = st.builds(
    lambda version, integrity, origin: at(
        "package-lock",
        "shop/package-lock.json",
        ComponentFact(
            name="plain-crypto-js",
            version=version,
            depth="resolved",
            record="lock",
            integrity=integrity,
            origin=origin,
            folder=FOLDER,
        ),
    ),
    versions,
    integrities,
    origins,
)
records = st.builds(
    lambda version, integrity: at(
        "hidden-lockfile",
        "shop/node_modules/.package-lock.json",
        ComponentFact(
            name="plain-crypto-js",
            version=version,
            depth="installed",
            record="installed-record",
            integrity=integrity,
            folder=FOLDER,
        ),
    ),
    versions,
    integrities,
)
manifests = st.builds(
    lambda version: at(
        "manifest",
        f"{FOLDER}/package.json",
        ComponentFact(
            name="plain-crypto-js",
            version=version,
            depth="installed",
            record="manifest",
            origin="unknown",
            folder=FOLDER,
        ),
    ),
    versions,
)
folders = st.builds(
    lambda present: at(
        "probe",
        FOLDER,
        FolderFact(
            folder=FOLDER,
            exists=True,
            present=tuple(sorted(present)),
            absent=tuple(sorted({"setup.js", "package.md", "package.json"} - present)),
        ),
    ),
    st.sets(st.sampled_from(["setup.js", "package.md", "package.json"])),
)
others = st.sampled_from(
    [
        at("npm-cache-index", "home/.npm/_cacache/index-v5/aa/bb/cc", ComponentFact(name="axios", version="1.14.1", depth="fetched", record="cache")),
        at("npm-debug-log", "home/.npm/_logs/x-debug-0.log", ScriptFact(name="plain-crypto-js", version="4.2.1", script="postinstall", outcome="finished", exit_code=0)),
        at("npm-debug-log", "home/.npm/_logs/x-debug-0.log", ScriptFact(name="plain-crypto-js", version="4.2.1", script="postinstall", outcome="blocked")),
        at("manifest", "shop/package.json", RangeFact(name="axios", range="1.14.1", field="dependencies", exact="1.14.1")),
        at("manifest", "shop/package.json", RangeFact(name="axios", range="^1.14.0", field="dependencies")),
        at("manifest", "shop/package.json", ProtectionFact(name="axios", field="overrides", selector="axios@1.14.1", forces="1.14.0")),
        at("manifest", "shop/node_modules/axios/package.json", RangeFact(name="plain-crypto-js", range="^4.2.1", field="dependencies", asked_by="axios@1.14.1")),
        at("pnpm-store-index", "home/store/v10/index/a.json", SideEffectFact(name="plain-crypto-js", version="4.2.1", platform="linux", deleted=("setup.js",))),
        at("package-lock", "shop/package-lock.json", ComponentFact(name="axios", version="1.14.1", depth="resolved", record="lock", folder="shop/node_modules/axios")),
        at("yarn-lock", "shop/node_modules/x/yarn.lock", ComponentFact(name="axios", version="1.14.1", depth="resolved", record="lock", shipped_in="x")),
    ]
)  # fmt: skip
observations = st.lists(st.one_of(locks, records, manifests, folders, others), max_size=8, unique=True)

LOWERING = (ProtectionFact, ComponentFact)
"""Facts that may lower a verdict: a protection in force, or a resolution elsewhere (another source, the decoy)."""


def sightings(found: list[Observation]) -> list[Sighting]:
    return list(match(CATALOGUE, Evidence(found, KINDS, {TARGET: "/harbour"})))


def verdicts(found: list[Observation], gaps: list[OpenGap] | None = None) -> dict[Subject, Verdict]:
    by_subject: dict[Subject, list[Sighting]] = {}
    for sighting in sightings(found):
        by_subject.setdefault(sighting.subject, []).append(sighting)
    by_gap: dict[Subject, list[OpenGap]] = {}
    for gap in gaps or []:
        by_gap.setdefault(gap.subject, []).append(gap)
    return {
        subject: judge(AXIOS, subject, by_subject.get(subject, ()), by_gap.get(subject, ()), 3)
        for subject in {*by_subject, *by_gap}
    }


def rank(verdict: Verdict | None) -> tuple[int, int, int]:
    if verdict is None:
        return (STATUS_RANK[Status.NOT_AFFECTED], -1, -1)
    depth = verdict.depth.rank if verdict.depth else -1
    return (STATUS_RANK[verdict.status], depth, verdict.confidence.rank)


SUBJECT = Subject("project", f"{TARGET}/shop")
GAP = OpenGap("gap", SUBJECT, (), accepted=False)


@settings(max_examples=300)
@given(found=observations)
def test_law_2_a_relevant_refusal_never_lowers_and_lifts_every_negative(found: list[Observation]) -> None:
    before, after = verdicts(found), verdicts(found, [GAP])
    for subject in before:
        old, new = rank(before[subject]), rank(after[subject])
        assert new[:2] >= old[:2]
        if before[subject].status is after[subject].status:
            assert new[2] >= old[2]
    assert after[SUBJECT].status in (Status.AFFECTED, Status.UNDER_INVESTIGATION)


@settings(max_examples=300)
@given(found=observations, accepted=st.booleans())
def test_law_2_an_accepted_refusal_is_named_and_changes_no_status(found: list[Observation], accepted: bool) -> None:
    gap = msgspec.structs.replace(GAP, accepted=accepted)
    after = verdicts(found, [gap])[SUBJECT]
    before = verdicts(found).get(SUBJECT)
    if accepted:
        assert after.accepted_gaps == ("gap",)
        assert after.status is (before.status if before else Status.NOT_AFFECTED)
    else:
        assert after.gaps == ("gap",)


@settings(max_examples=400)
@given(found=observations, position=st.integers(0, 7))
def test_law_2_replacing_an_artifact_by_a_refusal_never_gives_a_negative(
    found: list[Observation], position: int
) -> None:
    paths = sorted({item.location.path for item in found})
    if not paths:
        return
    lost = paths[position % len(paths)]
    rest = [item for item in found if item.location.path != lost]
    subjects = {s.subject for s in sightings(found)} | {SUBJECT}
    gaps = [OpenGap("gap", subject, (), accepted=False) for subject in subjects]
    for verdict in verdicts(rest, gaps).values():
        assert verdict.status not in (Status.NOT_AFFECTED, Status.FIXED)


@settings(max_examples=400)
@given(found=observations, more=st.one_of(locks, records, others))
def test_law_2_a_bad_version_never_lowers(found: list[Observation], more: Observation) -> None:
    fact = more.facts
    lowers = (
        (isinstance(fact, ComponentFact) and (fact.version == "4.2.0" or fact.origin not in ("registry", "unknown")))
        or isinstance(fact, ProtectionFact)
    )  # fmt: skip
    if lowers or any(item.location.path == more.location.path and item.facts == fact for item in found):
        return
    before, after = verdicts(found), verdicts([*found, more])
    for subject, verdict in before.items():
        assert rank(after.get(subject))[:2] >= rank(verdict)[:2], (verdict, after.get(subject))


@settings(max_examples=300)
@given(found=observations)
def test_law_2_what_lowered_a_verdict_is_named_and_of_a_kind_that_may(found: list[Observation]) -> None:
    for sighting in sightings(found):
        if sighting.status is Status.NOT_AFFECTED:
            assert sighting.lowered_by
            assert all(isinstance(item.facts, LOWERING) for item in sighting.lowered_by)
        else:
            assert sighting.lowered_by == ()


@settings(max_examples=300)
@given(found=observations)
def test_law_4_every_sighting_names_its_observations(found: list[Observation]) -> None:
    known = set(found)
    for sighting in sightings(found):
        assert sighting.observations
        assert set(sighting.observations) <= known
    for verdict in verdicts(found).values():
        assert verdict.sightings or verdict.gaps


@settings(max_examples=200)
@given(found=observations, seed=st.randoms(use_true_random=False))
def test_law_8_order_does_not_matter(found: list[Observation], seed: object) -> None:
    shuffled = list(found)
    seed.shuffle(shuffled)
    assert set(sightings(found)) == set(sightings(shuffled))
    assert verdicts(found) == verdicts(shuffled)


@settings(max_examples=300)
@given(found=observations)
def test_a_listed_release_from_a_registry_is_never_nothing(found: list[Observation]) -> None:
    for item in found:
        fact = item.facts
        if (
            isinstance(fact, ComponentFact)
            and fact.version in ("4.2.1", "1.14.1")
            and fact.origin in ("registry", "unknown")
            and fact.shipped_in is None
        ):
            assert any(
                verdict.status is Status.AFFECTED
                for verdict in verdicts(found).values()
                if any(item in sighting.observations for sighting in verdict.sightings)
            )


@pytest.mark.parametrize("status", list(Status))
def test_statuses_are_those_of_openvex(status: Status) -> None:
    assert status.value in {"under_investigation", "affected", "not_affected", "fixed"}


def test_the_incident_is_the_one_these_laws_are_tested_on() -> None:
    assert AXIOS.updated <= datetime.date(2027, 1, 1)
    assert AXIOS.tampering[0].manifest_version_after == "4.2.0"

"""Is it over? `fixed` is said only where nothing speaks against it, and nothing that is added makes it better."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.assess.recovery import CLOSED, DEPTHS, STATUSES, Before, Facts, Held, Now, judge
from pratique.model.verification import Open

INCIDENT = "axios-2026-03-31"
TARGET = "file:///home/dev"
SHOP = "file:///home/dev/shop"


def before(**values: Any) -> Before:
    known: dict[str, Any] = {
        "incident": INCIDENT,
        "subject": SHOP,
        "kind": "project",
        "host": "laptop",
        "depth": "installed",
        "sightings": frozenset({"a"}),
        "targets": frozenset({TARGET}),
    }
    return Before(**{**known, **values})


def now(**values: Any) -> Now:
    known: dict[str, Any] = {
        "incident": INCIDENT,
        "subject": SHOP,
        "kind": "project",
        "status": "affected",
        "depth": "installed",
        "current": True,
        "sightings": frozenset({"a"}),
    }
    return Now(**{**known, **values})


def held(**values: Any) -> Held:
    known: dict[str, Any] = {
        "credential": "c",
        "provider": "npm",
        "tier": 0,
        "place": "$HOME/.npmrc",
        "field": "_authToken",
        "comparison": "changed",
        "recorded": "verified",
    }
    return Held(**{**known, **values})


def facts(*, old: tuple[Before, ...] = (), **values: Any) -> Facts:
    known: dict[str, Any] = {"host": "laptop", "before": old or (before(),), "credentials": (held(),)}
    return Facts(**{**known, **values})


def test_looked_at_again_and_gone_is_fixed() -> None:
    found = judge(facts())
    assert found.status == "fixed"
    assert [item.status for item in found.subjects] == ["fixed"]
    assert not found.open


def test_nothing_was_affected() -> None:
    assert judge(Facts(host="laptop", before=())).status == "fixed"


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        (facts(now=(now(),)), "affected", "still there"),
        (facts(now=(now(status="under_investigation"),)), "under_investigation", "not decided"),
        (facts(now=(now(sightings=frozenset({"b"}), current=False),)), "affected", "not seen before"),
        (facts(now=(now(subject="file:///home/dev/other"),)), "affected", "first time"),
        (facts(old=(before(depth="executed"),)), "affected", "rebuilt"),
        (facts(old=(before(depth="active"),)), "affected", "rebuilt"),
        (facts(unreachable={TARGET: "is not there any more"}), "under_investigation", "cannot be looked at again"),
        (facts(refusals=((TARGET, "shop/package-lock.json", "cut"),)), "under_investigation", "could not be read"),
        (facts(unknown=frozenset({INCIDENT})), "under_investigation", "not at hand"),
        (facts(withdrawn=frozenset({(INCIDENT, "pkg:npm/axios@1.14.1")})), "under_investigation", "does not list"),
        (facts(old=(before(targets=frozenset()),)), "under_investigation", "does not say where"),
        (facts(armed=("tanstack-2026-05-11",)), "under_investigation", "dead man's switch"),
        (facts(credentials=None), "under_investigation", "No inventory"),
        (facts(uninventoried=(("the jobs", "pratique reach"),)), "under_investigation", "what the jobs could read"),
        (facts(damaged=("entry 3, body: changed",)), "under_investigation", "does not agree"),
        (facts(unread=(("$HOME/.aws/credentials", "not understood"),)), "under_investigation", "by hand"),
        (facts(remarks=(Open(what="it is there again"),)), "under_investigation", "there again"),
    ],
)
def test_what_speaks_against_it(found: Facts, status: str, words: str) -> None:
    judged = judge(found)
    assert judged.status == status
    text = " ".join(f"{item.what} {item.advice}" for item in judged.open)
    text += " ".join(item.reason for item in judged.subjects)
    assert words in text


def test_a_run_needs_the_record_of_a_rebuild_and_that_is_enough() -> None:
    ran = before(depth="executed")
    assert judge(facts(old=(ran,))).status == "affected"
    assert judge(facts(old=(ran,), rebuilt=frozenset({"another"}))).status == "affected"
    assert judge(facts(old=(ran,), rebuilt=frozenset({"laptop"}))).status == "fixed"


def test_a_rebuild_does_not_excuse_what_is_still_there() -> None:
    found = facts(old=(before(depth="executed"),), now=(now(depth="executed"),), rebuilt=frozenset({"laptop"}))
    assert judge(found).status == "affected"


def test_a_place_that_is_gone_needs_a_word() -> None:
    gone = {TARGET: "is not there any more"}
    assert judge(facts(unreachable=gone)).status == "under_investigation"
    assert judge(facts(unreachable=gone, rebuilt=frozenset({"laptop"}))).status == "fixed"
    assert judge(facts(old=(before(recorded=True),), unreachable=gone)).status == "fixed"
    assert judge(facts(old=(before(recorded=True, depth="executed"),), unreachable=gone)).status == "affected"
    assert judge(facts(old=(before(recorded=True),), now=(now(),))).status == "affected"


def test_a_log_of_the_past_does_not_keep_it_open_and_a_newer_entry_does() -> None:
    log = before(kind="log", depth="fetched")
    assert judge(facts(old=(log,), now=(now(kind="log", depth="fetched"),))).status == "fixed"
    newer = now(kind="log", depth="fetched", sightings=frozenset({"a", "b"}))
    assert judge(facts(old=(log,), now=(newer,))).status == "affected"


def test_a_log_of_a_run_elsewhere_needs_no_rebuild_here() -> None:
    log = before(kind="log", depth="executed", of_this_machine=False)
    assert judge(facts(old=(log,), now=(now(kind="log", depth="executed"),))).status == "fixed"


def test_history_that_no_branch_leads_to_any_more_is_the_past() -> None:
    history = before(kind="repository", depth="resolved", of_this_machine=False)
    assert judge(facts(old=(history,), now=(now(kind="repository", current=False),))).status == "fixed"
    assert judge(facts(old=(history,), now=(now(kind="repository", current=True),))).status == "affected"


def test_another_machine_is_not_answered_for_here() -> None:
    there = before(host="runner", targets=frozenset({"runner: file:///build"}))
    found = facts(old=(there,), unreachable={"runner: file:///build": "it is a place of runner"}, now=(now(),))
    judged = judge(found)
    assert {(item.host, item.status) for item in judged.subjects} == {
        ("runner", "under_investigation"),
        ("laptop", "affected"),
    }


def test_a_place_where_nothing_was_seen_may_go_unless_it_could_not_be_read_then() -> None:
    gone = {"file:///elsewhere": "is not there any more"}
    assert judge(facts(unreachable=gone)).status == "fixed"
    assert judge(facts(unreachable=gone, unsettled=frozenset(gone))).status == "under_investigation"


@pytest.mark.parametrize(
    ("comparison", "recorded", "closed"),
    [
        ("changed", "", False),
        ("changed", "deployed", False),
        ("changed", "revoked", True),
        ("changed", "verified", True),
        ("gone", "", False),
        ("gone", "revoked", True),
        ("unchanged", "", False),
        ("unchanged", "verified", False),
        ("unchanged", "not-needed", True),
        ("cannot-tell", "", False),
        ("cannot-tell", "verified", True),
    ],
)
def test_what_closes_a_credential(comparison: str, recorded: str, closed: bool) -> None:
    judged = judge(facts(credentials=(held(comparison=comparison, recorded=recorded),)))
    assert judged.credentials[0].closed is closed
    assert (judged.status == "fixed") is closed


def test_what_ended_by_itself_is_closed() -> None:
    assert judge(facts(credentials=(held(comparison="unchanged", recorded="", ended="2026-04-01"),))).status == "fixed"


def test_the_age_of_what_was_not_rotated_is_told() -> None:
    judged = judge(facts(credentials=(held(comparison="unchanged", recorded="", age=240),)))
    assert "240 days old" in judged.open[0].what


def test_a_release_that_was_only_locked_asks_for_no_inventory() -> None:
    assert judge(facts(old=(before(depth="resolved"),), credentials=None)).status == "fixed"


def test_open_things_stand_in_the_order_of_the_work() -> None:
    found = facts(
        old=(before(depth="executed"),),
        armed=("tanstack-2026-05-11",),
        refusals=((TARGET, "x", "cut"),),
        credentials=(held(recorded=""),),
        remarks=(Open(what="no seal", blocks=False),),
    )
    words = [item.what for item in judge(found).open]
    order = ("dead man's switch", "rebuilt", "could not be examined", "npm", "no seal")
    assert [next(key for key in order if key in text) for text in words] == list(order)


def test_the_shell_is_given_the_case_as_it_is_named() -> None:
    found = facts(case="/cases/axios", credentials=(held(recorded=""),))
    assert judge(found).open[0].advice.endswith("pratique case done /cases/axios c --state verified --grade GRADE")


befores = st.builds(
    before,
    subject=st.sampled_from([SHOP, "file:///home/dev/other"]),
    kind=st.sampled_from(["project", "log", "cache", "repository"]),
    host=st.sampled_from(["laptop", "runner"]),
    depth=st.sampled_from([*DEPTHS, None]),
    sightings=st.frozensets(st.sampled_from("abc")),
    targets=st.frozensets(st.sampled_from([TARGET, "file:///other"])),
    of_this_machine=st.booleans(),
    recorded=st.booleans(),
)
nows = st.builds(
    now,
    subject=st.sampled_from([SHOP, "file:///home/dev/other", "file:///new"]),
    kind=st.sampled_from(["project", "log", "cache", "repository"]),
    status=st.sampled_from(["affected", "under_investigation", "not_affected"]),
    depth=st.sampled_from([*DEPTHS, None]),
    current=st.booleans(),
    sightings=st.frozensets(st.sampled_from("abcd"), min_size=1),
)
helds = st.builds(
    held,
    credential=st.sampled_from("xyz"),
    comparison=st.sampled_from(["unchanged", "changed", "gone", "cannot-tell"]),
    recorded=st.sampled_from(["", "new-issued", "deployed", *CLOSED]),
)
refusals = st.tuples(st.sampled_from([TARGET, "file:///other"]), st.just("x"), st.just("cut"))
everything = st.builds(
    Facts,
    host=st.just("laptop"),
    before=st.lists(befores, max_size=3, unique_by=lambda item: (item.incident, item.subject, item.host)).map(tuple),
    now=st.lists(nows, max_size=3, unique_by=lambda item: (item.incident, item.subject)).map(tuple),
    unreachable=st.dictionaries(st.sampled_from([TARGET, "file:///other"]), st.just("gone"), max_size=2),
    refusals=st.lists(refusals, max_size=2).map(tuple),
    rebuilt=st.frozensets(st.sampled_from(["laptop", "runner"])),
    armed=st.lists(st.just("tanstack-2026-05-11"), max_size=1).map(tuple),
    credentials=st.none() | st.lists(helds, max_size=3).map(tuple),
    unread=st.lists(st.just(("$HOME/.x", "not understood")), max_size=1).map(tuple),
)


def rank(found: Facts) -> int:
    return STATUSES.index(judge(found).status)


@given(everything, refusals)
def test_law_2_a_refusal_never_makes_it_better(found: Facts, refusal: tuple[str, str, str]) -> None:
    more = msgspec.structs.replace(found, refusals=(*found.refusals, refusal))
    assert rank(more) >= rank(found)
    unread = msgspec.structs.replace(found, unread=(*found.unread, ("$HOME/.y", "too large")))
    assert rank(unread) >= rank(found)


@given(everything, st.sampled_from([TARGET, "file:///other", "file:///third"]))
def test_law_2_a_place_that_cannot_be_reached_never_makes_it_better(found: Facts, target: str) -> None:
    more = msgspec.structs.replace(found, unreachable={**found.unreachable, target: "gone"})
    assert rank(more) >= rank(found)


@given(everything, nows)
def test_law_2_a_sighting_never_makes_it_better(found: Facts, seen: Now) -> None:
    """A verdict of a subject that had none, or one more sighting in a verdict that is there."""
    keys = {(item.incident, item.subject) for item in found.now}
    if (seen.incident, seen.subject) not in keys:
        assert rank(msgspec.structs.replace(found, now=(*found.now, seen))) >= rank(found)
        return
    grown = tuple(
        msgspec.structs.replace(item, sightings=item.sightings | seen.sightings, current=item.current or seen.current)
        if (item.incident, item.subject) == (seen.incident, seen.subject)
        else item
        for item in found.now
    )
    assert rank(msgspec.structs.replace(found, now=grown)) >= rank(found)


@given(everything, befores)
def test_law_2_a_subject_that_was_affected_never_makes_it_better(found: Facts, old: Before) -> None:
    if (old.incident, old.subject, old.host) in {(item.incident, item.subject, item.host) for item in found.before}:
        return
    assert rank(msgspec.structs.replace(found, before=(*found.before, old))) >= rank(found)


@given(everything)
def test_law_2_a_value_that_is_seen_unchanged_never_makes_it_better(found: Facts) -> None:
    same = tuple(msgspec.structs.replace(item, comparison="unchanged") for item in found.credentials or ())
    assert rank(msgspec.structs.replace(found, credentials=same)) >= rank(
        msgspec.structs.replace(found, credentials=found.credentials or ())
    )
    more = (*(found.credentials or ()), held(credential="w", comparison="unchanged", recorded=""))
    assert rank(msgspec.structs.replace(found, credentials=more)) >= rank(
        msgspec.structs.replace(found, credentials=found.credentials or ())
    )


@given(everything)
def test_a_rebuild_never_makes_it_worse_and_alone_never_hides_what_is_there(found: Facts) -> None:
    more = msgspec.structs.replace(found, rebuilt=frozenset({"laptop", "runner"}))
    assert rank(more) <= rank(found)
    for item in found.now:
        if item.status == "affected" and item.current and item.kind != "log":
            assert judge(more).status == "affected"


@given(everything)
def test_fixed_means_that_nothing_is_in_the_way(found: Facts) -> None:
    judged = judge(found)
    assert (judged.status == "fixed") == (
        all(item.status == "fixed" for item in judged.subjects) and not any(item.blocks for item in judged.open)
    )


@given(everything, st.randoms(use_true_random=False))
def test_the_order_of_what_is_seen_does_not_matter(found: Facts, random: Any) -> None:
    old, new = list(found.before), list(found.now)
    random.shuffle(old)
    random.shuffle(new)
    assert judge(msgspec.structs.replace(found, before=tuple(old), now=tuple(new))) == judge(found)

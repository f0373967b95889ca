"""Rotation steps: from what was in reach, in order, held back by a dead man's switch, in words that fit the evidence."""

from __future__ import annotations

import random

import msgspec
import pytest

from pratique.incidents.index import load
from pratique.model.case import Rotation
from pratique.model.credential import Credential, CredentialFact, ReachRefusal
from pratique.model.plan import Manual, Step
from pratique.readers.credentials.table import table
from pratique.respond.rotate.library import ids
from pratique.respond.rotate.planner import notes, remediation_order, steps
from pratique.respond.rotate.wanted import CLASSES
from pratique.respond.situation import Situation
from tests.unit.respond.situations import AXIOS, credential, reach, report, situation

SWITCHES = sorted(item.id for item in load().incidents() if item.dead_man_switch)


def planned(*credentials: Credential, **values: object) -> list[Step]:
    return list(steps(situation(report(AXIOS), found=reach(credentials), **values)))


def told(step: Step) -> str:
    assert isinstance(step.action, Manual)
    return "\n".join((step.title, step.reason, *step.action.instructions))


def values(found: list[Step]) -> list[Step]:
    return [step for step in found if ".value." in step.id]


def test_nothing_is_done_by_the_program() -> None:
    for step in planned(credential("npm"), credential("aws"), credential("github-token")):
        assert step.disposition == "manual"
        assert step.phase == "rotate"


def test_each_provider_contains_replaces_and_looks_again() -> None:
    found = planned(credential("npm"))
    assert [step.id for step in found] == ["rotate.npm.first", "rotate.npm.value.npm-1", "rotate.npm.look-again"]
    assert found[1].after == ("rotate.npm.first",)
    assert found[2].after == ("rotate.npm.value.npm-1",)
    assert found[2].until == "2026-11-27"


def test_ids_are_unique_and_every_step_before_is_there() -> None:
    names = ("npm", "github-token", "github-ssh", "aws", "vault", "browser-sessions", "postgresql")
    found = planned(*(credential(name) for name in names))
    ids = [step.id for step in found]
    assert len(ids) == len(set(ids))
    for position, step in enumerate(found):
        assert set(step.after) <= set(ids[:position])


def test_what_made_the_others_goes_first() -> None:
    found = planned(credential("github-ssh"), credential("npm"), credential("github-token"), credential("wallet"))
    assert [step.id.split(".")[1] for step in values(found)] == ["wallet", "github-token", "github-ssh", "npm"]
    assert "rotate.github-token.value.github-token-1" in found[-1].after or any(
        "rotate.github-token.value.github-token-1" in step.after for step in found if step.id == "rotate.npm.first"
    )


def test_revoke_first_revokes_before_the_new_one() -> None:
    text = told(values(planned(credential("npm")))[0])
    assert text.index("Revoke:") < text.index("New:") < text.index("Put the new one into:")
    text = told(values(planned(credential("docker-hub")))[0])
    assert text.index("New:") < text.index("Put the new one into:") < text.index("Revoke:")


@pytest.mark.parametrize("name", SWITCHES)
def test_with_a_dead_mans_switch_every_step_waits_for_the_sweep(name: str) -> None:
    """Their own order is data: the sweep comes before the rotation in the definition, and so it does here."""
    verdict = (name, "affected", "installed", "file:///home/dev/shop")
    for found in (reach([credential("github-token"), credential("npm")]), None):
        made = list(steps(situation(report(verdict), found=found)))
        assert made
        for step in made:
            assert step.triggers_dead_man_switch
            assert [item.incident for item in step.preconditions if item.kind == "swept"] == [name]
    before = remediation_order(load().incident(name))
    assert before
    assert {"disarm", "confirm"} <= set(before)


def test_the_switch_of_a_shallow_sighting_holds_back_the_rotation_of_another_incident() -> None:
    both = report(AXIOS, ("tanstack-2026-05-11", "affected", "declared", "file:///home/dev/other"))
    made = list(steps(situation(both, found=reach([credential("npm")]))))
    assert all(any(item.kind == "swept" for item in step.preconditions) for step in made)


def test_every_step_may_set_off_a_switch_and_wants_another_machine() -> None:
    for step in planned(credential("npm"), credential("aws")):
        assert step.triggers_dead_man_switch
        assert any(item.kind == "rebuilt" for item in step.preconditions)


def test_words_fit_the_evidence() -> None:
    texts = {
        taken: told(values(planned(credential("npm", taken=taken)))[0])
        for taken in ("taken", "targeted", "in-reach", None)
    }
    assert "lost secrets of this class" in texts["taken"]
    assert "looks for secrets of this class" in texts["targeted"]
    assert texts["in-reach"] == texts[None]
    assert "that it was taken is not shown" in texts[None]
    for text in texts.values():
        assert "stolen" not in text.lower()


def test_that_it_was_not_run_here_is_said() -> None:
    verdict = ("axios-2026-03-31", "affected", "installed", "file:///home/dev/shop")
    made = list(steps(situation(report(verdict), found=reach([credential("npm")]))))
    assert "Nothing here shows that the code ran" in told(values(made)[0])
    assert "Nothing here shows" not in told(values(planned(credential("npm")))[0])


@pytest.mark.parametrize("depth", ["declared", "resolved"])
def test_what_never_came_here_calls_for_no_rotation_and_is_noted(depth: str) -> None:
    found = situation(report(("axios-2026-03-31", "affected", depth, "file:///home/dev/shop")))
    assert list(steps(found)) == []
    assert any("nothing is rotated for that" in note for note in notes(found))


def test_the_same_value_is_one_step_that_names_every_place() -> None:
    found = planned(
        credential("npm", id="a", place="$HOME/.npmrc", same_as=("b",)),
        credential("npm", id="b", place="$PROJECT/.npmrc", same_as=("a",)),
        credential("npm", id="c", place="environment"),
    )
    made = values(found)
    assert len(made) == 2
    assert "$HOME/.npmrc and 1 place more" in made[0].title
    assert "The same value stands in: $HOME/.npmrc; $PROJECT/.npmrc." in made[0].reason


def test_the_same_value_is_found_where_one_side_alone_says_so() -> None:
    found = planned(credential("npm", id="a"), credential("npm", id="b", same_as=("a",)))
    assert len(values(found)) == 1


def test_what_is_no_step_is_a_note() -> None:
    ended = CredentialFact(field="token", expires="2026-11-01T00:00:00Z")
    points = CredentialFact(field="credsStore", state="reference")
    found = situation(
        report(AXIOS),
        found=reach(
            [
                credential("npm", id="a", fact=ended, place="$HOME/.npmrc"),
                credential("docker-hub", id="b", fact=points, place="$HOME/.docker/config.json"),
                credential("ssh", id="c", reach="not-readable", place="/root/.ssh/id_rsa"),
            ],
            [ReachRefusal(location="aws-static", place="$HOME/.aws/credentials", reason="permission denied")],
        ),
    )
    assert list(steps(found)) == []
    text = "\n".join(notes(found))
    for words in ("ended on 2026-11-01", "points elsewhere", "could not be read by this account", "permission denied"):
        assert words in text


def test_a_store_and_a_name_are_steps() -> None:
    found = planned(
        credential("one-password", fact=CredentialFact(field="vault", state="store", protection="keychain")),
        credential("github-actions-secret", fact=CredentialFact(field="NPM_TOKEN", state="name"), place="job:release"),
    )
    assert [step.id.split(".")[1] for step in values(found)] == ["ci-cache", "one-password", "github-actions-secret"]
    assert "Protection: keychain" in values(found)[1].reason


def test_what_ends_today_is_still_replaced() -> None:
    assert planned(credential("npm", fact=CredentialFact(field="token", expires="2026-11-26T00:00:00Z")))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("open", ("Revoke:", "New:", "Put the new one")),
        ("revoked", ("New:", "Put the new one")),
        ("new-issued", ("Put the new one",)),
        ("deployed", ()),
    ],
)
def test_what_is_recorded_is_not_asked_for_again(state: str, expected: tuple[str, ...]) -> None:
    rotation = Rotation(credential="npm-1", state=state)
    text = told(values(planned(credential("npm"), rotations={"npm-1": rotation}))[0])
    for word in ("Revoke:", "New:", "Put the new one"):
        assert (word in text) == (word in expected)
    assert ("finish replacing" in text) == (state != "open")


def test_what_is_closed_is_shown_with_its_record() -> None:
    rotation = Rotation(credential="npm-1", state="verified", grade="issuer-lists-it", words="done by Ada")
    made = planned(credential("npm"), rotations={"npm-1": rotation})
    assert [step.id for step in made] == ["rotate.npm.value.npm-1"]
    assert "done" in made[0].title
    assert "issuer lists it" in made[0].reason
    assert "done by Ada" in made[0].reason


def test_one_place_of_a_value_that_is_not_needed_closes_nothing() -> None:
    pair = (credential("npm", id="a", same_as=("b",)), credential("npm", id="b", same_as=("a",)))
    made = planned(*pair, rotations={"a": Rotation(credential="a", state="not-needed")})
    assert "rotate.npm.first" in {step.id for step in made}
    made = planned(*pair, rotations={"a": Rotation(credential="a", state="verified")})
    assert len(made) == 1


def test_without_an_inventory_whole_classes_are_named() -> None:
    found = situation(report(AXIOS))
    made = values(list(steps(found)))
    assert {step.id for step in made} >= {"rotate.npm.value.npm-token", "rotate.aws.value.cloud-key"}
    assert all("No inventory was made" in step.reason for step in made if ".ci-cache." not in step.id)
    assert any("pratique reach" in note for note in notes(found))


def test_every_class_of_the_bundled_incidents_has_its_providers() -> None:
    kinds = {secret.kind for incident in load().incidents() for secret in incident.secrets}
    assert kinds <= set(CLASSES)


def test_what_jobs_held_is_replaced_and_caches_go_before() -> None:
    job = {
        "system": "github-actions",
        "repository": "acme/shop",
        "workflow": "release",
        "job": "publish",
        "secrets": ["NPM_TOKEN", "GITHUB_TOKEN", "AWS_ROLE"],
        "permissions": ["contents: read", "id-token: write"],
    }
    found = situation(report(AXIOS, jobs=[job]), found=reach([]))
    made = values(list(steps(found)))
    assert [step.id for step in made] == [
        "rotate.ci-cache.value.ci-cache",
        "rotate.github-actions-secret.value.job.acme-shop-release-publish",
    ]
    text = told(made[1])
    assert "It held AWS_ROLE, NPM_TOKEN." in text
    assert "GITHUB_TOKEN" not in text
    assert "review trusted publishers and cloud roles" in text


def test_caches_go_before_every_secret_of_a_job_wherever_it_was_issued() -> None:
    held = credential("npm", fact=CredentialFact(field="NPM_TOKEN", state="name"), place="job:release.yml/publish")
    found = planned(held, credential("github-token"))
    assert [step.id.split(".")[1] for step in values(found)] == ["ci-cache", "github-token", "npm"]
    first = next(step for step in found if step.id == "rotate.npm.first")
    assert "rotate.ci-cache.value.ci-cache" in first.after


def test_the_token_of_a_job_ended_with_it() -> None:
    fact = CredentialFact(field="GITHUB_TOKEN", state="name", kind="job-token")
    found = situation(report(AXIOS), found=reach([credential("github-token", fact=fact, place="job:ci.yml/build")]))
    assert list(steps(found)) == []
    assert any("ended with its job" in note for note in notes(found))


def test_an_issuer_that_nobody_described_is_named() -> None:
    found = planned(credential("railway", rotation="other"))
    assert "railway, token in $HOME/.railway" in values(found)[0].title


def test_every_location_names_a_provider_that_is_there() -> None:
    assert {row.rotation for row in table().rows} <= set(ids())


def test_names_that_the_inventory_tells_are_not_told_twice() -> None:
    job = {"system": "github-actions", "job": "publish", "secrets": ["NPM_TOKEN"], "permissions": []}
    known = credential(
        "github-actions-secret", fact=CredentialFact(field="NPM_TOKEN", state="name"), place="job:publish"
    )
    found = situation(report(AXIOS, jobs=[job]), found=reach([known]))
    assert len([step for step in steps(found) if "github-actions-secret.value" in step.id]) == 1


def test_the_same_plan_whatever_the_order_of_the_inventory() -> None:
    names = ["npm", "aws", "ssh", "vault", "stripe", "slack", "gpg", "github-token"]
    first = planned(*(credential(name) for name in names))
    random.Random(4).shuffle(names)
    assert planned(*(credential(name) for name in names)) == first


def test_nothing_seen_nothing_planned() -> None:
    found = situation(report(("axios-2026-03-31", "not_affected", None, "file:///home/dev/shop")))
    assert list(steps(found)) == []
    assert list(notes(found)) == []


def test_a_situation_without_the_definition_still_rotates_what_was_in_reach() -> None:
    found = situation(report(AXIOS), found=reach([credential("npm")]))
    bare: Situation = msgspec.structs.replace(found, incidents={})
    assert len(list(steps(bare))) == 3


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "CI_JOB_TOKEN"])
def test_a_token_that_ends_with_its_job_is_not_counted_among_its_secrets(name: str) -> None:
    job = {"system": "github-actions", "job": "publish", "secrets": [name], "permissions": []}
    assert list(steps(situation(report(AXIOS, jobs=[job]), found=reach([])))) == []

"""What is replaced: the values that an inventory found, else whole classes of secrets, and what jobs held by name.

Credentials of the same value and provider are one item. What ended by itself, could not be read, or points elsewhere
is none.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from pratique.model.credential import Credential
from pratique.model.report import VerdictEntry
from pratique.respond.rotate.library import provider
from pratique.respond.rotate.order import EVIDENCE, Evidence, Item, strongest
from pratique.respond.situation import Situation

RAN = ("executed", "active")
"""Depths at which the code ran."""
_CALLS = ("fetched", "installed", *RAN)
"""Depths that call for new credentials: the code was here, or ran."""

CLASSES: Mapping[str, tuple[str, ...]] = {
    "npm-token": ("npm",),
    "vcs-token": ("github-token", "github-ssh", "gitlab", "bitbucket", "azure-devops"),
    "cloud-key": ("aws", "aws-sso", "gcp", "gcp-user", "azure"),
    "ssh-key": ("ssh", "github-ssh"),
    "ci-secret": ("github-actions-secret",),
    "oidc-publish-token": ("npm", "pypi"),
    "environment": ("environment-file",),
    "env-file": ("environment-file",),
    "browser-data": ("browser-sessions",),
    "password-vault": ("one-password", "bitwarden", "lastpass"),
    "wallet": ("wallet",),
}
"""Providers of a class of secrets, where no inventory was made."""

_JOBS = {"github-actions": "github-actions-secret", "gitlab": "gitlab"}
_JOB_TOKENS = ("GITHUB_TOKEN", "CI_JOB_TOKEN")

ENDS_WITH_JOB = "job-token"
"""Kind of a token that ends with its job."""
CACHES = "ci-cache"
"""The provider of caches and artifacts: before any secret of a job, wherever it stands in the order."""


def calling(situation: Situation) -> dict[str, str]:
    """The incidents that call for new credentials, each with the deepest step that it reached here."""
    found: dict[str, str] = {}
    for verdict in seen(situation):
        if verdict.depth in _CALLS:
            depth = found.get(verdict.incident, verdict.depth)
            found[verdict.incident] = max(depth, verdict.depth, key=_CALLS.index)
    return dict(sorted(found.items()))


def seen(situation: Situation) -> Iterator[VerdictEntry]:
    """The verdicts that rest on a sighting and say that it is, was or may be affected."""
    for report in situation.reports:
        for verdict in report.verdicts:
            if verdict.sightings and verdict.status in ("affected", "under_investigation", "fixed"):
                yield verdict


def items(situation: Situation) -> list[Item]:
    """What is replaced; empty where nothing calls for it. Caches of pipelines go with secrets of pipelines."""
    called = calling(situation)
    found = list(_items(situation, called)) if called else []
    if any(of_a_job(item) for item in found):
        found.append(Item(provider=CACHES, tier=provider(CACHES).tier, kind=CACHES))
    return found


def left_out(credential: Credential, today: datetime.date) -> str:
    """Why a credential is no step; empty where it is one."""
    expires = credential.fact.expires
    if expires is not None and expires[:10] < today.isoformat():
        return f"ended on {expires[:10]}; look for what was made with it before"
    if credential.fact.kind == ENDS_WITH_JOB:
        return "ended with its job; look for what was made with it until then"
    if credential.reach == "not-readable":
        return "could not be read by this account"
    if credential.fact.state == "reference":
        return "points elsewhere; what it points to is looked at there"
    return ""


def of_a_job(item: Item) -> bool:
    """Whether a job held it: a cache that the code wrote would hand out the new one as well."""
    if provider(item.provider).group == "pipeline" or item.job:
        return True
    return any(member.place.startswith("job:") for member in item.members)


def _items(situation: Situation, called: Mapping[str, str]) -> Iterator[Item]:
    if situation.reach is None:
        yield from _classes(situation, called)
        yield from _jobs(situation, frozenset())
        return
    wanted = {
        credential.id: credential
        for credential in situation.reach.credentials
        if not left_out(credential, situation.today)
    }
    told = frozenset(item.fact.field for item in wanted.values() if item.place.startswith("job:"))
    for members in _same(wanted):
        first = members[0]
        yield Item(
            provider=_provider(first),
            tier=min(member.tier for member in members),
            evidence=strongest(members),
            members=members,
        )
    yield from _jobs(situation, told)


def _provider(credential: Credential) -> str:
    return provider(credential.rotation or credential.provider).id


def _same(wanted: Mapping[str, Credential]) -> Iterator[tuple[Credential, ...]]:
    """The credentials in groups of the same value and provider, each with the most dangerous first."""
    left = dict(sorted(wanted.items()))
    while left:
        waiting = [next(iter(left))]
        group: list[Credential] = []
        while waiting:
            found = left.pop(waiting.pop(), None)
            if found is None:
                continue
            group.append(found)
            waiting += [item for item in found.same_as if item in left]
            waiting += [item.id for item in left.values() if found.id in item.same_as]
        yield tuple(sorted(group, key=lambda item: (item.tier, EVIDENCE.index(strongest([item])), item.place, item.id)))


def _classes(situation: Situation, called: Mapping[str, str]) -> Iterator[Item]:
    """One item for each provider of the classes that the incidents reach, the best evidence kept."""
    found: dict[str, Item] = {}
    for name in called:
        incident = situation.incidents.get(name)
        for secret in incident.secrets if incident else ():
            for key in CLASSES.get(secret.kind, ("other",)):
                evidence: Evidence = secret.evidence or "in-reach"
                item = Item(
                    provider=key,
                    tier=provider(key).tier,
                    evidence=evidence,
                    kind=secret.kind,
                    condition=secret.condition,
                )
                known = found.get(key)
                if known is None or EVIDENCE.index(evidence) < EVIDENCE.index(known.evidence):
                    found[key] = item
    yield from found.values()


def _jobs(situation: Situation, told: frozenset[str]) -> Iterator[Item]:
    """What jobs of the reports held, by name; `told` are names that an inventory has already."""
    found: dict[tuple[str, str], tuple[set[str], bool]] = {}
    for report in situation.reports:
        for observation in report.observations:
            if observation.kind != "job":
                continue
            facts = observation.facts
            job = "/".join(str(facts[key]) for key in ("repository", "workflow", "job") if facts.get(key))
            names = {str(name) for name in _listed(facts.get("secrets"))} - told
            names = {name for name in names if name.upper() not in _JOB_TOKENS}
            mints = any("id-token" in str(item) and "write" in str(item) for item in _listed(facts.get("permissions")))
            if names or mints:
                held, before = found.get((str(facts.get("system")), job), (set(), False))
                found[str(facts.get("system")), job] = held | names, before or mints
    for (system, job), (names, mints) in sorted(found.items()):
        key = _JOBS.get(system, "other")
        yield Item(
            provider=key,
            tier=0 if mints else provider(key).tier,
            evidence="in-reach",
            job=job,
            names=tuple(sorted(names)),
            mints_identity=mints,
        )


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()

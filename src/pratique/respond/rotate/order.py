"""What is replaced, and in which order: first what could have made the others, then by danger, then by evidence.

A provider comes after every provider whose credentials could have made its own. Among those that are free to go, roots
of identity come first, then the groups of `GROUPS`, then the lower tier, then the better evidence, then the name.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Literal

import msgspec

from pratique.model.credential import Credential, Tier
from pratique.respond.rotate import library
from pratique.respond.rotate.provider import GROUPS, Provider

Evidence = Literal["taken", "targeted", "in-reach"]
EVIDENCE: tuple[Evidence, ...] = ("taken", "targeted", "in-reach")
"""Strongest first."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One value to replace, wherever it stands; or, without an inventory, a class of secrets."""

    provider: str
    tier: Tier
    evidence: Evidence = "in-reach"
    members: tuple[Credential, ...] = ()
    """Every place of the same value, the most dangerous first."""
    kind: str = ""
    """The class, in the words of incident definitions, where no inventory was made."""
    condition: str = ""
    """When that class was within reach."""
    job: str = ""
    """The job that held it, and `names` of its secrets."""
    names: tuple[str, ...] = ()
    mints_identity: bool = False
    """Whether the job could ask for an identity token."""

    @property
    def id(self) -> str:
        """Name of the item among those of its provider; the same in every run."""
        return self.members[0].id if self.members else self.kind or "job"


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A provider and what is replaced there."""

    provider: Provider
    items: tuple[Item, ...]
    parents: tuple[str, ...]
    """Providers of this work whose credentials could have made these; they come before."""


def strongest(credentials: Iterable[Credential]) -> Evidence:
    """The strongest evidence that any of them carries."""
    found = {credential.taken or "in-reach" for credential in credentials}
    return next((evidence for evidence in EVIDENCE if evidence in found), "in-reach")


@functools.cache
def children(name: str) -> frozenset[str]:
    """Every provider whose credentials one provider's could have made, directly or through others."""
    known = frozenset(library.ids())
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for mint in library.provider(waiting.pop()).mints:
            if mint.of in known and mint.of != name and mint.of not in found:
                found.add(mint.of)
                waiting.append(mint.of)
    return frozenset(found)


def ordered(items: Iterable[Item]) -> tuple[Work, ...]:
    """The work, in the order in which it is done."""
    by_provider: dict[str, list[Item]] = {}
    for item in items:
        by_provider.setdefault(library.provider(item.provider).id, []).append(item)
    waiting = dict(sorted(by_provider.items()))
    done: list[Work] = []
    while waiting:
        free = [name for name in waiting if not any(name in children(other) for other in waiting if other != name)]
        name = min(free or waiting, key=lambda name: _key(library.provider(name), by_provider[name]))
        found = tuple(sorted(waiting.pop(name), key=_item_key))
        parents = tuple(work.provider.id for work in done if name in children(work.provider.id))
        done.append(Work(provider=library.provider(name), items=found, parents=parents))
    return tuple(done)


def _key(provider: Provider, items: list[Item]) -> tuple[int, int, int, str]:
    tier = min(item.tier for item in items)
    evidence = min(EVIDENCE.index(item.evidence) for item in items)
    return GROUPS.index(provider.group), tier, evidence, provider.id


def _item_key(item: Item) -> tuple[int, int, str, str]:
    place = item.members[0].place if item.members else item.job
    return item.tier, EVIDENCE.index(item.evidence), place, item.id

"""Facts of what a Python release states of itself, each against its predecessor: triggers, identity, dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from pratique.model.observation import Refusal
from pratique.model.release import Delta, Fact, Release, Value
from pratique.releases.python import building, dependencies, metadata, record
from pratique.releases.python.building import Keyed

_FIELDS = ("home-page", "author", "author-email", "maintainer", "maintainer-email", "license", "requires-python")


def facts(
    release: Release, predecessor: Release | None, file_facts: Mapping[str, tuple[Fact, ...]]
) -> Iterator[Fact | Refusal]:
    """All facts of what a PyPI release states, with their deltas; nothing for another ecosystem.

    `file_facts` maps a path to the facts of that file; imports are read from there, and of other files cheaply. What
    states nothing, or cannot be read, is a refusal. Triggers are compared between releases of the same form alone.
    """
    if release.ecosystem != "PyPI":
        return
    stated, refusals = metadata.read(release)
    yield from refusals
    before: metadata.Metadata | None = None
    if predecessor is not None:
        before, _ = metadata.read(predecessor)
        if before is None:
            yield metadata.refusal(
                "", f"the predecessor {predecessor.version} states nothing of itself", relevant=False
            )
    same = predecessor if predecessor is not None and predecessor.files.form == release.files.form else None
    yield from _compared(building.facts, release, same)
    yield from _compared(record.listed, release, same)
    yield from _compared(record.foreign, release, same)
    if stated is None:
        if not refusals:
            yield metadata.refusal("", "no METADATA, PKG-INFO or pyproject.toml states what the release is")
        return
    yield from _compared_identity(release, stated, same, before)
    yield from _fields(stated, before)
    compared = predecessor if before is not None else None
    yield from dependencies.facts(release, stated, compared, before, file_facts)


def _compared(
    work: Callable[[Release], Iterable[Keyed | Refusal]], release: Release, predecessor: Release | None
) -> Iterator[Fact | Refusal]:
    """Facts with the delta that the same of the predecessor gives them."""
    old: dict[tuple[str, ...], Fact] = {}
    if predecessor is not None:
        old = {one[0]: one[1] for one in work(predecessor) if not isinstance(one, Refusal)}
    for one in work(release):
        if isinstance(one, Refusal):
            yield one
            continue
        key, fact = one
        yield _placed(fact, old.pop(key, None), predecessor is not None)
    for fact in old.values():
        if fact.kind.startswith("trigger."):
            yield msgspec.structs.replace(fact, delta="removed")


def _placed(fact: Fact, previous: Fact | None, compared: bool) -> Fact:
    delta: Delta = "unknown"
    if compared:
        same = previous is not None and dict(previous.attributes) == dict(fact.attributes)
        text = previous is not None and previous.sha256 == fact.sha256
        whole = fact.kind == "trigger.setup" and fact.path.endswith(".py")
        delta = "added" if previous is None else "kept" if same and (text or not whole) else "changed"
    return msgspec.structs.replace(fact, delta=delta)


def _compared_identity(
    release: Release, stated: metadata.Metadata, predecessor: Release | None, before: metadata.Metadata | None
) -> Iterator[Fact]:
    old: dict[tuple[str, ...], Fact] = {}
    if predecessor is not None and before is not None:
        old = dict(record.identity(predecessor, before))
    for key, fact in record.identity(release, stated):
        known = predecessor is not None and before is not None
        delta: Delta = "unknown" if not known else "kept" if key in old else "added"
        yield msgspec.structs.replace(fact, delta=delta)


def _fields(stated: metadata.Metadata, before: metadata.Metadata | None) -> Iterator[Fact]:
    """Fields of the metadata that changed."""
    if before is None or stated.path.rpartition("/")[2] != before.path.rpartition("/")[2]:
        return
    for field in _FIELDS:
        now, then = stated.fields.get(field, ""), before.fields.get(field, "")
        if now == then:
            continue
        delta: Delta = "added" if not then else "removed" if not now else "changed"
        shown, previous = ("", "") if "email" in field else (now[:200], then[:200])
        attributes: dict[str, Value] = {"field": field, "value": shown, "previous": previous}
        yield msgspec.structs.replace(stated.fact("manifest.field", 0, f"{field}: {shown}", attributes), delta=delta)

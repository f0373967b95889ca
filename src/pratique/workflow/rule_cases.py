"""Cases of release rules: folders of inert files that a rule must fire on, or stay quiet about.

A case is a folder with `after/` (the files of the release) and, where it has a predecessor, `before/`. New dependencies
lie below `dependencies/<name>/` in the same form (`@scope+name` for a scoped one). `case.toml` beside them may state
name, versions, ecosystem, the moment of the examination, what the registry says, and facts from outside the files.
"""

from __future__ import annotations

import datetime
import os
import tomllib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from pratique.model.errors import ConfigurationError
from pratique.model.observation import Refusal
from pratique.model.release import Dated, Fact, Publisher, RegistryRecord, Release, Stated, Transition
from pratique.releases.examine import Remembered, examine
from pratique.releases.lines import transition_kind
from pratique.releases.vocabulary import WORDS
from pratique.targets.release import open_release

_ADVICE = "See docs/how-to/write-a-release-rule.md"
_TIMES = ("published", "first_published")
_NAMES = ("publisher",)
OUTSIDE = frozenset({"trust.invalid", "trust.changed", "registry.mismatch", "source.differs", "source.missing"})
"""Kinds of fact that neither the files nor the record of a case tell: `[[facts]]` states them."""


class _Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An earlier or later version in the history of a case."""

    version: str
    published: str | None = None
    publisher: str = ""
    provenance: Literal["present", "absent", "unavailable"] = "unavailable"
    trusted_publisher: Literal["present", "absent", "unavailable"] = "unavailable"
    dependencies: tuple[str, ...] | None = None


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the registry says in a case: what is left out is unavailable, what `absent` names is absent."""

    published: str | None = None
    first_published: str | None = None
    publisher: str | None = None
    address: str | None = None
    maintainers: tuple[str, ...] | None = None
    trusted_publisher: str | None = None
    approver: str | None = None
    provenance: str | None = None
    signatures: tuple[str, ...] | None = None
    git_head: str | None = None
    repository: str | None = None
    license: str | None = None
    yanked: str | None = None
    tags: Mapping[str, str] | None = None
    history: tuple[_Version, ...] | None = None
    absent: tuple[str, ...] = ()


class _Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fact that comes from outside the files, such as of a verified signature."""

    kind: str
    attributes: Mapping[str, str | int | float | bool] = {}


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One release of a case, and its predecessor."""

    version: str = "1.0.1"
    previous: str = "1.0.0"
    record: _Record = _Record()
    previous_record: _Record = _Record()
    facts: tuple[_Fact, ...] = ()


class _Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `case.toml` may state. `at` is the moment of the examination."""

    ecosystem: Literal["npm", "PyPI"] = "npm"
    name: str = "harbour"
    version: str = "1.0.1"
    previous: str = "1.0.0"
    at: str | None = None
    record: _Record = _Record()
    previous_record: _Record = _Record()
    facts: tuple[_Fact, ...] = ()
    dependencies: Mapping[str, _Part] = {}


def read_case(folder: str) -> Transition:
    """The transition that a case describes, examined. Raises ConfigurationError where it is no case."""
    case = _description(folder)
    at = _moment(case.at, folder) if case.at is not None else None
    part = _Part(case.version, case.previous, case.record, case.previous_record, case.facts)
    return _transition(folder, case, case.name, part, at, 0)


def _description(folder: str) -> _Case:
    path = os.path.join(folder, "case.toml")
    if not os.path.exists(path):
        return _Case()
    try:
        with open(path, "rb") as file:
            return msgspec.convert(tomllib.load(file), _Case)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"describes no case: {error}", where=path, advice=_ADVICE) from None


def _transition(folder: str, case: _Case, name: str, part: _Part, at: float | None, depth: int) -> Transition:
    after, before = os.path.join(folder, "after"), os.path.join(folder, "before")
    if not os.path.isdir(after):
        raise ConfigurationError("is no case: it has no folder `after`", where=folder, advice=_ADVICE)
    release = _release(after, case.ecosystem, name, part.version, part.record)
    previous = (
        _release(before, case.ecosystem, name, part.previous, part.previous_record) if os.path.isdir(before) else None
    )
    try:
        examination = examine(release, previous, Remembered(), at=at)
        if part.facts:
            stated = tuple(_fact(one, folder) for one in part.facts)
            examination = msgspec.structs.replace(examination, facts=(*examination.facts, *stated))
    finally:
        release.files.close()
        if previous is not None:
            previous.files.close()
    dependencies, refusals = [], []
    below = os.path.join(folder, "dependencies")
    for entry in sorted(os.listdir(below)) if os.path.isdir(below) else ():
        inner = entry.replace("+", "/")
        dependencies.append(
            _transition(os.path.join(below, entry), case, inner, case.dependencies.get(inner, _FIRST), at, depth + 1)
        )
    for inner in case.dependencies.keys() - {one.examination.name for one in dependencies} if depth == 0 else ():
        refusals.append(Refusal("", "dependency", "is not in the case", True, names=(inner,)))
    return Transition(
        examination=examination,
        predecessor=previous.purl if previous is not None else "",
        kind=transition_kind(case.ecosystem, part.previous, part.version) if previous is not None else "first",
        depth=depth,
        dependencies=tuple(dependencies),
        refusals=tuple(refusals),
    )


def _fact(stated: _Fact, folder: str) -> Fact:
    """A fact that a case states. Raises ConfigurationError where the files tell it, or the words do not know it."""
    where = os.path.join(folder, "case.toml")
    if stated.kind not in OUTSIDE:
        reason = f"{stated.kind!r} does not come from outside the files; {', '.join(sorted(OUTSIDE))} do"
        raise ConfigurationError(reason, where=where, advice=_ADVICE)
    unknown = sorted(set(stated.attributes) - set(WORDS[stated.kind][1]))
    if unknown:
        raise ConfigurationError(f"{stated.kind} has no attribute {unknown[0]!r}", where=where, advice=_ADVICE)
    return Fact(stated.kind, attributes=stated.attributes)


_FIRST = _Part(version="1.0.0")


def _release(folder: str, ecosystem: Literal["npm", "PyPI"], name: str, version: str, record: _Record) -> Release:
    kind = "npm" if ecosystem == "npm" else "pypi"
    purl = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    files = open_release(folder, hint="tarball" if ecosystem == "npm" else "wheel")
    return Release(purl, ecosystem, name, version, files, _record(record, folder), "case")


def _record(record: _Record, folder: str) -> RegistryRecord:
    """The record in three states."""
    fields: dict[str, Any] = {}
    for name in RegistryRecord.__struct_fields__:
        value = getattr(record, name, None)
        if name in record.absent:
            fields[name] = Stated(state="absent")
        elif value is not None:
            told = _value(name, value, folder)
            if name in _NAMES and record.address is not None:
                told = Publisher(value, record.address)
            fields[name] = Stated(state="present", value=told)
    return RegistryRecord(**fields)


def _value(name: str, value: Any, folder: str) -> Any:
    if name in _TIMES:
        return _moment(value, folder)
    if name in _NAMES:
        return Publisher(value)
    if name == "maintainers":
        return tuple(Publisher(one) for one in value)
    if name == "history":
        return tuple(
            Dated(
                version=one.version,
                published=_moment(one.published, folder) if one.published is not None else None,
                provenance=one.provenance,
                trusted_publisher=one.trusted_publisher,
                publisher=one.publisher,
                dependencies=one.dependencies,
            )
            for one in value
        )
    return value


def _moment(text: str, folder: str) -> float:
    """Seconds since the epoch."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is no ISO 8601 time",
            where=os.path.join(folder, "case.toml"),
            advice="Write 2026-03-31T00:21:58Z",
        ) from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)).timestamp()

"""What a project asks for: pyproject.toml.

## Reads
`project.dependencies` and `optional-dependencies` (PEP 621), `dependency-groups` (PEP 735), `build-system.requires`,
`tool.poetry` with its groups, `tool.pdm.dev-dependencies`, `tool.uv` (`dev-dependencies`, and
`constraint-dependencies` and `override-dependencies`, which install nothing and are told as protections where they
force another version, and `exclude-newer`). A range that admits one version alone asks for exactly that.

## Leaves out
Sources from git or a folder. Optional parts count as asked for. Poetry's alternatives for one name are read one by
one. A requirement that was not understood, an archive at an address that tells no version, and a file that is no TOML
are refusals where they are about a name of interest.

## References
PEP 518, 621, 735; Poetry 2.5.1, PDM 2.20.1, uv 0.13.9.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.pypi.files import file_of, origin_of, release_of
from pratique.ecosystems.pypi.layout import shipped_in
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.requirements import exact, excluded, of_poetry, parse
from pratique.model.observation import Observation, ProtectionFact, RangeFact, Refusal, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.pypi.settings import uv_settings
from pratique.readers.text import decode_text

Asked = tuple[str, str]
"""Field and requirement."""

NOT_UNDERSTOOD = "asks for it in a way that was not understood"
NO_VERSION = "asks for it at an address that tells no version"

_LEADING = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_FORCING = ("tool.uv.constraint-dependencies", "tool.uv.override-dependencies", "tool.uv.build-constraint-dependencies")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one range for each requirement of a name of interest. Raises Unreadable."""
    if shipped_in(artifact.path) is not None:
        return
    wanted = interest.wanted("PyPI")
    document = manifest(artifact, READER, wanted)
    if isinstance(document, Refusal):
        yield document
        return
    times = artifact.modified_time("the manifest was last written")
    for policy in uv_settings(_table(document, "tool", "uv")):
        yield Observation(READER.name, artifact.location(), policy, times)
    for field, asked in requirements(document):
        for fact in facts_of(asked, field, wanted, forcing=field in _FORCING):
            yield told(artifact, READER, fact, asked, times)
    for field, name, constraint in of_poetry_tables(document):
        if normalise(name) in wanted:
            asked_of_poetry = _poetry(normalise(name), constraint, field)
            if asked_of_poetry is not None:
                yield told(artifact, READER, asked_of_poetry, name, times)


def manifest(artifact: Artifact, reader: Reader, wanted: frozenset[str] | Everything) -> dict[str, Any] | Refusal:
    """The document in TOML, or a refusal: relevant where it may be about a name of interest. Raises Unreadable."""
    text = decode_text(artifact.content())
    if text is None:
        return artifact.refusal(reader.name, "is not text in UTF-8 or UTF-16")
    try:
        return tomllib.loads(text.replace("\r\n", "\n").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        names = spelled_in(text, wanted)
        return artifact.refusal(reader.name, "is not whole TOML", relevant=bool(names), names=names)


def told(
    artifact: Artifact,
    reader: Reader,
    fact: RangeFact | ProtectionFact | str,
    asked: str,
    times: tuple[Time, ...],
) -> Observation | Refusal:
    """What one requirement says as an observation; text, why it could not be told, as a refusal."""
    if isinstance(fact, str):
        return artifact.refusal(reader.name, fact, names=(leading(asked),))
    return Observation(reader.name, artifact.location(), fact, times)


def leading(asked: str) -> str:
    """The normalised name that a requirement begins with; empty where it begins with none."""
    match = _LEADING.match(asked)
    return normalise(match[1]) if match else ""


def facts_of(
    asked: str, field: str, wanted: frozenset[str] | Everything, *, forcing: bool = False
) -> Iterator[RangeFact | ProtectionFact | str]:
    """What one requirement says of a name of interest; text is a reason why it could not be told."""
    if (name := leading(asked)) not in wanted or not name:
        return
    requirement = parse(asked)
    if requirement is None:
        yield NOT_UNDERSTOOD
        return
    specifier = requirement.specifier
    if requirement.url is not None:
        if origin_of(requirement.url) in ("git", "file"):
            return
        release = release_of(file_of(requirement.url))
        if release is None:
            yield NO_VERSION
            return
        specifier = f"=={release[1]}"
    version = exact(specifier)
    for forbidden in excluded(specifier):
        yield ProtectionFact(name=name, field=field, selector=f"{name}@{forbidden}", ecosystem="PyPI")
    if forcing and version is None:
        return
    yield RangeFact(
        name=name, range=specifier, field="constraint" if forcing else field, exact=version, ecosystem="PyPI"
    )


def requirements(document: dict[str, Any]) -> Iterator[Asked]:
    """Every requirement of the standard's tables, and of those of PDM and uv."""
    project = _table(document, "project")
    for name, path in (
        ("project.dependencies", ("project", "dependencies")),
        ("build-system.requires", ("build-system", "requires")),
        ("tool.uv.dev-dependencies", ("tool", "uv", "dev-dependencies")),
        *((field, tuple(field.split("."))) for field in _FORCING),
    ):
        for item in _texts(_table(document, *path[:-1]).get(path[-1])):
            yield name, item
    for field, groups in (
        ("project.optional-dependencies", project.get("optional-dependencies")),
        ("dependency-groups", document.get("dependency-groups")),
        ("tool.pdm.dev-dependencies", _table(document, "tool", "pdm").get("dev-dependencies")),
    ):
        for group, items in groups.items() if isinstance(groups, dict) else ():
            for item in _texts(items):
                yield f"{field}.{group}", item


def of_poetry_tables(document: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Field, name and constraint of each dependency in Poetry's own tables."""
    poetry = _table(document, "tool", "poetry")
    tables = [("tool.poetry.dependencies", poetry.get("dependencies"))]
    tables.append(("tool.poetry.dev-dependencies", poetry.get("dev-dependencies")))
    groups = poetry.get("group")
    for group, table in groups.items() if isinstance(groups, dict) else ():
        if isinstance(table, dict):
            tables.append((f"tool.poetry.group.{group}.dependencies", table.get("dependencies")))
    for field, entries in tables:
        for name, value in entries.items() if isinstance(entries, dict) else ():
            for constraint in value if isinstance(value, list) else [value]:
                yield field, name, constraint


def _poetry(name: str, constraint: Any, field: str) -> RangeFact | str | None:
    """One dependency of Poetry; None where it is from git or a folder, or says no version of its own.

    Text is a reason why it could not be told.
    """
    if isinstance(constraint, dict):
        if any(key in constraint for key in ("git", "path")):
            return None
        url = constraint.get("url")
        release = release_of(file_of(url)) if isinstance(url, str) else None
        if isinstance(url, str) and release is None:
            return NO_VERSION
        constraint = f"=={release[1]}" if release else constraint.get("version")
    if not isinstance(constraint, str):
        return None
    specifier = of_poetry(constraint)
    return RangeFact(
        name=name,
        range=constraint if specifier is None else specifier,
        field=field,
        exact=exact(specifier) if specifier else None,
        ecosystem="PyPI",
    )


def spelled_in(text: str, wanted: frozenset[str] | Everything) -> tuple[str, ...]:
    """The names of interest that stand in a text, in any spelling; with every name wanted, none."""
    if isinstance(wanted, Everything):
        return ()
    words = {normalise(word) for word in re.findall(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", text)}
    return tuple(sorted(words & wanted))


def _table(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """A table in a table; empty where there is none."""
    here: Any = document
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}


def _texts(items: object) -> list[str]:
    return [item for item in items if isinstance(item, str)] if isinstance(items, list) else []


READER = Reader(
    name="pyproject",
    ecosystem="PyPI",
    read=read,
    basenames=("pyproject.toml",),
    relevance="named-folder",
    resolves=False,
)

"""What a Python release states of itself: METADATA, PKG-INFO or pyproject.toml, read without building anything."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Fact, Release, Value
from pratique.releases.python.source import shortened

READER = "python-manifest"
LARGEST = 8 << 20
MOST = 5_000
_FIELD = re.compile(r"([A-Za-z][A-Za-z-]*):[ \t]*(.*)")
_INFO = re.compile(r"[^/]+\.dist-info/METADATA|(?:src/)?[^/]+\.egg-info/PKG-INFO|PKG-INFO")
_SECTION = re.compile(r"\[(?:([^:\]]*)(?::(.*))?)\]")


class Requirement(msgspec.Struct, frozen=True):
    """One dependency: its normalised name, its range, its extra (empty: always wanted), where it is from, its line."""

    name: str
    range: str
    extra: str
    source: str
    text: str
    line: int = 0


class Metadata(msgspec.Struct):
    """What a release states: `path` is the file it stands in, `fields` its first value of each, in small letters."""

    path: str
    sha256: str
    fields: dict[str, str]
    requirements: list[Requirement]
    complete: bool = True
    """Whether the dependencies are all stated; a setup.py may state more."""
    unread: tuple[str, ...] = ()

    def fact(self, kind: str, line: int, excerpt: str, attributes: Mapping[str, Value]) -> Fact:
        """A fact that stands in this file."""
        return Fact(kind, self.path, line, shortened(excerpt), self.sha256, attributes=dict(attributes))


def refusal(path: str, reason: str, *, relevant: bool = True) -> Refusal:
    """What could not be read of what a release states."""
    return Refusal(path=path, reader=READER, reason=reason, relevant=relevant, ecosystems=("PyPI",))


def text_of(release: Release, path: str) -> str | Refusal:
    """The text of a member; a refusal where it cannot be had."""
    try:
        return release.files.read(path, LARGEST).decode("utf-8", "replace")
    except Unreadable as error:
        return refusal(path, error.reason)


def read(release: Release) -> tuple[Metadata | None, list[Refusal]]:
    """What a release states of itself; None where nothing does, with why it could not be read."""
    members = release.files.members
    refusals: list[Refusal] = []
    found = sorted((path for path in members if _INFO.fullmatch(path)), key=lambda path: (path.count("/"), path))
    if release.files.form == "wheel":
        found = [path for path in found if path.endswith("METADATA")]
    metadata: Metadata | None = None
    for path in found[:2]:
        text = text_of(release, path)
        if isinstance(text, Refusal):
            refusals.append(text)
            continue
        if metadata is None:
            metadata = of_headers(path, text, members[path].sha256)
    project = of_project(release, refusals) if release.files.form != "wheel" else None
    if metadata is None or (not metadata.requirements and project is not None):
        if project is not None and metadata is not None:
            project.fields.update(metadata.fields)
        metadata = project or metadata
    if metadata is not None and release.files.form != "wheel" and not metadata.requirements:
        _of_requires(release, metadata, refusals)
    return metadata, refusals


def of_headers(path: str, text: str, sha256: str) -> Metadata:
    """The fields of METADATA or PKG-INFO: header lines up to the first empty one."""
    fields: dict[str, str] = {}
    requirements: list[Requirement] = []
    unread: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            break
        found = _FIELD.match(line)
        if not found:
            continue
        name, value = found[1].lower(), found[2].strip()
        if name == "requires-dist" and len(requirements) < MOST:
            one = requirement(value, number)
            if one is None:
                unread.append(value)
            else:
                requirements.append(one)
        fields.setdefault(name, value)
    complete = "requires-dist" not in fields.get("dynamic", "")
    return Metadata(path, sha256, fields, requirements, complete, tuple(unread[:20]))


def requirement(text: str, line: int = 0, extra: str = "") -> Requirement | None:
    """A dependency as PEP 508 spells it; None for what is none."""
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    if len(text) > 4096:
        return None
    try:
        parsed = Parsed(text)
    except (InvalidRequirement, RecursionError):
        return None
    if parsed.marker is not None:
        named = re.search(r"""\bextra\s*==\s*['"]([^'"]{1,100})['"]|['"]([^'"]{1,100})['"]\s*==\s*extra""", text)
        extra = extra or (named[1] or named[2] if named else "")
    source = "registry"
    wanted = str(parsed.specifier)
    if parsed.url:
        wanted = parsed.url
        source = "git" if re.match(r"(?:git|hg|svn|bzr)(?:\+|:)|git@", parsed.url) else "url"
        if parsed.url.startswith("file:"):
            source = "file"
    return Requirement(normalise(parsed.name), wanted, normalise(extra) if extra else "", source, text, line)


def document(release: Release, path: str, refusals: list[Refusal]) -> dict[str, Any]:
    """A TOML file of a release; empty where there is none or it cannot be read, which is then told."""
    if path not in release.files.members:
        return {}
    text = text_of(release, path)
    if isinstance(text, Refusal):
        refusals.append(text)
        return {}
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        refusals.append(refusal(path, "is no TOML"))
        return {}


def table(value: object, *keys: str) -> dict[str, Any]:
    """A table below nested keys; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def texts(value: object) -> list[str]:
    """The texts of a list; none where it is no list."""
    return [one for one in value[:MOST] if isinstance(one, str)] if isinstance(value, list) else []


def of_project(release: Release, refusals: list[Refusal]) -> Metadata | None:
    """What the table `project` of pyproject.toml states; None where there is none."""
    path = "pyproject.toml"
    project = table(document(release, path, refusals), "project")
    if not project:
        return None
    found = [requirement(text) for text in texts(project.get("dependencies"))]
    for extra, listed in table(project, "optional-dependencies").items():
        found += [requirement(text, extra=str(extra)) for text in texts(listed)]
    fields = {key: value for key, value in project.items() if isinstance(value, str)}
    complete = "dependencies" not in texts(project.get("dynamic"))
    sha256 = release.files.members[path].sha256
    unread = tuple(text for text in texts(project.get("dependencies")) if requirement(text) is None)[:20]
    return Metadata(path, sha256, fields, [one for one in found if one is not None][:MOST], complete, unread)


def _of_requires(release: Release, metadata: Metadata, refusals: list[Refusal]) -> None:
    """The dependencies of an old source archive: requires.txt, written by setuptools when it was made."""
    paths = [path for path in release.files.members if path.endswith(".egg-info/requires.txt") and path.count("/") < 3]
    for path in sorted(paths)[:1]:
        text = text_of(release, path)
        if isinstance(text, Refusal):
            refusals.append(text)
            return
        extra = ""
        for number, line in enumerate(text.splitlines(), 1):
            section = _SECTION.fullmatch(line.strip())
            if section:
                extra = section[1] or ""
            elif line.strip() and (one := requirement(line.strip(), number, extra)) is not None:
                metadata.requirements.append(one)
        metadata.path, metadata.sha256 = path, release.files.members[path].sha256
        metadata.complete = True

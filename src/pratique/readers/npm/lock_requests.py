"""Which package asks for which, as lockfiles record it: the ranges in the manifests of what was resolved.

`package-lock.json` and `yarn.lock` of every version hold them. Lockfiles of pnpm and bun are not asked: pnpm records
what a range resolved to instead of the range.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.urls import strip_url
from pratique.model.observation import Observation, RangeFact
from pratique.model.ports import Artifact, Reader

_FIELDS = ("dependencies", "optionalDependencies", "requires")
_ENTRY = re.compile(r'^"?(?P<name>(?:@[^/@\s",:]+/)?[^/@\s",:]+)@[^\n]*:$')
_VERSION = re.compile(r'^  version:? "?(?P<version>[^"\s]+)"?$')
_ASKED = re.compile(r'^    "?(?P<name>(?:@[^/@\s":]+/)?[^/@\s":]+)"?:? "?(?P<range>[^"\n]*?)"?$')


class _Lock(msgspec.Struct):
    packages: dict[str, Any] | None = None
    dependencies: dict[str, Any] | None = None


_DECODER = msgspec.json.Decoder(_Lock)


def in_package_lock(artifact: Artifact, reader: Reader) -> Iterator[Observation]:
    """The ranges that an npm lockfile records; nothing where it cannot be read, which its reader says."""
    try:
        lock = _DECODER.decode(artifact.content())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    for path, entry in (lock.packages or {}).items():
        if path and isinstance(entry, dict):
            name = entry.get("name") or path[path.rfind("node_modules/") + 13 :] if "node_modules/" in path else ""
            yield from _asked(artifact, reader, name, entry)
    if lock.packages is None:
        stack = [lock.dependencies or {}]
        while stack:
            for name, entry in stack.pop().items():
                if isinstance(entry, dict):
                    required = {"version": entry.get("version"), "requires": entry.get("requires")}
                    yield from _asked(artifact, reader, name, required)
                    if isinstance(entry.get("dependencies"), dict):
                        stack.append(entry["dependencies"])


def _asked(artifact: Artifact, reader: Reader, name: object, entry: dict[str, Any]) -> Iterator[Observation]:
    version = entry.get("version")
    if not isinstance(name, str) or not isinstance(version, str) or not name:
        return
    for field in _FIELDS:
        wanted = entry.get(field)
        for asked, text in wanted.items() if isinstance(wanted, dict) else ():
            if isinstance(asked, str) and isinstance(text, str):
                yield _request(artifact, reader, f"{name}@{version}", asked, text)


def _request(artifact: Artifact, reader: Reader, by: str, asked: str, text: str) -> Observation:
    name, wanted = asked, text.removeprefix("npm:") if re.match(r"npm:[^@]*$", text) else text
    if wanted.startswith("npm:"):
        target = wanted[4:]
        at = target.find("@", 1)
        name, wanted = (target, "*") if at < 0 else (target[:at], target[at + 1 :])
    wanted = strip_url(wanted) if "//" in wanted or "@" in wanted else wanted
    return Observation(
        reader.name, artifact.location(), RangeFact(name=name, range=wanted, field="dependencies", asked_by=by)
    )


def in_yarn_lock(artifact: Artifact, reader: Reader, text: str) -> Iterator[Observation]:
    """The ranges that a lockfile of yarn records."""
    name = version = ""
    asks = False
    for line in text.split("\n"):
        line = line.rstrip("\r")
        if not line.startswith(" "):
            entry = _ENTRY.match(line) if len(line) < 65_536 else None
            name, version, asks = entry["name"] if entry else "", "", False
        elif not line.startswith("    "):
            found = _VERSION.match(line)
            version = found["version"] if found else version
            asks = line.strip() in ("dependencies:", "optionalDependencies:")
        elif asks and name and version:
            asked = _ASKED.match(line) if len(line) < 4096 else None
            if asked:
                yield _request(artifact, reader, f"{name}@{version}", asked["name"], asked["range"])

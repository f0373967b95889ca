"""What a dependant asks for, and how an own manifest asks for the known good release instead."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pratique.ecosystems.npm.versions import parse_range, parse_version, satisfies

_EXACT = re.compile(r"[v=\s]*(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)\s*")
_SIMPLE = re.compile(r"\s*(?P<sign>\^|~>?|>=)\s*[v=]?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?\s*")
_ADDRESS = re.compile(
    r"(?:git|https?|ssh|file|link|portal|github|gitlab|bitbucket|gist)[+:]|\.|/|~/|[\w.-]+/[\w.-]+(?:#|$)"
)


def split(name: str, spec: str) -> tuple[str, str | None]:
    """The package that `"name": "spec"` asks for, and the range; None where it asks for no release of a registry."""
    if spec.startswith("npm:"):
        real, at, wanted = spec[4:].rpartition("@")
        return (real, wanted) if at and real else (spec[4:], "*")
    if spec.startswith(("workspace:", "catalog:", "patch:")) or _ADDRESS.match(spec):
        return name, None
    return name, spec


def admits(wanted: str, version: str) -> bool:
    """Whether a range takes a version. A tag, such as `latest`, takes what is locked."""
    if parse_range(wanted) is None:
        return True
    return satisfies(version, wanted) is True


def same_line(one: str, other: str) -> bool:
    """Whether two versions belong together as the caret sees it."""
    return satisfies(other, f"^{_base(one)}-0") is True


def _base(version: str) -> str:
    parsed = parse_version(version)
    if parsed is None:
        return version
    if parsed.major:
        return f"{parsed.major}.0.0"
    return f"0.{parsed.minor}.0" if parsed.minor else f"0.0.{parsed.patch}"


def pins(wanted: str, bad: Iterable[str]) -> bool:
    """Whether a range is one listed version and nothing else."""
    match = _EXACT.fullmatch(wanted)
    return match is not None and match[1] in frozenset(bad)


def moved(spec: str, bad: Iterable[str], good: str) -> str | None:
    """How an own manifest asks instead: None where `spec` takes the good release already and pins no listed one.

    The sign of the range stays: `^1.14.1` becomes `^1.14.0`. A range that is more than one comparator becomes the
    exact version.
    """
    head, wanted = "", spec
    if spec.startswith("npm:"):
        real, at, wanted = spec[4:].rpartition("@")
        if not at or not real:
            return None
        head = f"npm:{real}@"
    elif split("", spec)[1] is None:
        return None
    if not pins(wanted, bad) and admits(wanted, good):
        return None
    match = _SIMPLE.fullmatch(wanted)
    return f"{head}{match['sign'] if match else ''}{good}"

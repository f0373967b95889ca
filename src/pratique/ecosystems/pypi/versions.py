"""Versions and specifiers of Python projects (PEP 440), by the `packaging` library."""

from __future__ import annotations

import functools
import re

_PLAIN = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*")
_ZEROS = re.compile(r"(?:\.0)+$")


@functools.lru_cache(maxsize=1 << 14)
def canonical(version: str) -> str:
    """The normalised version, without trailing zeros of the release; the text itself where it is no version."""
    if _PLAIN.fullmatch(version):
        return _ZEROS.sub("", version)
    from packaging.utils import canonicalize_version

    return canonicalize_version(version.strip())


def is_version(text: str) -> bool:
    """Whether a text is a version (PEP 440)."""
    if _PLAIN.fullmatch(text):
        return True
    from packaging.version import InvalidVersion, Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


@functools.lru_cache(maxsize=1 << 14)
def satisfies(version: str, specifier: str) -> bool | None:
    """Whether a specifier set admits a version, pre-releases included; None where either cannot be understood.

    An empty specifier admits every version.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None

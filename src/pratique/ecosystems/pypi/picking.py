"""Which version pip and uv pick for a requirement.

## Both
The highest version that the specifier admits. A yanked version counts only where the specifier pins it (`==` without a
`*`, or `===`). A version that asks for another Python is passed over, where the Python is given. With a cooldown, what
was uploaded at or after the moment does not exist; both refuse a version without an upload time.

## Pre-releases
Only where no other version that the specifier admits is there. For pip a specifier that names a pre-release admits them
like any other version; for uv it does not.

## Left out
Constraints and other requirements of the same run, extras and markers, wheels against source archives and platforms,
several indexes, uv's `--resolution lowest` and its preference for what is installed or locked.

## References
pip 26.3 `index/package_finder.py`; uv 0.13.9, as tried; PEP 440, PEP 592, PEP 700.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pratique.ecosystems.releases import Gate, Package, Pick, Release

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

_PIN = re.compile(r"={2,3}[^*,]+")


class Request:
    """One requirement of one package, made ready to be answered at many moments."""

    def __init__(self, package: Package, wanted: str, *, python: str | None = None) -> None:
        """`wanted` is a specifier set, empty for any version; `python` the version of the interpreter."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        self.package = package
        self.wanted = wanted
        self.python = python
        self.pinned = _PIN.fullmatch(wanted.strip()) is not None
        text = "" if wanted.strip() == "*" else wanted
        self.specifier: SpecifierSet | None
        try:
            self.specifier = SpecifierSet(text)
        except InvalidSpecifier:
            self.specifier = None
        self._ordered: list[tuple[Version, Release]] | None = None

    @property
    def understood(self) -> bool:
        """Whether it is a specifier: of anything else nothing can be told."""
        return self.specifier is not None

    @property
    def ordered(self) -> list[tuple[Version, Release]]:
        """Every release whose version can be read, the highest first."""
        if self._ordered is None:
            from packaging.version import InvalidVersion, Version

            found = []
            for release in self.package.releases:
                try:
                    found.append((Version(release.version), release))
                except InvalidVersion:
                    continue
            self._ordered = sorted(found, key=lambda item: item[0], reverse=True)
        return self._ordered

    def admits(self, version: Version) -> bool:
        """Whether the specifier admits a version, pre-releases included."""
        return self.specifier is not None and self.specifier.contains(version, prereleases=True)

    def runs(self, release: Release) -> bool:
        """Whether a release runs on the interpreter in use."""
        if self.python is None or not release.python:
            return True
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            return SpecifierSet(release.python).contains(self.python, prereleases=True)
        except InvalidSpecifier:
            return True


def pick(manager: str, request: Request, at: float, gate: Gate | None = None) -> Pick:
    """What pip or uv picks at a moment."""
    picked = _pick(manager, request, at, gate)
    if gate is None:
        return picked
    free = _pick(manager, request, at, None)
    return Pick(picked.version, picked.rule, free.version if free.version != picked.version else None)


def _pick(manager: str, request: Request, at: float, gate: Gate | None) -> Pick:
    live = [(version, release) for version, release in request.ordered if release.live(at)]
    held = False
    there: list[tuple[Version, Release]] = []
    for version, release in live:
        if gate is not None and (release.published is None or not release.published <= gate.cut):
            held = held or request.admits(version)
        else:
            there.append((version, release))
    admitted = [
        (version, release)
        for version, release in there
        if request.admits(version) and request.runs(release) and (request.pinned or not release.yanked)
    ]
    named = bool(request.specifier and request.specifier.prereleases) and manager != "uv"
    final = [item for item in admitted if not item[0].is_prerelease]
    choice = admitted if named or request.pinned else final or admitted
    if choice:
        return Pick(choice[0][1].version, "exact" if request.pinned else "highest")
    return Pick(None, "refused" if held else "nothing")

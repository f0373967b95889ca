"""What codecs of lockfiles share: the choice of a good release, and the refusal to guess."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pratique.ecosystems.grammar import admits, canonical_name, canonical_version
from pratique.ecosystems.npm.versions import parse_version
from pratique.model.repair import PARTIAL, PYTHON, Correction, LockedRelease, Releases, Repair, Repaired, Unrepairable


class Unfit(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """Raised inside a codec with the reason why a file cannot be repaired."""


class Wanted:
    """The corrections of one ecosystem, by name."""

    def __init__(self, corrections: Iterable[Correction], ecosystem: str) -> None:
        self.ecosystem = ecosystem
        self.by_name: dict[str, Correction] = {}
        for item in corrections:
            if item.ecosystem == ecosystem:
                name = canonical_name(ecosystem, item.name)
                old = self.by_name.get(name)
                good = item.good if old is None else (*old.good, *(v for v in item.good if v not in old.good))
                bad = item.bad | (old.bad if old else frozenset())
                self.by_name[name] = Correction(name=name, bad=bad, good=good, ecosystem=ecosystem)

    def of(self, name: str, version: str) -> Correction | None:
        """The correction that a release needs; None where it is not listed."""
        found = self.by_name.get(canonical_name(self.ecosystem, name))
        if found is None:
            return None
        canonical = canonical_version(self.ecosystem, version)
        listed = any(canonical_version(self.ecosystem, bad) == canonical for bad in found.bad)
        return found if listed else None

    def good(self, correction: Correction) -> tuple[str, ...]:
        """Its good versions, without any that is listed as bad too."""
        return tuple(version for version in correction.good if self.of(correction.name, version) is None)

    def chosen(self, correction: Correction, was: str, asked: Iterable[str] = ()) -> str | None:
        """The best good version that every range admits, of the same line where there is one; None: there is none."""
        ranges = list(asked)
        fit = [v for v in self.good(correction) if all(admits(self.ecosystem, v, text) for text in ranges)]
        near = [v for v in fit if line_of(v) == line_of(was)]
        return next(iter(near or fit), None)

    def near(self, correction: Correction, was: str) -> str | None:
        """The best good version of the same line of releases: what an exact pin of a bad one becomes."""
        return next((v for v in self.good(correction) if line_of(v) == line_of(was)), None)


def line_of(version: str) -> tuple[int, ...]:
    """The line of releases that a version belongs to: its major number, below 1.0 its minor number too."""
    parsed = parse_version(version)
    if parsed is None:
        head = version.removeprefix("v").split("!")[-1].split(".")[0]
        return (int(head),) if head.isdigit() else ()
    return (parsed.major,) if parsed.major else (0, parsed.minor)


def known(releases: Releases, name: str, version: str, enough: str = "") -> LockedRelease:
    """The record of a release. Raises Unfit where nothing knows it. `enough`: the partial records that do too.

    Codecs of Python say `PYTHON`: what they put in are the files of a record, whatever else it holds.
    """
    found = releases(name, version)
    if found is None or (enough != PYTHON and found.manifest.get(PARTIAL, enough) != enough):
        raise Unfit(f"nothing at hand knows the release {name} {version}: its digest and dependencies are needed")
    return found


def total(repair: Callable[[bytes, tuple[Correction, ...], Releases], Repaired]) -> Repair:
    """A codec that turns Unfit into `Unrepairable`."""

    def whole(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired | Unrepairable:
        try:
            return repair(content, corrections, releases)
        except Unfit as reason:
            return Unrepairable(str(reason))

    return whole


def sources(used: Iterable[LockedRelease]) -> tuple[tuple[str, str, str], ...]:
    """`release_of` of the releases that were put in."""
    return tuple(sorted({(item.name, item.version, item.source) for item in used}))

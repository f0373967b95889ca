"""A release, what it follows, and every dependency that it newly resolves, each examined by the same pipeline.

The predecessor is the nearest lower release of the same line; what was published last before it is named where that is
another. A dependency is newly resolved where it was added, or where its range changed so that another version is taken
at the moment in question. Dependencies are followed to a depth, and bounded in number, bytes and time: what lies beyond
is a refusal.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from pratique.adapters.results import Results
from pratique.ecosystems.npm.release_record import Packument
from pratique.ecosystems.references import Reference, World, parse, release_purl
from pratique.ecosystems.requirements_of import Wanted
from pratique.model.observation import Refusal
from pratique.model.release import Examination, Fact, Release, Transition, TransitionKind
from pratique.releases.lines import predecessors, transition_kind
from pratique.targets.release import open_release
from pratique.workflow.acquire import Acquirer, Got
from pratique.workflow.documents import READER, NotHad
from pratique.workflow.identity import identity, requirements
from pratique.workflow.listings import Listing, no_record
from pratique.workflow.remembered import Memory
from pratique.workflow.source_folders import compared_with
from pratique.workflow.trust_join import trusted

DEPENDENCY = "dependency"
DEPTH = 2
MOST = 60
"""So many dependencies of one release are examined, at all depths together."""
SECONDS = 600.0
"""So long the dependencies of one release may take."""
ATTEMPTS = 4
"""So many lower versions are tried where the nearest cannot be had."""
_OS = {"linux": "linux", "darwin": "darwin", "win32": "win32"}
_CPU = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64", "i686": "ia32", "armv7l": "arm"}


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How releases are examined. `against`: a reference, `auto` or `none`. `at`: seconds since the epoch, None: now."""

    against: str = "auto"
    at: float | None = None
    depth: int = DEPTH
    most: int = MOST
    follow: Literal["all", "added"] = "all"
    """Which newly resolved dependencies are examined: `added` leaves out those whose range alone changed."""
    seconds: float = SECONDS
    source: str = ""
    """A folder of the tagged source that the release is compared with; `rebuild`: of a rebuild of it."""
    rebuild: str = ""
    trust: bool = False
    """Attestations are fetched and verified too; signatures are in any case, where the record states them."""


class Examiner:
    """Examines releases with what an acquirer can get. `kept` remembers facts of files between runs."""

    def __init__(self, acquirer: Acquirer, asking: Asking, kept: Results | None = None) -> None:
        self.acquirer = acquirer
        self.asking = asking
        self.kept = kept
        self.now = time.time()
        self._done: dict[tuple[str, str, str], list[Transition]] = {}

    # what was asked for

    def reference(self, reference: Reference) -> list[Transition]:
        """The transitions of what was asked for: one, of a Python project one for each archive that is examined.

        Raises NotHad, and TargetError for a path where no release lies.
        """
        if reference.ecosystem is None:
            return [self._path(reference.path)]
        name, version, listing = self.resolved(reference)
        try:
            return self.release(reference.ecosystem, name, version, listing)
        except NotHad:
            if listing is None:
                self.acquirer.listing(reference.ecosystem, name)
            raise

    def resolved(self, reference: Reference) -> tuple[str, str, Listing | None]:
        """Name, version and listing that a reference to a registry means. Raises NotHad."""
        world = reference.ecosystem
        assert world is not None
        exact = _exact(world, reference.wanted)
        try:
            listing = self.acquirer.listing(world, reference.name)
        except NotHad:
            if not exact:
                raise
            return reference.name, exact, None
        picked, rule = listing.picked(reference.wanted, self.asking.at, self.now)
        if picked is not None:
            return reference.name, picked, listing
        if exact:
            return reference.name, exact, listing
        raise NotHad(f"{reference.name} {rule}")

    def release(
        self, world: World, name: str, version: str, listing: Listing | None, *, before: str | None = None
    ) -> list[Transition]:
        """The transitions of one release; `before` is the version it is compared with, where that is given.

        Raises NotHad.
        """
        found = self.acquirer.open(world, name, version, listing)
        try:
            told = [self._compared(got, listing, before) for got in found]
        finally:
            for got in found:
                got.close()
        return told[:1] + [one for one in told[1:] if _triggers(one) != _triggers(told[0])]

    def _path(self, path: str) -> Transition:
        """The transition of a release that lies here."""
        opened = open_release(path)
        own = identity(opened, path)
        refusals: tuple[Refusal, ...] = ()
        listing: Listing | None = None
        if not own.name or not own.version:
            refusals = (Refusal(path, READER, "its manifest names no package and version", True),)
        else:
            try:
                listing = self.acquirer.listing(own.ecosystem, own.name)
            except NotHad:
                listing = None
        record = listing.record(own.version) if listing is not None else no_record("the release was given as a file")
        shown = "folder" if opened.form == "directory" else "file"
        release = Release(
            release_purl(own.ecosystem, own.name or os.path.basename(path), own.version),
            own.ecosystem,
            own.name,
            own.version,
            opened,
            record,
            f"{shown} {path}",
        )
        published = listing.published(own.version) if listing is not None else None
        got = Got(release, refusals, (), published)
        try:
            return self._compared(got, listing, None)
        finally:
            got.close()

    # the predecessor

    def _compared(self, got: Got, listing: Listing | None, before: str | None) -> Transition:
        """A release against its predecessor, with its newly resolved dependencies."""
        budget = _Budget(self.asking.most, time.monotonic() + self.asking.seconds)
        got = trusted(got, listing, self.acquirer.around, attestations=self.asking.trust)
        previous, notes = self._predecessor(got, listing, before)
        try:
            return self._transition(got, previous, notes, 0, budget, frozenset())
        finally:
            if previous is not None:
                previous.close()

    def _predecessor(self, got: Got, listing: Listing | None, before: str | None) -> tuple[Got | None, list[Refusal]]:
        """The release to compare with, opened, and what is to be said of it."""
        release = got.release
        against = self.asking.against
        if before is None and against == "none":
            return None, []
        if before is None and against != "auto":
            return self._against(release, against)
        history = listing.history if listing is not None else ()
        nearest: str | None = before
        last: str | None = None
        if before is None:
            nearest, last = predecessors(release.ecosystem, history, release.version, published=got.published)
        notes: list[Refusal] = []
        tried: list[str] = []
        wanted = nearest or last
        while wanted is not None and len(tried) < ATTEMPTS:
            try:
                found = self.acquirer.open(release.ecosystem, release.name, wanted, listing)
            except NotHad as error:
                notes.append(_told(release, f"its predecessor {wanted} could not be had: {error}", relevant=False))
                tried.append(wanted)
                left = tuple(item for item in history if item.version not in tried)
                wanted = None if before else predecessors(
                    release.ecosystem, left, release.version, published=got.published
                )[0]  # fmt: skip
                continue
            same = next((one for one in found if one.release.files.form == release.files.form), found[0])
            for one in found:
                if one is not same:
                    one.close()
            if last is not None and last != wanted:
                text = f"it is compared with {wanted}, the nearest lower release of its line; {last} was published last"
                notes.append(_told(release, text, relevant=False))
            return same, notes
        if tried or not history:
            reason = "no predecessor could be had: what the release changed was not examined"
            notes.append(_told(release, reason, relevant=True))
        return None, notes

    def _against(self, release: Release, against: str) -> tuple[Got | None, list[Refusal]]:
        """The predecessor that was named. Raises NotHad, TargetError and UsageError: it was asked for."""
        reference = parse(against)
        if reference.ecosystem is None:
            opened = open_release(reference.path)
            own = identity(opened, reference.path)
            purl = release_purl(own.ecosystem, own.name or os.path.basename(reference.path), own.version)
            record = no_record("the release was given as a file")
            source = f"file {reference.path}"
            return Got(Release(purl, own.ecosystem, own.name, own.version, opened, record, source)), []
        name, version, listing = self.resolved(reference)
        found = self.acquirer.open(reference.ecosystem, name, version, listing)
        same = next((one for one in found if one.release.files.form == release.files.form), found[0])
        for one in found:
            if one is not same:
                one.close()
        return same, []

    # the transition

    def _transition(
        self,
        got: Got,
        previous: Got | None,
        notes: Sequence[Refusal],
        depth: int,
        budget: _Budget,
        above: frozenset[str],
    ) -> Transition:
        """One release against its predecessor, then its newly resolved dependencies."""
        release = got.release
        before = previous.release if previous is not None else None
        examination = self._examined(release, before, depth)
        if got.facts:
            examination = msgspec.structs.replace(examination, facts=(*examination.facts, *got.facts))
        kind: TransitionKind = transition_kind(release.ecosystem, before.version if before else None, release.version)
        if before is None and ((self.asking.against == "none" and not depth) or any(note.relevant for note in notes)):
            kind = "unknown"
        refusals = [*got.refusals, *notes]
        dependencies: list[Transition] = []
        if depth < self.asking.depth:
            dependencies = self._closure(got, previous, depth, budget, above | {release.purl}, refusals)
        return Transition(
            examination,
            before.purl if before is not None else "",
            kind,
            depth,
            tuple(dependencies),
            tuple(dict.fromkeys(refusals)),
        )

    def _examined(self, release: Release, before: Release | None, depth: int) -> Examination:
        from pratique.releases.examine import examine
        from pratique.releases.sources import sources_of

        memory = Memory(self.kept, *(one.files for one in (release, before) if one is not None))
        moment = self.now if self.asking.at is None else self.asking.at
        sources = sources_of(release.ecosystem, moment)
        with contextlib.ExitStack() as stack:
            if depth == 0:
                sources += compared_with(stack, release, self.asking.source, self.asking.rebuild)
            examination = examine(release, before, memory, clock=time.monotonic, sources=sources, at=moment)
        memory.save()
        return examination

    # dependencies

    def _closure(
        self,
        got: Got,
        previous: Got | None,
        depth: int,
        budget: _Budget,
        above: frozenset[str],
        refusals: list[Refusal],
    ) -> list[Transition]:
        """The transitions of what a release newly resolves; what cannot be had is added to the refusals."""
        release = got.release
        world = release.ecosystem
        before: Mapping[str, Wanted] = requirements(previous.release.files, world) if previous is not None else {}
        found: list[Transition] = []
        for known_as, wanted in sorted(requirements(release.files, world).items()):
            if before.get(known_as) == wanted or (self.asking.follow == "added" and known_as in before):
                continue
            if wanted.elsewhere:
                reason = (
                    f"asks for {known_as} from elsewhere than a registry ({wanted.range[:80]}); it was not examined"
                )
                refusals.append(_told(release, reason, name=wanted.name))
                continue
            try:
                picked = self._picked(world, wanted, before.get(known_as), got)
            except NotHad as error:
                optional = wanted.group in ("optionalDependencies", "peerDependencies")
                refusals.append(_told(release, f"{known_as}: {error}", name=wanted.name, relevant=not optional))
                continue
            if picked is None:
                continue
            version, listing = picked
            purl = release_purl(world, wanted.name, version)
            if purl in above or purl in budget.seen:
                continue
            elsewhere = platform_of(listing, version)
            if elsewhere:
                reason = f"{wanted.name} {version} is for {elsewhere} and is not installed here; it was not examined"
                refusals.append(_told(release, reason, name=wanted.name, relevant=False))
                continue
            spent = budget.spent()
            if spent:
                refusals.append(_told(release, f"{wanted.name} {version} was not examined: {spent}", name=wanted.name))
                continue
            budget.seen.add(purl)
            try:
                found += self._dependency(world, wanted.name, version, listing, depth + 1, budget, above)
            except NotHad as error:
                budget.seen.discard(purl)
                refusals.append(_told(release, f"{known_as}: {error}", name=wanted.name))
        return found

    def _dependency(
        self,
        world: World,
        name: str,
        version: str,
        listing: Listing,
        depth: int,
        budget: _Budget,
        above: frozenset[str],
    ) -> list[Transition]:
        opened = self.acquirer.open(world, name, version, listing)
        told: list[Transition] = []
        try:
            for got in (trusted(one, listing, self.acquirer.around, attestations=self.asking.trust) for one in opened):
                previous, notes = Examiner._predecessor(self._auto, got, listing, None)
                try:
                    told.append(self._transition(got, previous, notes, depth, budget, above))
                finally:
                    if previous is not None:
                        previous.close()
        finally:
            for got in opened:
                got.close()
        return told[:1] + [one for one in told[1:] if _triggers(one) != _triggers(told[0])]

    @property
    def _auto(self) -> Examiner:
        """The same examiner where no predecessor was named: what `--against` names is one of the release alone."""
        if self.asking.against == "auto":
            return self
        return Examiner(self.acquirer, msgspec.structs.replace(self.asking, against="auto"), self.kept)

    def _picked(self, world: World, wanted: Wanted, before: Wanted | None, got: Got) -> tuple[str, Listing] | None:
        """The version that is newly resolved; None where it is the one that was resolved before. Raises NotHad."""
        listing = self.acquirer.listing(world, wanted.name)
        at = self.asking.at
        version, rule = listing.picked(wanted.range, at, self.now)
        if version is None and got.published is not None and at is None:
            version, rule = listing.picked(wanted.range, got.published, self.now)
        if version is None:
            exact = _exact(world, wanted.range)
            if not exact:
                raise NotHad(f"{wanted.name} {rule}")
            version = exact
        if before is not None and before.name == wanted.name and not before.elsewhere:
            earlier, _ = listing.picked(before.range, at, self.now)
            if earlier == version:
                return None
        return version, listing


class _Budget:
    """What one release may still take for its dependencies."""

    def __init__(self, most: int, until: float) -> None:
        self.left = most
        self.until = until
        self.most = most
        self.seen: set[str] = set()

    def spent(self) -> str:
        """Why no more is examined; empty where more is, which is counted."""
        if time.monotonic() > self.until:
            return "the time for dependencies was used up"
        if self.left <= 0:
            return f"{self.most} dependencies were examined already"
        self.left -= 1
        return ""


def _told(release: Release, reason: str, *, name: str = "", relevant: bool = True) -> Refusal:
    place = f"{release.name}@{release.version}"
    return Refusal(place, DEPENDENCY if name else READER, reason[:500], relevant, names=(name or release.name,))


def _triggers(transition: Transition) -> set[tuple[str, str]]:
    """What makes code of a release run, to tell one archive of it from another."""
    facts: Sequence[Fact] = transition.examination.facts
    return {
        (fact.kind, str(fact.attributes.get("command") or fact.attributes.get("backend") or fact.path))
        for fact in facts
        if fact.kind.startswith("trigger.")
    }


def _exact(world: World, wanted: str) -> str:
    """The version that a request names; empty where it names none."""
    if world == "npm":
        from pratique.ecosystems.npm.picking import normal

        return wanted if wanted and normal(wanted) else ""
    from pratique.ecosystems.pypi.requirements import exact

    return exact(wanted) or ""


def platform_of(listing: Listing, version: str) -> str:
    """The platforms that an npm release is for, where this machine is none of them; else empty."""
    if not isinstance(listing.document, Packument):
        return ""
    manifest = listing.document.manifest(version) or {}
    own_os, own_cpu = _OS.get(sys.platform, sys.platform), _CPU.get(_machine(), _machine())
    for key, own in (("os", own_os), ("cpu", own_cpu)):
        words = manifest.get(key)
        words = [words] if isinstance(words, str) else words
        if not isinstance(words, list) or not words or "any" in words:
            continue
        if f"!{own}" in words or (own not in words and not all(str(word).startswith("!") for word in words)):
            return ", ".join(str(word) for word in words)[:80]
    return ""


def _machine() -> str:
    import platform

    return platform.machine().lower()

"""Which version npm, pnpm, yarn and bun pick for a request, each by its own rule.

## npm (npm-pick-manifest)
A version or a tag is taken as asked. A range takes the version that `latest` points to, where the range admits it and
it is neither deprecated, nor for another engine, nor staged or restricted (before npm 10 the first two do not matter);
else the best of those that the range admits: not restricted, not staged, not deprecated with the right engine, the
right engine, not deprecated, highest. With a cut (`before`, `min-release-age`) whatever was published later does not
exist; a tag beyond it falls back to the best version up to it. A version without a time passes; one whose time cannot
be read never does.

## pnpm
`latest` where the range admits it, else the highest. A deprecated highest version gives way to the highest one that is
not; a deprecated `latest` does so from pnpm 11 on. With a cooldown, tags are moved to older versions first (pnpm 11 and
later never move one up); a version without a time is kept out; when nothing is left a strict pnpm stops and another
takes the lowest version that the range admits, young or not. `lowest-direct` and `time-based` take the lowest.

## yarn
Classic takes `latest` where the range admits it, else the highest; it knows neither deprecation nor cooldown. Later
ones take the highest that is old enough and not deprecated, whatever `latest` says; only the tag `latest` moves down
past a cooldown, other tags ignore it.

## bun
`latest` where the range admits it, else the highest release, then the highest pre-release; deprecated ones come last
from bun 1.4 on. With a cooldown it prefers a version that stayed the newest for a while: the length of the cooldown, at
most 7 days.

## Left out
npm's `avoid` (only `npm audit fix` sets it) and its `allow-*` settings; pnpm's preference for versions that other
dependencies of the same project ask for, and `trustPolicy`; yarn's cooldowns of single scopes; the choice among copies
of a tree (`npm dedupe`). Engines count only where they are given, and their ranges are read without npm's rule for
pre-releases of Node. Deprecation is that of the document, not of the moment.

## References
npm-pick-manifest 10.0.0 and 12.0.0; pnpm 10.34.9 and 11.28.11; yarn 1.22.22 and 4.18.1; bun 1.3 `npm.zig`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from pratique.ecosystems.npm.versions import Range, Version, parse_range, parse_version, satisfies
from pratique.ecosystems.releases import Gate, Package, Pick, Release

Passes = Callable[[Release], bool]

SEVEN_DAYS = 7 * 86400.0
_TAG = re.compile(r"[A-Za-z0-9!'()*._~-]+")
_OPEN = re.compile(r"\s*(?:[xX*](?:\.[xX*]){0,2})?\s*")


def normal(text: str) -> str | None:
    """The one spelling of a version, without build metadata; None where the text is none."""
    version = parse_version(text)
    return None if version is None else spelled(version)


def spelled(version: Version) -> str:
    """A version as npm writes it."""
    base = f"{version.major}.{version.minor}.{version.patch}"
    return f"{base}-{'.'.join(map(str, version.prerelease))}" if version.prerelease else base


class Request:
    """One request for one package, made ready to be answered at many moments."""

    def __init__(
        self, package: Package, wanted: str, *, node: str | None = None, npm: str | None = None, strict: bool = False
    ) -> None:
        """`wanted` is a version, a range or a tag; empty asks for any. `node` and `npm` are the engines in use."""
        self.package = package
        self.wanted = wanted
        self.node, self.npm = node, npm
        self.by_version = {release.version: release for release in package.releases}
        self.exact = normal(wanted)
        self.range: Range | None = None if self.exact else parse_range(wanted or "*", loose=not strict)
        self.is_tag = self.exact is None and self.range is None and _TAG.fullmatch(wanted) is not None
        self._parsed = {text: parse_version(text) for text in self.by_version}
        self._admitted: list[Release] | None = None
        self._ordered: list[Release] | None = None

    @property
    def understood(self) -> bool:
        """Whether it is a version, a range or a tag: of anything else nothing can be told."""
        return self.exact is not None or self.range is not None or self.is_tag

    @property
    def any(self) -> bool:
        """Whether it asks for any version, in so many words."""
        return self.wanted in ("", "*")

    def admits(self, text: str) -> bool:
        """Whether the range admits a version."""
        version = self._parsed[text] if text in self._parsed else parse_version(text)
        return version is not None and self.range is not None and self.range.admits(version)

    @property
    def admitted(self) -> list[Release]:
        """Every release that the range admits, the highest first."""
        if self._admitted is None:
            self._admitted = self.descending(
                release for release in self.package.releases if self.admits(release.version)
            )
        return self._admitted

    def descending(self, releases: Iterable[Release]) -> list[Release]:
        """Releases whose versions can be read, the highest first; equal ones in the order given."""
        ranked = [(version.rank, release) for release in releases if (version := self._parsed[release.version])]
        return [release for _, release in sorted(ranked, key=lambda item: item[0], reverse=True)]

    def version(self, text: str) -> Version | None:
        """The parsed version of one of the releases."""
        return self._parsed.get(text)

    def fits(self, release: Release) -> bool:
        """Whether a release allows the engines in use."""
        return not (
            (self.node and release.node and not satisfies(self.node, release.node))
            or (self.npm and release.npm and not satisfies(self.npm, release.npm))
        )

    @property
    def by_merit(self) -> list[Release]:
        """The admitted releases in npm's order of preference."""
        if self._ordered is None:
            self._ordered = sorted(self.admitted, key=self._merit)
        return self._ordered

    def _merit(self, release: Release) -> tuple[bool, bool, bool, bool, bool]:
        fits = self.fits(release)
        return (
            release.shelf == "restricted",
            release.shelf == "staged",
            release.deprecated or not fits,
            not fits,
            release.deprecated,
        )


def pick(
    manager: str,
    request: Request,
    at: float,
    gate: Gate | None = None,
    *,
    version: tuple[int, ...] | None = None,
    lowest: bool = False,
    include_staged: bool = False,
) -> Pick:
    """What a manager picks at a moment. `version` is the manager's own, such as `(10, 16)`; None: the newest known.

    Raises ValueError for a manager that is not known here.
    """
    major = version[0] if version else None

    def choose(held: Gate | None) -> Pick:
        match manager:
            case "npm":
                return _npm(request, at, held, include_staged, major or 12)
            case "pnpm":
                return _pnpm(request, at, held, 12 if major is None else major, lowest)
            case "yarn" if major == 1:
                return _yarn_classic(request, at)
            case "yarn":
                return _yarn(request, at, held, version or (4, 18))
            case "bun":
                return _bun(request, at, held, version or (1, 4))
            case _:
                raise ValueError(manager)

    picked = choose(gate)
    if gate is None:
        return picked
    free = choose(None)
    return Pick(picked.version, picked.rule, free.version if free.version != picked.version else None)


def _after(release: Release, cut: float) -> bool:
    """npm's reading of times: none stated passes, one that cannot be read never does."""
    return release.published is not None and not release.published <= cut


def _npm(request: Request, at: float, gate: Gate | None, include_staged: bool, major: int) -> Pick:
    package = request.package
    tags = package.tagged(at)
    cut = gate.cut if gate is not None and package.timed else float("inf")

    def kept(release: Release | None) -> Release | None:
        hidden = release is None or not release.live(at) or (release.shelf == "staged" and not include_staged)
        return None if hidden else release

    def passes(version: str) -> bool:
        release = request.by_version.get(version)
        return release is None or not package.timed or not _after(release, cut)

    def end(release: Release | None, rule: str) -> Pick:
        if release is None:
            return Pick(None, "refused" if gate is not None else "nothing")
        if release.shelf == "restricted":
            return Pick(None, "policy")
        return Pick(release.version, rule)  # type: ignore[arg-type]  # one of the rules below

    if request.is_tag:
        target = tags.get(request.wanted)
        if target is None:
            return Pick(None, "nothing")
        if passes(target):
            found = kept(request.by_version.get(target))
            return end(found, "tag") if found else Pick(None, "nothing")
        below = Request(package, f"<={target}", node=request.node, npm=request.npm)
        return _npm(below, at, gate, include_staged, major)
    if request.exact is not None:
        found = kept(request.by_version.get(request.exact))
        if found is None:
            return Pick(None, "nothing")
        return end(found if passes(request.exact) else None, "exact")
    if request.range is None:
        return Pick(None, "nothing")
    latest = tags.get("latest")
    if latest and (request.any or request.admits(latest)):
        found = kept(request.by_version.get(latest))
        worn = found is not None and major >= 10 and (found.deprecated or not request.fits(found))
        if found and not found.shelf and passes(latest) and not worn:
            return Pick(latest, "latest")
    for release in request.by_merit:
        if kept(release) and passes(release.version):
            return end(release, "highest")
    return end(None, "nothing") if any(kept(release) for release in request.admitted) else Pick(None, "nothing")


def _pnpm(request: Request, at: float, gate: Gate | None, major: int, lowest: bool) -> Pick:
    package = request.package
    live = [release for release in package.releases if release.live(at) and not release.shelf]
    tags = package.tagged(at)
    if gate is not None and not package.timed:
        if not gate.ignore_missing:
            return Pick(None, "refused")
        gate = None
    plain = major >= 12 and not request.any  # pnpm 12 takes `x` for a range like any other
    if gate is None:
        return _pnpm_among(request, live, tags, major, lowest, plain=plain)
    cut = gate.cut
    old = [r for r in live if r.version in gate.free or (r.published is not None and r.published <= cut)]
    moved = _moved_tags(request, live, old, tags, major)
    picked = _pnpm_among(request, old, moved, major, lowest, plain=plain)
    if picked.version is not None:
        return picked
    if gate.strict:
        without = _pnpm_among(request, live, tags, major, lowest, plain=plain)
        return Pick(None, "nothing" if without.version is None else "refused")
    return _pnpm_among(request, live, tags, major, True, plain=plain)


def _moved_tags(
    request: Request, live: Sequence[Release], old: Sequence[Release], tags: dict[str, str], major: int
) -> dict[str, str]:
    """Where pnpm takes each tag to point once young versions are taken out."""
    kept = {release.version for release in old}
    deprecated = {release.version: release.deprecated for release in live}
    found: dict[str, str] = {}
    for tag, target in tags.items():
        if target in kept:
            found[tag] = target
            continue
        original = parse_version(target)
        if original is None:
            continue
        best: tuple[int, Version, str] | None = None
        for release in old:
            version = request.version(release.version)
            tier = None if version is None else _tier(tag, original, version, major)
            if version is None or tier is None:
                continue
            mine = (tier, version, release.version)
            if best is None:
                best = mine
                continue
            higher = (tier, version.rank) > (best[0], best[1].rank)
            same = deprecated[release.version] == deprecated[best[2]]
            if (higher and same) or (deprecated[best[2]] and not deprecated[release.version]):
                best = mine
        if best is not None:
            found[tag] = best[2]
    return found


def _tier(tag: str, original: Version, candidate: Version, major: int) -> int | None:
    """How well a version stands in for the one a tag points to; None where pnpm does not consider it."""
    alike = bool(candidate.prerelease) == bool(original.prerelease)
    if major < 11:
        return 0 if alike and (tag == "latest" or candidate.major == original.major) else None
    if candidate > original:
        return None
    if alike:
        return 2 if candidate.major == original.major else (0 if tag == "latest" else None)
    return 1 if candidate.prerelease and candidate.major == original.major else None


def _pnpm_among(
    request: Request,
    releases: Sequence[Release],
    tags: dict[str, str],
    major: int,
    lowest: bool,
    *,
    plain: bool = False,
) -> Pick:
    by_version = {release.version: release for release in releases}
    if request.exact is not None:
        return Pick(request.exact, "exact") if request.exact in by_version else Pick(None, "nothing")
    if request.is_tag or not request.wanted:
        target = tags.get(request.wanted or "latest")
        return Pick(target, "tag") if target in by_version else Pick(None, "nothing")
    if request.range is None:
        return Pick(None, "nothing")
    any_at_all = not plain and _OPEN.fullmatch(request.wanted) is not None
    if lowest:
        low = request.descending(releases) if any_at_all else [r for r in request.admitted if r.version in by_version]
        return Pick(low[-1].version, "lowest") if low else Pick(None, "nothing")
    admitted = [release for release in request.admitted if release.version in by_version]
    latest = tags.get("latest")
    if latest in by_version and (any_at_all or request.admits(latest)):
        if major < 11 or not by_version[latest].deprecated:
            return Pick(latest, "latest")
        chosen = by_version[latest]
        rule = "latest"
    elif admitted:
        chosen = admitted[0]
        rule = "highest"
    else:
        return Pick(None, "nothing")
    if chosen.deprecated and len(releases) > 1:
        better = _same_release(request, releases, chosen) if rule == "latest" else None
        better = better or next((release for release in admitted if not release.deprecated), None)
        if better is not None:
            return Pick(better.version, "highest")
    return Pick(chosen.version, "latest" if rule == "latest" else "highest")


def _same_release(request: Request, releases: Sequence[Release], chosen: Release) -> Release | None:
    """For any version, where `latest` is a deprecated pre-release: the highest other one of the same three numbers."""
    version = request.version(chosen.version)
    if _OPEN.fullmatch(request.wanted) is None or version is None or not version.prerelease:
        return None
    for release in request.descending(releases):
        other = request.version(release.version)
        if other is not None and other.release == version.release and not release.deprecated:
            return release
    return None


def _yarn_classic(request: Request, at: float) -> Pick:
    live = {release.version: release for release in request.package.releases if release.live(at) and not release.shelf}
    tags = request.package.tagged(at)
    wanted, rule = request.wanted, "highest"
    if wanted in tags:
        wanted, rule = tags[wanted], "tag"
    asked = request if wanted == request.wanted else Request(request.package, wanted)
    latest = tags.get("latest")
    if latest is not None and satisfies(latest, wanted, loose=False):
        if latest not in live:
            return Pick(None, "nothing")
        return Pick(latest, "exact" if asked.exact and rule != "tag" else "tag" if rule == "tag" else "latest")
    if asked.exact is not None:
        version = next((text for text in live if normal(text) == asked.exact), None)
        return Pick(version, "tag" if rule == "tag" else "exact") if version else Pick(None, "nothing")
    found = next((release for release in asked.admitted if release.version in live), None)
    return Pick(found.version, "highest") if found else Pick(None, "nothing")


def _yarn(request: Request, at: float, gate: Gate | None, own: tuple[int, ...]) -> Pick:
    package = request.package
    live = {release.version: release for release in package.releases if release.live(at) and not release.shelf}

    def passes(release: Release) -> bool:
        if gate is None or release.version in gate.free:
            return True
        return package.timed and release.published is not None and not release.published > gate.cut

    if request.is_tag:
        target = package.tagged(at).get(request.wanted)
        found = live.get(target) if target is not None else None
        if found is None or target is None:
            return Pick(None, "nothing")
        if request.wanted != "latest" or passes(found):
            return Pick(target, "tag")
        tagged = request.version(target)
        for release in request.descending(live.values()):
            version = request.version(release.version)
            lower = version is not None and tagged is not None and version < tagged
            if lower and passes(release) and ("-" in target or "-" not in release.version):
                return Pick(release.version, "highest")
        return Pick(None, "refused")
    if request.exact is not None:
        found = live.get(request.exact)
        if found is None:
            return Pick(None, "nothing")
        return Pick(request.exact, "exact") if passes(found) else Pick(None, "refused")
    candidates = [release for release in request.admitted if release.version in live]
    if not candidates and request.wanted == "*" and own >= (4, 18):
        candidates = request.descending(live.values())
    if not candidates:
        return Pick(None, "nothing")
    old = [release for release in candidates if passes(release)]
    if not old:
        return Pick(None, "refused")
    best = next((release for release in old if not release.deprecated), old[0])
    return Pick(best.version, "highest")


def _bun(request: Request, at: float, gate: Gate | None, version: tuple[int, ...]) -> Pick:
    live = {release.version: release for release in request.package.releases if release.live(at) and not release.shelf}
    tags = request.package.tagged(at)
    newer = version >= (1, 4)

    def young(release: Release) -> bool:
        return gate is not None and release.published is not None and release.published > gate.cut

    if request.is_tag or not request.wanted or (newer and request.wanted == "*" and not _bun_admits_any(request, live)):
        found = live.get(tags.get(request.wanted if request.is_tag else "latest", ""))
        if found is None:
            return Pick(None, "nothing")
        if newer and found.deprecated and not request.is_tag:
            return _bun_range(request, at, gate, live, tags, newer)
        if not young(found):
            return Pick(found.version, "tag" if request.is_tag else "latest")
        stable = _settled(_lane(request, live, found), at, gate, young, blocked=found)
        return Pick(stable.version, "highest") if stable else Pick(None, "refused")
    return _bun_range(request, at, gate, live, tags, newer)


def _bun_admits_any(request: Request, live: dict[str, Release]) -> bool:
    """Whether a request for any version admits one: pre-releases are not among them."""
    return any(release.version in live for release in request.admitted)


def _bun_range(
    request: Request, at: float, gate: Gate | None, live: dict[str, Release], tags: dict[str, str], newer: bool
) -> Pick:
    def young(release: Release) -> bool:
        return gate is not None and release.published is not None and release.published > gate.cut

    alternatives = request.range.alternatives if request.range is not None else ()
    first = alternatives[0][0] if alternatives and alternatives[0] else None
    exact = request.exact
    if exact is None and first is not None and first.operator == "" and (len(alternatives) == 1 or not newer):
        exact = spelled(first.version)  # before 1.4 the first of several alternatives alone counts where it is exact
    if exact is not None:
        found = live.get(exact)
        if found is None:
            return Pick(None, "nothing")
        return Pick(None, "refused") if young(found) else Pick(exact, "exact")
    if request.range is None:
        return Pick(None, "nothing")
    written = [comparator for group in alternatives for comparator in group if _named(comparator)]
    by_prerelease = any(comparator.version.prerelease for comparator in written)
    latest = live.get(tags.get("latest", ""))
    held = False
    if latest is not None and request.admits(latest.version):
        held = young(latest)
        same = first is not None and request.version(latest.version) == first.version
        if not held and (same or not by_prerelease) and not (newer and latest.deprecated):
            return Pick(latest.version, "latest")
    admitted = [release for release in request.admitted if release.version in live]
    kinds = [
        [r for r in admitted if bool(getattr(request.version(r.version), "prerelease", ())) is before]
        for before in ((False, True) if by_prerelease else (False,))
    ]
    lanes = [[r for r in lane if not r.deprecated] for lane in kinds] + kinds if newer else kinds
    for lane in lanes:
        stable = _settled(lane, at, gate, young)
        if stable is not None:
            return Pick(stable.version, "highest")
        held = held or any(map(young, lane))
    return Pick(None, "refused" if held else "nothing")


def _named(comparator: object) -> bool:
    """Whether a comparator's pre-release was written by a person: npm's own upper bounds end in `-0`."""
    operator = getattr(comparator, "operator", "")
    version = getattr(comparator, "version", None)
    return not (operator == "<" and version is not None and version.prerelease == (0,))


def _lane(request: Request, live: dict[str, Release], tagged: Release) -> list[Release]:
    """What bun considers instead of a tagged version that is too young: not higher, of the same kind."""
    top = request.version(tagged.version)
    if top is None:
        return []
    word = str(top.prerelease[0]) if top.prerelease else None
    found = []
    for release in request.descending(live.values()):
        version = request.version(release.version)
        if version is None or version > top or bool(version.prerelease) != bool(top.prerelease):
            continue
        if word is None or str(version.prerelease[0]) == word:
            found.append(release)
    return found


def _settled(
    lane: Sequence[Release], at: float, gate: Gate | None, young: Passes, blocked: Release | None = None
) -> Release | None:
    """Bun's choice among versions from the highest down: one that no younger one replaced within the cooldown."""
    if gate is None:
        return lane[0] if lane else None
    age = at - gate.cut
    window = min(age, SEVEN_DAYS)
    best: Release | None = None
    for release in lane:
        if young(release):
            blocked = release
            continue
        if blocked is None:
            return release
        published = release.published or 0.0
        if published < at - (age + SEVEN_DAYS):
            return best or release
        if (blocked.published or 0.0) - published >= window:
            return release
        best = best or release
        blocked = release
    return best

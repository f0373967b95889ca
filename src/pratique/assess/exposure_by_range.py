"""What a declared range would have resolved to while a listed release could be had.

Every answer is an inference: nothing shows that an install took place at that moment, which client ran or which
settings held then. So an answer never is a verdict; in a check it says more about a gap and leaves it open.

With a registry document the releases and their times are known; those that the registry removed come back from the
incident. Without one only what the incident says is there: listed releases with their times and tags, and known good
ones. Then only a listed release that would be picked, whatever else was there, is told; the rest is "cannot be told".
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from pratique.assess.catalogue import Listing
from pratique.ecosystems.cooldowns import Cooldown
from pratique.ecosystems.grammar import admits
from pratique.ecosystems.npm.picking import Request as NpmRequest
from pratique.ecosystems.npm.picking import pick as pick_npm
from pratique.ecosystems.npm.versions import parse_version
from pratique.ecosystems.pypi.picking import Request as PypiRequest
from pratique.ecosystems.pypi.picking import pick as pick_pypi
from pratique.ecosystems.releases import Document, Package, Pick, Release, Tag
from pratique.model.incident import Incident, Role, Version, Window
from pratique.model.resolution import Outcome, Span

NOT_UNDERSTOOD = "cannot be told: the range is in no form that is understood here"
MOST_CHANGES = 1000
"""How many changes of a package are looked at in one window."""
_PAST = -1e12
"""A moment before every registry: for releases that are known to be old, without a time."""


class Client(msgspec.Struct, frozen=True):
    """The package manager asked about. `origin` says how it is known; `lowest`: it takes the lowest versions."""

    name: str
    version: tuple[int, ...] | None = None
    origin: str = "assumed"
    lowest: bool = False
    node: str | None = None


class Laid(msgspec.Struct, frozen=True):
    """A package over time as far as it is known. `listed` maps versions to the incidents that list them.

    `whole`: a registry document stands behind it, last changed at `modified`. `gone` are releases that it remembers and
    no incident lists: removed at a time that nobody states.
    """

    package: Package
    listed: dict[str, tuple[str, ...]]
    whole: bool
    notes: tuple[str, ...] = ()
    modified: float | None = None
    gone: tuple[Release, ...] = ()


def epoch(value: datetime.datetime | None) -> float | None:
    """A moment of an incident as seconds since the epoch."""
    return None if value is None else value.timestamp()


def moment(seconds: float) -> str:
    """Seconds since the epoch in ISO 8601."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat().replace("+00:00", "Z")


def shown(seconds: float) -> str:
    """A moment for people."""
    value = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return value.strftime("%Y-%m-%d %H:%M:%S" if value.second else "%Y-%m-%d %H:%M")


def between(start: float, end: float) -> str:
    """A span for people; the day once where both ends are of one day."""
    first, last = shown(start), shown(end)
    return f"between {first} and {last[11:] if first[:10] == last[:10] else last} UTC"


def _life(incident: Incident, name: str, version: Version) -> tuple[float | None, float | None]:
    """When a listed release appeared and disappeared, by its own times or the windows of the incident."""
    windows: list[Window] = [item for item in incident.windows if item.component == name]
    windows = windows or [item for item in incident.windows if item.component is None]
    start, end = epoch(version.published), epoch(version.removed)
    if start is None and windows:
        start = min(item.start.timestamp() - 60 * item.margin_minutes for item in windows)
    if end is None and windows and all(item.end is not None for item in windows):
        end = max(item.end.timestamp() + 60 * item.margin_minutes for item in windows if item.end is not None)
    return start, end


def lay_out(name: str, listings: Sequence[Listing], document: Document | None = None) -> Laid:
    """Everything that is known of a package: its registry document, and what incidents list of it."""
    package = document.package if document else None
    listed: dict[str, tuple[str, ...]] = {}
    releases: dict[str, Release] = {release.version: release for release in package.releases} if package else {}
    stated = {release.version: release.published for release in document.gone} if document else {}
    served = frozenset(releases)
    held: list[Tag] = []
    base: list[Tag] = []
    notes: list[str] = []
    for listing in listings:
        for version in listing.versions.values():
            text = version.version
            start, end = _life(listing.incident, listing.component.name, version)
            known = releases.get(text)
            told = known.published if known is not None else stated.get(text)
            start = told if told is not None and not math.isnan(told) else start
            if text in served:
                end = None  # whatever the incident says, this registry has it
            elif end is None and document is not None and not _older(document, start):
                end = document.modified
            release = known or Release(text)
            releases[text] = msgspec.structs.replace(release, published=start, appeared=start, removed=end)
            if listing.role(version) is Role.DECOY:
                continue
            listed[text] = (*listed.get(text, ()), listing.incident.id)
            if start is None:
                notes.append(f"no time of the publication of {text} is known")
            since, until = -math.inf if start is None else start, math.inf if end is None else end
            held += [Tag(tag, text, since, until) for tag in version.tags or _usual_tag(listing, text)]
            if package is None and version.safe:
                base += [Tag(tag, version.safe) for tag in version.tags]
        if package is None:
            good = [*listing.component.safe, *(v.safe for v in listing.versions.values() if v.safe)]
            for text in good:
                releases.setdefault(text, Release(text, published=_PAST))
    held.sort(key=lambda tag: tag.since)
    before = [*_earlier_latest(package, listed), *_document_tags(package)] if package is not None else base
    gone = tuple(release for release in document.gone if release.version not in listed) if document else ()
    whole = Package(name, tuple(releases.values()), (*before, *held), package.timed if package is not None else True)
    modified = document.modified if document else None
    return Laid(whole, listed, document is not None, tuple(dict.fromkeys(notes)), modified, gone)


def _older(document: Document, start: float | None) -> bool:
    """Whether a document was last changed before a release appeared: then it says nothing about its removal."""
    return document.modified is not None and start is not None and document.modified <= start


def _usual_tag(listing: Listing, text: str) -> tuple[str, ...]:
    """The tag that a release takes where nothing is said about it: publishing sets `latest`."""
    version = parse_version(text)
    usual = listing.component.ecosystem == "npm" and version is not None and not version.prerelease
    return ("latest",) if usual else ()


def _document_tags(document: Package) -> list[Tag]:
    """The tags of a document, from the moment on at which the version they point to was there."""
    published = {release.version: release.published for release in document.releases}
    found = []
    for tag in document.tags:
        since = published.get(tag.version)
        found.append(Tag(tag.name, tag.version, since if since is not None and not math.isnan(since) else -math.inf))
    return found


def _earlier_latest(document: Package, listed: dict[str, tuple[str, ...]]) -> list[Tag]:
    """Where `latest` stood before the document's own: taken to be the highest stable release of that moment."""
    dated = []
    for release in document.releases:
        version = parse_version(release.version)
        plain = version is not None and not version.prerelease and not release.shelf
        if version is None or not plain or release.version in listed or release.removed is not None:
            continue
        if release.published is not None and not math.isnan(release.published):
            dated.append((release.published, version, release.version))
    found: list[Tag] = []
    top = None
    for since, version, text in sorted(dated, key=lambda item: item[0]):
        if top is None or version > top:
            top = version
            found.append(Tag("latest", text, since))
    return found


class Question(msgspec.Struct, frozen=True):
    """One request: which package, which range, by whom, with which cooldown, over which time.

    `end` None asks for the one moment `start`.
    """

    ecosystem: str
    laid: Laid
    wanted: str
    client: Client
    cooldown: Cooldown | None = None
    start: float = 0.0
    end: float | None = None


class Found(msgspec.Struct, frozen=True):
    """The answer to a question, without where it was asked. `versions` are the listed ones that it is about."""

    outcome: Outcome
    text: str
    spans: tuple[Span, ...]
    versions: tuple[str, ...]
    inferred: bool
    notes: tuple[str, ...] = ()
    periods: tuple[tuple[float, float], ...] = ()


def answer(question: Question) -> Found:
    """What would have been picked, in words and as data. Total: what cannot be told says so."""
    laid = question.laid
    notes = list(laid.notes)
    if not understood(question.ecosystem, question.wanted):
        return Found("unknown", NOT_UNDERSTOOD, (), (), True, tuple(notes))
    if question.cooldown is not None and not question.cooldown.told:
        notes.append(f"{question.cooldown.shown} could not be read and is left out")
    notes += _missing(question)
    moments = _moments(question)
    cut_short = len(moments) > MOST_CHANGES
    moments = moments[:MOST_CHANGES]
    if cut_short:
        notes.append(f"the window holds more than {MOST_CHANGES} changes; ask for a shorter one")
    ask = _asker(question, laid.package)
    first_picks = [ask(at) for at in moments]
    told = _undated(question, moments, first_picks) if laid.whole else _doubted(question, moments, first_picks)
    picks = _untagged(question, moments, told)
    ends = [*moments[1:], question.end if question.end is not None else moments[-1]]
    if cut_short and question.end is not None:
        ends[-1] = moments[-1]
    spans: list[tuple[float, float, Pick | None]] = []
    for at, until, picked in zip(moments, ends, picks, strict=True):
        if spans and spans[-1][2] == picked:
            spans[-1] = (spans[-1][0], until, picked)
        else:
            spans.append((at, until, picked))
    listed = [item for item in spans if item[2] is not None and item[2].version in laid.listed]
    refused = [item for item in spans if item[2] is not None and item[2].held_back in laid.listed]
    unknown = [item for item in spans if item[2] is None]
    outcome: Outcome = "listed" if listed else "unknown" if unknown or cut_short else "refused" if refused else "other"
    untold = question.cooldown is not None and not question.cooldown.told
    if outcome == "other" and untold and any(admits(question.ecosystem, text, question.wanted) for text in laid.listed):
        outcome, unknown = "unknown", spans  # an older release than the one picked without it
    chosen = {"listed": listed, "unknown": unknown, "refused": refused, "other": spans}[outcome]
    inferred = not (
        laid.whole and question.end is None and laid.modified is not None and question.start >= laid.modified
    )
    versions = [item[2].version if outcome == "listed" else item[2].held_back for item in chosen if item[2] is not None]
    return Found(
        outcome,
        _words(question, outcome, chosen, inferred),
        tuple(_span(laid, question, *item) for item in spans),
        tuple(dict.fromkeys(text for text in versions if text in laid.listed))
        if outcome in ("listed", "refused")
        else (),
        inferred,
        tuple(dict.fromkeys(notes)),
        tuple((start, until) for start, until, _ in chosen),
    )


def understood(ecosystem: str, wanted: str) -> bool:
    """Whether a request can be read: a version, a range or a tag, or a specifier of Python."""
    nothing = Package("", ())
    return PypiRequest(nothing, wanted).understood if ecosystem == "PyPI" else NpmRequest(nothing, wanted).understood


def _missing(question: Question) -> list[str]:
    """Releases that were removed at an unknown time and that the request admits: they may have been picked."""
    last = question.end if question.end is not None else question.start
    found = []
    for release in question.laid.gone:
        early = release.published is not None and release.published <= last
        if early and admits(question.ecosystem, release.version, question.wanted):
            found.append(f"{release.version} was removed at a time that is not known; it may have been picked")
    return found[:3]


def _moments(question: Question) -> list[float]:
    """The moments at which the answer may change."""
    if question.end is None:
        return [question.start]
    moments = set(question.laid.package.changes(question.start, question.end))
    if question.cooldown is not None and question.cooldown.age:
        for release in question.laid.package.releases:
            if release.published is not None:
                ripe = release.published + question.cooldown.age
                if question.start <= ripe < question.end:
                    moments.add(ripe)
    return sorted(moments)


def _asker(question: Question, package: Package) -> Callable[[float], Pick]:
    client, wanted, cooldown = question.client, question.wanted, question.cooldown
    versions = [release.version for release in package.releases]
    if question.ecosystem == "PyPI":
        python = PypiRequest(package, wanted)

        def by_python(at: float) -> Pick:
            gate = cooldown.gate(package.name, at, versions) if cooldown is not None else None
            return pick_pypi(client.name, python, at, gate)

        return by_python
    request = NpmRequest(package, wanted, node=client.node)

    def by_npm(at: float) -> Pick:
        gate = cooldown.gate(package.name, at, versions) if cooldown is not None else None
        return pick_npm(client.name, request, at, gate, version=client.version, lowest=client.lowest)

    return by_npm


def _doubted(question: Question, moments: Sequence[float], picks: Sequence[Pick]) -> list[Pick | None]:
    """Picks out of an incident's data alone; None where another release that was there could change them.

    Picked by the tag `latest`, exactly or by a tag of its own, a listed release is told. By height it is told too, as
    far as is known. A good release that wins over a listed one that was there is not: it may have come later.
    """
    laid = question.laid
    package = laid.package
    only = tuple(release for release in package.releases if release.version in laid.listed)
    tags = tuple(tag for tag in package.tags if tag.version in laid.listed)
    ask = _asker(question, msgspec.structs.replace(package, releases=only, tags=tags))
    found: list[Pick | None] = []
    for at, picked in zip(moments, picks, strict=True):
        if picked.version in laid.listed:
            found.append(picked)
            continue
        alone = ask(at)
        if alone.version in laid.listed:
            found.append(picked if _by_tag(question, at, picked) else None)
        elif alone.held_back in laid.listed:
            found.append(Pick(picked.version, picked.rule, alone.held_back))
        else:
            found.append(Pick(picked.version, picked.rule))
    return found


def _undated(question: Question, moments: Sequence[float], picks: Sequence[Pick]) -> list[Pick | None]:
    """Picks out of a document; None where one without a time may have come after a listed release that was there."""
    laid = question.laid
    times = {release.version: release.published for release in laid.package.releases}
    only = tuple(release for release in laid.package.releases if release.version in laid.listed)
    tags = tuple(tag for tag in laid.package.tags if tag.version in laid.listed)
    ask = _asker(question, msgspec.structs.replace(laid.package, releases=only, tags=tags))
    found: list[Pick | None] = []
    for at, picked in zip(moments, picks, strict=True):
        time = times.get(picked.version or "", 0.0)
        undated = time is None or math.isnan(time)
        past = laid.modified is None or at < laid.modified
        doubted = undated and past and picked.version not in laid.listed and ask(at).version in laid.listed
        found.append(None if doubted else picked)
    return found


def _untagged(question: Question, moments: Sequence[float], picks: Sequence[Pick | None]) -> list[Pick | None]:
    """The picks; None where a tag is asked for that nothing places at that moment."""
    if question.ecosystem != "npm" or not NpmRequest(question.laid.package, question.wanted).is_tag:
        return list(picks)
    known = [question.wanted in question.laid.package.tagged(at) for at in moments]
    return [picked if there else None for picked, there in zip(picks, known, strict=True)]


def _by_tag(question: Question, at: float, picked: Pick) -> bool:
    """Whether a good release was picked because a tag that the incident knows pointed to it at that moment."""
    tag = question.wanted if picked.rule == "tag" else "latest" if picked.rule == "latest" else None
    return tag is not None and question.laid.package.tagged(at).get(tag) == picked.version


def _span(laid: Laid, question: Question, start: float, end: float, picked: Pick | None) -> Span:
    until = None if question.end is None else moment(end)
    if picked is None:
        return Span(moment(start), until, None, "unknown")
    about = picked.version if picked.version in laid.listed else picked.held_back
    incidents = laid.listed.get(about or "", ())
    version = picked.version if laid.whole or picked.version in laid.listed else None
    return Span(moment(start), until, version, picked.rule, incidents, picked.held_back)


_RULES = {
    "exact": "it names that version",
    "tag": "the tag",
    "latest": "latest",
    "highest": "highest",
    "lowest": "lowest",
}


def _words(
    question: Question, outcome: Outcome, chosen: Sequence[tuple[float, float, Pick | None]], inferred: bool
) -> str:
    """One sentence."""
    name, client = question.laid.package.name, question.client
    mark = "; inferred" if inferred else ""

    def when(start: float, end: float) -> str:
        return f"at {shown(start)} UTC" if question.end is None else between(start, end)

    def label(picked: Pick) -> str:
        return f"({client.name}; {_RULES.get(picked.rule, picked.rule)}{mark})"

    parts = []
    for start, end, picked in chosen[:3]:
        if outcome == "listed" and picked is not None:
            parts.append(f"{name} {picked.version} {when(start, end)} {label(picked)}")
        elif outcome == "refused" and picked is not None:
            parts.append(f"{name} {picked.held_back} {when(start, end)}")
    more = f", and {len(chosen) - 3} times more" if len(chosen) > 3 else ""
    if outcome == "listed":
        return f"would have resolved to {', then to '.join(parts)}{more}"
    if outcome == "refused":
        kept = question.cooldown.shown if question.cooldown is not None else "a cooldown"
        return f"{kept} would have refused {', then '.join(parts)}{more} ({client.name}{mark})"
    if not chosen:
        return f"cannot be told ({client.name}{mark})"
    if outcome == "unknown":
        start, end, _ = chosen[0]
        return f"cannot be told {when(start, end)}: other releases of {name} are not known ({client.name}{mark})"
    if question.laid.whole:
        last = chosen[-1][2]
        if last is not None and last.version is not None:
            start, end = chosen[-1][0], chosen[-1][1]
            return f"would have resolved to {name} {last.version} {when(start, end)} {label(last)}"
        return f"would have resolved to nothing {when(chosen[0][0], chosen[-1][1])} ({client.name}{mark})"
    return f"would not have resolved to a listed release {when(chosen[0][0], chosen[-1][1])} ({client.name}{mark})"


def admitted_life(laid: Laid, admitted: Iterable[str]) -> tuple[float, float | None] | None:
    """From the first moment at which one of these listed releases was there to the last.

    The end is None where one is still there or its removal is not known: then the first moment alone can be asked
    about. None where no beginning is known.
    """
    wanted = set(admitted)
    lives = [release for release in laid.package.releases if release.version in wanted]
    starts = [release.appeared for release in lives if release.appeared is not None]
    ends = [release.removed for release in lives if release.removed is not None]
    if not lives or len(starts) < len(lives):
        return None
    return min(starts), max(ends) if len(ends) == len(lives) else None

"""From what one sandbox gave to what the release did: one stream of events, without what an empty package does too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from pratique.behaviour.honeytokens import Seeker, found_in_names, redacted
from pratique.model.detonation import Asked, Contained, Found, Payload, Sent
from pratique.model.event import Cause, Event, PathClass
from pratique.workflow.detonate_home import REGISTRY, Life
from pratique.workflow.detonate_packages import Package

_NUMBERS = re.compile(r"[0-9a-fA-F]{6,}|\d+|_[A-Za-z0-9_]{6,10}(?=/|$)|(?<=pip-)[a-z-]+-\w+|(?<=tmp)\w{6,10}")
_SLACK = 50_000_000
"""Nanoseconds by which a connection may be told after what it sent."""
_CACHED = re.compile(r"/\.npm/_cacache/(?:index-v5|content-v2/sha\d+)/[0-9a-f/]+$")
"""What npm keeps of archives, under names that are digests."""
_INSTALLED = re.compile(r"/(?:RECORD|INSTALLER|REQUESTED|direct_url\.json|__pycache__/.*|[^/]+\.pyc)$")


class Told(msgspec.Struct, frozen=True):
    """One run told whole: events in order of time, numbered; payloads with what was found in them."""

    events: tuple[Event, ...]
    payloads: tuple[Payload, ...]
    names: tuple[str, ...]
    files: tuple[Found, ...]
    gaps: tuple[str, ...] = ()


def told(found: Contained, life: Life, packages: Sequence[Package], site: str) -> Told:
    """Everything of one run in one stream. `site` is the folder that packages are installed in."""
    called = {one.address: one.name for one in found.asked if one.address}
    events = [_named(one, called) for one in found.events if one.kind != "network.name"]
    connected = [one for one in events if one.kind == "network.connect"]
    asked = list(_asked(found.asked, connected, life))
    seeker = Seeker(life.planted)
    pairs = [_sent(one, connected, life, seeker) for one in found.sent]
    last = max((one.time_ns for one in events), default=0)
    compared = list(_compared(found, packages, site, last))
    whole = sorted([*events, *asked, *(event for event, _ in pairs), *compared], key=lambda one: one.time_ns)
    numbered = tuple(msgspec.structs.replace(one, sequence=at) for at, one in enumerate(whole, 1))
    names = tuple(dict.fromkeys(one.name for one in found.asked if one.name.lower() != REGISTRY))
    gaps = (f"{seeker.cut} payloads were not looked into wholly: there was too much",) if seeker.cut else ()
    return Told(numbered, tuple(payload for _, payload in pairs), names, tuple(_left(found, packages, site)), gaps)


def _named(event: Event, called: Mapping[str, str]) -> Event:
    name = called.get(event.address, "") if event.kind == "network.connect" else ""
    return msgspec.structs.replace(event, host=name) if name else event


def _before(connected: Sequence[Event], time_ns: int, address: str | None, port: int) -> Event | None:
    """The last connection to a place before a moment; where there is none, the first that was told soon after it."""
    there = [one for one in connected if one.port == port and address in (None, one.address)]
    before = [one for one in there if one.time_ns <= time_ns]
    return before[-1] if before else next((one for one in there if one.time_ns <= time_ns + _SLACK), None)


def _asked(asked: Iterable[Asked], connected: Sequence[Event], life: Life) -> Iterator[Event]:
    """An event for each name, and what the names together carried in the last of theirs."""
    first: dict[str, Asked] = {}
    for one in asked:
        first.setdefault(one.name, one)
    carried = found_in_names(list(first), life.planted)
    ends: dict[str, tuple[str, ...]] = {}
    for token, (how, domain) in carried.items():
        within = [name for name in first if name.lower().endswith(domain)]
        if within:
            ends[within[-1]] = (*ends.get(within[-1], ()), f"{token} ({how})")
    for name, one in first.items():
        by = _before(connected, one.time_ns, None, 53)
        yield Event(
            kind="network.name",
            source="sink",
            sequence=0,
            time_ns=one.time_ns,
            process=by.process if by is not None else None,
            cause=by.cause if by is not None else None,
            outcome="done",
            address=one.address,
            host=name,
            protocol="udp",
            detail={"type": one.kind},
        )
        if name in ends:
            tokens = tuple(token.rpartition(" (")[0] for token in ends[name])
            yield Event(
                kind="network.payload",
                source="sink",
                sequence=0,
                time_ns=one.time_ns + 1,
                process=by.process if by is not None else None,
                cause=by.cause if by is not None else None,
                outcome="done",
                host=name,
                port=53,
                protocol="dns",
                honeytokens=tokens,
                detail={"encodings": "; ".join(ends[name]), "what": "names that were asked for"},
            )


def _sent(one: Sent, connected: Sequence[Event], life: Life, seeker: Seeker) -> tuple[Event, Payload]:
    """What one request or connection sent, as an event and as a row."""
    tokens = seeker(one.head)
    encodings = tuple(f"{name} ({how})" for name, how in tokens.items())
    head = redacted(one.head, life.planted)
    by = _before(connected, one.begun_ns or one.time_ns, one.address, one.port)
    detail = {
        "size": str(one.size),
        "sha256": one.sha256,
        "head": head,
        "method": one.method,
        "path": redacted(one.path.encode(), life.planted, 300),
        "server_name": one.server_name,
        "encodings": "; ".join(encodings),
    }
    event = Event(
        kind="network.payload",
        source="sink",
        sequence=0,
        time_ns=one.time_ns,
        process=by.process if by is not None else None,
        cause=by.cause if by is not None else None,
        outcome="done",
        address=one.address,
        port=one.port,
        protocol=one.protocol,
        host=one.host,
        honeytokens=tuple(tokens),
        detail={key: value for key, value in detail.items() if value},
    )
    payload = Payload(
        protocol=one.protocol,
        address=one.address,
        port=one.port,
        host=one.host,
        method=one.method,
        path=detail["path"],
        size=one.size,
        sha256=one.sha256,
        head=head,
        honeytokens=tuple(tokens),
        encodings=encodings,
    )
    return event, payload


def _folder(package: Package, site: str) -> str:
    return f"{site}/{package.name}" if package.ecosystem == "npm" else site


def _compared(found: Contained, packages: Sequence[Package], site: str, time_ns: int) -> Iterator[Event]:
    """What differs between an installed package and its archive."""
    lies = {one.path: one for one in found.after}
    for package in packages:
        folder = _folder(package, site)
        if package.form == "sdist" or not any(f"{folder}/{path}" in lies for path in package.members):
            continue
        cause = Cause(package.ecosystem, package.name, package.version, "", "folder")
        for path, sha256 in sorted(package.members.items()):
            if package.ecosystem == "PyPI" and (".data/" in path or _INSTALLED.search(f"/{path}")):
                continue
            there = lies.get(f"{folder}/{path}")
            kind: PathClass = "manifest" if path == "package.json" else "package"
            if there is None:
                yield _integrity("integrity.missing", f"{folder}/{path}", kind, cause, time_ns, sha256, "")
            elif there.sha256 and there.sha256 != sha256:
                yield _integrity("integrity.changed", f"{folder}/{path}", kind, cause, time_ns, sha256, there.sha256)
        if package.ecosystem == "npm":
            for path, there in lies.items():
                rest = path.removeprefix(f"{folder}/")
                if path != rest and rest not in package.members and not rest.startswith("node_modules/"):
                    yield _integrity("integrity.extra", path, "package", cause, time_ns, "", there.sha256)


def _integrity(
    kind: str, path: str, path_class: PathClass, cause: Cause, time_ns: int, before: str, after: str
) -> Event:
    return Event(
        kind=kind,  # type: ignore[arg-type]  # one of the three that begin with integrity
        source="comparison",
        sequence=0,
        time_ns=time_ns,
        cause=cause,
        outcome="done",
        path=path,
        path_class=path_class,
        sha256_before=before,
        sha256_after=after,
    )


def _left(found: Contained, packages: Sequence[Package], site: str) -> Iterator[Found]:
    """Files that lie there afterwards and did not, or not so, before; those of installed packages apart."""
    folders = tuple(f"{_folder(one, site)}/" for one in packages if one.ecosystem == "npm")
    own = {f"{site}/{path}": sha256 for one in packages if one.ecosystem == "PyPI"
           for path, sha256 in one.members.items() if not path.endswith(".pth")}  # fmt: skip
    tops = tuple(top for one in packages if one.ecosystem == "PyPI" for top in _tops(one, site))
    for one in found.after:
        inside = one.path.startswith((*folders, *tops, "/run/steps/")) or own.get(one.path) == one.sha256
        inside = inside or _CACHED.search(one.path) is not None
        compiled = one.path.startswith(f"{site}/") and one.path.endswith(".pyc")
        command = one.path.startswith(f"{site}/.bin/") and f"{site}/{one.target.removeprefix('../')}".startswith(
            folders
        )
        if not inside and not compiled and not command and found.before.get(one.path) != one.sha256:
            yield one


def _tops(package: Package, site: str) -> Iterator[str]:
    """Where a Python package is installed by what it is called: of a source archive its modules too."""
    label = package.name.replace("-", "_")
    yield from (f"{site}/{name}-{package.version}.dist-info/" for name in {label, package.name})
    if package.form == "sdist":
        for name in package.modules:
            yield from (f"{site}/{name}/", f"{site}/{name}.py")


# what an empty package does too


class Ordinary:
    """What was seen of an empty package, by what of it would be the same for any."""

    def __init__(self, seen: Told, life: Life, names: Sequence[str]) -> None:
        self._events = {_key(one, life, names) for one in seen.events}
        self._files = {_normal(one.path, life, names) for one in seen.files}

    def without(self, seen: Told, life: Life, names: Sequence[str]) -> tuple[list[Event], list[Found], dict[str, int]]:
        """Events and files of a run that are not among them, and how many by kind are."""
        kept: list[Event] = []
        taken: Counter[str] = Counter()
        for one in seen.events:
            if _key(one, life, names) in self._events:
                taken[one.kind] += 1
            else:
                kept.append(one)
        files = [one for one in seen.files if _normal(one.path, life, names) not in self._files]
        taken["files"] = len(seen.files) - len(files)
        return kept, files, dict(sorted((kind, count) for kind, count in taken.items() if count))


def _key(event: Event, life: Life, names: Sequence[str]) -> tuple[object, ...]:
    process, cause = event.process, event.cause
    return (
        event.kind,
        event.outcome,
        (bool(cause.name), cause.step) if cause is not None else None,
        _normal(event.path, life, names),
        _normal(event.target, life, names),
        event.host or event.address,
        event.port,
        event.honeytokens,
        process.executable.rpartition("/")[2] if process is not None else "",
        _normal(" ".join(process.arguments), life, names) if process is not None else "",
        event.detail.get("what", ""),
        event.detail.get("method", ""),
    )


def _normal(text: str, life: Life, names: Sequence[str]) -> str:
    """A text without what differs from run to run: the home, the project, the package, numbers."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "<package>").replace(name.replace("-", "_"), "<package>")
    text = text.replace(life.project, "<project>").replace(life.account.home, "~")
    return _NUMBERS.sub("#", text)

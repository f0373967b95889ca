"""Logs of what names were asked for: of dnsmasq, unbound, named and systemd-resolved, alone or in the system's log.

## Reads
Lines in which one of these programs says that it was asked for a name of interest, or sent on or answered such a
question. One fact for each name and program, with the first and the last line counted.

## Leaves out
Lines that merely hold the name: what somebody typed, a search, a block list. Names below one of interest count as it.
Journals in the binary form of systemd: export them as text into the log folder.

## References
dnsmasq(8) "--log-queries"; unbound.conf(5) "log-queries"; BIND 9 "queries" category; systemd-resolved.service(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal, ResolverFact
from pratique.model.ports import Artifact, Interest, Reader

_NAME = rb"[A-Za-z0-9_.-]{3,253}"
_LINES = re.compile(
    rb"(?P<dnsmasq>dnsmasq(?:\[\d{1,9}\])?:(?: \d{1,9} \S{1,60})? (?:query\[\w{1,9}\]|forwarded|reply|cached) "
    rb"(?P<a>" + _NAME + rb") (?:from|to|is) )"
    rb"|(?P<unbound>unbound(?:\[[\d:\w]{1,20}\])?:? .{0,40}?info: \S{1,60} (?P<b>" + _NAME + rb") [A-Z]{1,6} IN\b)"
    rb"|(?P<named>(?:named\[\d{1,9}\]: |queries: info: )?client .{0,200}?query: (?P<c>" + _NAME + rb") IN )"
    rb"|(?P<resolved>systemd-resolved\[\d{1,9}\]: .{0,120}?[< ](?P<d>" + _NAME + rb") IN (?:A|AAAA|HTTPS|ANY)\b)"
)
_PROGRAMS = ("dnsmasq", "unbound", "named", "resolved")
_LONGEST = 4096
_MOST = 1_000_000


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the names of interest that were asked for. Raises Unreadable."""
    data = artifact.content()
    found: dict[tuple[str, str], list[int]] = {}
    for start in _mentions(data, interest):
        begin = data.rfind(b"\n", 0, start) + 1
        end = data.find(b"\n", start)
        line = data[begin : min(end if end >= 0 else len(data), begin + _LONGEST)]
        match = _LINES.search(line)
        if match is None:
            continue
        name = next(part for part in match.group("a", "b", "c", "d") if part is not None).decode().lower().rstrip(".")
        known = name if interest.everything else _of_interest(name, interest.hosts)
        if known is not None:
            program = next(key for key in _PROGRAMS if match[key] is not None)
            found.setdefault((known, program), []).append(begin)
    times = artifact.modified_time("the log was last written")
    for (name, program), places in sorted(found.items()):
        fact = ResolverFact(name=name, source="log", daemon=program, count=len(set(places)))
        number = data.count(b"\n", 0, places[0]) + 1
        yield Observation(READER.name, artifact.location(line=number), fact, times)


def _mentions(data: bytes, interest: Interest) -> Iterator[int]:
    """Places where a line may name one of the names."""
    if interest.everything:
        yield from (match.start() for match in _LINES.finditer(data))
        return
    folded = data.lower()
    found: set[int] = set()
    for name in interest.hosts:
        wanted, at = name.encode(), -1
        while (at := folded.find(wanted, at + 1)) >= 0 and len(found) < _MOST:
            found.add(at)
    yield from sorted(found)


def _of_interest(name: str, wanted: frozenset[str]) -> str | None:
    """The name of interest that a name is, or lies below."""
    while name:
        if name in wanted:
            return name
        name = name.partition(".")[2]
    return None


READER = Reader(
    name="name-log",
    ecosystem="host",
    read=read,
    basenames=(
        "daemon.log",
        "daemon.log.1",
        "dnsmasq.log",
        "messages",
        "messages.1",
        "pihole.log",
        "queries.log",
        "query.log",
        "syslog",
        "syslog.1",
        "unbound.log",
    ),
    limit=256 << 20,
    subject="machine",
    doors=("host",),
)

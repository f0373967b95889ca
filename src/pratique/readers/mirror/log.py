"""Logs of mirrors and proxies: who asked for a release, when, and whether it was sent.

## Reads
Any file of a `mirror:` target that nobody else reads, gzip unpacked on the way, line by line: Verdaccio 5 and 6 (JSON
of pino, and the form for people), also inside the JSON of a container's log or of a cluster's; Nexus 3 `request.log`;
Artifactory request log (7, and before), outbound request log and access log; common and combined logs of nginx and
Apache, also with forwarded addresses behind; devpi's and proxpi's lines. A request that Verdaccio logs several times
counts once, with its last answer. Requests that differ in time alone become one fact with their number and the first
and last time. What the mirror itself fetched from its source is told of the mirror. An identity is shared where it is
anonymous or came from several addresses anywhere in the file.

200, 203, 206 of an npm archive and 304 (the client held it already) are fetched. Metadata, any other answer, 206 of a
Python file (perhaps its metadata alone) and requests whose answer the log does not tell are resolved. HEAD is nothing.

## Leaves out
Queries, headers, tokens; of an agent what follows its programs. Lines about other packages. A file of text without any
line of these grammars, unless its name or a request in it shows that it is a log: then it is a refusal. Times without a
zone are taken as UTC, and say so. Addresses are those that the mirror saw: a balancer's, where one stands before it.

## References
Verdaccio documentation "Logger"; Sonatype support "Request log"; JFrog help "Request log", "Outbound request log",
"Access log"; nginx `ngx_http_log_module`; Apache `mod_log_config`; devpi-server documentation.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

import msgspec

from pratique.ecosystems.requests import Asked, asked
from pratique.model.observation import ComponentFact, Observation, Refusal, RequestFact, Time
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.mirror.lines import ABOUT, ANONYMOUS, Entry, cut, parse
from pratique.readers.text import refuse

MOST_FACTS = 20_000
"""So many different requests are held in mind; then they are told, and counted anew."""

MOST_IDENTITIES = 100_000
_PEEK = 400
"""Behind so many lines without a known one, only those about a request or an archive are taken apart."""

_NAMED = re.compile(r"(?:^|[._-])(?:logs?|requests?|access|verdaccio|nexus|artifactory)(?:[._-]|\d|$)", re.IGNORECASE)
_OUTBOUND = re.compile(r"outbound|request-out|requestout", re.IGNORECASE)
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_SENT = frozenset({200, 203, 304})
_ADDRESS = re.compile(r"[0-9A-Za-z.:%_-]{1,64}")
_SECRET = re.compile(r"(?:npm_|gh[a-z]_|eyJ|glpat-|AKC|pypi-)[A-Za-z0-9_.-]{16,}|\S{41,}")
_SHOWN_AGENT = 120


_MEANING = {"fetched": "it was fetched through the mirror", "resolved": "the mirror was asked for it"}


class _Count(msgspec.Struct, gc=False):
    """Requests that differ in time alone."""

    line: int
    number: int = 0
    first: str | None = None
    last: str | None = None
    size: int | None = None
    source: str = ""


class _Key(msgspec.Struct, frozen=True, gc=False):
    asked: Asked
    outcome: str
    client: str | None
    identity: str | None
    agent: str | None
    status: int | None
    integrity: str | None
    out: bool


class _Log:
    """One log as it is read."""

    def __init__(self, artifact: Artifact, interest: Interest) -> None:
        self.artifact = artifact
        self.npm = interest.wanted("npm")
        self.pypi = interest.wanted("PyPI")
        self.counts: dict[_Key, _Count] = {}
        self.identities: dict[str, str | None] = {}
        """Each identity with the one address it came from, None where there were several."""
        self.begun: dict[tuple[str | None, str, str], deque[tuple[Entry, int, bool]]] = {}
        self.waiting = 0
        self.lines = 0
        self.known = 0
        self.unknown = 0
        self.first_unknown = 0

    def take(self, entry: Entry, line: int) -> None:
        """One request of any grammar."""
        identity = None if entry.identity in ANONYMOUS else entry.identity
        if identity is not None and entry.client is not None:
            seen = self.identities.get(identity, "")
            if seen == "" and len(self.identities) < MOST_IDENTITIES:
                self.identities[identity] = entry.client
            elif seen is not None and seen != entry.client and identity in self.identities:
                self.identities[identity] = None
        if entry.method != "GET":
            return
        what = asked(entry.path, self.npm, self.pypi)
        if what is None or (entry.out and not what.archive):
            return
        if entry.begins or entry.provisional or self.begun:
            key = (entry.client, entry.method, entry.path)
            if entry.begins:
                self.begun.setdefault(key, deque()).append((entry, line, False))
                self.waiting += 1
                if self.waiting > MOST_FACTS:
                    self.give_up()
                return
            waiting = self.begun.get(key)
            if entry.provisional:
                for index, (start, number, told) in enumerate(waiting or ()):
                    if not told and waiting is not None:
                        waiting[index] = (start, number, True)
                        return
            if waiting:
                start, _, _ = waiting.popleft()
                self.waiting -= 1
                if not waiting:
                    del self.begun[key]
                entry.agent = start.agent
                entry.integrity = start.integrity
        self.count(entry, what, identity, line)

    def give_up(self) -> None:
        """Requests whose answer never came: the log is cut, or the client went away."""
        begun, self.begun, self.waiting = self.begun, {}, 0
        for waiting in begun.values():
            for entry, line, _ in waiting:
                what = asked(entry.path, self.npm, self.pypi)
                if what is not None:
                    entry.status = None
                    self.count(entry, what, None, line)

    def count(self, entry: Entry, what: Asked, identity: str | None, line: int) -> None:
        """Take one answered request in."""
        entry.finish()
        sent = what.archive and (entry.status in _SENT or (entry.status == 206 and what.ecosystem == "npm"))
        key = _Key(
            what,
            "fetched" if sent else "resolved",
            shown_address(entry.client),
            shown_identity(identity),
            _agent(entry.agent) if what.archive else None,
            entry.status,
            entry.integrity if what.archive else None,
            entry.out,
        )
        found = self.counts.get(key)
        if found is None:
            found = self.counts[key] = _Count(line)
        found.number += 1
        found.size = max(found.size or 0, entry.size) if entry.size is not None else found.size
        when, zoned = entry.moment()
        found.source = entry.grammar if zoned else f"{entry.grammar}, local time without a zone"
        if when is not None:
            found.first = when if found.first is None else min(found.first, when)
            found.last = when if found.last is None else max(found.last, when)

    def told(self) -> Iterator[Observation]:
        """What was counted; the counts start anew."""
        counts, self.counts = self.counts, {}
        for key, found in counts.items():
            meaning = "the mirror fetched it" if key.out else _MEANING[key.outcome]
            moments = dict.fromkeys(moment for moment in (found.first, found.last) if moment is not None)
            identity = key.identity
            address = self.identities.get(identity or "", "" if len(self.identities) < MOST_IDENTITIES else None)
            times = tuple(Time(meaning, moment, found.source) for moment in moments)
            if key.out:
                if key.outcome == "fetched":
                    fact = ComponentFact(
                        name=key.asked.name,
                        version=key.asked.version,
                        depth="fetched",
                        record="mirror",
                        ecosystem=key.asked.ecosystem,
                    )
                    yield Observation(READER.name, self.artifact.location(line=found.line), fact, times)
                continue
            yield Observation(
                READER.name,
                self.artifact.location(line=found.line),
                RequestFact(
                    name=key.asked.name,
                    version=key.asked.version,
                    outcome="fetched" if key.outcome == "fetched" else "resolved",
                    archive=key.asked.archive,
                    count=found.number,
                    ecosystem=key.asked.ecosystem,
                    client=key.client,
                    identity=identity,
                    shared_identity=identity is None or address is None,
                    agent=key.agent,
                    status=key.status,
                    size=found.size,
                    integrity=tuple((key.integrity or "").split()[:3]),
                ),
                times,
            )


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the requests for packages of interest, each kind of request once."""
    log = _Log(artifact, interest)
    name = artifact.path.rpartition("/")[2]
    outbound = _OUTBOUND.search(name) is not None
    named = _NAMED.search(name) is not None
    number, reason = 0, None
    try:
        for line, ended in cut(artifact):
            number += 1
            if number == 1 and line.startswith(_WIDE):
                yield refuse(artifact, READER, "is text in UTF-16, which is not read: convert it to UTF-8")
                return
            if number == 1 and named and line.startswith(b"\0"):  # the hole that a rotation by copying leaves
                line = line.lstrip(b"\0")
                log.unknown, log.first_unknown = (1, 1) if not line else (0, 0)
                log.lines += not line
            if number == 1 and b"\0" in line[:4096]:
                yield artifact.refusal(READER.name, "is not text", relevant=False)
                return
            text = line.rstrip(b"\r")
            if not text:
                continue
            log.lines += 1
            if log.lines > _PEEK and not (log.known or named or log.unknown) and not ABOUT.search(text):
                if b"\0" in text:
                    yield artifact.refusal(READER.name, "is not text", relevant=False)
                    return
                continue
            said = parse(text, outbound=outbound)
            if said is None:
                if ABOUT.search(text) or (not ended and log.known):
                    log.unknown += 1
                    log.first_unknown = log.first_unknown or number
                continue
            log.known += 1
            if said:
                log.take(said, number)  # type: ignore[arg-type]  # no empty text
                if len(log.counts) > MOST_FACTS:
                    yield from log.told()
    except Unreadable as error:
        reason = error.reason
    log.give_up()
    yield from log.told()
    if reason is not None:
        yield refuse(artifact, READER, reason)
    if not log.known and log.lines and (named or log.unknown):
        yield refuse(artifact, READER, "holds no line of a known kind of log")
    elif not log.known and reason is None:
        yield artifact.refusal(READER.name, "is no log of a known kind", relevant=False)
    elif log.unknown and log.known:
        lines = "1 line is" if log.unknown == 1 else f"{log.unknown} lines are"
        yield refuse(artifact, READER, f"{lines} of no known form or cut off, the first is line {log.first_unknown}")


def shown_address(client: str | None) -> str | None:
    """A client's address, where it looks like one."""
    if client is None or client == "-":
        return None
    client = client.removeprefix("::ffff:")
    return client if _ADDRESS.fullmatch(client) else "(hidden)"


def shown_identity(identity: str | None) -> str | None:
    """A user's name; what looks like a token is hidden."""
    if identity is None:
        return None
    return "(hidden)" if _SECRET.search(identity) else identity


def _agent(agent: str | None) -> str | None:
    """The programs that an agent names, without the report that Python's clients send behind."""
    if not agent or agent == "-":
        return None
    plain = agent.partition(" {")[0].partition("{")[0].strip()[:_SHOWN_AGENT]
    return "(hidden)" if _SECRET.search(plain.partition(" ")[0]) else plain


READER = Reader(
    name="mirror-log",
    ecosystem="npm",
    read=read,
    suffixes=("",),
    subject="cache",
    resolves=False,
    doors=("mirror",),
)

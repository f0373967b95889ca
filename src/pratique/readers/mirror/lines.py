"""The grammars of lines that mirrors and proxies write for each request, and how a file is cut into lines.

Every function takes one line and gives what it says, or None; nothing of a line is kept but these parts.
"""

from __future__ import annotations

import datetime
import io
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from pratique.model.ports import Artifact, Unreadable, iso_time

LONGEST = 1 << 16
"""Bytes of one line that are looked at."""

ABOUT = re.compile(rb"(?:GET|PUT|POST|HEAD) \S*/|\.tgz\b|\.whl\b|\.tar\.gz\b")
"""What stands in a line that is likely about a request or an archive."""

BLOCK = 1 << 18
RATIO = 500
RATIO_FROM = 256 << 20
MOST_BYTES = 256 << 30

ANONYMOUS = frozenset(
    {"-", "", "null", "anonymous", "non_authenticated_user", "non_authenticated", "_internal", "undefined", "NA"}
)


class Entry(msgspec.Struct, gc=False):
    """One request as a line tells it. `stamp` is its time as it stands there: see `moment`.

    `status` is None where the line has none; `out` marks a request of the mirror itself to its source; `begins` a line
    written before the answer was known, `provisional` one whose status may be none yet.
    """

    method: str
    path: str
    grammar: str
    status: int | None = None
    client: str | None = None
    identity: str | None = None
    agent: str | None = None
    size: int | None = None
    stamp: int | float | str | None = None
    integrity: str | None = None
    out: bool = False
    begins: bool = False
    provisional: bool = False
    rest: str | None = None
    """What stands behind the size in a web server's line: referrer and agent, or Nexus's numbers and agent."""

    def finish(self) -> None:
        """Take the agent out of the rest of the line: only of the few lines that are of interest."""
        if self.rest is None:
            return
        quoted = _QUOTED.findall(self.rest[:4096])
        if len(quoted) == 1:
            self.agent = quoted[0]
            if self.rest.lstrip()[:1].isdigit() or self.rest.startswith(" -"):
                self.grammar = "request log of Nexus"
        elif quoted:
            self.agent = quoted[1]

    def moment(self) -> tuple[str | None, bool]:
        """Its time as ISO 8601 in UTC, and whether it has a zone; without one, it is a local time taken as UTC."""
        stamp = self.stamp
        if isinstance(stamp, str):
            return clf_time(stamp) if stamp[2:3] == "/" else plain_time(stamp)
        return _since_1970(stamp)


def cut(artifact: Artifact) -> Iterator[tuple[bytes, bool]]:
    """The lines of a file, unpacked where it is gzip, and whether each one ends in a line break. Raises Unreadable."""
    stream = artifact.stream() if artifact.stream is not None else io.BytesIO(artifact.content())
    with stream:
        rest = b""
        skipping = False
        for block in _blocks(stream):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if skipping and lines:
                lines = lines[1:]
                skipping = False
            for line in lines:
                yield line, True
            if len(rest) > LONGEST:
                if not skipping:
                    yield rest[:LONGEST], False
                rest, skipping = b"", True
        if rest and not skipping:
            yield rest, False


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file in blocks, unpacked where it is gzip. Raises Unreadable."""
    try:
        block = stream.read(BLOCK)
        if not block.startswith(b"\x1f\x8b"):
            if block.startswith((b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")):
                raise Unreadable("is compressed, and not by gzip: unpack it first")
            while block:
                yield block
                block = stream.read(BLOCK)
            return
        yield from _unpacked(stream, block)
    except OSError as error:
        raise Unreadable((error.strerror or type(error).__name__).lower()) from None


def _unpacked(stream: BinaryIO, block: bytes) -> Iterator[bytes]:
    """What gzip members hold, one after the other. Raises Unreadable where it is damaged, cut off or a bomb."""
    packed, plain = len(block), 0
    unpacking = None
    ended = False
    while not ended or (unpacking is not None and not unpacking.eof):
        if not block and not ended:
            block = stream.read(BLOCK)
            packed += len(block)
            ended = not block
        if unpacking is None:
            block = block.lstrip(b"\0")
            if not block:
                continue
            unpacking = zlib.decompressobj(wbits=31)
        try:
            part = unpacking.decompress(block, BLOCK)
        except zlib.error as error:
            raise Unreadable(f"is damaged inside its compression: {error}") from None
        plain += len(part)
        if plain > MOST_BYTES or (plain > RATIO_FROM and plain > packed * RATIO):
            raise Unreadable(f"unpacks to more than {RATIO} times its size; the rest was not looked at")
        if part:
            yield part
        if unpacking.eof:
            block, unpacking = unpacking.unused_data, None
        else:
            block = unpacking.unconsumed_tail
            if ended and not part and not block:
                raise Unreadable("is cut off inside its compression")


# times

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_CLF = re.compile(r"(\d\d)/(\w{3})/(\d{4})[: ](\d\d):(\d\d):(\d\d)(?:[.,](\d{3}))?(?: ?([+-])(\d\d):?(\d\d))?")


def clf_time(text: str) -> tuple[str | None, bool]:
    """ISO 8601 in UTC of a time as web servers write it, and whether it has a zone."""
    match = _CLF.match(text)
    month = _MONTHS.get(match[2]) if match else None
    if not match or month is None:
        return None, True
    try:
        moment = datetime.datetime(
            int(match[3]),
            month,
            int(match[1]),
            int(match[4]),
            int(match[5]),
            min(int(match[6]), 59),
            int(match[7] or 0) * 1000,
            datetime.UTC,
        )
        if match[8]:
            offset = datetime.timedelta(hours=int(match[9]), minutes=int(match[10]))
            moment += -offset if match[8] == "+" else offset
        return iso_time(moment.timestamp()), match[8] is not None
    except (ValueError, OverflowError):
        return None, True


def plain_time(text: str) -> tuple[str | None, bool]:
    """ISO 8601 in UTC of a time in ISO form, with a comma before its fraction or without, or of 14 digits."""
    if len(text) == 14 and text.isdigit():
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}"
    match = re.match(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", text)
    if match is None:
        return None, True
    zone = (match[3] or "Z").replace("Z", "+00:00")
    try:
        moment = datetime.datetime.fromisoformat(f"{match[1]}.{(match[2] or '0')[:6].ljust(6, '0')}{zone}")
        return iso_time(moment.timestamp()), match[3] is not None
    except (ValueError, OverflowError):
        return None, True


def _since_1970(value: object) -> tuple[str | None, bool]:
    """ISO 8601 of milliseconds since 1970, or of a text."""
    if isinstance(value, str):
        return plain_time(value)
    if isinstance(value, int | float):
        try:
            return iso_time(value / 1000), True
        except (ValueError, OverflowError, OSError):
            return None, True
    return None, True


# grammars


class _Headers(msgspec.Struct, gc=False, rename={"agent": "user-agent", "integrity": "pacote-integrity"}):
    agent: str | None = None
    integrity: str | None = None


class _Begun(msgspec.Struct, gc=False):
    method: str = ""
    url: str = ""
    headers: _Headers | None = None


class _Bytes(msgspec.Struct, gc=False):
    out: int | None = None


class _Pino(msgspec.Struct, gc=False):
    """What is read of a line of Verdaccio's log, or of a container's."""

    time: int | float | str | None = None
    sub: str | None = None
    req: _Begun | None = None
    request: _Begun | None = None
    user: str | None = None
    remoteIP: str | None = None  # noqa: N815  # the field's name
    ip: str | None = None
    status: int | None = None
    bytes: _Bytes | None = None
    level: int | str | None = None
    log: str | None = None


_PINO = msgspec.json.Decoder(_Pino)
_VIA = re.compile(r"\s+via\s+.*", re.DOTALL)


def pino(line: bytes) -> Entry | str | tuple[str, str | None] | None:
    """A line of JSON: a request, `""` for a line of Verdaccio about something else, or the text a container wrote.

    The text comes with its time. None where it is no such line.
    """
    try:
        found = _PINO.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if found.log is not None:
        return found.log, found.time if isinstance(found.time, str) else None
    client = _VIA.sub("", found.remoteIP or found.ip or "") or None
    if found.req is not None and found.req.url:
        headers = found.req.headers or _Headers()
        return Entry(
            found.req.method,
            found.req.url,
            "Verdaccio log",
            client=client,
            agent=headers.agent,
            integrity=headers.integrity,
            stamp=found.time,
            begins=True,
        )
    if found.request is not None and found.request.url:
        size = found.bytes.out if found.bytes is not None else None
        out = found.sub == "out" or (client is None and "://" in found.request.url[:12])
        return Entry(
            found.request.method,
            found.request.url,
            "Verdaccio log",
            status=found.status,
            client=client,
            identity=found.user,
            size=size,
            stamp=found.time,
            out=out,
            provisional=not out and found.status == 200 and not size and found.user is None,
        )
    if found.level is None or found.time is None:
        return None
    # Verdaccio writes levels as numbers; other programs that write level and time may tell a request in their own way
    return "" if isinstance(found.level, int) or not ABOUT.search(line) else None


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PRETTY = re.compile(
    r"(?P<status>\d{3}), user: (?P<user>.*?)\((?P<client>[^()]*)\), req: '(?P<method>[A-Z]+) (?P<path>[^']*)'"
    r"(?:, bytes: \d+/(?P<size>\d+)|, error: )?"
)
_ASKED = re.compile(r"<-- (?P<client>\S+)(?: via \S+)? requested '(?P<method>[A-Z]+) (?P<path>[^']*)'")
_STAMP = re.compile(r"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\]\s]*)")


def pretty(text: str) -> Entry | None:
    """A line as Verdaccio prints it for people."""
    text = _COLOUR.sub("", text) if "\x1b" in text else text
    stamp = _STAMP.match(text)
    when = stamp[1] if stamp else None
    match = _PRETTY.search(text)
    if match:
        size = int(match["size"][:18]) if match["size"] else None
        status, user = int(match["status"]), match["user"]
        return Entry(
            match["method"],
            match["path"],
            "Verdaccio log",
            status=status,
            client=_VIA.sub("", match["client"]) or None,
            identity=user,
            size=size,
            stamp=when,
            provisional=status == 200 and size == 0 and user == "null",
        )
    match = _ASKED.search(text)
    if match is None:
        return None
    return Entry(match["method"], match["path"], "Verdaccio log", client=match["client"], stamp=when, begins=True)


_COMBINED = re.compile(
    r"(?:\S+:\d+ )?(?P<client>\S+) (?P<ident>\S+) (?P<user>.{0,200}?) ?\[(?P<time>[^\]]{10,40})\] "
    r'"(?P<method>[A-Z]+) (?P<path>\S+)(?: (?:HTTP|http)/[\d.]+)?" (?P<status>\d{3}) (?P<size>\d+|-)(?P<rest>.*)',
    re.DOTALL,
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ADDRESSES = re.compile(r"[0-9a-fA-F.:]{3,45}(?:, ?[0-9a-fA-F.:]{3,45})*")


def combined(text: str) -> Entry | None:
    """A line of a web server in the common or combined form, or of Nexus; the last quoted part may be forwarded-for."""
    match = _COMBINED.match(text)
    if match is None:
        return None
    client, _, user, stamp, method, path, status, size, rest = match.groups()
    if rest.count('"') > 4:
        quoted = _QUOTED.findall(rest[:4096])
        if len(quoted) > 2 and _ADDRESSES.fullmatch(quoted[2]):
            client = quoted[2].partition(",")[0]
    return Entry(
        method,
        path,
        "access log",
        status=int(status),
        client=client,
        identity=user,
        size=int(size[:18]) if size != "-" else None,
        stamp=stamp,
        rest=rest,
    )


def artifactory_request(text: str, *, outbound: bool) -> Entry | None:
    """A line of Artifactory's request log, of version 7 or before; `outbound`: of its requests to others."""
    parts = text.split("|")
    if len(parts) >= 10 and parts[2] in ("REQUEST", "DOWNLOAD"):
        _, _, _, client, user, method, path, _, status, size = parts[:10]
        agent = None
    elif len(parts) >= 9:
        _, _, client, user, method, path, status, _, size = parts[:9]
        agent = parts[10] if len(parts) > 10 else None
    else:
        return None
    if not parts[0][:4].isdigit() or not method.isalpha() or not status.lstrip("-").isdigit():
        return None
    return Entry(
        method,
        path,
        "outbound request log of Artifactory" if outbound else "request log of Artifactory",
        status=int(status[:4]),
        client=None if outbound else client,
        identity=user,
        agent=agent,
        size=int(size[:18]) if size.strip().isdigit() else None,
        stamp=parts[0],
        out=outbound,
    )


_ACCESS = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s\[]*) +(?:\[[^\]]*\] +)*\[(?P<what>(?:ACCEPTED|DENIED) [A-Z]+)\] +"
    r"(?P<repository>[^\s:]+):(?P<path>\S+?) +for +(?:client *: *)?(?P<user>[^/\s]*) ?/ ?(?P<client>[0-9A-Fa-f.:]+)"
)


def artifactory_access(text: str) -> Entry | None:
    """A line of Artifactory's access log about a download."""
    match = _ACCESS.match(text)
    if match is None:
        return None
    accepted, what = match["what"].split(" ")
    return Entry(
        "GET" if what == "DOWNLOAD" else what,
        f"/{match['path']}",
        "access log of Artifactory",
        status=200 if accepted == "ACCEPTED" else 403,
        client=match["client"].rstrip("."),
        identity=match["user"],
        stamp=match["time"],
    )


_DEVPI = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) +[A-Z]+ +(?:\[[^\]]*\] +)+(?P<method>[A-Z]+) (?P<path>/\S*)"
)


def devpi(text: str) -> Entry | None:
    """A line of devpi's log: neither client nor answer."""
    match = _DEVPI.match(text)
    if match is None:
        return None
    return Entry(match["method"], match["path"], "devpi log", stamp=match["time"])


_CONTAINER = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)) std(?:out|err) [FP] ")


def parse(line: bytes, *, outbound: bool = False, nested: bool = False) -> Entry | str | None:
    """What one line says: a request, `""` where it is a known line about something else, None where it is unknown."""
    if line[:1] == b"{":
        said = pino(line)
        if not isinstance(said, tuple):
            return said
        if nested:
            return None
        return _dated(parse(said[0].rstrip("\r\n").encode(), outbound=outbound, nested=True), said[1])
    if b'] "' in line:
        return combined(line.decode("utf-8", "replace"))
    text = line.decode("utf-8", "replace")
    if line.count(b"|") >= 8:
        return artifactory_request(text, outbound=outbound)
    if b"[ACCEPTED " in line or b"[DENIED " in line:
        return artifactory_access(text) or (None if b" DOWNLOAD]" in line else "")
    if b", user: " in line or b" requested '" in line:
        return pretty(text)
    container = _CONTAINER.match(line) if not nested else None
    if container:
        when = container[1].decode()
        return _dated(parse(line[container.end() :], outbound=outbound, nested=True), when)
    if b"[req" in line:
        return devpi(text) or (None if b"] GET /" in line else "")
    if b" --- " in line and line.lstrip(b"\x1b[0123456789;m ").startswith((b"info", b"http", b"warn", b"error")):
        return ""
    return None


def _dated(said: Entry | str | None, when: str | None) -> Entry | str | None:
    """A line that a container's log wraps, with the wrapper's time where it has none of its own."""
    if isinstance(said, Entry) and said.stamp is None:
        said.stamp = when
    return said

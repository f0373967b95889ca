"""What strace writes, line by line: calls with their arguments and results, ends of processes. Pure, and total.

The form is that of strace 5.3 to 6.x with `-f -v -y` (strace(1)): `PID name(arguments) = result ERROR (text)`; a call
that another process interrupts is in two parts, `<unfinished ...>` and `<... name resumed>`; an execution by another
thread than the first ends with `<pid changed to N ...>`. Texts are escaped as in C.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_WAITING = 10_000
"""So many calls may be unfinished at a time."""
_LINE = re.compile(rb"(\d{1,9}) +(.*)", re.S)
_ENDED = re.compile(rb"\+\+\+ (?:exited with (\d{1,3})|killed by (SIG\w+)[^+]*) \+\+\+")
_SUPERSEDED = re.compile(rb"\+\+\+ superseded by execve in pid (\d{1,9}) \+\+\+")
_RESUMED = re.compile(rb"<\.\.\. (\w+) resumed>(.*)", re.S)
_CALL = re.compile(rb"(\w+)\((.*)", re.S)
_UNFINISHED = re.compile(rb"(?:,? ?<unfinished \.\.\.>| <pid changed to \d+ \.\.\.>)$")
_RESULT = re.compile(rb"\s+= (-?\d{1,20}|\?|0x[0-9a-f]{1,16})(<[^>]*>)?(?:\(deleted\))?(?: (E[A-Z0-9]+)\b)?")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|(?<=[0-9D])<[^>]*>|[\[({]|[\])}]|,', re.S)
"""A text; what `-y` writes behind a descriptor; a bracket; a comma."""
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))", re.S)
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f", b"a": b"\a", b"b": b"\b"}


class Call(NamedTuple):
    """One call of one thread. `result` is None where it is not known; `error` the name of the errno.

    `place` is the path that `-y` writes behind a descriptor that is the result.
    """

    thread: int
    name: str
    arguments: tuple[bytes, ...]
    result: int | None
    error: str
    place: bytes = b""


class ThreadEnded(NamedTuple):
    """A thread ended: with a code, or by a signal of that name."""

    thread: int
    code: int | None
    signal: str


class Begun(NamedTuple):
    """A call that is not finished: for `clone` and `vfork` what comes next may be of the child."""

    thread: int
    name: str


class Lines:
    """Lines in, calls out. `strange` counts lines that are of no known form."""

    def __init__(self) -> None:
        self.strange = 0
        self._waiting: dict[int, tuple[str, bytes]] = {}

    def take(self, line: bytes) -> Call | ThreadEnded | Begun | None:
        """What a line tells; None where it tells nothing, or is of no known form."""
        found = _LINE.fullmatch(line.rstrip(b"\n"))
        if found is None:
            self.strange += bool(line.strip()) and b"[ Process PID=" not in line
            return None
        thread, rest = int(found[1]), found[2]
        first = rest[:1]
        if first in (b"+", b"-"):
            return self._of_thread(thread, rest)
        if first == b"<":
            return self._resumed(thread, rest)
        if first == b"[":
            return None  # "[ Process PID=1 runs in 32 bit mode. ]"
        called = _CALL.fullmatch(rest)
        if called is None:
            self.strange += 1
            return None
        name = called[1].decode("ascii", "replace")
        if rest.endswith(b"...>"):
            open_end = _UNFINISHED.search(rest)
            if open_end is not None:
                return self._unfinished(thread, name, rest[called.start(2) : open_end.start()])
        return self._call(thread, name, called[2])

    def _of_thread(self, thread: int, rest: bytes) -> Call | ThreadEnded | None:
        """An end, or a thread that took the place of the first one when it began a program."""
        ended = _ENDED.fullmatch(rest)
        if ended:
            self._waiting.pop(thread, None)
            return ThreadEnded(thread, int(ended[1]) if ended[1] else None, (ended[2] or b"").decode())
        taken = _SUPERSEDED.fullmatch(rest)
        if taken:
            self._waiting.pop(thread, None)
            waiting = self._waiting.pop(int(taken[1]), None)
            if waiting is not None:
                # What is resumed later bears no result of its own: the execution has succeeded.
                return Call(thread, waiting[0], tuple(_parts(waiting[1])), 0, "")
        elif not rest.startswith((b"--- ", b"+++ ")):
            self.strange += 1
        return None

    def _resumed(self, thread: int, rest: bytes) -> Call | None:
        resumed = _RESUMED.fullmatch(rest)
        name, begin = self._waiting.pop(thread, ("", b""))
        if resumed is None or (name and name != resumed[1].decode("ascii", "replace")):
            self.strange += 1
            return None
        if not name:
            self.strange += resumed[1] not in (b"execve", b"execveat")  # told already: see above
            return None
        return self._call(thread, name, begin + resumed[2])

    def _unfinished(self, thread: int, name: str, rest: bytes) -> Begun | None:
        if len(self._waiting) >= MOST_WAITING:
            self.strange += 1
            return None
        self._waiting[thread] = (name, rest)
        return Begun(thread, name)

    def _call(self, thread: int, name: str, rest: bytes) -> Call | None:
        parts, end = split(rest)
        result = _RESULT.match(rest, end + 1) if end >= 0 else None
        if result is None:
            self.strange += 1
            return None
        number = result[1]
        value = None if number == b"?" else int(number, 0)
        return Call(thread, name, tuple(parts), value, (result[3] or b"").decode(), place(result[2] or b""))


def split(text: bytes) -> tuple[list[bytes], int]:
    """The parts between commas that stand in no text and in no bracket, and where the bracket closes that is open.

    The place is -1 where it does not close: all of the text is in the parts then.
    """
    found: list[bytes] = []
    begin = depth = 0
    for token in _TOKEN.finditer(text):
        char = text[token.start()]
        if char == 0x2C:
            if not depth:
                found.append(text[begin : token.start()].strip())
                begin = token.end()
        elif char in b"[({":
            depth += 1
        elif char in b"])}":
            depth -= 1
            if depth < 0:
                return _closed(found, text[begin : token.start()].strip()), token.start()
    return _closed(found, text[begin:].strip()), -1


def _closed(found: list[bytes], last: bytes) -> list[bytes]:
    return [*found, last] if last or found else []


def _parts(text: bytes) -> list[bytes]:
    return split(text)[0]


def unescaped(text: bytes) -> bytes:
    """The bytes that a text in quotes stands for; empty where it is none (an address, NULL)."""
    found = _TOKEN.match(text)
    if found is None or not text.startswith(b'"'):
        return b""
    inner = text[1 : found.end() - 1]
    return _ESCAPE.sub(_escaped, inner) if b"\\" in inner else inner


def is_cut(text: bytes) -> bool:
    """Whether strace wrote only the beginning of a text, or of a list."""
    return text.endswith(b"...")


def _escaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 0xFF])
    if found[2]:
        return bytes([int(found[2], 16)])
    return _PLAIN.get(found[3], found[3])


def listed(text: bytes) -> list[bytes]:
    """The parts of a list in brackets as they are written."""
    return split(text[1:])[0] if text.startswith(b"[") else []


def place(text: bytes) -> bytes:
    """The path that `-y` writes behind a descriptor: `3</tmp/x>`, `AT_FDCWD</tmp>`; empty where there is none."""
    begin = text.find(b"<")
    inner = text[begin + 1 :].removesuffix(b"(deleted)")
    if begin < 0 or not inner.endswith(b">"):
        return b""
    inner = inner[:-1]
    if not inner.startswith(b"/"):
        return b""
    return _ESCAPE.sub(_escaped, inner) if b"\\" in inner else inner


def number(text: bytes) -> int | None:
    """A number, as a descriptor or a process is written: before what `-y` writes behind it."""
    found = re.match(rb"-?\d{1,10}(?!\w)", text)
    return int(found[0]) if found else None


def fields(text: bytes) -> dict[str, bytes]:
    """The fields of a structure in braces: `sa_family=AF_INET, sin_port=htons(9)`."""
    found: dict[str, bytes] = {}
    for one in split(text[1:])[0] if text.startswith(b"{") else ():
        name, equal, value = one.partition(b"=")
        if equal and re.fullmatch(rb"\w+", name):
            found[name.decode()] = value
        elif one.startswith(b"inet_pton("):
            found["inet_pton"] = one
    return found


def address(text: bytes) -> tuple[str, str, int | None]:
    """Protocol family, address and port of a `struct sockaddr` as strace writes it; empty for another kind."""
    given = fields(text)
    family = given.get("sa_family", b"")
    if family == b"AF_UNIX":
        path = given.get("sun_path", b"")
        abstract = path.startswith(b"@")
        name = unescaped(path.removeprefix(b"@")).decode("utf-8", "surrogateescape")
        return "unix", ("@" if abstract else "") + name, None
    port = re.search(rb"htons\((\d{1,5})\)", given.get("sin_port", given.get("sin6_port", b"")))
    at = int(port[1]) if port else None
    if family == b"AF_INET":
        host = re.search(rb'inet_addr\("([0-9.]+)"\)', given.get("sin_addr", b""))
        return ("inet", host[1].decode(), at) if host else ("", "", None)
    if family == b"AF_INET6":
        host = re.search(rb'"([0-9a-fA-F:.]+)"', given.get("inet_pton", b""))
        return ("inet6", host[1].decode(), at) if host else ("", "", None)
    return "", "", None


def messages(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The address and the first bytes of what is sent, both as written: of a `struct msghdr`, or a list of them."""
    for one in listed(text) or [text]:
        header = fields(one)
        header = fields(header["msg_hdr"]) if "msg_hdr" in header else header
        vectors = listed(header.get("msg_iov", b""))
        first = fields(vectors[0]).get("iov_base", b"") if vectors else b""
        yield header.get("msg_name", b""), first

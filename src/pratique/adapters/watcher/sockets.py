"""Connections of this machine by the tables of the kernel: /proc/net/tcp and tcp6, and those of other namespaces.

Formats: proc_net_tcp(5). A connection that begins and ends between two looks is not seen.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from typing import NamedTuple

MOST_READ = 16 << 20
MOST_SPACES = 32
"""So many namespaces beside our own are looked into."""
_LISTENS = b"0A"
Key = tuple[bytes, bytes, bytes]


class Connection(NamedTuple):
    """One end of a connection; `number` names its socket."""

    address: str
    port: int
    number: int
    user: int | None


class Connections:
    """What is connected, look by look. `unread` counts tables that could not be read."""

    def __init__(self) -> None:
        self._before: dict[str, frozenset[Key]] = {}
        self._opened: dict[str, tuple[bytes, ...]] = {}
        self.unread = 0
        self.first = True

    def look(self, processes: Iterable[int] = ()) -> list[Connection]:
        """Connections that were not there at the last look, in this namespace and in those of `processes`.

        The first look gives what there is.
        """
        found: list[Connection] = []
        now: dict[str, frozenset[Key]] = {}
        counted: dict[str, tuple[bytes, ...]] = {}
        for place in ("/proc/net", *(f"/proc/{one}/net" for one in list(processes)[:MOST_SPACES])):
            opened = opened_in(place)
            counted[place] = opened
            same = bool(opened) and self._opened.get(place) == opened
            for name in ("tcp", "tcp6"):
                table = f"{place}/{name}"
                if same and table in self._before:
                    now[table] = self._before[table]
                    continue
                try:
                    with open(table, "rb", buffering=0) as file:
                        read = _whole(file.fileno())
                except OSError:
                    self.unread += place == "/proc/net" and name == "tcp"
                    continue
                rows = dict(parsed(read))
                keys = frozenset(rows)
                now[table] = keys
                found += [rows[key] for key in sorted(keys - self._before.get(table, frozenset()))]
        self._before, self._opened = now, counted
        self.first = False
        return found


def opened_in(place: str) -> tuple[bytes, ...]:
    """How many connections were opened in a namespace so far, from here and from elsewhere; empty where unknown.

    The kernel walks a large table for every look at its connections (measured: 2.4 ms for 262,144 buckets), and counts
    these by the way (`ActiveOpens`, `PassiveOpens` of /proc/net/snmp, RFC 1213): while they stay, there is none new.
    """
    try:
        descriptor = os.open(f"{place}/snmp", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ()
    try:
        rows = [line.split() for line in os.read(descriptor, 1 << 16).split(b"\n") if line.startswith(b"Tcp:")]
    except OSError:
        return ()
    finally:
        os.close(descriptor)
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        return ()
    named = dict(zip(rows[0], rows[1], strict=True))
    found = tuple(named[name] for name in (b"ActiveOpens", b"PassiveOpens") if name in named)
    return found if len(found) == 2 else ()


def _whole(descriptor: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < MOST_READ and (part := os.read(descriptor, 1 << 16)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def parsed(table: bytes) -> Iterable[tuple[Key, Connection]]:
    """The rows of a table that name another end. Rows that are no such thing are passed over."""
    for line in table.split(b"\n")[1:]:
        cells = line.split(None, 10)
        if len(cells) < 10 or cells[3] == _LISTENS or cells[2].endswith(b":0000"):
            continue
        try:
            address, port = endpoint(cells[2])
            user, number = int(cells[7]), int(cells[9])
        except (ValueError, OSError):
            continue
        if number:  # 0: it has been closed, and waits
            yield (cells[1], cells[2], cells[9]), Connection(address, port, number, user)


def endpoint(text: bytes) -> tuple[str, int]:
    """Address and port as the kernel prints them, in the machine's byte order. Raises ValueError, OSError."""
    address, _, port = text.partition(b":")
    raw = bytes.fromhex(address.decode("ascii"))
    if sys.byteorder == "little":
        raw = b"".join(raw[index : index + 4][::-1] for index in range(0, len(raw), 4))
    if len(raw) == 16 and raw.startswith(b"\0" * 10 + b"\xff\xff"):
        raw = raw[12:]
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(raw))
    if family is None:
        raise ValueError("is no address")
    return socket.inet_ntop(family, raw), int(port, 16)


def owners(numbers: frozenset[int], processes: Iterable[int]) -> dict[int, int]:
    """Which of some processes holds each socket: its number to that of the process. Others are left out."""
    wanted = {f"socket:[{number}]": number for number in numbers}
    found: dict[int, int] = {}
    for process in processes:
        if len(found) == len(wanted):
            break
        folder = f"/proc/{process}/fd"
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            try:
                number = wanted.get(os.readlink(f"{folder}/{name}"))
            except OSError:
                continue
            if number is not None:
                found.setdefault(number, process)
    return found

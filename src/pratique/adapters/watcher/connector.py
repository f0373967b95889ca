"""The kernel's process events (Linux, proc connector): fork, execution and end of every process, as they happen.

Structures: linux/netlink.h, linux/connector.h, linux/cn_proc.h. It needs the first user and process namespaces; recent
kernels (6.6 and later, measured on 6.18) let a plain account listen. Elsewhere the kernel stays silent without an
error, so whether it works is found out by starting a process and waiting for its event.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import time
from typing import Literal, NamedTuple

_NETLINK_CONNECTOR = 11
_INDEX = _VALUE = 1
_LISTEN, _IGNORE = 1, 2
_FORK, _EXEC, _EXIT = 1, 2, 0x80000000
_HEADER = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=IIIIHH")
_EVENT = struct.Struct("=IIQ")
_FOUR = struct.Struct("=IIII")
_TWO = struct.Struct("=II")
_BEGIN = _HEADER.size + _MESSAGE.size
_DONE = 3
ROOM = 4 << 20
"""Bytes that the kernel may hold for us; it grants what it allows."""


class Told(NamedTuple):
    """What the kernel tells: `process` begins as a copy of `parent`, begins a program, or ends."""

    what: Literal["fork", "exec", "exit"]
    process: int
    parent: int


class Connector:
    """An open channel. `lost` counts how often the kernel gave up events because they were not taken in time."""

    def __init__(self) -> None:
        """Open it. Raises OSError where this system has none, or does not let this account listen."""
        self.lost = 0
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _NETLINK_CONNECTOR)
        try:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
            self._socket.bind((0, _INDEX))
            self._socket.setblocking(False)
            self._ask(struct.pack("=II", _LISTEN, _FORK | _EXEC | _EXIT))  # Linux 6.6 and later: these alone
            if not self._works():
                self._ask(struct.pack("=I", _LISTEN))
                if not self._works():
                    raise OSError(errno.EPERM, "the kernel tells this process nothing")
        except BaseException:  # the socket is let go; the error is passed on
            self._socket.close()
            raise

    def _ask(self, body: bytes) -> None:
        message = _MESSAGE.pack(_INDEX, _VALUE, 0, 0, len(body), 0) + body
        self._socket.send(_HEADER.pack(_HEADER.size + len(message), _DONE, 0, 0, os.getpid()) + message)

    def _works(self, patience: float = 0.3) -> bool:
        """Whether the event of a process that is started now comes."""
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        end = time.monotonic() + patience
        while (left := end - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0] and any(one.process == child for one in self.take()):
                return True
        return False

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._socket.fileno()

    def take(self) -> list[Told]:
        """All that came and was not taken yet, in order. Raises OSError where the channel broke."""
        found: list[Told] = []
        while True:
            try:
                read = self._socket.recv(65536)
            except (BlockingIOError, InterruptedError):
                return found
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.lost += 1
                continue
            told = decoded(read)
            if told is not None:
                found.append(told)

    def close(self) -> None:
        """Say that nothing is wanted any more, and close it."""
        with contextlib.suppress(OSError):
            self._ask(struct.pack("=I", _IGNORE))
        self._socket.close()


def decoded(message: bytes) -> Told | None:
    """One message of the kernel; None where it tells of a thread, or of something else."""
    if len(message) < _BEGIN + _EVENT.size + _TWO.size:
        return None
    (what, _, _) = _EVENT.unpack_from(message, _BEGIN)
    at = _BEGIN + _EVENT.size
    if what == _FORK and len(message) >= at + _FOUR.size:
        _, parent, child, group = _FOUR.unpack_from(message, at)
        return Told("fork", group, parent) if child == group else None
    thread, group = _TWO.unpack_from(message, at)
    if what == _EXEC:
        return Told("exec", group, 0)
    if what == _EXIT and thread == group:
        return Told("exit", group, 0)
    return None

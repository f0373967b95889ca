"""The few kernel interfaces of a supervisor, by ctypes: seccomp with a listener, its answers, descriptors of others.

Structures: linux/seccomp.h, linux/prctl.h. Nothing here needs root: `no_new_privs` is set first.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Sequence
from typing import NamedTuple

from pratique.adapters.supervisor.calls import SECCOMP_NUMBER
from pratique.adapters.supervisor.filters import Instruction, packed

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

_SET_MODE_FILTER = 1
_NEW_LISTENER = 1 << 3
_WAIT_KILLABLE = 1 << 5
_GET_NOTIF_SIZES = 3

PR_SET_NO_NEW_PRIVS = 38
PR_SET_CHILD_SUBREAPER = 36
PR_SET_PDEATHSIG = 1

_RECEIVE = 0xC0502100
_SEND = 0xC0182101
_VALID = 0x40082102
_ADD_DESCRIPTOR = 0x40182103
_SET_FLAGS = 0x40082104
CONTINUE = 1
_SYNC_WAKE = 1
_ADD_AND_SEND = 2

_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_DESCRIPTOR = struct.Struct("=QIIII")


class Notification(NamedTuple):
    """One call that waits: its cookie, the thread, number, architecture and six arguments."""

    cookie: int
    thread: int
    number: int
    architecture: int
    arguments: tuple[int, ...]


def prctl(option: int, value: int) -> None:
    """prctl(2) with one argument. Raises OSError."""
    if _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def listen(machine: str, instructions: Sequence[Instruction]) -> int:
    """Put this process and all it starts under the filter; returns the listener's descriptor. Raises OSError."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    code = ctypes.create_string_buffer(packed(instructions))
    program = struct.pack("=HxxxxxxQ", len(instructions), ctypes.addressof(code))
    held = ctypes.create_string_buffer(program)
    for flags in (_NEW_LISTENER | _WAIT_KILLABLE, _NEW_LISTENER):
        descriptor: int = _LIBC.syscall(SECCOMP_NUMBER[machine], _SET_MODE_FILTER, flags, held)
        if descriptor >= 0:
            return descriptor
        if ctypes.get_errno() != errno.EINVAL:
            break
    raise OSError(ctypes.get_errno(), "no filter with a listener could be set")


class Listener:
    """The supervisor's end: takes waiting calls and answers them."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._room = bytearray(_NOTIFICATION.size)
        # Waking the waiting process on this processor saves a switch (Linux 6.6 and later); older ones do without.
        with contextlib.suppress(OSError):
            fcntl.ioctl(descriptor, _SET_FLAGS, _SYNC_WAKE)

    def receive(self) -> Notification | None:
        """The next waiting call; None where its process was killed meanwhile. Raises OSError when none is left."""
        room = self._room
        room[:] = bytes(len(room))
        try:
            fcntl.ioctl(self.descriptor, _RECEIVE, room)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return None
            raise
        cookie, thread, _, number, architecture, _, *arguments = _NOTIFICATION.unpack(room)
        return Notification(cookie, thread, number, architecture, tuple(arguments))

    def valid(self, cookie: int) -> bool:
        """Whether the call still waits: what was read of its process meanwhile is of that process."""
        try:
            fcntl.ioctl(self.descriptor, _VALID, struct.pack("=Q", cookie))
        except OSError:
            return False
        return True

    def proceed(self, cookie: int) -> None:
        """Let the kernel carry the call out."""
        self._answer(_ANSWER.pack(cookie, 0, 0, CONTINUE))

    def refuse(self, cookie: int, number: int) -> None:
        """Fail the call with an errno; it is not carried out."""
        self._answer(_ANSWER.pack(cookie, 0, -number, 0))

    def answer(self, cookie: int, value: int) -> None:
        """Give the call a result; it is not carried out."""
        self._answer(_ANSWER.pack(cookie, value, 0, 0))

    def hand_over(self, cookie: int, descriptor: int, close_on_exec: bool) -> bool:
        """Give the call a copy of a descriptor of ours as its result; whether that worked."""
        flags = os.O_CLOEXEC if close_on_exec else 0
        asked = _DESCRIPTOR.pack(cookie, _ADD_AND_SEND, descriptor, 0, flags)
        try:
            fcntl.ioctl(self.descriptor, _ADD_DESCRIPTOR, asked)
        except OSError:
            return False
        return True

    def _answer(self, answer: bytes) -> None:
        try:
            fcntl.ioctl(self.descriptor, _SEND, answer)
        except OSError as error:
            if error.errno != errno.ENOENT:  # the process was killed
                raise

    def close(self) -> None:
        """Give up: every call that waits, or comes, fails with ENOSYS."""
        os.close(self.descriptor)


def leave_descriptors() -> None:
    """Get a table of descriptors of one's own (unshare(2), CLONE_FILES). Raises OSError."""
    if _LIBC.unshare(0x400) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def pidfd_getfd(process: int, number: int) -> int:
    """A copy of a descriptor of another process, through its pidfd. Raises OSError."""
    found: int = _LIBC.syscall(438, process, number, 0)
    if found < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return found

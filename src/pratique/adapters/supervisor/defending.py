"""Calls by which a process could get out of what is refused to it, or reach the guard itself.

What is refused here is refused for who calls and by numbers in registers, which no thread can change: so for good.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING

from pratique.adapters.supervisor.calls import CLONE_NEWUSER, Call
from pratique.adapters.supervisor.kernel import Notification
from pratique.adapters.supervisor.reading import children
from pratique.adapters.supervisor.tree import Known

if TYPE_CHECKING:
    from pratique.adapters.supervisor.watching import Watching

_KINDS = frozenset((socket.SOCK_STREAM, socket.SOCK_DGRAM))
_KIND = 0xF
"""The kind of a socket, without its flags."""
_FAMILIES = frozenset((socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK))
_PROTOCOLS = frozenset((0, socket.IPPROTO_ICMP, socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMPV6, 262))
"""Those whose address is told by `connect` and `send` alone; 262: several ways of TCP (MPTCP)."""
_SIGNAL_AT = {"tgkill": 2, "rt_tgsigqueueinfo": 2}


class Defending:
    """What keeps one run from being left."""

    def __init__(self, watching: Watching) -> None:
        self.watching = watching

    def memory_file(self, given: Notification, call: Call, known: Known) -> int:
        """A file in memory."""
        watching = self.watching
        if not watching.request.denials.dropped or not watching.denying.applies(known):
            return 0
        return watching.denying.memory_file(given, watching.memory(known), bool(given.arguments[1] & 1))

    def handle(self, given: Notification, call: Call, known: Known) -> int:
        """A file by its handle, which only root may open: what it is cannot be told before."""
        return errno.EPERM if self.watching.denying.applies(known) else 0

    def trace(self, given: Notification, call: Call, known: Known) -> int:
        """Memory or descriptors of another process."""
        watching = self.watching
        if watching.request.confinement is not None:
            # Numbers of processes are those of the sandbox: none of them is this process.
            return 0
        if call.name == "pidfd_getfd":
            if watching.denying.applies(known):
                return errno.EPERM  # of whom the descriptor speaks could change meanwhile
            target = _of_descriptor(known.pid, given.arguments[0] & 0xFFFFFFFF)
        else:
            target = given.arguments[1 if call.name == "ptrace" else 0] & 0xFFFFFFFF
        other = watching.tree.processes.get(target)
        own = other is not None and watching.denying.applies(other)
        if target and target != known.pid and not own and watching.denying.applies(known):
            return errno.EPERM  # what the package manager holds in memory
        if target == watching.own:
            self._tampered(known, f"{call.name} of the guard")
            return errno.EPERM
        return 0

    def kill(self, given: Notification, call: Call, known: Known) -> int:
        """A signal."""
        watching = self.watching
        if watching.request.confinement is not None:
            return 0
        target = struct.unpack("=i", struct.pack("=I", given.arguments[0] & 0xFFFFFFFF))[0]
        number = given.arguments[_SIGNAL_AT.get(call.name, 1)] & 0xFF
        if call.name == "pidfd_send_signal":
            target = _of_descriptor(known.pid, target)
        if number and target in (watching.own, -1):
            self._tampered(known, f"signal {number} to the guard")
            return errno.EPERM
        return 0

    def _tampered(self, known: Known, what: str) -> None:
        self.watching.emit("guard.tampering", known, "denied", error="EPERM", detail={"what": what})

    def session(self, given: Notification, call: Call, known: Known) -> int:
        """A session of its own."""
        known.set_session = True
        known.shown = None
        return 0

    def forbidden(self, given: Notification, call: Call, known: Known) -> int:
        """What could lead out of a sandbox, or make paths mean other files."""
        if self.watching.request.confinement is None and not self.watching.denying.applies(known):
            return 0
        where = "out of the sandbox" if self.watching.request.confinement is not None else "around what is refused"
        what = f"{call.name}: a call that could lead {where}"
        if what not in known.gaps:
            known.gaps.add(what)
            self._tampered(known, what)
        return errno.EPERM

    def unshare(self, given: Notification, call: Call, known: Known) -> int:
        """A namespace of its own, or a process that has another parent than who made it."""
        watching = self.watching
        if not given.arguments[call.flags] & CLONE_NEWUSER and not watching.denying.applies(known):
            return 0
        if watching.request.confinement is not None:
            return self.forbidden(given, call, known)
        if watching.denying.applies(known):
            return errno.EPERM  # in which paths would mean other files
        why = "it entered a user namespace of its own, in which paths may mean other files"
        watching.gap(known, "user namespace", why)
        return 0

    def ring(self, given: Notification, call: Call, known: Known) -> int:
        """Calls by a ring, of which nothing would be seen."""
        why = "calls by io_uring are not seen, so it was told that this system has none"
        self.watching.gap(known, "io_uring", why)
        return errno.ENOSYS

    def socket(self, given: Notification, call: Call, known: Known) -> int:
        """A socket that would reach others by other calls than those that are judged."""
        if not self.watching.request.denials.restricted or not self.watching.denying.applies(known):
            return 0
        family, kind, protocol = (one & 0xFFFFFFFF for one in given.arguments[:3])
        if family not in _FAMILIES:
            return errno.EAFNOSUPPORT
        internet = family in (socket.AF_INET, socket.AF_INET6)
        return errno.EPERM if internet and (kind & _KIND not in _KINDS or protocol not in _PROTOCOLS) else 0

    def end(self, given: Notification, call: Call, known: Known) -> int:
        """A process ends: whose children it leaves behind is known now, and later no more."""
        for child in children(known.pid):
            self.watching.tree.of(child)
        return 0


def _of_descriptor(pid: int, number: int) -> int:
    """The process that a pidfd of another process stands for; 0 where it is none."""
    try:
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("Pid:"):
                    return int(line[4:])
    except (OSError, ValueError):
        pass
    return 0

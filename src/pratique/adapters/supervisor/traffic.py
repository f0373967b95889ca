"""Calls that reach other machines, or are reached by them: what is told of them, and what is refused."""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

from pratique.adapters.supervisor import dns
from pratique.adapters.supervisor.calls import Call
from pratique.adapters.supervisor.kernel import Notification
from pratique.adapters.supervisor.reaching import DONE, message
from pratique.adapters.supervisor.reading import socket_address
from pratique.adapters.supervisor.tree import Known
from pratique.model.event import Outcome
from pratique.model.supervision import ENGINES

if TYPE_CHECKING:
    from pratique.adapters.supervisor.watching import Watching

_MOST_ADDRESS = 128
_MOST_QUERY = 512
_HEADER = struct.Struct("=QIxxxxQQ")
"""The first fields of `struct msghdr`: name, its length, vectors, their number."""
_LENGTH_AT = 56
"""Where `struct mmsghdr` holds how much was sent."""
_FAST_OPEN = 0x20000000
_INTERNET = ("inet", "inet6")


class Traffic:
    """The network of one run."""

    def __init__(self, watching: Watching) -> None:
        self.watching = watching
        self._sockets: dict[tuple[int, int], tuple[str, int | None]] = {}

    def forget(self, pid: int) -> None:
        """Forget the sockets of a process."""
        for key in [one for one in self._sockets if one[0] == pid]:
            del self._sockets[key]

    def connect(self, given: Notification, call: Call, known: Known) -> int:
        """A connection is begun, or a datagram socket gets its address."""
        watching = self.watching
        raw = watching.memory(known).bytes(given.arguments[1], min(given.arguments[2] & 0xFFFFFFFF, _MOST_ADDRESS))
        family, address, port = socket_address(raw)
        if not watching.listener.valid(given.cookie):
            return DONE
        judged = watching.request.denials.network and watching.denying.applies(known)
        denied = judged and not watching.denying.reaching.reaches(family, address, port)
        outcome: Outcome = "denied" if denied else "unknown"
        error = "EACCES" if denied else ""
        if family in _INTERNET:
            self._reached(address, port)
            self._sockets[known.pid, given.arguments[0]] = (address, port)
            watching.emit("network.connect", known, outcome, address=address, port=port, protocol=family, error=error)
        elif family == "unix" and (denied or any(word in address for word in ENGINES[:-2])):
            watching.emit("network.connect", known, outcome, address=address, protocol="unix", error=error)
        if denied:
            return errno.EACCES
        if not judged or not raw:
            return 0 if not judged else errno.EFAULT

        def refused(path: str) -> None:
            watching.emit("network.connect", known, "denied", address=path, protocol="unix", error="EACCES")

        return watching.denying.reaching.connect(given, known, raw, refused)

    def bind(self, given: Notification, call: Call, known: Known) -> int:
        """A port is opened for others."""
        watching = self.watching
        length = min(given.arguments[2], _MOST_ADDRESS)
        family, address, port = socket_address(watching.memory(known).bytes(given.arguments[1], length))
        if family in _INTERNET and port and known.cause is not None and known.cause.name:
            watching.emit("network.listen", known, "unknown", address=address, port=port, protocol=family)
        return 0

    def _restricts(self, known: Known) -> bool:
        """Whether datagrams of a process are judged."""
        denials = self.watching.request.denials
        named = denials.ports is not None or denials.addresses is not None
        return named and self.watching.denying.applies(known)

    def send(self, given: Notification, call: Call, known: Known) -> int:
        """Something is sent to an address."""
        watching = self.watching
        memory = watching.memory(known)
        raw = memory.bytes(given.arguments[4], min(given.arguments[5] & 0xFFFFFFFF, _MOST_ADDRESS))
        family, address, port = socket_address(raw)
        judged = self._restricts(known)
        denied = judged and not watching.denying.reaching.reaches(family, address, port)
        if family in _INTERNET:
            query = memory.bytes(given.arguments[1], min(given.arguments[2], _MOST_QUERY)) if port == dns.PORT else b""
            self._sent(known, address, port, query, denied=denied)
        if denied:
            return errno.EACCES
        if not judged or family == "unix":
            return 0 if not judged or not given.arguments[3] & _FAST_OPEN else errno.EOPNOTSUPP
        if given.arguments[3] & _FAST_OPEN or given.arguments[2] > 1 << 16:
            return errno.EOPNOTSUPP
        content = memory.bytes(given.arguments[1], given.arguments[2])
        flags = given.arguments[3] & 0xFFFFFFFF
        return self._result(given, watching.denying.reaching.send(known, given.arguments[0], raw, content, flags))

    def _result(self, given: Notification, sent: int) -> int:
        if sent < 0:
            return -sent
        self.watching.listener.answer(given.cookie, sent)
        return DONE

    def send_message(self, given: Notification, call: Call, known: Known) -> int:
        """Messages are sent, with an address of their own or by a connected socket."""
        watching = self.watching
        memory = watching.memory(known)
        header = memory.bytes(given.arguments[1], _HEADER.size)
        if len(header) < _HEADER.size:
            return 0
        name, length, vectors, count = _HEADER.unpack(header)
        address, port = self._sockets.get((known.pid, given.arguments[0]), ("", None))
        raw, named, family = b"", False, "inet"
        if name and length:
            raw = memory.bytes(name, min(length, _MOST_ADDRESS))
            family, to, at = socket_address(raw)
            if family in _INTERNET:
                address, port, named = to, at, True
        judged = self._restricts(known) and watching.denying.reaching.datagram(known, given.arguments[0])
        denied = judged and named and not watching.denying.reaching.reaches(family, address, port)
        if named or port == dns.PORT:
            first = memory.bytes(vectors, 16) if count else b""
            query = b""
            if port == dns.PORT and len(first) == 16:
                begin, size = struct.unpack("=QQ", first)
                query = memory.bytes(begin, min(size, _MOST_QUERY))
            self._sent(known, address, port, query, connected=not named, denied=denied)
        if denied:
            return errno.EACCES
        if not judged:
            flags = given.arguments[3 if call.name == "sendmmsg" else 2]
            return errno.EOPNOTSUPP if self._restricts(known) and flags & _FAST_OPEN else 0
        return self._message(given, call, known, raw)

    def _message(self, given: Notification, call: Call, known: Known, judged: bytes) -> int:
        """Send the first message of a call here: of several, the others are for the next call, as the kernel allows."""
        watching = self.watching
        copied = message(watching.memory(known), given.arguments[1])
        if copied is None or not copied[2] or copied[0] != judged:
            return errno.EACCES  # what cannot be copied whole, or changed while it was looked at
        raw, content, _ = copied
        flags = given.arguments[3 if call.name == "sendmmsg" else 2] & 0xFFFFFFFF
        sent = watching.denying.reaching.send(known, given.arguments[0], raw, content, flags)
        if call.name != "sendmmsg" or sent < 0:
            return self._result(given, sent)
        try:
            descriptor = os.open(f"/proc/{known.pid}/mem", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.pwrite(descriptor, struct.pack("=I", sent), given.arguments[1] + _LENGTH_AT)
            finally:
                os.close(descriptor)
        except (OSError, OverflowError):
            return errno.EFAULT
        return self._result(given, 1)

    def _reached(self, address: str, port: int | None) -> None:
        """Let a sandbox know where something is about to go."""
        confinement = self.watching.request.confinement
        if confinement is not None and port:
            confinement.reached(address, port)

    def _sent(
        self, known: Known, address: str, port: int | None, query: bytes, connected: bool = False, denied: bool = False
    ) -> None:
        outcome: Outcome = "denied" if denied else "unknown"
        error = "EACCES" if denied else ""
        if not connected:
            self._reached(address, port)
            self.watching.emit(
                "network.connect", known, outcome, address=address, port=port, protocol="udp", error=error
            )
        host = dns.question(query)
        if host:
            self.watching.emit(
                "network.name", known, outcome, address=address, port=port, protocol="udp", host=host, error=error
            )

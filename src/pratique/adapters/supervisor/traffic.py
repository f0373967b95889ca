"""Calls that reach other machines, or are reached by them: what is told of them, and what is refused."""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import TYPE_CHECKING

from pratique.adapters.supervisor import dns
from pratique.adapters.supervisor.calls import Call
from pratique.adapters.supervisor.kernel import Notification
from pratique.adapters.supervisor.reaching import DONE, MOST_SENT, Sent, message
from pratique.adapters.supervisor.reading import socket_address
from pratique.adapters.supervisor.relaying import Target
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
_INTERNET = ("inet", "inet6")


class Traffic:
    """The network of one run."""

    def __init__(self, watching: Watching) -> None:
        self.watching = watching
        self._sockets: dict[tuple[int, int], tuple[str, int | None]] = {}
        self._addressed: dict[int, bytes] = {}
        """The addresses that datagram sockets were given, by inode, where what they send is judged each time."""

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
        if judged and watching.denying.reaching.relay is not None and family in _INTERNET:
            answered = self._by_name(given, known, raw, family, address, port)
            if answered is not None:
                return answered
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

    def _by_name(
        self, given: Notification, known: Known, raw: bytes, family: str, address: str, port: int | None
    ) -> int | None:
        """Where hosts are named: a connection goes by the relay. None where an address may be reached as it is.

        A datagram socket is told that it has got its address, and gets none: so nothing is sent but what is judged.
        """
        reaching = self.watching.denying.reaching
        try:
            with socket.socket(fileno=reaching.descriptor(known, given.arguments[0])) as copy:
                datagrams, inode = copy.type == socket.SOCK_DGRAM, os.fstat(copy.fileno()).st_ino
        except OSError as error:
            return error.errno or errno.EACCES
        self._addressed.pop(inode, None)
        if reaching.reaches(family, address, port) and port != dns.PORT:
            return None
        self._reached(address, port)
        protocol = "udp" if datagrams else family
        if datagrams:
            self._addressed[inode] = raw
            self._sockets[known.pid, given.arguments[0]] = (address, port)
            self.watching.emit("network.connect", known, "unknown", address=address, port=port, protocol=protocol)
            self.watching.listener.answer(given.cookie, 0)
            return DONE
        answer = reaching.by_relay(given, known, Target(known, address, port or 0))
        refused = answer == errno.EACCES
        self.watching.emit(
            "network.connect",
            known,
            "denied" if refused else "unknown",
            address=address,
            port=port,
            protocol=protocol,
            error="EACCES" if refused else "",
        )
        return answer

    def _address_of(self, known: Known, number: int) -> bytes:
        """The address that a datagram socket of a process was given and has not got; empty where it has its own."""
        if not self._addressed:
            return b""
        try:
            return self._addressed.get(os.stat(f"/proc/{known.pid}/fd/{number}").st_ino, b"")
        except OSError:
            return b""

    def tell_judged(self) -> None:
        """Tell what became of connections that went by the relay."""
        relay = self.watching.denying.reaching.relay
        while relay is not None and not relay.judged.empty():
            (known, address, port), meant, refused = relay.judged.get()
            self.watching.emit(
                "network.connect" if refused else "network.name",
                known,
                "denied" if refused else "done",
                address=address,
                port=port,
                host=meant.host,
                protocol=meant.protocol or "tcp",
                error="ECONNRESET" if refused else "",
                detail={"why": refused} if refused else {},
            )

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
        return self.watching.request.denials.restricted and self.watching.denying.applies(known)

    def send(self, given: Notification, call: Call, known: Known) -> int:
        """Something is sent to an address."""
        watching = self.watching
        memory = watching.memory(known)
        raw = memory.bytes(given.arguments[4], min(given.arguments[5] & 0xFFFFFFFF, _MOST_ADDRESS))
        judged = self._restricts(known)
        raw = raw or (self._address_of(known, given.arguments[0]) if judged else b"")
        if not raw and watching.denying.reaching.relay is not None:
            return 0  # by a socket that has its own address, which was judged
        family, address, port = socket_address(raw)
        query = memory.bytes(given.arguments[1], min(given.arguments[2], _MOST_QUERY)) if port == dns.PORT else b""
        if not watching.listener.valid(given.cookie):
            return DONE
        denied = judged and not watching.denying.reaching.datagram(family, address, port, query)
        if family in _INTERNET:
            self._sent(known, address, port, query, denied=denied)
        if denied:
            return errno.EACCES
        if not judged:
            return 0
        # Never let go on: another thread could change the address, or put another socket under the number.
        if query and given.arguments[2] > _MOST_QUERY:
            return errno.EMSGSIZE
        content = query or memory.bytes(given.arguments[1], min(given.arguments[2], MOST_SENT))
        if len(content) < min(given.arguments[2], MOST_SENT):
            return errno.EFAULT
        return watching.denying.reaching.send(given, known, Sent(raw, content, b""), given.arguments[3] & 0xFFFFFFFF)

    def send_message(self, given: Notification, call: Call, known: Known) -> int:
        """Messages are sent, with an address of their own or by a connected socket."""
        watching = self.watching
        memory = watching.memory(known)
        header = memory.bytes(given.arguments[1], _HEADER.size)
        if self._restricts(known):
            return self._message(given, call, known)
        if len(header) < _HEADER.size:
            return 0
        name, length, vectors, count = _HEADER.unpack(header)
        address, port = self._sockets.get((known.pid, given.arguments[0]), ("", None))
        named = False
        if name and length:
            family, to, at = socket_address(memory.bytes(name, min(length, _MOST_ADDRESS)))
            if family in _INTERNET:
                address, port, named = to, at, True
        if named or port == dns.PORT:
            first = memory.bytes(vectors, 16) if count else b""
            query = b""
            if port == dns.PORT and len(first) == 16:
                begin, size = struct.unpack("=QQ", first)
                query = memory.bytes(begin, min(size, _MOST_QUERY))
            self._sent(known, address, port, query, connected=not named)
        return 0

    def _message(self, given: Notification, call: Call, known: Known) -> int:
        """Judge a copy of a message and send it here; of several the first: the others are for the next call."""
        watching = self.watching
        copied = message(watching.memory(known), given.arguments[1])
        if not watching.listener.valid(given.cookie):
            return DONE
        if copied is None:
            return errno.EFAULT
        if not copied.address:
            copied = copied._replace(address=self._address_of(known, given.arguments[0]))
        family, address, port = socket_address(copied.address)
        connected = not copied.address
        if connected:
            address, port = self._sockets.get((known.pid, given.arguments[0]), ("", None))
        query = copied.content[:_MOST_QUERY] if port == dns.PORT else b""
        denied = not connected and not watching.denying.reaching.datagram(family, address, port, copied.content)
        if family in _INTERNET or port == dns.PORT:
            self._sent(known, address, port, query, connected=connected, denied=denied)
        if denied:
            return errno.EACCES
        several = call.name == "sendmmsg"
        flags = given.arguments[3 if several else 2] & 0xFFFFFFFF
        length_at = given.arguments[1] + _LENGTH_AT if several else 0
        return watching.denying.reaching.send(given, known, copied, flags, length_at)

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

"""Connections of packages' scripts that go by a relay here, which finds out the host that they are meant for.

The supervisor connects the script's socket to the relay in place of its target. What is sent first names a host; where
the policy permits that, the relay looks it up itself and connects to it, and hands bytes on both ways. So what leaves
this machine goes to a permitted host, whatever address was asked for. Else the connection is reset and nothing leaves.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
import time
from typing import NamedTuple

from pratique.adapters.supervisor.naming import Hosts, Meant, meant
from pratique.adapters.supervisor.tree import Known

MOST = 512
"""So many connections may be open at a time."""
PATIENCE = 20.0
"""Seconds within which a connection must name its host."""
_KNOWN_WITHIN = 3.0
"""Seconds within which a connection that comes in must have been announced."""
_FORGOTTEN = 60.0
_CONNECTS_WITHIN = 60.0
_PART = 1 << 16
_RESET = struct.pack("=ii", 1, 0)
"""SO_LINGER by which a connection is reset."""


class Target(NamedTuple):
    """Where a script wanted to connect to, and which process it was."""

    known: Known
    address: str
    port: int


class Judged(NamedTuple):
    """What became of a connection: the host that it was meant for, and why it was refused; empty where it was not."""

    target: Target
    meant: Meant
    refused: str


class Relay:
    """The relay of one run. `judged` gets what became of each connection; whoever takes it out tells it."""

    def __init__(self, hosts: Hosts) -> None:
        """Listen on the loopback. Raises OSError where that is not there."""
        self.hosts = hosts
        self.judged: queue.SimpleQueue[Judged] = queue.SimpleQueue()
        self._announced: dict[tuple[str, int], tuple[Target, float]] = {}
        self._changed = threading.Condition()
        self._room = threading.Semaphore(MOST)
        self._listeners = [socket.create_server(("127.0.0.1", 0), backlog=128)]
        self.port: int = self._listeners[0].getsockname()[1]
        self.port_of_six = 0
        with contextlib.suppress(OSError):
            six = socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=128)
            self._listeners.append(six)
            self.port_of_six = six.getsockname()[1]
        for one in self._listeners:
            threading.Thread(target=self._accept, args=(one,), daemon=True).start()

    def is_own(self, port: int | None) -> bool:
        """Whether a port of the loopback is that of the relay, which nobody may reach by himself."""
        return bool(port) and port in (self.port, self.port_of_six)

    def address_for(self, given: socket.socket) -> bytes:
        """The relay as a `struct sockaddr` for a socket. Raises OSError where that can reach neither of its ports."""
        if given.family == socket.AF_INET:
            return _four(self.port)
        if not given.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
            return _six("::ffff:127.0.0.1", self.port)
        if not self.port_of_six:
            raise OSError(101, "the loopback has no IPv6")
        return _six("::1", self.port_of_six)

    def announce(self, given: socket.socket, target: Target) -> None:
        """Say which target a socket was to be connected to, that has been connected here."""
        host, port = given.getsockname()[:2]
        now = time.monotonic()
        with self._changed:
            for key in [one for one, (_, since) in self._announced.items() if now - since > _FORGOTTEN]:
                del self._announced[key]
            self._announced[_plain(host), port] = (target, now)
            self._changed.notify_all()

    def close(self) -> None:
        """Take no more connections."""
        for one in self._listeners:
            one.close()

    # one connection

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                taken, peer = listener.accept()
            except OSError:
                return  # it was closed
            if not self._room.acquire(blocking=False):
                taken.close()
                continue
            threading.Thread(target=self._serve, args=(taken, (_plain(peer[0]), peer[1])), daemon=True).start()

    def _serve(self, taken: socket.socket, peer: tuple[str, int]) -> None:
        try:
            target = self._target(peer)
            if target is not None:
                self._relay(taken, target)
        except OSError:
            pass  # the other side went away: what was judged has been told
        finally:
            taken.close()
            self._room.release()

    def _target(self, peer: tuple[str, int]) -> Target | None:
        """Where a connection was to go; None where nobody announced it: it came by itself."""
        end = time.monotonic() + _KNOWN_WITHIN
        with self._changed:
            while peer not in self._announced:
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            return self._announced.pop(peer)[0]

    def _relay(self, taken: socket.socket, target: Target) -> None:
        begin, found = self._begin(taken)
        reason = found.reason
        if found.state == "named" and not self.hosts.permits(found.host):
            reason = "is no host that the policy permits"
        if reason:
            self.judged.put(Judged(target, found, reason))
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            return
        self.judged.put(Judged(target, found, ""))
        far = _connected(found.host, target)
        if far is None:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            return
        with far:
            taken.settimeout(None)
            far.sendall(begin)
            back = threading.Thread(target=_hand_on, args=(far, taken), daemon=True)
            back.start()
            _hand_on(taken, far)
            back.join()

    def _begin(self, taken: socket.socket) -> tuple[bytes, Meant]:
        """What comes first, and the host that it names."""
        begin = b""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            taken.settimeout(left)
            try:
                part = taken.recv(_PART)
            except TimeoutError:
                break
            begin += part
            found = meant(begin, ended=not part)
            if found.state != "more":
                return begin, found
        return begin, Meant("none", reason=f"named no host within {PATIENCE:g} s")


def _connected(host: str, target: Target) -> socket.socket | None:
    """A connection to a host, at the address that was asked for where that is the host's; None where none is had."""
    try:
        found = socket.getaddrinfo(host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    asked = _plain(target.address)
    for family, kind, protocol, _, address in sorted(found, key=lambda one: _plain(str(one[4][0])) != asked):
        far = socket.socket(family, kind, protocol)
        far.settimeout(_CONNECTS_WITHIN)
        try:
            far.connect(address)
        except OSError:
            far.close()
            continue
        far.settimeout(None)
        return far
    return None


def _hand_on(source: socket.socket, sink: socket.socket) -> None:
    """Hand bytes on until one side ends or breaks."""
    try:
        while part := source.recv(_PART):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _plain(address: str) -> str:
    """An address without the form of IPv6 that stands for one of IPv4."""
    return address.removeprefix("::ffff:")


def _four(port: int) -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton("127.0.0.1"))


def _six(address: str, port: int) -> bytes:
    packed = socket.inet_pton(socket.AF_INET6, address)
    return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", port, 0, packed, 0)

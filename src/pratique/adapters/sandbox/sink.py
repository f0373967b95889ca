"""Whatever a suspect connects to: listeners that are opened just before it arrives, answer, and keep what it sent.

Runs as a process of its own in the sandbox's network and outside of its processes and files. HTTP gets an empty answer
with status 200, TLS is taken off with a certificate for the name asked for, other protocols get no answer. The host of
the registry gets archives. What is sent is bounded in size, time and number, and told.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pratique.adapters.sandbox import http
from pratique.adapters.sandbox.authority import Signer
from pratique.adapters.sandbox.frames import Writer
from pratique.adapters.sandbox.names import Names, answer
from pratique.model.detonation import Asked, Authority, Sent, Served

KEPT = 256 << 10
"""Bytes of one request or connection that are kept to look for planted credentials in."""
MOST_READ = 64 << 20
MOST_LISTENERS = 2000
MOST_CONNECTIONS = 200
MOST_REQUESTS = 200
MOST_KEPT = 128 << 20
_SECONDS = 15.0
_FINISHES_WITHIN, _QUIET = 2.0, 0.02
"""Seconds for what has arrived when the suspect has ended, and between looks whether all of it was taken."""
_FREE_BIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}
"""IP_FREEBIND and IPV6_FREEBIND: an address need not be on an interface."""
_REACHED = struct.Struct("=BH16s")
DNS = 53


def ask(channel: socket.socket, address: str, port: int) -> bool:
    """From the supervisor: have something listen there before a process arrives. False where the sink is gone."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address).ljust(16, b"\0")
    try:
        channel.send(_REACHED.pack(6 if family == socket.AF_INET6 else 4, port, raw))
        return channel.recv(1) in (b"y", b"n")
    except OSError:
        return False


@dataclass
class _Taken:
    """What one request or connection sent, as it grows."""

    begun: int = field(default_factory=time.time_ns)
    size: int = 0
    head: bytearray = field(default_factory=bytearray)
    state: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, part: bytes) -> None:
        self.size += len(part)
        self.state.update(part)
        if len(self.head) < KEPT:
            self.head += part[: KEPT - len(self.head)]


class Sink:
    """The listeners of one sandbox. `channel` brings what is about to be reached, `told` gets what was sent."""

    def __init__(
        self,
        channel: socket.socket,
        told: Writer,
        registry: str,
        served: Mapping[str, Served],
        authority: Authority | None,
        folder: str,
    ) -> None:
        self.channel = channel
        self.told = told
        self.registry, self.served = registry, served
        self.names = Names()
        self.signer = Signer(authority, folder) if authority is not None else None
        self.listening = 0
        self.left_out = 0
        self._connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._room = MOST_KEPT
        self._open = 0
        self._listeners: list[socket.socket] = []
        self._changed = threading.Condition()

    def run(self) -> None:
        """Open listeners as they are asked for, until the other side says that it is over."""
        while True:
            asked = self.channel.recv(_REACHED.size)
            if len(asked) < _REACHED.size:
                break
            version, port, raw = _REACHED.unpack(asked)
            family = socket.AF_INET6 if version == 6 else socket.AF_INET
            address = socket.inet_ntop(family, raw if version == 6 else raw[:4])
            self.channel.send(b"y" if self._listen(family, address, port) else b"n")
        self._finish()

    def _finish(self) -> None:
        """Take what has arrived and was not looked at yet: connections that nobody has accepted, packets, open ends.

        The suspect has ended, so nothing more comes. A thread may hold what it has just taken and not told: so it must
        be quiet twice.
        """
        poll = select.poll()
        for one in self._listeners:
            poll.register(one, select.POLLIN)
        end = time.monotonic() + _FINISHES_WITHIN
        quiet = 0
        while quiet < 2 and time.monotonic() < end:
            time.sleep(_QUIET)
            with self._changed:
                busy = self._open > 0
            quiet = 0 if busy or poll.poll(0) else quiet + 1

    def _listen(self, family: socket.AddressFamily, address: str, port: int) -> bool:
        """Listen at an address and port by TCP, and by UDP; whether TCP does."""
        self.listening += 1
        if self.listening > MOST_LISTENERS:
            self.left_out += 1
            return False
        done = False
        for kind, serve in ((socket.SOCK_STREAM, self._accept), (socket.SOCK_DGRAM, self._packets)):
            listener = socket.socket(family, kind)
            try:
                level, option = _FREE_BIND[family]
                listener.setsockopt(level, option, 1)
                if kind == socket.SOCK_STREAM:
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((address, port))
                if kind == socket.SOCK_STREAM:
                    listener.listen(128)
                    done = True
            except OSError:
                # Something of the suspect's own listens there: it is what it reaches.
                listener.close()
                continue
            self._listeners.append(listener)
            threading.Thread(target=serve, args=(listener, address, port), daemon=True).start()
        return done

    # packets

    def _packets(self, listener: socket.socket, address: str, port: int) -> None:
        while True:
            try:
                packet, sender = listener.recvfrom(65535)
            except OSError:
                return
            with contextlib.suppress(ValueError):  # a name that cannot be said in an answer
                if port == DNS and self._named(listener, packet, sender):
                    continue
            taken = _Taken()
            taken.add(packet)
            self._tell(taken, address, port, "udp")

    def _named(self, listener: socket.socket, packet: bytes, sender: tuple[Any, ...]) -> bool:
        """Answer a query for a name; whether it was one."""
        reply, name, kind, given = answer(packet, self.names)
        if not reply:
            return False
        self.told(Asked(time.time_ns(), name, kind, given))
        with contextlib.suppress(OSError):
            listener.sendto(reply, sender)
        return True

    # connections

    def _accept(self, listener: socket.socket, address: str, port: int) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if not self._connections.acquire(blocking=False):
                self.left_out += 1
                connection.close()
                continue
            with self._changed:
                self._open += 1
            threading.Thread(target=self._connected, args=(connection, address, port), daemon=True).start()

    def _connected(self, connection: socket.socket, address: str, port: int) -> None:
        try:
            connection.settimeout(_SECONDS)
            self._talk(connection, address, port)
        except (OSError, ValueError):
            # The other side went away, or no certificate could be made: what it sent has been told.
            pass
        finally:
            connection.close()
            self._connections.release()
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def _talk(self, connection: socket.socket, address: str, port: int) -> None:
        first = connection.recv(3, socket.MSG_PEEK)
        if first[:2] != b"\x16\x03":
            self._speak(connection, address, port, "", secure=False)
            return
        begin = connection.recv(4096, socket.MSG_PEEK)
        name = http.server_name(begin)
        taken = _Taken()
        if self.signer is None:
            self._drain(connection, taken)
            self._tell(taken, address, port, "tls", server_name=name)
            return
        try:
            with self.signer.server(address).wrap_socket(connection, server_side=True) as inner:
                self._speak(inner, address, port, name, secure=True)
        except ssl.SSLError as error:
            # It does not trust the authority, or speaks no TLS that we do: the name it asked for is what there is.
            taken.add(begin)
            self._tell(taken, address, port, "tls", server_name=name, path=f"({error.reason or 'no TLS'})")

    def _speak(self, connection: socket.socket, address: str, port: int, name: str, *, secure: bool) -> None:
        """HTTP, request by request, or anything else until it ends."""
        for _ in range(MOST_REQUESTS):
            taken = _Taken()
            try:
                request = http.request(connection, taken.add)
            except http.OtherProtocolError:
                self._drain(connection, taken)
                self._tell(taken, address, port, "tls" if secure else "tcp", server_name=name)
                return
            if request is None:
                return
            host = request.host or name
            if port == DNS and not secure:
                host = ""
            reply = self._served(request, host)
            if reply is None:
                protocol = "https" if secure else "http"
                self._tell(taken, address, port, protocol, name, request.method, request.path, host)
                reply = http.reply(request)
            connection.sendall(reply)
            if not request.stays:
                return

    def _served(self, request: http.Request, host: str) -> bytes | None:
        """What the registry answers to what package managers ask; None where it is for the record."""
        called = host.partition(":")[0].lower()
        if not self.registry or called != self.registry or request.method not in ("GET", "HEAD"):
            return None
        found = self.served.get(http.plain_path(request.path))
        return http.found(request, found) if found is not None else http.missing(request)

    def _drain(self, connection: socket.socket, taken: _Taken) -> None:
        """Take everything until the other side ends, is silent, or has said too much."""
        with contextlib.suppress(OSError):
            while taken.size < MOST_READ:
                part = connection.recv(65536)
                if not part:
                    return
                taken.add(part)

    def _tell(
        self,
        taken: _Taken,
        address: str,
        port: int,
        protocol: str,
        server_name: str = "",
        method: str = "",
        path: str = "",
        host: str = "",
    ) -> None:
        if not taken.size and not server_name:
            return
        head = bytes(taken.head)
        if len(head) > self._room:
            head = b""
            self.left_out += 1
        self._room -= len(head)
        called = self.names.name(address) or server_name or host
        self.told(
            Sent(
                time_ns=time.time_ns(),
                address=address,
                port=port,
                protocol=protocol,
                host=called,
                server_name=server_name,
                method=method,
                path=path,
                size=taken.size,
                sha256=taken.state.hexdigest(),
                head=head,
                begun_ns=taken.begun,
            )
        )


def serve(sink: Sink) -> None:
    """Run a sink until it is told that it is over; the process ends here."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        sink.run()
        code = 0
    finally:
        os._exit(code)

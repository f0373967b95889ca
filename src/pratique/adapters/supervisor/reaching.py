"""Connections and datagrams of packages' scripts that are made here, to addresses that were judged on a copy.

See `denying`: what was judged is what happens.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import ipaddress
import os
import socket
import struct
import threading
from collections.abc import Callable

from pratique.adapters.supervisor.kernel import Listener, Notification, pidfd_getfd
from pratique.adapters.supervisor.reading import Memory, link
from pratique.adapters.supervisor.tree import Known
from pratique.model.supervision import Denials

DONE = -1
"""A call that was answered here."""
MOST_WAITING = 256
"""So many calls may wait for something at a time."""
_MESSAGE_SIZE = 56
_MOST_SENT = 1 << 16
_UNIX = struct.pack("=H", socket.AF_UNIX)
_AT_ONCE = 0x4040
"""MSG_DONTWAIT, MSG_NOSIGNAL."""
_LIBC = ctypes.CDLL(None, use_errno=True)


class Reaching:
    """The network of one run. `absolute` resolves what a process names."""

    def __init__(self, denials: Denials, listener: Listener, absolute: Callable[[Known, str], str]) -> None:
        self.denials = denials
        self.listener = listener
        self.absolute = absolute
        self._waiting = threading.Semaphore(MOST_WAITING)
        self._networks = tuple(ipaddress.ip_network(one) for one in denials.addresses or ())

    def reaches(self, family: str, address: str, port: int | None) -> bool:
        """Whether an address may be reached. The loopback may; sockets of container engines may not."""
        if family == "unix":
            return not any(word in address for word in self.denials.sockets)
        if family not in ("inet", "inet6"):
            return True
        found = ipaddress.ip_address(address)
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        found = mapped or found
        if found.is_loopback or found.is_unspecified:
            return True
        if self.denials.ports is not None and port not in self.denials.ports:
            return False
        return self.denials.addresses is None or any(
            found.version == one.version and found in one for one in self._networks
        )

    def connect(self, given: Notification, known: Known, raw: bytes, refused: Callable[[str], None]) -> int:
        """Connect a socket of a process to an address that was judged."""
        held = -1
        try:
            if raw[:2] == _UNIX:
                raw, held, real = self._local(known, raw)
                if real and not self.reaches("unix", real, None):
                    refused(real)
                    return errno.EACCES
            descriptor = self._descriptor(known, given.arguments[0])
        except OSError as error:
            if held >= 0:
                os.close(held)
            return error.errno or errno.EACCES
        if not self._waiting.acquire(blocking=False):
            os.close(descriptor)
            return errno.EAGAIN

        def work() -> None:
            try:
                buffer = ctypes.create_string_buffer(raw, len(raw))
                number = ctypes.get_errno() if _LIBC.connect(descriptor, buffer, len(raw)) else 0
                with contextlib.suppress(OSError):
                    if number:
                        self.listener.refuse(given.cookie, number)
                    else:
                        self.listener.answer(given.cookie, 0)
            finally:
                os.close(descriptor)
                if held >= 0:
                    os.close(held)
                self._waiting.release()

        if os.get_blocking(descriptor):
            threading.Thread(target=work, daemon=True).start()
        else:
            work()
        return DONE

    def _local(self, known: Known, raw: bytes) -> tuple[bytes, int, str]:
        """A local socket's address that cannot lead elsewhere meanwhile, what holds it, and its real path."""
        name = raw[2:].partition(b"\0")[0]
        if not name:
            return raw, -1, ""  # abstract, or without a name
        path = self.absolute(known, os.fsdecode(name))
        held = os.open(path, os.O_PATH | os.O_CLOEXEC)
        return _UNIX + f"/proc/self/fd/{held}".encode() + b"\0", held, link(f"/proc/self/fd/{held}")

    def datagram(self, known: Known, number: int) -> bool:
        """Whether a descriptor is a socket of the internet that is told an address with each message."""
        try:
            descriptor = self._descriptor(known, number)
        except OSError:
            return False
        with socket.socket(fileno=descriptor) as found:
            return found.family in (socket.AF_INET, socket.AF_INET6) and found.type != socket.SOCK_STREAM

    def send(self, known: Known, number: int, raw: bytes, content: bytes, flags: int) -> int:
        """Send a datagram of a process to an address that was judged: how many bytes, or an errno below zero."""
        try:
            descriptor = self._descriptor(known, number)
        except OSError as error:
            return -(error.errno or errno.EACCES)
        try:
            address = ctypes.create_string_buffer(raw, len(raw)) if raw else None
            data = ctypes.create_string_buffer(content, len(content))
            size, length = ctypes.c_size_t(len(content)), ctypes.c_uint32(len(raw))
            sent: int = _LIBC.sendto(descriptor, data, size, flags | _AT_ONCE, address, length)
            return sent if sent >= 0 else -ctypes.get_errno()
        finally:
            os.close(descriptor)

    def _descriptor(self, known: Known, number: int) -> int:
        """A copy of a socket of a process. Raises OSError."""
        process = os.pidfd_open(known.pid)
        try:
            return pidfd_getfd(process, number & 0xFFFFFFFF)
        finally:
            os.close(process)


def message(memory: Memory, address: int) -> tuple[bytes, bytes, bool] | None:
    """Address, content and whether nothing else is in it, of a `struct msghdr`; None where it cannot be read."""
    header = memory.bytes(address, _MESSAGE_SIZE)
    if len(header) < _MESSAGE_SIZE:
        return None
    name, length, vectors, count, control, control_length = struct.unpack_from("=QIxxxxQQQQ", header)
    raw = memory.bytes(name, min(length, 128)) if name and length else b""
    parts: list[bytes] = []
    room = _MOST_SENT
    for at in range(min(count, 64)):
        vector = memory.bytes(vectors + 16 * at, 16)
        if len(vector) < 16:
            return None
        begin, size = struct.unpack("=QQ", vector)
        if size > room:
            return None
        parts.append(memory.bytes(begin, size))
        room -= size
    return raw, b"".join(parts), not (control and control_length) and count <= 64

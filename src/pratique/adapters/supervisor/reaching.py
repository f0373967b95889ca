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
from typing import NamedTuple

from pratique.adapters.supervisor import dns
from pratique.adapters.supervisor.kernel import Listener, Notification, pidfd_getfd
from pratique.adapters.supervisor.naming import Hosts
from pratique.adapters.supervisor.reading import Memory, link
from pratique.adapters.supervisor.relaying import Relay, Target
from pratique.adapters.supervisor.tree import Known
from pratique.model.supervision import Denials

DONE = -1
"""A call that was answered here."""
MOST_WAITING = 256
"""So many calls may wait for something at a time."""
_MESSAGE_SIZE = 56
MOST_SENT = 1 << 22
"""So many bytes of one call are sent; a stream's caller sends the rest by the next."""
_MOST_PARTS, _MOST_CONTROL, _MOST_PASSED = 1024, 1 << 14, 253
_UNIX = struct.pack("=H", socket.AF_UNIX)
_DO_NOT_WAIT, _NO_SIGNAL, _FAST_OPEN = 0x40, 0x4000, 0x20000000
_AT_ONCE = _DO_NOT_WAIT | _NO_SIGNAL
_CONTROL = struct.Struct("=Qii")
"""struct cmsghdr."""
_KNOWN_CONTROL = frozenset(((0, 1), (0, 2), (0, 8), (17, 103), (41, 50), (41, 52), (41, 67)))
"""Levels and types of what may go with a datagram: how it is marked, sent and cut; no other way that it takes."""
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.sendmsg.restype = ctypes.c_ssize_t


class Reaching:
    """The network of one run. `absolute` resolves what a process names."""

    def __init__(self, denials: Denials, listener: Listener, absolute: Callable[[Known, str], str]) -> None:
        self.denials = denials
        self.listener = listener
        self.absolute = absolute
        self._waiting = threading.Semaphore(MOST_WAITING)
        self.relay = Relay(Hosts(denials.hosts, denials.search)) if denials.hosts is not None else None
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
            return self.relay is None or not self.relay.is_own(port)
        if self.denials.ports is not None and port not in self.denials.ports:
            return False
        if self.denials.addresses is None:
            return self.relay is None
        return any(found.version == one.version and found in one for one in self._networks)

    def asks(self, address: str, port: int | None, content: bytes) -> bool:
        """Whether a datagram asks a resolver of this machine for the address of a permitted host, and nothing else."""
        if self.relay is None or port != dns.PORT or address.removeprefix("::ffff:") not in self.denials.resolvers:
            return False
        return content[4:6] == b"\0\1" and self.relay.hosts.may_be_asked(dns.question(content))

    def datagram(self, family: str, address: str, port: int | None, content: bytes) -> bool:
        """Whether a datagram may be sent to an address. Where hosts are named, what resolvers are asked is judged."""
        if self.relay is not None and port == dns.PORT:
            return self.asks(address, port, content)
        return self.reaches(family, address, port)

    def by_relay(self, given: Notification, known: Known, target: Target) -> int:
        """Connect a socket of a process to the relay, which finds out the host that it is meant for."""
        ports = self.denials.ports
        if self.relay is None or (ports is not None and target.port not in ports):
            return errno.EACCES
        if ipaddress.ip_address(target.address.removeprefix("::ffff:")).is_loopback:
            return errno.EACCES  # the relay itself
        try:
            with socket.socket(fileno=self.descriptor(known, given.arguments[0])) as copy:
                if copy.type != socket.SOCK_STREAM or target.port == dns.PORT:
                    return errno.EACCES
                raw = self.relay.address_for(copy)
                buffer = ctypes.create_string_buffer(raw, len(raw))
                number = ctypes.get_errno() if _LIBC.connect(copy.fileno(), buffer, len(raw)) else 0
                if number in (0, errno.EINPROGRESS):
                    self.relay.announce(copy, target)
        except OSError as error:
            return error.errno or errno.EACCES
        if not number:
            self.listener.answer(given.cookie, 0)
        return number or DONE

    def close(self) -> None:
        """Take no more connections."""
        if self.relay is not None:
            self.relay.close()

    def connect(self, given: Notification, known: Known, raw: bytes, refused: Callable[[str], None]) -> int:
        """Connect a socket of a process to an address that was judged."""
        held = -1
        try:
            if raw[:2] == _UNIX:
                raw, held, real = self._local(known, raw)
                if real and not self.reaches("unix", real, None):
                    refused(real)
                    return errno.EACCES
            descriptor = self.descriptor(known, given.arguments[0])
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

    def send(self, given: Notification, known: Known, copied: Sent, flags: int, length_at: int = 0) -> int:
        """Send what was judged. `length_at`: where its process expects the length, of a message among several."""
        if flags & _FAST_OPEN:
            return errno.EOPNOTSUPP
        raw, owned = copied.address, list[int]()
        try:
            if raw[:2] == _UNIX:
                raw, held, real = self._local(known, raw)
                owned += [held] if held >= 0 else []
                if real and not self.reaches("unix", real, None):
                    raise OSError(errno.EACCES, "is refused")
            control = self._control(known, copied.control, owned)
            descriptor = self.descriptor(known, given.arguments[0])
        except OSError as error:
            _close(owned)
            return error.errno or errno.EACCES
        owned.append(descriptor)
        sent = _sent(descriptor, raw, copied.content, control, flags | _AT_ONCE)
        waits = os.get_blocking(descriptor) and not flags & _DO_NOT_WAIT
        if not waits or not (sent == -errno.EAGAIN or 0 <= sent < len(copied.content)):
            _close(owned)
            return self._answered(given, known, sent, length_at)
        if not self._waiting.acquire(blocking=False):
            _close(owned)
            return errno.EAGAIN

        def work() -> None:
            try:
                whole = max(sent, 0)
                while whole < len(copied.content):
                    beside = b"" if whole else control
                    more = _sent(descriptor, raw, copied.content[whole:], beside, flags | _NO_SIGNAL)
                    if more < 0:
                        whole = whole or more
                        break
                    whole += more
                number = self._answered(given, known, whole, length_at)
                if number != DONE:
                    with contextlib.suppress(OSError):
                        self.listener.refuse(given.cookie, number)
            finally:
                _close(owned)
                self._waiting.release()

        threading.Thread(target=work, daemon=True).start()
        return DONE

    def _answered(self, given: Notification, known: Known, sent: int, length_at: int) -> int:
        """Tell a process how much was sent; the errno where nothing was."""
        if sent < 0:
            return -sent
        if length_at:
            try:
                descriptor = os.open(f"/proc/{known.pid}/mem", os.O_WRONLY | os.O_CLOEXEC)
                try:
                    os.pwrite(descriptor, struct.pack("=I", sent), length_at)
                finally:
                    os.close(descriptor)
            except (OSError, OverflowError):
                return errno.EFAULT
        self.listener.answer(given.cookie, 1 if length_at else sent)
        return DONE

    def _control(self, known: Known, control: bytes, owned: list[int]) -> bytes:
        """What goes with a message, with copies of the descriptors in it, which become `owned`.

        Raises OSError for what is not known.
        """
        made, at = b"", 0
        while at + _CONTROL.size <= len(control):
            length, level, kind = _CONTROL.unpack_from(control, at)
            if length < _CONTROL.size or at + length > len(control):
                raise OSError(errno.EINVAL, "is no control message")
            content = control[at + _CONTROL.size : at + length]
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                numbers = struct.unpack(f"={len(content) // 4}i", content[: len(content) // 4 * 4])
                if len(numbers) > _MOST_PASSED:
                    raise OSError(errno.EINVAL, "too many descriptors")
                begin = len(owned)
                for number in numbers:
                    owned.append(self.descriptor(known, number))
                content = struct.pack(f"={len(numbers)}i", *owned[begin:])
            elif (level, kind) not in _KNOWN_CONTROL:
                raise OSError(errno.EACCES, "goes with a message and is not known")
            part = _CONTROL.pack(_CONTROL.size + len(content), level, kind) + content
            made += part + bytes(-len(part) % 8)
            at += length + -length % 8
        return made

    def descriptor(self, known: Known, number: int) -> int:
        """A copy of a socket of a process. Raises OSError."""
        process = os.pidfd_open(known.pid)
        try:
            return pidfd_getfd(process, number & 0xFFFFFFFF)
        finally:
            os.close(process)


def _close(descriptors: list[int]) -> None:
    for one in descriptors:
        os.close(one)


class Sent(NamedTuple):
    """A copy of what is sent: the address, the content, and what goes with it."""

    address: bytes
    content: bytes
    control: bytes


def message(memory: Memory, address: int) -> Sent | None:
    """A copy of the message of a `struct msghdr`; None where it cannot be read whole."""
    header = memory.bytes(address, _MESSAGE_SIZE)
    if len(header) < _MESSAGE_SIZE:
        return None
    name, length, vectors, count, control, control_length = struct.unpack_from("=QIxxxxQQQQ", header)
    if count > _MOST_PARTS or control_length > _MOST_CONTROL:
        return None
    raw = memory.bytes(name, min(length, 128)) if name and length else b""
    parts: list[bytes] = []
    room = MOST_SENT
    for at in range(count):
        vector = memory.bytes(vectors + 16 * at, 16)
        if len(vector) < 16:
            return None
        begin, size = struct.unpack("=QQ", vector)
        size = min(size, room)
        parts.append(memory.bytes(begin, size) if size else b"")
        if len(parts[-1]) < size:
            return None
        room -= size
    with_it = memory.bytes(control, control_length) if control and control_length else b""
    return Sent(raw, b"".join(parts), with_it) if not control or len(with_it) == control_length else None


class _Vector(ctypes.Structure):
    _fields_ = (("begin", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


def _sent(descriptor: int, raw: bytes, content: bytes, control: bytes, flags: int) -> int:
    """Send by sendmsg(2): how many bytes, or an errno below zero."""
    buffers = [ctypes.create_string_buffer(one, len(one)) if one else None for one in (raw, content, control)]
    name, body, beside = (ctypes.addressof(one) if one is not None else None for one in buffers)
    vector = _Vector(body, len(content))
    header = _Header(name, len(raw), ctypes.pointer(vector), 1, beside, len(control), 0)
    sent: int = _LIBC.sendmsg(descriptor, ctypes.byref(header), ctypes.c_int(flags))
    return sent if sent >= 0 else -ctypes.get_errno()

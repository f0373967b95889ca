"""A network in which every address is this machine: the loopback up, and all addresses local to it (rtnetlink(7)).

What connects anywhere then reaches a listener in the same namespace, or is refused; there is no other way out.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct

_NEW_LINK, _NEW_ROUTE, _ERROR = 16, 24, 2
_REQUEST, _ACKNOWLEDGE, _CREATE, _REPLACE = 0x1, 0x4, 0x400, 0x100
_LOCAL_TABLE, _SET_BY_ADMINISTRATOR, _SCOPE_HOST, _KIND_LOCAL = 255, 4, 254, 2
_OUTGOING = 4
"""RTA_OIF."""
_UP = 1


def all_local() -> bool:
    """Bring the loopback up and make every address local; whether that worked for IPv6 too. Raises OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as channel:
        loopback = socket.if_nametoindex("lo")
        _ask(channel, _NEW_LINK, 0, struct.pack("=BxHiII", socket.AF_UNSPEC, 0, loopback, _UP, _UP))
        _ask(channel, _NEW_ROUTE, _CREATE | _REPLACE, _route(socket.AF_INET, loopback))
        with contextlib.suppress(OSError):
            _ask(channel, _NEW_ROUTE, _CREATE | _REPLACE, _route(socket.AF_INET6, loopback))
            return True
    return False


def _route(family: int, device: int) -> bytes:
    """All addresses of a family are local: `ip route add local default dev lo`."""
    head = struct.pack("=8BI", family, 0, 0, 0, _LOCAL_TABLE, _SET_BY_ADMINISTRATOR, _SCOPE_HOST, _KIND_LOCAL, 0)
    return head + struct.pack("=HHi", 8, _OUTGOING, device)


def _ask(channel: socket.socket, kind: int, flags: int, body: bytes) -> None:
    """Send one request and read its answer. Raises OSError."""
    channel.send(struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | _ACKNOWLEDGE | flags, 1, 0) + body)
    answer = channel.recv(65536)
    if struct.unpack_from("=H", answer, 4)[0] == _ERROR:
        (number,) = struct.unpack_from("=i", answer, 16)
        if number and -number != errno.EEXIST:
            raise OSError(-number, "the network of the sandbox could not be set up")

"""Which host a stream is meant for, by its first bytes, and whether a policy permits it. Pure, and total.

TLS: the `server_name` of the ClientHello (RFC 8446, section 4.1.2; RFC 6066, section 3), put together from as many
records as it takes. HTTP/1: the `Host` of the first request (RFC 9112, section 3.2). Anything else names no host.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

MOST_BEGIN = 1 << 16
"""Bytes of a stream in which the name must stand."""
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_SERVER_NAME, _HOST_NAME = 0, 0
_METHOD = re.compile(rb"[A-Z]{1,20} ")
_TARGET = re.compile(rb"[A-Z]{1,20} (\S+) HTTP/1\.[01]")
_HOST = re.compile(rb"[Hh][Oo][Ss][Tt]:[ \t]*([^ \t]*)[ \t]*")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST = 253


class Meant(NamedTuple):
    """What a stream's beginning tells: its host, and by which protocol. `more`: it does not tell yet.

    `none`: it never will; `reason` says why.
    """

    state: Literal["named", "more", "none"]
    host: str = ""
    protocol: str = ""
    reason: str = ""


MORE = Meant("more")


def normal(name: str) -> str:
    """A host's name in lower case without a dot at its end; empty where it is none, or is an address."""
    name = name.lower().removesuffix(".")
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        return ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "" if name.rpartition(".")[2].isdecimal() else name
    return ""


def host_pattern(host: str) -> str:
    """A host of a policy, or `*.` and a suffix, in its normal form; empty where it is neither."""
    head, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    found = normal(name)
    return head + found if found else ""


class Hosts:
    """The hosts that a policy permits. `search` are the suffixes that a resolver adds to names (resolv.conf(5))."""

    def __init__(self, patterns: Sequence[str], search: Sequence[str] = ()) -> None:
        self._exact = frozenset(one for one in patterns if not one.startswith("*."))
        self._suffixes = tuple(one[1:] for one in patterns if one.startswith("*."))
        self._search = tuple("." + found for one in search if (found := normal(one)))

    def permits(self, name: str) -> bool:
        """Whether a name is one of them, or below a suffix."""
        name = normal(name)
        return bool(name) and (name in self._exact or name.endswith(self._suffixes))

    def may_be_asked(self, name: str) -> bool:
        """Whether a resolver may be asked for a name: one that is permitted, also with a suffix that it adds."""
        if self.permits(name):
            return True
        name = normal(name)
        return any(name.endswith(one) and self.permits(name.removesuffix(one)) for one in self._search)


def meant(begin: bytes, ended: bool = False) -> Meant:
    """Which host a stream is meant for. `ended`: no more bytes come."""
    if not begin:
        return Meant("none", reason="nothing was sent") if ended else MORE
    found = _tls(begin) if begin[0] == _HANDSHAKE else _http(begin)
    if found.state == "more" and (ended or len(begin) >= MOST_BEGIN):
        return Meant("none", reason="no host is named in its beginning")
    return found


def _tls(begin: bytes) -> Meant:
    hello = b""
    at = 0
    while at + 5 <= len(begin):
        if begin[at] != _HANDSHAKE or begin[at + 1] != 3:
            return Meant("none", reason="begins like TLS and is none")
        length = int.from_bytes(begin[at + 3 : at + 5], "big")
        if not length:
            return Meant("none", reason="an empty record of TLS")
        hello += begin[at + 5 : at + 5 + length]
        at += 5 + length
        if hello and hello[0] != _CLIENT_HELLO:
            return Meant("none", reason="TLS that begins with no ClientHello")
        if len(hello) >= 4 and len(hello) >= 4 + int.from_bytes(hello[1:4], "big"):
            return _hello(hello[4 : 4 + int.from_bytes(hello[1:4], "big")])
    return MORE


def _hello(body: bytes) -> Meant:
    """The name in a whole ClientHello."""
    nameless = Meant("none", reason="TLS that names no host")
    try:
        at = 2 + 32
        at += 1 + body[at]
        at += 2 + _two(body, at)
        at += 1 + body[at]
        end = at + 2 + _two(body, at)
        at += 2
        if end != len(body):
            return nameless
        while at + 4 <= end:
            kind, length = _two(body, at), _two(body, at + 2)
            at += 4
            if at + length > end:
                return nameless
            if kind == _SERVER_NAME:
                return _listed(body[at : at + length])
            at += length
    except IndexError:
        pass
    return nameless


def _listed(content: bytes) -> Meant:
    """The one name of a `server_name` extension."""
    nameless = Meant("none", reason="TLS that names no host")
    if len(content) < 5 or _two(content, 0) != len(content) - 2 or content[2] != _HOST_NAME:
        return nameless
    length = _two(content, 3)
    name = normal(content[5 : 5 + length].decode("ascii", "replace"))
    return Meant("named", name, "tls") if name and length == len(content) - 5 else nameless


def _two(content: bytes, at: int) -> int:
    """A number of two bytes. Raises IndexError where they are not there."""
    return content[at] << 8 | content[at + 1]


def _http(begin: bytes) -> Meant:
    if not _METHOD.match(begin):
        short = len(begin) < 21 and re.fullmatch(rb"[A-Z]*", begin)
        return MORE if short else Meant("none", reason="neither TLS nor HTTP")
    head, end, _ = begin.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if not end:
        if b"\n\n" in begin or (len(lines) > 1 and not _TARGET.fullmatch(lines[0])):
            return Meant("none", reason="no HTTP/1 as it is written down")
        return MORE
    request = _TARGET.fullmatch(lines[0])
    if request is None:
        return Meant("none", reason="no HTTP/1 as it is written down")
    if lines[0].startswith(b"CONNECT "):
        return Meant("none", reason="asks a proxy: let its address be reached by `addresses`")
    named = [found for line in lines[1:] if line[:5].lower() == b"host:" and (found := _HOST.fullmatch(line))]
    if len(named) != 1 or any(line[:1] in b" \t" or b"\n" in line or b"\r" in line for line in lines):
        return Meant("none", reason="HTTP that names no host, or several")
    host = _of_authority(named[0][1])
    target = request[1]
    if not target.startswith((b"/", b"*")):
        told = re.match(rb"[Hh][Tt][Tt][Pp]://([^/?#]*)", target)
        if told is None or _of_authority(told[1]) != host:
            return Meant("none", reason="HTTP that names two hosts")
    return Meant("named", host, "http") if host else Meant("none", reason="HTTP that names no host")


def _of_authority(text: bytes) -> str:
    """The host of `host:port`; empty where it is none."""
    host, _, port = text.partition(b":")
    return normal(host.decode("ascii", "replace")) if not port or port.isdigit() else ""

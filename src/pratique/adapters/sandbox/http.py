"""As much of HTTP/1.1 (RFC 9112) and of TLS's first message as a sink needs: requests in, short answers out."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pratique.model.detonation import Served

_MOST_HEAD = 256 << 10
_MOST_BODY = 64 << 20
_METHOD = re.compile(rb"[A-Z]{3,10} ")
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,18})[ \t]*\r?$")
_HOST = re.compile(rb"(?im)^host:[ \t]*([^\r\n]*?)[ \t]*\r?$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:[^\r\n]*chunked")
_CLOSES = re.compile(rb"(?im)^connection:[^\r\n]*close")
_EXPECTS = re.compile(rb"(?im)^expect:[ \t]*100-continue")
_WANTS_JSON = re.compile(rb"(?im)^accept:[^\r\n]*json")
_DIGITS = re.compile(rb"[0-9A-Fa-f]{1,12}")
_PROXIED = b"HTTP/1.1 200 OK\r\n\r\n"


class OtherProtocolError(Exception):
    """What was sent is no request of HTTP; it has been taken."""


class Request(NamedTuple):
    """One request. `path` is the target as sent; `stays`: the connection is for further ones."""

    method: str
    path: str
    host: str
    json: bool
    stays: bool


def request(connection: socket.socket, take: Callable[[bytes], None]) -> Request | None:
    """Read one request with its body; every byte goes to `take`. None where nothing more comes.

    Raises OtherProtocolError where it is something else, OSError where the connection breaks.
    """
    held = bytearray()
    while b"\r\n\r\n" not in held:
        part = connection.recv(65536)
        if not part:
            if held:
                take(bytes(held))
                raise OtherProtocolError
            return None
        held += part
        begin = bytes(held[:11])
        if (len(held) >= 4 and not re.match(rb"[A-Z]{3,10}(?: |$)", begin)) or len(held) > _MOST_HEAD:
            take(bytes(held))
            raise OtherProtocolError
    head, _, rest = bytes(held).partition(b"\r\n\r\n")
    take(head + b"\r\n\r\n")
    line = head.partition(b"\r\n")[0].split(b" ")
    if len(line) < 3 or not line[-1].startswith(b"HTTP/"):
        take(rest)
        raise OtherProtocolError
    if _EXPECTS.search(head):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if _CHUNKED.search(head):
        _chunks(connection, rest, take)
    else:
        length = _LENGTH.search(head)
        _body(connection, rest, int(length[1]) if length else 0, take)
    method, path = line[0].decode("ascii", "replace"), b" ".join(line[1:-1]).decode("utf-8", "replace")
    host = _HOST.search(head)
    return Request(
        method,
        path[:4096],
        host[1].decode("ascii", "replace")[:255] if host else urlsplit(path).netloc[:255],
        bool(_WANTS_JSON.search(head)),
        line[-1] != b"HTTP/1.0" and not _CLOSES.search(head),
    )


def _body(connection: socket.socket, begun: bytes, length: int, take: Callable[[bytes], None]) -> None:
    take(begun[:length])
    left = min(length, _MOST_BODY) - len(begun)
    while left > 0:
        part = connection.recv(min(left, 65536))
        if not part:
            return
        take(part)
        left -= len(part)


def _chunks(connection: socket.socket, begun: bytes, take: Callable[[bytes], None]) -> None:
    """A body in chunks, their contents alone taken."""
    held, total = bytearray(begun), 0
    while total < _MOST_BODY:
        while b"\r\n" not in held:
            part = connection.recv(65536)
            if not part:
                return
            held += part
        line, _, rest = bytes(held).partition(b"\r\n")
        digits = line.partition(b";")[0].strip()
        if not _DIGITS.fullmatch(digits):
            take(bytes(held))
            return
        size = int(digits, 16)
        held = bytearray(rest)
        while len(held) < min(size, _MOST_BODY) + 2:
            part = connection.recv(65536)
            if not part:
                take(bytes(held))
                return
            held += part
        if not size:
            return
        take(bytes(held[:size]))
        total += size
        del held[: size + 2]


def reply(asked: Request) -> bytes:
    """An answer that lets most programs go on: done, with nothing in it."""
    if asked.method == "CONNECT":
        return _PROXIED
    body = b"" if asked.method == "HEAD" else b'{"ok":true}\n' if asked.json or asked.method != "GET" else b"\n"
    kind = "application/json" if body.startswith(b"{") else "text/plain"
    return _head("200 OK", kind, len(body), asked) + body


def found(asked: Request, served: Served) -> bytes:
    """The answer with what a registry holds."""
    head = _head("200 OK", served.kind, len(served.content), asked)
    return head if asked.method == "HEAD" else head + served.content


def missing(asked: Request) -> bytes:
    """The answer of a registry that has it not."""
    body = b'{"error":"Not found"}'
    return _head("404 Not Found", "application/json", len(body), asked) + (b"" if asked.method == "HEAD" else body)


def _head(status: str, kind: str, length: int, asked: Request) -> bytes:
    stays = "keep-alive" if asked.stays else "close"
    lines = (f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {length}", f"Connection: {stays}", "", "")
    return "\r\n".join(lines).encode()


def plain_path(target: str) -> str:
    """The path of a request without its query, decoded."""
    return unquote(urlsplit(target).path)


def server_name(hello: bytes) -> str:
    """The name in the server_name extension of a TLS ClientHello (RFC 8446, RFC 6066); empty where there is none."""
    try:
        at = 5 + 4 + 2 + 32
        at += 1 + hello[at]
        at += 2 + int.from_bytes(hello[at : at + 2], "big")
        at += 1 + hello[at]
        end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
        at += 2
        while at + 4 <= min(end, len(hello)):
            kind, length = int.from_bytes(hello[at : at + 2], "big"), int.from_bytes(hello[at + 2 : at + 4], "big")
            if kind == 0:
                size = int.from_bytes(hello[at + 7 : at + 9], "big")
                return hello[at + 9 : at + 9 + size].decode("ascii", "backslashreplace")
            at += 4 + length
    except IndexError:
        pass
    return ""

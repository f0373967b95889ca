"""The parts of a sink, apart from a sandbox: HTTP, names, TLS, records over a pipe. Any bytes end in an answer."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.adapters.sandbox import authority, http
from pratique.adapters.sandbox.authority import Signer
from pratique.adapters.sandbox.frames import Reader, Writer
from pratique.adapters.sandbox.names import Names, answer
from pratique.model.detonation import Asked

REQUEST = b"POST /in?x=1 HTTP/1.1\r\nHost: collect.example\r\nAccept: application/json\r\n"


def read(*parts: bytes) -> tuple[http.Request | None, bytes]:
    """What is understood of some bytes that come in parts, and what was taken."""
    taken = bytearray()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        for part in parts:
            theirs.sendall(part)
        theirs.shutdown(socket.SHUT_WR)
        try:
            return http.request(ours, taken.extend), bytes(taken)
        except http.OtherProtocolError:
            return None, bytes(taken)


def test_a_request_is_read_with_its_body() -> None:
    asked, taken = read(REQUEST + b"Content-Length: 5\r\n\r\nhe", b"llo")
    assert asked == http.Request("POST", "/in?x=1", "collect.example", True, True)
    assert taken.endswith(b"\r\n\r\nhello")
    assert http.reply(asked).endswith(b'{"ok":true}\n')


def test_a_body_in_chunks_is_put_together() -> None:
    _, taken = read(REQUEST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n")
    assert taken.endswith(b"\r\n\r\nabcdefg")


@pytest.mark.parametrize("size", [b"-5", b"zz", b"", b"fffffffffffffff", b"1_0"])
def test_a_chunk_of_no_size_ends_the_body(size: bytes) -> None:
    _, taken = read(REQUEST + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\nabcdef\r\n0\r\n\r\n")
    assert taken.startswith(REQUEST)


def test_another_protocol_is_told_apart_and_kept() -> None:
    assert read(b"SSH-2.0-inert\r\n") == (None, b"SSH-2.0-inert\r\n")
    assert read(b"\x00\x01binary") == (None, b"\x00\x01binary")
    assert read() == (None, b"")


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([REQUEST, b"\r\n\r\n", b"0\r\n", b"GET / HTTP/1.1\r\n",
                                                                  b"Transfer-Encoding: chunked\r\n"])), max_size=6))  # fmt: skip
def test_any_bytes_are_taken_or_told(parts: list[bytes]) -> None:
    asked, taken = read(*parts)
    assert len(taken) <= sum(map(len, parts))
    if asked is not None:
        assert b"HTTP/1." in http.reply(asked)


def query(name: str, kind: int) -> bytes:
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return b"\x12\x34\x01\x00\0\1\0\0\0\0\0\0" + labels + b"\0" + kind.to_bytes(2, "big") + b"\0\1"


def test_each_name_gets_an_address_of_its_own_and_keeps_it() -> None:
    names = Names()
    reply, name, kind, address = answer(query("updates.example", 1), names)
    assert (name, kind) == ("updates.example", "A")
    assert address.startswith("198.18.0.")
    assert reply[:2] == b"\x12\x34"
    assert reply.endswith(socket.inet_aton(address))
    assert answer(query("UPDATES.example", 1), names)[3] == address
    assert answer(query("other.example", 1), names)[3] != address
    assert names.name(address) == "updates.example"
    assert answer(query("updates.example", 28), names)[2:] == ("AAAA", "")
    assert b"\x02ok" in answer(query("updates.example", 16), names)[0]


@given(st.binary(max_size=80))
def test_any_query_is_answered_or_passed_over(packet: bytes) -> None:
    names = Names()
    with contextlib.suppress(ValueError):
        reply, name, _, _ = answer(packet, names)
        assert bool(reply) == bool(name)


@pytest.mark.parametrize("means", ["cryptography", "openssl"])
def test_tls_is_taken_off_with_a_certificate_for_the_name(
    means: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if means == "openssl":
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        monkeypatch.setattr(authority, "means", lambda: "openssl")
    made = authority.make()
    assert made is not None
    assert made.means == means
    signer = Signer(made, str(tmp_path))
    said: list[str] = []

    def serve(connection: socket.socket) -> None:
        said.append(http.server_name(connection.recv(4096, socket.MSG_PEEK)))
        with signer.server("203.0.113.7").wrap_socket(connection, server_side=True) as inner:
            inner.sendall(inner.recv(100).upper())

    client = ssl.create_default_context(cadata=made.certificate.decode())
    for name in ("collect.example", "203.0.113.7"):
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=serve, args=(theirs,))
        thread.start()
        with client.wrap_socket(ours, server_hostname=name) as connection:
            connection.sendall(b"inert")
            assert connection.recv(100) == b"INERT"
        thread.join(10)
    assert said == ["collect.example", ""]


@given(st.binary(max_size=300))
def test_any_first_message_of_tls_gives_a_name_or_none(hello: bytes) -> None:
    assert isinstance(http.server_name(hello), str)


def test_records_over_a_pipe_are_whole_however_they_are_cut() -> None:
    reader, writer = os.pipe()
    record = Asked(1, "updates.example", "A", "198.18.0.10")
    write: Callable[[Asked], None] = Writer(writer)
    for _ in range(3):
        write(record)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        whole = file.read()
    taken = Reader()
    found = [body for at in range(0, len(whole), 7) for body in taken(whole[at : at + 7])]
    assert len(found) == 3
    assert not taken.broken
    assert not list(Reader()((1 << 31).to_bytes(4, "little") + b"x"))

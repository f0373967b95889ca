"""Which host a stream is meant for: real hellos of TLS, requests as they are written down, and any bytes at all."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.adapters.supervisor.naming import MOST_BEGIN, Hosts, host_pattern, meant, normal


def _hello(name: str | None) -> bytes:
    """What OpenSSL sends first."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def _in_records(hello: bytes, size: int) -> bytes:
    """The same hello in records of so many bytes."""
    body = hello[5:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(hello[:3] + len(one).to_bytes(2, "big") + one for one in parts)


@pytest.mark.parametrize("size", [1, 7, 100, 60_000])
def test_a_hello_names_its_host_in_however_many_records(size: int) -> None:
    found = meant(_in_records(_hello("Registry.Example"), size))
    assert (found.state, found.host, found.protocol) == ("named", "registry.example", "tls")


@given(st.integers(0, 600))
def test_a_part_of_a_hello_tells_nothing_yet_and_never_another_host(length: int) -> None:
    hello = _hello("registry.example")
    found = meant(hello[:length])
    assert found.state == "more" if length < len(hello) else found.host == "registry.example"
    assert meant(hello[:length], ended=True).state in (("none",) if length < len(hello) else ("named",))


@pytest.mark.parametrize("name", [None, "192.0.2.1"])
def test_a_hello_without_a_name_or_for_an_address_names_none(name: str | None) -> None:
    assert meant(_hello(name)).state == "none"


@pytest.mark.parametrize(
    ("request_head", "host"),
    [
        (b"GET / HTTP/1.1\r\nHost: registry.example\r\n\r\n", "registry.example"),
        (b"POST /x HTTP/1.0\r\nAccept: *\r\nhost:REGISTRY.example.:8080 \r\n\r\nbody", "registry.example"),
        (b"GET http://registry.example/x HTTP/1.1\r\nHost: registry.example:80\r\n\r\n", "registry.example"),
        (b"GET http://other.example/x HTTP/1.1\r\nHost: registry.example\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\nHost: registry.example\r\nHost: other.example\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\nHost: registry.example\r\n Host: other.example\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\nX: a\nHost: registry.example\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\nHost: registry.example@other.example\r\n\r\n", ""),
        (b"GET / HTTP/1.1\r\n\r\n", ""),
        (b"GET /\r\n", ""),
        (b"GET / HTTP/1.1\n\n", ""),
        (b"CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example\r\n\r\n", ""),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        (b"SSH-2.0-x\r\n", ""),
        (b"EHLO registry.example\r\n", ""),
        (b"\x16\x03\x01\x00\x00", ""),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", ""),
    ],
)
def test_requests_name_one_host_or_none(request_head: bytes, host: str) -> None:
    found = meant(request_head, ended=True)
    assert (found.state, found.host) == ("named" if host else "none", host)
    assert bool(found.reason) is not bool(host)


def test_a_head_without_end_is_not_waited_for() -> None:
    endless = b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * MOST_BEGIN
    assert meant(endless[: MOST_BEGIN - 1]).state == "more"
    assert meant(endless[:MOST_BEGIN]).state == "none"


@given(st.binary(max_size=300))
def test_any_bytes_are_taken(content: bytes) -> None:
    for begin in (content, b"\x16\x03\x01" + content, b"GET / HTTP/1.1\r\n" + content):
        found = meant(begin)
        assert (found.state == "named") is bool(found.host)
        assert found.host == normal(found.host)


@given(st.binary(max_size=60), st.integers(0, 500))
def test_a_changed_hello_names_a_host_or_none(noise: bytes, at: int) -> None:
    hello = _hello("registry.example")
    found = meant(hello[:at] + noise + hello[at + len(noise) :], ended=True)
    assert found.host == normal(found.host)


def test_hosts_are_permitted_by_name_and_below_a_suffix() -> None:
    hosts = Hosts(("registry.example", "*.cdn.example"), ("corp.example",))
    for name, permitted in {
        "registry.example": True,
        "Registry.Example.": True,
        "a.cdn.example": True,
        "a.b.cdn.example": True,
        "cdn.example": False,
        "xcdn.example": False,
        "evil-registry.example": False,
        "registry.example.evil.test": False,
        "192.0.2.1": False,
        "": False,
    }.items():
        assert hosts.permits(name) is permitted, name
    assert hosts.may_be_asked("registry.example.corp.example")
    assert not hosts.permits("registry.example.corp.example")
    assert not hosts.may_be_asked("secret.corp.example")


@pytest.mark.parametrize(
    "host", ["*", "*.", "a..b", "http://a", "a:1", "192.0.2.1", "a/b", "", "-", "a b", "x" * 300, "a.1"]
)
def test_what_is_no_pattern_is_none(host: str) -> None:
    assert host_pattern(host) == ""

"""Every format survives any bytes, and no mutation of a file brings a secret out of it."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique.model.credential import CredentialFact
from pratique.readers.credentials import formats
from pratique.readers.credentials.contract import Reason, Row
from pratique.readers.credentials.table import reader_of, table
from tests.fixtures_reach import lay_all, recipes

FORMATS = sorted(module.name for module in pkgutil.iter_modules(formats.__path__))
READ = [row.id for row in table().rows if row.look == "content" and row.format and row.id in recipes()]
ANY = Row(
    id="any",
    provider="any",
    tier=1,
    secret="any",
    rotation="other",
    fields=("token", "*password*", "a.*.key", "@url", "!public"),
    show=("user", "host=^"),
    references=("file",),
)
SPARKS = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1",
    b"-----BEGIN PRIVATE KEY-----",
    b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA",
    b"(11:private-key",
    b"0\x82\x05\x00\x02\x01\x03\x30",
    b'{"auths": {"a": {"auth": "YTpi"}}}',
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    b"users:\n- name: a\n  user: {token: b}\n",
    b"[a]\ntoken = b\n",
    b"export A_TOKEN='b\n",
    b"\x94\x00",
]


def check(found: list[object]) -> None:
    """What a format may give: facts, and reasons out of the list."""
    for item in found:
        assert isinstance(item, CredentialFact) or item in get_args(Reason), item
    assert sum(isinstance(item, CredentialFact) for item in found) <= 4100


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(st.sampled_from(SPARKS) | st.binary(max_size=20), max_size=6).map(b"".join),
    )
)
def test_any_bytes_give_facts_or_reasons(name: str, content: bytes) -> None:
    check(list(reader_of(name)(content, ANY, lambda _class, _secret: None)))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "content",
    [
        b"A_TOKEN=abcdef\n".decode().encode("utf-16"),
        b"A_TOKEN=abcdef\n".decode().encode("utf-16-be"),
        b"\xfe\xff\0A",
        b"\0" * 1000,
        b"a" * 200_000,
        b"[" * 50_000,
        b'{"a":' * 50_000,
        b"{a: " * 20_000,
        b"<a>" * 50_000,
        b"- " * 50_000,
        b"a." * 50_000 + b"b = 1",
        b"\\" * 100_000,
        b'"' * 100_000,
        b"$" + b"{a:-$" * 20_000,
        b"A='" * 30_000,
        b"9" * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
        b"<secret>\n" * 20_000,
        b"-----BEGIN CERTIFICATE-----AAAA" * 3_000,
        b"sk-" * 60_000,
        b"eyJaaaaaaaaaaaa." * 10_000,
        b"x=a://" + b"b:" * 50_000,
        b"(11:private-key" + b"9999999:" * 10_000,
    ],
    ids=range(23),
)
def test_hostile_contents_end(name: str, content: bytes) -> None:
    check(list(reader_of(name)(content, ANY, lambda _class, _secret: None)))


def windows(secret: str) -> Iterator[str]:
    """Parts of a secret of ten characters."""
    yield from (secret[at : at + 10] for at in range(0, max(len(secret) - 9, 1), 3))


@pytest.mark.parametrize("name", READ)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_mutation_brings_a_secret_out(name: str, data: st.DataObject) -> None:
    ground = lay_all(7, only=name)
    row = table().row(name)
    for content in ground.files.values():
        content = bytearray(content)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, max(len(content) - 1, 0)))
            what = data.draw(st.sampled_from(["cut", "byte", "drop", "insert", "swap"]))
            if what == "cut":
                del content[at:]
            elif what == "byte" and content:
                content[at] = data.draw(st.sampled_from(b"\0\n =:\"'[]{}<>,#@/\\\xff$"))
            elif what == "drop":
                del content[at : at + data.draw(st.integers(1, 5))]
            elif what == "insert":
                content[at:at] = data.draw(
                    st.sampled_from([b"\n", b": ", b" = ", b'"', b"'", b"\0", b"[", b"://", b"@"])
                )
            else:
                other = data.draw(st.integers(0, max(len(content) - 1, 0)))
                content[at : at + 1], content[other : other + 1] = content[other : other + 1], content[at : at + 1]
        found = list(reader_of(row.format)(bytes(content), row, lambda _class, _secret: None))
        check(found)
        text = msgspec.json.encode(found).decode()
        plain = json.dumps(json.loads(text), ensure_ascii=False)
        for secret in ground.secrets.get(name, []):
            assert not [part for part in windows(secret) if part in plain], plain

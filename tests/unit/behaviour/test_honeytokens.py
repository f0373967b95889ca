"""Planted credentials are found in what was sent, however it was wrapped, and nowhere else."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.behaviour.honeytokens import found_in, found_in_names, redacted

TOKENS = {
    "npm token": "npm_Zq3RtY7uIoP1aSdF5gHjK9lZxC2vBnM4wE6r",
    "AWS secret key": "wJa/rXUtnFEMI+K7MDENG/bPxRfiCYEXAMPLEKE0",
    "SSH key": "AAAAB3NzaC1yc2EAAAADAQABAAABgQC7x9v2L0kQzWmT4uYbN1pRfS6dHjKlQwErTy",
}
WRAPS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda raw: raw,
    "base64": base64.b64encode,
    "base64 for addresses": base64.urlsafe_b64encode,
    "base64 in lines": lambda raw: base64.encodebytes(b"# " + b"-" * 50 + raw),
    "base64 without its end": lambda raw: base64.b64encode(raw).rstrip(b"="),
    "hex": lambda raw: raw.hex().encode(),
    "hex in capitals": lambda raw: raw.hex().upper().encode(),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "percent": lambda raw: quote(raw, safe="").encode(),
    "JSON": lambda raw: json.dumps({"value": raw.decode("latin-1")}).replace("/", "\\/").encode(),
    "JSON numbers": lambda raw: "".join(f"\\u{byte:04x}" for byte in raw).encode(),
    "UTF-16": lambda raw: raw.decode("latin-1").encode("utf-16-le"),
    "reversed": lambda raw: raw[::-1],
}


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize("wrap", WRAPS)
def test_a_value_is_found_in_each_form(name: str, wrap: str) -> None:
    content = b"POST /in HTTP/1.1\r\n\r\n" + WRAPS[wrap](f"before={TOKENS[name]};after".encode())
    assert set(found_in(content, TOKENS)) == {name}


@given(st.sampled_from(sorted(TOKENS)), st.lists(st.sampled_from(sorted(WRAPS)), max_size=3), st.binary(max_size=40))
def test_forms_in_forms_are_found(name: str, wraps: list[str], around: bytes) -> None:
    content = TOKENS[name].encode()
    for wrap in wraps:
        content = WRAPS[wrap](content)
    assert name in found_in(around + b"\n" + content + b"\n", TOKENS), wraps


@given(st.binary(max_size=7), st.binary(max_size=7), st.sampled_from(sorted(TOKENS)))
def test_base64_is_found_at_each_of_its_alignments(before: bytes, after: bytes, name: str) -> None:
    assert name in found_in(base64.b64encode(before + TOKENS[name].encode() + after), TOKENS)


@given(st.binary(max_size=4000))
def test_nothing_is_found_where_nothing_is(content: bytes) -> None:
    assert found_in(content, TOKENS) == {}


def test_what_unpacks_without_end_is_bounded() -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * (64 << 20)))
    assert found_in(bomb + TOKENS["npm token"].encode(), TOKENS) == {"npm token": "as it is"}


@pytest.mark.parametrize(
    "encoded",
    [
        TOKENS["npm token"].replace("_", "-"),
        TOKENS["npm token"].encode().hex(),
        base64.b32encode(TOKENS["npm token"].encode()).decode().rstrip("=").lower(),
        base64.urlsafe_b64encode(TOKENS["npm token"].encode()).decode().rstrip("="),
    ],
    ids=["as it is", "hex", "base32", "base64"],
)
@pytest.mark.parametrize("size", [9, 30, 63])
def test_a_value_is_found_over_the_labels_of_names(encoded: str, size: int) -> None:
    tokens = {"npm token": TOKENS["npm token"].replace("_", "-") if "-" in encoded[:4] else TOKENS["npm token"]}
    pieces = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    plain = [f"{piece}.collect.example" for piece in pieces]
    counted = [f"{number}.{piece}.collect.example" for number, piece in enumerate(pieces)]
    for names in (plain, counted, [*counted[1:], counted[0]], ["other.example", *plain, "www.other.example"]):
        assert set(found_in_names(names, tokens)) == {"npm token"}


def test_names_that_carry_nothing_say_nothing() -> None:
    assert found_in_names(["registry.example", "www.registry.example", "a.b.c.d.example"], TOKENS) == {}


def test_a_shown_beginning_holds_no_value() -> None:
    shown = redacted(f"token={TOKENS['npm token']}\r\n\x1b[31m".encode(), TOKENS)
    assert "npm_" not in shown
    assert "<npm token>" in shown
    assert "\x1b" not in shown

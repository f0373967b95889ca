"""Compressed streams: whole, in several members, cut at any place, changed at any place."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.ports import Unreadable
from pratique.targets.unpacking import Unpacked, kind_of

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}
CONTENT = bytes(range(256)) * 40


def unpacked(packed: bytes, kind: str, size: int = 1000) -> tuple[bytes, str]:
    """What comes out, and what is said of damage."""
    stream = Unpacked(io.BytesIO(packed), kind)
    parts = []
    try:
        while part := stream.read(size):
            parts.append(part)
    except Unreadable as error:
        return b"".join(parts), error.reason
    return b"".join(parts), ""


@pytest.mark.parametrize("kind", PACKERS)
@given(parts=st.lists(st.binary(max_size=3000), min_size=1, max_size=4), size=st.integers(1, 5000))
def test_members_after_one_another_are_one_stream(kind: str, parts: list[bytes], size: int) -> None:
    packed = b"".join(PACKERS[kind](part) for part in parts)
    assert kind_of(packed[:16]) == kind
    assert unpacked(packed, kind, size) == (b"".join(parts), "")


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
@given(cut=st.integers(1, 100))
def test_a_cut_is_said(kind: str, cut: int) -> None:
    packed = PACKERS[kind](CONTENT)
    content, said = unpacked(packed[: -min(cut, len(packed) - 1)], kind)
    assert CONTENT.startswith(content)
    assert "cut off" in said


@pytest.mark.parametrize("kind", PACKERS)
@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_changed_byte_never_raises_anything_else(kind: str, place: int, value: int) -> None:
    packed = bytearray(PACKERS[kind](CONTENT))
    packed[place % len(packed)] = value
    unpacked(bytes(packed), kind)


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=400))
def test_any_bytes_are_survived(kind: str, packed: bytes) -> None:
    unpacked(packed, kind)


def test_zeros_after_the_last_member_are_padding() -> None:
    assert unpacked(gzip.compress(CONTENT) + b"\0" * 3000, "gzip") == (CONTENT, "")
    assert unpacked(gzip.compress(b"a") + b"\0" * 30 + gzip.compress(b"b"), "gzip") == (b"ab", "")
    assert unpacked(gzip.compress(CONTENT) + b"\0" * 3000 + b"x", "gzip")[1]


def test_what_came_before_damage_is_given() -> None:
    packed = bytearray(gzip.compress(b"".join(number.to_bytes(4, "big") for number in range(200_000))))
    packed[-6] ^= 1
    content, said = unpacked(bytes(packed), "gzip", 1 << 20)
    assert len(content) > 500_000
    assert said

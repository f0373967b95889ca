"""Any bytes, called anything, give facts of content in the words of the vocabulary, and the same each time."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from pratique.model.release import Fact, SourceFile
from pratique.releases.content import facts
from pratique.releases.kinds import Kind
from pratique.releases.vocabulary import WORDS

MAGIC = [
    b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"PK\x03\x04", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe", b"\0asm", b"RIFF", b"\x1f\x8b\x08", b"BZh9", b"wOF2", b"#!/bin/sh\n",
]  # fmt: skip
SUFFIXES = ["js", "png", "json", "txt", "woff", "node", "py", "zip", "", "jpeg", "gif"]
PIECES = [
    "\u200b",
    "\u202e",
    "\ufe01",
    "\U000e0041",
    "\U000e0110",
    "\ue000",
    "\u0430",
    "a",
    "'",
    " ",
    "\n",
    "://",
    ".",
    "1",
    "0x",
    "[",
    "\u3164",
]


@given(
    st.sampled_from(MAGIC),
    st.one_of(
        st.binary(max_size=3000),
        st.lists(st.sampled_from(PIECES), max_size=400).map(lambda parts: "".join(parts).encode()),
    ),
    st.sampled_from(SUFFIXES),
    st.sampled_from(get_args(Kind)),
)
def test_any_bytes_give_facts(magic: bytes, content: bytes, suffix: str, kind: str) -> None:
    file = SourceFile(f"folder/name.{suffix}" if suffix else "name", magic + content, "00", kind)
    found = list(facts(file))
    assert found == list(facts(file))
    for fact in found:
        assert isinstance(fact, Fact)
        assert fact.attributes.keys() <= set(WORDS[fact.kind][1])
        assert fact.line >= 0
        assert len(fact.excerpt) <= 200
        assert fact.excerpt.isprintable()

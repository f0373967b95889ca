"""What stands in files whatever their language, and the ordinary files in which nothing of it is found."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import struct
import time
import zipfile
import zlib

import pytest

from pratique.model.release import Fact, SourceFile
from pratique.releases.content import facts
from pratique.releases.content.checksums import keccak256
from pratique.releases.content.destinations import service_of, services
from pratique.releases.content.runs import entropy_bits
from pratique.releases.content.wallets import currency_of
from pratique.releases.kinds import kind_of
from pratique.releases.vocabulary import CODE_ATTRIBUTES, WORDS


def found(path: str, content: bytes | str, kind: str | None = None) -> list[Fact]:
    raw = content.encode() if isinstance(content, str) else content
    result = list(facts(SourceFile(path, raw, hashlib.sha256(raw).hexdigest(), kind or kind_of(path, raw[:4096]))))
    kept = [fact for fact in result if isinstance(fact, Fact)]
    assert kept == result
    for fact in kept:
        assert fact.attributes.keys() <= {*WORDS[fact.kind][1], *CODE_ATTRIBUTES}
        assert fact.excerpt.isprintable()
        assert len(fact.excerpt) <= 200
    return kept


def one(path: str, content: bytes | str, kind: str | None = None) -> Fact:
    (fact,) = found(path, content, kind)
    return fact


def selectors(text: str) -> str:
    return "".join(chr(0xFE00 + byte) if byte < 16 else chr(0xE0100 + byte - 16) for byte in text.encode())


def tags(text: str) -> str:
    return "".join(chr(0xE0000 + byte) for byte in text.encode())


def zero_width(text: str) -> str:
    return "".join("\u200b\u200c"[int(bit)] for byte in text.encode() for bit in f"{byte:08b}")


def private(text: str) -> str:
    return "".join(chr(0xE000 + byte) for byte in text.encode())


HIDDEN = "require('child_process').exec('id')"


@pytest.mark.parametrize(
    ("form", "encode"),
    [("variation-selectors", selectors), ("tags", tags), ("zero-width", zero_width), ("private-use", private)],
)
def test_text_that_is_not_seen_is_read(form: str, encode: object) -> None:
    assert callable(encode)
    fact = one("index.js", f"const a = 1;\nconst b = decode(`{encode(HIDDEN)}`);\n")
    assert (fact.kind, fact.line) == ("content.hidden-text", 2)
    assert fact.attributes["form"] == form
    assert HIDDEN in fact.excerpt


def test_direction_and_names_that_are_not_what_they_seem() -> None:
    turned = one("a.js", "if (level != 'user\u202e \u2066// Check if admin\u2069 \u2066') {\n")
    assert (turned.kind, turned.attributes["form"], turned.attributes["name"]) == (
        "content.hidden-text",
        "bidi",
        "U+202E",
    )
    within = one("a.py", "def is\u200badmin():\n    pass\n")
    assert (within.attributes["form"], within.attributes["name"]) == ("in-name", "is")
    filler = one("a.js", "const { timeout,\u3164} = req.query;\n")
    assert filler.attributes["form"] == "filler"
    far = one("a.js", "const a = 1;" + " " * 400 + "eval(atob('YQ=='));\n")
    assert (far.attributes["form"], far.excerpt) == ("far-right", "eval(atob('YQ=='));")


def test_letters_that_look_alike() -> None:
    fact = one("a.js", "function sp\u0430wn() {}\n")
    assert (fact.kind, fact.attributes["looks_like"]) == ("content.confusable", "spawn")
    assert fact.attributes["scripts"] == "Latin,Cyrillic"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffmodule.exports = 1;\n",
        "// \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\n",
        "const fa = 'می\u200cخواهم \u202b(سلام)\u202c';\n",
        "const zh = '中文字符，没有空格。'; // комментарий о том же\n",
        "const hindi = 'क्\u200dष';\n",
        "const strip = /[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/g;\n",
        "const all = ['\u200b', '\u202e', '\u3164'];\n",
        "const x = `${'#'.padEnd(20)}`;\n" + "a".ljust(120) + "b\n",
        "const Δx = αβ(σ2);\n",
        "const names = 'Привет мир ok';\n",
        "const icons = { home: '\ue900', user: '\ue901' };\n",
        "// see https://evil.test/ and https://www.w3.org/2000/svg\nconst v = '1.2.3.400';\n",
        "/*\n   MIT License https://license.texts.net/MIT\n*/\nconst mask = '10.1.2.3/24', me = '127.0.0.1';\n",
        "const suffixes = ['blogspot.com', 'ddns.net'];\n",
        "const integrity = 'sha512-" + base64.b64encode(hashlib.sha512(b"1").digest()).decode() + "';\n",
        "const words = ['" + "','".join(["the", "quick", "brown"] * 200) + "'];\n",
    ],
)
def test_ordinary_text_gives_no_fact(text: str) -> None:
    assert [fact for fact in found("index.js", text) if fact.kind != "content.huge-line"] == []


def test_huge_lines_and_mixture() -> None:
    mixed = base64.b64encode(random.Random(1).randbytes(3000)).decode()
    facts_of = found("a.js", f"short\nconst b = '{mixed}';\n")
    assert [(fact.kind, fact.line) for fact in facts_of] == [("content.huge-line", 2), ("content.entropy", 2)]
    assert facts_of[0].attributes == {"length": 4013}
    assert facts_of[1].attributes["length"] == 4000
    assert float(facts_of[1].attributes["bits"]) > 5.9
    assert [fact.kind for fact in found("a.js", "const b = '" + random.Random(2).randbytes(400).hex() + "';\n")] == [
        "content.entropy"
    ]
    plain = base64.b64encode(b"the quick brown fox jumps over the lazy dog; " * 60).decode()
    assert [fact.kind for fact in found("a.js", f"const b = '{plain}';\n")] == ["content.huge-line"]
    assert one("key.dat", random.Random(3).randbytes(9000), "binary").kind == "content.entropy"
    assert entropy_bits(b"") == 0.0


def elf(machine: int) -> bytes:
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, machine) + bytes(44)


def pe() -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x8664) + bytes(40)


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("a.node", elf(0x3E), ("elf", "x86-64")),
        ("a.node", elf(0xB7), ("elf", "arm64")),
        ("a.exe", pe(), ("pe", "x86-64")),
        ("a.dylib", b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C) + bytes(24), ("mach-o", "arm64")),
        (
            "a.dylib",
            b"\xca\xfe\xba\xbe"
            + struct.pack(">I", 2)
            + struct.pack(">5I", 0x01000007, 3, 0, 0, 0)
            + struct.pack(">5I", 0x0100000C, 0, 0, 0, 0),
            ("mach-o", "x86-64,arm64"),
        ),
        ("a.wasm", b"\0asm\x01\0\0\0", ("wasm", "wasm")),
    ],
)
def test_native_programs(path: str, content: bytes, expected: tuple[str, str]) -> None:
    fact = one(path, content)
    assert (fact.kind, fact.attributes["format"], fact.attributes["architecture"]) == ("content.native", *expected)


def png(rest: bytes = b"") -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
        + rest
    )


def jpeg(rest: bytes = b"") -> bytes:
    return b"\xff\xd8\xff\xe0\0\x04ab\xff\xda\0\x04cd" + b"ef\xff\0gh\xff\xd0ij" + b"\xff\xd9" + rest


def gif(rest: bytes = b"") -> bytes:
    return b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + b",\0\0\0\0\1\0\1\0\0\x02\x02\x4c\x01\0;" + rest


def zipped(rest: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.txt", "a")
    return made.getvalue() + rest


PAYLOAD = b"require('http').get('http://evil.example/')"


@pytest.mark.parametrize(("name", "make"), [("png", png), ("jpeg", jpeg), ("gif", gif)])
def test_bytes_behind_a_picture(name: str, make: object) -> None:
    assert callable(make)
    assert found(f"a.{name}", make()) == []
    assert found(f"a.{name}", make(b"\0\0\0\0\r\n")) == []
    fact = one(f"a.{name}", make(PAYLOAD))
    assert fact.kind == "content.trailing"
    assert fact.attributes == {"format": name, "length": len(PAYLOAD), "actual": "code"}
    assert "evil[.]example" in fact.excerpt


def test_archives_and_what_follows_them() -> None:
    assert one("a.zip", zipped()).attributes == {"format": "zip", "size": len(zipped()), "encrypted": False}
    kinds = [fact.kind for fact in found("a.zip", zipped(PAYLOAD))]
    assert kinds == ["content.archive", "content.trailing"]
    locked = bytearray(zipped())
    locked[6] |= 1
    assert one("a.zip", bytes(locked)).attributes["encrypted"] is True


@pytest.mark.parametrize(
    ("path", "content", "actual"),
    [
        ("logo.png", b"#!/usr/bin/env node\nconst a = 1;\n", "node"),
        ("font.woff2", b"const a = require('fs');\nvar b = require('os');\n", "javascript"),
        ("font.woff", bytes(range(200, 256)) * 90, "unknown"),
        ("notes.txt", b"const a = require('fs');\nmodule.exports = eval(a);\n", "javascript"),
        ("notes.txt", b"import os\nfrom base64 import b64decode\nexec(b64decode('YQ=='))\n", "python"),
        ("config.json", b"const a = require('fs');\nmodule.exports = a;\n", "javascript"),
        ("run", elf(0x3E), "elf"),
        ("logo.png", elf(0x3E), "elf"),
        ("a.js", zipped(), "zip"),
    ],
)
def test_files_that_are_not_what_their_names_say(path: str, content: bytes, actual: str) -> None:
    (fact,) = (fact for fact in found(path, content) if fact.kind == "content.mismatch")
    assert fact.attributes["actual"] == actual


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.json", b"// a comment\n/* another */\n{}\n"),
        ("LICENSE.txt", b"Permission is hereby granted, free of charge, to any person obtaining a copy\n"),
        ("README.md", b"```js\nconst a = require('a');\nmodule.exports = a;\n```\n"),
        ("logo.jpg", png()),
        ("big.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
        ("libc.so.6", elf(0x3E)),
        ("Makefile", b"all:\n\tcc a.c\n"),
        ("empty.png", b""),
    ],
)
def test_files_that_are(path: str, content: bytes) -> None:
    assert [fact for fact in found(path, content) if fact.kind == "content.mismatch"] == []


def test_destinations_are_told_once_and_defanged() -> None:
    text = (
        "fetch('https://api.evil-host.dev/a'); fetch('https://API.evil-host.dev/b');\n"
        "const o = { hostname: 'api.telegram.org', path: '/bot' };\n"
        "connect('45.67.89.10', 4444);\n"
        "fetch('https://discord.com/api/webhooks/1/2'); fetch('https://discord.com/invite/a');\n"
        "// metadata: http://169.254.169.254/latest\n"
        f"get('http://{'a' * 56}.onion/');\n"
        "post('https://x.lhr.life');\n"
    )
    told = [(f.line, f.attributes["host"], f.attributes["form"], f.attributes["service"]) for f in found("a.js", text)]
    assert told == [
        (1, "api[.]evil-host[.]dev", "url", ""),
        (2, "api[.]telegram[.]org", "url", "chat"),
        (3, "45[.]67[.]89[.]10", "address", ""),
        (4, "discord[.]com", "url", "chat"),
        (4, "discord[.]com", "url", ""),
        (5, "169[.]254[.]169[.]254", "address", "metadata"),
        (6, f"{'a' * 56}[.]onion", "onion", "hidden-service"),
        (7, "x[.]lhr[.]life", "url", "tunnel"),
    ]
    assert "hxxps://api[.]evil-host[.]dev/a" in found("a.js", text)[0].excerpt


def test_every_service_is_known_by_its_host_and_subdomains() -> None:
    assert len(services()) > 200
    for host, paths in services().items():
        assert host == host.lower()
        for path, name in paths:
            assert service_of(f"a.{host}", f"{path}/x") == name
    assert service_of("notwebhook.site") == ""


WALLETS = {
    "BTC": [
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    ],
    "ETH": ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"],
    "BCH": ["qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"],
    "TRX": ["TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"],
    "XMR": ["44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"],
}
"""The addresses of the specifications' own examples, and of public foundations' donations."""


@pytest.mark.parametrize("currency", WALLETS)
def test_wallets_are_held_to_their_checksums(currency: str) -> None:
    for address in WALLETS[currency]:
        assert currency_of(address) == currency
        broken = address[:-2] + ("q" if address[-2] != "q" else "p") + address[-1]
        if currency == "ETH":
            broken = address[:-1] + address[-1].swapcase() if address[-1].isalpha() else address[:-1] + "a" + "B"
        assert currency_of(broken) != currency
    text = "".join(f"  '{address}',\n" for address in WALLETS[currency])
    fact = one("a.js", f"const w = [\n{text}];\n")
    assert (fact.kind, fact.line, fact.attributes["currency"], fact.attributes["count"]) == (
        "content.wallet", 2, currency, len(WALLETS[currency])
    )  # fmt: skip


def test_keccak_is_that_of_before_the_standard() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    assert keccak256(bytes(200)) != keccak256(bytes(201))


def test_addresses_without_a_checksum_count_from_three_on() -> None:
    lower = [hashlib.sha1(bytes([n])).hexdigest() for n in range(4)]
    assert found("a.js", f"const a = ['0x{lower[0]}', '0x{lower[1]}'];\n") == []
    fact = one("a.js", "const a = [" + ", ".join(f"'0x{digest}'" for digest in lower) + "];\n")
    assert fact.attributes == {"currency": "ETH", "count": 4, "checked": False}


@pytest.mark.parametrize(
    "unit", [b"a", b"a ", b"'", b"\xe2\x80\x8b", b"http://", b"0x", b"x.y.", b"\xd0\xb0b", b"\xee\x80\x81", b"/*"]
)
def test_a_line_of_many_megabytes_ends_in_time(unit: bytes) -> None:
    content = unit * ((8 << 20) // len(unit))
    begun = time.process_time()
    list(facts(SourceFile("a.js", content, "", "javascript")))
    assert time.process_time() - begun < 8

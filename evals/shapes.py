"""Steps that turn readable text into the shapes in which payloads were found: arrays, encodings, bundles, containers.

Each step is a function of bytes alone, so that a replica is the same everywhere. A step is written `name` or
`name:argument` in a recipe.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import zlib
from collections.abc import Callable

GUARDS = {
    "js": 'throw new Error("inert replica");',
    "py": 'raise SystemExit("inert replica")',
    "sh": "exit 1 # inert replica",
}
_LITERAL = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'")
_DECLARED = re.compile(r"\b(?:const|let|var|function)\s+([A-Za-z_$][\w$]*)")


def shaped(content: bytes, steps: tuple[str, ...]) -> bytes:
    """The content after every step, in order. Raises KeyError for a step that there is not."""
    for step in steps:
        name, _, argument = step.partition(":")
        content = STEPS[name](content, argument)
    return content


def _base64(content: bytes, argument: str) -> bytes:
    return base64.b64encode(content)


def _hex(content: bytes, argument: str) -> bytes:
    return content.hex().encode()


def _reverse(content: bytes, argument: str) -> bytes:
    return content[::-1]


def _xor(content: bytes, argument: str) -> bytes:
    key = argument.encode()
    return bytes(one ^ key[at % len(key)] for at, one in enumerate(content))


def _stored(content: bytes, argument: str) -> bytes:
    """A zlib stream without compression: the same bytes from every zlib."""
    return zlib.compress(content, 0)


def _codes(content: bytes, argument: str) -> bytes:
    return ",".join(str(one) for one in content).encode()


def _list_of_codes(content: bytes, argument: str) -> bytes:
    return b"[" + _codes(content, argument) + b"]"


def _one_line(content: bytes, argument: str) -> bytes:
    lines = [line.strip() for line in content.decode().splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("//")).encode()


def _lines_reversed_encoded(content: bytes, argument: str) -> bytes:
    """A JavaScript array of the lines: each is xored where a key is given, encoded in base64 and reversed."""
    items = []
    for line in content.decode().splitlines():
        raw = _xor(line.encode(), argument) if argument else line.encode()
        items.append('"' + base64.b64encode(raw).decode()[::-1] + '"')
    return ("[" + ",".join(items) + "]").encode()


def _string_array(content: bytes, argument: str) -> bytes:
    """Script whose strings lie encoded in a rotated array and whose names are hexadecimal: the common obfuscator."""
    text = content.decode()
    guard = GUARDS["js"]
    body = text.replace(guard, "", 1)
    strings: list[str] = []

    def indexed(match: re.Match[str]) -> str:
        before = body[: match.start()].rstrip()
        literal = match[1] if match[1] is not None else match[2]
        if before.endswith(("from", "import")) or "\\" in literal:
            return match[0]
        if literal not in strings:
            strings.append(literal)
        return f"_0x3f2a({hex(0x1A4 + strings.index(literal))})"

    body = _LITERAL.sub(indexed, body)
    for name in sorted(set(_DECLARED.findall(body)), key=len, reverse=True):
        alias = "_0x" + hashlib.sha256(name.encode()).hexdigest()[:6]
        body = re.sub(rf"(?<![\w$.]){re.escape(name)}(?![\w$]|\s*:)", alias, body)
    array = ",".join(f"'{base64.b64encode(one.encode()).decode()}'" for one in strings)
    head = (
        f"{guard}const _0x4e11=[{array}];"
        "function _0x3f2a(_0x1){return Buffer.from(_0x4e11[_0x1-0x1a4],'base64').toString('utf8')}"
    )
    return _one_line((head + "\n" + body).encode(), "")


def _bundle(content: bytes, argument: str) -> bytes:
    """The script as the last module of a bundle with so many kilobytes of ordinary modules before it."""
    wanted = int(argument or "64") << 10
    parts = [f"{GUARDS['js']}(()=>{{var __m={{"]
    size, number = 0, 1000
    while size < wanted:
        word = hashlib.sha256(str(number).encode()).hexdigest()
        module = (
            f'{number}:(e,t,n)=>{{"use strict";Object.defineProperty(t,"__esModule",{{value:!0}}),'
            f"t.f{word[:5]}=void 0;const r=n({number + 1});function a(e,t){{return null==e?t:e.v{word[5:9]}||t}}"
            f't.f{word[:5]}=(e)=>a(r.g{word[9:13]}(e),"{word[13:21]}");'
            f"class s{word[21:25]}{{constructor(e){{this.o=e;this.i={int(word[25:28], 16)}}}"
            f"get(){{return this.o.slice(0,this.i)}}}}t.S=s{word[21:25]}}},"
        )
        parts.append(module)
        size += len(module)
        number += 1
    inner = content.decode().replace(GUARDS["js"], "", 1)
    parts.append(f"{number}:(module,exports,require)=>{{{_one_line(inner.encode(), '').decode()}}}}};")
    parts.append(
        "var __c={};function __r(e){var t=__c[e];if(void 0!==t)return t.exports;"
        f"var n=__c[e]={{exports:{{}}}};return __m[e]?__m[e](n,n.exports,__r):n,n.exports}}__r({number})}})();"
    )
    return "".join(parts).encode()


def _selectors(content: bytes, argument: str) -> bytes:
    """Text of variation selectors, which no editor shows: one for each byte."""
    return "".join(chr(0xFE00 + one) if one < 16 else chr(0xE0100 + one - 16) for one in content).encode()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(content: bytes, argument: str) -> bytes:
    """A picture of one point with the content after its end."""
    picture = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + _chunk(b"IDAT", zlib.compress(b"\0\0", 0))
    return b"\x89PNG\r\n\x1a\n" + picture + _chunk(b"IEND", b"") + content


def _wave(content: bytes, argument: str) -> bytes:
    """A sound file whose samples are the content."""
    header = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + header + b"data" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _length(number: int) -> bytes:
    out = bytearray()
    while True:
        low, number = number & 0x7F, number >> 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def _wasm(content: bytes, argument: str) -> bytes:
    """A WebAssembly module without a function: one memory, which holds the content, exported as `m`."""
    segment = b"\x01\x00\x41\x00\x0b" + _length(len(content)) + content
    pages = _length(len(content) // 65536 + 1)
    sections = [(5, b"\x01\x00" + pages), (7, b"\x01\x01m\x02\x00"), (11, segment)]
    return b"\0asm\1\0\0\0" + b"".join(bytes([kind]) + _length(len(body)) + body for kind, body in sections)


def _elf(content: bytes, argument: str) -> bytes:
    """The head of an ELF file that no loader takes (its class is 0), and the content as its strings."""
    return b"\x7fELF" + bytes(60) + content + bytes(4096)


def _portable(content: bytes, argument: str) -> bytes:
    """The head of a Windows program without sections, and the content as its strings."""
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(20) + content + bytes(4096)


STEPS: dict[str, Callable[[bytes, str], bytes]] = {
    "base64": _base64,
    "hex": _hex,
    "reverse": _reverse,
    "xor": _xor,
    "stored": _stored,
    "codes": _codes,
    "list-of-codes": _list_of_codes,
    "one-line": _one_line,
    "lines-encoded": _lines_reversed_encoded,
    "string-array": _string_array,
    "bundle": _bundle,
    "selectors": _selectors,
    "png": _png,
    "wave": _wave,
    "wasm": _wasm,
    "elf": _elf,
    "portable": _portable,
}

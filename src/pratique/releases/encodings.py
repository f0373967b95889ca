"""Decoders of single encodings: bytes to bytes, or None where bytes are nothing of the kind. None of them raises.

What inflates takes the most bytes that it may give. What is only an alphabet (base64, hexadecimal) is told by the
alphabet; whether the result means anything is not decided here.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import contextlib
import lzma
import re
import zlib
from collections.abc import Callable, Iterator

Decode = Callable[[bytes], bytes | None]

_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_BASE64_URL = re.compile(rb"[A-Za-z0-9_-]+={0,2}")
_BASE32 = re.compile(rb"[A-Z2-7]+={0,6}|[a-z2-7]+={0,6}")
_HEX = re.compile(rb"(?:0[xX])?(?:[0-9a-f]{2})+|(?:0[xX])?(?:[0-9A-F]{2})+")
_HEX_PARTED = re.compile(rb"\s*(?:\\x|0[xX])?[0-9A-Fa-f]{2}(?:[\s,:;|-]*(?:\\x|0[xX])?[0-9A-Fa-f]{2}){3,}\s*")
_PREFIX = re.compile(rb"\\x|0[xX]")
_NUMBERS = re.compile(
    rb"[\s(\[{]*(?:0[xX][0-9A-Fa-f]{1,4}|0[oO]?[0-7]{1,6}|\d{1,4})"
    rb"(?:[^0-9A-Za-z]{1,3}(?:0[xX][0-9A-Fa-f]{1,4}|0[oO]?[0-7]{1,6}|\d{1,4})){3,}[\s)\]},;]*"
)
_NUMBER = re.compile(rb"0[xX][0-9A-Fa-f]+|0[oO]?[0-7]+|\d+")
_BITS = re.compile(rb"[01]{8}(?:[\s,]*[01]{8}){3,}")
_ESCAPE = re.compile(
    rb"%u([0-9A-Fa-f]{4})|%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\u\{?([0-9A-Fa-f]{2,6})\}?|\\([0-7]{2,3})"
    rb"|&#[xX]([0-9A-Fa-f]{2,6});|&#(\d{2,7});"
)
_ALPHANUMERIC = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ASCII_WORD = frozenset(_ALPHANUMERIC)
_BLANKS = b" \t\r\n\x0b\x0c"
_ROT13 = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
)
_BASE85 = re.compile(rb"[0-9A-Za-z!#$%&*()+\-;<=>?@^_`{|}~]+")
_ASCII85 = re.compile(rb"(?:<~)?[!-uz\s]+(?:~>)?")


def alphabetic(content: bytes) -> bool:
    """Whether bytes may be base64, base32 or hexadecimal in one piece: their first 64 are of those signs."""
    return len(content[:64].translate(None, _SIGNS)) <= 1


_SIGNS = _ALPHANUMERIC + b"+/=_-\r\n\t "


def joined(content: bytes) -> bytes:
    """Encoded text without the line ends and blanks that part it, where there are few of them."""
    parts = content.split()
    if len(parts) < 2 or (b"\n" not in content and len(parts) * 6 > len(content)):
        return content.strip(_BLANKS)
    return b"".join(parts)


def base64s(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The readings of base64: standard, of URLs, without padding, and with another sign as padding."""
    content = joined(content)
    if len(content) < 3:
        return
    padded = _padded(content)
    if padded is not None:
        yield "base64-padding", padded
    elif _BASE64.fullmatch(content):
        got = _base64(content, b"+/")
        if got is not None:
            yield "base64", got
    elif _BASE64_URL.fullmatch(content):
        got = _base64(content, b"-_")
        if got is not None:
            yield "base64url", got


def _padded(content: bytes) -> bytes | None:
    """Base64 whose padding is another sign than `=`: one or two of it, as many as are due, and no bit left over."""
    sign = content[-1:]
    if sign.isalnum() or sign in b"=+/" or len(content) % 4:
        return None
    bare = content[:-2] if content[-2:-1] == sign else content[:-1]
    signs = b"-_" if b"-" in bare or b"_" in bare else b"+/"
    if not (_BASE64 if signs == b"+/" else _BASE64_URL).fullmatch(bare):
        return None
    got = _base64(bare, signs)
    if got is None or base64.b64encode(got, b"-_" if signs == b"-_" else None).rstrip(b"=") != bare:
        return None
    return got


def _base64(content: bytes, signs: bytes) -> bytes | None:
    bare = content.rstrip(b"=")
    if len(bare) % 4 == 1 or len(bare) < 3:
        return None
    if signs == b"-_":
        bare = bare.translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return binascii.a2b_base64(bare + b"=" * (-len(bare) % 4))
    except binascii.Error:
        return None


def base32(content: bytes) -> bytes | None:
    """Base32 of RFC 4648, in one case, with or without padding."""
    content = joined(content)
    if len(content) < 8 or not _BASE32.fullmatch(content):
        return None
    bare = content.rstrip(b"=").upper()
    if len(bare) % 8 in (1, 3, 6):
        return None
    try:
        return base64.b32decode(bare + b"=" * (-len(bare) % 8))
    except binascii.Error:
        return None


def base85s(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The readings of base85: that of Python and git, and that of Adobe."""
    if len(content) < 10:
        return
    bare = joined(content)
    if len(bare) % 5 != 1 and _BASE85.fullmatch(bare) and bare.translate(None, _ALPHANUMERIC) and _begins(bare):
        with contextlib.suppress(ValueError):
            yield "base85", base64.b85decode(bare)
    if content.startswith(b"<~") and _ASCII85.fullmatch(content):
        with contextlib.suppress(ValueError):
            yield "ascii85", base64.a85decode(content if content.endswith(b"~>") else content + b"~>", adobe=True)


def _begins(bare: bytes) -> bool:
    """Whether the first bytes of base85 are printable, a compressed stream, or after all too many to tell."""
    try:
        head = base64.b85decode(bare[:10])
    except ValueError:
        return False
    return not head.translate(None, bytes(range(9, 127))) or head[:1] in b"x\x1fB\xfd]\x28" or len(bare) >= 200


def hexadecimal(content: bytes) -> bytes | None:
    """Hexadecimal: in one piece of one case, or parted by blanks, commas, colons, `\\x` or `0x`; four bytes or more."""
    if len(content) < 8:
        return None
    bare = joined(content)
    if _HEX.fullmatch(bare):
        bare = bare[2:] if bare[1:2] in b"xX" and bare[:1] == b"0" and len(bare) > 2 else bare
        return binascii.unhexlify(bare) if len(bare) >= 8 else None
    if content.translate(None, b"0123456789abcdefABCDEFxX\\ \t\r\n,:;|-") or not _HEX_PARTED.fullmatch(content):
        return None
    digits = _PREFIX.sub(b"", content).translate(None, b" \t\r\n,:;|-\x0b\x0c")
    return binascii.unhexlify(digits) if len(digits) % 2 == 0 else None


def escapes(content: bytes) -> bytes | None:
    """Percent, `\\x`, `\\u`, octal and HTML escapes, where most stand for letters and digits that need none.

    They must make up about a fifth of the text: three in a page are a slip, or no escapes at all (`a%60+b`).
    """
    marks = content.count(b"%") + content.count(b"\\") + content.count(b"&#")
    if marks < 3 or marks * 15 < len(content):
        return None
    needless = total = 0

    def decoded(match: re.Match[bytes]) -> bytes:
        nonlocal needless, total
        group = match.lastindex or 0
        number = int(match[group], 8 if group == 5 else 10 if group == 7 else 16)
        total += 1
        if number in _ASCII_WORD:
            needless += 1
        if group in (2, 3) and number < 256:
            return bytes((number,))
        return chr(number).encode("utf-8", "replace") if number < 0x110000 else b"?"

    result = _ESCAPE.sub(decoded, content)
    return result if total >= 3 and needless * 2 >= total and total * 15 >= len(content) else None


def numbers(content: bytes) -> bytes | None:
    """A list of four or more character codes, decimal, octal (`0150`, `0o150`) or hexadecimal, or groups of bits."""
    if len(content) < 8 or content.translate(None, b"0123456789abcdefABCDEFxXoO,;:|.-_/[]{}() \t\r\n*+~#&$!'\""):
        return None
    bare = content.strip(_BLANKS)
    if _BITS.fullmatch(bare):
        bits = re.sub(rb"[^01]", b"", bare)
        return int(bits, 2).to_bytes(len(bits) // 8, "big") if len(bits) <= 1 << 14 else None
    if not _NUMBERS.fullmatch(bare):
        return None
    codes = [_code(token) for token in _NUMBER.findall(bare)]
    if max(codes) < 256:
        return bytes(codes)
    if max(codes) > 0x10FFFF or any(0xD800 <= code < 0xE000 for code in codes):
        return None
    return "".join(map(chr, codes)).encode()


def octal_numbers(content: bytes) -> bytes | None:
    """A list of four or more character codes in octal without a mark: `150 164 164 160`."""
    if len(content) < 8 or content.translate(None, b"01234567,;: \t\r\n[]\\"):
        return None
    codes = [int(token, 8) for token in re.findall(rb"[0-7]+", content[: 1 << 20])]
    return bytes(codes) if len(codes) >= 4 and max(codes) < 256 else None


def _code(token: bytes) -> int:
    if token[:2] in (b"0x", b"0X"):
        return int(token[2:], 16)
    if token[:2] in (b"0o", b"0O"):
        return int(token[2:], 8)
    if len(token) > 2 and token[:1] == b"0" and not token.translate(None, b"01234567"):
        return int(token, 8)
    return int(token)


def from_utf16(content: bytes) -> bytes | None:
    """UTF-16, little-endian, of mostly ASCII, as UTF-8: what PowerShell takes encoded."""
    odd = content[1::2]
    if len(content) < 8 or odd.count(0) * 10 < len(odd) * 9 or content[::2].count(0):
        return None
    return content[: len(content) & ~1].decode("utf-16-le", "replace").encode("utf-8", "replace")


def backwards(content: bytes) -> bytes:
    """The bytes in reverse."""
    return content[::-1]


def rot13(content: bytes) -> bytes:
    """The letters moved by thirteen."""
    return content.translate(_ROT13)


def exclusive_or(content: bytes, key: bytes) -> bytes:
    """The bytes, each exclusive-ored with the key, repeated. An empty key changes nothing."""
    if not key:
        return content
    size = len(content)
    pad = (key * (size // len(key) + 1))[:size]
    return (int.from_bytes(content, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")


def inflated(content: bytes, most: int) -> tuple[str, bytes, bool] | None:
    """What gzip, zlib, bzip2, xz, lzma or zstd holds: the form, at most `most` bytes of it, and whether that is all."""
    try:
        if content.startswith(b"\x1f\x8b\x08"):
            return _zlib(content, 31, most, "gzip")
        if content[:1] == b"x" and len(content) > 8 and int.from_bytes(content[:2], "big") % 31 == 0:
            return _zlib(content, 15, most, "zlib")
        if content.startswith(b"BZh"):
            bunzip = bz2.BZ2Decompressor()
            return _told("bzip2", bunzip.decompress(content, most), bunzip.eof, most)
        if content.startswith((b"\xfd7zXZ\0", b"]\0\0")) and len(content) > 13:
            form = "xz" if content[:1] == b"\xfd" else "lzma"
            unxz = lzma.LZMADecompressor(memlimit=64 << 20)
            return _told(form, unxz.decompress(content, most), unxz.eof, most)
        if content.startswith(b"\x28\xb5\x2f\xfd"):
            return _zstd(content, most)
    except (zlib.error, OSError, lzma.LZMAError, ValueError, EOFError, MemoryError):
        return None
    return None


def _zstd(content: bytes, most: int) -> tuple[str, bytes, bool] | None:
    import zstandard

    try:
        with zstandard.ZstdDecompressor(max_window_size=64 << 20).stream_reader(content) as reader:
            got = reader.read(most)
    except zstandard.ZstdError:
        return None
    return _told("zstd", got, len(got) < most, most)


def raw_deflate(content: bytes, most: int) -> tuple[str, bytes, bool] | None:
    """What a deflate stream without header holds, where it fills the bytes to the last."""
    if len(content) < 16:
        return None
    try:
        stream = zlib.decompressobj(-15)
        got = stream.decompress(content, most)
    except zlib.error:
        return None
    if stream.unused_data or not (stream.eof or len(got) >= most):
        return None
    return "deflate", got, stream.eof


def _zlib(content: bytes, bits: int, most: int, form: str) -> tuple[str, bytes, bool]:
    stream = zlib.decompressobj(bits)
    got = stream.decompress(content, most)
    return form, got, stream.eof


def _told(form: str, got: bytes, ended: bool, most: int) -> tuple[str, bytes, bool]:
    return form, got, ended and len(got) <= most

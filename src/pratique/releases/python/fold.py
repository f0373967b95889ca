"""Pure functions on constants, done within bounds: what a decoder, a slice or a list of character numbers gives."""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable

from pratique.releases.python.values import LONGEST, Constant


def decoded(form: str, value: Constant, extra: Constant = None) -> bytes | str | None:
    """What a decoder of a form gives for a constant; None where it fails, or gives more than 4 MiB."""
    octets = _octets(value)
    if octets is None or len(octets) > LONGEST:
        return None
    if form == "codec":
        return _codec(octets, value, extra)
    work = _DECODERS.get(form)
    if work is None:
        return None
    try:
        return work(octets)
    except (ValueError, binascii.Error, zlib.error, OSError, EOFError, lzma.LZMAError):
        return None


def text_of(octets: bytes, coding: Constant = "utf-8") -> str | None:
    """Bytes as text in a plain encoding; None in any other."""
    if not isinstance(coding, str):
        coding = "utf-8"
    name = coding.lower().replace("-", "").replace("_", "")
    if name not in ("utf8", "ascii", "latin1", "iso88591", "utf16", "utf16le", "utf32"):
        return None
    return octets.decode(coding, "replace")


def characters(numbers: list[Constant]) -> str | None:
    """The text of numbers of characters; None where one is none."""
    if len(numbers) > LONGEST:
        return None
    try:
        return "".join(chr(one) for one in numbers if isinstance(one, int))
    except (ValueError, OverflowError):
        return None


def sliced(value: str | bytes, start: Constant, stop: Constant, step: Constant) -> str | bytes | None:
    """A slice of a constant; None where a bound is no number."""
    bounds: list[int | None] = []
    for one in (start, stop, step):
        if one is not None and not isinstance(one, int):
            return None
        bounds.append(one)
    return None if bounds[2] == 0 else value[bounds[0] : bounds[1] : bounds[2]]


def _octets(value: Constant) -> bytes | None:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return None


def _codec(octets: bytes, value: Constant, name: Constant) -> bytes | str | None:
    if not isinstance(name, str):
        return None
    plain = name.lower().replace("-", "_").removesuffix("_codec")
    if plain in ("rot13", "rot_13"):
        return codecs.decode(octets.decode("utf-8", "replace"), "rot13")
    form = {"hex": "hex", "base64": "base64", "zlib": "zlib", "zip": "zlib", "bz2": "bz2"}.get(plain)
    if form is not None:
        return decoded(form, value)
    return text_of(octets, name)


def _inflated(octets: bytes) -> bytes | None:
    made = zlib.decompressobj().decompress(octets, LONGEST)
    return made if len(made) < LONGEST else None


def _unlzma(octets: bytes) -> bytes | None:
    made = lzma.LZMADecompressor(memlimit=64 << 20).decompress(octets, LONGEST)
    return made if len(made) < LONGEST else None


def _unbz2(octets: bytes) -> bytes | None:
    made = bz2.BZ2Decompressor().decompress(octets, LONGEST)
    return made if len(made) < LONGEST else None


def _unzipped(octets: bytes) -> bytes | None:
    made = gzip.GzipFile(fileobj=io.BytesIO(octets)).read(LONGEST)
    return made if len(made) < LONGEST else None


def _base64(octets: bytes) -> bytes:
    return base64.b64decode(octets.translate(bytes.maketrans(b"-_", b"+/")))


_DECODERS: dict[str, Callable[[bytes], bytes | None]] = {
    "base64": _base64,
    "base32": base64.b32decode,
    "hex": lambda octets: binascii.unhexlify(b"".join(octets.split())),
    "base85": base64.b85decode,
    "ascii85": base64.a85decode,
    "zlib": _inflated,
    "gzip": _unzipped,
    "bz2": _unbz2,
    "lzma": _unlzma,
}

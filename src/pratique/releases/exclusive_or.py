"""The key of text that was exclusive-ored with one byte or a short repeated key, where the text itself shows it."""

from __future__ import annotations

from pratique.releases.encodings import exclusive_or
from pratique.releases.plausible import known_words

_PRINTABLE = bytes(range(32, 127)) + b"\t\n\r"
_TABLES = tuple(bytes(byte ^ key for byte in range(256)) for key in range(256))
_FREQUENT = b" etaoinsrlcdETAOINS"
_NOT_FREQUENT = bytes(byte for byte in range(256) if byte not in _FREQUENT)
LONGEST_KEY = 16
"""In bytes."""
SHORTEST = 12
"""The shortest text, in bytes, whose key of one byte is looked for; a longer key needs twelve for each of its own."""
_EXAMINED = 1024
_HIGH = bytes(range(128, 256))


def found_key(content: bytes) -> bytes | None:
    """The key under which bytes become printable text of known words; None where there is none. Bounded work.

    A key is believed where all of the first kilobyte becomes printable and words known of four letters or more make
    half of its letters and number at least two: among 256 keys of random bytes that does not happen by chance.
    """
    sample = content[:_EXAMINED]
    if len(sample) < SHORTEST:
        return None
    best = b""
    most = 0.0
    high = _uniform(sample)
    for key in range(1, 256) if high is not None else ():
        if key >> 7 != high:
            continue
        turned = sample.translate(_TABLES[key])
        if turned.translate(None, _PRINTABLE):
            continue
        score = _believed(turned)
        if score > most:
            best, most = bytes((key,)), score
    if best:
        return best
    for size in _sizes(sample):
        guess = bytes(_column(sample[at::size]) for at in range(size))
        if any(guess) and _believed(exclusive_or(sample, guess)):
            return guess
    return None


def _believed(turned: bytes) -> float:
    """The share of letters in known words, where it is enough to believe a key; 0 otherwise."""
    if turned.translate(None, _PRINTABLE):
        return 0.0
    words, known, letters = known_words(turned.decode("ascii"))
    return known / letters if words >= 2 and known >= 8 and known * 2 >= letters else 0.0


def _uniform(column: bytes) -> int | None:
    """The highest bit of all bytes, where it is the same: ASCII under one key keeps it so, chance does not."""
    high = len(column) - len(column.translate(None, _HIGH))
    return 0 if high == 0 else 1 if high == len(column) else None


def _sizes(sample: bytes) -> list[int]:
    """The three likeliest lengths of a repeated key: those at whose distance the most bytes are alike."""
    total = len(sample)
    ranked = []
    for size in range(2, LONGEST_KEY + 1):
        if total < 12 * size:
            break
        if any(_uniform(sample[at::size]) is None for at in range(size)):
            continue
        distances = exclusive_or(sample[size:] + b"\0", sample[:-size] + b"\0")
        ranked.append((distances.count(0) / (total - size), -size))
    return [-size for _, size in sorted(ranked, reverse=True)[:3]]


def _column(column: bytes) -> int:
    """The byte under which a column of bytes is most like text."""
    best = most = 0
    for key in range(256):
        turned = column.translate(_TABLES[key])
        if turned.translate(None, _PRINTABLE):
            continue
        score = len(turned.translate(None, _NOT_FREQUENT))
        if score > most:
            best, most = key, score
    return best

"""Names in code that mix Latin letters with letters of other scripts that look like Latin ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.release import Fact, SourceFile
from pratique.releases.content.excerpts import Lines, around

_ALIKE: dict[str, str] = {
    "Greek": "ͿJ ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX νv οo ρp υu ϒY ϜF ϲc ϳj ϹC ϺM",
    "Cyrillic": "ЅS ІI ЈJ АA ВB ЕE КK МM НH ОO РP СC ТT УY ХX Ьb аa гr еe оo рp сc уy хx ѕs іi јj ѡw ѴV ѵv ҮY үy һh"
    " ҽe ӀI ӏl ԁd ԌG ԛq ԜW ԝw ꙇi",
    "Armenian": "ՍU ՏS ՕO աw գq զq հh ոn ռn սu ցg քf օo",
    "Cherokee": "ᎠD ᎡR ᎢT Ꭵi ᎩY ᎪA ᎫJ ᎬE ᎳW ᎷM ᎻH ᎽY ᏀG Ꮒh ᏃZ Ꮟb ᏒR ᏔW ᏕS ᏙV ᏚS ᏞL ᏟC ᏢP ᏦK Ꮷd ᏳG ᏴB",
    "Lisu": "ꓐB ꓑP ꓒd ꓓD ꓔT ꓖG ꓗK ꓙJ ꓚC ꓜZ ꓝF ꓟM ꓠN ꓡL ꓢS ꓣR ꓦV ꓧH ꓪW ꓫX ꓬY ꓮA ꓰE ꓲI ꓳO ꓴU",
}
"""Letters of five scripts and the Latin ones they look like: a part of the list `confusables.txt` of Unicode Technical
Standard 39 (https://www.unicode.org/Public/security/latest/confusables.txt), letters to single letters alone. Left out
are Greek letters that mathematics uses as names (alpha, gamma, iota, sigma), and scripts that nobody has at hand.
"""
_LATIN = {pair[0]: pair[1] for pairs in _ALIKE.values() for pair in pairs.split()}
_SCRIPT = {pair[0]: script for script, pairs in _ALIKE.items() for pair in pairs.split()}
_NAME = re.compile(rb"[A-Za-z0-9_$\x80-\xff]{1,400}")
_CLASSES = bytes(
    97
    if byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$"
    else 76
    if 0xCD <= byte <= 0xD6 or byte in (0xE1, 0xEA)
    else 99
    if 0x80 <= byte < 0xC0
    else 46
    for byte in range(256)
)
"""`a` for signs of an ASCII name, `L` for the first byte of a letter of the five scripts, `c` for a following byte."""
_MEETINGS = (b"aL", b"Lca", b"Lcca")
"""Where an ASCII letter stands beside such a letter."""
MOST = 16
"""The names of a file that are told."""
_EXAMINED = 20_000
_LONGEST = 120
_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$" + bytes(range(128, 256))


def confusables(file: SourceFile) -> Iterator[Fact]:
    """Names of three letters and more that hold ASCII letters, and others that all look like ASCII ones."""
    seen: set[str] = set()
    lines = Lines(file.content)
    for begin, raw in _met(file.content):
        if len(seen) >= MOST:
            return
        if len(raw) > _LONGEST or not any(byte in _ASCII for byte in raw):
            continue
        name = raw.decode("utf-8", "replace")
        others = [char for char in name if char > "\x7f"]
        if len(name) < 3 or name in seen or any(char not in _LATIN for char in others):
            continue
        seen.add(name)
        scripts = ["Latin", *sorted({_SCRIPT[char] for char in others})]
        yield Fact(
            "content.confusable",
            file.path,
            lines.of(begin),
            around(file.content, begin, begin + len(raw)),
            file.sha256,
            attributes={
                "name": name,
                "scripts": ",".join(scripts),
                "looks_like": "".join(_LATIN.get(char, char) for char in name),
            },
        )


def _met(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Begin and bytes of every name in which ASCII meets another script, in order."""
    classes = content.translate(_CLASSES)
    places: set[int] = set()
    for meeting in _MEETINGS:
        at = -1
        while len(places) < _EXAMINED and (at := classes.find(meeting, at + 1)) >= 0:
            places.add(at)
    last = -1
    for at in sorted(places):
        if at < last:
            continue
        head = content[max(0, at - _LONGEST) : at]
        begin = at - len(head) + len(head.rstrip(_SIGNS))
        match = _NAME.match(content, begin)
        if match is not None:
            last = match.end()
            yield begin, match.group()


_ASCII = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

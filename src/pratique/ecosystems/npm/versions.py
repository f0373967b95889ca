"""npm's versions and version ranges: Semantic Versioning 2.0 with npm's own range grammar.

`satisfies` and `admits` answer as npm does, that is in npm's loose reading: `v1.2.3`, `=1.2.3`, `1.2.3beta` and leading
zeros are accepted, and a word that is no comparator is skipped beside one that is. With `loose=False` they are errors.

The grammar: alternatives joined by `||`; each one a hyphen range (`1.2 - 2.0`) or comparators joined by spaces, all of
which must hold: `1.2.3`, `=`, `<`, `<=`, `>`, `>=`, `~` (or `~>`), `^`, and `x`, `X`, `*` or nothing for an open part.
A pre-release satisfies a range only if the alternative that admits it names a pre-release of the same three numbers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import msgspec

LONGEST_VERSION = 256
LONGEST_RANGE = 65_536
LONGEST_ALTERNATIVE = 2_048
LARGEST_NUMBER = 9_007_199_254_740_991

_SPACE = "\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NUMBER = {False: "(?:0|[1-9][0-9]{0,256})", True: "[0-9]{1,256}"}
_WORD = "[0-9]{0,256}[a-zA-Z-][a-zA-Z0-9-]{0,250}"
_BUILD = r"\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_OPERATOR = "(?P<operator>[<>]?=?)"
_MARKS = f"[v={_SPACE}]*"


def _prerelease(loose: bool) -> str:
    part = f"(?:{_WORD}|{_NUMBER[loose]})"
    return rf"(?:{'-?' if loose else '-'}(?P<pre>{part}(?:\.{part})*))?"


def _full(loose: bool) -> str:
    """A whole version."""
    number = _NUMBER[loose]
    numbers = rf"(?P<major>{number})\.(?P<minor>{number})\.(?P<patch>{number})"
    return rf"{_MARKS if loose else 'v?'}{numbers}{_prerelease(loose)}(?:\+(?P<build>{_BUILD[2:]}))?"


def _partial(loose: bool) -> str:
    """A version with open parts."""
    number = rf"(?:{_NUMBER[loose]}|[xX*])"
    tail = rf"(?:\.(?P<patch>{number}){_prerelease(loose)}(?:{_BUILD})?)?"
    return rf"{_MARKS}(?P<major>{number})(?:\.(?P<minor>{number}){tail})?"


_BOTH = (False, True)
_VERSION = {loose: re.compile(_full(loose)) for loose in _BOTH}
_COMPARATOR = {loose: re.compile(f"{_OPERATOR}(?P<version>{_full(loose)})") for loose in _BOTH}
_CARET = {loose: re.compile(rf"\^{_partial(loose)}") for loose in _BOTH}
_TILDE = {loose: re.compile(f"~>?{_partial(loose)}") for loose in _BOTH}
_OPEN = {loose: re.compile(f"{_OPERATOR}{_partial(loose)}") for loose in _BOTH}
_END = {loose: re.compile(_partial(loose)) for loose in _BOTH}
_BUILDS = re.compile(_BUILD)
_SPACES = re.compile(f"[{_SPACE}]+")
_AFTER_OPERATOR = re.compile(f"([{_SPACE}]*)([<>]?=?)[{_SPACE}]*({_MARKS}[0-9xX*])")
_AFTER_TILDE = re.compile("~>? ")
_STAR = re.compile(r"[<>]?=?\*")


class Version(msgspec.Struct, frozen=True):
    """A version. `prerelease` holds numbers (of more than 53 bits as floats, as npm does) and words."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[int | float | str, ...] = ()
    build: tuple[str, ...] = ()

    @property
    def release(self) -> tuple[int, int, int]:
        """The three numbers."""
        return self.major, self.minor, self.patch

    @property
    def rank(self) -> tuple[object, ...]:
        """What sorts versions in order of precedence; build metadata has no part in it."""
        words = tuple((1, 0, part) if isinstance(part, str) else (0, part, "") for part in self.prerelease)
        return self.major, self.minor, self.patch, not words, words

    def __lt__(self, other: Version) -> bool:
        return self.rank < other.rank

    def __le__(self, other: Version) -> bool:
        return self.rank <= other.rank

    def __gt__(self, other: Version) -> bool:
        return self.rank > other.rank

    def __ge__(self, other: Version) -> bool:
        return self.rank >= other.rank


class Comparator(msgspec.Struct, frozen=True):
    """An operator (empty for equality) and the version it compares with."""

    operator: str
    version: Version

    def holds(self, version: Version) -> bool:
        """Whether `version` is on the right side."""
        mine, other = version.rank, self.version.rank
        match self.operator:
            case "<":
                return mine < other
            case "<=":
                return mine <= other
            case ">":
                return mine > other
            case ">=":
                return mine >= other
            case _:
                return mine == other


class Range(msgspec.Struct, frozen=True):
    """Alternatives, each one comparators that must all hold; one without comparators admits every release."""

    alternatives: tuple[tuple[Comparator, ...], ...]

    def admits(self, version: Version) -> bool:
        """Whether one alternative admits `version`."""
        for comparators in self.alternatives:
            if all(comparator.holds(version) for comparator in comparators) and (
                not version.prerelease
                or any(c.version.prerelease and c.version.release == version.release for c in comparators)
            ):
                return True
        return False


class _NoRangeError(Exception):
    """The text is no range."""


@functools.lru_cache(maxsize=4096)
def parse_version(text: str, *, loose: bool = True) -> Version | None:
    """The version that `text` writes, None where it is none."""
    if len(text) > LONGEST_VERSION:
        return None
    match = _VERSION[loose].fullmatch(_trim(text))
    return _version(match) if match else None


@functools.lru_cache(maxsize=4096)
def parse_range(text: str, *, loose: bool = True) -> Range | None:
    """The range that `text` writes, None where it is none: a tag such as `latest`, a URL, a path."""
    if len(text) > LONGEST_RANGE:
        return None
    try:
        found = [_alternative(part, loose) for part in _SPACES.sub(" ", text).split("||")]
    except _NoRangeError:
        return None
    alternatives = [comparators for comparators in found if comparators is not None]
    if not alternatives:
        return None
    possible = [comparators for comparators in alternatives if _NOTHING not in comparators]
    if () in possible:
        # npm lets an alternative that admits every release swallow the others, also those that name a pre-release.
        possible = [()]
    return Range(tuple(possible))


def satisfies(version: str, range: str, *, loose: bool = True) -> bool | None:  # noqa: A002 (the domain's own word)
    """Whether a version is in a range; None where the range is none (a tag, a URL), which says nothing."""
    parsed = parse_range(range, loose=loose)
    if parsed is None:
        return None
    release = parse_version(version, loose=loose)
    return release is not None and parsed.admits(release)


def admits(range: str, versions: Iterable[str], *, loose: bool = True) -> tuple[str, ...] | None:  # noqa: A002 (npm's word)
    """Those of the versions that a range admits, in the order given; None where the range is none."""
    parsed = parse_range(range, loose=loose)
    if parsed is None:
        return None
    releases = ((text, parse_version(text, loose=loose)) for text in versions)
    return tuple(text for text, release in releases if release is not None and parsed.admits(release))


def _trim(text: str) -> str:
    return _SPACES.sub(" ", text).strip(" ")


def _word(text: str) -> int | float | str:
    if not text.isdigit():
        return text
    number = int(text)
    return number if number < LARGEST_NUMBER else float(number)


def _number(text: str) -> int:
    number = int(text)
    if number > LARGEST_NUMBER:
        raise _NoRangeError
    return number


def _version(match: re.Match[str]) -> Version | None:
    """The version of a match, None where a number is too large."""
    try:
        major, minor, patch = _number(match["major"]), _number(match["minor"]), _number(match["patch"])
    except _NoRangeError:
        return None
    prerelease = tuple(map(_word, match["pre"].split("."))) if match["pre"] else ()
    build = tuple(match["build"].split(".")) if match["build"] else ()
    return Version(major, minor, patch, prerelease, build)


_NOTHING = Comparator("<", Version(0, 0, 0, (0,)))
_EVERY_RELEASE = Comparator(">=", Version(0, 0, 0))
_ANY: tuple[Comparator, ...] = ()


def _alternative(text: str, loose: bool) -> tuple[Comparator, ...] | None:
    """The comparators of one alternative; None where it holds nothing but skipped words."""
    if len(text) > LONGEST_ALTERNATIVE:
        raise _NoRangeError
    text = _BUILDS.sub("", text.strip(" "))
    text = _hyphen(text, loose)
    text = _AFTER_OPERATOR.sub(r"\1\2\3", text)
    text = _AFTER_TILDE.sub("~", text).replace("^ ", "^")
    found: list[Comparator] = []
    skipped = True
    words = text.split(" ")
    for place, word in enumerate(words):
        comparators = _comparators(word, loose)
        if comparators is None:
            if not loose:
                raise _NoRangeError
            continue
        if comparators or place in (0, len(words) - 1):
            # An open word counts only at either end; between skipped words npm loses it.
            skipped = False
        found += [c for c in comparators if c not in found and c != _EVERY_RELEASE]
    return None if skipped else tuple(found)


def _hyphen(text: str, loose: bool) -> str:
    """A hyphen range as two comparators; other text as it is."""
    left, hyphen, right = text.partition(" - ")
    if not hyphen:
        return text
    low, high = _END[loose].fullmatch(left), _END[loose].fullmatch(right)
    if not low or not high:
        return text
    return f"{_low(low)} {_high(high)}".strip(" ")


def _low(end: re.Match[str]) -> str:
    if _is_open(end["major"]):
        return ""
    if _is_open(end["minor"]):
        return f">={end['major']}.0.0"
    if _is_open(end["patch"]):
        return f">={end['major']}.{end['minor']}.0"
    return f">={end[0]}"


def _high(end: re.Match[str]) -> str:
    if _is_open(end["major"]):
        return ""
    if _is_open(end["minor"]):
        return f"<{int(end['major']) + 1}.0.0-0"
    if _is_open(end["patch"]):
        return f"<{end['major']}.{int(end['minor']) + 1}.0-0"
    if end["pre"]:
        return f"<={end['major']}.{end['minor']}.{end['patch']}-{end['pre']}"
    return f"<={end[0]}"


def _is_open(part: str | None) -> bool:
    return part is None or part in "xX*"


def _comparators(word: str, loose: bool) -> tuple[Comparator, ...] | None:
    """What one word of an alternative asks for; None where it is no comparator."""
    match = _CARET[loose].fullmatch(word)
    if match:
        return _caret(match)
    match = _TILDE[loose].fullmatch(word)
    if match:
        return _tilde(match)
    match = _OPEN[loose].fullmatch(word)
    if match and _is_open(match["patch"]):
        misplaced = (_is_open(match["major"]) and not _is_open(match["minor"])) or (
            _is_open(match["minor"]) and not _is_open(match["patch"])
        )
        if not misplaced:
            return _open(match)
    word = _STAR.sub("", word, count=1)
    if not word:
        return _ANY
    match = _COMPARATOR[loose].fullmatch(word)
    if not match:
        return None
    version = _version(match)
    if version is None:
        raise _NoRangeError
    operator = match["operator"]
    return (Comparator("" if operator == "=" else operator, version),)


def _between(
    low: tuple[int, int, int], high: tuple[int, int, int], prerelease: str | None = None
) -> tuple[Comparator, ...]:
    """From `low` up to, and without, `high` and its pre-releases."""
    if max(*low, *high) > LARGEST_NUMBER:
        raise _NoRangeError
    first = Version(*low, tuple(map(_word, prerelease.split("."))) if prerelease else ())
    last = Comparator("<", Version(*high, (0,)))
    return Comparator(">=", first), last


def _parts(match: re.Match[str]) -> tuple[int, int | None, int | None]:
    """The numbers of a partial version, None from the first open part on."""
    major = _number(match["major"])
    minor = None if _is_open(match["minor"]) else _number(match["minor"])
    patch = None if minor is None or _is_open(match["patch"]) else _number(match["patch"])
    return major, minor, patch


def _caret(match: re.Match[str]) -> tuple[Comparator, ...]:
    """`^`: the leftmost number that is not zero stays."""
    if _is_open(match["major"]):
        return _ANY
    major, minor, patch = _parts(match)
    low = (major, minor or 0, patch or 0)
    prerelease = match["pre"] if patch is not None else None
    if match["major"] != "0" or minor is None:
        return _between(low, (major + 1, 0, 0), prerelease)
    if match["minor"] != "0" or patch is None:
        return _between(low, (0, minor + 1, 0), prerelease)
    return _between(low, (0, 0, patch + 1), prerelease)


def _tilde(match: re.Match[str]) -> tuple[Comparator, ...]:
    """`~`: the minor number stays, or the major where no minor is given."""
    if _is_open(match["major"]):
        return _ANY
    major, minor, patch = _parts(match)
    prerelease = match["pre"] if patch is not None else None
    high = (major + 1, 0, 0) if minor is None else (major, minor + 1, 0)
    return _between((major, minor or 0, patch or 0), high, prerelease)


def _open(match: re.Match[str]) -> tuple[Comparator, ...]:
    """An operator before a version with open parts."""
    operator = match["operator"]
    if _is_open(match["major"]):
        return (_NOTHING,) if operator in ("<", ">") else _ANY
    major, minor, _ = _parts(match)
    low = (major, minor or 0, 0)
    high = (major + 1, 0, 0) if minor is None else (major, minor + 1, 0)
    match operator:
        case "<":
            found = Comparator("<", Version(*low, (0,)))
        case "<=":
            found = Comparator("<", Version(*high, (0,)))
        case ">":
            found = Comparator(">=", Version(*high))
        case ">=":
            found = Comparator(">=", Version(*low))
        case _:
            return _between(low, high)
    if max(found.version.release) > LARGEST_NUMBER:
        raise _NoRangeError
    return (found,)

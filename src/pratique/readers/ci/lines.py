"""The lines of a log that say something: where they stand in a block, of what kind they are, and their time."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from pratique.model.ports import Everything
from pratique.readers.text import portable

LONGEST = 16_384
"""Bytes of one line that are looked at, once it is known to be worth it."""
STAMP = rb"\[?20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.,]*+(?:Z|[+-]\d\d:?\d\d)?\]?"
_COLOURS = rb"(?:\x20++|\t++|\x1b\[[0-9;?]*+[A-Za-z]|\x1b_bk;t=\d++\x07|\#\d++\x20\d++\.\d++\x20)*+"
_LEAD = (
    rb"(?:\[?20\d\d-[0-9T:.,+Z-]{4,30}+(?:\x20\d\d:[0-9:.,+Z-]{5,20}+)?\]?\x20(?:[0-9a-f]{2}[OE][\x20+])?)?+" + _COLOURS
)
"""What may stand before a line's own text: a time of any form, and colours."""
_TABBED = rb"[^\t\n]*+\t[^\t\n]*+\t(?:\xef\xbb\xbf)?"
_MANAGER = (
    rb"(?:npm\x20(?!http\x20|info\x20|verb|sill|warn|notice|timing|err)|(?:npx|pnpm|pnpx|yarn|bun|bunx|pip3?|uv|uvx|pipx"
    rb"|poetry|pdm|pipenv)\x20)[a-z]|python3?\x20-m\x20pip\x20"
)
_RELEASE = rb"@?[A-Za-z0-9][A-Za-z0-9@._/~-]*(?:@|==|\x20)(?:npm:)?\d"
_BODY = (
    rb"""(?:
    (?P<run>npm\x20info\x20run\x20)
  | (?P<npm>npm\x20(?:sill(?:y)?\x20placeDep\x20|info\x20lifecycle\x20|verb(?:ose)?\x20lifecycle\x20
      |(?:warn|WARN)\x20(?:install-scripts|deprecated)\x20))
  | (?P<mark>(?:\#\#)?\[(?:group|section|error|command)\])
  | (?P<pip>Successfully\x20installed\x20)
  | (?P<got>Download\x20action\x20repository\x20')
  | (?P<said>(?:>|\+{1,3})\x20(?:"""
    + _RELEASE
    + rb"|"
    + _MANAGER
    + rb""")|~\x20"""
    + _RELEASE
    + rb"""|\xe2\x9e\xa4|\xe2\x94[\x82\x94\x9c][^\n@]*+@[^\n@]*@?\d
      |\{"time":\d++,"hostname":"[^"\n]*+","pid":\d++,"level":"[a-z]++","name":"pnpm:(?:progress|lifecycle)"
      |(?:-|\xe2\x80\xa2)\x20(?:Installing|Updating)\x20|verbose\x20[\d.]+\x20(?:Perf|Requ)|installed\x20[@A-Za-z]
      |HTTP/1\.1\x20GET|\[Scripts\]|(?:\.\.\./|\.pnpm/|node_modules/)\S*+[^\n]*(?:\$\x20|:\x20(?:Done|Failed|Running))
      |Collecting\x20|Downloading\x20|Using\x20cached\x20|Saved\x20|Requirement\x20already\x20)
  | (?P<asked>(?:\$\x20(?:[A-Za-z_/][^\n]*[\x20/;&|])??)?(?:"""
    + _MANAGER
    + rb""")|\#\d+\x20\[[^\]\n]{1,80}\]\x20RUN\x20)
  | (?P<head>Current\x20runner\x20version|Complete\x20job\x20name:\x20|Secret\x20source:\x20|Runner\x20name:\x20
      |Uses:\x20|Post\x20job\x20cleanup|Cleaning\x20up\x20orphan|Syncing\x20repository:\x20|Running\x20with\x20gitlab-runner
      |Checking\x20out\x20[0-9a-f]{7}|Job\x20succeeded|ERROR:\x20Job\x20failed|Job's\x20log\x20exceeded
      |section_(?:start|end):|added\x20\d+\x20package|changed\x20\d+\x20package|on\x20[A-Za-z0-9])
  )"""
)
_KIND = re.compile(portable(_BODY), re.VERBOSE)
_GATE = rb"()(?!npm\x20http)(?=[npybudhv\[\#>+~{$ICDUSRPJEHaceois.\xe2-])" + re.sub(rb"\?P<[a-z]+>", b"?:", _BODY)
"""The same without groups, which cost time at every line; the empty group is where a line's own text starts."""
_LINE = re.compile(portable(rb"\n" + _LEAD + _GATE), re.VERBOSE)
_LINE_TABBED = re.compile(portable(rb"\n" + _TABBED + _LEAD + _GATE), re.VERBOSE)
_ANYWHERE = {
    "run": b"npm info run ",
    "pip": b"Successfully installed ",
    "got": b"Download action repository '",
}
"""Words worth a line wherever they stand in it: tools that run several programs put names before their lines."""
_FETCHED = re.compile(rb"npm http (?:fetch GET \d{3} |cache )[^\n]*?/-/")
_FETCHED_OTHERWISE = re.compile(rb"npm http [^\n]*?/(?:download|_attachments)/")
START = re.compile(
    portable(
        rb"(?:\xef\xbb\xbf)?(?P<stamp>"
        + STAMP
        + rb"\x20?(?:[0-9a-f]{2}[OE][\x20+])?)?(?:\x1b_bk;t=(?P<ticks>\d{10,16})\x07)?"
        + _COLOURS
    ),
    re.VERBOSE,
)
START_TABBED = re.compile(portable(_TABBED + START.pattern), re.VERBOSE)
HIDDEN = re.compile(
    rb"npm\ http\ |npm\ info\ run\ |Successfully\ installed\ |Download\ action\ repository\ '", re.VERBOSE
)
TITLE = re.compile(rb"(?:##)?\[(?P<kind>group|section|error|command)\](?P<title>[^\n]*)")
_MINUTES = re.compile(
    r"(?P<date>20\d\d-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d+))?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_LAST_YEAR = 4_102_444_800


class Lines:
    """Finds the lines of interest in the blocks of one log."""

    def __init__(self, npm: frozenset[str] | Everything) -> None:
        self.tabbed = False
        """Whether each line starts with its job and step, as the command line client prints them."""
        self._every = isinstance(npm, Everything)
        self._names = frozenset[bytes]() if isinstance(npm, Everything) else frozenset(name.encode() for name in npm)
        self._bases = frozenset(name.rpartition(b"/")[2] for name in self._names)

    def matches(self, text: bytes) -> list[tuple[int, str]]:
        """Where the lines start that say something of interest, and what kind of line each is."""
        pattern = _LINE_TABBED if self.tabbed else _LINE
        found: list[tuple[int, str]] = []
        met = dict.fromkeys(_ANYWHERE, 0)
        for match in pattern.finditer(text):
            known = _KIND.match(text, match.start(1))
            kind = (known.lastgroup if known else None) or ""
            if kind in met:
                met[kind] += 1
            found.append((match.start(), kind))
        more: set[int] = set()
        for kind, word in _ANYWHERE.items():
            if text.count(word) > met[kind]:
                more.update(lines_with(text, word))
        if b"npm http " in text:
            more.update(self._fetches(text, [start for start, kind in found if kind in ("mark", "head")]))
        if more:
            more.difference_update(start for start, _ in found)
            found += [(start, "hidden") for start in more]
            found.sort()
        return found

    def _fetches(self, text: bytes, marks: list[int]) -> Iterator[int]:
        """Where the lines start in which npm fetched something of interest, and the first of each step that fetched."""
        if self.tabbed or self._every:
            yield from lines_with(text, b"npm http ")
            return
        pieces = text.split(b"/-/")
        bases = {piece[piece.rfind(b"/") + 1 :] for piece in pieces}
        hits = {base for base in bases if b"%" in base[:240]}
        near = tuple(b"/" + base for base in bases & self._bases)
        if near:
            tails = {b"/".join(piece[-256:].rsplit(b"/", 2)[-2:]) for piece in pieces if piece.endswith(near)}
            hits |= {tail if tail[:1] == b"@" else tail[tail.find(b"/") + 1 :] for tail in tails} & self._names
        for name in hits:
            yield from lines_with(text, b"/" + name + b"/-/")
        for match in _FETCHED_OTHERWISE.finditer(text):
            yield text.rfind(b"\n", 0, match.start())
        for start, end in itertools.pairwise((0, *marks, len(text))):
            first = _FETCHED.search(text, start, end)
            if first:
                yield text.rfind(b"\n", 0, first.start())


def lines_with(text: bytes, word: bytes) -> Iterator[int]:
    """Where the lines start that hold a word."""
    place = text.find(word)
    while place >= 0:
        yield text.rfind(b"\n", 0, place)
        end = text.find(b"\n", place)
        place = text.find(word, end) if end >= 0 else -1


def text_of(data: bytes) -> str:
    """The text of some bytes, whatever they are."""
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")


def unstamped(line: bytes, tabbed: bool) -> bytes:
    """A line without its time, its blanks kept."""
    if tabbed:
        line = line.split(b"\t", 2)[-1]
    return re.sub(rb"^(?:\xef\xbb\xbf)?" + STAMP.replace(b"*+", b"*") + rb"\x20?", b"", line, count=1)


def instant(stamp: str) -> str | None:
    """A time in ISO 8601 and UTC; without a zone as it stands."""
    match = _MINUTES.search(stamp)
    if match is None:
        return None
    part = f"{(match['part'] or '0')[:3]:0<3}"
    plain = f"{match['date']}T{match['clock']}.{part}"
    zone = match["zone"]
    if zone is None:
        return plain
    if zone == "Z":
        return f"{plain}Z"
    import datetime

    try:
        moment = datetime.datetime.fromisoformat(plain + zone).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(value: float) -> str | None:
    """Seconds since the epoch as a time, where a job may print them: within bounds."""
    if not 946_684_800 <= value < _LAST_YEAR:
        return None
    from pratique.model.ports import iso_time

    return iso_time(value)

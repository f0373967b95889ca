"""What differs between two releases: files by digest, and of a changed text the lines and pieces that were added.

Every step is linear, or bounded: lines are compared by lines that occur once in both; Python's difflib is quadratic and
sees small windows alone. In a line as long as minifiers write, statements are compared, with short names left out.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

import msgspec

from pratique.model.ports import Unreadable
from pratique.model.release import FileChange, Files, Member
from pratique.releases.kinds import Kind, kind_of

TEXT: frozenset[Kind] = frozenset(
    (
        *("javascript", "typescript", "declarations", "python", "shell", "manifest"),
        *("json", "path-configuration", "gyp", "html", "text", "map"),
    )
)
"""Kinds whose lines are counted."""
MOST_COUNTED = 32 << 20
"""Larger files are not counted."""
HUGE_LINE = 1000
"""A line of more bytes is compared by its statements."""
_WINDOW = 40_000
"""difflib compares windows whose product of lines is not larger."""
_HEAD = 4096
_CLOSE = 40
"""Added statements of a huge line are one piece where not more bytes lie between them."""
_LEAST = 4
"""A statement of fewer bytes says nothing."""

Span = tuple[int, int]


class Piece(msgspec.Struct, frozen=True):
    """A text that was added: where it begins, counted from 1 (`column` in bytes), and its bytes."""

    line: int
    column: int
    text: bytes


def sample(content: bytes) -> bytes:
    """What of a file tells its kind: its beginning, and of a large one a part of its middle and its end."""
    if len(content) <= 4 * _HEAD:
        return content
    middle = len(content) // 2
    return content[:_HEAD] + content[middle : middle + _HEAD] + content[-_HEAD:]


_VERSIONED = re.compile(r"([^/]+)-[^/-]+\.(dist-info|data)/")


def lasting(path: str) -> str:
    """A path without the version that a wheel writes into the names of its own folders: the same file next time."""
    found = _VERSIONED.match(path)
    return path if found is None else f"{found[1]}.{found[2]}/{path[found.end() :]}"


_HASHED = re.compile(r"[-.~_](?=[\w-]*[A-Z0-9])[\w-]{6,24}(?=\.(?:[cm]?[jt]sx?|map)$)")


def unhashed(path: str) -> str:
    """A path without the hash of its content that a bundler writes into a name: the same part of a bundle next time."""
    return _HASHED.sub("", path)


def compared(before: Mapping[str, Member], after: Mapping[str, Member]) -> tuple[list[FileChange], list[str]]:
    """Which files changed, without kinds and counts, sorted by path; and the paths that are kept as they were.

    A file that is not at its path any more and lies with the same bytes at a new one was `moved`. The path that a file
    had before is that of `before`; it differs where a wheel's folder holds the version.
    """
    known = {lasting(path): path for path in before}
    stays = {lasting(path) for path in after}
    gone: dict[str, list[str]] = {}
    for path in sorted(before, reverse=True):
        if lasting(path) not in stays:
            gone.setdefault(before[path].sha256, []).append(path)
    changes: list[FileChange] = []
    kept: list[str] = []
    moved: set[str] = set()
    for path in sorted(after):
        member, source = after[path], known.get(lasting(path))
        if source is None:
            sources = gone.get(member.sha256)
            if sources and member.size:
                source = sources.pop()
                moved.add(source)
                changes.append(FileChange(path, "moved", "", before[source], member, moved_from=source))
            else:
                changes.append(FileChange(path, "added", "", None, member))
        elif before[source].sha256 == member.sha256:
            kept.append(path)
        else:
            changes.append(FileChange(path, "changed", "", before[source], member))
    for path in before:
        if lasting(path) not in stays and path not in moved:
            changes.append(FileChange(path, "removed", "", before[path], None))
    changes.sort(key=lambda change: change.path)
    return changes, kept


def difference(before: Files | None, after: Files) -> tuple[FileChange, ...]:
    """The files that differ, sorted by path, with their kinds and counts of lines. Without `before` all are added.

    A file that cannot be read, is no text, or is larger than MOST_COUNTED has no counts.
    """
    changes, _ = compared(before.members if before is not None else {}, after.members)
    return tuple(
        counted(
            change,
            read(before, change.before.path) if before is not None and change.before else None,
            read(after, change.path) if change.after else None,
        )
        for change in changes
    )


def read(files: Files, path: str) -> bytes | None:
    """The bytes of a file of countable size; None where it is larger or cannot be read."""
    try:
        return files.read(path, MOST_COUNTED)
    except Unreadable:
        return None


def counted(change: FileChange, old: bytes | None, new: bytes | None) -> FileChange:
    """A change with its kind and counts. `old` and `new` are None where there is no such file, or it was not read."""
    content = new if new is not None else old
    kind = kind_of(change.path, sample(content) if content is not None else b"")
    if content is None and kind == "text":
        kind = "binary"
    added: int | None = None
    removed: int | None = None
    whole = (change.before is None or old is not None) and (change.after is None or new is not None)
    if whole and kind in TEXT:
        added, removed = (0, 0) if change.change == "moved" else counts(old or b"", new or b"")
    return msgspec.structs.replace(change, kind=kind, added_lines=added, removed_lines=removed)


def counts(old: bytes, new: bytes) -> tuple[int, int]:
    """How many lines one text has that the other has not, whatever their order: added and removed."""
    if not old or not new:
        return lines_of(new), lines_of(old)
    before, after = old.split(b"\n"), new.split(b"\n")
    if not before[-1]:
        before.pop()
    if not after[-1]:
        after.pop()
    left = Counter(before)
    common = 0
    for line, count in Counter(after).items():
        common += min(count, left.get(line, 0))
    return len(after) - common, len(before) - common


def lines_of(text: bytes) -> int:
    """The number of lines of a text."""
    return text.count(b"\n") + (not text.endswith(b"\n") and bool(text))


def added_spans(old: bytes, new: bytes) -> list[Span]:
    """The lines of `new` that are not in `old` at that place: first and last of each run, counted from 1."""
    before, after = _lines(old), _lines(new)
    added: list[int] = []
    _compare(before, after, added)
    return _runs(added)


def _lines(text: bytes) -> list[bytes]:
    """The lines of a text without what ends them, and without white space at their end."""
    lines = [line.rstrip() for line in text.split(b"\n")]
    if lines and not lines[-1]:
        lines.pop()
    return lines


def _runs(numbers: Sequence[int]) -> list[Span]:
    """Numbers of lines, counted from 0, as first and last of each run, counted from 1."""
    runs: list[Span] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number:
            runs[-1] = (runs[-1][0], number + 1)
        else:
            runs.append((number + 1, number + 1))
    return runs


def _compare(before: list[bytes], after: list[bytes], added: list[int]) -> None:
    """Note the places of lines in `after` that were added. Windows between anchors are taken from a stack."""
    stack = [(0, len(before), 0, len(after))]
    while stack:
        low, high, start, end = stack.pop()
        while low < high and start < end and before[low] == after[start]:
            low, start = low + 1, start + 1
        while low < high and start < end and before[high - 1] == after[end - 1]:
            high, end = high - 1, end - 1
        if start == end:
            continue
        if low == high:
            added.extend(range(start, end))
            continue
        if (high - low) * (end - start) <= _WINDOW:
            matcher = SequenceMatcher(None, before[low:high], after[start:end], autojunk=False)
            for operation, _, _, first, last in matcher.get_opcodes():
                if operation in ("insert", "replace"):
                    added.extend(range(start + first, start + last))
            continue
        anchors = _anchors(before, low, high, after, start, end)
        if not anchors:
            _unmatched(before[low:high], after, start, end, added)
            continue
        for one, two in [*anchors, (high, end)]:
            stack.append((low, one, start, two))
            low, start = one + 1, two + 1


def _anchors(before: list[bytes], low: int, high: int, after: list[bytes], start: int, end: int) -> list[Span]:
    """Lines that occur once in each of two windows, in the longest order that both have (patience)."""
    places: dict[bytes, int] = {}
    for place in range(low, high):
        places[before[place]] = -1 if before[place] in places else place
    counts_after = Counter(after[start:end])
    pairs = [
        (places[after[place]], place)
        for place in range(start, end)
        if counts_after[after[place]] == 1 and places.get(after[place], -1) >= 0
    ]
    tails: list[int] = []
    ends: list[int] = []
    links: list[int] = []
    for number, (one, _) in enumerate(pairs):
        at = bisect_left(tails, one)
        links.append(ends[at - 1] if at else -1)
        if at == len(tails):
            tails.append(one)
            ends.append(number)
        else:
            tails[at], ends[at] = one, number
    chain: list[Span] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        chain.append(pairs[number])
        number = links[number]
    return chain[::-1]


def _unmatched(before: list[bytes], after: list[bytes], start: int, end: int, added: list[int]) -> None:
    """Lines of a window that occur more often than in the other one, without regard to their order."""
    left = Counter(before)
    for place in range(start, end):
        if left[after[place]] > 0:
            left[after[place]] -= 1
        else:
            added.append(place)


_STATEMENT = re.compile(rb"[^;{},\n]*[;{},\n]?")
_SPACE = re.compile(rb"\s+")
_SHORT = re.compile(rb"(?<![\w$.'\"])[A-Za-z_$][\w$]{0,2}(?![\w$'\"])")


def added_pieces(old: bytes, new: bytes) -> list[Piece]:
    """The texts of `new` that are not in `old`, each with where it begins: whole lines, and of huge lines statements.

    Of a line longer than HUGE_LINE those statements count as added that no removed line holds, whatever the minifier
    called its variables this time; neighbours are one piece.
    """
    lines = new.split(b"\n")
    spans = added_spans(old, new)
    huge = any(len(lines[number - 1]) > HUGE_LINE for first, last in spans for number in range(first, last + 1))
    known = _statements(old) if huge else Counter()
    pieces: list[Piece] = []
    for first, last in spans:
        begin = first
        for number in range(first, last + 2):
            if number <= last and len(lines[number - 1]) <= HUGE_LINE:
                continue
            if begin < number:
                pieces.append(Piece(begin, 1, b"\n".join(lines[begin - 1 : number - 1])))
            if number <= last:
                pieces.extend(_of_line(lines[number - 1], number, known))
            begin = number + 1
    return pieces


def _key(statement: bytes) -> bytes:
    """A statement as it is compared: without white space, and with short names, which minifiers choose, left out."""
    return _SPACE.sub(b"", _SHORT.sub(b"_", statement)).rstrip(b";,")


def _statements(text: bytes) -> Counter[bytes]:
    """How often each statement stands in a text."""
    return Counter(_key(statement) for found in _STATEMENT.finditer(text) if (statement := found[0]))


def _of_line(line: bytes, number: int, known: Counter[bytes]) -> list[Piece]:
    """The pieces of a huge line that are not known; what is known is used up. Pieces that lie close are one."""
    spans: list[Span] = []
    at = 0
    for found in _STATEMENT.finditer(line):
        statement = found[0]
        key = _key(statement)
        if known[key] > 0:
            known[key] -= 1
        elif statement and len(key) >= _LEAST:
            if spans and at - spans[-1][1] <= _CLOSE:
                spans[-1] = (spans[-1][0], found.end())
            else:
                spans.append((at, found.end()))
        at = found.end()
    return [Piece(number, begin + 1, line[begin:end]) for begin, end in spans]

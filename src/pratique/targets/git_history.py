"""What became of versions of files in a git history: which commits, branches and tags, and what lay beside them.

All questions about one repository are answered together: one command lists the commits with parents, folders and
times, another gives the folders on the way to the paths asked about, each version once.
"""

from __future__ import annotations

import bisect
import datetime
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pratique.model.location import locate
from pratique.model.observation import Beside, BesideFact, Commit, HistoryFact, Observation, Question
from pratique.model.ports import Unreadable
from pratique.targets import git_names
from pratique.targets.git_objects import ROWS, Database
from pratique.targets.git_places import worktrees

READER = "probe"
MOST_COMMITS = 5_000_000
MOST_NAMED = 100
"""So many commits, and so many refs, are named in one answer; they are counted whole."""
_MOST_BITS = 1024
_STASH = "refs/stash"
_INDEX = "index"
_FILES = (b"100644", b"100755", b"100664", b"120000")


class Graph:
    """All commits of a repository, children before their parents."""

    def __init__(self, database: Database, *, unreachable: bool) -> None:
        self.database = database
        self.ids: list[bytes] = []
        self.at: dict[bytes, int] = {}
        self.roots: list[bytes] = []
        self.root = array("I")
        self.committed = array("q")
        self.authored = array("q")
        self.parents: list[tuple[int, ...]] = []
        self.whole = not git_names.cuts(database.folder)
        self.refs: dict[str, int] = {}
        self.staged: dict[str, bytes] = {}
        self._load(unreachable)

    def _load(self, unreachable: bool) -> None:
        database = self.database
        named: list[list[bytes]] = []
        known: dict[bytes, int] = {}
        try:
            extra = [item.encode() + b"\n" for item in git_names.held(database)]
            if unreachable:
                extra += git_names.every_commit(database)
            arguments = ("rev-list", "--all", "--reflog", "--topo-order", "--format=%H %T %ct %at %P")
            for line in database.lines(*arguments, *(["--stdin"] if extra else []), feed=extra or None):
                if line.startswith(b"commit "):
                    continue
                name, tree, committed, authored, *parents = line.split(b" ")
                self.at[name] = len(self.ids)
                self.ids.append(name)
                self.root.append(known.setdefault(tree, len(known)))
                self.committed.append(_number(committed))
                self.authored.append(_number(authored))
                named.append(parents)
                if len(self.ids) >= MOST_COMMITS:
                    self.whole = False
                    break
        except (Unreadable, ValueError):
            self.whole = False
        self.roots = [bytes.fromhex(tree.decode()) for tree in known]
        at = self.at
        self.parents = [tuple([at[parent] for parent in parents if parent in at]) for parents in named]
        try:
            for line in database.lines("for-each-ref", "--format=%(objectname) %(*objectname) %(refname)"):
                item, peeled, name = line.split(b" ", 2)
                index = at.get(peeled or item)
                if index is not None:
                    self.refs[name.decode("utf-8", "surrogateescape")] = index
        except (Unreadable, ValueError):
            self.whole = False
        for folder in (database.folder, *worktrees(database.folder)):
            head = git_names.detached(folder)
            index = at.get(head) if head else None
            if index is not None:
                self.refs["HEAD" if folder == database.folder else f"HEAD of {os.path.basename(folder)}"] = index
        self.staged = {entry.path: entry.id for entry in git_names.staged(database)}

    def commit(self, index: int, refs: Sequence[str] = ()) -> Commit:
        """One commit as evidence."""
        return Commit(
            self.ids[index].decode(), _iso(self.authored[index]), _iso(self.committed[index]), tuple(refs[:MOST_NAMED])
        )

    def inside(self, windows: Iterable[tuple[str, str]]) -> list[int]:
        """The commits made in any of the windows, by the time of their committer."""
        spans = [_span(window) for window in windows]
        return [
            index for index, moment in enumerate(self.committed) if any(start <= moment <= end for start, end in spans)
        ]

    def in_force(self, windows: Sequence[tuple[str, str]]) -> list[int]:
        """The commits that somebody may have built in a window.

        Those made in it, the last ones before it on any line of development, and the tips of refs that are older. With
        no window known, all commits.
        """
        if not windows:
            return list(range(len(self.ids)))
        found = set(self.inside(windows))
        for start, _ in {_span(window) for window in windows}:
            continued = {
                parent
                for index, moment in enumerate(self.committed)
                if moment < start
                for parent in self.parents[index]
            }
            found |= {index for index, moment in enumerate(self.committed) if moment < start and index not in continued}
            found |= {index for index in self.refs.values() if self.committed[index] < start}
        return sorted(found)


def _number(text: bytes) -> int:
    return max(-(1 << 62), min(int(text or b"0"), 1 << 62))


def _iso(seconds: int) -> str:
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return ""


def _span(window: tuple[str, str]) -> tuple[float, float]:
    start, end = window
    return _seconds(start, float("-inf")), _seconds(end, float("inf"))


def _seconds(text: str, otherwise: float) -> float:
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return otherwise


# Paths in many versions of folders


class Lookup:
    """What lies at the paths asked about below each of many root trees."""

    def __init__(self, database: Database, roots: Sequence[bytes], paths: Iterable[str]) -> None:
        self.database = database
        self.whole = True
        self.tables: dict[str, array[int]] = {}
        """Path of a file or folder to its version below each version of the folder above it; 0 where it is not."""
        self.versions: dict[str, list[bytes]] = {"": list(roots)}
        asked: dict[str, set[str]] = {}
        for path in paths:
            parts = path.split("/")
            for depth in range(len(parts)):
                asked.setdefault("/".join(parts[:depth]), set()).add("/".join(parts[: depth + 1]))
        self.leaves = frozenset(paths)
        for folder in sorted(asked, key=lambda folder: (folder.count("/") + bool(folder), folder)):
            if folder in self.versions:
                self._read(folder, sorted(asked[folder]))

    def _read(self, folder: str, children: Sequence[str]) -> None:
        trees = self.versions[folder]
        cut = len(folder) + 1 if folder else 0
        names = [child[cut:].encode("utf-8", "surrogateescape") for child in children]
        needles = [b" %s\0" % name for name in names]
        tables = [array("I", bytes(4 * len(trees))) for _ in children]
        known: list[dict[bytes, int]] = [{} for _ in children]
        rows = list(zip(needles, names, tables, known, strict=True))
        width = len(trees[0]) if trees else 20
        for number, read in enumerate(self.database.read(trees)):
            body = read.body
            if body is None:
                self.whole = False
            if body is None or read.kind != "tree":
                continue
            for needle, name, table, versions in rows:
                start = body.find(needle)
                if start < 0:
                    continue
                end = start + len(needle)
                item = body[end : end + width]
                if body[max(start - 6, 0) : start] not in _FILES and body[max(start - 5, 0) : start] != b"40000":
                    row = next((row for row in ROWS[width].findall(body) if row[1] == name), None)
                    if row is None or row[0] == b"160000":
                        continue
                    item = row[2]
                table[number] = versions.setdefault(item, len(versions) + 1)
        for child, table, versions in zip(children, tables, known, strict=True):
            self.tables[child] = table
            if child not in self.leaves or len(versions):
                self.versions[child] = list(versions)

    def column(self, path: str) -> list[int]:
        """The version of a path below each root tree; 0 where it is not."""
        parts = path.split("/")
        column: list[int] | None = None
        for depth in range(len(parts)):
            table = self.tables.get("/".join(parts[: depth + 1]))
            if table is None:
                return [0] * len(self.versions[""])
            column = list(table) if column is None else [table[value - 1] if value else 0 for value in column]
        return column or []

    def version(self, path: str, item: bytes) -> int:
        """The number of a version of a path; 0 where it was not met."""
        versions = self.versions.get(path, [])
        return versions.index(item) + 1 if item in versions else 0


# Answers


def answer(
    database: Database, uri: str, questions: Sequence[Question], *, unreachable: bool = False
) -> Iterator[Observation]:
    """Answer all questions about one repository."""
    asked = [question for question in questions if question.inside and question.inside[0].kind == "commit"]
    if not asked:
        return
    graph = Graph(database, unreachable=unreachable)
    yield from _histories(graph, uri, [question for question in asked if question.kind == "history"])
    yield from _besides(graph, uri, [question for question in asked if question.kind == "beside"])


class _Case(msgspec.Struct):
    """One question on its way to its answer."""

    question: Question
    item: bytes
    version: int = 0
    introduced: list[int] = []
    removed: list[int] = []
    commits: int = 0
    in_window: list[int] = []
    tips: list[str] = []
    contained: list[str] = []


def _histories(graph: Graph, uri: str, questions: Sequence[Question]) -> Iterator[Observation]:
    cases = [_Case(question, _blob(question)) for question in questions]
    by_path: dict[str, list[_Case]] = {}
    for case in cases:
        by_path.setdefault(_path(case.question), []).append(case)
    if not cases:
        return
    lookup = Lookup(graph.database, graph.roots, by_path)
    windows = {question.windows: graph.inside(question.windows) for question in questions}
    for path, group in by_path.items():
        _events(graph, lookup, path, group, windows)
    _containing(graph, cases)
    whole = graph.whole and lookup.whole
    for case in cases:
        question = case.question
        refs = _refs_of(graph, case.introduced[:MOST_NAMED])
        fact = HistoryFact(
            path=_path(question),
            blob=question.inside[0].id,
            introduced=tuple(
                graph.commit(index, names) for index, names in zip(case.introduced[:MOST_NAMED], refs, strict=True)
            ),
            removed=tuple(graph.commit(index) for index in case.removed[:MOST_NAMED]),
            contained_in=tuple(case.contained[:MOST_NAMED]),
            tips=tuple(case.tips[:MOST_NAMED]),
            commits=case.commits,
            in_window=tuple(graph.ids[index].decode() for index in case.in_window[:MOST_NAMED]),
            commits_in_window=len(case.in_window),
            whole=whole,
        )
        yield Observation(READER, locate(uri, question.path, inside=question.inside), fact)


def _blob(question: Question) -> bytes:
    try:
        return bytes.fromhex(question.inside[0].id)
    except ValueError:
        return b""


def _path(question: Question) -> str:
    return question.inside[0].path


def _events(
    graph: Graph,
    lookup: Lookup,
    path: str,
    cases: Sequence[_Case],
    windows: dict[tuple[tuple[str, str], ...], list[int]],
) -> None:
    """Which commits brought and ended each version of one path."""
    column = lookup.column(path)
    values = [column[root] for root in graph.root]
    wanted: dict[int, list[_Case]] = {}
    for case in cases:
        case.version = lookup.version(path, case.item)
        case.introduced, case.removed, case.in_window, case.tips = [], [], [], []
        if case.version:
            wanted.setdefault(case.version, []).append(case)
        if graph.staged.get(path) == case.item:
            case.tips.append(_INDEX)
    counts = Counter(values)
    for index in range(len(values) - 1, -1, -1):
        value, parents = values[index], graph.parents[index]
        if len(parents) == 1 and values[parents[0]] == value:
            continue
        before = {values[parent] for parent in parents}
        if value in wanted and value not in before:
            for case in wanted[value]:
                case.introduced.append(index)
        for other in before:
            if other != value and other in wanted:
                for case in wanted[other]:
                    case.removed.append(index)
    tips: dict[int, list[str]] = {}
    for name, index in graph.refs.items():
        if name != _STASH and values[index] in wanted:
            tips.setdefault(values[index], []).append(name)
    for version, found in wanted.items():
        for case in found:
            case.commits = counts[version]
            case.tips += sorted(tips.get(version, ()))
            case.in_window = [index for index in reversed(windows[case.question.windows]) if values[index] == version]


def _containing(graph: Graph, cases: Sequence[_Case]) -> None:
    """Which refs contain a commit that brought each version."""
    for start in range(0, len(cases), _MOST_BITS):
        part = cases[start : start + _MOST_BITS]
        own: dict[int, int] = {}
        for bit, case in enumerate(part):
            for index in case.introduced:
                own[index] = own.get(index, 0) | (1 << bit)
        masks = _spread(graph, own)
        for bit, case in enumerate(part):
            case.contained = sorted(name for name, index in graph.refs.items() if masks[index] >> bit & 1)
        lost = [bit for bit, case in enumerate(part) if not case.contained and case.introduced]
        for name, ids in git_names.logged(graph.database.folder) if lost else ():
            found = 0
            for item in ids:
                found |= masks[graph.at[item]] if item in graph.at else 0
            for bit in lost:
                if found >> bit & 1:
                    part[bit].contained.append(f"reflog of {name}")


def _refs_of(graph: Graph, commits: Sequence[int]) -> list[list[str]]:
    """The refs that contain each of some commits."""
    masks = _spread(graph, {index: 1 << bit for bit, index in enumerate(commits)})
    return [
        sorted(name for name, tip in graph.refs.items() if masks[tip] >> bit & 1)[:MOST_NAMED]
        for bit in range(len(commits))
    ]


def _spread(graph: Graph, own: dict[int, int]) -> list[int]:
    """Bits of commits, passed on to all commits that come after them."""
    masks = [0] * len(graph.ids)
    if not own:
        return masks
    for index in range(max(own), -1, -1):
        mask = own.get(index, 0)
        for parent in graph.parents[index]:
            mask |= masks[parent]
        masks[index] = mask
    return masks


def _besides(graph: Graph, uri: str, questions: Sequence[Question]) -> Iterator[Observation]:
    """What of the files asked about lay in the folder of a file or above it, at the commits that count."""
    for windows in sorted({question.windows for question in questions}):
        group = [question for question in questions if question.windows == windows]
        chosen = graph.in_force(windows)
        roots = sorted({graph.root[index] for index in chosen})
        wanted: dict[str, set[str]] = {}
        for question in group:
            path = _path(question)
            wanted.setdefault(path, set()).update(_around(path, question.files))
        paths = {*wanted, *(other for others in wanted.values() for other in others)}
        lookup = Lookup(graph.database, [graph.roots[root] for root in roots], paths)
        for question in group:
            yield _beside(graph, uri, question, wanted[_path(question)], lookup, chosen, roots)


def _around(path: str, names: Iterable[str]) -> list[str]:
    """The names in the folder of a path and in every one above it."""
    parts = path.split("/")[:-1]
    folders = ["/".join([*parts[:depth], ""]) for depth in range(len(parts) + 1)]
    return [folder + name for folder in folders for name in names]


def _beside(
    graph: Graph,
    uri: str,
    question: Question,
    others: set[str],
    lookup: Lookup,
    chosen: Sequence[int],
    roots: Sequence[int],
) -> Observation:
    path, item = _path(question), _blob(question)
    version = lookup.version(path, item)
    found: dict[tuple[tuple[str, str], ...], Commit] = {}
    if version:
        own = lookup.column(path)
        columns = {other: lookup.column(other) for other in sorted(others) if other in lookup.tables}
        for index in chosen:
            place = bisect.bisect_left(roots, graph.root[index])
            if own[place] == version:
                there = tuple(
                    (other, lookup.versions[other][column[place] - 1].hex())
                    for other, column in columns.items()
                    if column[place]
                )
                found.setdefault(there, graph.commit(index))
    if graph.staged.get(path) == item:
        there = tuple((other, graph.staged[other].hex()) for other in sorted(others) if other in graph.staged)
        found.setdefault(there, Commit(_INDEX, "", ""))
    fact = BesideFact(
        path=path,
        blob=question.inside[0].id,
        windows=question.windows,
        at=tuple(Beside(commit, files) for files, commit in sorted(found.items())),
        whole=graph.whole and lookup.whole,
    )
    return Observation(READER, locate(uri, question.path, inside=question.inside), fact)

"""Where a history begins: refs, heads, reflogs, stashes, indexes, what was fetched; and what nothing reaches."""

from __future__ import annotations

import os
import queue
import re
from collections.abc import Iterator

import msgspec

from pratique.model.ports import Unreadable
from pratique.targets.git_objects import Database, Found
from pratique.targets.git_places import heads, worktrees

_ID = re.compile(r"^(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")
_LOGGED = re.compile(rb"^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) ", re.MULTILINE)
_SMALL = 1 << 26
_MOST_TOLD = 20
_KINDS = {b"100644": "file", b"100755": "file", b"120000": "link", b"160000": "module"}
_REFS = "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"


class Tips(msgspec.Struct):
    """The root folders of all commits, newest first, and what stood in the way.

    `commits` holds the ids of all that were met, only where unreachable objects are asked for.
    """

    trees: dict[bytes, None] = {}
    gaps: list[str] = []
    commits: set[bytes] = set()
    blobs: list[bytes] = []
    folders: list[bytes] = []


def tips(database: Database, *, unreachable: bool = False) -> Tips:
    """All commits of a repository. What is unreachable is looked for only where it is asked for."""
    found = Tips()
    cut = cuts(database.folder)
    if cut:
        commits = f"{len(cut)} commit{'' if len(cut) == 1 else 's'}"
        found.gaps.append(f"the history is cut at {commits} (a shallow clone): what came before was not looked at")
    try:
        for line in database.lines("for-each-ref", _REFS):
            kind, item, peeled, to, _ = line.split(b" ", 4)
            if b"tree" in (kind, peeled):
                found.trees[bytes.fromhex((to or item).decode())] = None
        names = [item.encode() + b"\n" for item in held(database)]
        commit = b""
        arguments = ("rev-list", "--all", "--reflog", "--format=%T", *(["--stdin"] if names else []))
        for line in database.lines(*arguments, feed=names or None):
            if line.startswith(b"commit "):
                commit = line
            else:
                found.trees[bytes.fromhex(line.decode())] = None
                if unreachable:
                    found.commits.add(bytes.fromhex(commit[7:].decode()))
    except (Unreadable, ValueError) as error:
        reason = error.reason if isinstance(error, Unreadable) else "git printed what is not understood"
        found.gaps.append(f"the history is not whole: {reason}")
        _walk(database, found, set(cut))
    if unreachable:
        _unreached(database, found)
    return found


def cuts(folder: str) -> list[bytes]:
    """The ids of the commits that a shallow clone ends at."""
    return _read(f"{folder}/shallow").split()


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_SMALL)
    except OSError:
        return b""


def held(database: Database) -> list[str]:
    """Ids in files such as MERGE_HEAD and FETCH_HEAD that name a commit that is here."""
    named: dict[str, None] = {}
    for folder in (database.folder, *worktrees(database.folder)):
        for name in heads(folder):
            for line in os.fsdecode(_read(f"{folder}/{name}")).splitlines():
                match = _ID.match(line)
                if match:
                    named[match[0]] = None
    if not named:
        return []
    checked = database.lines("cat-file", "--batch-check", feed=[f"{item}\n".encode() for item in named])
    return [line.split()[0].decode() for line in checked if line.split()[1:2] == [b"commit"]]


def alternates(folder: str) -> list[str]:
    """Other databases that this one borrows objects from."""
    lines = os.fsdecode(_read(f"{folder}/objects/info/alternates")).splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def staged(database: Database) -> Iterator[Found]:
    """What the indexes of all work trees hold now. What cannot be read is noted as a complaint."""
    for folder in (database.folder, *worktrees(database.folder)):
        if not os.path.exists(f"{folder}/index"):
            continue
        own = Database(database.git, folder)
        try:
            rows = own.records("ls-files", "-s", "-z")
        except Unreadable as error:
            database.complaints[f"an index could not be read: {error.reason}"] = None
            continue
        for row in rows:
            head, _, path = row.partition(b"\t")
            mode, item, _ = head.split(b" ")
            yield Found(path.decode("utf-8", "surrogateescape"), _KINDS.get(mode, "file"), bytes.fromhex(item.decode()))


def detached(folder: str) -> bytes | None:
    """The id in a head that names no branch."""
    match = _ID.match(os.fsdecode(_read(f"{folder}/HEAD")))
    return match[0].encode() if match else None


def logged(folder: str) -> Iterator[tuple[str, list[bytes]]]:
    """Every reflog, by the name of its ref, with the ids in it."""
    for base in (folder, *worktrees(folder)):
        for inner, folders, names in os.walk(f"{base}/logs"):
            folders.sort()
            for name in sorted(names):
                path = f"{inner}/{name}"
                ids = [item for pair in _LOGGED.findall(_read(path)) for item in pair]
                yield os.path.relpath(path, f"{base}/logs"), ids


def every_commit(database: Database) -> list[bytes]:
    """The ids of all commits that are here, each with a line's end. Raises Unreadable."""
    form = "--batch-check=%(objecttype) %(objectname)"
    lines = database.lines("cat-file", "--batch-all-objects", "--unordered", form)
    return [line[7:] + b"\n" for line in lines if line.startswith(b"commit ")]


# Where git gives up


def _walk(database: Database, found: Tips, cut: set[bytes]) -> None:
    """Commit after commit, past what is missing or damaged: slower than git, but a hole ends one line alone."""
    waiting = list(_names(database.folder))
    known = set(waiting)
    broken = 0
    with _Conversation(database) as ask:
        while waiting:
            item = waiting.pop()
            kind, body = ask(item)
            if body is None:
                broken += 1
                if broken <= _MOST_TOLD:
                    found.gaps.append(f"object {item.decode()} {kind}; what it leads to was not looked at")
                continue
            if kind == "tree":
                found.trees[bytes.fromhex(item.decode())] = None
            aims = re.findall(rb"^(tree|parent|object) ([0-9a-f]{40,64})$", body.partition(b"\n\n")[0], re.MULTILINE)
            for name, aim in aims if kind in ("commit", "tag") else ():
                if name == b"tree":
                    found.trees[bytes.fromhex(aim.decode())] = None
                    found.commits.add(bytes.fromhex(item.decode()))
                elif aim not in known and not (name == b"parent" and item in cut):
                    known.add(aim)
                    waiting.append(aim)
    if broken > _MOST_TOLD:
        found.gaps.append(f"{broken - _MOST_TOLD} more objects are missing or damaged")


def _names(folder: str) -> dict[bytes, None]:
    """Every id that a ref, a head or a reflog names, by reading their files."""
    named: dict[bytes, None] = {}
    for line in _read(f"{folder}/packed-refs").splitlines():
        match = re.match(rb"\^?([0-9a-f]{40,64})\b", line)
        if match:
            named[match[1]] = None
    for base in (folder, *worktrees(folder)):
        files = [f"{base}/{name}" for name in ("HEAD", *heads(base))]
        for part in ("refs", "logs"):
            files += [f"{inner}/{name}" for inner, _, names in os.walk(f"{base}/{part}") for name in sorted(names)]
        for path in files:
            data = _read(path)
            if f"{base}/logs/" in path:
                for old, new in _LOGGED.findall(data):
                    named.update({old: None, new: None})
            elif match := re.match(rb"[0-9a-f]{40,64}\b", data):
                named[match[0]] = None
    return {item: None for item in named if item.strip(b"0")}


class _Conversation:
    """One object after another, asked for by id; another process where one ended."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.asked: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.answers: Iterator[tuple[str, bytes | None]] | None = None

    def __enter__(self) -> _Conversation:
        return self

    def __exit__(self, *error: object) -> None:
        self.asked.put(None)

    def __call__(self, item: bytes) -> tuple[str, bytes | None]:
        """Kind and bytes of an object; a reason and None where there are none."""
        if self.answers is None:
            self.asked = queue.SimpleQueue()
            self.answers = self._answers(self.asked)
        self.asked.put(item + b"\n")
        try:
            return next(self.answers)
        except (Unreadable, StopIteration) as error:
            self.answers = None
            self.asked.put(None)
            return f"could not be read ({getattr(error, 'reason', 'git ended')})", None

    def _answers(self, asked: queue.SimpleQueue[bytes | None]) -> Iterator[tuple[str, bytes | None]]:
        with self.database.git(self.database.folder, ("cat-file", "--batch"), iter(asked.get, None)) as stream:
            try:
                while head := stream.readline().split():
                    if len(head) != 3:
                        yield "is not in this repository", None
                        continue
                    body = stream.read(int(head[2]))
                    if stream.read(1) != b"\n":
                        raise Unreadable("git ended early")
                    yield head[1].decode(), body
            finally:
                asked.put(None)  # nothing is asked of it any more: what waits to write to it ends


# What nothing reaches


def _unreached(database: Database, found: Tips) -> None:
    """Commits, folders and files that no ref, reflog or index leads to: git names all objects, but no paths."""
    commits: list[bytes] = []
    try:
        form = "--batch-check=%(objectname) %(objecttype)"
        for line in database.lines("cat-file", "--batch-all-objects", "--unordered", form):
            name, _, kind = line.partition(b" ")
            item = bytes.fromhex(name.decode())
            if kind == b"commit" and item not in found.commits:
                commits.append(item)
            elif kind == b"tree":
                found.folders.append(item)
            elif kind == b"blob":
                found.blobs.append(item)
    except (Unreadable, ValueError) as error:
        reason = error.reason if isinstance(error, Unreadable) else "git printed what is not understood"
        found.gaps.append(f"what nothing reaches could not be listed: {reason}")
    for read in database.read(sorted(commits)):
        match = re.match(rb"tree ([0-9a-f]{40,64})\n", read.body or b"")
        if match:
            found.trees[bytes.fromhex(match[1].decode())] = None
        else:
            found.gaps.append(f"commit {read.id.hex()}, which nothing reaches, {read.reason or 'is damaged'}")


_SIGNS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("package-lock.json", re.compile(rb'\s*\{[^\0]{0,2000}?"lockfileVersion"\s*:\s*[1-4]\s*,\s*"(?!workspaces)')),
    (
        "bun.lock",
        re.compile(rb'\s*\{\s*"lockfileVersion"\s*:\s*\d+\s*,\s*(?:"configVersion"[^"]*)?"workspaces"'),
    ),
    ("pnpm-lock.yaml", re.compile(rb"(?:---\s+)?lockfileVersion\s*:")),
    ("yarn.lock", re.compile(rb"# THIS IS AN AUTOGENERATED FILE|# yarn lockfile|# This file is generated by running")),
    ("yarn.lock", re.compile(rb"__metadata:")),
    ("bun.lockb", re.compile(rb"#!/usr/bin/env bun\nbun-lockfile-format")),
    ("poetry.lock", re.compile(rb"# This file is automatically @generated by Poetry")),
    ("pdm.lock", re.compile(rb"# This file is @generated by PDM")),
    ("uv.lock", re.compile(rb"version = 1\n(?:revision = \d+\n)?requires-python")),
    ("Pipfile.lock", re.compile(rb'\s*\{\s*"_meta"\s*:')),
    ("package.json", re.compile(rb'\s*\{[^\0]{0,20000}?"(?:dev|peer|optional)?[dD]ependencies"\s*:')),
)
"""Names of files by how they begin."""


def recognised(body: bytes) -> str | None:
    """The name a file without one most likely had; None where its content shows no format."""
    head = body[: 1 << 15].removeprefix(b"\xef\xbb\xbf")
    return next((name for name, sign in _SIGNS if sign.match(head)), None)

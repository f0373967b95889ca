"""The second look at a tree: what is there at named places, and whether it is what was asked about."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence

from pratique.model.location import locate, shown
from pratique.model.observation import DigestFact, FolderFact, Observation, PresenceFact, Question, Refusal, Time
from pratique.model.ports import Unreadable, iso_time
from pratique.targets.boundaries import resolve
from pratique.targets.files import CHUNK, kind_of_file, open_file, reason_of


def probe(
    uri: str, root: str, questions: Sequence[Question], *, mounted: bool = False
) -> Iterator[Observation | Refusal]:
    """The second look, at named places of this tree alone; of a `mounted` disk, through links as its machine would."""
    base = root.rstrip(os.sep) + os.sep if root != os.sep else os.sep
    for question in questions:
        location = locate(uri, question.path)
        try:
            path = _place(base, question.path) if mounted else base + question.path
            yield _answer(uri, base, path, question) if path is not None else _missing(uri, question)
        except OSError as error:
            yield Refusal(location.path, "probe", reason_of(error), True, uri, location.path_bytes, question.names)
        except Unreadable as error:
            yield Refusal(location.path, "probe", error.reason, True, uri, location.path_bytes, question.names)


def _place(base: str, path: str) -> str | None:
    """A path of a mounted disk, its folder reached through links; the last part is not followed."""
    folder, _, name = path.rpartition("/")
    real = resolve(base, folder)
    return f"{real.rstrip('/')}/{name}" if real is not None else None


def _missing(uri: str, question: Question) -> Observation:
    """The answer where the folder that a question is about is not there."""
    path = shown(question.path)
    fact = FolderFact(folder=path, exists=False) if question.kind == "folder" else PresenceFact(path=path, exists=False)
    return Observation("probe", locate(uri, question.path), fact)


def _answer(uri: str, base: str, path: str, question: Question) -> Observation:
    location = locate(uri, question.path)
    if question.kind == "folder":
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return Observation("probe", location, FolderFact(folder=shown(question.path), exists=False))
        if not stat.S_ISDIR(status.st_mode):
            raise Unreadable(f"is no folder but {kind_of_file(status.st_mode)}")
        entries = set(os.listdir(path))
        fact = FolderFact(
            folder=shown(question.path),
            exists=True,
            present=tuple(name for name in question.files if name in entries),
            absent=tuple(name for name in question.files if name not in entries),
        )
        times = (Time("the package folder last changed", iso_time(status.st_mtime), "folder modification time"),)
        return Observation("probe", location, fact, times)
    if question.kind == "presence":
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return Observation("probe", location, PresenceFact(path=shown(question.path), exists=False))
        times = (Time("the file was last written", iso_time(status.st_mtime), "file modification time"),)
        found = PresenceFact(path=shown(question.path), exists=True, size=status.st_size)
        return Observation("probe", location, found, times)
    try:
        return _digest(path, base, question)
    except (FileNotFoundError, NotADirectoryError):
        return Observation("probe", location, PresenceFact(path=shown(question.path), exists=False))


def _digest(path: str, base: str, question: Question) -> Observation:
    folder = os.path.realpath(os.path.dirname(path))
    if not f"{folder}{os.sep}".startswith(os.path.realpath(base).rstrip(os.sep) + os.sep):
        raise Unreadable("lies in a folder that leads out of the target")
    digest = hashlib.new(question.algorithm, usedforsecurity=False)
    descriptor = open_file(path)
    with os.fdopen(descriptor, "rb", closefd=True) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("is no regular file")
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    value = digest.hexdigest()
    fact = DigestFact(
        path=shown(question.path),
        algorithm=question.algorithm,
        digest=value,
        expected=question.expected or None,
        equal=value == question.expected if question.expected else None,
    )
    return Observation("probe", locate(question.target, question.path), fact)

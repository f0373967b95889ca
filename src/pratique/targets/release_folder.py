"""A release that lies unpacked in a folder: an installed package, or a checkout. Links are never followed.

`node_modules` and the databases of git and others are not entered: they are other packages, or no part of it. They are
named in `left_out`, and are no refusals.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from posixpath import dirname, normpath

from pratique.model.errors import TargetError
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.targets.files import open_regular, reason_of
from pratique.targets.release_parts import CHUNK, Entry, Limits, Opened, refusal, settled

LEFT_OUT = frozenset(("node_modules", ".git", ".hg", ".svn"))
_DEEPEST = 200


class _Folder:
    """One folder that is read."""

    def __init__(self, root: str, limits: Limits) -> None:
        self.root = root
        self.limits = limits
        self.entries: list[Entry] = []
        self.refusals: list[Refusal] = []
        self.left_out: list[str] = []
        self.total = 0
        self.full = False

    def walk(self) -> None:
        """Note every file, sorted by name, until the bounds are met."""
        stack = [("", 0)]
        while stack and not self.full:
            folder, depth = stack.pop()
            if depth > _DEEPEST:
                self.refusals.append(refusal(folder, f"lies deeper than {_DEEPEST} folders; it was not examined"))
                continue
            try:
                with os.scandir(f"{self.root}/{folder}" if folder else self.root) as found:
                    items = sorted(found, key=lambda item: item.name)
            except OSError as error:
                self.refusals.append(refusal(folder, reason_of(error)))
                continue
            below: list[tuple[str, int]] = []
            for item in items:
                path = f"{folder}/{item.name}" if folder else item.name
                if item.is_symlink():
                    self._link(path)
                elif item.is_dir(follow_symlinks=False):
                    if item.name in LEFT_OUT:
                        self.left_out.append(path)
                    else:
                        below.append((path, depth + 1))
                elif not self._file(path):
                    break
            stack.extend(reversed(below))

    def _link(self, path: str) -> None:
        try:
            target = os.readlink(f"{self.root}/{path}")
        except OSError as error:
            self.refusals.append(refusal(path, reason_of(error)))
            return
        inside = not os.path.isabs(target) and not normpath(f"{dirname(path)}/{target}".lstrip("/")).startswith("..")
        reason = f"is a link {'inside the folder' if inside else 'that leads out of the folder'}, not followed"
        self.refusals.append(refusal(path, reason, relevant=not inside))

    def _file(self, path: str) -> bool:
        """Note one file. False where the bounds are met."""
        limits = self.limits
        if len(self.entries) >= limits.members:
            self.refusals.append(refusal(path, f"and what follows is past {limits.members} files; it was not examined"))
            self.full = True
            return False
        try:
            descriptor, status = open_regular(f"{self.root}/{path}")
        except Unreadable as error:
            special = not _regular(f"{self.root}/{path}")
            self.refusals.append(refusal(path, error.reason, relevant=not special))
            return True
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if status.st_size > limits.member or self.total + status.st_size > limits.bytes:
                self.refusals.append(refusal(path, f"holds {status.st_size} bytes, past the limits; not examined"))
                return True
            state, size = hashlib.sha256(), 0
            try:
                while part := file.read(CHUNK):
                    state.update(part)
                    size += len(part)
            except OSError as error:
                self.refusals.append(refusal(path, reason_of(error)))
                return True
        self.total += size
        executable = bool(status.st_mode & 0o111)
        self.entries.append(Entry(path, size, state.hexdigest(), len(self.entries), executable=executable))
        return True


def _regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return True


def open_folder(path: str, limits: Limits) -> Opened:
    """The release in a folder. Raises TargetError where it holds no file at all."""
    root = path.rstrip("/") or "/"
    folder = _Folder(root, limits)
    folder.walk()
    if not folder.entries and not folder.refusals:
        raise TargetError(
            "is a folder without files",
            where=path,
            advice="Name the folder that holds package.json, pyproject.toml or the files of the release",
        )
    found = settled(folder.entries, False, "the last one was read")

    def read(name: str) -> Iterator[bytes]:
        entry = found.places[name]
        descriptor, _ = open_regular(f"{root}/{entry.name}")
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            state, left = hashlib.sha256(), entry.size
            while left >= 0:
                part = file.read(min(CHUNK, left + 1))
                if not part:
                    break
                state.update(part)
                left -= len(part)
                yield part
            if state.hexdigest() != entry.sha256:
                raise Unreadable("changed since the release was opened")

    refusals = [*folder.refusals, *found.refusals]
    return Opened("directory", found.members, refusals, {}, read, lambda: None, tuple(folder.left_out))

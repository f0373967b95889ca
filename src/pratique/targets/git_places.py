"""Where git repositories lie in a folder, and what state they are in: by their files, before git is asked anything.

A `.git` file may point anywhere. It is followed only where it leads to a place inside the folder that was named, or
to one that points back at it, as linked work trees and submodules do. A repository with something in it that is no
regular file is not opened: git would wait on a pipe for ever.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator

import msgspec

from pratique.model.errors import TargetError

MOST_FOLDERS = 2_000_000
MOST_MODULES = 10_000
_SMALL = 1 << 16
_CHUNK = 1 << 20
_STATE = ("HEAD", "config", "config.worktree", "packed-refs", "index", "shallow", "objects/info/alternates")
_TREES = ("refs", "logs", "reftable")
_STATE_OF_WORKTREES = ("HEAD", "index", "gitdir")


class Place(msgspec.Struct, frozen=True):
    """The database of a repository: `folder` is its absolute path. With a `reason` it is not opened."""

    folder: str
    reason: str = ""


def is_repository(folder: str) -> bool:
    """Whether a folder is a git database: bare, mirror, or what `.git` holds."""
    return (
        os.path.isdir(f"{folder}/objects")
        and os.path.lexists(f"{folder}/HEAD")
        and (os.path.isdir(f"{folder}/refs") or os.path.lexists(f"{folder}/packed-refs"))
    )


def resolve(path: str) -> Place | None:
    """The database of the repository at a path; None where there is none."""
    inner = f"{path}/.git"
    if os.path.islink(inner):
        real = os.path.realpath(inner)
        if not _within(real, path):
            return Place(real, f"its .git is a link to {real}, outside of it; name that path to examine it")
        inner = real
    if os.path.isdir(inner):
        return _checked(inner) if is_repository(inner) else Place(inner, "its .git holds no whole repository")
    if os.path.lexists(inner):
        return _pointed(path, inner)
    if is_repository(path):
        return _checked(path)
    try:
        with os.scandir(path):
            return None
    except OSError as error:
        return Place(path, f"cannot be listed: {(error.strerror or type(error).__name__).lower()}")


def _within(real: str, path: str) -> bool:
    return f"{real}/".startswith(f"{os.path.realpath(path).rstrip('/')}/")


def _text(path: str) -> str | None:
    """The text of a small regular file."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            return os.fsdecode(file.read(_SMALL))
    except (OSError, ValueError):
        return None


def _pointed(path: str, file: str) -> Place:
    """The database that a `.git` file points to."""
    text = _text(file)
    if text is None or not text.startswith("gitdir:"):
        return Place(path, "its .git is neither a folder nor a file that points to one")
    target = os.path.realpath(os.path.join(path, text[7:].strip()))
    common = _text(f"{target}/commondir")
    if common is not None:
        main = os.path.realpath(os.path.join(target, common.strip()))
        back = os.path.realpath((_text(f"{target}/gitdir") or "").strip() or "/")
        mutual = back == os.path.realpath(file) and os.path.dirname(target) == f"{main}/worktrees"
        if is_repository(main) and (mutual or _within(main, path)):
            return _checked(main)
    elif is_repository(target):
        named = re.search(r"^\s*worktree\s*=\s*(.+?)\s*$", _text(f"{target}/config") or "", re.MULTILINE)
        back = os.path.realpath(os.path.join(target, named[1].strip('"'))) if named else ""
        if back == os.path.realpath(path) or _within(target, path):
            return _checked(target)
    return Place(target, f"its .git file points to {target}, which is no repository that points back; name that path")


def _checked(folder: str) -> Place:
    """A database, unless git would read elsewhere or wait for ever there."""
    if os.path.lexists(f"{folder}/commondir"):
        return Place(folder, "says that its database lies elsewhere (commondir); name that path to examine it")
    return Place(folder)


def special(folder: str) -> str | None:
    """The first thing in a database that is neither a file nor a folder, by its path; None where there is none."""
    stack = [folder]
    while stack:
        current = stack.pop()
        try:
            with os.scandir(current) as listing:
                for entry in listing:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in ("hooks", "modules", "lfs", "annex"):
                            stack.append(entry.path)
                    elif not entry.is_file(follow_symlinks=False) and not (
                        entry.is_symlink() and (entry.is_file() or entry.is_dir() or not os.path.exists(entry.path))
                    ):
                        return os.path.relpath(entry.path, folder)
        except OSError as error:
            return f"{os.path.relpath(current, folder)} ({(error.strerror or '').lower()})"
    return None


def modules(folder: str) -> list[str]:
    """The databases of submodules that a database holds, at any depth, in order."""
    found: list[str] = []
    stack = [f"{folder}/modules"]
    while stack and len(found) < MOST_MODULES:
        current = stack.pop()
        try:
            inner = [entry.path for entry in os.scandir(current) if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        for path in inner:
            if is_repository(path):
                found.append(path)
                stack.append(f"{path}/modules")
            else:
                stack.append(path)
    return sorted(found)


def find(path: str) -> list[str]:
    """The repositories at or below a path, in order, each once. Raises TargetError."""
    known: dict[str, str] = {}
    for folder in _below(path):
        place = resolve(folder)
        if place is None:
            continue
        known.setdefault(f"{place.folder}?{folder}" if place.reason else place.folder, folder)
        if not place.reason:
            for module in modules(place.folder):
                known.setdefault(module, module)
    if not known:
        raise TargetError("is no git repository and holds none", where=path, advice="Name a repository")
    checked_out = {os.path.realpath(place): folder for place, folder in known.items()}
    return sorted(set(checked_out.values()))


def _below(path: str) -> Iterator[str]:
    """Every folder that may be a repository: work trees before what lies in them."""
    stack, count = [path], 0
    while stack:
        folder = stack.pop()
        count += 1
        if count > MOST_FOLDERS:
            raise TargetError(f"holds more than {MOST_FOLDERS} folders", where=path, advice="Name the repositories")
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if folder == path:
                reason = (error.strerror or type(error).__name__).lower()
                raise TargetError(f"cannot be listed: {reason}", where=path, advice="Ask its owner") from None
            yield folder
            continue
        names = {entry.name for entry in entries}
        if ".git" in names or {"HEAD", "objects"} <= names:
            yield folder
        if "HEAD" in names and is_repository(folder):
            continue
        stack += [
            entry.path for entry in reversed(entries) if entry.name != ".git" and entry.is_dir(follow_symlinks=False)
        ]


def state(folder: str, *, objects: bool) -> str:
    """A digest of all that a history depends on: refs, heads, reflogs, indexes, cuts; of the objects' names too.

    Objects are named by their content, so their bytes need not be read. Raises OSError.
    """
    digest = hashlib.sha256(b"git/1\0")
    for name in _files(folder):
        path = f"{folder}/{name}"
        if not os.path.exists(path):
            continue
        digest.update(b"\1" + os.fsencode(name) + b"\0")
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    for module in modules(folder):
        digest.update(b"\2" + os.fsencode(os.path.relpath(module, folder)) + b"\0")
    if objects:
        for base, _, names in sorted(os.walk(f"{folder}/objects")):
            digest.update(b"\3" + os.fsencode(os.path.relpath(base, folder)) + b"\0")
            digest.update(b"\0".join(os.fsencode(name) for name in sorted(names)))
    return digest.hexdigest()


def heads(folder: str) -> list[str]:
    """Names of files such as MERGE_HEAD, that hold ids of commits without being refs."""
    return sorted(name for name in os.listdir(folder) if name.endswith("_HEAD") and name.isupper())


def worktrees(folder: str) -> list[str]:
    """The databases of linked work trees, in order."""
    try:
        return sorted(entry.path for entry in os.scandir(f"{folder}/worktrees") if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _files(folder: str) -> list[str]:
    """The files that the state of a repository is in, relative to it."""
    found = [*_STATE, *heads(folder)]
    found += sorted(name for name in os.listdir(folder) if name.startswith("sharedindex."))
    bases = [*_TREES]
    for worktree in worktrees(folder):
        relative = os.path.relpath(worktree, folder)
        found += [f"{relative}/{name}" for name in (*_STATE_OF_WORKTREES, *heads(worktree))]
        bases += [f"{relative}/refs", f"{relative}/logs"]
    for base in bases:
        for inner, folders, names in os.walk(f"{folder}/{base}"):
            folders.sort()
            found += [os.path.relpath(f"{inner}/{name}", folder) for name in sorted(names)]
    return found

"""What belongs to a tree: other file systems mounted in it, links on the disk of another machine, what is left out."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence


def mount_points(root: str, *, kept: bool = False) -> frozenset[str]:
    """Paths below `root`, relative to it, on which another file system is mounted (Linux; elsewhere none known).

    With `kept`, those alone that keep files: not what a running kernel shows of itself.
    """
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
            points = [
                _unescape(line.split(" ")[4])
                for line in table
                if not kept or line.partition(" - ")[2].partition(" ")[0] not in _OF_THE_KERNEL
            ]
    except OSError:
        return frozenset()
    base = os.path.realpath(root).rstrip("/") + "/"
    return frozenset(point[len(base) :] for point in points if point.startswith(base) and point != base)


_OF_THE_KERNEL = frozenset(
    {
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "hugetlbfs",
        "mqueue",
        "nsfs",
        "proc",
        "pstore",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "sysfs",
        "tracefs",
    }
)
"""Kinds of file systems that hold no files of their own."""


def _unescape(text: str) -> str:
    """Undo the octal escapes of mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


_MOST_LINKS = 40


_WINDOWS_PATH = re.compile(r"(?:\\\\\?\\|\\\?\?\\|/\?\?/)?[A-Za-z]:[\\/]")


def resolve(root: str, path: str) -> str | None:
    """Where a path of another machine leads inside the folder that holds its disk; None where it leads nowhere.

    Links are followed as that machine would: an absolute one starts at the disk's root, `..` stops there. A name that
    is not there may be spelled in other letters, as on Windows.
    """
    base = root.rstrip("/") + "/"
    todo = path.split("/")[::-1]
    done: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            done = done[:-1]
            continue
        here = base + "/".join([*done, part])
        try:
            mode = os.lstat(here).st_mode
        except (OSError, ValueError):
            other = _spelled(base + "/".join(done), part)
            links += 1
            if other is None or links > _MOST_LINKS:
                return None
            todo.append(other)
            continue
        if not stat.S_ISLNK(mode):
            done.append(part)
            continue
        links += 1
        if links > _MOST_LINKS:
            return None
        target = _link_text(here)
        if target.startswith(base) and not os.path.lexists(base + target[1:]):
            target = target[len(base) - 1 :]  # a driver that spells junctions by the place it mounted them at
        if target.startswith("/"):
            done = []
        todo += target.split("/")[::-1]
    return base + "/".join(done) if done else base


def _link_text(path: str) -> str:
    """What a link says, with a Windows path as one from the root."""
    try:
        target = os.readlink(path)
    except OSError:
        return ""
    match = _WINDOWS_PATH.match(target)
    if match:
        return "/" + target[match.end() :].replace("\\", "/")
    return target


def _spelled(folder: str, name: str) -> str | None:
    """The one entry of a folder that differs from a name in the case of its letters alone."""
    folded = name.casefold()
    try:
        found = [entry for entry in os.listdir(folder) if entry.casefold() == folded and entry != name]
    except OSError:
        return None
    return found[0] if len(found) == 1 else None


def compile_globs(globs: Sequence[str]) -> Callable[[str], bool] | None:
    """A test of relative paths against globs; a glob without a slash is tried on every part of the path."""
    if not globs:
        return None
    import fnmatch

    parts = []
    for glob in globs:
        text = glob.strip("/")
        pattern = fnmatch.translate(text)
        parts.append(pattern if "/" in text else rf"(?s:(?:.*/)?){pattern}")
    compiled = re.compile("|".join(f"(?:{part})" for part in parts))
    return lambda path: compiled.match(path) is not None

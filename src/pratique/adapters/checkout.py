"""Whether a file of a git checkout holds a change that nobody committed: asked of git's objects alone."""

from __future__ import annotations

import contextlib
import hashlib
import os

from pratique.adapters import git as program
from pratique.model.ports import Unreadable

_LARGEST = 4096


def uncommitted(path: str, content: bytes) -> bool | None:
    """Whether these bytes of a file differ from those of the newest commit; None where there is no checkout or no git.

    A file that no commit holds counts as uncommitted. Line ends that git converts count as no change.
    """
    top, database = repository(os.path.dirname(path))
    starter = program.starter()
    if database is None or starter is None:
        return None
    relative = os.path.relpath(path, top).replace(os.sep, "/")
    if "\n" in relative:
        return None
    try:
        asked = [f"HEAD:{relative}\n".encode("utf-8", "surrogateescape")]
        with starter(database, ("cat-file", "--batch-check"), asked) as stream:
            words = stream.read(_LARGEST).split()
    except (Unreadable, OSError):
        return None
    if len(words) < 3 or words[-2] != b"blob":
        return True
    known = words[-3].decode("ascii", "replace")
    return all(_object(variant, len(known)) != known for variant in (content, content.replace(b"\r\n", b"\n")))


def _object(content: bytes, length: int) -> str:
    head = b"blob %d\0" % len(content)
    if length == 64:
        return hashlib.sha256(head + content).hexdigest()
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def repository(folder: str) -> tuple[str, str | None]:
    """The top of the checkout that holds a folder, and its database; None where there is none."""
    at = folder
    while True:
        place = os.path.join(at, ".git")
        if os.path.isdir(place):
            return at, place
        if os.path.isfile(place):
            with contextlib.suppress(OSError, UnicodeDecodeError), open(place, encoding="utf-8") as file:
                head, _, target = file.read(_LARGEST).strip().partition("gitdir: ")
                if not head and target and os.path.isdir(found := os.path.join(at, target)):
                    return at, os.path.abspath(found)
            return at, None
        above = os.path.dirname(at)
        if above == at:
            return folder, None
        at = above

"""Open a release that lies in a file or folder: its files, in any order, each with its digest; nothing is executed.

A tarball of npm, a source distribution or wheel of Python, an unpacked folder: told by content, not by name. Of an
archive not more than one member is in memory at once. What is damaged, ambiguous or past the bounds is a refusal of the
release and never an exception; only what is no release at all is a TargetError.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from typing import BinaryIO

from pratique.model.errors import TargetError
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Form
from pratique.targets.files import reason_of
from pratique.targets.release_folder import open_folder
from pratique.targets.release_parts import CHUNK, Limits, Opened, refusal
from pratique.targets.release_tape import NoArchive, open_tape
from pratique.targets.release_wheel import open_zip
from pratique.targets.release_zip import CENTRAL, END, LOCAL, Broken
from pratique.targets.unpacking import kind_of

__all__ = ["LIMITS", "Limits", "Opened", "open_bytes", "open_release"]

LIMITS = Limits()
_HEAD = 512
_TAIL = (1 << 16) + 22
_ADVICE = "Name a tarball of npm, a wheel, a source distribution, or a folder that holds an unpacked package"


def open_release(path: str, *, limits: Limits = LIMITS, hint: Form | None = None) -> Opened:
    """The files of the release at a path: a tarball (npm, sdist), a zip (wheel, sdist) or a folder.

    `hint` says which form was asked for; it decides only where the content leaves it open (whether a tar is a package
    of npm or a source distribution). Raises TargetError where nothing lies there, or it is no release.
    """
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            return open_folder(path, limits)
        descriptor = os.open(os.path.realpath(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise TargetError("does not exist", where=path, advice=_ADVICE) from None
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "is no path"
        raise TargetError(f"cannot be opened: {reason}", where=path, advice=_ADVICE) from None
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise TargetError("is neither a file nor a folder", where=path, advice=_ADVICE)
    return _opened(file, os.fstat(descriptor).st_size, path, limits, hint)


def open_bytes(content: bytes, *, where: str, limits: Limits = LIMITS, hint: Form | None = None) -> Opened:
    """The files of a release whose archive was fetched. `where` names it in errors. Raises TargetError as above."""
    return _opened(io.BytesIO(content), len(content), where, limits, hint)


def _opened(file: BinaryIO, size: int, where: str, limits: Limits, hint: Form | None) -> Opened:
    """Open an archive by its content, and close it where that fails."""
    try:
        opened = _by_content(file, size, where, limits, hint)
    except BaseException:  # the file is not left open; it is passed on
        file.close()
        raise
    return opened


def _by_content(file: BinaryIO, size: int, where: str, limits: Limits, hint: Form | None) -> Opened:
    if not size:
        raise TargetError("is empty", where=where, advice=_ADVICE)
    head = file.read(_HEAD)
    packed = kind_of(head) is not None
    also = _zip_at_end(file, size)
    if head.startswith((LOCAL, END)) or (also and not packed and head[257:262] != b"ustar"):
        return _zip(file, size, where, limits, hint)
    file.seek(0)
    doubts: list[Refusal] = []
    if also:
        doubts.append(refusal("", "the archive is a zip as well, which was not examined: readers differ"))
    try:
        opened = open_tape(file, head, limits, hint, doubts)
    except NoArchive:
        what = "holds no archive" if packed else "is no archive of a release"
        raise TargetError(what, where=where, advice=_ADVICE) from None
    file.close()
    return opened


def _zip_at_end(file: BinaryIO, size: int) -> bool:
    """Whether the end of a file is that of a zip with a directory."""
    file.seek(max(size - _TAIL, 0))
    tail = file.read(_TAIL)
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < 22:
        return False
    place = size - len(tail) + at - int.from_bytes(tail[at + 12 : at + 16], "little")
    file.seek(max(place, 0))
    return file.read(4) in (CENTRAL, END)


def _zip(file: BinaryIO, size: int, where: str, limits: Limits, hint: Form | None) -> Opened:
    """A zip; one whose directory cannot be read is a release of which nothing was examined."""
    digests = _digests(file)
    try:
        return open_zip(file, size, limits, hint, digests)
    except Broken as error:
        gap = refusal("", f"the archive {error.reason}; nothing of it was examined")
        return Opened("wheel" if hint != "sdist" else hint, {}, [gap], digests, _nothing, file.close)


def _nothing(path: str) -> io.BytesIO:
    raise Unreadable(f"{path} is no file of the release")


def _digests(file: BinaryIO) -> dict[str, str]:
    """The digests of a whole file."""
    states = [hashlib.sha1(usedforsecurity=False), hashlib.sha256(), hashlib.sha512()]
    file.seek(0)
    while part := file.read(CHUNK):
        for state in states:
            state.update(part)
    return {state.name: state.hexdigest() for state in states}

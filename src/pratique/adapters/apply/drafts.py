"""Files written beside their place, flushed, and dressed as the file that they stand for; drafts and copies removed."""

from __future__ import annotations

import contextlib
import os
import stat

import msgspec

from pratique.adapters import disk
from pratique.adapters.apply.answers import Refused


class Kept(msgspec.Struct, frozen=True):
    """What a file was, beside its bytes."""

    mode: int
    modified: int
    accessed: int
    owner: int
    group: int
    links: int
    attributes: tuple[tuple[str, bytes], ...] = ()


def draft_of(place: str) -> str:
    """The name of what is written beside a file: the same for the same step, so that a later run finds it."""
    return f".pratique-{os.path.basename(place)}.draft"


def identity(status: os.stat_result) -> tuple[int, ...]:
    """What tells a file from any other, and from itself after a change."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def kept_of(descriptor: int, status: os.stat_result) -> Kept:
    """What an open file is, beside its bytes."""
    return Kept(
        mode=stat.S_IMODE(status.st_mode),
        modified=status.st_mtime_ns,
        accessed=status.st_atime_ns,
        owner=status.st_uid,
        group=status.st_gid,
        links=status.st_nlink,
        attributes=_attributes(descriptor),
    )


def _attributes(descriptor: int) -> tuple[tuple[str, bytes], ...]:
    if not hasattr(os, "listxattr"):
        return ()
    found = []
    with contextlib.suppress(OSError):
        for key in sorted(os.listxattr(descriptor)):
            with contextlib.suppress(OSError):
                found.append((key, os.getxattr(descriptor, key)))
    return tuple(found)


def write(folder: int, name: str, content: bytes, known: Kept | None) -> None:
    """A file of the quarantine, whole or not at all."""
    part = f"{name}.part"
    write_draft(folder, part, content, known)
    try:
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:  # no draft is left behind; the error is passed on
        with contextlib.suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise
    os.fsync(folder)


def write_draft(folder: int, name: str, content: bytes, known: Kept | None, timed: bool = False) -> str:
    """Write a new file, flushed; what could not be kept of the old one, in words. An earlier draft goes first."""
    old = disk.look(folder, name)
    if old is not None:
        if not stat.S_ISREG(old.st_mode):
            raise Refused(f"{name}: something lies where a draft is written")
        os.unlink(name, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    told: list[str] = []
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if known is not None:
            told = dress(descriptor, known)
            if timed:
                os.utime(descriptor, ns=(known.accessed, known.modified))
        elif name.startswith(".pratique-"):
            os.fchmod(descriptor, 0o666 & ~_mask())
        os.fsync(descriptor)
    except BaseException:  # no draft is left behind; the error is passed on
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    os.close(descriptor)
    return "; ".join(told)


def _mask() -> int:
    """The mask of this process for new files."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def dress(descriptor: int, known: Kept) -> list[str]:
    """Give an open file the owner, attributes, mode and times of another; what could not be kept, in words."""
    told = []
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (known.owner, known.group):
        try:
            os.fchown(descriptor, known.owner, known.group)
        except OSError:
            told.append(f"owner {known.owner}:{known.group} could not be kept")
    for key, value in known.attributes:
        try:
            os.setxattr(descriptor, key, value)
        except (OSError, AttributeError):
            told.append(f"attribute {key} could not be kept")
    os.fchmod(descriptor, known.mode)
    return told


def remove(folder: int, name: str) -> None:
    """Take away a file, or a folder with all in it: only ever what lies whole elsewhere, or a draft."""
    found = disk.look(folder, name)
    if found is None:
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(name, dir_fd=folder)
        return
    for _, inner, leaf, kind in disk.walk(folder, name):
        if kind == "folder":
            os.rmdir(leaf, dir_fd=inner)
        else:
            os.unlink(leaf, dir_fd=inner)
    os.rmdir(name, dir_fd=folder)

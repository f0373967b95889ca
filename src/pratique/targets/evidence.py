"""What lies around a sighting on a disk and is worth a copy: named files, opened without following or running anything.

Listings are bounded. Links are not followed: where one lies in place of a file, the link itself is the evidence.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import msgspec

from pratique.model.location import Location, undecoded
from pratique.model.ports import Unreadable, iso_time
from pratique.targets.files import open_regular, reason_of

MOST_ENTRIES = 400
"""Files that are taken out of one folder at most."""


class Times(msgspec.Struct, frozen=True):
    """What the file system says of a file before it is read. Times are ISO 8601 in UTC."""

    modified: str | None
    changed: str | None
    accessed: str | None
    born: str | None
    mode: str
    owner: str
    size: int
    link: str | None


def folder_of(target: str) -> str:
    """The path on this machine that a target's URI names."""
    return unquote(urlsplit(target.partition("+")[2] if "+" in target.partition(":")[0] else target).path)


def path_of(location: Location) -> str:
    """The path on this machine of a location, that of the container where it lies in one."""
    return os.path.join(folder_of(location.target), undecoded(location))


def described(path: str) -> Times:
    """Times, mode and owner of what lies at a path, links not followed. Raises Unreadable."""
    try:
        status = os.lstat(path)
        link = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    born = getattr(status, "st_birthtime", None)
    return Times(
        _moment(status.st_mtime),
        _moment(status.st_ctime),
        _moment(status.st_atime),
        _moment(born) if born is not None else None,
        f"{stat.S_IMODE(status.st_mode):04o}",
        f"uid {status.st_uid} gid {status.st_gid}",
        status.st_size,
        link,
    )


def opened(path: str) -> BinaryIO:
    """A regular file, open for reading; never blocks, never follows a link. Raises Unreadable."""
    descriptor, _ = open_regular(path)
    return os.fdopen(descriptor, "rb")


def files_below(folder: str, depth: int = 1, most: int = MOST_ENTRIES) -> Iterator[str]:
    """Files of a folder in order of name, to a depth, at most so many. Raises Unreadable where it cannot be listed."""
    left = most
    waiting = [(folder, depth)]
    while waiting:
        current, levels = waiting.pop()
        try:
            with os.scandir(current) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise Unreadable(reason_of(error)) from None
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if levels > 1:
                    waiting.append((entry.path, levels - 1))
            elif left:
                left -= 1
                yield entry.path
            else:
                raise Unreadable(f"holds more than {most} files; the others were not copied")


def _moment(seconds: float) -> str | None:
    try:
        return iso_time(seconds)
    except (ValueError, OverflowError):
        return None

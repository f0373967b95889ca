"""Read files and folders of a live disk without following any link, at no component of the path, and take digests.

A path is opened folder by folder (`O_NOFOLLOW`), so that nothing that is put in its way between two looks leads
elsewhere. Windows knows no such opening: there each component is looked at first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator

from pratique.model.ports import Unreadable

LARGEST = 64 << 20
"""The largest file that is read whole."""
MOST_ENTRIES = 200_000
"""The most entries of a folder whose digest is taken."""
DEEPEST = 128
_PART = 1 << 20
_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0)
_CLOSE = getattr(os, "O_CLOEXEC", 0)
_CALM = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def plain(path: str) -> str | None:
    """Why a path is none that may be opened; None where it is absolute, of valid text, and without `.` and `..`."""
    if not os.path.isabs(path):
        return "is no absolute path"
    if "\0" in path or any("\ud800" <= char <= "\udfff" for char in path):
        return "is no valid text"
    if path != os.path.normpath(path) or path.startswith("//"):
        return "is not spelled plainly"
    if path == os.path.dirname(path):
        return "is the root of the disk"
    return None


@contextlib.contextmanager
def parent(path: str) -> Iterator[tuple[int | None, str]]:
    """The open folder that holds a path, and the last name. Raises Unreadable for a link or anything else on the way.

    Without descriptors of folders (Windows) it gives None and the whole path.
    """
    reason = plain(path)
    if reason is not None:
        raise Unreadable(reason)
    head, name = os.path.split(path)
    if os.open not in os.supports_dir_fd:
        _look_at_each(head)
        yield None, path
        return
    descriptor = os.open("/", os.O_RDONLY | _FOLDER | _CLOSE)
    try:
        for part in head.split("/"):
            if part:
                try:
                    inner = os.open(part, os.O_RDONLY | _FOLDER | _FOLLOW | _CLOSE, dir_fd=descriptor)
                except OSError as error:
                    raise Unreadable(_why(error, part, descriptor)) from None
                os.close(descriptor)
                descriptor = inner
        yield descriptor, name
    finally:
        os.close(descriptor)


def _why(error: OSError, part: str, folder: int) -> str:
    """Why a folder on the way could not be opened."""
    with contextlib.suppress(OSError):
        if stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode):
            return f"leads through a symbolic link ({part})"
    return (error.strerror or type(error).__name__).lower()


def _look_at_each(folder: str) -> None:
    at = folder
    while at != os.path.dirname(at):
        try:
            status = os.lstat(at)
        except OSError as error:
            raise Unreadable((error.strerror or "cannot be read").lower()) from None
        if stat.S_ISLNK(status.st_mode) or _is_reparse_point(status):
            raise Unreadable(f"leads through a link ({os.path.basename(at)})")
        at = os.path.dirname(at)


def _is_reparse_point(status: os.stat_result) -> bool:
    """Whether Windows leads elsewhere from here: a junction, a mount point."""
    return int(getattr(status, "st_reparse_tag", False)) != 0


def status(path: str) -> os.stat_result | None:
    """What is at a path, not following it; None where nothing is. Raises Unreadable."""
    with parent(path) as (folder, name):
        return look(folder, name)


def look(folder: int | None, name: str) -> os.stat_result | None:
    """What is at a name of an open folder; None where nothing is."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unreadable((error.strerror or "cannot be read").lower()) from None


@contextlib.contextmanager
def opened(folder: int | None, name: str) -> Iterator[tuple[int, os.stat_result]]:
    """A regular file, opened to be read, and its status. Raises Unreadable for anything else."""
    try:
        descriptor = os.open(name, os.O_RDONLY | _FOLLOW | _CLOSE | _CALM | _BINARY, dir_fd=folder)
    except OSError as error:
        found = look(folder, name)
        if found is not None and stat.S_ISLNK(found.st_mode):
            raise Unreadable("is a symbolic link") from None
        raise Unreadable((error.strerror or "cannot be read").lower()) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("is no regular file")
        yield descriptor, found
    finally:
        os.close(descriptor)


def parts(descriptor: int) -> Iterator[bytes]:
    """The bytes of an open file. Raises Unreadable."""
    try:
        while part := os.read(descriptor, _PART):
            yield part
    except OSError as error:
        raise Unreadable((error.strerror or "cannot be read").lower()) from None


def read(path: str, largest: int = LARGEST) -> tuple[bytes, os.stat_result]:
    """A file whole, and its status. Raises Unreadable."""
    with parent(path) as (folder, name), opened(folder, name) as (descriptor, found):
        if found.st_size > largest:
            raise Unreadable(f"is larger than {largest} bytes")
        content = b"".join(parts(descriptor))
        return content, found


def of(content: bytes) -> str:
    """`sha256:<hexadecimal>` of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest(path: str) -> tuple[str, os.stat_result]:
    """The digest of the file or folder at a path, and its status. Raises Unreadable."""
    with parent(path) as (folder, name):
        return digest_at(folder, name)


def digest_at(folder: int | None, name: str) -> tuple[str, os.stat_result]:
    """The digest of a file or folder in an open folder. Of a folder: of the sorted lines `<digest>  <relative path>`.

    Where a link stands in a folder, its line holds the digest of `link:` and where it leads. Raises Unreadable.
    """
    found = look(folder, name)
    if found is None:
        raise Unreadable("is not there")
    if stat.S_ISREG(found.st_mode):
        with opened(folder, name) as (descriptor, status_now):
            return f"sha256:{_hash(descriptor)}", status_now
    if not stat.S_ISDIR(found.st_mode):
        raise Unreadable("is a symbolic link" if stat.S_ISLNK(found.st_mode) else "is no regular file and no folder")
    lines = sorted(f"{value}  {place}" for place, value in _tree(folder, name))
    return of("\n".join(lines).encode("utf-8", "surrogateescape")), found


def entries(folder: int | None, name: str) -> Iterator[tuple[str, str]]:
    """Relative path and digest of every file and link in a folder. Raises Unreadable."""
    yield from _tree(folder, name)


def _hash(descriptor: int) -> str:
    whole = hashlib.sha256()
    for part in parts(descriptor):
        whole.update(part)
    return whole.hexdigest()


def _tree(folder: int | None, name: str) -> Iterator[tuple[str, str]]:
    for count, (place, inner, leaf, kind) in enumerate(walk(folder, name)):
        if count >= MOST_ENTRIES:
            raise Unreadable(f"holds more than {MOST_ENTRIES} entries")
        if kind == "file":
            with opened(inner, leaf) as (descriptor, _):
                yield place, _hash(descriptor)
        elif kind == "link":
            target = os.readlink(leaf, dir_fd=inner)
            yield place, hashlib.sha256(b"link:" + os.fsencode(target)).hexdigest()
        elif kind == "other":
            raise Unreadable(f"holds something that is no file, folder or link: {place}")


def walk(folder: int | None, name: str, _at: str = "", _deep: int = 0) -> Iterator[tuple[str, int | None, str, str]]:
    """Relative path, open folder, name in it and kind (`file`, `link`, `folder`, `other`) of all below a folder.

    A folder comes after what is in it, so that it can be emptied on the way. Raises Unreadable.
    """
    if _deep > DEEPEST:
        raise Unreadable("is nested too deep")
    if os.open not in os.supports_dir_fd:
        inner: int | None = None
        names = sorted(os.listdir(name))
    else:
        try:
            inner = os.open(name, os.O_RDONLY | _FOLDER | _FOLLOW | _CLOSE, dir_fd=folder)
        except OSError as error:
            raise Unreadable((error.strerror or "cannot be read").lower()) from None
    try:
        if inner is not None:
            names = sorted(os.listdir(inner))
        for leaf in names:
            place = f"{_at}/{leaf}" if _at else leaf
            held = leaf if inner is not None else os.path.join(name, leaf)
            found = look(inner, held)
            if found is None:
                continue
            if stat.S_ISDIR(found.st_mode):
                yield from walk(inner, held, place, _deep + 1)
                yield place, inner, held, "folder"
            else:
                kind = "file" if stat.S_ISREG(found.st_mode) else "link" if stat.S_ISLNK(found.st_mode) else "other"
                yield place, inner, held, kind
    except OSError as error:
        raise Unreadable((error.strerror or "cannot be read").lower()) from None
    finally:
        if inner is not None:
            os.close(inner)

"""Moves into quarantine and back: a rename, or a whole copy that is compared before the first byte is taken away."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from pratique.adapters import disk
from pratique.adapters.apply.answers import Changed, Refused
from pratique.adapters.apply.drafts import draft_of, dress, kept_of, remove
from pratique.adapters.apply.folders import entered
from pratique.model.plan import Quarantine
from pratique.model.ports import Unreadable

MOVED = "moved"
"""What was moved, in the folder of its step."""
_PART = "moved.part"


def move(action: Quarantine, place: str, folder: int, name: str) -> Changed:
    """Move a file or folder into the step's folder, or finish a move that was cut off. Raises Refused."""
    with entered(place) as inner:
        moved = disk.look(inner, MOVED)
        found = disk.look(folder, name)
        if moved is not None and disk.digest_at(inner, MOVED)[0] != action.digest:
            if found is None or disk.digest_at(folder, name)[0] != action.digest:
                raise Refused(f"{place}/{MOVED}: is not what the plan names")
            _empty(inner, MOVED, folder, name, f"{place}/{MOVED}")
            moved = None
        if moved is not None:
            if found is not None:
                _empty(folder, name, inner, MOVED, action.path)
                os.fsync(folder)
            return Changed(action.digest, None, f"{place}/{MOVED}", "finished")
        if found is None:
            raise Refused(f"{action.path}: is gone since the plan was made")
        if stat.S_ISDIR(found.st_mode) != action.folder:
            raise Refused(f"{action.path}: is {'a' if stat.S_ISDIR(found.st_mode) else 'no'} folder now")
        there, status = disk.digest_at(folder, name)
        if there != action.digest:
            raise Refused(f"{action.path}: changed since the plan was made: it is {there} now")
        if status.st_nlink > 1 and not action.folder:
            message = f"{status.st_nlink - 1} other name(s) of the same file are still where they were"
        else:
            message = ""
        try:
            os.rename(name, MOVED, src_dir_fd=folder, dst_dir_fd=inner)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _carry(folder, name, inner, _PART)
            if disk.digest_at(inner, _PART)[0] != action.digest:
                raise Refused(f"{action.path}: changed while it was copied") from None
            os.rename(_PART, MOVED, src_dir_fd=inner, dst_dir_fd=inner)
            os.fsync(inner)
            _empty(folder, name, inner, MOVED, action.path)
        os.fsync(inner)
        os.fsync(folder)
        if disk.digest_at(inner, MOVED)[0] != action.digest:
            if disk.look(folder, name) is None:
                os.rename(MOVED, name, src_dir_fd=inner, dst_dir_fd=folder)
            raise Refused(f"{action.path}: changed while it was moved")
    return Changed(action.digest, None, f"{place}/{MOVED}", message)


def put_back(action: Quarantine, place: str, folder: int, name: str) -> Changed:
    """Move it back to where it was, or finish such a move that was cut off. Raises Refused."""
    with entered(place) as inner:
        if disk.look(inner, MOVED) is None:
            raise Refused(f"{place}/{MOVED}: is not there")
        if disk.look(folder, name) is not None:
            if disk.digest_at(folder, name)[0] == action.digest:
                _empty(inner, MOVED, folder, name, f"{place}/{MOVED}")
                os.fsync(inner)
                return Changed(None, action.digest, None, "finished")
            _empty(folder, name, inner, MOVED, action.path)
        if disk.digest_at(inner, MOVED)[0] != action.digest:
            raise Refused(f"{place}/{MOVED}: is not what was moved there")
        try:
            os.rename(MOVED, name, src_dir_fd=inner, dst_dir_fd=folder)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            draft = draft_of(place)
            _carry(inner, MOVED, folder, draft)
            if disk.digest_at(folder, draft)[0] != action.digest:
                raise Refused(f"{place}/{MOVED}: changed while it was copied") from None
            os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
            _empty(inner, MOVED, folder, name, f"{place}/{MOVED}")
        os.fsync(folder)
        os.fsync(inner)
    return Changed(None, action.digest, None)


def _carry(source: int, name: str, target: int, draft: str) -> None:
    """Copy a file or folder to another file system, flushed. What a killed run left there goes first."""
    if disk.look(target, draft) is not None:
        remove(target, draft)
    try:
        _copy(source, name, target, draft)
        os.fsync(target)
    except BaseException:  # no draft is left behind; the error is passed on
        with contextlib.suppress(OSError, Unreadable):
            remove(target, draft)
        raise


def _copy(source: int, name: str, target: int, draft: str) -> None:
    found = disk.look(source, name)
    if found is None:
        raise Unreadable("is gone")
    if stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), draft, dir_fd=target)
        _owned(target, draft, found)
        _timed(target, draft, found)
    elif stat.S_ISDIR(found.st_mode):
        os.mkdir(draft, 0o700, dir_fd=target)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        inner, outer = os.open(name, flags, dir_fd=source), os.open(draft, flags, dir_fd=target)
        try:
            for leaf in sorted(os.listdir(inner)):
                _copy(inner, leaf, outer, leaf)
            dress(outer, kept_of(inner, found))
            os.fsync(outer)
        finally:
            os.close(inner)
            os.close(outer)
        _timed(target, draft, found)
    else:
        with disk.opened(source, name) as (descriptor, status):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            written = os.open(draft, flags, 0o600, dir_fd=target)
            try:
                for part in disk.parts(descriptor):
                    view = memoryview(part)
                    while view:
                        view = view[os.write(written, view) :]
                dress(written, kept_of(descriptor, status))
                os.fsync(written)
            finally:
                os.close(written)
        _timed(target, draft, status)


def _owned(folder: int, name: str, status: os.stat_result) -> None:
    with contextlib.suppress(OSError):
        os.chown(name, status.st_uid, status.st_gid, dir_fd=folder, follow_symlinks=False)


def _timed(folder: int, name: str, status: os.stat_result) -> None:
    os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns), dir_fd=folder, follow_symlinks=False)


def _empty(folder: int, name: str, other: int, copy: str, path: str) -> None:
    """Take away what is left of a thing whose whole copy lies elsewhere. Raises Refused where any of it is no copy."""
    found = disk.look(folder, name)
    if found is None:
        return
    if not stat.S_ISDIR(found.st_mode):
        if disk.digest_at(folder, name)[0] != disk.digest_at(other, copy)[0]:
            raise Refused(f"{path}: is not what was copied")
    else:
        known = dict(disk.entries(other, copy))
        for place, value in disk.entries(folder, name):
            if known.get(place) != value:
                raise Refused(f"{path}: holds something that was not copied: {place}")
    remove(folder, name)

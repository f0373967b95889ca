"""Edits of project files and their undo: bytes from before are kept first, then a draft is renamed over the file."""

from __future__ import annotations

import contextlib
import errno
import os

import msgspec

from pratique.adapters import disk
from pratique.adapters.apply.answers import Changed, Refused
from pratique.adapters.apply.drafts import Kept, draft_of, identity, kept_of, write, write_draft
from pratique.adapters.apply.folders import entered
from pratique.model.plan import Edit, patched, unpatched
from pratique.model.ports import Unreadable

_KEPT = "kept.json"
_BEFORE = "before"


def edit(action: Edit, place: str, folder: int, name: str) -> Changed:
    """Write the new bytes of a file; those from before lie in the step's folder first. Raises Refused."""
    found = disk.look(folder, name)
    if action.before is None:
        if found is not None:
            raise Refused(f"{action.path}: is there, and the plan expects no file")
        content, known = b"", None
    else:
        if found is None:
            raise Refused(f"{action.path}: is gone since the plan was made")
        with disk.opened(folder, name) as (descriptor, status):
            content = b"".join(disk.parts(descriptor))
            known = kept_of(descriptor, status)
            found = status
        if disk.of(content) != action.before:
            raise Refused(f"{action.path}: changed since the plan was made: it is {disk.of(content)} now")
    try:
        new = patched(content, action.hunks)
    except ValueError as error:
        raise Refused(f"{action.path}: {error}") from None
    if disk.of(new) != action.after:
        raise Refused(f"{action.path}: the hunks of the plan do not give what it says")
    message = ""
    with entered(place) as inner:
        if known is not None:
            write(inner, _BEFORE, content, None)
            write(inner, _KEPT, msgspec.json.encode(known), None)
            if known.links > 1:
                message = f"{known.links - 1} other name(s) of the same file keep the old bytes"
        else:
            write(inner, _KEPT, b"null", None)
    draft = draft_of(place)
    told = write_draft(folder, draft, new, known)
    try:
        now = disk.look(folder, name)
        if known is None:
            if now is not None:
                raise Refused(f"{action.path}: appeared while it was written")
            _name(folder, draft, name)
        else:
            if now is None or found is None or identity(now) != identity(found):
                raise Refused(f"{action.path}: changed while it was written")
            os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:  # no draft is left behind; the error is passed on
        with contextlib.suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
    os.fsync(folder)
    kept = f"{place}/{_BEFORE}" if known is not None else None
    return Changed(action.before, action.after, kept, "; ".join(text for text in (message, told) if text))


def _name(folder: int, draft: str, name: str) -> None:
    """Give a draft its name, where nothing has it; a file system without second names is looked at right before."""
    try:
        os.link(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK) or disk.look(folder, name) is not None:
            raise
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(draft, dir_fd=folder)


def restore(action: Edit, place: str, folder: int, name: str) -> Changed:
    """Write the bytes from before again, where the file is as it was written. Raises Refused."""
    found = disk.look(folder, name)
    if found is None:
        raise Refused(f"{action.path}: is gone since it was written")
    with disk.opened(folder, name) as (descriptor, status):
        content = b"".join(disk.parts(descriptor))
        found = status
    if disk.of(content) != action.after:
        raise Refused(f"{action.path}: changed since it was written: it is {disk.of(content)} now")
    if action.before is None:
        os.unlink(name, dir_fd=folder)
        os.fsync(folder)
        return Changed(action.after, None, None)
    try:
        old = unpatched(content, action.hunks)
    except ValueError as error:
        raise Refused(f"{action.path}: {error}") from None
    if disk.of(old) != action.before:
        raise Refused(f"{action.path}: the hunks of the plan do not give back what was there")
    known = _read_kept(place)
    draft = draft_of(place)
    told = write_draft(folder, draft, old, known, timed=True)
    try:
        now = disk.look(folder, name)
        if now is None or identity(now) != identity(found):
            raise Refused(f"{action.path}: changed while it was written")
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:  # no draft is left behind; the error is passed on
        with contextlib.suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
    os.fsync(folder)
    if known is None:
        told = "mode and times from before are not known"
    return Changed(action.after, action.before, None, told)


def _read_kept(place: str) -> Kept | None:
    try:
        content, _ = disk.read(f"{place}/{_KEPT}", 1 << 20)
        return msgspec.json.decode(content, type=Kept | None)
    except (Unreadable, msgspec.DecodeError):
        return None

"""The one place that changes what a shown plan names: edits of project files, moves into quarantine, and their undo.

Nothing is removed: bytes from before lie in the quarantine first. A file is written beside its place, flushed, and
renamed over it, with mode, owner, times and extended attributes kept; a move is a rename, or across file systems a
copy that is flushed and compared before the first byte is taken away. Killed at any moment, a step is either not done,
done, or can be finished: `state` says which. No link is followed at any component of a path.
"""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import stat
import sys
from collections.abc import Iterator
from typing import Literal

import msgspec

from pratique.adapters import disk
from pratique.model.plan import Edit, Quarantine, patched, unpatched
from pratique.model.ports import Unreadable

EDITABLE = (
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    ".npmrc",
    "yarn.lock",
    ".yarnrc",
    ".yarnrc.yml",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bun.lock",
    "bunfig.toml",
    "deno.json",
    "deno.jsonc",
    "deno.lock",
    "pyproject.toml",
    "poetry.lock",
    "poetry.toml",
    "uv.lock",
    "uv.toml",
    "pdm.lock",
    "pdm.toml",
    "Pipfile",
    "Pipfile.lock",
    "pylock*.toml",
    "*requirements*.txt",
    "requirements*.in",
    "*constraints*.txt",
    "pip.conf",
    "action.yml",
    "action.yaml",
)
"""Names of project files that an edit may change."""
FOLDERS = tuple((f"{name}/workflows", ("*.yml", "*.yaml")) for name in (".github", ".gitea", ".forgejo"))
"""Folders of a project and names in them that an edit may change."""
UNITS = (".config/systemd/user", "Library/LaunchAgents", ".config/autostart")
"""Folders in a home that hold units of a user."""
_UNIT_NAMES = ("*.service", "*.timer", "*.socket", "*.path", "*.plist", "*.desktop")
_CACHES = frozenset(
    ("_cacache", "store", ".pnpm-store", "pnpm", "yarn", "Yarn", ".yarn", "berry", ".bun", "deno", "pip", "uv", "npm")
)
_TREES = frozenset(("node_modules", "_npx", ".yarn", "site-packages", "dist-packages"))
_CONFIGURED = frozenset(
    (".vscode", ".claude", ".cursor", ".gemini", ".github", ".devcontainer", ".idea", ".husky", "hooks")
)
_SYSTEM = ("etc", "usr", "bin", "sbin", "lib", "lib64", "boot", "dev", "proc", "sys", "run", "System", "private/etc")
_FOR_USERS = ("dev/shm", "run/user")
_KEPT = "kept.json"
_BEFORE = "before"
_MOVED = "moved"
_PART = "moved.part"

State = Literal["before", "after", "between", "changed"]


class Refused(Exception):  # noqa: N818 (it is an answer, not a failure of the program)
    """A step does not fit what is there; nothing was changed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Failed(Exception):  # noqa: N818 (the same)
    """The system would not do a step. What was there is still there."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Kept(msgspec.Struct, frozen=True):
    """What a file was, beside its bytes."""

    mode: int
    modified: int
    accessed: int
    owner: int
    group: int
    links: int
    attributes: tuple[tuple[str, bytes], ...] = ()


class Changed(msgspec.Struct, frozen=True):
    """What a step did."""

    before: str | None
    after: str | None
    kept: str | None
    message: str = ""


class Seen(msgspec.Struct, frozen=True):
    """How the disk stands to a step. `there` is the digest of what is at its path, None where nothing is."""

    state: State
    there: str | None


def allowed(action: Edit | Quarantine) -> str | None:
    """Why a step may not touch its path; None where its kind of place allows it. The disk is not looked at."""
    reason = disk.plain(action.path)
    if reason is not None:
        return reason
    parts = action.path.split("/")[1:]
    above, name = parts[:-1], parts[-1]
    start = "/".join(parts[:2])
    system = (parts[0] in _SYSTEM or start in _SYSTEM) and start not in _FOR_USERS
    if isinstance(action, Edit):
        if system:
            return "lies in a folder of the system"
        if ".git" in above or _TREES & set(above):
            return "lies inside a repository's database or a package folder"
        patterns = [
            *EDITABLE,
            *(
                item
                for folder, items in FOLDERS
                if action.path.rpartition("/")[0].endswith(f"/{folder}")
                for item in items
            ),
        ]
        return None if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) else "is no file of a project"
    if action.what == "package-folder":
        if system and parts[0] != "usr":
            return "lies in a folder of the system"
        return None if _TREES & set(above) else "lies in no folder of packages"
    if system:
        return "lies in a folder of the system"
    if action.what == "package-cache":
        cached = _CACHES & set(above) or any("cache" in part.lower() for part in above)
        return None if cached else "lies in no cache of packages"
    if action.what == "user-unit":
        unit = any("/".join(above).endswith(folder) for folder in UNITS)
        named = any(fnmatch.fnmatchcase(name, pattern) for pattern in _UNIT_NAMES)
        return None if unit and named and not action.folder else "is no unit of a user"
    if action.what == "persistence":
        return None if _CONFIGURED & set(above) and not action.folder else "lies in no folder of such configuration"
    return None if not action.folder and len(above) > 0 else "is no file"


@contextlib.contextmanager
def alone(folder: str) -> Iterator[None]:
    """Hold the quarantine for this process alone. Raises Refused where another one holds it, Failed for a full disk."""
    import fcntl

    make(folder)
    with _entered(folder) as inner:
        try:
            descriptor = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=inner)
        except OSError as error:
            raise Failed(_words(error)) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Refused("another apply or undo is at work on the same plan or case") from None
            yield
        finally:
            os.close(descriptor)


def make(folder: str) -> None:
    """Make a private folder, where it is not there. Raises Failed."""
    if sys.platform == "win32":
        raise Refused("is carried out on Linux and macOS alone; do the steps by hand")
    try:
        with disk.parent(folder) as (above, name):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=above)
                os.fsync(_known(above))
            found = disk.look(above, name)
            if found is None or not stat.S_ISDIR(found.st_mode):
                raise Failed(f"{folder}: is no folder")
    except Unreadable as error:
        raise Failed(f"{folder}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{folder}: {_words(error)}") from None


def state(action: Edit | Quarantine, place: str) -> Seen:
    """How the disk stands to a step; `place` is the step's own folder in the quarantine. Raises Refused."""
    try:
        there = _digest(action.path)
        if isinstance(action, Edit):
            if there == action.before:
                return Seen("before", there)
            return Seen("after" if there == action.after else "changed", there)
        moved = _digest(f"{place}/{_MOVED}")
    except Unreadable as error:
        raise Refused(f"{action.path}: {error.reason}") from None
    if moved is None:
        return Seen("before" if there == action.digest else "changed", there)
    if moved != action.digest:
        return Seen("between" if there == action.digest else "changed", there)
    return Seen("after" if there is None else "between", there)


def carry_out(action: Edit | Quarantine, place: str) -> Changed:
    """Do a step. Raises Refused and Failed; then nothing at its path was changed."""
    make(os.path.dirname(place))
    make(place)
    tidy(action, place)
    try:
        with disk.parent(action.path) as (folder, name):
            if isinstance(action, Edit):
                return _edit(action, place, _known(folder), name)
            return _move(action, place, _known(folder), name)
    except Unreadable as error:
        raise Refused(f"{action.path}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{action.path}: {_words(error)}") from None


def take_back(action: Edit | Quarantine, place: str) -> Changed:
    """Undo a step: the bytes from before stand there again. Raises Refused and Failed."""
    tidy(action, place)
    try:
        with disk.parent(action.path) as (folder, name):
            if isinstance(action, Edit):
                return _restore(action, place, _known(folder), name)
            return _put_back(action, place, _known(folder), name)
    except Unreadable as error:
        raise Refused(f"{action.path}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{action.path}: {_words(error)}") from None


def tidy(action: Edit | Quarantine, place: str) -> None:
    """Take away the draft that a killed run of this step left beside its path."""
    with contextlib.suppress(Unreadable, OSError), disk.parent(action.path) as (folder, _):
        draft = _draft(place)
        if disk.look(folder, draft) is not None:
            _remove(_known(folder), draft)


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _known(folder: int | None) -> int:
    """An open folder. Raises Refused on a system without them."""
    if folder is None:
        raise Refused("is carried out on Linux and macOS alone; do the step by hand")
    return folder


def _digest(path: str) -> str | None:
    """The digest of what is at a path; None where nothing is, the folder above included."""
    try:
        with disk.parent(path) as (folder, name):
            return None if disk.look(folder, name) is None else disk.digest_at(folder, name)[0]
    except Unreadable as error:
        if error.reason == os.strerror(errno.ENOENT).lower():
            return None
        raise


@contextlib.contextmanager
def _entered(path: str) -> Iterator[int]:
    """An open folder by its path."""
    try:
        with disk.parent(path) as (above, name):
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    except Unreadable as error:
        raise Failed(f"{path}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{path}: {_words(error)}") from None
    try:
        yield inner
    finally:
        os.close(inner)


def _draft(place: str) -> str:
    """The name of what is written beside a file: the same for the same step, so that a later run finds it."""
    return f".pratique-{os.path.basename(place)}.draft"


# --- edits ---------------------------------------------------------------------------------------------------------


def _edit(action: Edit, place: str, folder: int, name: str) -> Changed:
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
            known = _kept(descriptor, status)
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
    with _entered(place) as inner:
        if known is not None:
            _write(inner, _BEFORE, content, None)
            _write(inner, _KEPT, msgspec.json.encode(known), None)
            if known.links > 1:
                message = f"{known.links - 1} other name(s) of the same file keep the old bytes"
        else:
            _write(inner, _KEPT, b"null", None)
    draft = _draft(place)
    told = _write_draft(folder, draft, new, known)
    try:
        now = disk.look(folder, name)
        if known is None:
            if now is not None:
                raise Refused(f"{action.path}: appeared while it was written")
            _name(folder, draft, name)
        else:
            if now is None or found is None or _identity(now) != _identity(found):
                raise Refused(f"{action.path}: changed while it was written")
            os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
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


def _restore(action: Edit, place: str, folder: int, name: str) -> Changed:
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
    draft = _draft(place)
    told = _write_draft(folder, draft, old, known, timed=True)
    try:
        now = disk.look(folder, name)
        if now is None or _identity(now) != _identity(found):
            raise Refused(f"{action.path}: changed while it was written")
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
    os.fsync(folder)
    if known is None:
        told = "mode and times from before are not known"
    return Changed(action.after, action.before, None, told)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _kept(descriptor: int, status: os.stat_result) -> Kept:
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


def _read_kept(place: str) -> Kept | None:
    try:
        content, _ = disk.read(f"{place}/{_KEPT}", 1 << 20)
        return msgspec.json.decode(content, type=Kept | None)
    except (Unreadable, msgspec.DecodeError):
        return None


def _write(folder: int, name: str, content: bytes, known: Kept | None) -> None:
    """A file of the quarantine, whole or not at all."""
    part = f"{name}.part"
    _write_draft(folder, part, content, known)
    try:
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise
    os.fsync(folder)


def _write_draft(folder: int, name: str, content: bytes, known: Kept | None, timed: bool = False) -> str:
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
            told = _dress(descriptor, known)
            if timed:
                os.utime(descriptor, ns=(known.accessed, known.modified))
        elif name.startswith(".pratique-"):
            os.fchmod(descriptor, 0o666 & ~_mask())
        os.fsync(descriptor)
    except BaseException:
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


def _dress(descriptor: int, known: Kept) -> list[str]:
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


# --- moves ---------------------------------------------------------------------------------------------------------


def _move(action: Quarantine, place: str, folder: int, name: str) -> Changed:
    with _entered(place) as inner:
        moved = disk.look(inner, _MOVED)
        found = disk.look(folder, name)
        if moved is not None and disk.digest_at(inner, _MOVED)[0] != action.digest:
            if found is None or disk.digest_at(folder, name)[0] != action.digest:
                raise Refused(f"{place}/{_MOVED}: is not what the plan names")
            _empty(inner, _MOVED, folder, name, f"{place}/{_MOVED}")
            moved = None
        if moved is not None:
            if found is not None:
                _empty(folder, name, inner, _MOVED, action.path)
                os.fsync(folder)
            return Changed(action.digest, None, f"{place}/{_MOVED}", "finished")
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
            os.rename(name, _MOVED, src_dir_fd=folder, dst_dir_fd=inner)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _carry(folder, name, inner, _PART)
            if disk.digest_at(inner, _PART)[0] != action.digest:
                raise Refused(f"{action.path}: changed while it was copied") from None
            os.rename(_PART, _MOVED, src_dir_fd=inner, dst_dir_fd=inner)
            os.fsync(inner)
            _empty(folder, name, inner, _MOVED, action.path)
        os.fsync(inner)
        os.fsync(folder)
        if disk.digest_at(inner, _MOVED)[0] != action.digest:
            if disk.look(folder, name) is None:
                os.rename(_MOVED, name, src_dir_fd=inner, dst_dir_fd=folder)
            raise Refused(f"{action.path}: changed while it was moved")
    return Changed(action.digest, None, f"{place}/{_MOVED}", message)


def _put_back(action: Quarantine, place: str, folder: int, name: str) -> Changed:
    with _entered(place) as inner:
        if disk.look(inner, _MOVED) is None:
            raise Refused(f"{place}/{_MOVED}: is not there")
        if disk.look(folder, name) is not None:
            if disk.digest_at(folder, name)[0] == action.digest:
                _empty(inner, _MOVED, folder, name, f"{place}/{_MOVED}")
                os.fsync(inner)
                return Changed(None, action.digest, None, "finished")
            _empty(folder, name, inner, _MOVED, action.path)
        if disk.digest_at(inner, _MOVED)[0] != action.digest:
            raise Refused(f"{place}/{_MOVED}: is not what was moved there")
        try:
            os.rename(_MOVED, name, src_dir_fd=inner, dst_dir_fd=folder)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            draft = _draft(place)
            _carry(inner, _MOVED, folder, draft)
            if disk.digest_at(folder, draft)[0] != action.digest:
                raise Refused(f"{place}/{_MOVED}: changed while it was copied") from None
            os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
            _empty(inner, _MOVED, folder, name, f"{place}/{_MOVED}")
        os.fsync(folder)
        os.fsync(inner)
    return Changed(None, action.digest, None)


def _carry(source: int, name: str, target: int, draft: str) -> None:
    """Copy a file or folder to another file system, flushed. What a killed run left there goes first."""
    if disk.look(target, draft) is not None:
        _remove(target, draft)
    try:
        _copy(source, name, target, draft)
        os.fsync(target)
    except BaseException:
        with contextlib.suppress(OSError, Unreadable):
            _remove(target, draft)
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
            _dress(outer, _kept(inner, found))
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
                _dress(written, _kept(descriptor, status))
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
    _remove(folder, name)


def _remove(folder: int, name: str) -> None:
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


# --- receipts beside a plan ----------------------------------------------------------------------------------------


def lines(path: str) -> list[bytes]:
    """The whole lines of a file; one at its end that is cut is left out. Raises Failed."""
    try:
        if disk.status(path) is None:
            return []
        content, _ = disk.read(path, 1 << 30)
    except Unreadable as error:
        raise Failed(f"{path}: {error.reason}") from None
    return [line for line in content[: content.rfind(b"\n") + 1].splitlines() if line]


def add_line(path: str, line: bytes) -> None:
    """Add a line to a private file, flushed. A cut line of a killed run goes first. Raises Failed."""
    try:
        with disk.parent(path) as (folder, name):
            new = disk.look(folder, name) is None
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o600, dir_fd=folder)
            try:
                end = _end_of_lines(descriptor)
                os.ftruncate(descriptor, end)
                os.lseek(descriptor, end, os.SEEK_SET)
                view = memoryview(line + b"\n")
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if new:
                os.fsync(_known(folder))
    except Unreadable as error:
        raise Failed(f"{path}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{path}: {_words(error)}") from None


def _end_of_lines(descriptor: int) -> int:
    """Where the last whole line of a file ends."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - 65536)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0

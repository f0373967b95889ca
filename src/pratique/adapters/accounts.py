"""Accounts of this machine, and the names of the variables that their processes hold. Values are never kept."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

_LARGEST = 4 << 20
_MOST_PROCESSES = 20_000


class Record(msgspec.Struct, frozen=True):
    """What the system records of an account. `uid` is None where accounts have no numbers."""

    name: str
    home: str | None
    uid: int | None = None
    groups: tuple[int, ...] = ()


def own() -> Record:
    """The account of this process, by the system's record and not by its variables."""
    if not hasattr(os, "geteuid"):
        home = os.path.expanduser("~")
        return Record(os.environ.get("USERNAME", "this user"), home if os.path.isabs(home) else None)
    uid = os.geteuid()
    groups = tuple(dict.fromkeys((os.getegid(), *os.getgroups())))
    try:
        import pwd

        entry = pwd.getpwuid(uid)
    except (ImportError, KeyError):
        return Record(f"uid {uid}", None, uid, groups)
    return Record(entry.pw_name, entry.pw_dir if os.path.isabs(entry.pw_dir) else None, uid, groups)


def becomes(uid: int | None) -> bool:
    """Whether this process looks with the rights of an account: it is its own, or root can become it."""
    return hasattr(os, "geteuid") and uid is not None and os.geteuid() in (uid, 0)


def named(name: str) -> Record | None:
    """An account by its name; None where there is none."""
    try:
        import pwd

        entry = pwd.getpwnam(name)
    except (ImportError, KeyError):
        return None
    return Record(entry.pw_name, entry.pw_dir, entry.pw_uid, tuple(os.getgrouplist(name, entry.pw_gid)))


def variables() -> dict[str, str]:
    """The variables of this process."""
    return dict(os.environ)


def names_of_processes(uid: int) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Program and names of variables of each other process of an account, where the system shows them (Linux).

    None for the names of a process that could not be looked at, or not wholly; an empty program for all that were not.
    """
    try:
        pids = sorted((int(name) for name in os.listdir("/proc") if name.isdecimal()), reverse=True)
    except OSError:
        yield "", None
        return
    if len(pids) > _MOST_PROCESSES:
        yield "", None
    for pid in pids[:_MOST_PROCESSES]:
        if pid == os.getpid():
            continue
        program = str(pid)
        try:
            if os.stat(f"/proc/{pid}").st_uid != uid:
                continue
            with open(f"/proc/{pid}/comm", "rb") as file:
                program = file.read(64).decode("utf-8", "replace").strip()
            with open(f"/proc/{pid}/environ", "rb") as file:
                content = file.read(_LARGEST)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        except OSError:
            yield program, None
            continue
        parts = (part.partition(b"=") for part in content.split(b"\0"))
        yield program, frozenset(name.decode("utf-8", "replace") for name, _, value in parts if value)
        if len(content) == _LARGEST:
            yield program, None

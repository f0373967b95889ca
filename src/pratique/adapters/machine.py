"""What this machine gives and keeps from an examination: users, mounts, memory, programs. Nothing is written."""

from __future__ import annotations

import os
import sys

GIT_FOLDERS = ("/usr/bin", "/usr/local/bin", "/bin", "/opt/homebrew/bin", "/opt/local/bin")
"""Searched before PATH, so that a shim earlier in PATH is not taken for the program."""


def git() -> str | None:
    """The absolute path of the git program, None where there is none. Relative folders of PATH do not count."""
    return _program("git")


def ssh_keygen() -> str | None:
    """The absolute path of ssh-keygen, found in the same way; None where there is none."""
    return _program("ssh-keygen")


def _program(program: str) -> str | None:
    folders = [*GIT_FOLDERS, *(part for part in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(part))]
    names = (f"{program}.exe",) if sys.platform == "win32" else (program,)
    for folder in folders:
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int | None:
    """Bytes of memory that this process may use: the machine's, or the limit of its control group if that is lower."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(name, encoding="ascii") as file:
                total = min(total, int(file.read()))
        except (OSError, ValueError):
            continue
    return total


def case_sensitive(folder: str) -> bool | None:
    """Whether two names that differ in case are two names there; None where the path has no letter to try it with."""
    other = os.path.join(os.path.dirname(folder), os.path.basename(folder).swapcase())
    if other == folder:
        return None
    try:
        return not os.path.samefile(folder, other)
    except OSError:
        return True


def home() -> str | None:
    """The home folder of this user; None where nothing says which it is, as in a container without accounts."""
    found = os.path.expanduser("~")
    return found if os.path.isabs(found) else None


def other_homes(own: str) -> list[str]:
    """Existing home folders of other people's accounts on this machine, in order."""
    try:
        import pwd
    except ImportError:
        return []
    lowest = 500 if sys.platform == "darwin" else 1000
    people = {entry.pw_dir for entry in pwd.getpwall() if entry.pw_uid == 0 or lowest <= entry.pw_uid < 60000}
    real = os.path.realpath(own)
    return sorted(
        home for home in people if home not in ("", "/") and os.path.isdir(home) and os.path.realpath(home) != real
    )


def readable(path: str) -> str | None:
    """Why a file or folder cannot be opened; None where it can. Nothing is read from it."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        if os.path.isdir(path):
            with os.scandir(path):
                return None
        os.close(os.open(path, flags))
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    return None


def preloaded() -> list[str]:
    """What the system's loader puts into every program before it starts: names of variables, entries of its list."""
    found = [name for name in ("LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES") if os.environ.get(name)]
    try:
        with open("/etc/ld.so.preload", encoding="utf-8", errors="replace") as file:
            found += [f"/etc/ld.so.preload: {line.strip()}" for line in file if line.strip() and line[0] != "#"]
    except OSError:
        pass
    return found


def system() -> str:
    """The operating system and processor architecture."""
    import platform

    return f"{platform.system() or sys.platform} {platform.release()} on {platform.machine() or 'an unknown processor'}"


def is_root() -> bool:
    """Whether this account is the one that may look everywhere; on systems without one, always true."""
    return not hasattr(os, "geteuid") or os.geteuid() == 0


def account() -> str:
    """The name of the account that this process acts as, or its number; the environment is not asked."""
    try:
        import pwd
    except ImportError:
        import getpass

        try:
            return getpass.getuser()
        except (OSError, ImportError, KeyError):
            return "unknown"
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid {os.geteuid()}"

"""The files that a suspect sees: read-only programs, a made-up /etc, a home and temporary folders in memory.

Everything lies in memory file systems with a size limit that nobody outside of the sandbox sees. Of this machine there
are programs and libraries alone, read-only, without devices and without set-user-ID.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping

from pratique.adapters.sandbox import kernel
from pratique.model.detonation import Account, Chamber

PROGRAMS = ("/usr",)
"""Bound with everything below. /bin, /lib and the like are links into it, or are bound too."""
BESIDE = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
KEPT_OF_ETC = ("ld.so.cache", "alternatives", "localtime", "ld.so.conf", "ld.so.conf.d", "debian_version", "os-release")
"""What programs need of /etc and what says nothing about who uses this machine. os-release names a distribution."""
DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
STEPS = "/run/steps"
"""Where the script notes the exit codes of its steps."""
_SIZES = {"": "16m", "/dev": "1m", "/dev/shm": "64m", "/run": "16m"}  # noqa: S108  inside the sandbox
_MOST_FILES = 200_000


def build(root: str, chamber: Chamber, owner: int) -> None:
    """Make the tree at `root`, an empty folder. What the account owns belongs to the user `owner` of this namespace.

    Raises OSError where a part of it cannot be made.
    """
    account, limits = chamber.account, chamber.limits
    _memory(root, _SIZES[""], 0o755)
    for place in ("/proc", "/sys", "/opt", "/srv", "/mnt", "/media", "/boot", "/var", "/var/lib", "/var/log"):
        os.mkdir(root + place, 0o755)
    _memory(f"{root}/home", str(limits.home), 0o755)
    _memory(f"{root}/tmp", str(limits.temporary), 0o1777)  # noqa: S108  inside the sandbox
    os.symlink("../tmp", f"{root}/var/tmp")  # noqa: S108  inside the sandbox
    os.symlink("../run", f"{root}/var/run")
    _memory(f"{root}/run", _SIZES["/run"], 0o755)
    _devices(root)
    home = root + account.home
    if account.home.startswith("/home/"):
        os.makedirs(home, 0o750, exist_ok=True)
    else:
        _memory(home, str(limits.home), 0o700)
    for place in PROGRAMS:
        _bind(place, root)
    for place in BESIDE:
        if os.path.islink(place):
            os.symlink(os.readlink(place), root + place)
        elif os.path.isdir(place):
            _bind(place, root)
    for place in chamber.programs:
        if not place.startswith(("/usr/", *(f"{one}/" for one in BESIDE))):
            _bind(place, root)
    for link, target in chamber.links.items():
        os.makedirs(os.path.dirname(root + link), exist_ok=True)
        os.symlink(target, root + link)
    _etc(root, account)
    written = _files(root, chamber.files, chamber.executables)
    for place in (STEPS, f"/run/user/{account.number}"):
        os.makedirs(root + place, 0o700, exist_ok=True)
        written.append(root + place)
    if owner:
        for path in (*written, home):
            with contextlib.suppress(FileNotFoundError):
                os.chown(path, owner, owner, follow_symlinks=False)
        if not account.number:
            for place in ("", "/etc", "/run", "/var", "/var/lib", "/var/log", "/home", "/opt", "/srv"):
                os.chown(root + place, owner, owner)


def close(root: str, account: Account) -> None:
    """Make what a user of that number may not write read-only. Raises OSError."""
    if account.number:
        kernel.restrict(root, kernel.ATTR_READ_ONLY | kernel.ATTR_NO_DEVICES | kernel.ATTR_NO_SUID, below=False)
    kernel.restrict(f"{root}/dev", kernel.ATTR_READ_ONLY | kernel.ATTR_NO_SUID, below=False)


def process_table(root: str) -> None:
    """Mount the table of processes of this process's own namespace, its settings read-only. Raises OSError."""
    place = f"{root}/proc"
    kernel.mount("proc", place, "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    for name in ("sys", "sysrq-trigger", "irq", "bus", "fs"):
        path = f"{place}/{name}"
        if os.path.exists(path):
            kernel.mount(path, path, "", kernel.MS_BIND | kernel.MS_REC)
            kernel.restrict(path, kernel.ATTR_READ_ONLY, below=True)


def _memory(path: str, size: str, mode: int) -> None:
    os.makedirs(path, exist_ok=True)
    options = f"mode={mode:o},size={size},nr_inodes={_MOST_FILES}"
    kernel.mount("tmpfs", path, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)


def _bind(place: str, root: str) -> None:
    """Show a file or folder of this machine at the same path, read-only."""
    target = root + place
    if os.path.isdir(place):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "ab"):
            pass
    kernel.mount(place, target, "", kernel.MS_BIND | kernel.MS_REC)
    attributes = kernel.ATTR_READ_ONLY | kernel.ATTR_NO_SUID | kernel.ATTR_NO_DEVICES
    kernel.restrict(target, attributes, below=True)


def _devices(root: str) -> None:
    place = f"{root}/dev"
    os.mkdir(place)
    kernel.mount("tmpfs", place, "tmpfs", kernel.MS_NOSUID, f"mode=755,size={_SIZES['/dev']}")
    for name in DEVICES:
        with open(f"{place}/{name}", "ab"):
            pass
        kernel.mount(f"/dev/{name}", f"{place}/{name}", "", kernel.MS_BIND)
    for name, target in _LINKS.items():
        os.symlink(target, f"{place}/{name}")
    _memory(f"{place}/shm", _SIZES["/dev/shm"], 0o1777)  # noqa: S108  inside the sandbox


def _etc(root: str, account: Account) -> None:
    """The accounts, names and resolver of a made-up machine."""
    place = f"{root}/etc"
    os.makedirs(place, 0o755, exist_ok=True)
    for name in KEPT_OF_ETC:
        path = f"/etc/{name}"
        if os.path.islink(path) and os.readlink(path).startswith(("../usr/", "/usr/")):
            os.symlink(os.readlink(path), f"{place}/{name}")
        elif os.path.exists(path):
            _bind(path, root)
    user = f"{account.user}:x:{account.number}:{account.number}"
    texts = {
        "passwd": "root:x:0:0:root:/root:/bin/bash\n"
        + (f"{user}:,,,:{account.home}:/bin/bash\n" if account.number else "")
        + "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        "group": "root:x:0:\n" + (f"{account.user}:x:{account.number}:\n" if account.number else ""),
        "hosts": f"127.0.0.1\tlocalhost\n127.0.1.1\t{account.host}\n::1\tlocalhost ip6-localhost\n",
        "hostname": f"{account.host}\n",
        "resolv.conf": "nameserver 192.168.1.1\noptions timeout:2 attempts:1\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "shells": "/bin/sh\n/bin/bash\n",
        "host.conf": "multi on\n",
    }
    for name, text in texts.items():
        with open(f"{place}/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def _files(root: str, files: Mapping[str, bytes], executables: Iterable[str]) -> list[str]:
    """Write the files of the chamber; returns them and the folders that were made for them."""
    made: list[str] = []
    runnable = frozenset(executables)
    for path, content in files.items():
        missing: list[str] = []
        folder = os.path.dirname(root + path)
        while not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for one in reversed(missing):
            os.mkdir(one, 0o755)
        made += missing
        with open(root + path, "wb") as file:
            file.write(content)
        private = "/.ssh/" in path or path.rpartition("/")[2] in (".npmrc", ".netrc", ".git-credentials", "credentials")
        os.chmod(root + path, 0o755 if path in runnable else 0o600 if private else 0o644)
        made.append(root + path)
    return made

"""The kernel interfaces that a sandbox is made with, by ctypes: namespaces, mounts, capabilities, limits.

unshare(2), mount(2), mount_setattr(2), pivot_root(2), capset(2), prctl(2), user_namespaces(7). No program is started,
none needs to be installed.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from collections.abc import Sequence

from pratique.adapters.supervisor.calls import SECCOMP_NUMBER
from pratique.adapters.supervisor.filters import Instruction, packed

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

NEW_MOUNTS, NEW_HOST_NAME, NEW_MESSAGES = 0x00020000, 0x04000000, 0x08000000
NEW_USER, NEW_PROCESSES, NEW_NETWORK, NEW_GROUPS = 0x10000000, 0x20000000, 0x40000000, 0x02000000
"""CLONE_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET, _NEWCGROUP."""

MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
_UNMOUNT_DETACHED = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_RECURSIVE = 0x8000
_HERE = -100
ATTR_READ_ONLY, ATTR_NO_SUID, ATTR_NO_DEVICES = 0x1, 0x2, 0x4

_CAPBSET_DROP, _SET_SECUREBITS, _AMBIENT, _AMBIENT_CLEAR = 24, 28, 47, 4
_NO_ROOT_RIGHTS = 0x2F
"""SECBIT_NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE and their locks but the last: as capabilities(7) advises."""
_DEATH_SIGNAL, _SET_DUMPABLE, _SET_NAME, _NO_NEW_PRIVILEGES = 1, 4, 15, 38
_CAPABILITY_VERSION = 0x20080522
_ROOT_RIGHTS = 1 << 21 | 1 << 6 | 1 << 7 | 1 << 0
"""CAP_SYS_ADMIN, CAP_SETGID, CAP_SETUID, CAP_CHOWN."""
BIND_LOW_PORTS = 1 << 10
"""CAP_NET_BIND_SERVICE."""


def _failed(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int, what: str) -> None:
    """Enter new namespaces. `what` names them in the error. Raises OSError."""
    if _LIBC.unshare(flags) != 0:
        raise _failed(what)


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2). Raises OSError that names the target."""
    words = (os.fsencode(source), os.fsencode(target), os.fsencode(kind))
    if _LIBC.mount(*words, ctypes.c_ulong(flags), os.fsencode(options) or None) != 0:
        raise _failed(f"{kind or 'mount'} on {target}")


def restrict(target: str, attributes: int, *, below: bool) -> None:
    """Make a mount read-only, without devices, without set-user-ID; with `below` all in it. Raises OSError."""
    held = struct.pack("=QQQQ", attributes, 0, 0, 0)
    flags = _RECURSIVE if below else 0
    if _LIBC.syscall(_MOUNT_SETATTR, _HERE, os.fsencode(target), flags, held, len(held)) != 0:
        raise _failed(f"read-only mount of {target}")


def pivot(machine: str, folder: str) -> None:
    """Make a mounted folder the root, and let go of the former root. Raises OSError."""
    os.chdir(folder)
    if _LIBC.syscall(_PIVOT_ROOT[machine], b".", b".") != 0:
        raise _failed("pivot_root")
    if _LIBC.umount2(b".", _UNMOUNT_DETACHED) != 0:
        raise _failed("the former root")
    os.chdir("/")


def host_name(name: str) -> None:
    """sethostname(2). Raises OSError."""
    held = os.fsencode(name)
    if _LIBC.sethostname(held, len(held)) != 0:
        raise _failed("the host's name")


def map_user(inside: int, outside: int, group_inside: int, group_outside: int) -> None:
    """Say who this process is in its new user namespace (user_namespaces(7)). Raises OSError."""
    for name, text in (
        ("setgroups", b"deny"),
        ("uid_map", b"%d %d 1" % (inside, outside)),
        ("gid_map", b"%d %d 1" % (group_inside, group_outside)),
    ):
        put(f"/proc/self/{name}", text)


def close_to_others() -> None:
    """Let nobody of the same user read or change this process through /proc. Raises OSError."""
    _prctl(_SET_DUMPABLE, 0, "PR_SET_DUMPABLE")


def look_like(name: str) -> None:
    """Have the table of processes show another command line for this process, which says nothing of this machine."""
    _LIBC.prctl(_SET_NAME, name.encode()[:15], 0, 0, 0)
    descriptor = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        fields = os.read(descriptor, 4096).rpartition(b")")[2].split()
    finally:
        os.close(descriptor)
    begin, end = int(fields[45]), int(fields[46])
    if 0 < begin < end:
        text = name.encode()[: end - begin - 1]
        ctypes.memset(begin, 0, end - begin)
        ctypes.memmove(begin, text, len(text))


def put(path: str, content: bytes) -> None:
    """Write a file of the kernel. Needs no module of Python, which a new root may not have. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def die_with_parent(signal_number: int) -> None:
    """Get a signal when the parent ends. To be set anew after each change of the user. Raises OSError."""
    _prctl(_DEATH_SIGNAL, signal_number, "a signal when the parent ends")


def bound_rights(kept: int = 0) -> None:
    """Let no execution and no change of the user give a capability but those in `kept`, or take those away.

    Works only while this process has rights itself.
    """
    _LIBC.prctl(_AMBIENT, ctypes.c_ulong(_AMBIENT_CLEAR), 0, 0, 0)
    _LIBC.prctl(_SET_SECUREBITS, ctypes.c_ulong(_NO_ROOT_RIGHTS), 0, 0, 0)
    for number in range(64):
        if not kept & 1 << number:
            _LIBC.prctl(_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0)


def give_up_rights(kept: int = 0) -> None:
    """Drop every capability but those in `kept`, for good: none comes back by an execution.

    A process that changed its user calls `bound_rights` before. Raises OSError where a capability is left.
    """
    _prctl(_NO_NEW_PRIVILEGES, 1, "no_new_privs")
    bound_rights(kept)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    sets = struct.pack("=6I", low, low, 0, high, high, 0)
    if _LIBC.capset(header, sets) != 0:
        raise _failed("giving up capabilities")
    if rights() & ~kept:
        raise OSError(1, "capabilities are left after they were given up")


def rights_in_force() -> int:
    """The effective capabilities of this process."""
    return _rights((b"CapEff:",))


def rights() -> int:
    """The capabilities that this process has or could get again: permitted, effective, inheritable, bounding."""
    return _rights((b"CapInh:", b"CapPrm:", b"CapEff:", b"CapBnd:", b"CapAmb:"))


def _rights(names: tuple[bytes, ...]) -> int:
    found = 0
    descriptor = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = os.read(descriptor, 1 << 14)
    finally:
        os.close(descriptor)
    for line in content.splitlines():
        if line.startswith(names):
            found |= int(line.split()[1], 16)
    return found


def may_be_another(user: int) -> bool:
    """Whether this process is root, may mount, and may become a user of that number, which its namespace knows."""
    if os.geteuid() or rights_in_force() & _ROOT_RIGHTS != _ROOT_RIGHTS:
        return False
    with open("/proc/self/uid_map", encoding="ascii") as file:
        rows = [[int(word) for word in line.split()] for line in file]
    return any(first <= user < first + count for first, _, count in rows)


def become(user: int) -> None:
    """Be another user and group for good, whose own files below /proc are its own. Raises OSError."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    _prctl(_SET_DUMPABLE, 1, "PR_SET_DUMPABLE")


def _prctl(option: int, value: int, what: str) -> None:
    if _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise _failed(what)


def set_filter(machine: str, instructions: Sequence[Instruction]) -> None:
    """Put this process under a filter without a listener. Raises OSError."""
    code = ctypes.create_string_buffer(packed(instructions))
    program = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", len(instructions), ctypes.addressof(code)))
    if _LIBC.syscall(SECCOMP_NUMBER[machine], 1, 0, program) != 0:
        raise _failed("seccomp")


def limit(name: str, value: int) -> None:
    """Set a limit of this process and what it starts (getrlimit(2)), never above what is allowed. Raises OSError."""
    number = getattr(resource, f"RLIMIT_{name}")
    _, most = resource.getrlimit(number)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(number, (value, value))

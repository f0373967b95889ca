"""The system calls that are watched: their numbers on x86-64 and aarch64, and which argument holds what.

Numbers: the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`. aarch64 knows
only the calls that take a folder (`openat`, `unlinkat`...).
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Literal, NamedTuple

Machine = Literal["x86_64", "aarch64"]
AUDIT_ARCH: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What seccomp tells of the architecture of a call (linux/audit.h)."""
X32_BIT = 0x40000000
"""Set in the numbers of x32 calls."""

O_WRITES = 0o1 | 0o2 | 0o100 | 0o1000
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC (the same on both)."""
CLONE_NEWUSER, CLONE_NEWNS, CLONE_PARENT = 0x10000000, 0x20000, 0x8000
ESCAPING = CLONE_NEWUSER | CLONE_NEWNS | CLONE_PARENT
"""Flags of new processes in which paths mean other files, or whose parent is not who made them."""
TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI, TIOCLINUX: what a program types into its terminal, the user's shell reads."""

Kind = Literal[
    "execute",
    "open",
    "connect",
    "send",
    "send-message",
    "bind",
    "delete",
    "rename",
    "link",
    "mode",
    "truncate",
    "memory",
    "handle",
    "trace",
    "kill",
    "session",
    "unshare",
    "ring",
    "forbidden",
    "socket",
    "end",
]


class Call(NamedTuple):
    """One watched call: what it does, and which argument is a folder's descriptor, a path, flags; -1: none."""

    name: str
    kind: Kind
    folder: int = -1
    path: int = -1
    other_folder: int = -1
    other_path: int = -1
    flags: int = -1


_COMMON: dict[str, Call] = {
    name: Call(name, *rest)  # type: ignore[arg-type]  # the rows below are checked by the tests against the kernel's own
    for name, rest in {
        "execve": ("execute", -1, 0),
        "execveat": ("execute", 0, 1, -1, -1, 4),
        "openat": ("open", 0, 1, -1, -1, 2),
        "openat2": ("open", 0, 1),
        "connect": ("connect",),
        "sendto": ("send",),
        "sendmsg": ("send-message",),
        "sendmmsg": ("send-message",),
        "bind": ("bind",),
        "unlinkat": ("delete", 0, 1),
        "renameat2": ("rename", 0, 1, 2, 3),
        "linkat": ("link", 0, 1, 2, 3),
        "symlinkat": ("link", -1, 0, 1, 2),
        "fchmodat": ("mode", 0, 1, -1, -1, 2),
        "fchmodat2": ("mode", 0, 1, -1, -1, 2),
        "truncate": ("truncate", -1, 0),
        "memfd_create": ("memory", -1, 0),
        "open_by_handle_at": ("handle",),
        "ptrace": ("trace",),
        "process_vm_readv": ("trace",),
        "process_vm_writev": ("trace",),
        "pidfd_getfd": ("trace",),
        "kill": ("kill",),
        "tgkill": ("kill",),
        "tkill": ("kill",),
        "rt_sigqueueinfo": ("kill",),
        "rt_tgsigqueueinfo": ("kill",),
        "pidfd_send_signal": ("kill",),
        "setsid": ("session",),
        "unshare": ("unshare", -1, -1, -1, -1, 0),
        "clone": ("unshare", -1, -1, -1, -1, 0),
        "io_uring_setup": ("ring",),
    }.items()
}
_OLD: dict[str, Call] = {
    name: Call(name, *rest)  # type: ignore[arg-type]  # as above
    for name, rest in {
        "open": ("open", -1, 0, -1, -1, 1),
        "creat": ("open", -1, 0),
        "unlink": ("delete", -1, 0),
        "rmdir": ("delete", -1, 0),
        "rename": ("rename", -1, 0, -1, 1),
        "renameat": ("rename", 0, 1, 2, 3),
        "link": ("link", -1, 0, -1, 1),
        "symlink": ("link", -1, 0, -1, 1),
        "chmod": ("mode", -1, 0, -1, -1, 1),
    }.items()
}

NUMBERS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        "execve": 59,
        "execveat": 322,
        "open": 2,
        "creat": 85,
        "openat": 257,
        "openat2": 437,
        "connect": 42,
        "sendto": 44,
        "sendmsg": 46,
        "sendmmsg": 307,
        "bind": 49,
        "unlink": 87,
        "rmdir": 84,
        "unlinkat": 263,
        "rename": 82,
        "renameat": 264,
        "renameat2": 316,
        "link": 86,
        "linkat": 265,
        "symlink": 88,
        "symlinkat": 266,
        "chmod": 90,
        "fchmodat": 268,
        "fchmodat2": 452,
        "truncate": 76,
        "memfd_create": 319,
        "ptrace": 101,
        "process_vm_writev": 311,
        "kill": 62,
        "tgkill": 234,
        "tkill": 200,
        "rt_sigqueueinfo": 129,
        "rt_tgsigqueueinfo": 297,
        "pidfd_getfd": 438,
        "pidfd_send_signal": 424,
        "setsid": 112,
        "unshare": 272,
        "clone": 56,
        "io_uring_setup": 425,
        "open_by_handle_at": 304,
        "process_vm_readv": 310,
    },
    "aarch64": {
        "execve": 221,
        "execveat": 281,
        "openat": 56,
        "openat2": 437,
        "connect": 203,
        "sendto": 206,
        "sendmsg": 211,
        "sendmmsg": 269,
        "bind": 200,
        "unlinkat": 35,
        "renameat": 38,
        "renameat2": 276,
        "linkat": 37,
        "symlinkat": 36,
        "fchmodat": 53,
        "fchmodat2": 452,
        "truncate": 45,
        "memfd_create": 279,
        "ptrace": 117,
        "process_vm_writev": 271,
        "kill": 129,
        "tgkill": 131,
        "tkill": 130,
        "rt_sigqueueinfo": 138,
        "rt_tgsigqueueinfo": 240,
        "pidfd_getfd": 438,
        "pidfd_send_signal": 424,
        "setsid": 157,
        "unshare": 97,
        "clone": 220,
        "io_uring_setup": 425,
        "open_by_handle_at": 265,
        "process_vm_readv": 270,
    },
}
"""Name to number, by machine."""

SECCOMP_NUMBER: Mapping[str, int] = {"x86_64": 317, "aarch64": 277}
"""The number of seccomp(2) itself."""


FORBIDDEN: Mapping[str, tuple[int, int]] = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "setns": (308, 268),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "mount_setattr": (442, 442),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "userfaultfd": (323, 282),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "syslog": (103, 116),
}
"""Calls that nothing in a sandbox may make, with their numbers on x86-64 and aarch64: mounts, namespaces, modules,
keys, the kernel's own programs. Refused and told."""


REFUSING: Mapping[str, tuple[int, int]] = {"socket": (41, 198), "exit_group": (231, 94)}
"""Calls that are told where something is refused: what kind of socket is made; which children a process leaves."""
NOT_THERE: Mapping[str, tuple[int, int]] = {"clone3": (435, 435)}
"""Calls that this system is said not to have where something is refused: their flags lie in memory. Callers fall back
to `clone`, as they do on older kernels and in containers."""
TERMINAL: Mapping[str, tuple[int, int]] = {"ioctl": (16, 29)}
HARMLESS = frozenset(("name_to_handle_at", "syslog"))
"""What is forbidden in a sandbox, and is left to packages' scripts elsewhere: tools ask it, and get nothing by it."""


def numbered(calls: Mapping[str, tuple[int, int]], name: str) -> dict[str, int]:
    """Name to number of such calls, on a machine."""
    return {call: numbers[0 if name == "x86_64" else 1] for call, numbers in calls.items()}


def refusing(name: str) -> dict[int, Call]:
    """Number to call of what is told beside the rest where something is refused, on a machine."""
    kinds: dict[str, Kind] = {"socket": "socket", "exit_group": "end"}
    found = {number: Call(call, kinds[call]) for call, number in numbered(REFUSING, name).items()}
    outside = {number: call for number, call in forbidden(name).items() if call.name not in HARMLESS}
    return found | {number: call for number, call in outside.items() if number not in watched(name)}


def forbidden(name: str) -> dict[int, Call]:
    """Number to call of what is refused in a sandbox, on a machine."""
    column = 0 if name == "x86_64" else 1
    return {numbers[column]: Call(call, "forbidden") for call, numbers in FORBIDDEN.items()}


def machine() -> Machine | None:
    """The machine that this runs on, None where its numbers are not known here."""
    name = platform.machine()
    if name in ("x86_64", "AMD64"):
        return "x86_64"
    return "aarch64" if name in ("aarch64", "arm64") else None


def watched(name: str) -> dict[int, Call]:
    """Number to call, on a machine."""
    numbers = NUMBERS[name]
    return {number: (_COMMON | _OLD)[call] for call, number in numbers.items()}

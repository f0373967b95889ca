"""The filter of a sandbox that needs nobody to answer: what is refused there whoever listens.

Calls of another architecture (32-bit, x32), clone3 (its flags cannot be looked at; libraries then use clone), io_uring,
sockets but those of the internet, of local sockets and of routes: the ways to a hypervisor (vsock) and into
rarely used parts of the kernel. What is refused by number and told is in `supervisor.calls.FORBIDDEN`.
"""

from __future__ import annotations

from pratique.adapters.supervisor.calls import AUDIT_ARCH, X32_BIT
from pratique.adapters.supervisor.filters import ALLOW, NO_SUCH_CALL, REFUSE, Instruction

_LOAD, _EQUAL, _RETURN, _AT_LEAST = 0x20, 0x15, 0x06, 0x35
_NOT_PERMITTED, _NO_SUCH_FAMILY, _NO_SUCH_PROTOCOL = 1, 97, 93
_SOCKET = {"x86_64": (41, 53), "aarch64": (198, 199)}
"""socket(2) and socketpair(2)."""
FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK."""
_NETLINK = 16
MISSING = {"clone3": (435, 435), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)}
REFUSED = {
    "process_vm_readv": (310, 270),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "acct": (163, 89),
    "swapoff": (168, 225),
    "lookup_dcookie": (212, 18),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "vhangup": (153, 58),
    "nfsservctl": (180, 42),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
}
REFUSED_HERE = {"iopl": 172, "ioperm": 173, "modify_ldt": 154, "uselib": 134, "create_module": 174, "_sysctl": 156}
"""On x86-64 alone."""


def program(machine: str) -> list[Instruction]:
    """The filter for a machine."""
    column = 0 if machine == "x86_64" else 1
    made: list[Instruction] = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, AUDIT_ARCH[machine]), _refuse(NO_SUCH_CALL)]
    made.append((_LOAD, 0, 0, 0))
    if machine == "x86_64":
        made += [(_AT_LEAST, 0, 1, X32_BIT), _refuse(NO_SUCH_CALL)]
    missing = [numbers[column] for numbers in MISSING.values()]
    refused = [numbers[column] for numbers in REFUSED.values()]
    refused += REFUSED_HERE.values() if machine == "x86_64" else ()
    for numbers, answer in ((missing, NO_SUCH_CALL), (refused, _NOT_PERMITTED)):
        for number in sorted(numbers):
            made += [(_EQUAL, 0, 1, number), _refuse(answer)]
    # Of netlink that of routes alone, which resolvers ask; other kinds lead to packet filters and the like.
    made += [(_EQUAL, 0, 6, _SOCKET[machine][0]), (_LOAD, 0, 0, 16), (_EQUAL, 0, 3, _NETLINK),
             (_LOAD, 0, 0, 32), (_EQUAL, 1, 0, 0), _refuse(_NO_SUCH_PROTOCOL), (_LOAD, 0, 0, 0)]  # fmt: skip
    for number in _SOCKET[machine]:
        tests: list[Instruction] = [(_LOAD, 0, 0, 16)]
        for at, family in enumerate(FAMILIES):
            tests.append((_EQUAL, len(FAMILIES) - at, 0, family))
        tests += [_refuse(_NO_SUCH_FAMILY), (_RETURN, 0, 0, ALLOW)]
        made.append((_EQUAL, 0, len(tests), number))
        made += tests
    made.append((_RETURN, 0, 0, ALLOW))
    return made


def _refuse(number: int) -> Instruction:
    return (_RETURN, 0, 0, REFUSE | number)

"""The program that the kernel runs at each system call: what it passes on, what it tells, what it refuses.

Classic BPF (linux/filter.h) over `struct seccomp_data`: the number at 0, the architecture at 4, arguments of 64 bits
from 16 on. A jump reaches 255 instructions at most, so each call gets a block of its own that falls to the next.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from pratique.adapters.supervisor.calls import (
    AUDIT_ARCH,
    ESCAPING,
    NOT_THERE,
    NUMBERS,
    O_WRITES,
    TERMINAL,
    TERMINAL_INPUT,
    X32_BIT,
    forbidden,
    numbered,
    refusing,
    watched,
)

Instruction = tuple[int, int, int, int]
"""Code, jump where true, jump where false, constant."""

ALLOW = 0x7FFF0000
NOTIFY = 0x7FC00000
REFUSE = 0x00050000
"""SECCOMP_RET_ALLOW, _USER_NOTIF, _ERRNO (with the errno added)."""
NO_SUCH_CALL, NOT_PERMITTED = 38, 1
"""ENOSYS, EPERM."""

_LOAD, _EQUAL, _ANY_BIT, _RETURN, _AT_LEAST = 0x20, 0x15, 0x45, 0x06, 0x35
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _answer(value: int) -> Instruction:
    return (_RETURN, 0, 0, value)


def _argument(number: int, high: bool = False) -> int:
    """The offset of half of an argument; both machines are little-endian."""
    return _ARGUMENTS + 8 * number + (4 if high else 0)


def program(
    machine: str,
    *,
    reads: bool,
    refused: Iterable[str] = (),
    confined: bool = False,
    denying: bool = False,
    names: bool = False,
) -> list[Instruction]:
    """The filter for a machine. `reads`: opening for reading is told too. `refused` are names of calls that get ENOSYS.
    `confined`: what is forbidden in a sandbox is told too, so that it can be refused. `denying`: something is refused
    to packages, so ways around it are told, or answered as if they were not there. `names`: what is sent without an
    address is told too.

    Calls of another architecture are told: nobody else knows their numbers. x32 calls get ENOSYS, as on most kernels.
    """
    made: list[Instruction] = [_load(_ARCHITECTURE), (_EQUAL, 1, 0, AUDIT_ARCH[machine]), _answer(NOTIFY)]
    made.append(_load(_NUMBER))
    if machine == "x86_64":
        made += [(_AT_LEAST, 0, 1, X32_BIT), _answer(REFUSE | NO_SUCH_CALL)]
    for name in sorted(refused):
        made += [(_EQUAL, 0, 1, NUMBERS[machine][name]), _answer(REFUSE | NO_SUCH_CALL)]
    for number, call in sorted(watched(machine).items()):
        block: list[Instruction]
        if call.kind == "open" and call.flags >= 0 and not reads:
            block = [_load(_argument(call.flags)), (_ANY_BIT, 0, 1, O_WRITES), _answer(NOTIFY), _answer(ALLOW)]
        elif call.name == "sendto" and not names:
            low, high = _argument(4), _argument(4, high=True)
            block = [_load(low), (_EQUAL, 0, 2, 0), _load(high), (_EQUAL, 1, 0, 0), _answer(NOTIFY), _answer(ALLOW)]
        elif call.name in ("clone", "unshare"):
            block = [_load(_argument(call.flags)), (_ANY_BIT, 0, 1, ESCAPING), _answer(NOTIFY), _answer(ALLOW)]
        elif call.kind == "mode":
            block = [_load(_argument(call.flags)), (_ANY_BIT, 0, 1, 0o6111), _answer(NOTIFY), _answer(ALLOW)]
        else:
            block = [_answer(NOTIFY)]
        made.append((_EQUAL, 0, len(block), number))
        made += block
    if confined:
        for number in sorted(forbidden(machine)):
            made += [(_EQUAL, 0, 1, number), _answer(NOTIFY)]
    if denying:
        for number in sorted(refusing(machine)):
            made += [(_EQUAL, 0, 1, number), _answer(NOTIFY)]
        for number in numbered(NOT_THERE, machine).values():
            made += [(_EQUAL, 0, 1, number), _answer(REFUSE | NO_SUCH_CALL)]
        for number in numbered(TERMINAL, machine).values():
            block = [_load(_argument(1))]
            for asked in TERMINAL_INPUT:
                block += [(_EQUAL, 0, 1, asked), _answer(REFUSE | NOT_PERMITTED)]
            made += [(_EQUAL, 0, len(block) + 1, number), *block, _answer(ALLOW)]
    made.append(_answer(ALLOW))
    return made


def packed(instructions: Sequence[Instruction]) -> bytes:
    """The bytes of `struct sock_filter[]`."""
    return b"".join(struct.pack("=HBBI", *one) for one in instructions)


def run(instructions: Sequence[Instruction], call: Mapping[str, int]) -> int:
    """What the program answers to a call: `number`, `architecture`, `argument 0` to `argument 5`.

    The machine of the kernel for the instructions that are used here, so that a filter can be tried as data.
    """
    given = struct.pack(
        "<IIQ6Q", call["number"], call["architecture"], 0, *(call.get(f"argument {number}", 0) for number in range(6))
    )
    accumulator = at = 0
    while True:
        code, true, false, value = instructions[at]
        at += 1
        if code == _LOAD:
            accumulator = struct.unpack_from("<I", given, value)[0]
        elif code == _RETURN:
            return value
        else:
            met = {
                _EQUAL: accumulator == value,
                _ANY_BIT: bool(accumulator & value),
                _AT_LEAST: accumulator >= value,
            }[code]
            at += true if met else false

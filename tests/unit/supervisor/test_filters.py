"""The filter as data: what it passes on, tells and refuses, on both machines, without a kernel."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from pratique.adapters.sandbox import filters as sandbox
from pratique.adapters.supervisor.calls import (
    AUDIT_ARCH,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    CLONE_PARENT,
    FORBIDDEN,
    NOT_THERE,
    NUMBERS,
    REFUSING,
    TERMINAL,
    TERMINAL_INPUT,
    X32_BIT,
    forbidden,
    machine,
    numbered,
    refusing,
    watched,
)
from pratique.adapters.supervisor.filters import (
    ALLOW,
    NO_SUCH_CALL,
    NOT_PERMITTED,
    NOTIFY,
    REFUSE,
    packed,
    program,
    run,
)

MACHINES = ("x86_64", "aarch64")
WRITE_AND_MAKE, READ = 0o101, 0o2000000


def answer(name: str, call: str, *, reads: bool = False, **arguments: int) -> int:
    given = {"number": NUMBERS[name][call], "architecture": AUDIT_ARCH[name]}
    given |= {key.replace("_", " "): value for key, value in arguments.items()}
    return run(program(name, reads=reads), given)


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_watched_is_told_and_everything_else_passes(name: str) -> None:
    for call in ("execve", "execveat", "connect", "unlinkat", "renameat2", "io_uring_setup", "kill", "memfd_create"):
        assert answer(name, call) == NOTIFY, call
    instructions = program(name, reads=True)
    numbers = set(watched(name))
    for number in range(600):
        if number not in numbers:
            assert run(instructions, {"number": number, "architecture": AUDIT_ARCH[name]}) == ALLOW


@pytest.mark.parametrize("name", MACHINES)
def test_opening_is_told_for_writing_and_for_reading_where_that_was_asked(name: str) -> None:
    assert answer(name, "openat", argument_2=WRITE_AND_MAKE) == NOTIFY
    assert answer(name, "openat", argument_2=READ) == ALLOW
    assert answer(name, "openat", argument_2=READ, reads=True) == NOTIFY


@pytest.mark.parametrize("name", MACHINES)
def test_sending_is_told_where_an_address_is_given(name: str) -> None:
    assert answer(name, "sendto") == ALLOW
    assert answer(name, "sendto", argument_4=0x1000) == NOTIFY
    assert answer(name, "sendto", argument_4=0x7FFF00000000) == NOTIFY


@pytest.mark.parametrize("name", MACHINES)
def test_only_what_leads_out_makes_a_clone_worth_telling(name: str) -> None:
    assert answer(name, "clone", argument_0=17) == ALLOW
    for flag in (CLONE_NEWUSER, CLONE_NEWNS, CLONE_PARENT):
        assert answer(name, "clone", argument_0=flag | 17) == NOTIFY
    assert answer(name, "unshare", argument_0=0x400) == ALLOW
    assert answer(name, "unshare", argument_0=CLONE_NEWUSER) == NOTIFY


@pytest.mark.parametrize("name", MACHINES)
def test_where_something_is_refused_ways_around_it_are_told_or_not_there(name: str) -> None:
    instructions = program(name, reads=True, denying=True)

    def asked(number: int, **arguments: int) -> int:
        given = {key.replace("_", " "): value for key, value in arguments.items()}
        return run(instructions, {"number": number, "architecture": AUDIT_ARCH[name], **given})

    assert asked(435) == REFUSE | NO_SUCH_CALL
    for number in refusing(name):
        assert asked(number) == NOTIFY
    ioctl = 16 if name == "x86_64" else 29
    assert [asked(ioctl, argument_1=what) for what in TERMINAL_INPUT] == [REFUSE | NOT_PERMITTED] * 2
    assert asked(ioctl, argument_1=0x5413) == ALLOW
    told = set(watched(name)) | set(refusing(name))
    for number in range(600):
        if number not in told and number not in (435, ioctl):
            assert asked(number) == ALLOW, number
    for at, (code, true, false, _) in enumerate(instructions):
        if code not in (0x20, 0x06):
            assert at + 1 + max(true, false) < len(instructions)


def test_calls_of_another_architecture_are_told_and_x32_is_refused() -> None:
    instructions = program("x86_64", reads=False)
    assert run(instructions, {"number": 11, "architecture": 0x40000003}) == NOTIFY
    given = {"number": X32_BIT | 59, "architecture": AUDIT_ARCH["x86_64"]}
    assert run(instructions, given) == REFUSE | NO_SUCH_CALL


@pytest.mark.parametrize("name", MACHINES)
def test_a_call_can_be_refused_by_name(name: str) -> None:
    instructions = program(name, reads=False, refused=("io_uring_setup",))
    given = {"number": NUMBERS[name]["io_uring_setup"], "architecture": AUDIT_ARCH[name]}
    assert run(instructions, given) == REFUSE | NO_SUCH_CALL


@pytest.mark.parametrize("name", MACHINES)
def test_no_jump_leaves_the_program_and_its_bytes_are_eight_an_instruction(name: str) -> None:
    instructions = program(name, reads=True)
    for at, (code, true, false, _) in enumerate(instructions):
        if code not in (0x20, 0x06):
            assert at + 1 + max(true, false) < len(instructions)
    assert len(packed(instructions)) == 8 * len(instructions)
    assert len(instructions) < 4096


def test_numbers_are_distinct_and_this_machine_is_told() -> None:
    for name in MACHINES:
        assert len(set(NUMBERS[name].values())) == len(NUMBERS[name])
        assert {"open", "unlink", "rename", "chmod"} <= set(NUMBERS["x86_64"])
    expected = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}.get(platform.machine())
    assert machine() == expected


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_forbidden_in_a_sandbox_is_told_there_alone(name: str) -> None:
    for number, call in forbidden(name).items():
        given = {"number": number, "architecture": AUDIT_ARCH[name]}
        assert run(program(name, reads=True, confined=True), given) == NOTIFY, call.name
        if number not in watched(name):
            assert run(program(name, reads=True), given) == ALLOW, call.name
    assert len(forbidden(name)) == len(FORBIDDEN)


@pytest.mark.parametrize("name", MACHINES)
def test_a_sandbox_refuses_what_nobody_needs_to_look_at(name: str) -> None:
    instructions = sandbox.program(name)

    def asked(number: int, *arguments: int, architecture: int = AUDIT_ARCH[name]) -> int:
        given = {f"argument {at}": value for at, value in enumerate(arguments)}
        return run(instructions, {"number": number, "architecture": architecture, **given})

    socket, pair = (41, 53) if name == "x86_64" else (198, 199)
    for family in (1, 2, 10):
        assert asked(socket, family, 1, 0) == ALLOW
        assert asked(pair, family, 1, 0) == ALLOW
    assert asked(socket, 16, 3, 0) == ALLOW
    for family, protocol in ((16, 12), (16, 9), (17, 0), (38, 0), (40, 0), (31, 0), (44, 0)):
        assert asked(socket, family, 3, protocol) & 0xFFFF0000 == REFUSE
    assert asked(435) == REFUSE | NO_SUCH_CALL
    assert asked(426) == REFUSE | NO_SUCH_CALL
    assert asked(60, architecture=0x40000003) == REFUSE | NO_SUCH_CALL
    assert asked(NUMBERS[name]["execve"]) == ALLOW
    if name == "x86_64":
        assert asked(X32_BIT | 59) == REFUSE | NO_SUCH_CALL
    for at, (code, true, false, _) in enumerate(instructions):
        if code not in (0x20, 0x06):
            assert at + 1 + max(true, false) < len(instructions)


def test_numbers_are_those_of_this_kernels_headers() -> None:
    name = machine()
    place = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}
    path = Path(place.get(name or "", "/nonexistent"))
    if not path.exists():
        pytest.skip("the headers of the kernel are not installed")
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text("utf-8")))
    column = 0 if name == "x86_64" else 1
    told = {call: numbers[column] for call, numbers in FORBIDDEN.items()} | dict(NUMBERS[name or ""])
    for table in (sandbox.MISSING, sandbox.REFUSED):
        told |= {call: numbers[column] for call, numbers in table.items()}
    for table in (REFUSING, NOT_THERE, TERMINAL):
        told |= numbered(table, name or "")
    told |= sandbox.REFUSED_HERE if name == "x86_64" else {}
    known = {call: int(found[call]) for call in told if call in found}
    assert len(known) > len(told) * 0.8
    assert known == {call: told[call] for call in known}

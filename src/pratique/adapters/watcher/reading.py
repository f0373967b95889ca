"""What /proc tells of one process: who it is, what it runs, who started it, when.

A number is used again after its process ended, so that a process is named by its number and the moment it began, as
the kernel counts it (ticks since the start of the machine).
"""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from pratique.adapters.supervisor.programs import is_interpreter, script_of
from pratique.adapters.supervisor.reading import LONGEST_ARGUMENT, MOST_ARGUMENTS, link

DELETED = " (deleted)"
_MOST_READ = MOST_ARGUMENTS * LONGEST_ARGUMENT


class Stat(NamedTuple):
    """The numbers of a process. `ticks` is when it began; `name` what the kernel calls it, 15 characters at most."""

    name: str
    state: str
    parent: int
    group: int
    session: int
    ticks: int


class Program(NamedTuple):
    """What a process runs. `executable` is empty where this account may not see it, or the process has ended."""

    executable: str
    arguments: tuple[str, ...]
    cut: bool
    folder: str
    script: str


def stat_of(process: int) -> Stat | None:
    """The numbers of a process; None where there is none."""
    try:
        descriptor = os.open(f"/proc/{process}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        read = os.read(descriptor, 1024)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return parsed_stat(read)


def parsed_stat(read: bytes) -> Stat | None:
    """The same out of the bytes of /proc/PID/stat (proc_pid_stat(5)); None where they are not that."""
    head, _, rest = read.rpartition(b")")
    cells = rest.split()
    name = head.partition(b"(")[2]
    try:
        return Stat(
            os.fsdecode(name), cells[0].decode("ascii"), int(cells[1]), int(cells[2]), int(cells[3]), int(cells[19])
        )
    except (IndexError, ValueError):
        return None


@functools.cache
def _ticks_a_second() -> int:
    return os.sysconf("SC_CLK_TCK")


@functools.cache
def _begin_of_machine() -> int:
    """When the machine started, in nanoseconds since 1970."""
    try:
        with open("/proc/stat", "rb") as file:
            for line in file:
                if line.startswith(b"btime "):
                    return int(line.split()[1]) * 1_000_000_000
    except (OSError, ValueError, IndexError):
        pass
    return 0


def moment_of(ticks: int) -> int:
    """When a process began, in nanoseconds since 1970 in UTC, to a hundredth of a second; 0 where unknown."""
    begin = _begin_of_machine()
    return begin + ticks * 1_000_000_000 // _ticks_a_second() if begin else 0


def executable_of(process: int) -> str:
    """The file that a process runs, as the kernel names it: with ` (deleted)` where it is gone."""
    return link(f"/proc/{process}/exe")


def arguments_of(process: int) -> tuple[tuple[str, ...], bool]:
    """The arguments of a process, and whether they were cut. Empty where it has ended, or is the kernel's own."""
    try:
        with open(f"/proc/{process}/cmdline", "rb", buffering=0) as file:
            read = file.read(_MOST_READ)
    except OSError:
        return (), False
    if not read:
        return (), False
    return parsed_arguments(read)


def parsed_arguments(read: bytes) -> tuple[tuple[str, ...], bool]:
    """The arguments out of the bytes of /proc/PID/cmdline, each cut at 4,096 characters and 256 of them at most."""
    words = read.removesuffix(b"\0").split(b"\0", MOST_ARGUMENTS)
    cut = len(words) > MOST_ARGUMENTS or len(read) >= _MOST_READ
    kept = words[:MOST_ARGUMENTS]
    cut = cut or any(len(word) > LONGEST_ARGUMENT for word in kept)
    return tuple([os.fsdecode(word[:LONGEST_ARGUMENT]) for word in kept]), cut


def program_of(process: int) -> Program:
    """What a process runs now."""
    arguments, cut = arguments_of(process)  # first, for a process may end at any time and this is what tells most
    executable = executable_of(process)
    folder = link(f"/proc/{process}/cwd").removesuffix(DELETED)
    script = script_of(executable.removesuffix(DELETED), arguments) if executable and arguments else ""
    if script and not script.startswith("/"):
        script = os.path.normpath(f"{folder}/{script}") if folder else ""
    return Program(executable, arguments, cut, folder, script)


def user_of(process: int) -> int | None:
    """The account that a process acts as; None where it has ended."""
    try:
        return os.stat(f"/proc/{process}").st_uid
    except OSError:
        return None


def variables_of(process: int, prefixes: tuple[bytes, ...]) -> dict[str, str]:
    """Variables that a process was started with whose names begin so; none where this account may not see them."""
    try:
        with open(f"/proc/{process}/environ", "rb", buffering=0) as file:
            read = file.read(1 << 20)
    except OSError:
        return {}
    found: dict[str, str] = {}
    for text in read.split(b"\0"):
        if text.startswith(prefixes):
            name, _, value = os.fsdecode(text).partition("=")
            found[name] = value[:LONGEST_ARGUMENT]
    return found


__all__ = [
    "DELETED",
    "Program",
    "Stat",
    "arguments_of",
    "executable_of",
    "is_interpreter",
    "moment_of",
    "parsed_arguments",
    "parsed_stat",
    "program_of",
    "stat_of",
    "user_of",
    "variables_of",
]

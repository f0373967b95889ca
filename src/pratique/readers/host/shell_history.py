"""Shell histories: the commands of JavaScript package managers that were typed.

## Reads
Histories of bash (with or without `#<seconds>` lines), zsh (plain and extended, its byte escapes undone), fish, ksh,
tcsh and PowerShell. A line is split into simple commands; those that start npm, npx, pnpm, pnpx, yarn, bun, bunx, deno
or corepack, also behind `sudo`, `env`, `time`, assignments and `sh -c`, give the manager, the verb written out, the
package specifiers and the names of flags. A command is kept where it names a package of interest.

## Leaves out
The line itself, values of flags, arguments of programs that were run, every other command. Aliases, functions, loops
and variables are not resolved, commands inside a double-quoted `$(...)` not looked for. That a command was typed does
not show that it succeeded; a history can be edited, limited in length or switched off, so its silence shows nothing.
A time stands only at commands whose history records one; the file's own time is the latest moment for all others.

## References
GNU bash manual "Bash History Facilities"; zsh manual "History Expansion" and `EXTENDED_HISTORY`; fish documentation
"history"; PSReadLine documentation "HistorySavePath".
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from pratique.ecosystems.npm.commands import MENTION, Command, Shell, commands, specifier
from pratique.model.observation import CommandFact, Observation, Refusal, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader, iso_time
from pratique.readers.text import refuse

LONGEST = 65_536
"""Bytes of one entry that are parsed."""

_MOST_LINES = 1000
_YEAR_2100 = 4_102_444_800
_MENTION = re.compile(MENTION.pattern.encode(), re.IGNORECASE)

_TIMESTAMP = re.compile(rb"#\+?(\d{9,11})")
_EXTENDED = re.compile(rb": {1,4}(\d{9,11}):\d{1,11};")
_WHEN = re.compile(rb"  when: (\d{9,11})")
_METAFIED = re.compile(rb"\x83(.)", re.DOTALL)
_POWERSHELL = frozenset({"ConsoleHost_history.txt", "Visual Studio Code Host_history.txt"})
_ZSH = frozenset({".zsh_history", ".zhistory", ".histfile"})


class _Entry:
    """One command as it was typed, possibly of several lines; `text` is what is read of it."""

    __slots__ = ("cut", "line", "mentions", "seconds", "text")

    def __init__(self, line: int, text: bytes, seconds: bytes | None) -> None:
        self.line = line
        self.mentions = _MENTION.search(text) is not None
        self.text = text[:LONGEST]
        self.cut = len(text) > LONGEST
        self.seconds = seconds


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one command fact for each command that names a package of interest; with everything, for each command."""
    data = artifact.content()
    basename = artifact.path.rpartition("/")[2]
    shell: Shell = "powershell" if basename in _POWERSHELL else "posix"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and b"\0" in data:
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    if basename == "fish_history":
        entries = _fish(data)
    else:
        entries = _lines(data, metafied=basename in _ZSH, mark=b"`" if shell == "powershell" else b"\\")
    wanted = interest.wanted("npm")
    written = artifact.modified_time("the history was last written")
    for entry in entries:
        if not entry.mentions:
            continue
        if entry.cut:
            yield refuse(artifact, READER, f"line {entry.line} is longer than {LONGEST} bytes and was read in part")
        text = entry.text.decode("utf-8", "replace")
        times = _times(entry.seconds) or written
        for command in commands(text.lstrip("\ufeff\ufffd\x01"), shell):
            fact = _fact(command, wanted)
            if fact is not None:
                yield Observation(READER.name, artifact.location(line=entry.line), fact, times)


def _fact(command: Command, wanted: frozenset[str] | Everything) -> CommandFact | None:
    """The fact of a command, None where it names no package of interest."""
    packages = command.packages
    found = isinstance(wanted, Everything) or any(name in wanted for name in command.names)
    if not isinstance(wanted, Everything):
        for word in command.doubtful:
            read_again = specifier(word)
            if read_again and read_again[1] in wanted:
                packages, found = (*packages, word), True
    if not found:
        return None
    return CommandFact(manager=command.manager, verb=command.verb, packages=packages, flags=command.flags)


def _times(seconds: bytes | None) -> tuple[Time, ...]:
    """When the command was typed, by the history's own record."""
    if seconds is None or int(seconds) >= _YEAR_2100:
        return ()
    return (Time("the command was typed", iso_time(int(seconds)), "shell history"),)


def _lines(data: bytes, *, metafied: bool, mark: bytes) -> Iterator[_Entry]:
    """Entries of a history of one command a line. A line that ends in `mark` goes on in the next one."""
    seconds: bytes | None = None
    parts: list[bytes] = []
    start = size = 0
    for number, raw in enumerate(io.BytesIO(data), start=1):
        line = raw.rstrip(b"\r\n")
        if not parts:
            stamp = _TIMESTAMP.fullmatch(line)
            if stamp:
                seconds = stamp[1]
                continue
            start, size = number, 0
            extended = _EXTENDED.match(line)
            if extended:
                seconds = extended[1]
                line = line[extended.end() :]
        marks = len(line) - len(line.rstrip(mark))
        escaped = metafied or mark == b"`"
        more = marks > 0 if escaped else marks % 2 == 1
        parts.append(line[:-1] if more and escaped else line)
        size += len(line)
        if more and size <= LONGEST and len(parts) < _MOST_LINES:
            continue
        yield _entry(start, parts, seconds, metafied)
        parts, seconds = [], None
    if parts:
        yield _entry(start, parts, seconds, metafied)


def _entry(start: int, parts: list[bytes], seconds: bytes | None, metafied: bool) -> _Entry:
    text = b"\n".join(parts).replace(b"\0", b"\n")
    if metafied and b"\x83" in text:
        text = _METAFIED.sub(lambda match: bytes((match[1][0] ^ 32,)), text)
    return _Entry(start, text, seconds)


def _fish(data: bytes) -> Iterator[_Entry]:
    """Entries of fish's history: `- cmd: ` lines, each followed by its time and paths."""
    pending: tuple[int, bytes] | None = None
    seconds: bytes | None = None
    for number, raw in enumerate(io.BytesIO(data), start=1):
        line = raw.rstrip(b"\r\n")
        if line.startswith(b"- cmd: "):
            if pending:
                yield _Entry(*pending, seconds)
            typed = re.sub(rb"\\(.)", lambda match: b"\n" if match[1] == b"n" else match[1], line[7:])
            pending, seconds = (number, typed.replace(b"\0", b"\n")), None
        elif pending and seconds is None and (when := _WHEN.fullmatch(line)):
            seconds = when[1]
    if pending:
        yield _Entry(*pending, seconds)


READER = Reader(
    name="shell-history",
    ecosystem="npm",
    read=read,
    basenames=(
        ".bash_history",
        ".histfile",
        ".history",
        ".ksh_history",
        ".sh_history",
        ".zhistory",
        ".zsh_history",
        "ConsoleHost_history.txt",
        "Visual Studio Code Host_history.txt",
        "fish_history",
    ),
    subject="machine",
)

"""Ask a real package manager whether it takes a lockfile, in a scratch copy where nothing of the project can start."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping

import msgspec

from pratique.adapters.clients.programs import apart, bare_environment, node, programs, proxies, run, version_of
from pratique.adapters.clients.rows import Row, by_hand, rows
from pratique.adapters.clients.scratch import LARGEST_COPY, lay, read, setting_files, with_certificates, write

SECONDS = 300.0
"""So long a client may take."""


class Answer(msgspec.Struct, frozen=True):
    """What a client said. `accepted` is None where it could not be asked."""

    accepted: bool | None
    words: str
    completed: bytes | None = None
    """The lockfile with what the client added to it and nothing else can know; None where it added nothing."""


def ask(
    folder: str,
    name: str,
    files: Mapping[str, bytes],
    *,
    search: str | None = None,
    seconds: float = SECONDS,
) -> Answer:
    """Ask the manager of the lockfile `name` in a project's folder.

    `files` holds new bytes by path relative to the folder; what is not there is read from the folder. `search` stands
    for PATH. Never raises.
    """
    folder = os.path.realpath(folder)
    content = files.get(name)
    if content is None:
        content = read(os.path.join(folder, name), LARGEST_COPY)
    if content is None:
        return Answer(None, f"{name} cannot be read")
    chosen = rows(name, content)
    if not chosen:
        return Answer(None, f"no client is asked about {name}: show it to yours by hand")
    row = chosen[0]
    try:
        with tempfile.TemporaryDirectory(prefix="pratique-proof-", ignore_cleanup_errors=True) as scratch:
            return _asked(row, folder, name, content, files, os.path.realpath(scratch), search, seconds)
    except OSError as error:
        return Answer(None, f"no scratch copy can be made: {(error.strerror or type(error).__name__).lower()}")


def _asked(
    row: Row,
    folder: str,
    name: str,
    content: bytes,
    files: Mapping[str, bytes],
    scratch: str,
    search: str | None,
    seconds: float,
) -> Answer:
    copy, home = os.path.join(scratch, "project"), os.path.join(scratch, "home")
    os.mkdir(copy)
    os.mkdir(home)
    low, high = row.versions(content.decode("utf-8", "replace"))
    hand = f"by hand, in a copy: {by_hand(row)}"
    found, seen = None, []
    for program in programs(row.program, folder, search):
        version = version_of(program, home, scratch, folder, search)
        if version is None:
            continue
        seen.append(version)
        if low <= int(version.partition(".")[0]) < high:
            found = program, version
            break
    if found is None:
        if seen:
            return Answer(None, f"{row.program} {', '.join(seen)} does not read this lockfile; {hand}")
        return Answer(None, f"{row.program} is not on this machine; {hand}")
    program, version = found
    lay(row, folder, copy, files)
    if not os.path.exists(os.path.join(copy, row.manifests[0])):
        return Answer(None, f"its {row.manifests[0]} cannot be read; {hand}")
    write(os.path.join(copy, name), content)
    neutral = row.settings(setting_files(folder, files))
    for setting, text in neutral.items():
        text = with_certificates(text, home)
        write(os.path.join(copy, setting), text.encode())
    hidden = [os.path.realpath(place) for place in (folder, os.path.expanduser("~"))]
    prefix, how = apart(hidden, [program, *node(folder, search), scratch], network=row.network)
    environment = {**bare_environment(home, program, folder, search), **row.environment, **proxies()}
    status, said = run([*prefix, program, *row.arguments], copy, environment, seconds)
    words = f"{row.program} {version} {' '.join(row.arguments)}"
    if status is None:
        return Answer(None, f"{words} took longer than {seconds:.0f} s; {hand}")
    if status == 0:
        after = read(os.path.join(copy, name), LARGEST_COPY)
        if after is not None and after != content and row.completes(content, after):
            return Answer(True, f"{words} accepts it in a scratch copy and adds its own digests, {how}", after)
        if after != content:
            return Answer(False, f"{words} ends well but writes the lockfile anew, {how}")
        return Answer(True, f"{words} accepts it in a scratch copy, {how}")
    line = _telling(said, row.refuses, scratch)
    if line is not None:
        return Answer(False, f"{words} refuses it: {line}")
    return Answer(None, f"{words} could not tell ({_last(said, scratch, status)}); {hand}")


def _plain(line: str, scratch: str) -> str:
    """A line for people: no colours, no user info, no path of the copy."""
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", line)
    text = re.sub(r"//[^/\s@]+@", "//", text).replace(f"{scratch}/project", ".").replace(scratch, ".")
    return "".join(mark for mark in text if mark.isprintable()).strip()[:300]


def _telling(said: str, refuses: tuple[str, ...], scratch: str) -> str | None:
    """The line that says that a lockfile is not taken, with the next where it says little; None where none does."""
    lines = [line for line in (_plain(item, scratch) for item in said.splitlines()) if line]
    for number, line in enumerate(lines):
        if any(word in line for word in refuses):
            more = [
                item
                for item in lines[number + 1 : number + 6]
                if re.search(r"(?:Missing|Invalid):|specifier|-> ", item)
            ]
            return " ".join([line, *more[:1]])[:400]
    return None


def _last(said: str, scratch: str, status: int) -> str:
    lines = [line for line in (_plain(item, scratch) for item in said.splitlines()) if line]
    telling = [line for line in lines if re.search(r"error|ERR|code|refused|denied", line, re.IGNORECASE)]
    return (telling or lines or [f"status {status}"])[0]

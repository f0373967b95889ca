"""Jobs of at and batch that wait to be run.

## Reads
The scripts in `atjobs`, `at/jobs` and `spool/at`: programs and script files of each.

## Leaves out
The variables that a job restores, which may hold secrets; arguments; when it runs (its file name says so).

## References
at(1); at's `at.c` of Debian, which writes the script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import entry, merged, text_of
from pratique.readers.text import refuse

_BEFORE = re.compile(r"(?:[A-Za-z_]\w*=.*; export [A-Za-z_]\w*|umask \w+|cd .*\|\| \{|\s*echo .*|\s*exit \d+|\})\s*")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the job. Raises Unreadable."""
    name = artifact.path.rpartition("/")[2]
    if name.startswith("."):
        return
    text = text_of(artifact.content())
    if not text.startswith("#!"):
        yield refuse(artifact, READER, "does not begin as at writes a job")
    lines = [line for line in text.split("\n") if not _BEFORE.fullmatch(line) and not line.startswith("#")]
    found = merged(["\n".join(lines)], interest)
    yield from entry(artifact, READER, found, mechanism="at", name=name, when="timer")


READER = Reader(
    name="at-job",
    ecosystem="host",
    read=read,
    folders=(("cron", "atjobs"), ("spool", "at"), ("at", "jobs")),
    limit=4 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)

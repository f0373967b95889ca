"""Tables of processes that pratique took of a running machine: pratique-processes.json.

## Reads
`pratique.processes/1`: number, parent, executable and whether its file is gone, names of programs, the script that an
interpreter runs, reduced arguments, user, working folder, start, container. What the table says that it lacks becomes a
refusal, and so does an indicator's command line that the table was not compared with when it was taken.

## Leaves out
Command lines and variables: they never enter a table. Threads. What had ended before the table was taken.

## References
`src/pratique/targets/live.py` and `src/pratique/ecosystems/arguments.py`; proc(5); psutil documentation
"Process class".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.ecosystems.arguments import told
from pratique.model.observation import Observation, ProcessFact, Refusal, Time
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.model.tables import PROCESS_FILE, ProcessTable
from pratique.readers.text import refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield every process and every lack. Raises Unreadable."""
    try:
        table = msgspec.json.decode(artifact.content(), type=ProcessTable)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        yield refuse(artifact, READER, f"is no whole table of processes: {str(error)[:120]}")
        return
    for lack in table.lacks:
        yield artifact.refusal(READER.name, lack.reason, relevant=lack.relevant)
    missing = set(interest.command_lines) - set(table.asked)
    if missing:
        said = f"was taken without looking for {len(missing)} of the command lines that are asked about"
        yield refuse(artifact, READER, said)
    for fact in table.processes:
        yield Observation(READER.name, artifact.location(), _bare(fact), _times(table, fact))


def _bare(fact: ProcessFact) -> ProcessFact:
    """The row, reduced once more where it holds a URL: whoever wrote the table."""
    if any("://" in word for word in (*fact.words, *fact.hosts, fact.script or "")):
        words = tuple(told(word) if "://" in word else word for word in fact.words)
        hosts = tuple(host for host in fact.hosts if "@" not in host and "/" not in host)
        script = None if "://" in (fact.script or "") else fact.script
        return msgspec.structs.replace(fact, words=words, hosts=hosts, script=script)
    return fact


def _times(table: ProcessTable, fact: ProcessFact) -> tuple[Time, ...]:
    started = (Time("the process was started", fact.started, "process table"),) if fact.started else ()
    return (*started, Time("the process was running", table.taken, "process table"))


READER = Reader(
    name="processes",
    ecosystem="host",
    read=read,
    basenames=(PROCESS_FILE,),
    limit=256 * MEBIBYTE,
    subject="machine",
    doors=("files", "host"),
)

"""Hives of the Windows registry: told, not read.

## Reads
That `NTUSER.DAT`, `SOFTWARE` or `SYSTEM` is there. Each becomes a refusal: its Run keys and services are not examined.

## Leaves out
What it holds. Export its keys with the system's own tool, put the `.reg` file into the root of the disk, and
`registry-export` reads it.

## References
Microsoft, "Registry hives".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.text import refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the refusal."""
    yield refuse(artifact, READER, "is a hive of the registry, which is not read: export its Run keys to a .reg file")


READER = Reader(
    name="registry-hive",
    ecosystem="host",
    read=read,
    basenames=("NTUSER.DAT", "ntuser.dat", "SOFTWARE", "SYSTEM"),
    subject="machine",
    content="name",
    doors=("host",),
)

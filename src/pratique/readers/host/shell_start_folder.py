"""Folders of files that shells run when they start: profile.d and fish's conf.d.

## Reads
As `shell-start` does.

## Leaves out
As `shell-start` does.

## References
bash(1) "INVOCATION" and the distributions' `/etc/profile`; fish documentation "Configuration files".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host import shell_start


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what the file starts. Raises Unreadable."""
    for item in shell_start.read(artifact, interest):
        yield msgspec.structs.replace(item, reader=READER.name)


READER = Reader(
    name="shell-start-folder",
    ecosystem="host",
    read=read,
    suffixes=(".sh", ".fish", ".csh"),
    folders=(("etc", "profile.d"), ("fish", "conf.d")),
    limit=8 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)

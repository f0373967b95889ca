"""Accounts whose user services run without anybody logged in: the folder systemd/linger.

## Reads
The name of each file: that of an account.

## Leaves out
The files are empty.

## References
loginctl(1), "enable-linger".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, PersistenceFact, Refusal
from pratique.model.ports import Artifact, Interest, Reader


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the account."""
    name = artifact.path.rpartition("/")[2]
    fact = PersistenceFact(mechanism="linger", name=name, when="boot", user=name)
    yield Observation(READER.name, artifact.location(), fact, artifact.modified_time("lingering was switched on"))


READER = Reader(
    name="systemd-linger",
    ecosystem="host",
    read=read,
    folders=(("systemd", "linger"),),
    subject="machine",
    content="name",
    doors=("host",),
)

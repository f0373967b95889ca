"""Names that a machine resolves by its own table: etc/hosts.

## Reads
Lines that name a host that an indicator names, with the address.

## Leaves out
Every other line.

## References
hosts(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal, ResolverFact
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import text_of


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the names of interest. Raises Unreadable."""
    for number, line in enumerate(text_of(artifact.content()).split("\n"), start=1):
        words = line.partition("#")[0].split()
        for name in words[1:]:
            plain = name.lower().rstrip(".")
            if interest.everything or plain in interest.hosts:
                fact = ResolverFact(name=plain[:253], source="hosts-file", addresses=(words[0][:64],))
                yield Observation(READER.name, artifact.location(line=number), fact)


READER = Reader(
    name="hosts-file",
    ecosystem="host",
    read=read,
    basenames=("hosts",),
    limit=16 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)

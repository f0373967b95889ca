"""Tables of sockets that pratique took of a running machine: pratique-sockets.json.

## Reads
`pratique.sockets/1`: protocol, state, addresses and ports of both ends, number and name of the owning process. What the
table says that it lacks becomes a refusal.

## Leaves out
What was sent. Connections that had ended before the table was taken: a backdoor that reports once a minute is seen
only while it does. Sockets of one machine alone (Unix) and raw ones.

## References
`src/pratique/targets/live.py`; proc_net_tcp of the Linux kernel's documentation; psutil documentation
"net_connections".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.model.observation import Observation, Refusal, Time
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.model.tables import SOCKET_FILE, SocketTable
from pratique.readers.text import refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield every socket and every lack. Raises Unreadable."""
    try:
        table = msgspec.json.decode(artifact.content(), type=SocketTable)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        yield refuse(artifact, READER, f"is no whole table of sockets: {str(error)[:120]}")
        return
    for lack in table.lacks:
        yield artifact.refusal(READER.name, lack.reason, relevant=lack.relevant)
    for fact in table.sockets:
        times = (Time("the socket was open", table.taken, "socket table"),)
        yield Observation(READER.name, artifact.location(), fact, times)


READER = Reader(
    name="sockets",
    ecosystem="host",
    read=read,
    basenames=(SOCKET_FILE,),
    limit=256 * MEBIBYTE,
    subject="machine",
    doors=("files", "host"),
)

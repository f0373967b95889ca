"""Tables that are taken of a running machine: bytes of canonical JSON, kept and read like any file."""

from __future__ import annotations

from typing import Literal

import msgspec

from pratique.model.observation import ProcessFact, SocketFact

PROCESSES = "pratique.processes/1"
SOCKETS = "pratique.sockets/1"
PROCESS_FILE = "pratique-processes.json"
SOCKET_FILE = "pratique-sockets.json"
"""Names under which the tables are handed out and kept."""


class Lack(msgspec.Struct, frozen=True, order=True):
    """What a table does not tell, and why. `relevant`: a trace may hide there."""

    reason: str
    relevant: bool = True


class ProcessTable(msgspec.Struct, frozen=True, kw_only=True):
    """All processes that could be seen, by number. `asked` are the globs that command lines were compared with."""

    format: Literal["pratique.processes/1"] = "pratique.processes/1"
    platform: str
    taken: str
    asked: tuple[str, ...] = ()
    lacks: tuple[Lack, ...] = ()
    processes: tuple[ProcessFact, ...] = ()


class SocketTable(msgspec.Struct, frozen=True, kw_only=True):
    """All sockets of the Internet protocols that could be seen."""

    format: Literal["pratique.sockets/1"] = "pratique.sockets/1"
    platform: str
    taken: str
    lacks: tuple[Lack, ...] = ()
    sockets: tuple[SocketFact, ...] = ()

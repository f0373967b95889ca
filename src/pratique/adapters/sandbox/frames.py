"""Records over a pipe: a length of four bytes, then MessagePack. What cannot be read ends the stream."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.model.event import Event

LARGEST = 64 << 20


class Ending(msgspec.Struct, frozen=True, tag="ending"):
    """The last record of a sandbox. Fields as in `Contained`; `parts` are encoded by whoever knows their types."""

    failed: str = ""
    parts: dict[str, Any] = {}


class Happened(msgspec.Struct, frozen=True, tag="event"):
    """One event of a sandbox, as it happened."""

    event: Event


class Writer:
    """Sends records; several threads may."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._encoder = msgspec.msgpack.Encoder()
        self._lock = threading.Lock()

    def __call__(self, record: Any) -> None:
        """Send one record. Raises OSError where nobody reads."""
        body = self._encoder.encode(record)
        rest = memoryview(len(body).to_bytes(4, "little") + body)
        with self._lock:
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]


class Reader:
    """Puts records together again out of what was read."""

    def __init__(self) -> None:
        self._held = bytearray()
        self.broken = False

    def __call__(self, part: bytes) -> Iterator[bytes]:
        """The records that are whole now, as MessagePack."""
        self._held += part
        while len(self._held) >= 4 and not self.broken:
            length = int.from_bytes(self._held[:4], "little")
            if length > LARGEST:
                self.broken = True
                return
            if len(self._held) < 4 + length:
                return
            yield bytes(self._held[4 : 4 + length])
            del self._held[: 4 + length]

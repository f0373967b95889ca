"""Development containers: devcontainer.json.

## Reads
JSON with comments, in any folder: `initializeCommand`, which runs on the machine itself, and the commands that run in
the container (`onCreateCommand`, `updateContentCommand`, `postCreateCommand`, `postStartCommand`, `postAttachCommand`),
each a string, an array or an object of these.

## Leaves out
Features, which bring install scripts of their own; mounts and arguments of the container; Dockerfiles.

## References
Development Container Specification, "Metadata reference", "Lifecycle scripts".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.model.observation import Observation, Refusal, TriggerFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import told, trigger

_COMMANDS = (
    "initializeCommand",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what opening the container runs. Raises Unreadable."""
    yield from told(artifact, interest, READER.name, _container)


def _container(found: Any) -> Iterator[TriggerFact]:
    for key in _COMMANDS:
        value = found.get(key)
        for item in value.values() if isinstance(value, dict) else [value]:
            if isinstance(item, str | list) and item:
                yield trigger("devcontainer", key, item)


READER = Reader(
    name="devcontainer",
    ecosystem="npm",
    read=read,
    basenames=("devcontainer.json", ".devcontainer.json"),
    relevance="never",
    resolves=False,
)

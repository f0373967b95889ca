"""direnv's settings of a folder: .envrc.

## Reads
That there is one, and the script files that it names. It is shell code, which direnv runs when a shell enters the
folder, once a person allowed this very text.

## Leaves out
Everything else in it: it often holds secrets. Whether it was allowed.

## References
direnv documentation "direnv-stdlib"; direnv manual "direnv allow".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import marks, script
from pratique.readers.text import decode_text


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield that a shell runs this file. Raises Unreadable."""
    data = artifact.content()
    yield from marks(artifact, data, interest, READER.name)
    text = decode_text(data)
    if text is None or not text.strip():
        yield artifact.refusal(READER.name, "is empty, or no text", relevant=False)
        return
    yield from script(artifact, text, READER.name, "direnv", "folder-entered")


READER = Reader(
    name="direnv",
    ecosystem="npm",
    read=read,
    basenames=(".envrc",),
    relevance="never",
    resolves=False,
)

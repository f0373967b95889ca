"""Scripts that git runs: .git/hooks, and .husky.

## Reads
Every file in `.git/hooks` that is no sample, and every hook of husky in `.husky`: the program of its first line and the
script files that it names. Digest, name and text are compared with those that incidents list.

## Leaves out
The rest of the script. Whether it may be executed, and whether git is told to look elsewhere (`core.hooksPath`, see
`git-configuration`). Hooks of submodules, work trees and bare repositories; `.git` inside archives and images.

## References
git documentation "githooks"; husky documentation "How it works".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import command, marks, script

_EVENT = re.compile(r"[a-z][a-z0-9-]{3,40}")
_HASH_BANG = re.compile(r"#!\s*(\S+)(?:\s+(\S+))?")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the hook. Raises Unreadable."""
    name = artifact.path.rpartition("/")[2]
    if name.endswith(".sample") or not _EVENT.fullmatch(name):
        return
    data = artifact.content()
    yield from marks(artifact, data, interest, READER.name)
    if not data.strip():
        yield artifact.refusal(READER.name, "is empty", relevant=False)
        return
    text = data.decode("utf-8", "replace")
    first = _HASH_BANG.match(text)
    program = None
    if first is not None:
        program = first[2] if first[1].endswith("/env") and first[2] else first[1]
        program = command(program)[0]
    tool = "husky" if "/.husky/" in f"/{artifact.path}" else "git"
    yield from script(artifact, text, READER.name, tool, name, program)


READER = Reader(
    name="git-hooks",
    ecosystem="npm",
    read=read,
    folders=((".git", "hooks"), (".husky",)),
    outside=("node_modules",),
    relevance="never",
    resolves=False,
)

"""Hooks that git puts into every new repository, or runs for all of them.

## Reads
In the folders of templates, and in those that `core.hooksPath` and `init.templateDir` of an account or of the system
name: each hook with the programs and script files that it names. Samples are left out.

## Leaves out
Hooks of single repositories, which `git-hooks` reads where the repository is examined.

## References
githooks(5); git-init(1) "TEMPLATE DIRECTORY".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import entry, merged, text_of


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the hook. Raises Unreadable."""
    name = artifact.path.rpartition("/")[2]
    if name.endswith(".sample"):
        return
    text = text_of(artifact.content())
    code = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    yield from entry(artifact, READER, merged([code], interest), mechanism="git-hook", name=name, when=name)


READER = Reader(
    name="git-template",
    ecosystem="host",
    read=read,
    folders=(
        ("templates", "hooks"),
        (".git-templates", "hooks"),
        (".git-template", "hooks"),
        (".git_template", "hooks"),
        (".git_templates", "hooks"),
        (".githooks",),
        (".git-hooks",),
        ("git", "hooks"),
    ),
    limit=4 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)

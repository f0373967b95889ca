"""pnpm's record of what it installed: node_modules/.pnpm/lock.yaml.

## Reads
The copy of the project's lockfile that pnpm 5 and later write into the virtual store at the end of an install, in the
form of pnpm-lock.yaml. The lockfile beside the project may be newer; this one says what lies in the tree. Each fact
names the package's folder where pnpm's rules for folder names give it without a hash.

## Leaves out
Configuration dependencies, which pnpm does not copy into this file. Virtual stores with another name than `.pnpm`. The
folder is pnpm's usual one: with `nodeLinker: hoisted` or a global virtual store the package lies elsewhere. Being cut
off between two lines is seen in form 9.0 only, since 5.x and 6.x leave out what this machine did not need.

## References
pnpm 12.21.0, lockfile and deps.path packages.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.pnpm_lock import read_lock


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one installed component for each release of a name of interest. Any other lock.yaml is left alone."""
    if not f"/{artifact.path}".endswith("/.pnpm/lock.yaml"):
        return
    yield from read_lock(
        artifact,
        READER,
        interest.wanted("npm"),
        record="installed-record",
        times=artifact.modified_time("the install that wrote this record ended"),
    )


READER = Reader(
    name="pnpm-virtual-store-lock",
    ecosystem="npm",
    read=read,
    basenames=("lock.yaml",),
    subject="project",
    content="name",
)

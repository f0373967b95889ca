"""The index of packages that pnpm's store holds without a digest: git sources and remote archives.

## Reads
`v3/<source>/integrity.json` and `v10/<source>/integrity.json`, or `integrity-not-built.json` where scripts were
switched off, in the form of the other files of the store's index. Each proves that a machine sharing the store fetched
and unpacked the package.

## Leaves out
Which source it was: the folder's name holds it in a form that cannot be taken back.

## References
pnpm 9.15.9 and 10.34.9, package requester.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.pnpm_store_index import read_row

_PATH = re.compile(r"(?:^|/)v(?:3|10)/[^/]+/integrity(?:-not-built)?\.json$")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release of one file. Any other integrity.json is left alone."""
    if _PATH.search(artifact.path):
        yield from read_row(artifact, READER, interest.wanted("npm"), None, (), "unknown")


READER = Reader(
    name="pnpm-store-source",
    ecosystem="npm",
    read=read,
    basenames=("integrity.json", "integrity-not-built.json"),
    subject="cache",
    content="name",
)

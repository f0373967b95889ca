"""npm's hidden lockfile: node_modules/.package-lock.json.

## Reads
The record that npm 7 and later write at the end of every local install (also with `--ignore-scripts`, `npm ci` and
`--no-package-lock`): `lockfileVersion` 2 (npm 7, 8) or 3 (npm 9 to 12), in the form of package-lock.json. Nothing in a
package that swaps its own manifest touches it, so it is the best record of what was installed.

## Leaves out
npm's own test of whether the file is still valid (modification times of the folders): the file is evidence of what was
installed whatever npm would think of it now. Global installs have none.

## References
npm 12.2.0, `@npmcli/arborist` lib/shrinkwrap.js.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.package_lock import Context, read_lock


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one installed component for each entry of a name of interest; a refusal for what is not a whole record."""
    root = artifact.path.rpartition("/")[0].removesuffix("node_modules")
    yield from read_lock(
        Context(
            artifact,
            interest.wanted("npm"),
            READER,
            root=root,
            record="installed-record",
            shipped_in=None,
            times=artifact.modified_time("the install that wrote this record ended"),
        )
    )


READER = Reader(
    name="hidden-lockfile",
    ecosystem="npm",
    read=read,
    basenames=(".package-lock.json",),
    subject="project",
)

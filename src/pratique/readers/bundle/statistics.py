"""Statistics of bundlers: which packages went into a build output, by path.

## Reads
`stats.json` of webpack, the metafile of esbuild (`meta.json`, `metafile.json`) and `ssr-manifest.json` of vite, in the
folders that builds write to: every path below `node_modules`, with the version where pnpm's folder spells it.

## Leaves out
Sizes, chunks and reasons. These files hold no versions: without pnpm they tell the name alone. Files of other names.

## References
webpack documentation "Stats data"; esbuild documentation "Metafile"; vite documentation "build.ssrManifest".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.bundle.telling import FOLDERS, OUTSIDE, Findings, named
from pratique.readers.text import decode_text, refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the packages that paths name; a refusal for what is not whole JSON."""
    data = artifact.content()
    text = decode_text(data)
    found = Findings(interest.wanted("npm"))
    named((text or "").replace("\\\\", "/").replace("\\/", "/").encode("utf-8", "replace") or data, found)
    yield from found.observations(artifact, READER.name)
    try:
        msgspec.json.decode(text or "", type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        yield refuse(artifact, READER, f"is not whole JSON: {error}")


READER = Reader(
    name="bundle-statistics",
    ecosystem="npm",
    read=read,
    suffixes=("stats.json", "meta.json", "metafile.json", "ssr-manifest.json"),
    folders=FOLDERS,
    outside=OUTSIDE,
    resolves=False,
)

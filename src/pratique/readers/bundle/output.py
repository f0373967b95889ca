"""The output of bundlers: JavaScript that carries packages, minified or not, and its licence files.

## Reads
`*.js`, `*.mjs`, `*.cjs` and `*.LICENSE.txt` in the folders that builds write to (`dist`, `build`, `out`, `.next`,
`.output`, `public`, `static`, `assets` and others), as webpack 5, rollup 4, esbuild 0.25, vite 7 and parcel 2 write
them; a single file of this kind that is named as a target, wherever it lies. A package is told by its signature, by
paths below `node_modules` (comments of esbuild, module keys of webpack), by a banner or licence comment, or by its own
manifest bundled with it; its release by the version constant, by pnpm's folder names, by the banner or by the manifest.
Source maps inside the file, one for each module in development builds, are read too. Strings that an indicator names
are looked for as they stand.

## Leaves out
What is installed below `node_modules`, and other folders. A package without signature, banner or path leaves no name
in minified text, and one whose code was dropped as unused leaves nothing at all. Strings that were encoded. Compressed
copies (`*.js.gz`, `*.js.br`), source text beside the output, style sheets. Nothing tells that JavaScript text was cut.

## References
webpack documentation "Output" and "TerserPlugin" (`extractComments`); esbuild documentation "Legal comments"; rollup
documentation "output.banner"; builds of axios 1.14 and 0.30 and ua-parser-js 0.7 with the versions named above.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.bundle.source_map import Digesting, within
from pratique.readers.bundle.telling import FOLDERS, OUTSIDE, search
from pratique.readers.text import decode_text, refuse

_INLINE = re.compile(rb"sourceMappingURL=data:application/json[\w;=-]{0,60};base64,([A-Za-z0-9+/=]{16,})")
"""Bundlers' own code holds the words too, without a map behind them."""
_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what the text tells. Raises Unreadable."""
    data = artifact.content()
    if data.startswith(_MARKS):
        data = (decode_text(data) or "").encode("utf-8", "replace") or data
    found = Digesting(interest)
    search(data, interest, found)
    reasons = {}
    for match in _INLINE.finditer(data):
        try:
            reason = within(base64.b64decode(match[1], validate=True), interest, found)
        except binascii.Error:
            reason = "is no whole base64"
        if reason is not None:
            reasons[reason[:40]] = reason
    if reasons:
        yield refuse(artifact, READER, f"a source map in it: {min(reasons.values())}")
    yield from found.observations(artifact, READER.name)
    if data[:2] == b"\x1f\x8b" or b"\0" in data:
        yield refuse(artifact, READER, "is no text: compressed, damaged or in an encoding without a mark")
        return
    try:
        data.decode()
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 at byte {error.start}: searched as it is"
        yield artifact.refusal(READER.name, reason, relevant=False)


READER = Reader(
    name="bundle",
    ecosystem="npm",
    read=read,
    suffixes=(".js", ".mjs", ".cjs", ".LICENSE.txt"),
    folders=FOLDERS,
    outside=OUTSIDE,
    resolves=False,
)

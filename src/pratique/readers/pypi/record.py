"""What a package manager wrote down of an install: RECORD in a .dist-info folder.

## Reads
The list of installed files with their SHA-256. Of a release of interest: that it was installed, when (the file is
written last, by pip and by uv, and is no link into a cache), which files run at every start of Python (`.pth`,
`.start`), and the digests of those and of its Python files, up to 64 of them, for a second look that compares them.

## Leaves out
Files outside the folder that holds `site-packages`' packages (programs in `bin`), compiled files (listed without a
digest), and files beyond the first 64. The RECORD of a wheel that was not installed.

## References
PyPA "Recording installed projects"; PEP 376, PEP 427; pip 26.3, uv 0.13.9.
"""

from __future__ import annotations

import base64
import binascii
import csv
from collections.abc import Iterator

from pratique.ecosystems.pypi.files import release_of_info
from pratique.ecosystems.pypi.layout import unpacked_in_cache
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.pypi.installed import archive_of
from pratique.readers.text import decode_text

MOST = 64
_STARTING = (".pth", ".start")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the installed release with the files that matter."""
    folder = artifact.path.rpartition("/")[0]
    release = release_of_info(folder.rpartition("/")[2])
    if release is None or release[0] not in interest.wanted("PyPI"):
        return
    if unpacked_in_cache(artifact.path) or ("/" not in folder and archive_of(artifact).endswith(".whl")):
        return
    reason = None
    rows: list[tuple[str, str]] = []
    try:
        text = decode_text(artifact.content())
        if text is None:
            reason = "is not text in UTF-8 or UTF-16"
        else:
            rows, reason = listed(text)
    except Unreadable as error:
        reason = error.reason
    rows.sort(key=lambda row: (not row[0].endswith(_STARTING), row[0].count("/"), row[0]))
    kept = [row for row in rows if row[0].endswith((*_STARTING, ".py"))][:MOST]
    fact = ComponentFact(
        name=release[0],
        version=release[1],
        depth="installed",
        record="installed-record",
        ecosystem="PyPI",
        folder=folder,
        files=tuple(path for path, _ in kept),
        digests=tuple(digest for _, digest in kept),
    )
    times = artifact.modified_time("the install that wrote this record ended")
    yield Observation(READER.name, artifact.location(), fact, times)
    if reason is not None:
        yield artifact.refusal(READER.name, reason, names=(release[0],))


def listed(text: str) -> tuple[list[tuple[str, str]], str | None]:
    """Path and SHA-256 (hexadecimal, or empty) of each file below the folder, and why this is not all."""
    found = []
    reason = None if text.endswith("\n") else "ends in the middle of a line"
    try:
        for row in csv.reader(text.splitlines()):
            if len(row) < 2:
                reason = reason or ("holds a line that is none of a record" if row else None)
                continue
            path = row[0].replace("\\", "/")
            if path.startswith("/") or ":" in path or ".." in path.split("/"):
                continue
            found.append((path, hexadecimal(row[1])))
    except csv.Error:
        reason = "is no list of comma-separated values"
    return found, reason


def hexadecimal(field: str) -> str:
    """`sha256=<base64>` as `sha256:<hexadecimal>`; empty for any other."""
    kind, _, text = field.partition("=")
    if kind != "sha256":
        return ""
    try:
        digest = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()
    except (binascii.Error, ValueError):
        return ""
    return f"sha256:{digest}" if len(digest) == 64 else ""


READER = Reader(
    name="python-record",
    ecosystem="PyPI",
    read=read,
    basenames=("RECORD",),
    relevance="named-folder",
    resolves=False,
    content="name",
)

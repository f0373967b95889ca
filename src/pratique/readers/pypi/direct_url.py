"""Where an installed package came from, if not from an index: direct_url.json in a .dist-info folder.

## Reads
Archives with their SHA-256, folders and editable installs, version control. An archive is as good as one from an index;
a folder or version control is another source, and the release's own metadata is then judged by that.

## Leaves out
The commit, and the path of a folder: it tells about the machine alone.

## References
PEP 610; pip 26.3, uv 0.13.9.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.pypi.files import release_of_info, stripped
from pratique.model.observation import ComponentFact, Observation, Origin, Refusal
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.text import decode_text, load_json


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the installed release with its origin."""
    folder = artifact.path.rpartition("/")[0]
    release = release_of_info(folder.rpartition("/")[2])
    if release is None or release[0] not in interest.wanted("PyPI"):
        return
    document = reference(artifact)
    if isinstance(document, str):
        yield artifact.refusal(READER.name, document, names=(release[0],))
        return
    url: str = document["url"]
    hashes: tuple[str, ...] = ()
    origin: Origin = "remote-tarball"
    if isinstance(document.get("vcs_info"), dict):
        origin = "git"
    elif isinstance(document.get("dir_info"), dict):
        origin = "link" if document["dir_info"].get("editable") is True else "file"
    else:
        hashes = archive_hashes(document)
        origin = "unknown" if url.startswith("file:") else "remote-tarball"
    fact = ComponentFact(
        name=release[0],
        version=release[1],
        depth="installed",
        record="installed-record",
        ecosystem="PyPI",
        origin=origin,
        integrity=hashes,
        resolved=None if origin in ("link", "file") else stripped(url),
        folder=folder,
    )
    yield Observation(READER.name, artifact.location(), fact, ())


def reference(artifact: Artifact) -> dict[str, Any] | str:
    """The direct reference (PEP 610) that a file holds, with its `url`; text is why there is none."""
    try:
        document, reason = whole_json(artifact.content())
    except Unreadable as error:
        return error.reason
    if reason is not None or not isinstance(document, dict) or not isinstance(document.get("url"), str):
        return reason or "is no direct reference"
    return document


def whole_json(data: bytes) -> tuple[Any, str | None]:
    """The document, and why it cannot be trusted: it is not whole, or a key stands twice in one object."""
    text = decode_text(data)
    try:
        document, twice = load_json(text) if text is not None else (None, None)
    except (ValueError, RecursionError):
        return None, "is not whole JSON"
    if text is None:
        return None, "is not text in UTF-8 or UTF-16"
    return document, None if twice is None else "a key stands twice"


def archive_hashes(document: dict[str, Any]) -> tuple[str, ...]:
    """The hashes of `archive_info`, in either spelling."""
    info = document.get("archive_info")
    if not isinstance(info, dict):
        return ()
    found = []
    hashes = info.get("hashes")
    if isinstance(hashes, dict):
        found += [f"{kind}:{digest.lower()}" for kind, digest in hashes.items() if isinstance(digest, str)]
    one = info.get("hash")
    if isinstance(one, str) and "=" in one:
        found.append(one.replace("=", ":", 1).lower())
    return tuple(dict.fromkeys(found))


READER = Reader(
    name="python-direct-url",
    ecosystem="PyPI",
    read=read,
    basenames=("direct_url.json",),
    relevance="named-folder",
    resolves=False,
    content="name",
)

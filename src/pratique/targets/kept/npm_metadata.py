"""Documents of packages that pnpm and yarn keep: parts of a registry's, put back into its form.

pnpm 10 and before keep JSON files below `metadata*/<registry>/`, pnpm 12 a head, an index and the versions one after
the other (`v12/metadata/<registry>/<name>.jsonl`), yarn 4 `metadata/npm/<digest>/<registry>/<name>.json`. What none of
them keeps is missing here too: who published, signatures, attestations.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.targets.kept.found import content

_HEAD = re.compile(rb"pnpm-meta-v1 (\d{1,9}) (\d{1,9})\n")
_JSON = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Index(msgspec.Struct):
    name: str
    tags: Any = msgspec.field(name="distTags", default=None)
    time: Any = None
    versions: list[tuple[str, int, int]] = []


_INDEX = msgspec.json.Decoder(_Index)


def pnpm_documents(folder: str, name: str) -> Iterator[bytes]:
    """The documents of a package in pnpm's cache, the newest file first."""
    base = glob.escape(folder)
    inner = glob.escape(name)
    paths = [
        *glob.glob(f"{base}/metadata*/*/{inner}.json"),
        *glob.glob(f"{base}/v[0-9]*/metadata*/*/{inner}.jsonl"),
        *glob.glob(f"{base}/v[0-9]*/metadata*/*/{inner}.json"),
    ]
    for path in _newest(paths):
        data = content(path)
        if data is not None and path.endswith(".jsonl"):
            data = _of_lines(data)
        if data is not None:
            yield data


def yarn_documents(folder: str, name: str) -> Iterator[bytes]:
    """The documents of a package in the folder of yarn 4, the newest file first."""
    inner = glob.escape(name.replace("/", "-"))
    pattern = f"{glob.escape(folder)}/metadata/npm/*/*/{inner}"
    for path in _newest([*glob.glob(f"{pattern}.json"), *glob.glob(f"{pattern}-?.json")]):
        try:
            kept = _JSON.decode(content(path) or b"")
            inside = _JSON.decode(kept["metadata"])
        except (KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        yield msgspec.json.encode({"name": name, **inside})


def _of_lines(data: bytes) -> bytes | None:
    """A document out of pnpm 12's form; None where it is damaged."""
    head = _HEAD.match(data)
    if head is None:
        return None
    start = head.end() + int(head[1])
    bodies = start + int(head[2])
    try:
        index = _INDEX.decode(data[start:bodies])
        versions = {text: msgspec.Raw(_whole(data, bodies + at, size)) for text, at, size in index.versions}
        document = {"name": index.name, "dist-tags": index.tags, "time": index.time, "versions": versions}
        return msgspec.json.encode({key: value for key, value in document.items() if value is not None})
    except (ValueError, msgspec.DecodeError, RecursionError):
        return None


def _whole(data: bytes, start: int, size: int) -> bytes:
    """One version's part of a file. Raises ValueError where it is not all there, or is no JSON."""
    part = data[start : start + size]
    if start < 0 or size < 0 or len(part) != size:
        raise ValueError(size)
    msgspec.json.decode(part)
    return part


def _newest(paths: list[str]) -> list[str]:
    def moment(path: str) -> float:
        try:
            return os.path.getmtime(path)
        except OSError:
            return 0.0

    return sorted(paths, key=moment, reverse=True)

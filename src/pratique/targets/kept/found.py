"""What a cache, store or folder holds of a release, and what it says about it."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterator

import msgspec

MOST_ENTRIES = 500_000
LARGEST_DOCUMENT = 128 << 20


class Held(msgspec.Struct, frozen=True):
    """An archive, or a folder, that should be a release. `source` says in words where it lies.

    `copy`: it is no archive of the registry but what was unpacked or built from one, and may differ from it.
    """

    path: str
    source: str
    copy: bool = False


def digests_of(integrity: str) -> dict[str, frozenset[str]]:
    """Algorithm to hexadecimal digests of a Subresource Integrity text; what cannot be read is left out."""
    found: dict[str, set[str]] = {}
    for word in integrity.split():
        kind, dash, text = word.partition("-")
        text = text.partition("?")[0]
        if not dash or kind not in ("sha1", "sha256", "sha384", "sha512"):
            continue
        try:
            digest = base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            continue
        found.setdefault(kind, set()).add(digest)
    return {kind: frozenset(values) for kind, values in found.items()}


def walk(root: str, most: int = MOST_ENTRIES) -> Iterator[tuple[str, list[str]]]:
    """Every folder below a root with the names of its files, following no link; ends after `most` entries."""
    seen = 0
    stack = [root]
    while stack and seen < most:
        folder = stack.pop()
        files: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda item: item.name):
                    seen += 1
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(entry.name)
        except OSError:
            continue
        yield folder, files


def content(path: str, limit: int = LARGEST_DOCUMENT) -> bytes | None:
    """The bytes of a regular file; None where there is none, it cannot be read, or it is larger than `limit`."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > limit:
            return None
        with open(path, "rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError):
        return None


def plain(text: str) -> bool:
    """Whether a name or version may become part of a path: no separator, no dots alone, nothing unprintable."""
    return (
        0 < len(text) <= 256
        and text not in (".", "..")
        and text.isprintable()
        and re.search(r'[/\\\0:*?"<>|]', text) is None
    )

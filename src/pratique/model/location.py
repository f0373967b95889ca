"""Where something was seen."""

from __future__ import annotations

import base64
import re
from typing import Literal

import msgspec

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNPAIRED = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that do not stand for an undecodable byte: names of Windows, or text out of a file."""


class Inside(msgspec.Struct, frozen=True, order=True):
    """One step into a container: an archive member, an image layer, a history, a row of a store.

    `id` is the digest of the layer, or for `commit` the object id of the blob that commits hold at `path`.
    """

    kind: Literal["member", "layer", "commit", "store"]
    id: str
    path: str


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in a target. `path` is valid UTF-8, relative to the target, with `/` between its parts.

    `path_bytes` holds the exact bytes in base64 where the path is not valid UTF-8. `line` counts from 1.
    """

    target: str
    path: str
    path_bytes: str | None = None
    inside: tuple[Inside, ...] = ()
    line: int | None = None


def locate(target: str, path: str, *, line: int | None = None, inside: tuple[Inside, ...] = ()) -> Location:
    """A Location for a path as the operating system gave it (undecodable bytes as lone surrogates)."""
    if path.isascii():
        return Location(target, path, line=line, inside=inside)
    try:
        path.encode()
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogatepass" if _UNPAIRED.search(path) else "surrogateescape")
        return Location(target, shown(path), base64.b64encode(raw).decode(), inside, line)
    return Location(target, path, line=line, inside=inside)


def shown(path: str) -> str:
    """Any text as valid Unicode: undecodable bytes and unpaired surrogates become U+FFFD."""
    return _SURROGATE.sub("\ufffd", path)


def undecoded(location: Location) -> str:
    """The path as the operating system gave it: the opposite of `locate`. Its path bytes count where there are any."""
    if location.path_bytes is None:
        return location.path
    try:
        raw = base64.b64decode(location.path_bytes, validate=True)
    except ValueError:
        return location.path
    try:
        return raw.decode("utf-8", "surrogateescape")
    except UnicodeDecodeError:
        return location.path

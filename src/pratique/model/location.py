"""Where something was seen."""

from __future__ import annotations

import base64
from typing import Literal

import msgspec


class Inside(msgspec.Struct, frozen=True):
    """One step into a container: an archive member, an image layer, a commit, a row of a store."""

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
        raw = path.encode("utf-8", "surrogateescape")
        return Location(target, raw.decode("utf-8", "replace"), base64.b64encode(raw).decode(), inside, line)
    return Location(target, path, line=line, inside=inside)


def shown(path: str) -> str:
    """`path` as valid UTF-8 text: undecodable bytes become U+FFFD."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

"""What the rows of pnpm's store say: shared by the readers of its two forms (JSON files, a database)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pratique.model.observation import ComponentFact, SideEffectFact, Time
from pratique.model.ports import iso_time

_PLATFORM = re.compile(r"(?P<platform>[a-z0-9]+(?:;[a-z0-9]+;node\w*|-[a-z0-9]+-node-?v?\d+))(?P<rest>.*)", re.DOTALL)
_PATCH_ALONE = re.compile(r"-(?:[a-z2-7]{26}|[0-9a-f]{64})")
_ALGORITHMS = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}


def integrity_of(digest: str) -> tuple[str, ...]:
    """The Subresource Integrity string of a hexadecimal digest; empty where its length fits no algorithm."""
    algorithm = _ALGORITHMS.get(len(digest))
    if algorithm is None or not re.fullmatch(r"[0-9a-f]+", digest):
        return ()
    return (f"{algorithm}-{base64.b64encode(bytes.fromhex(digest)).decode()}",)


def component(
    name: str, version: str, row: Mapping[str, Any], integrity: tuple[str, ...], *, origin: Any = "registry"
) -> tuple[ComponentFact, tuple[Time, ...]]:
    """The package of a row, and when its first file was written."""
    files = row.get("files")
    listed = files if isinstance(files, dict) else {}
    checked = [
        entry["checkedAt"]
        for entry in listed.values()
        if isinstance(entry, dict) and isinstance(entry.get("checkedAt"), int | float)
    ]
    earliest = min((moment for moment in checked if 0 < moment < 1e14), default=None)
    times: tuple[Time, ...] = ()
    if earliest is not None:
        times = (Time("the file was written to the store", iso_time(earliest / 1000), "checkedAt"),)
    fact = ComponentFact(
        name=name,
        version=version,
        depth="fetched",
        record="store",
        origin=origin,
        integrity=integrity,
        install_script=True if row.get("requiresBuild") is True else None,
        files=tuple(sorted(key for key in listed if isinstance(key, str))),
    )
    return fact, times


def side_effects(
    name: str, version: str, row: Mapping[str, Any], integrity: tuple[str, ...]
) -> Iterator[SideEffectFact]:
    """What scripts changed, for each platform. Changes that a patch alone made are no trace of a script."""
    recorded = row.get("sideEffects")
    if not isinstance(recorded, dict):
        return
    files = row.get("files")
    for key, changes in sorted((key, value) for key, value in recorded.items() if isinstance(key, str)):
        match = _PLATFORM.fullmatch(key)
        rest = match["rest"] if match else ""
        if (";" in key and ";patch=" in key and ";deps=" not in key) or _PATCH_ALONE.fullmatch(rest):
            continue
        added, deleted = _changes(changes, files if isinstance(files, dict) else {})
        yield SideEffectFact(
            name=name,
            version=version,
            platform=match["platform"] if match else key[:100],
            added=added,
            deleted=deleted,
            integrity=integrity,
        )


def _changes(changes: Any, files: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Files added or changed, and files deleted: as recorded (store v10, v11), or by comparison (v3)."""
    if not isinstance(changes, dict):
        return (), ()
    added, deleted = changes.get("added"), changes.get("deleted")
    if _is_difference(changes):
        return (
            tuple(sorted(key for key in added if isinstance(key, str))) if isinstance(added, dict) else (),
            tuple(sorted(item for item in deleted if isinstance(item, str))) if isinstance(deleted, list) else (),
        )
    new = (key for key, entry in changes.items() if isinstance(key, str) and _digest(entry) != _digest(files.get(key)))
    return tuple(sorted(new)), tuple(sorted(key for key in files if isinstance(key, str) and key not in changes))


def _is_difference(changes: Mapping[str, Any]) -> bool:
    """Whether changes are a difference; a full list of files may hold a file called `added`, with an integrity."""
    return all(key in ("added", "deleted") for key in changes) and not any(
        isinstance(entry, dict) and isinstance(entry.get("integrity"), str) for entry in changes.values()
    )


def _digest(entry: Any) -> object:
    return entry.get("integrity") if isinstance(entry, dict) else None

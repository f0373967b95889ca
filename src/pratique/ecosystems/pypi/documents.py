"""An index's document of a Python project as releases and times: the simple form (PEP 691) or the one of releases.

A release is there from the first upload of one of its files. It is yanked where all its files are.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from pratique.ecosystems.npm.documents import seconds
from pratique.ecosystems.releases import Document, Package, Release


def read_document(data: bytes) -> Document:
    """The project that a document describes. Raises ValueError with the reason where it is none."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("is no index document: not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("is no index document: not an object")
    if isinstance(document.get("files"), list):
        name, files = document.get("name"), _simple(document["files"])
    elif isinstance(document.get("releases"), dict):
        info = document.get("info")
        name, files = info.get("name") if isinstance(info, dict) else None, _by_release(document["releases"])
    else:
        raise ValueError("is no index document: it has neither files nor releases")
    if not isinstance(name, str) or not name:
        raise ValueError("is no index document: it has no name")
    grouped: dict[str, list[dict[str, Any]]] = {}
    for version, file in files:
        grouped.setdefault(version, []).append(file)
    releases = tuple(_release(version, items) for version, items in grouped.items())
    return Document(Package(name, releases, timed=any(r.published is not None for r in releases)))


def _simple(files: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    """Version and file of each file of the simple form."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    found = []
    for file in files:
        filename = file.get("filename") if isinstance(file, dict) else None
        if not isinstance(filename, str):
            continue
        try:
            if filename.endswith(".whl"):
                version = parse_wheel_filename(filename)[1]
            else:
                version = parse_sdist_filename(filename)[1]
        except (InvalidSdistFilename, InvalidWheelFilename):
            continue
        found.append((str(version), file))
    return found


def _by_release(releases: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (version, file)
        for version, files in releases.items()
        if isinstance(files, list)
        for file in files
        if isinstance(file, dict)
    ]


def _release(version: str, files: list[dict[str, Any]]) -> Release:
    times = [seconds(file.get("upload-time") or file.get("upload_time_iso_8601")) for file in files]
    known = [time for time in times if time is not None and not math.isnan(time)]
    python = next(
        (text for file in files if isinstance(text := file.get("requires-python") or file.get("requires_python"), str)),
        None,
    )
    yanked = all(file.get("yanked") not in (None, False) for file in files)
    return Release(version, published=min(known) if known else None, yanked=yanked, python=python)

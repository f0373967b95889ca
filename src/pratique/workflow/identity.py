"""What a release calls itself, and what it asks for, out of its opened files."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from email.parser import HeaderParser
from typing import Any

import msgspec

from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.references import World
from pratique.ecosystems.requirements_of import Wanted, of_npm, of_python
from pratique.model.ports import Unreadable
from pratique.model.release import Files

LARGEST = 16 << 20


class Identity(msgspec.Struct, frozen=True):
    """Name and version as the manifest states them; empty where it states none."""

    ecosystem: World
    name: str
    version: str


def identity(files: Files, path: str = "") -> Identity:
    """What a release calls itself. `path` is where it lies: its name stands in where the manifest is silent."""
    from pratique.ecosystems.pypi.files import release_of

    members = files.members
    python = files.form in ("wheel", "sdist") or (
        files.form == "directory"
        and "package.json" not in members
        and (_metadata_path(files) is not None or "pyproject.toml" in members or "setup.py" in members)
    )
    if python:
        headers = HeaderParser().parsestr(metadata(files))
        name, version = headers.get("Name") or "", headers.get("Version") or ""
        if not name or not version:
            project = _table(pyproject(files).get("project"))
            name = name or str(project.get("name") or "")
            version = version or str(project.get("version") or "")
        named = release_of(os.path.basename(path)) or ("", "")
        return Identity("PyPI", normalise((name or named[0]).strip()[:200]), (version or named[1]).strip()[:200])
    manifest = package_json(files)
    own, stated = manifest.get("name"), manifest.get("version")
    return Identity(
        "npm",
        own[:214] if isinstance(own, str) else "",
        stated[:256] if isinstance(stated, str) else "",
    )


def requirements(files: Files, ecosystem: World) -> dict[str, Wanted]:
    """What a release asks for, by name."""
    if ecosystem == "npm":
        return of_npm(package_json(files))
    return of_python(metadata(files), pyproject(files) if files.form != "wheel" else None)


def package_json(files: Files) -> Mapping[str, Any]:
    """The manifest of an npm package; empty where it has none that can be read."""
    try:
        found = msgspec.json.decode(_content(files, "package.json"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def pyproject(files: Files) -> Mapping[str, Any]:
    """The `pyproject.toml` of a Python project; empty where it has none that can be read."""
    try:
        return tomllib.loads(_content(files, "pyproject.toml").decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def metadata(files: Files) -> str:
    """The METADATA of a wheel or the PKG-INFO of a source archive; empty where there is none."""
    path = _metadata_path(files)
    return _content(files, path).decode("utf-8", "replace") if path else ""


def _metadata_path(files: Files) -> str | None:
    found = [
        path
        for path in files.members
        if (path.count("/") == 1 and path.endswith(".dist-info/METADATA")) or path == "PKG-INFO"
    ]
    return found[0] if found else None


def _content(files: Files, path: str) -> bytes:
    if path not in files.members:
        return b""
    try:
        return files.read(path, LARGEST)
    except Unreadable:
        return b""


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

"""What the path of a request to a registry, or to a mirror of one, asks for: an archive, or what is known of a package.

npm: `<name>/-/<base>-<version>.tgz` with the scope written `@s/`, `@s%2f` or `%40s%2F`; everything else that ends in a
name, or in a name and a version, asks for metadata. Python: `/simple/<name>/`, `/pypi/<name>/json`, and files told by
their own names; with `.metadata` behind it, the metadata of one release.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Literal
from urllib.parse import unquote

import msgspec

from pratique.ecosystems.npm.urls import tarball_release
from pratique.ecosystems.pypi.names import normalise

_WHEEL = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl")
_EGG = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)-py[\d.]+(?:-[\w.]+)?\.egg")
_SDIST = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tar.Z")
_NUMBER = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]*)?")
_PYTHON_NUMBER = re.compile(r"\d[^/]*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What a path asks for. `version` is empty for metadata of all releases of a package."""

    ecosystem: Literal["npm", "PyPI"]
    name: str
    version: str
    archive: bool


def asked(path: str, npm: Container[str], pypi: Container[str]) -> Asked | None:
    """What a path or URL asks for, where it names a package of interest; None for everything else."""
    plain = _plain(path)
    if not plain:
        return None
    if "/-/" in plain or "/download/" in plain or "/_attachments/" in plain:
        return _npm_archive(plain, npm)
    return _python(plain, pypi) or _npm_metadata(plain, npm)


def _plain(path: str) -> str:
    """The path alone, decoded once: without scheme and host, query and fragment."""
    for mark in "?#":
        if mark in path:
            path = path[: path.index(mark)]
    match = _SCHEME.match(path)
    if match:
        path = path[match.end() :]
    if "%" in path:
        path = unquote(path)
    return path if path.startswith("/") else f"/{path}"


def _spelled(name: str, wanted: Container[str]) -> str | None:
    """The name as it is asked about: old names may hold capitals, mirrors may write them small."""
    if not name or name in wanted:
        return name or None
    lower = name.lower()
    return lower if lower in wanted else None


def _npm_archive(path: str, wanted: Container[str]) -> Asked | None:
    head, separator, tail = path.partition("/-/")
    if separator and head:
        folders = head.rsplit("/", 2)
        scoped = len(folders) > 1 and folders[-2].startswith("@")
        if _spelled("/".join(folders[-2:]) if scoped else folders[-1], wanted) is None:
            return None  # most requests end here: no release is taken apart that nobody asks about
    release = tarball_release(path)
    if release is not None:
        name = _spelled(release[0], wanted)
        return Asked("npm", name, release[1], archive=True) if name is not None else None
    if separator and not head:  # the registry's own services
        _, tags, rest = tail.partition("package/")
        name = _spelled(rest.rpartition("/dist-tags")[0], wanted) if tags else None
        return Asked("npm", name, "", archive=False) if name is not None else None
    return None


def _npm_metadata(path: str, wanted: Container[str]) -> Asked | None:
    parts = path.rstrip("/").split("/")
    version = ""
    if len(parts) > 2 and _NUMBER.fullmatch(parts[-1]):
        version = parts.pop()
    last = parts[-1]
    scope = parts[-2] if len(parts) > 1 and parts[-2].startswith("@") else ""
    name = _spelled(f"{scope}/{last}" if scope else last, wanted)
    return Asked("npm", name, version, archive=False) if name is not None else None


def _python(path: str, wanted: Container[str]) -> Asked | None:
    file = path.rstrip("/").rpartition("/")[2]
    if file.endswith(".metadata"):
        found = python_file(file.removesuffix(".metadata"), wanted)
        return Asked("PyPI", found[0], found[1], archive=False) if found else None
    found = python_file(file, wanted)
    if found is not None:
        return Asked("PyPI", found[0], found[1], archive=True)
    parts = path.strip("/").split("/")
    if len(parts) >= 2 and parts[-2] in ("simple", "+simple", "index"):
        name = normalise(parts[-1])
    elif parts[-1] == "json" and (back := next((n for n in (3, 4) if parts[-n : 1 - n] == ["pypi"]), 0)):
        name = normalise(parts[1 - back])
    else:
        return None
    if name not in wanted:
        return None
    version = parts[-2] if parts[-1] == "json" and _PYTHON_NUMBER.fullmatch(parts[-2]) else ""
    return Asked("PyPI", name, version, archive=False)


def python_file(file: str, wanted: Container[str]) -> tuple[str, str] | None:
    """Normalised name and version of a distribution file, where it is of a package of interest.

    Old source archives have `-` in their names and versions: the split that gives a name of interest counts.
    """
    if file.endswith((".whl", ".egg")):
        match = (_WHEEL if file.endswith(".whl") else _EGG).fullmatch(file)
        name = normalise(match["name"]) if match else ""
        return (name, match["version"]) if match and name in wanted else None
    if not file.endswith(_SDIST):
        return None
    stem = file[: -len(next(suffix for suffix in _SDIST if file.endswith(suffix)))]
    cut = stem.find("-")
    while cut > 0:
        name, version = normalise(stem[:cut]), stem[cut + 1 :]
        if name in wanted and _PYTHON_NUMBER.fullmatch(version):
            return name, version
        cut = stem.find("-", cut + 1)
    return None

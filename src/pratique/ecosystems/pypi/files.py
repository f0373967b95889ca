"""Names of wheels, source archives and metadata folders (PEP 427, PEP 625), and what URLs of them say."""

from __future__ import annotations

import re
from urllib.parse import unquote

from pratique.ecosystems.npm.urls import strip_url
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import Origin

_WHEEL = re.compile(r"(?P<name>[^-/]+)-(?P<version>[^-/]+)(?:-\d[^-/]*)?-[^-/]+-[^-/]+-[^-/]+\.whl")
_SOURCE = re.compile(r"(?P<name>[^/]+?)-(?P<version>v?\d[^/]*?)\.(?:tar\.(?:gz|bz2|xz|Z)|tgz|tbz|zip)")
_EGG = re.compile(r"(?P<name>[^-/]+)-(?P<version>[^-/]+)(?:-py\d[^/]*)?\.egg(?:-info)?")
_INFO = re.compile(r"(?P<name>[^/]+)-(?P<version>[^-/]+)\.dist-info")
_VCS = re.compile(r"(?:git|hg|svn|bzr)\+|git@|git:|ssh:")

Release = tuple[str, str]


def release_of(file: str) -> Release | None:
    """Normalised name and version out of the name of a wheel, source archive or egg; None where it has none."""
    if file.endswith(".whl"):
        match = _WHEEL.fullmatch(file)
    elif file.endswith((".egg", ".egg-info")):
        match = _EGG.fullmatch(file)
    else:
        match = _SOURCE.fullmatch(file)
    return (normalise(match["name"]), match["version"]) if match else None


def release_of_info(folder: str) -> Release | None:
    """Normalised name and version out of the name of a `.dist-info` folder; None where it is none."""
    match = _INFO.fullmatch(folder)
    return (normalise(match["name"]), match["version"]) if match else None


def file_of(url: str) -> str:
    """The name of the file that a URL or path names."""
    plain = re.split(r"[?#]", url, maxsplit=1)[0].replace("\\", "/").rstrip("/")
    return unquote(plain.rpartition("/")[2])


def origin_of(url: str) -> Origin:
    """What kind of source a direct reference names. An archive at a URL is as good as a registry's."""
    if _VCS.match(url):
        return "git"
    archive = release_of(file_of(url)) is not None
    if "://" not in url or url.startswith("file:"):
        return "unknown" if archive else "file"
    return "remote-tarball"


def stripped(url: str) -> str:
    """The URL without secrets; for a file, its name alone, since a path tells about the machine that wrote it."""
    if url.startswith("file:") or "://" not in url:
        return file_of(url)
    return strip_url(url)

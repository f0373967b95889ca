"""Yarn's download cache: the zips below .yarn/cache and berry/cache.

## Reads
The names of the zips that Yarn 2 to 4 write, `<slug>-npm-<version>-<hash>-<key>.zip`: they say the release, and the
hash tells apart the names that a scoped slug can stand for. A zip whose name may be of interest is opened as well, and
its `node_modules/<name>/package.json` read: where it tells another release, both are reported. Nothing that a script
does in a project changes a zip.

## Leaves out
Zips of other sources than the registry (git, patch, file, URL) are opened only for a slug of interest, and read by
their manifest alone. Other members, and cache folders with another name (`cacheFolder`), are not looked at.

## References
Yarn 4.18.1, @yarnpkg/core (Cache.ts, slugifyLocator); PKWARE APPNOTE 6.3.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from pratique.ecosystems.npm.yarn import parse_slug, split_ident
from pratique.model.observation import ComponentFact, Observation, Origin, Refusal
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.npm.syml import sound
from pratique.readers.text import decode_text, refuse

MOST_MEMBERS = 200_000
MOST_MANIFESTS = 16
LARGEST_DIRECTORY = 24 << 20
LARGEST_MANIFEST = 4 << 20
RATIO = 200
_END = b"PK\x05\x06"
_MANIFEST = re.compile(r"node_modules/(?P<name>(?:@[^/]+/)?[^/]+)/package\.json")
_OTHER = re.compile(
    r"(?P<slug>@?[^@]+?)-(?P<source>[a-z][a-z+]*|exotic)-[0-9a-f]{10}-(?:[0-9a-f]{10}|\d+(?:c\d+)?)\.zip"
)
_SOURCES: dict[str, Origin] = {
    "patch": "registry",
    "file": "file",
    "exec": "file",
    "portal": "link",
    "http": "remote-tarball",
    "https": "remote-tarball",
}


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release that a zip's name tells, and the one that its manifest tells, for names of interest."""
    wanted = interest.wanted("npm")
    basename = artifact.path.rpartition("/")[2]
    slug = parse_slug(basename)
    origin: Origin = "registry"
    told: list[tuple[str, str]] = []
    if slug is not None:
        names = (slug.certain,) if slug.certain else slug.names
        if not any(name in wanted for name in names):
            return
        if len(names) == 1:
            told.append((names[0], slug.version))
    else:
        match = _OTHER.fullmatch(basename)
        names = ()
        origin = _origin(match["source"]) if match else "unknown"
        if not _may_be(match["slug"] if match else "", wanted):
            return
    found, reason = manifests(artifact.content())
    scripts = {(name, version): runs for name, version, runs in found}
    for release in dict.fromkeys([*told, *scripts]):
        if release[0] in wanted:
            fact = ComponentFact(
                name=release[0],
                version=release[1],
                depth="fetched",
                record="cache",
                origin=origin,
                install_script=scripts.get(release),
            )
            times = artifact.modified_time("the zip was put into the cache")
            yield Observation(READER.name, artifact.location(), fact, times)
    if reason is not None:
        yield refuse(artifact, READER, reason, names=tuple(name for name in names if name in wanted))


def _origin(source: str) -> Origin:
    """Origin by the protocol in a slug."""
    if source.startswith(("git", "ssh")):
        return "git"
    return _SOURCES.get(source, "unknown")


def _may_be(slug: str, wanted: frozenset[str] | Everything) -> bool:
    """Whether the slug can stand for a name of interest."""
    if isinstance(wanted, Everything):
        return True
    return slug in wanted or (slug.startswith("@") and any(name.replace("/", "-", 1) == slug for name in wanted))


Found = tuple[str, str, bool | None]


def manifests(data: bytes) -> tuple[list[Found], str | None]:
    """Name, version and whether install scripts are declared, of each package in a zip; and why that is not all."""
    found: list[Found] = []
    end = data.rfind(_END, max(0, len(data) - (1 << 16) - 22))
    if end < 0 or len(data) - end < 22:
        return found, "is no whole zip file"
    count, size = struct.unpack("<HI", data[end + 10 : end + 16])
    if size > LARGEST_DIRECTORY or data[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        return found, "has a directory larger than is read"
    if max(count, data.count(b"PK\x01\x02", max(0, end - size), end)) > MOST_MEMBERS:
        return found, "has more members than are read"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if _MANIFEST.fullmatch(info.filename)]
            if len(members) > MOST_MANIFESTS:
                return found, "holds more packages than are read"
            for info in members:
                found.append(_manifest(archive, info))
    except Unusable as error:
        return found, str(error)
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        RuntimeError,
        ValueError,
        OverflowError,
        LookupError,
    ):
        return found, "is no whole zip file"
    return found, None if found else "holds no manifest of a package"


class Unusable(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """A manifest in the zip tells nothing."""


def _manifest(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Found:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise Unusable("holds a manifest that is packed in a way Yarn does not use")
    if info.file_size > LARGEST_MANIFEST or info.file_size > RATIO * max(info.compress_size, 64):
        raise Unusable("holds a manifest larger than is read")
    with archive.open(info) as member:
        text = decode_text(member.read(LARGEST_MANIFEST + 1))
    try:
        document = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Unusable("holds a manifest that is not whole JSON")
    name, version, scripts = document.get("name"), document.get("version"), document.get("scripts")
    if not isinstance(name, str) or not isinstance(version, str) or split_ident(name) is None:
        raise Unusable("holds a manifest that names no release")
    runs = isinstance(scripts, dict) and any(key in scripts for key in ("preinstall", "install", "postinstall"))
    return sound(name), sound(version.strip().removeprefix("v")), True if runs else None


READER = Reader(
    name="yarn-berry-cache-zip",
    ecosystem="npm",
    read=read,
    suffixes=(".zip",),
    folders=((".yarn", "cache"), ("berry", "cache"), ("Berry", "cache")),
    subject="cache",
    content="name",
)

"""Metadata of Python packages: METADATA in a .dist-info folder, PKG-INFO, and .egg-info files.

## Reads
In `site-packages`, `dist-packages` and any folder that holds a `.dist-info` folder: an installed release. In a wheel,
and in a wheel that uv unpacked into its cache: a fetched one. `PKG-INFO` in an `.egg-info` folder or an egg:
installed; at the top of a source archive or of one that was unpacked: fetched. An `.egg-info` outside `site-packages`
is a project that was installed as a link to its own folder. Where folder name and content disagree both are reported,
with a refusal.

## Leaves out
What the release asks for. Who installed it (`INSTALLER`) and whether by name (`REQUESTED`): uv writes that file for
dependencies too. File times here say nothing about an install: uv links files that it unpacked weeks before; the time
of the install is that of `RECORD`. A folder of another name is not opened: package managers find a release by it.

## References
PyPA "Recording installed projects", "Core metadata"; pip 26.3, uv 0.13.9, setuptools 84.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems.pypi.files import Release, release_of, release_of_info
from pratique.ecosystems.pypi.layout import built_in_cache, shipped_in, unpacked_in_cache
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.versions import canonical
from pratique.model.observation import ComponentFact, Observation, Origin, Record, Refusal
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.text import decode_text

_LARGEST_HEAD = 1 << 16


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release that a file of metadata is about. Raises nothing."""
    wanted = interest.wanted("PyPI")
    folder, _, basename = artifact.path.rpartition("/")
    holder = folder.rpartition("/")[2]
    named: Release | None = None
    if basename == "METADATA":
        if not holder.endswith(".dist-info"):
            return
        named = release_of_info(holder)
    elif basename.endswith(".egg-info"):
        named = release_of(basename)
    elif holder.endswith(".egg-info"):
        named = release_of(holder) or (normalise(holder.removesuffix(".egg-info")), "")
    elif holder == "EGG-INFO":
        named = release_of(folder.rpartition("/")[0].rpartition("/")[2])
    elif (source := release_of(f"{holder}.zip")) is not None:
        named = source
    if named is not None and named[0] not in wanted:
        return
    place = folder if not basename.endswith(".egg-info") else artifact.path
    try:
        said = _said(artifact.content())
        reason = None if said is not None else "does not say name and version"
    except Unreadable as error:
        said, reason = None, error.reason
    if said is not None and said[0] in wanted:
        yield _observed(artifact, said, place, by_name=False)
    if named is None:
        return
    agrees = said is not None and said[0] == named[0] and canonical(said[1]) == canonical(named[1] or said[1])
    if not agrees and named[1]:
        yield _observed(artifact, named, place, by_name=True)
    if not agrees:
        reason = reason or "says another release than its folder's name"
        yield artifact.refusal(READER.name, reason, names=(named[0],))


def _said(data: bytes) -> Release | None:
    """Normalised name and version by the header lines."""
    text = decode_text(data[:_LARGEST_HEAD])
    if text is None:
        text = data[:_LARGEST_HEAD].decode("latin-1")
    name = version = None
    for line in text.splitlines():
        if not line:
            break
        key, colon, value = line.partition(":")
        lowered = key.lower()
        if colon and lowered == "name" and name is None:
            name = value.strip()
        elif colon and lowered == "version" and version is None:
            version = value.strip()
        if name and version:
            return normalise(name), version
    return None


def _observed(artifact: Artifact, release: Release, folder: str, *, by_name: bool) -> Observation:
    """The fact, by where the file lies."""
    path = artifact.path
    record: Record = "folder-name" if by_name else "installed-record"
    origin: Origin = "registry"
    fetched = False
    basename = path.rpartition("/")[2]
    in_site = "site-packages/" in path or "dist-packages/" in path
    if unpacked_in_cache(path) or built_in_cache(path):
        record, fetched = "store", True
    elif basename == "METADATA":
        fetched = "/" not in folder and archive_of(artifact).endswith(".whl")
    elif not in_site and ".egg/EGG-INFO/" not in f"{path}/":
        if ".egg-info" in path:
            origin = "link"
        else:
            fetched = True
    if fetched and record != "store":
        record = "archive"
    shipped = shipped_in(path)
    fact = ComponentFact(
        name=release[0],
        version=release[1],
        depth="fetched" if fetched else "installed",
        record=record,
        ecosystem="PyPI",
        origin=origin,
        integrity=artifact.container() if fetched and record == "archive" and artifact.container else (),
        folder=folder if not fetched else None,
        shipped_in=shipped if shipped and not _own(folder, shipped) else None,
    )
    times = artifact.modified_time("the archive was unpacked into the cache") if record == "store" else ()
    return Observation(READER.name, artifact.location(), fact, times)


def _own(folder: str, top: str) -> bool:
    """Whether a folder of metadata lies directly in `site-packages`, or is that of the egg there."""
    return folder.removesuffix("/EGG-INFO").endswith(f"-packages/{top}")


def archive_of(artifact: Artifact) -> str:
    """The path of the innermost archive that holds an artifact; empty outside of archives."""
    members = [step.path for step in artifact.inside if step.kind == "member"]
    if not members:
        return ""
    return members[-2] if len(members) > 1 else artifact.outer or ""


READER = Reader(
    name="python-metadata",
    ecosystem="PyPI",
    read=read,
    basenames=("METADATA", "PKG-INFO"),
    suffixes=(".egg-info",),
    relevance="named-folder",
    resolves=False,
    content="name",
)

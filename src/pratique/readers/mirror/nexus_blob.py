"""Nexus Repository 3 blob stores: what each blob is, who first asked for it, and whether it is marked as deleted.

## Reads
`<blob store>/content/.../<uuid>.properties`, in volumes and chapters or by date: the name of the blob, the repository,
SHA-1, size, time of creation, the user and address that made it (of a proxy: the first who asked), and the mark of a
deletion that has not been carried out. Blobs that are archives of npm or Python packages of interest, and blobs of any
name whose SHA-1 is that of a listed archive.

## Leaves out
The bytes themselves (`.bytes`) are not opened; whether they are still there is asked. The database, which says which
blobs a repository still shows. Later requests: they stand in `request.log`.

## References
sonatype/nexus-public `BlobStore` properties and its restore tests; Java `Properties.load`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.requests import asked
from pratique.model.observation import ComponentFact, DigestFact, Observation, Refusal, RequestFact, Time
from pratique.model.ports import Artifact, Interest, Reader, iso_time
from pratique.readers.mirror.lines import ANONYMOUS
from pratique.readers.mirror.log import shown_address, shown_identity
from pratique.readers.text import refuse

_KEY = "@BlobStore.blob-name"
_LINE = re.compile(r"[ \t\f]*((?:[^\\:= \t\f]|\\.)+)[ \t\f]*[:=]?[ \t\f]*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_MOMENTS = (("creationTime", "the mirror fetched it"), ("deletedDateTime", "the mirror marked it deleted"))
_SHA1 = re.compile(r"[0-9a-f]{40}")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release that a blob is, and who first asked for it. Raises Unreadable."""
    if not artifact.path.endswith(".properties"):
        return
    data = artifact.content()
    if b"@BlobStore." not in data and b"@Bucket." not in data and not _of_a_store(artifact.path):
        return
    found = properties(data.decode("latin-1"))
    name, digest = found.get(_KEY), found.get("sha1", "").lower()
    if name is None or (data and not data.endswith((b"\n", b"\r"))):
        yield refuse(artifact, READER, "is cut off" if data else "is empty")
    if name is None:
        return
    what = asked(name, interest.wanted("npm"), interest.wanted("PyPI"))
    held = artifact.path.removesuffix(".properties") + ".bytes"
    times = _times(found)
    if what is not None and what.archive:
        fact = ComponentFact(
            name=what.name,
            version=what.version,
            ecosystem=what.ecosystem,
            depth="fetched",
            record="mirror",
            integrity=(f"sha1:{digest}",) if _SHA1.fullmatch(digest) else (),
            files=(held,),
        )
        yield Observation(READER.name, artifact.location(), fact, times)
        made = found.get("@BlobStore.created-by-ip", "")
        user = found.get("@BlobStore.created-by", "")
        if made in ANONYMOUS and user in ANONYMOUS | {"system"}:
            return
        identity = None if user in ANONYMOUS else shown_identity(user)
        request = RequestFact(
            name=what.name,
            version=what.version,
            ecosystem=what.ecosystem,
            outcome="fetched",
            client=shown_address(made or None),
            identity=identity,
            shared_identity=identity is None,
        )
        first = tuple(Time("it was fetched through the mirror", t.value, t.source) for t in times[:1])
        yield Observation(READER.name, artifact.location(), request, first)
    elif digest in interest.digests.get("sha1", ()):
        yield Observation(
            READER.name,
            artifact.location(),
            DigestFact(path=held, algorithm="sha1", digest=digest, expected=digest, equal=True),
            times,
        )


def _of_a_store(path: str) -> bool:
    """Whether a file lies in the content folder of a blob store."""
    return "/content/" in f"/{path}" and re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}\.properties$", path) is not None


def properties(text: str) -> dict[str, str]:
    """Keys and values of a Java properties file."""
    found: dict[str, str] = {}
    pending = ""
    for line in text.splitlines():
        plain = line.lstrip(" \t\f") if pending else line
        if not pending and (not plain.strip() or plain.lstrip(" \t\f")[0] in "#!"):
            continue
        joined = pending + plain
        ending = len(joined) - len(joined.rstrip("\\"))
        if ending % 2:
            pending = joined[:-1]
            if len(pending) > 1 << 16:
                pending = ""
            continue
        pending = ""
        match = _LINE.fullmatch(joined)
        if match:
            found[_unescaped(match[1])] = _unescaped(match[2])
    return found


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(
        lambda match: chr(int(match[1][1:], 16)) if len(match[1]) == 5 else _PLAIN.get(match[1], match[1]), text
    )


def _times(found: dict[str, str]) -> tuple[Time, ...]:
    """When the blob was made, and when it was marked as deleted."""
    times = []
    for key, meaning in _MOMENTS:
        text = found.get(key, "")
        if text.isascii() and text.isdigit() and len(text) < 16:
            try:
                times.append(Time(meaning, iso_time(int(text) / 1000), "Nexus blob store"))
            except (ValueError, OverflowError, OSError):
                continue
    return tuple(times)


READER = Reader(
    name="nexus-blob",
    ecosystem="npm",
    read=read,
    suffixes=(".properties", ".bytes"),
    subject="cache",
    resolves=False,
    content="name",
    doors=("mirror",),
)

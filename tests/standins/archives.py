"""Small archives for tests, built member by member; what they hold is inert text."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable, Sequence

Entry = tuple[str, bytes]


def tar(entries: Iterable[Entry | tarfile.TarInfo], *, packed: bool = True) -> bytes:
    """A tar, gzipped or plain, of files in the order given; a TarInfo stands as it is (a link, a device)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            name, content = entry
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue(), mtime=0) if packed else out.getvalue()


def npm(files: Sequence[Entry], *, folder: str = "package") -> bytes:
    """A tarball as npm packs it."""
    return tar([(f"{folder}/{name}", content) for name, content in files])


def special(name: str, kind: bytes, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """A member of a tar that is no file: `kind` is one of the type flags of tarfile."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.mode = mode
    return info


def archive(entries: Iterable[Entry], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of files in the order given; names may repeat."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, content in entries:
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = method
            made.writestr(info, content)
    return out.getvalue()


def wheel(files: Sequence[Entry], name: str = "sample", version: str = "1.0") -> bytes:
    """A wheel with the records that make it one."""
    records = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    own = [(f"{records}/METADATA", metadata), (f"{records}/WHEEL", b"Wheel-Version: 1.0\n"), (f"{records}/RECORD", b"")]
    return archive([*files, *own])

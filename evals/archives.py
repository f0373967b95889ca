"""Archives with the same bytes everywhere: tarballs, wheels and source archives with fixed times, modes and order."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

MOMENT = 499162500
"""The time of every member: npm gives this one to all of them."""


def tarball(files: Mapping[str, bytes], root: str, executable: frozenset[str] = frozenset()) -> bytes:
    """A gzip tar of the files below a folder, in order of path."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(files):
            member = tarfile.TarInfo(f"{root}/{path}")
            member.size, member.mtime = len(files[path]), MOMENT
            member.mode = 0o755 if path in executable else 0o644
            archive.addfile(member, io.BytesIO(files[path]))
    return gzip.compress(plain.getvalue(), 6, mtime=0)


def wheel(files: Mapping[str, bytes], info: str) -> bytes:
    """A wheel, stored without compression, with a RECORD that names every file. `info` is the folder of metadata."""
    record = f"{info}/RECORD"
    lines = []
    for path in sorted(files):
        if path != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).rstrip(b"=").decode()
            lines.append(f"{path},sha256={digest},{len(files[path])}")
    whole = {**files, record: ("\n".join([*lines, f"{record},,"]) + "\n").encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(whole):
            member = zipfile.ZipInfo(path, (1985, 10, 26, 8, 15, 0))
            member.external_attr = 0o644 << 16
            member.create_system = 3
            archive.writestr(member, whole[path])
    return out.getvalue()


def opened(path: Path) -> dict[str, bytes]:
    """The regular files of an archive, by path below its root; a wheel has no root."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return {one.filename: archive.read(one) for one in archive.infolist() if not one.is_dir()}
    found = {}
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            if member.isfile():
                content = archive.extractfile(member)
                assert content is not None
                found[member.name.partition("/")[2]] = content.read()
    return found


def unpacked_digest(path: Path) -> str:
    """SHA-256 over names, sizes and contents of an archive's files: no compression, time or owner is part of it."""
    whole = hashlib.sha256()
    for name, content in sorted(opened(path).items()):
        whole.update(f"{name}\0{len(content)}\0".encode())
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()

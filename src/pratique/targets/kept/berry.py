"""A release out of a zip that yarn 2 or later made of an archive: the files below `node_modules/<name>/`."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator

from pratique.model.errors import TargetError
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Member
from pratique.targets.release_parts import Opened

MOST_FILES = 100_000
LARGEST = 256 << 20
MOST_BYTES = 1 << 30


def open_zip_of_yarn(path: str, name: str) -> Opened:
    """The files of a package in such a zip. Raises TargetError where it is none."""
    prefix = f"node_modules/{name}/"
    members: dict[str, Member] = {}
    refusals: list[Refusal] = []
    total = 0
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError):
        raise TargetError("is no zip that yarn made", where=os.path.basename(path)) from None
    for info in archive.infolist():
        inner = info.filename.removeprefix(prefix)
        if info.is_dir() or not info.filename.startswith(prefix) or ".." in inner.split("/"):
            continue
        total += info.file_size
        if len(members) >= MOST_FILES or info.file_size > LARGEST or total > MOST_BYTES:
            refusals.append(Refusal(inner, "release", "is past the bounds of what is unpacked", True))
            continue
        try:
            data = archive.read(info)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError):
            refusals.append(Refusal(inner, "release", "is damaged in yarn's cache", True))
            continue
        executable = bool(info.external_attr >> 16 & 0o111)
        members[inner] = Member(inner, len(data), hashlib.sha256(data).hexdigest(), executable)

    def read(inner: str) -> Iterator[bytes]:
        try:
            yield archive.read(prefix + inner)
        except (OSError, zipfile.BadZipFile, RuntimeError, KeyError, ValueError):
            raise Unreadable("cannot be read out of yarn's cache") from None

    return Opened("directory", dict(sorted(members.items())), refusals, {}, read, archive.close)

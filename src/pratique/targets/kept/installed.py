"""The last resort: a release as it is installed. It may differ from the archive: scripts ran, files were left out."""

from __future__ import annotations

import csv
import glob
import hashlib
import io
import os
from collections.abc import Iterator, Sequence

import msgspec

from pratique.ecosystems.pypi.files import release_of_info
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.versions import canonical
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Member
from pratique.targets.kept.found import Held, content
from pratique.targets.release_parts import Opened

MOST_FILES = 100_000


def above(folder: str) -> Iterator[str]:
    """A folder and those above it."""
    at = os.path.abspath(folder)
    while True:
        yield at
        if at == os.path.dirname(at):
            return
        at = os.path.dirname(at)


def npm_copies(folders: Sequence[str], name: str, version: str) -> Iterator[Held]:
    """Installed copies of an npm release: in the given folders of packages, directly or in pnpm's way."""
    for folder in folders:
        slug = f"{name.replace('/', '+')}@{version}"
        virtual = os.path.join(folder, ".pnpm", slug, "node_modules", *name.split("/"))
        for path in (os.path.join(folder, *name.split("/")), virtual):
            try:
                found = msgspec.json.decode(content(os.path.join(path, "package.json"), 16 << 20) or b"")
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if isinstance(found, dict) and (found.get("name"), found.get("version")) == (name, version):
                yield Held(path, f"installed in {folder}", copy=True)


def python_copies(folders: Sequence[str], name: str, version: str) -> Iterator[Held]:
    """Folders of metadata of an installed Python release; `open_installed` opens what one lists."""
    for folder in folders:
        for path in sorted(glob.glob(f"{glob.escape(folder)}/*.dist-info")):
            release = release_of_info(os.path.basename(path))
            if (
                release is not None
                and release[0] == normalise(name)
                and canonical(release[1]) == canonical(version)
                and os.path.isfile(os.path.join(path, "RECORD"))
            ):
                yield Held(path, f"installed in {folder}", copy=True)


def open_installed(path: str) -> Opened:
    """The files that the RECORD of an installed release lists, and its metadata. Those that are gone are refusals."""
    root = os.path.dirname(path)
    text = (content(os.path.join(path, "RECORD"), 64 << 20) or b"").decode("utf-8", "replace")
    members: dict[str, Member] = {}
    refusals: list[Refusal] = []
    for row in csv.reader(io.StringIO(text)):
        name = row[0].replace("\\", "/") if row else ""
        if not name or name.endswith(".pyc") or len(members) >= MOST_FILES:
            continue
        if name.startswith("/") or ".." in name.split("/"):
            refusals.append(Refusal(name, "release", "lies outside the folder of packages; it was not examined", False))
            continue
        data = content(os.path.join(root, name), 1 << 30)
        if data is None:
            refusals.append(Refusal(name, "release", "is listed by the installed release and is not there", True))
            continue
        members[name] = Member(name, len(data), hashlib.sha256(data).hexdigest())

    def read(inner: str) -> Iterator[bytes]:
        data = content(os.path.join(root, inner), 1 << 30)
        if data is None:
            raise Unreadable("is no longer there")
        yield data

    return Opened("directory", dict(sorted(members.items())), refusals, {}, read, lambda: None)

"""Unpack a whole install as a package manager left it: `project/`, `home/` and `oracle/`."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path, PurePosixPath

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "installs"
TOPS = ("project", "home", "oracle")


class UnsafeArchive(Exception):  # noqa: N818 (it names what is wrong with the archive)
    """A member of the archive would reach outside the destination."""


def names() -> list[str]:
    """The names that `unpack` takes, such as `npm-10-ran`."""
    return sorted(path.name.removesuffix(".tar.gz") for path in FOLDER.glob("*.tar.gz"))


def unpack(name: str, destination: Path) -> Path:
    """Unpack one install below the destination with its links and times; returns the destination."""
    destination.mkdir(parents=True, exist_ok=True)
    root = destination.resolve()
    folders: list[tuple[Path, float]] = []
    with tarfile.open(FOLDER / f"{name}.tar.gz", "r:gz") as archive:
        for member in archive:
            place = _place(root, member.name)
            if member.isdir():
                place.mkdir(exist_ok=True)
                folders.append((place, member.mtime))
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            if member.issym():
                place.symlink_to(member.linkname)
                _touch(place, member.mtime)
            elif member.islnk():
                os.link(_place(root, member.linkname), place, follow_symlinks=False)
            elif member.isreg():
                source = archive.extractfile(member)
                if source is None:
                    raise UnsafeArchive(member.name)
                place.write_bytes(source.read())
                place.chmod(member.mode & 0o755)
                _touch(place, member.mtime)
            else:
                raise UnsafeArchive(member.name)
    for folder, moment in reversed(folders):
        _touch(folder, moment)
    return destination


def _place(root: Path, name: str) -> Path:
    """Where a member goes; refuses names that climb out and parents that are links."""
    parts = PurePosixPath(name).parts
    if not parts or parts[0] not in TOPS or ".." in parts:
        raise UnsafeArchive(name)
    place = root.joinpath(*parts)
    for parent in place.parents:
        if parent == root:
            return place
        if parent.is_symlink():
            raise UnsafeArchive(name)
    raise UnsafeArchive(name)


def _touch(place: Path, moment: float) -> None:
    stamp = round(moment * 1_000_000_000)
    os.utime(place, ns=(stamp, stamp), follow_symlinks=False)

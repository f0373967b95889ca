"""Results of earlier runs, kept by a digest of all that they depend on (law 12: never evidence).

A result is one file, written whole or not at all, with its own digest in front: what was changed or cut since is not
used. The folder is private to this user.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from pathlib import Path

from pratique.model.errors import UsageError

MOST = 50_000
"""So many results are kept; the oldest go first."""
_MAGIC = b"pratique-result/1\n"


def default_folder() -> Path | None:
    """Where results of this user are kept; None where this user has no home folder."""
    from pratique.adapters import machine

    home = machine.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return Path(base) / "pratique" / "results" if os.path.isabs(base) else None
    if home is None:
        return None
    if sys.platform == "darwin":
        return Path(home) / "Library/Caches/pratique/results"
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path(home) / ".cache") / "pratique" / "results"


class Results:
    """A folder of results. Reading and writing never fail a run: what cannot be kept is worked out again."""

    def __init__(self, folder: Path, *, required: bool = False) -> None:
        """Open or make the folder. Raises UsageError where it is `required` and cannot be written."""
        self.folder = folder
        self.usable = True
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            self.usable = False
            if required:
                raise UsageError(
                    f"cannot be used: {(error.strerror or type(error).__name__).lower()}",
                    where=str(folder),
                    advice="Name a folder that you may write to",
                ) from None

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]

    def get(self, key: str) -> bytes | None:
        """A kept result; None where there is none, or it is not what was written."""
        if not self.usable or not key:
            return None
        try:
            data = self._path(key).read_bytes()
        except OSError:
            return None
        head = len(_MAGIC) + 32
        if (
            not data.startswith(_MAGIC)
            or hashlib.sha256(key.encode() + data[head:]).digest() != data[len(_MAGIC) : head]
        ):
            return None
        return data[head:]

    def put(self, key: str, result: bytes) -> None:
        """Keep a result."""
        if not self.usable or not key:
            return
        path = self._path(key)
        draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            draft.write_bytes(_MAGIC + hashlib.sha256(key.encode() + result).digest() + result)
            os.replace(draft, path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def forget_beyond(self, most: int) -> None:
        """Keep results of at most so many bytes together; the oldest go first."""
        if not self.usable:
            return
        with contextlib.suppress(OSError):
            known = sorted(
                (entry.stat().st_mtime, entry.stat().st_size, entry.path)
                for part in os.scandir(self.folder)
                if part.is_dir()
                for entry in os.scandir(part.path)
            )
            size = sum(row[1] for row in known)
            for _, length, path in known:
                if size <= most:
                    break
                os.unlink(path)
                size -= length

    def forget_oldest(self) -> None:
        """Keep at most MOST results."""
        if not self.usable:
            return
        with contextlib.suppress(OSError):
            known = [
                (entry.stat().st_mtime, entry.path)
                for part in os.scandir(self.folder)
                if part.is_dir()
                for entry in os.scandir(part.path)
            ]
            for _, path in sorted(known)[: max(len(known) - MOST, 0)]:
                os.unlink(path)

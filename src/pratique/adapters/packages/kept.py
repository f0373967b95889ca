"""Archives and documents that were fetched before, kept for this user alone (law 12: never evidence).

An archive lies under the digest that the registry states of it, and is checked against that digest whenever it is used
again. A document lies under a digest of its address. The folder is private, files are written whole or not at all, and
the oldest go where there is too much.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from pathlib import Path

from pratique.adapters import results

MOST_ARCHIVES = 2 << 30
MOST_DOCUMENTS = 512 << 20


def default_folder() -> Path | None:
    """Where they are kept for this user; None where this user has no home folder."""
    folder = results.default_folder()
    return folder.parent / "packages" if folder is not None else None


class Kept:
    """The folder. Reading and writing never fail a run: what cannot be kept is fetched again."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if folder.stat().st_mode & 0o077 or not os.access(folder, os.W_OK | os.X_OK):
                    self._folder = None
            except OSError:
                self._folder = None

    def archive(self, kind: str, digest: str) -> Path | None:
        """A kept archive by its digest; whoever opens it compares the digest."""
        path = self._archive(kind, digest)
        return path if path is not None and path.is_file() else None

    def keep_archive(self, kind: str, digest: str, source: Path) -> None:
        """Keep a copy of an archive that has this digest."""
        path = self._archive(kind, digest)
        if path is None or path.exists():
            return
        with self._draft(path) as draft:
            shutil.copyfile(source, draft)

    def document(self, url: str) -> tuple[bytes, float] | None:
        """A kept document and when it was fetched, in seconds since the epoch."""
        path = self._document(url)
        if path is None:
            return None
        try:
            moment = path.stat().st_mtime
            data = path.read_bytes()
        except OSError:
            return None
        head, _, body = data.partition(b"\n")
        return (body, moment) if head == hashlib.sha256(body).hexdigest().encode() else None

    def keep_document(self, url: str, data: bytes) -> None:
        """Keep a document."""
        path = self._document(url)
        if path is not None:
            with self._draft(path) as draft:
                draft.write_bytes(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)

    def forget_oldest(self) -> None:
        """Keep at most so many bytes of each; the oldest go first."""
        if self._folder is None:
            return
        for part, most in (("archives", MOST_ARCHIVES), ("documents", MOST_DOCUMENTS)):
            with contextlib.suppress(OSError):
                known = sorted(
                    (entry.stat().st_mtime, entry.stat().st_size, entry.path)
                    for entry in os.scandir(self._folder / part)
                    if entry.is_file(follow_symlinks=False)
                )
                size = sum(row[1] for row in known)
                for moment, length, path in known:
                    if size <= most and not (path.endswith(".draft") and moment < time.time() - 3600):
                        break
                    os.unlink(path)
                    size -= length

    def _archive(self, kind: str, digest: str) -> Path | None:
        if self._folder is None or not digest or not all(char in "0123456789abcdef" for char in digest):
            return None
        return self._folder / "archives" / f"{kind}-{digest}"

    def _document(self, url: str) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / "documents" / hashlib.sha256(url.encode()).hexdigest()

    @contextlib.contextmanager
    def _draft(self, path: Path):  # type: ignore[no-untyped-def]  # a context of a path
        draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            try:
                yield draft
                os.replace(draft, path)
            finally:
                draft.unlink(missing_ok=True)

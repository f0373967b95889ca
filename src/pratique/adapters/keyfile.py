"""The key of this user that fingerprints are made with: 32 random bytes in a file that nobody else reads."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
from pathlib import Path

from pratique.model.errors import UsageError

SIZE = 32


def default_file() -> Path:
    """Where the key of this user lies. Raises UsageError where there is no home folder."""
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        raise UsageError("needs a home folder to keep its key in", where="--fingerprint")
    if sys.platform == "darwin":
        return Path(home) / "Library/Application Support/pratique/fingerprint.key"
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path(home) / ".local/share") / "pratique" / "fingerprint.key"


def key(path: Path | None = None) -> bytes:
    """The key; made where there is none yet. Raises UsageError where it is not what was made, or cannot be kept."""
    path = path or default_file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            _make(path)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
        try:
            status = os.fstat(descriptor)
            content = os.read(descriptor, SIZE + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(f"cannot keep its key: {error.strerror}", where=str(path)) from None
    if not stat.S_ISREG(status.st_mode) or len(content) != SIZE:
        raise UsageError("is no key that pratique made", where=str(path), advice="Move it away to make a new one")
    if sys.platform != "win32" and status.st_mode & 0o077:
        raise UsageError("can be read by others: fingerprints made with it are none", where=str(path))
    return content


def _make(path: Path) -> None:
    """Write a new key whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        os.unlink(draft)

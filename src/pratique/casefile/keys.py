"""The key of a case: 32 random bytes in a file beside the case, never in it. Every other key is derived from them.

A key file holds one line: `pratique-case-key-1 <64 hexadecimal digits>`.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import stat
import sys
from pathlib import Path

from pratique.model.errors import CaseError, UsageError

_LINE = re.compile(rb"pratique-case-key-1 ([0-9a-f]{64})\n?\Z")


def default_folder() -> Path:
    """Where keys of this user's cases are kept. Raises UsageError where this user has no home folder."""
    if sys.platform == "win32":
        base = os.environ.get("APPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.join(os.path.expanduser("~"), "Library/Application Support")
    else:
        base = os.environ.get("XDG_CONFIG_HOME", "")
        if not os.path.isabs(base):
            base = os.path.join(os.path.expanduser("~"), ".config")
    if not os.path.isabs(base):
        raise UsageError("this user has no home folder to keep the key of a case in", advice="Name a file with --key")
    return Path(base) / "pratique" / "keys"


def place(identifier: str, key: Path | None) -> Path:
    """The file that holds the key of a case: the one named, or this user's own."""
    return key if key is not None else default_folder() / f"{identifier}.key"


def make(path: Path) -> bytes:
    """Make a new key and write it, durable, readable for this user alone. Raises CaseError."""
    secret = os.urandom(32)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, b"pratique-case-key-1 " + secret.hex().encode() + b"\n")
            os.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        settle(path.parent)
    except FileExistsError:
        raise CaseError(
            "exists already, and no key is ever overwritten", where=str(path), advice="Name another file with --key"
        ) from None
    except OSError as error:
        raise CaseError(
            f"the key cannot be written: {error.strerror}",
            where=str(path),
            advice="Name a file in a folder you may write to with --key",
        ) from None
    return secret


def read(path: Path) -> bytes | None:
    """The key in a file, None where there is no such file. Raises CaseError where it cannot be read or is no key."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CaseError(f"the key cannot be read: {error.strerror}", where=str(path)) from None
    try:
        data = os.read(descriptor, 4096) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
    found = _LINE.match(data)
    if found is None:
        raise CaseError(
            "is no key of a case", where=str(path), advice="Name the file that `case new` wrote, with --key"
        )
    return bytes.fromhex(found[1].decode())


def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose: HKDF-SHA256 (RFC 5869) without a salt, the purpose as its info."""
    extracted = hmac.digest(bytes(32), secret, hashlib.sha256)
    return hmac.digest(extracted, b"pratique " + purpose.encode() + b"\x01", hashlib.sha256)


def remember(key_file: Path, number: int, digest: str) -> None:
    """Note beside the key how far the journal goes: a journal that was cut off later is told by it. Never fails."""
    draft = key_file.with_name(f"{key_file.name}.head.{os.getpid()}.draft")
    with contextlib.suppress(OSError):
        try:
            draft.write_text(f"{number} {digest}\n", encoding="ascii")
            os.replace(draft, key_file.with_name(f"{key_file.name}.head"))
        except OSError:
            draft.unlink(missing_ok=True)


def remembered(key_file: Path) -> tuple[int, str] | None:
    """Number and digest of the last entry that was written with this key; None where nothing says it."""
    try:
        with open(key_file.with_name(f"{key_file.name}.head"), "rb") as file:
            found = re.match(rb"(\d{1,18}) ([0-9a-f]{64})\n\Z", file.read(200))
    except OSError:
        return None
    return (int(found[1]), found[2].decode()) if found else None


def settle(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some file systems know no such thing
            os.fsync(descriptor)
    finally:
        os.close(descriptor)

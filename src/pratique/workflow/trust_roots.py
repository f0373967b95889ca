"""The trust roots in force: those that a person names, those of the last update, else those that come with the program.

Nothing here asks a network: `pratique trust update` does, when it is told to.
"""

from __future__ import annotations

import datetime
import os
import sys
from importlib import resources
from pathlib import Path

import msgspec

from pratique.adapters import clock
from pratique.model.errors import ConfigurationError, UsageError
from pratique.model.trust import RootState
from pratique.releases.attestations.roots import Roots

SCHEMA = "pratique.trust-roots/1"
UPDATED = "roots.json"
OLD_AFTER = datetime.timedelta(days=180)
"""Roots that were taken longer ago are used, and said to be old."""
LARGEST = 4 << 20


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file that roots are kept in: both documents as they were published, where they are from and when."""

    schema: str
    taken: str
    source: str
    licence: str = ""
    trusted_root: msgspec.Raw
    registry_keys: msgspec.Raw


def default_folder() -> Path | None:
    """Where the roots of the last update of this user lie; None where this user has no home folder."""
    from pratique.adapters import machine

    home = machine.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return Path(base) / "pratique" / "trust" if os.path.isabs(base) else None
    if home is None:
        return None
    if sys.platform == "darwin":
        return Path(home) / "Library/Application Support/pratique/trust"
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path(home) / ".local/share") / "pratique" / "trust"


def roots_in_force(trusted_root: Path | None = None, keys: Path | None = None, folder: Path | None = None) -> Roots:
    """The roots. Raises UsageError for a file that cannot be read, ConfigurationError for one that holds none.

    `trusted_root` and `keys` name documents of a person's own, which take the place of those known; `folder` is where
    an update left roots, this user's own by default.
    """
    if trusted_root is not None or keys is not None:
        document, listed = (b"" if path is None else _bytes(path) for path in (trusted_root, keys))
        named = ", ".join(str(path) for path in (trusted_root, keys) if path is not None)
        return Roots(document, listed, source=named, taken="a file that was named")
    folder = folder or default_folder()
    kept = kept_document(folder)
    source = "bundled" if folder is None or not (folder / UPDATED).is_file() else "the last update"
    return Roots(bytes(kept.trusted_root), bytes(kept.registry_keys), source=source, taken=kept.taken)


def kept_document(folder: Path | None) -> Kept:
    """What an update left in a folder, else what comes with the program. Raises UsageError, ConfigurationError."""
    updated = folder / UPDATED if folder is not None else None
    if updated is not None and updated.is_file():
        return _kept(_bytes(updated), str(updated))
    known = resources.files("pratique.releases.attestations") / "roots" / "known.json"
    return _kept(known.read_bytes(), "roots/known.json")


def _kept(data: bytes, where: str) -> Kept:
    try:
        kept = msgspec.json.decode(data, type=Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        kept = None
    if kept is None or kept.schema != SCHEMA:
        raise ConfigurationError("holds no trust roots", where=where, advice="Run: pratique trust update")
    return kept


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {(error.strerror or 'no file').lower()}", where=str(path)) from None
    if len(data) > LARGEST:
        raise UsageError("is too large to be a trust root", where=str(path))
    return data


def state_of(roots: Roots) -> RootState:
    """Which roots they are, with a remark where they are old."""
    remark = ""
    try:
        age = clock.now().date() - datetime.date.fromisoformat(roots.taken[:10])
        if age > OLD_AFTER:
            remark = f"they are {age.days} days old; newer keys are not known: pratique trust update"
    except ValueError:
        remark = ""
    return RootState(roots.source, roots.taken, roots.sha256, remark)

"""Trust roots out of a repository of The Update Framework: signed, in date, and never older than what was seen before.

The client is `tuf`, which comes with sigstore. It keeps the metadata it has seen in a folder; what a repository shows
later must follow from it. Only an explicit update gets here.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import msgspec

from pratique.model.errors import UsageError

TRUSTED_ROOT = "trusted_root.json"
LARGEST = 4 << 20
SECONDS = 20


class Refused(Exception):  # noqa: N818  # a result, not a failure of the program
    """The repository could not be asked, or what it shows must not be taken."""


class Published(msgspec.Struct, frozen=True):
    """What a repository shows: the trusted root, the registry's keys (None: it has none), and its own version."""

    trusted_root: bytes
    keys: bytes | None
    version: int


def default_repository() -> str:
    """The repository that sigstore's own package names. Raises UsageError where it names none."""
    try:
        from sigstore._internal import tuf
    except ImportError:
        tuf = None  # type: ignore[assignment]  # sigstore is an extra
    found = getattr(tuf, "DEFAULT_TUF_URL", None)
    if not isinstance(found, str):
        raise UsageError(
            "no repository is known", where="trust update", advice="Install pratique[trust], or name --repository URL"
        )
    return found


def embedded_root(repository: str) -> bytes | None:
    """The first root for a repository out of sigstore's own package; None where it has none."""
    try:
        from sigstore._utils import read_embedded

        return read_embedded("root.json", repository.rstrip("/"))
    except (ImportError, OSError):
        return None


def checked_address(repository: str) -> str:
    """The address with a slash at its end: https, or http to this machine itself. Raises UsageError."""
    try:
        parts = urlsplit(repository)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    local = host == "localhost"
    with contextlib.suppress(ValueError):
        local = local or ipaddress.ip_address(host).is_loopback
    if not host or parts.username or parts.query or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise UsageError("is no plain https address", where="--repository", advice="Write https://HOST/PATH")
    return repository.rstrip("/") + "/"


def published(repository: str, folder: Path, root: bytes | None, keys_target: str) -> Published:
    """Ask a repository. `root` is where trust in it begins; None: what was seen of it before.

    Raises Refused with the reason, UsageError where no beginning is known, or `tuf` is not installed.
    """
    try:
        from tuf.api.exceptions import DownloadError, RepositoryError
        from tuf.ngclient.config import UpdaterConfig
        from tuf.ngclient.updater import Updater
        from urllib3.exceptions import HTTPError
    except ImportError:
        raise UsageError(
            "needs the package tuf, which is not installed",
            where="trust update",
            advice="Run: pip install 'pratique[trust]'",
        ) from None
    address = checked_address(repository)
    place = folder / hashlib.sha256(address.encode()).hexdigest()[:32]
    metadata, targets = place / "metadata", place / "targets"
    if root is None and not (metadata / "root.json").exists():
        raise UsageError(
            "it is not known where trust in this repository begins",
            where=f"--repository {address}",
            advice="Name its first root metadata with --root FILE",
        )
    try:
        for path in (metadata, targets):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        updater = Updater(
            metadata_dir=str(metadata),
            metadata_base_url=address,
            target_dir=str(targets),
            target_base_url=urljoin(address, "targets/"),
            config=UpdaterConfig(app_user_agent="pratique"),
            bootstrap=root,
        )
        updater.refresh()
        document = _target(updater, TRUSTED_ROOT)
        if document is None:
            raise Refused("the repository has no trusted root")
        return Published(document, _target(updater, keys_target) if keys_target else None, _version(metadata))
    except RepositoryError as error:
        raise Refused(
            f"what the repository shows must not be taken: {type(error).__name__}: {str(error)[:200]}"
        ) from None
    except (DownloadError, HTTPError) as error:
        raise Refused(f"the repository cannot be asked: {type(error).__name__}") from None
    except (OSError, ValueError) as error:
        raise Refused(f"the update cannot be kept: {str(error)[:200]}") from None


def _target(updater: object, name: str) -> bytes | None:
    """The bytes of a target, verified against the signed metadata; None where there is no such target."""
    from tuf.ngclient.updater import Updater

    if not isinstance(updater, Updater):
        return None
    found = updater.get_targetinfo(name)
    if found is None:
        return None
    if found.length > LARGEST:
        raise Refused(f"{name} is larger than {LARGEST >> 20} MiB")
    path = updater.find_cached_target(found) or updater.download_target(found)
    return Path(path).read_bytes()


def _version(metadata: Path) -> int:
    """The version of the repository's signed timestamp."""
    document = msgspec.json.decode((metadata / "timestamp.json").read_bytes())
    return int(document["signed"]["version"])

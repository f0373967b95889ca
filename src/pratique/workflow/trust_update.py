"""`trust update`: renew trust roots and registry keys out of a signed repository, when it is told to and never else."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pratique.adapters import clock, trust_repository
from pratique.adapters.trust_repository import Refused
from pratique.model.errors import ConfigurationError, UsageError
from pratique.model.trust import TrustUpdate
from pratique.releases.attestations.roots import Roots
from pratique.workflow.trust_roots import SCHEMA, UPDATED, Kept, default_folder, kept_document, roots_in_force


class UpdateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Where to renew from. `root` is the first root metadata of the repository, where none is known.

    `keys_target` is the name under which the repository has the registry's keys: by default `<host>/keys.json` of the
    registry that npm is configured for. `folder` is where roots are kept.
    """

    repository: str | None = None
    root: Path | None = None
    keys_target: str | None = None
    folder: Path | None = None


def update_trust(request: UpdateRequest) -> TrustUpdate:
    """Renew. Raises UsageError where it is not known what to ask, or where trust in it begins."""
    repository = request.repository or trust_repository.default_repository()
    trust_repository.checked_address(repository)
    folder = request.folder or default_folder()
    if folder is None:
        raise UsageError("needs a home folder to keep trust roots in", where="trust update")
    root = _first_root(request.root) if request.root is not None else trust_repository.embedded_root(repository)
    remarks: list[str] = []
    target = request.keys_target if request.keys_target is not None else _keys_target()
    if not target:
        remarks.append("no registry is configured for npm, so its keys were not asked for: --keys-target NAME")
    try:
        found = trust_repository.published(repository, folder, root, target)
        keys = found.keys
        if keys is None:
            kept = kept_document(folder)
            keys = bytes(kept.registry_keys)
            if target:
                remarks.append(f"the repository has no {target}: the registry's keys stay as they are")
        roots = Roots(found.trusted_root, keys, source=repository, taken="")
        if not roots.logs or not roots.authorities:
            raise Refused("the trusted root names no log or no authority")
        changed = roots.sha256 != _current(folder)
        document = Kept(
            schema=SCHEMA,
            taken=clock.now().date().isoformat(),
            source=f"{repository}, version {found.version} of its timestamp",
            trusted_root=msgspec.Raw(found.trusted_root),
            registry_keys=msgspec.Raw(keys),
        )
        _write(folder / UPDATED, msgspec.json.encode(document))
    except (Refused, ConfigurationError) as error:
        return TrustUpdate(repository=repository, folder=str(folder), reason=str(error), remarks=tuple(remarks))
    return TrustUpdate(
        repository=repository,
        folder=str(folder),
        changed=changed,
        version=found.version,
        logs=len(roots.logs),
        authorities=len(roots.authorities),
        registry_keys=len(roots.registry_keys),
        remarks=tuple(remarks),
    )


def _current(folder: Path) -> str:
    """The digest of the roots in force before; empty where those of an update cannot be used."""
    try:
        return roots_in_force(folder=folder).sha256
    except (ConfigurationError, UsageError):
        return ""


def _first_root(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {(error.strerror or 'no file').lower()}", where=f"--root {path}") from None


def _keys_target() -> str:
    """Where a repository has the keys of the registry that npm is configured for."""
    from pratique.workflow.surroundings import Surroundings

    access = Surroundings(online=False).npm_access("a")
    host = urlsplit(access.url).hostname if access is not None else None
    return f"{host}/keys.json" if host else ""


def _write(path: Path, content: bytes) -> None:
    """Write the file whole or not at all. Raises Refused."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise Refused(f"the trust roots cannot be kept: {(error.strerror or 'no place').lower()}") from None
    finally:
        draft.unlink(missing_ok=True)

"""`trust`: what proves where a release came from: signatures, attestations, and how it was published before."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from pratique.adapters import clock
from pratique.adapters.packages import kept as packages
from pratique.adapters.packages.kept import Kept
from pratique.ecosystems.references import parse
from pratique.model.errors import UsageError
from pratique.model.observation import Refusal
from pratique.model.trust import TRUST_SCHEMA, LockfileTrust, TrustReport, TrustResult
from pratique.releases.attestations.policy import expectations
from pratique.version import VERSION
from pratique.workflow.documents import NotHad
from pratique.workflow.surroundings import Surroundings
from pratique.workflow.trust_release import READER, Inputs, Verifying
from pratique.workflow.trust_roots import roots_in_force, state_of

LARGEST = 512 << 20


class TrustRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to verify, and with what.

    `references` are texts as a person writes them. `record` is a registry's document of the package, `attestations` the
    answer about its attestations, `artifact` its archive, `earlier` such answers about earlier releases: files in place
    of asking. `folders` hold documents and archives. `expected` are texts of the form `claim=value`. `lockfiles` are
    paths. `trusted_root` and `keys` take the place of the roots that are known.
    """

    references: tuple[str, ...] = ()
    record: Path | None = None
    attestations: Path | None = None
    artifact: Path | None = None
    earlier: tuple[Path, ...] = ()
    lockfiles: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    trusted_root: Path | None = None
    keys: Path | None = None
    offline: bool = False
    remember: bool = True
    command: tuple[str, ...] = ()


def trust(request: TrustRequest) -> TrustReport:
    """Verify what was asked for. Raises UsageError, and ConfigurationError for trust roots that cannot be used."""
    if not request.references and not request.lockfiles:
        raise UsageError("names no release", where="trust", advice="Write npm:NAME@VERSION, or --lockfile FILE")
    files = (request.record, request.attestations, request.artifact, *request.earlier)
    if any(file is not None for file in files) and len(request.references) != 1:
        raise UsageError("goes with exactly one release", where="--record, --attestations, --artifact, --earlier")
    for folder in request.folders:
        if not os.path.isdir(folder):
            raise UsageError("is no folder", where=f"--from {folder}", advice="Name a folder that holds documents")
    expected = expectations(request.expected)
    references = [parse(text) for text in request.references]
    for reference in references:
        if reference.ecosystem is None:
            raise UsageError(
                "is a path",
                where=reference.text[:80],
                advice="Write npm:NAME@VERSION or pypi:NAME==VERSION, and the path with --artifact",
            )
    roots = roots_in_force(request.trusted_root, request.keys)
    inputs = Inputs(
        record=_read(request.record),
        attestations=_read(request.attestations),
        artifact=_read(request.artifact),
        artifact_name=request.artifact.name if request.artifact is not None else "",
        earlier=tuple(data for path in request.earlier if (data := _read(path)) is not None),
    )
    results: list[TrustResult] = []
    refusals: list[Refusal] = []
    lockfiles: list[LockfileTrust] = []
    kept = Kept(packages.default_folder() if request.remember else None)
    with Surroundings(folders=request.folders, online=not request.offline, kept=kept) as around:
        verifying = Verifying(around, roots, expected, inputs)
        for reference in references:
            try:
                results.append(verifying.release(reference))
            except NotHad as reason:
                refusals.append(Refusal(reference.text[:200], READER, str(reason)[:500], True))
        for path in request.lockfiles:
            from pratique.workflow.trust_lockfile import verify_lockfile

            lockfiles.append(verify_lockfile(path, around, roots))
    return TrustReport(
        schema=TRUST_SCHEMA,
        version=VERSION,
        generated=clock.iso(clock.now()),
        command=request.command,
        roots=state_of(roots),
        results=tuple(results),
        lockfiles=tuple(lockfiles),
        refusals=tuple(refusals),
    )


def _read(path: Path | None) -> bytes | None:
    """The bytes of a file that was named. Raises UsageError."""
    if path is None:
        return None
    try:
        if not path.is_file():
            raise UsageError("is no file", where=str(path))
        if path.stat().st_size > LARGEST:
            raise UsageError("is too large", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read: {(error.strerror or 'no file').lower()}", where=str(path)) from None

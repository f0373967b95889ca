"""Repair of poetry.lock, of every generation: digests in the package (1.3 and later) or in `[metadata.files]`.

`content-hash` is of pyproject.toml and stays. Poetry takes a lockfile with packages that nothing asks for; they stay.
"""

from __future__ import annotations

from pratique.ecosystems.pypi.locks.arrays import at, digests, file_rows, fit_table, repaired, set_rows
from pratique.ecosystems.pypi.locks.records import ECOSYSTEM, Document, Package, quoted
from pratique.ecosystems.repairs import total
from pratique.model.repair import Correction, LockCodec, LockedRelease, Releases, Repaired


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    return repaired(content, corrections, releases, "package", _outside, _fill)


def _outside(lock: Document, package: Package) -> str | None:
    source = package.sub("source")
    kind = lock.plain(source.get("type")) if source is not None else "legacy"
    return None if kind in ("legacy", "explicit", "supplemental") else "does not come from an index"


def _fill(lock: Document, start: int, record: LockedRelease) -> None:
    package = at(lock, start)
    set_rows(lock, package.table.get("files") or digests(lock, package.name), file_rows(record))
    python = record.manifest.get("requires_python")
    entry = at(lock, start).table.get("python-versions")
    if isinstance(python, str) and entry is not None:
        lock.put(entry, quoted(python))
    fit_table(lock, start, record)


CODEC = LockCodec(
    name="poetry-lock", basenames=("poetry.lock",), managers=("poetry",), ecosystem=ECOSYSTEM, repair=total(repair)
)

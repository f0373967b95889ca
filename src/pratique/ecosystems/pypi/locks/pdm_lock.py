"""Repair of pdm.lock. `content_hash` is of pyproject.toml and stays.

A lockfile with addresses (strategy `static_urls`) gets those of the good release.
"""

from __future__ import annotations

from pratique.ecosystems.pypi.locks.arrays import at, file_rows, fit_names, repaired, set_rows
from pratique.ecosystems.pypi.locks.records import ECOSYSTEM, Document, Package, files, quoted
from pratique.ecosystems.repairs import Unfit, total
from pratique.model.repair import Correction, LockCodec, LockedRelease, Releases, Repaired


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    return repaired(content, corrections, releases, "package", _outside, _fill)


def _outside(lock: Document, package: Package) -> str | None:
    own = ("git", "path", "url", "editable")
    return "does not come from an index" if any(package.table.get(key) for key in own) else None


def _fill(lock: Document, start: int, record: LockedRelease) -> None:
    entry = at(lock, start).table.get("files")
    rows = file_rows(record)
    if entry is not None and "url = " in lock.text[entry.start : entry.end]:
        found = files(record)
        if any(item.url is None for item in found):
            raise Unfit(f"the addresses of {record.name} {record.version} are not known")
        rows = [f'{{url = {quoted(item.url or "")}, hash = "sha256:{item.sha256}"}}' for item in found]
    set_rows(lock, entry, rows)
    python = record.manifest.get("requires_python")
    needed = at(lock, start).table.get("requires_python")
    if isinstance(python, str) and needed is not None:
        lock.put(needed, quoted(python))
    fit_names(lock, start, record)


CODEC = LockCodec(
    name="pdm-lock", basenames=("pdm.lock",), managers=("pdm",), ecosystem=ECOSYSTEM, repair=total(repair)
)

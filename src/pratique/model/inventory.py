"""The inventory: places where releases are named, and what was looked at to find them. Names are a contract."""

from __future__ import annotations

import msgspec

from pratique.model.location import Location
from pratique.model.report import RefusalEntry, SkippedEntry


class Occurrence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place where a release is named: one line of the inventory."""

    purl: str
    depth: str
    reader: str
    location: Location
    integrity: tuple[str, ...] = ()
    resolved: str | None = None
    install_script: bool | None = None
    dev: bool | None = None
    bundled: bool | None = None
    requested_by: tuple[str, ...] = ()


class InventoryCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The last record of an inventory: what was looked at, and every refusal that could have hidden a component."""

    record: str = "coverage"
    complete: bool
    interrupted: bool
    components: int
    entries: int
    artifacts: int
    by_reader: dict[str, int]
    refusals: tuple[RefusalEntry, ...]
    refusals_not_relevant: int
    skipped_by_rule: tuple[SkippedEntry, ...]

    @property
    def exit_code(self) -> int:
        """0 all read · 3 nothing examined · 4 a relevant refusal · 130 interrupted."""
        if self.interrupted:
            return 130
        if self.artifacts == 0:
            return 3
        return 0 if self.complete else 4

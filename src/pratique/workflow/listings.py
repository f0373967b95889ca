"""What is known of a package: its versions, tags and times, and the registry's record of each release.

Out of a registry's document where there is one; else out of the names of the archives that lie here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pratique.ecosystems.npm.release_record import Packument
from pratique.ecosystems.pypi.release_record import IndexFile, Project
from pratique.ecosystems.pypi.versions import canonical
from pratique.ecosystems.references import World
from pratique.ecosystems.releases import Gate, Package, Release
from pratique.model.observation import Refusal
from pratique.model.release import Dated, RegistryRecord, Stated


class Listing:
    """One package. `source` says in words where the document is from; empty where there is none."""

    def __init__(
        self,
        ecosystem: World,
        name: str,
        document: Packument | Project | None,
        source: str,
        *,
        more: Iterable[str] = (),
        page: str = "",
        refusals: Iterable[Refusal] = (),
    ) -> None:
        """`more` are versions that archives here have and the document may not; `page` the address of a Python page."""
        self.ecosystem = ecosystem
        self.name = name
        self.document = document
        self.source = source
        self.page = page
        self.refusals = tuple(refusals)
        known = document.package() if document is not None else Package(name, (), timed=False)
        have = {self.key(release.version) for release in known.releases}
        extra = tuple(Release(text) for text in dict.fromkeys(more) if self.key(text) not in have)
        self.extra = frozenset(release.version for release in extra)
        self.package = Package(known.name, (*known.releases, *extra), known.tags, timed=known.timed)
        self.versions = {self.key(release.version): release.version for release in self.package.releases}

    def key(self, version: str) -> str:
        """A version as it is compared."""
        return canonical(version) if self.ecosystem == "PyPI" else version

    @property
    def history(self) -> tuple[Dated, ...]:
        """Every version that can be had, oldest first where times are known; removed ones left out."""
        dated = self.document.history if self.document is not None else ()
        return (
            *(item for item in dated if self.key(item.version) in self.versions),
            *(Dated(text) for text in sorted(self.extra)),
        )

    def published(self, version: str) -> float | None:
        """When a version was published, in seconds since the epoch, as far as a document says."""
        return self.document.published(version) if self.document is not None else None

    def record(self, version: str, file: str = "") -> RegistryRecord:
        """What the registry states of a version; `file` is the archive of a Python release that is examined."""
        says = f"the document from {self.source}" if self.source else "the registry"
        if isinstance(self.document, Packument):
            return self.document.record(version, says)
        if isinstance(self.document, Project):
            return self.document.record(version, file, says)
        return no_record("no document of the package is at hand")

    def files(self, version: str) -> tuple[IndexFile, ...]:
        """The archives of a Python release that the index names."""
        return self.document.files_of(version) if isinstance(self.document, Project) else ()

    def picked(self, wanted: str, at: float | None, now: float) -> tuple[str | None, str]:
        """The version that a request takes, and by which rule; None and a reason where none.

        `at`: as if it were that moment (seconds since the epoch): what was published later does not exist.
        """
        if self.key(wanted) in self.versions and wanted:
            return self.versions[self.key(wanted)], "exact"
        gate = Gate(at) if at is not None else None
        if at is not None and not self.package.timed:
            return None, "states no times, so that nothing can be told of that moment"
        if self.ecosystem == "npm":
            from pratique.ecosystems.npm import picking as npm

            asked = npm.Request(self.package, wanted or ("latest" if self.package.tagged(now) else "*"))
            found = npm.pick("npm", asked, now, gate) if asked.understood else None
        else:
            from pratique.ecosystems.pypi import picking as pypi

            request = pypi.Request(self.package, wanted)
            found = pypi.pick("pip", request, now, gate) if request.understood else None
        if found is None:
            return None, "is asked for in a form that is not understood"
        if found.version is None:
            return None, f"has no version that {wanted or 'a plain request'} admits"
        return found.version, found.rule


def no_record(reason: str) -> RegistryRecord:
    """A record in which every field is unavailable for one reason."""
    gone: Stated[Any] = Stated("unavailable", reason=reason)
    return RegistryRecord(*(gone for _ in RegistryRecord.__struct_fields__))

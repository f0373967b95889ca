"""What releases are had from in one run: named folders, places of package managers, registries that may be asked."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pratique.adapters.packages.kept import Kept
from pratique.adapters.registry import NotFetched
from pratique.targets.kept.found import Held

if TYPE_CHECKING:
    from pratique.adapters.packages.access import Access
    from pratique.adapters.packages.client import Client
    from pratique.adapters.packages.npm_settings import NpmSettings
    from pratique.releases.attestations.roots import Roots
    from pratique.targets.kept.folder import Folder
    from pratique.targets.kept.npm_caches import NpmCache
    from pratique.workflow.pnpm_rows import Row


class Surroundings:
    """`online`: registries may be asked. `most_bytes` bounds what is fetched in one run. A context manager."""

    def __init__(
        self,
        *,
        folders: tuple[str, ...] = (),
        online: bool = True,
        environment: Mapping[str, str] | None = None,
        home: str | None = None,
        folder: str | None = None,
        kept: Kept | None = None,
        seconds: float = 60.0,
    ) -> None:
        from pratique.adapters import machine

        self.online = online
        self.folders = tuple(os.path.abspath(path) for path in folders)
        self.environment = os.environ if environment is None else environment
        self.home = home or machine.home() or os.path.abspath(os.sep)
        self.folder = folder or os.getcwd()
        self.kept = kept or Kept(None)
        self.seconds = seconds
        self.fetched_bytes = 0
        self.most_bytes = 4 << 30
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._clients: dict[str, Client] = {}
        self._count = 0
        self._rows: dict[str, dict[tuple[str, str], Row]] = {}

    def __enter__(self) -> Surroundings:
        return self

    def __exit__(self, *error: object) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def ready(self) -> None:
        """Read settings and places now: they are read once, and what follows may ask from several threads."""
        for name in ("_npm_settings", "python_accesses", "named", "npm_caches"):
            getattr(self, name)

    def fetch(
        self, access: Access, url: str, stated: Mapping[str, frozenset[str]], who: str, problems: list[str]
    ) -> Held | None:
        from pratique.adapters.packages.client import LARGEST_ARCHIVE

        left = self.most_bytes - self.fetched_bytes
        if left <= 0:
            problems.append(f"{who}: more than {self.most_bytes} bytes were fetched in this run")
            return None
        place = self._place()
        try:
            digests = self.client(access).archive(url, place, largest=min(left, LARGEST_ARCHIVE))
        except NotFetched as error:
            problems.append(f"{who}: {error}")
            return None
        self.fetched_bytes += place.stat().st_size
        for kind in ("sha512", "sha256"):
            if digests[kind] in stated.get(kind, ()):
                self.kept.keep_archive(kind, digests[kind], place)
                break
        return Held(str(place), who)

    def kept_archives(self, stated: Mapping[str, frozenset[str]]) -> Iterator[Held]:
        for kind in ("sha512", "sha256"):
            for digest in sorted(stated.get(kind, ())):
                path = self.kept.archive(kind, digest)
                if path is not None:
                    yield Held(str(path), "the registry, fetched before")

    def _place(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="pratique-releases-", ignore_cleanup_errors=True)
        self._count += 1
        return Path(self._scratch.name) / f"{os.getpid()}-{self._count}"

    def client(self, access: Access) -> Client:
        from pratique.adapters.packages.client import Client

        if access.url not in self._clients:
            self._clients[access.url] = Client(access, seconds=self.seconds)
        return self._clients[access.url]

    # where to look

    def tried(self) -> tuple[str, ...]:
        named = [f"the folder {os.path.basename(path)}" for path in self.folders]
        return (*named, "caches and stores", *(() if self.online else ("no registry, for none may be asked",)))

    @functools.cached_property
    def named(self) -> tuple[Folder, ...]:
        from pratique.targets.kept.folder import Folder

        return tuple(Folder(path) for path in self.folders)

    @functools.cached_property
    def _places(self) -> tuple[tuple[str, str, str], ...]:
        """Kind, manager and path of every place of package managers of this user."""
        from pratique.targets.places import survey
        from pratique.workflow.machine import platform_name

        found = survey(dict(self.environment), self.home, platform_name())
        return tuple((place.kind, place.manager, place.path) for place in found.places)

    def caches(self, manager: str, *kinds: str) -> list[str]:
        wanted = kinds or ("cache", "store")
        return [path for kind, owner, path in self._places if owner == manager and kind in wanted]

    @functools.cached_property
    def npm_caches(self) -> list[NpmCache]:
        from pratique.targets.kept.npm_caches import caches

        return [cache for place in self.caches("npm") for cache in caches(place)]

    def pnpm_rows(self, store: str) -> dict[tuple[str, str], Row]:
        """The rows of a store's database (v11), by name and version."""
        if store not in self._rows:
            from pratique.workflow.pnpm_rows import rows

            self._rows[store] = rows(store)
        return self._rows[store]

    def npm_access(self, name: str) -> Access | None:
        return self._npm_settings.access(name)

    @functools.cached_property
    def _npm_settings(self) -> NpmSettings:
        from pratique.adapters.packages.npm_settings import NpmSettings

        return NpmSettings(self.environment, self.home, self.folder)

    @functools.cached_property
    def python_accesses(self) -> tuple[Access, ...]:
        from pratique.adapters.packages.python_settings import PythonSettings

        return PythonSettings(self.environment, self.home, self.folder).accesses()

    @functools.cached_property
    def roots(self) -> Roots:
        """The trust roots in force. Raises UsageError, ConfigurationError where they cannot be used."""
        from pratique.workflow.trust_roots import roots_in_force

        return roots_in_force()

    @functools.cached_property
    def tags(self) -> list[str]:
        from packaging.tags import sys_tags

        return [str(tag) for tag in sys_tags()]

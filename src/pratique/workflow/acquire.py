"""Get a release: what is known of its package, its archive and its record, from the first place that has it.

In this order: folders that were named for it; caches and stores of npm, yarn, pnpm, pip and uv; archives that were
fetched before; the registry that the user's npm, pip or uv is configured for, unless it may not be asked; an installed
copy. A document of a package comes from a named folder, then from the registry, then from what is kept of one.

An archive is compared with the digest that the document states. Out of a cache one that differs is passed over; where
it was named or fetched it is examined, and a relevant refusal and a fact say that it is not what the registry states.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from pratique.ecosystems.npm.release_record import Packument
from pratique.ecosystems.pypi.release_record import IndexFile, choose
from pratique.ecosystems.references import World, release_purl
from pratique.model.errors import TargetError
from pratique.model.observation import Refusal
from pratique.model.release import Fact, Form, Release
from pratique.targets.kept.found import Held, digests_of
from pratique.targets.release import Opened, open_release
from pratique.workflow.documents import READER, Documents, NotHad, noted
from pratique.workflow.listings import Listing, no_record
from pratique.workflow.surroundings import Surroundings

__all__ = ["Acquirer", "Got", "NotHad"]

_NO_DOCUMENT = "no document of the package is at hand"


class Got(msgspec.Struct):
    """An opened release with what is to be said about how it was had. `held` is where it lies."""

    release: Release
    refusals: tuple[Refusal, ...] = ()
    facts: tuple[Fact, ...] = ()
    published: float | None = None
    held: Held | None = None

    def close(self) -> None:
        """Close the files of the release."""
        self.release.files.close()


class Acquirer:
    """Opens releases out of what is around; `listing` says what is known of a package."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._documents = Documents(around)
        self._site = [around.environment.get("VIRTUAL_ENV", "")]
        self._site += [os.path.join(around.folder, inner) for inner in (".venv", "venv")]

    def listing(self, ecosystem: World, name: str) -> Listing:
        """What is known of a package. Raises NotHad."""
        return self._documents.listing(ecosystem, name)

    def open(self, ecosystem: World, name: str, version: str, listing: Listing | None) -> list[Got]:
        """The release, opened: one artifact, of a Python project the wheel and the source archive. Raises NotHad."""
        if ecosystem == "npm":
            return [self._open_npm(name, version, listing)]
        return self._open_pypi(name, version, listing)

    def _open_npm(self, name: str, version: str, listing: Listing | None) -> Got:
        document = listing.document if listing is not None else None
        url, integrity, sha1 = document.archive(version) if isinstance(document, Packument) else (None, None, None)
        stated = digests_of(integrity or "") or ({"sha1": frozenset({sha1})} if sha1 else {})
        problems: list[str] = []

        def kept() -> Iterator[Held]:
            for folder in self.around.named:
                yield from folder.npm_archives(name, version, sha1 or "")
            yield from self.around.kept_archives(stated)
            for cache in self.around.npm_caches:
                yield from cache.archives(name, version, url or "")
            from pratique.targets.kept import npm_caches, pnpm_store

            for place in self.around.caches("yarn"):
                yield from npm_caches.yarn_archives(place, name, version)
            for store in self.around.caches("pnpm"):
                for index in pnpm_store.indexes(store, name, version, integrity or ""):
                    yield Held(index, "pnpm's store", copy=True)
                if (name, version) in self.around.pnpm_rows(store):
                    yield Held(os.path.join(store, "v11"), "pnpm's store", copy=True)

        def fetch() -> Held | None:
            return self._fetch_npm(name, version, url, stated, problems)

        return self._first("npm", name, version, listing, stated, kept, fetch, problems)

    def _open_pypi(self, name: str, version: str, listing: Listing | None) -> list[Got]:
        wheel, source = choose(listing.files(version), self.around.tags) if listing is not None else (None, None)
        found: list[Got] = []
        problems: list[str] = []
        for file in (wheel, source):
            if file is not None:
                try:
                    found.append(self._open_file(name, version, listing, file, problems))
                except NotHad as error:
                    problems.append(str(error))
        if found:
            return found

        def kept() -> Iterator[Held]:
            from pratique.targets.kept import python_caches

            for folder in self.around.named:
                yield from folder.python_archives(name, version)
            for place in self.around.caches("uv"):
                yield from python_caches.uv_copies(place, name, version)
            for place in self.around.caches("pip"):
                yield from python_caches.pip_wheels(place, name, version)

        return [self._first("PyPI", name, version, listing, {}, kept, lambda: None, problems)]

    def _open_file(self, name: str, version: str, listing: Listing | None, file: IndexFile, problems: list[str]) -> Got:
        """One archive of a Python release."""
        stated = {kind: frozenset({digest}) for kind, digest in file.hashes.items() if kind in ("sha256", "sha512")}

        def kept() -> Iterator[Held]:
            from pratique.targets.kept import python_caches

            for folder in self.around.named:
                for held in folder.python_archives(name, version):
                    if os.path.basename(held.path) == file.name:
                        yield held
            yield from self.around.kept_archives(stated)
            for place in self.around.caches("pip"):
                held_body = python_caches.pip_archive(place, file.url)
                if held_body is not None:
                    yield held_body
            if file.wheel:
                for place in self.around.caches("uv"):
                    yield from (one for one in python_caches.uv_copies(place, name, version) if file.name in one.source)

        def fetch() -> Held | None:
            return self._fetch_file(listing, file, stated, problems)

        return self._first("PyPI", name, version, listing, stated, kept, fetch, problems, file.name)

    def _first(
        self,
        ecosystem: World,
        name: str,
        version: str,
        listing: Listing | None,
        stated: Mapping[str, frozenset[str]],
        kept: Callable[[], Iterator[Held]],
        fetch: Callable[[], Held | None],
        problems: list[str],
        file: str = "",
    ) -> Got:
        """The first archive that is what the document states; else a named or fetched one, else a copy."""
        copies: list[Held] = []

        def attempts() -> Iterator[tuple[Held, bool]]:
            for held in kept():
                if held.copy:
                    copies.append(held)
                else:
                    yield held, any(held.path.startswith(f"{folder}{os.sep}") for folder in self.around.folders)
            fetched = fetch()
            if fetched is not None:
                yield fetched, True
            yield from ((held, True) for held in [*copies, *self._installed(ecosystem, name, version)])

        for held, as_it_is in attempts():
            opened = self._opened(held, ecosystem, name, version, file)
            if isinstance(opened, str):
                problems.append(f"{held.source}: {opened}")
                continue
            refusals = list(noted(name, problems))
            facts: tuple[Fact, ...] = ()
            if held.copy:
                reason = f"is examined as it lies in {held.source}; the archive of the registry may differ"
                refusals.append(Refusal(f"{name}@{version}", READER, reason, bool(stated), names=(name,)))
            else:
                differs = _differs(opened.digests, stated)
                if differs is not None and not as_it_is:
                    problems.append(f"{held.source}: is not what the registry states ({differs[0]})")
                    opened.close()
                    continue
                if differs is not None:
                    kind, expected, actual = differs
                    reason = f"the archive from {held.source} is not what the registry states: its {kind} differs"
                    refusals.append(Refusal(f"{name}@{version}", READER, reason, True, names=(name,)))
                    attributes = {"algorithm": kind, "stated": expected, "actual": actual, "source": held.source}
                    facts = (Fact("registry.mismatch", sha256=opened.digests.get("sha256", ""), attributes=attributes),)
            record = listing.record(version, file) if listing is not None else no_record(_NO_DOCUMENT)
            purl = release_purl(ecosystem, name, version)
            release = Release(purl, ecosystem, name, version, opened, record, held.source)
            published = listing.published(version) if listing is not None else None
            return Got(release, tuple(refusals), facts, published, held)
        reason = "; ".join(dict.fromkeys(problems)) or "no archive of it was found"
        raise NotHad(f"{name} {version}: {reason}", self.around.tried())

    def _opened(self, held: Held, ecosystem: World, name: str, version: str, file: str) -> Opened | str:
        """What lies there, opened; a reason where it is no release."""
        hint: Form = "tarball" if ecosystem == "npm" else "wheel" if file.endswith(".whl") else "sdist"
        try:
            if held.source == "pnpm's store":
                return self._out_of_store(held, name, version) or "its index is about another release"
            if held.copy and held.path.endswith(".zip") and ecosystem == "npm":
                from pratique.targets.kept.berry import open_zip_of_yarn

                return open_zip_of_yarn(held.path, name)
            if held.copy and held.path.endswith(".dist-info"):
                from pratique.targets.kept.installed import open_installed

                return open_installed(held.path)
            return open_release(held.path, hint=hint)
        except TargetError as error:
            return error.what

    def _out_of_store(self, held: Held, name: str, version: str) -> Opened | None:
        """The files of a release in pnpm's store."""
        from pratique.targets.kept.pnpm_store import open_index, open_row

        if held.path.endswith(".json"):
            return open_index(held.path, name, version)
        row = self.around.pnpm_rows(os.path.dirname(held.path)).get((name, version))
        return open_row(row.row, held.path, name, version) if row is not None else None

    def _installed(self, ecosystem: World, name: str, version: str) -> Iterator[Held]:
        from pratique.targets.kept import installed

        if ecosystem == "npm":
            folders = [os.path.join(folder, "node_modules") for folder in installed.above(self.around.folder)]
            folders += [
                place for place in self.around.caches("npm", "global-root") if os.path.basename(place) == "node_modules"
            ]
            yield from installed.npm_copies(folders, name, version)
            return
        yield from installed.python_copies(self._site_packages(), name, version)

    def _site_packages(self) -> list[str]:
        import glob

        return [
            path
            for root in self._site
            if root
            for pattern in ("lib/python3*/site-packages", "Lib/site-packages")
            for path in sorted(glob.glob(f"{glob.escape(root)}/{pattern}"))
        ]

    def _fetch_npm(
        self, name: str, version: str, url: str | None, stated: Mapping[str, frozenset[str]], problems: list[str]
    ) -> Held | None:
        access = self.around.npm_access(name) if self.around.online else None
        if access is None:
            return None
        if url is None:
            problems.append("no document of the registry names an archive of it")
            return None
        parts = urlsplit(url)
        if access.replaced_host and parts.hostname == access.replaced_host and not parts.username:
            root = urlsplit(access.url)
            if root.hostname != parts.hostname:
                url = parts._replace(scheme=root.scheme, netloc=root.netloc).geturl()
        return self.around.fetch(access, url, stated, "the registry", problems)

    def _fetch_file(
        self, listing: Listing | None, file: IndexFile, stated: Mapping[str, frozenset[str]], problems: list[str]
    ) -> Held | None:
        if not self.around.online or listing is None or not listing.page:
            return None
        access = next((one for one in self.around.python_accesses if listing.page.startswith(one.url)), None)
        return self.around.fetch(access, file.url, stated, "the index", problems) if access is not None else None


def _differs(digests: Mapping[str, str], stated: Mapping[str, frozenset[str]]) -> tuple[str, str, str] | None:
    """Algorithm, stated and actual digest of the strongest that can be compared; None where they agree or none can."""
    for kind in ("sha512", "sha256", "sha1"):
        if kind in stated and kind in digests:
            expected, actual = stated[kind], digests[kind]
            return None if actual in expected else (kind, sorted(expected)[0], actual)
    return None

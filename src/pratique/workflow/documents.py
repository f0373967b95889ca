"""The documents of packages, each from the first place that has one: a named folder, the registry, a cache."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urljoin

from pratique.adapters.registry import NotFetched
from pratique.ecosystems.npm.release_record import Packument
from pratique.ecosystems.pypi.release_record import Project, read_page, with_legacy
from pratique.ecosystems.references import World, npm_name
from pratique.model.observation import Refusal
from pratique.targets.kept import npm_caches, npm_metadata, pnpm_store
from pratique.workflow.listings import Listing
from pratique.workflow.surroundings import Surroundings

if TYPE_CHECKING:
    from pratique.adapters.packages.access import Access

T = TypeVar("T")

READER = "release"
FRESH = 600.0
"""So many seconds a document that was fetched serves again without asking."""
_NPM = "application/json"
_PYPI = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


class NotHad(Exception):  # noqa: N818  # a reason, not a failure of the program
    """A package or release that could not be had; the reason says why, `tried` where it was looked for."""

    def __init__(self, reason: str, tried: tuple[str, ...] = ()) -> None:
        self.reason = reason
        self.tried = tried
        where = f"; looked for in {', '.join(tried)}" if tried else ""
        super().__init__(f"{reason}{where}")


class Documents:
    """What is known of packages in one run; each is asked for once."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._listings: dict[tuple[str, str], Listing | NotHad] = {}

    def listing(self, ecosystem: World, name: str) -> Listing:
        """What is known of a package. Raises NotHad."""
        key = (ecosystem, name)
        if key not in self._listings:
            try:
                self._listings[key] = self._npm(name) if ecosystem == "npm" else self._pypi(name)
            except NotHad as reason:
                self._listings[key] = reason
        found = self._listings[key]
        if isinstance(found, NotHad):
            raise found
        return found

    def _npm(self, name: str) -> Listing:
        problems: list[str] = []
        if not npm_name(name):
            raise NotHad("its name is none that npm could have")
        more = [version for folder in self.around.named for version in folder.npm_versions(name)]
        for document, source in self._npm_documents(name, problems):
            if document.name != name:
                problems.append(f"{source} answers with another package ({document.name[:80]})")
                continue
            return Listing("npm", name, document, source, more=more, refusals=noted(name, problems))
        more += self._npm_versions(name)
        if not more:
            raise NotHad("; ".join(problems) or f"nothing is known of {name}", self.around.tried())
        return Listing("npm", name, None, "", more=more, refusals=noted(name, problems))

    def _npm_documents(self, name: str, problems: list[str]) -> Iterator[tuple[Packument, str]]:
        """Documents of a package, the one to be preferred first."""
        for folder in self.around.named:
            for data, place in folder.npm_documents(name):
                yield from _read(Packument, data, f"{place} in {folder.path}", problems)
        access = self.around.npm_access(name)
        if access is not None:
            url = urljoin(access.url, quote(name, safe="@"))
            answer = self._document(access, url, _NPM, "the registry", problems)
            if answer is not None:
                yield from _read(Packument, answer, "the registry", problems)
        elif self.around.online:
            problems.append("no registry is configured for npm, and npm itself is not there to say its own")
        cached = [
            (document, "npm's cache")
            for cache in self.around.npm_caches
            for data in cache.documents(name, access.url if access is not None else "")
            for document, _ in _read(Packument, data, "npm's cache", problems)
        ]
        for place in self.around.caches("pnpm"):
            for data in npm_metadata.pnpm_documents(place, name):
                cached += list(_read(Packument, data, "pnpm's cache", problems))
        for place in self.around.caches("yarn"):
            for data in npm_metadata.yarn_documents(place, name):
                cached += list(_read(Packument, data, "yarn's cache", problems))
        yield from sorted(cached, key=lambda pair: pair[0].times is None)
        if access is not None:
            yield from _read_kept(
                Packument, self.around.kept.document(urljoin(access.url, quote(name, safe="@"))), problems
            )

    def _npm_versions(self, name: str) -> list[str]:
        """The versions whose archives or files lie in some cache or store."""
        found = [version for cache in self.around.npm_caches for version in cache.versions(name)]
        found += [version for place in self.around.caches("yarn") for version in npm_caches.yarn_versions(place, name)]
        for store in self.around.caches("pnpm"):
            found += pnpm_store.versions(store, name)
            found += [version for owner, version in self.around.pnpm_rows(store) if owner == name]
        return sorted(set(found))

    def _pypi(self, name: str) -> Listing:
        problems: list[str] = []
        versions = [held.path for folder in self.around.named for held in folder.python_archives(name)]
        more = [release[1] for path in versions if (release := _release_of(path)) is not None]
        for project, source, page in self._pypi_documents(name, problems):
            if project.name != name:
                problems.append(f"{source} answers with another project ({project.name[:80]})")
                continue
            return Listing("PyPI", name, project, source, more=more, page=page, refusals=noted(name, problems))
        if not more:
            raise NotHad("; ".join(problems) or f"nothing is known of {name}", self.around.tried())
        return Listing("PyPI", name, None, "", more=more, refusals=noted(name, problems))

    def _pypi_documents(self, name: str, problems: list[str]) -> Iterator[tuple[Project, str, str]]:
        for folder in self.around.named:
            for data, place in folder.python_pages(name):
                url = f"http://localhost/{quote(place)}"
                for project, source in _read(
                    functools.partial(read_page, url=url), data, f"{place} in {folder.path}", problems
                ):
                    yield project, source, ""
        accesses = self.around.python_accesses
        for access in accesses:
            url = urljoin(access.url, f"{quote(name, safe='')}/")
            page = functools.partial(read_page, url=url)
            answer = self._document(access, url, _PYPI, "the index", problems)
            if answer is not None:
                for project, source in _read(page, answer, "the index", problems):
                    yield self._with_more(access, project), source, url
        if self.around.online and not accesses:
            problems.append("no index is configured for pip or uv, and pip itself is not there to say its own")
        for access in accesses:
            url = urljoin(access.url, f"{quote(name, safe='')}/")
            page = functools.partial(read_page, url=url)
            for place in self.around.caches("pip"):
                from pratique.targets.kept import python_caches

                cached = python_caches.pip_page(place, url)
                if cached is not None:
                    for project, source in _read(page, cached, "pip's cache", problems):
                        yield project, source, url
            for project, source in _read_kept(page, self.around.kept.document(url), problems):
                yield project, source, url

    def _with_more(self, access: Access, project: Project) -> Project:
        """The project with what an older JSON document adds, where the index offers one beside its pages."""
        if not access.url.endswith("/simple/"):
            return project
        url = urljoin(access.url, f"../pypi/{quote(project.name, safe='')}/json")
        data = self._document(access, url, "application/json", "the index", [])
        return with_legacy(project, data) if data is not None else project

    def _document(self, access: Access, url: str, accept: str, who: str, problems: list[str]) -> bytes | None:
        """A document of a registry: fetched a moment ago, or asked for now; None where it may not or cannot be."""
        if not self.around.online:
            return None
        kept = self.around.kept.document(url)
        if kept is not None and 0 <= time.time() - kept[1] < FRESH:
            return kept[0]
        try:
            data, _ = self.around.client(access).document(url, accept)
        except NotFetched as error:
            problems.append(f"{who} ({access.found_by}): {error}")
            return None
        self.around.kept.keep_document(url, data)
        return data


def _read(read: Callable[[bytes], T], data: bytes, source: str, problems: list[str]) -> Iterator[tuple[T, str]]:
    try:
        yield read(data), source
    except ValueError as error:
        problems.append(f"{source}: {error}")


def _read_kept(
    read: Callable[[bytes], T], kept: tuple[bytes, float] | None, problems: list[str]
) -> Iterator[tuple[T, str]]:
    if kept is not None:
        day = time.strftime("%Y-%m-%d", time.gmtime(kept[1]))
        yield from _read(read, kept[0], f"the registry as of {day}", problems)


def noted(name: str, problems: list[str]) -> tuple[Refusal, ...]:
    """Places that could not serve while another could: told, and no gap."""
    return tuple(Refusal(name, READER, text[:500], False, names=(name,)) for text in dict.fromkeys(problems))


def _release_of(path: str) -> tuple[str, str] | None:
    from pratique.ecosystems.pypi.files import release_of

    return release_of(os.path.basename(path))

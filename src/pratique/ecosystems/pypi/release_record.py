"""What an index states of a Python project and its releases: the simple page, as JSON (PEP 691, 700, 740) or HTML.

A field counts as absent only where the same page shows it for another release. Publisher, approver and commit stand on
no index page; who published by which workflow stands in the attestations that a page points to.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import msgspec

from pratique.ecosystems.npm.documents import seconds
from pratique.ecosystems.npm.release_record import repository
from pratique.ecosystems.npm.urls import strip_url
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.versions import canonical
from pratique.ecosystems.releases import Package, Release
from pratique.model.release import Dated, Publisher, RegistryRecord, State, Stated

MOST_FILES = 200_000
_ALGORITHMS = ("sha256", "sha512", "sha384", "sha1", "md5")


class IndexFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """One archive that a page names. `url` is whole; `hashes` map an algorithm to hexadecimal digits.

    `yanked` is the reason, empty where none is given, None where it is not yanked. `uploaded` in seconds since the
    epoch.
    """

    name: str
    version: str
    url: str
    hashes: Mapping[str, str] = {}
    size: int | None = None
    uploaded: float | None = None
    yanked: str | None = None
    python: str | None = None
    provenance: str | None = None

    @property
    def wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.name.endswith(".whl")


class Project:
    """A page of an index about one project."""

    def __init__(self, name: str, files: Sequence[IndexFile], legacy: Mapping[str, Any] | None = None) -> None:
        """`legacy` is the older JSON document of the project, where the index offers one."""
        self.name = name
        self.files = tuple(files)
        self.legacy = legacy or {}

    @functools.cached_property
    def by_version(self) -> dict[str, list[IndexFile]]:
        """The archives of each version, by its canonical spelling."""
        found: dict[str, list[IndexFile]] = {}
        for file in self.files:
            found.setdefault(canonical(file.version), []).append(file)
        return found

    @functools.cached_property
    def spelled(self) -> dict[str, str]:
        """Canonical version to how the project's archives spell it; a wheel's spelling first."""
        return {
            key: min(files, key=lambda file: (not file.wheel, file.name)).version
            for key, files in self.by_version.items()
        }

    def files_of(self, version: str) -> tuple[IndexFile, ...]:
        """The archives of a version, in order of name."""
        return tuple(sorted(self.by_version.get(canonical(version), ()), key=lambda file: file.name))

    def published(self, version: str) -> float | None:
        """When the first archive of a version was uploaded, in seconds since the epoch."""
        return _earliest(self.by_version.get(canonical(version), ()))

    def package(self) -> Package:
        """The project as the rules of picking want it."""
        releases = tuple(
            Release(
                self.spelled[key],
                published=_earliest(files),
                yanked=all(file.yanked is not None for file in files),
                python=next((file.python for file in files if file.python), None),
            )
            for key, files in self.by_version.items()
        )
        return Package(self.name, releases, timed=any(file.uploaded is not None for file in self.files))

    @functools.cached_property
    def history(self) -> tuple[Dated, ...]:
        """Every version, oldest first: by time of upload, else in the order of versions."""
        from packaging.version import InvalidVersion, Version

        def order(item: Dated) -> tuple[bool, float, bool, Any, str]:
            try:
                version: Any = Version(item.version)
            except InvalidVersion:
                version = None
            return item.published is None, item.published or 0.0, version is None, version or Version("0"), item.version

        found = [
            Dated(self.spelled[key], _earliest(files), provenance=self._state(any(file.provenance for file in files)))
            for key, files in self.by_version.items()
        ]
        return tuple(sorted(found, key=order))

    @functools.cached_property
    def attested(self) -> bool:
        """Whether the page names attestations for any archive."""
        return any(file.provenance for file in self.files)

    def record(self, version: str, file: str = "", index_says: str = "the page of the index") -> RegistryRecord:
        """What the page states of one version; `file` is the archive whose digest is wanted."""
        files = self.files_of(version)
        gone: Stated[Any] = Stated("unavailable", reason=f"{index_says} does not state it")
        if not files:
            gone = Stated("unavailable", reason=f"{index_says} does not hold the version")
        moment = self.published(version)
        untimed: Stated[Any] = Stated("unavailable", reason=f"{index_says} states no times")
        attested = next((one.provenance for one in files if one.provenance), None)
        digest = next(
            (
                f"{kind}:{one.hashes[kind]}"
                for one in files
                if one.name == file
                for kind in _ALGORITHMS
                if kind in one.hashes
            ),
            None,
        )
        known = [item.published for item in self.history if item.published is not None]
        yanked = [one.yanked for one in files if one.yanked is not None]
        return RegistryRecord(
            published=Stated("present", moment) if moment is not None else untimed,
            publisher=gone,
            maintainers=self._maintainers(gone),
            trusted_publisher=Stated("unavailable", reason="it stands in the attestations, which were not asked for"),
            approver=gone,
            provenance=Stated("present", attested)
            if attested
            else Stated("absent")
            if self.attested and files
            else Stated("unavailable", reason=f"{index_says} names attestations for no release"),
            signatures=gone,
            integrity=Stated("present", digest) if digest else gone,
            git_head=gone,
            repository=self._legacy_repository(gone),
            license=self._text(("license_expression", "license"), gone),
            yanked=Stated("present", next((text for text in yanked if text), "yanked"))
            if files and len(yanked) == len(files)
            else Stated("absent")
            if files
            else gone,
            tags=gone,
            history=Stated(
                "present", tuple(item for item in self.history if canonical(item.version) != canonical(version))
            ),
            first_published=Stated("present", min(known)) if known else untimed,
        )

    def _state(self, shown: bool) -> State:
        return "present" if shown else "absent" if self.attested else "unavailable"

    def _text(self, keys: Iterable[str], gone: Stated[Any]) -> Stated[Any]:
        info = self.legacy.get("info")
        for key in keys:
            value = info.get(key) if isinstance(info, dict) else None
            if isinstance(value, str) and value.strip():
                return Stated("present", value.strip()[:200])
        return Stated("absent") if isinstance(info, dict) else gone

    def _legacy_repository(self, gone: Stated[Any]) -> Stated[Any]:
        info = self.legacy.get("info")
        if not isinstance(info, dict):
            return gone
        urls = info.get("project_urls")
        for key, value in sorted(urls.items()) if isinstance(urls, dict) else ():
            if any(word in str(key).lower() for word in ("repository", "source", "code", "github")):
                found = repository(value)
                if found:
                    return Stated("present", found)
        return Stated("absent")

    def _maintainers(self, gone: Stated[Any]) -> Stated[tuple[Publisher, ...]]:
        owned = self.legacy.get("ownership")
        roles = owned.get("roles") if isinstance(owned, dict) else None
        if not isinstance(roles, list):
            return gone
        names = {item.get("user") for item in roles if isinstance(item, dict)}
        return Stated(
            "present", tuple(Publisher(name) for name in sorted(name for name in names if isinstance(name, str)))
        )


def read_page(data: bytes, url: str) -> Project:
    """The project that a simple page is about. `url` is the address of the page, which others are relative to.

    Raises ValueError with the reason where the bytes are no such page.
    """
    start = data.lstrip()[:1]
    if start == b"{":
        return _json_page(data, url)
    if start == b"<":
        return _html_page(data, url)
    raise ValueError("is no page of an index: neither JSON nor HTML")


def _json_page(data: bytes, url: str) -> Project:
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError("is no page of an index: not whole JSON") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    files = document.get("files") if isinstance(document, dict) else None
    name = document.get("name") if isinstance(document, dict) else None
    if not isinstance(files, list) or not isinstance(name, str):
        raise ValueError("is no page of an index: it has no name or no files")
    if len(files) > MOST_FILES:
        raise ValueError(f"names more than {MOST_FILES} archives")
    found = []
    for item in files:
        if not isinstance(item, dict):
            continue
        hashes, size, moment = item.get("hashes"), item.get("size"), seconds(item.get("upload-time"))
        yanked, python, attested = item.get("yanked"), item.get("requires-python"), item.get("provenance")
        one = _file(
            item.get("filename"),
            item.get("url"),
            url,
            hashes=hashes if isinstance(hashes, dict) else {},
            size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
            uploaded=None if moment is None or math.isnan(moment) else moment,
            yanked=yanked[:500] if isinstance(yanked, str) else "" if yanked else None,
            python=python if isinstance(python, str) else None,
            provenance=attested if isinstance(attested, str) else None,
        )
        if one is not None:
            found.append(one)
    return Project(normalise(name), found)


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base = ""
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes of every link, and the base of relative ones."""
        if tag == "a" and len(self.found) <= MOST_FILES:
            self.found.append(dict(attrs))
        elif tag == "base" and not self.base:
            self.base = dict(attrs).get("href") or ""


def _html_page(data: bytes, url: str) -> Project:
    parser = _Anchors()
    try:
        parser.feed(data.decode("utf-8", "replace"))
        parser.close()
    except (AssertionError, ValueError):
        raise ValueError("is no page of an index: not whole HTML") from None
    base = urljoin(url, parser.base) if parser.base else url
    found = []
    for anchor in parser.found:
        link = anchor.get("href")
        if not link:
            continue
        plain, fragment = urldefrag(link)
        kind, _, digest = fragment.partition("=")
        one = _file(
            unquote(urlsplit(plain).path.rpartition("/")[2]),
            plain,
            base,
            hashes={kind: digest} if digest else {},
            yanked=anchor["data-yanked"] or "" if "data-yanked" in anchor else None,
            python=anchor.get("data-requires-python"),
            provenance=anchor.get("data-provenance"),
        )
        if one is not None:
            found.append(one)
    if not found:
        raise ValueError("is a page in HTML that names no archive of a release")
    return Project(normalise(_project_of(found)), found)


def _project_of(files: Sequence[IndexFile]) -> str:
    release = release_of(files[0].name)
    return release[0] if release else ""


def release_of(file: str) -> tuple[str, str] | None:
    """Normalised name and version out of the name of a wheel or source archive; None where it is neither."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    try:
        if file.endswith(".whl"):
            name, version, *_ = parse_wheel_filename(file)
        elif file.endswith((".tar.gz", ".zip")):
            name, version = parse_sdist_filename(file)
        else:
            return None
    except (InvalidSdistFilename, InvalidWheelFilename, ValueError):
        return None
    return name, str(version)


def _file(name: object, link: object, base: str, **more: Any) -> IndexFile | None:
    if not isinstance(name, str) or not isinstance(link, str) or "/" in name or "\\" in name or len(link) > 8192:
        return None
    release = release_of(name)
    if release is None:
        return None
    try:
        whole = urljoin(base, link)
        parts = urlsplit(whole)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
    except ValueError:
        return None
    hashes = {
        kind: text.lower()
        for kind, text in more.pop("hashes").items()
        if kind in _ALGORITHMS and isinstance(text, str) and text and all(c in "0123456789abcdefABCDEF" for c in text)
    }
    provenance = more.pop("provenance", None)
    shown = strip_url(urljoin(base, provenance)) if provenance else None
    return IndexFile(name, release[1], whole, hashes, provenance=shown, **more)


def _earliest(files: Iterable[IndexFile]) -> float | None:
    return min((file.uploaded for file in files if file.uploaded is not None), default=None)


def choose(files: Sequence[IndexFile], tags: Sequence[str]) -> tuple[IndexFile | None, IndexFile | None]:
    """The wheel that a machine would take, and the source archive. `tags` are the machine's, the best first.

    Where no wheel fits the machine, the first by name stands for the others: its code is what others would run.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    rank = {tag: place for place, tag in enumerate(tags)}

    def fit(file: IndexFile) -> tuple[int, str]:
        try:
            own = {str(tag) for tag in parse_wheel_filename(file.name)[3]}
        except InvalidWheelFilename:
            own = set()
        return min((rank[tag] for tag in own if tag in rank), default=len(rank)), file.name

    wheels = sorted((file for file in files if file.wheel), key=fit)
    sources = sorted(
        (file for file in files if not file.wheel and file.name.endswith((".tar.gz", ".zip"))),
        key=lambda file: (not file.name.endswith(".tar.gz"), file.name),
    )
    return (wheels[0] if wheels else None), (sources[0] if sources else None)


def with_legacy(project: Project, data: bytes) -> Project:
    """The project with what the older JSON document adds; the project itself where that cannot be read."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return project
    info = document.get("info") if isinstance(document, dict) else None
    if not isinstance(info, dict) or normalise(str(info.get("name", ""))) != project.name:
        return project
    return Project(project.name, project.files, document)

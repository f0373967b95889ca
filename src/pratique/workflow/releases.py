"""What known good releases are made of: out of what is at hand, and with consent out of the configured registry.

In this order: npm's own cache, another lockfile of the checked projects, an earlier commit of one of them, and where
the user allowed it the registry that the user's clients are configured for, or the lockfile names. Each record says
where it is from.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, urljoin

import msgspec

from pratique.adapters import disk, registry
from pratique.adapters import git as program
from pratique.adapters.checkout import repository
from pratique.adapters.clients.scratch import setting_files
from pratique.ecosystems.npm import npmrc
from pratique.ecosystems.npm.locks.records import bases, of_document, of_lockfile
from pratique.ecosystems.npm.urls import strip_url
from pratique.model.errors import UsageError
from pratique.model.ports import Git, Unreadable
from pratique.model.repair import PARTIAL, PYTHON, LockedRelease
from pratique.respond.situation import Project, ProjectFile

MOST_COMMITS = 60
LARGEST = 128 << 20
MOST_HELD = 256 << 20
"""So many bytes of earlier lockfiles are kept in memory."""
_NAMES = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml")
_PYTHON = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "requirements.txt")


def known(projects: Sequence[Project], *, online: bool = False, caches: Sequence[str] | None = None) -> Known:
    """Name and version to a release's record. `caches` are npm's cache folders; by default those of this user."""
    return Known(projects, online, _caches() if caches is None else caches)


def _caches() -> list[str]:
    """Where npm keeps its cache here."""
    places = [os.path.join(os.path.expanduser("~"), ".npm")]
    if os.environ.get("LOCALAPPDATA"):
        places.append(os.path.join(os.environ["LOCALAPPDATA"], "npm-cache"))
    return places


class Known:
    """What was asked for once, and why a registry gave nothing."""

    def __init__(self, projects: Sequence[Project], online: bool, caches: Sequence[str]) -> None:
        files = {file.path: file for project in projects for file in project.files}
        self.locks = [files[path] for path in sorted(files) if os.path.basename(path) in _NAMES]
        self.python = [files[path] for path in sorted(files) if os.path.basename(path) in _PYTHON]
        self.folders = sorted({os.path.dirname(path) for path in files})
        self.online = online
        self.caches = caches
        self.found: dict[tuple[str, str], LockedRelease | None] = {}
        self.earlier: dict[str, list[bytes]] = {}
        self.held = 0
        self.failed: dict[str, str] = {}

    @property
    def told(self) -> tuple[str, ...]:
        """Releases that nothing knows although a registry was asked, and what it answered."""
        return tuple(
            f"{name} {version} is not known: {self.failed[name]}"
            for (name, version), record in sorted(self.found.items())
            if record is None and name in self.failed
        )

    def __call__(self, name: str, version: str) -> LockedRelease | None:
        key = name, version
        if key not in self.found:
            self.found[key] = self.look(name, version)
        return self.found[key]

    def look(self, name: str, version: str) -> LockedRelease | None:
        """The best record: a whole one before one that is enough for one kind of lockfile alone."""
        partial: LockedRelease | None = None
        for record in self.candidates(name, version):
            if PARTIAL not in record.manifest:
                partial = record
                break
            partial = partial or record
        python = self.of_python(name, version) if self.online and self.python else None
        if partial is None or python is None:
            return partial or python
        both = {**python.manifest, **partial.manifest, "files": python.manifest["files"]}
        if PARTIAL not in partial.manifest:
            del both[PARTIAL]
        return msgspec.structs.replace(partial, manifest=both)

    def candidates(self, name: str, version: str) -> Iterator[LockedRelease]:
        """Every record at hand, the registry's last."""
        sources = self.registries(name)
        for cache in self.caches:
            for source in sources:
                content = _cached(cache, source, name)
                record = of_document(content, name, version, "cache") if content is not None else None
                if record is not None:
                    yield record
        for lock in self.locks:
            record = of_lockfile(lock.path, lock.content, name, version, "file")
            if record is not None:
                yield record
        for lock in self.locks:
            for content in self.history(lock):
                record = of_lockfile(lock.path, content, name, version, "git-history")
                if record is not None:
                    yield record
                    break
        if self.online:
            for source in sources:
                try:
                    content = registry.fetch(registry.rooted(source), "npm", name)
                except (registry.NotFetched, UsageError) as error:
                    self.failed[name] = str(error)
                    continue
                record = of_document(content, name, version, "registry")
                if record is not None:
                    yield record

    def registries(self, name: str) -> list[str]:
        """The registries that this package may be asked of: as configured, then as lockfiles name them."""
        scope = name.partition("/")[0] if name.startswith("@") else ""
        scoped: list[str] = []
        plain: list[str] = []
        for folder in self.folders:
            files = setting_files(folder, {})
            for settings in (".npmrc", "user .npmrc"):
                for item in npmrc.settings(files.get(settings, b"").decode("utf-8", "replace")):
                    if not item.value or npmrc.has_variable(item.value):
                        continue
                    if scope and item.key == f"{scope}:registry":
                        scoped.append(strip_url(item.value))
                    elif item.key == "registry":
                        plain.append(strip_url(item.value))
        named = [base for lock in self.locks for base in bases(lock.content, name)]
        return [f"{base.rstrip('/')}/" for base in dict.fromkeys([*scoped, *plain, *named])]

    def history(self, lock: ProjectFile) -> list[bytes]:
        """The lockfile as earlier commits had it, newest first."""
        if lock.path not in self.earlier:
            self.earlier[lock.path] = []
            for content in _history(lock.path):
                self.held += len(content)
                if self.held > MOST_HELD:
                    break
                self.earlier[lock.path].append(content)
        return self.earlier[lock.path]

    def of_python(self, name: str, version: str) -> LockedRelease | None:
        """The archives of a Python release, as the index that a lockfile names lists them."""
        indexes = dict.fromkeys(
            match
            for lock in self.python
            for match in re.findall(r"https?://[^\s\"'@]+?/simple(?=[/\"'\s])", lock.content.decode("utf-8", "replace"))
        )
        for index in indexes:
            try:
                root = registry.rooted(index)
                content = registry.fetch(root, "PyPI", name)
            except (registry.NotFetched, UsageError) as error:
                self.failed[name] = str(error)
                continue
            record = _of_index(content, root, name, version)
            if record is not None:
                return record
        return None


def _of_index(content: bytes, root: str, name: str, version: str) -> LockedRelease | None:
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        canonicalize_name,
        parse_sdist_filename,
        parse_wheel_filename,
    )
    from packaging.version import InvalidVersion, Version

    try:
        document = json.loads(content)
        wanted = Version(version)
    except (ValueError, RecursionError, InvalidVersion):
        return None
    listed = document.get("files") if isinstance(document, dict) else None
    files = []
    for item in listed if isinstance(listed, list) else ():
        file = item.get("filename") if isinstance(item, dict) else None
        if not isinstance(file, str):
            continue
        try:
            parsed = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
        except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
            continue
        if parsed[0] == canonicalize_name(name) and parsed[1] == wanted:
            files.append({**item, "url": urljoin(f"{root}{quote(name, safe='')}/", str(item.get("url", "")))})
    if not files:
        return None
    return LockedRelease(name=name, version=version, manifest={"files": files, PARTIAL: PYTHON}, source="registry")


def _cached(cache: str, source: str, name: str) -> bytes | None:
    """npm's kept copy of a package's document, the fullest of those that are there; None where it has none."""
    held: list[bytes] = []
    for spelled in dict.fromkeys((name.replace("/", "%2f"), name.replace("/", "%2F"), name)):
        digest = hashlib.sha256(f"make-fetch-happen:request-cache:{source}{spelled}".encode()).hexdigest()
        bucket = _read(os.path.join(cache, "_cacache", "index-v5", digest[:2], digest[2:4], digest[4:]), 16 << 20)
        for line in reversed((bucket or b"").split(b"\n")):
            text = line.partition(b"\t")[2]
            try:
                entry = json.loads(text) if text else None
            except (ValueError, RecursionError):
                continue
            integrity = entry.get("integrity") if isinstance(entry, dict) else None
            content = _content(cache, integrity) if isinstance(integrity, str) else None
            if content is not None:
                held.append(content)
    return max(held, key=len, default=None)


def _content(cache: str, integrity: str) -> bytes | None:
    """The content of a cache by its digest, which is compared."""
    algorithm, _, encoded = integrity.split(maxsplit=1)[0].partition("-") if integrity.split() else ("", "", "")
    if algorithm not in ("sha512", "sha1"):
        return None
    try:
        digest = base64.b64decode(encoded, validate=True).hex()
    except (binascii.Error, ValueError):
        return None
    path = os.path.join(cache, "_cacache", "content-v2", algorithm, digest[:2], digest[2:4], digest[4:])
    content = _read(path, LARGEST)
    if content is None or hashlib.new(algorithm, content, usedforsecurity=False).hexdigest() != digest:
        return None
    return content


def _read(path: str, largest: int) -> bytes | None:
    try:
        return disk.read(os.path.realpath(path), largest)[0]
    except Unreadable:
        return None


def _history(path: str) -> Iterator[bytes]:
    """What earlier commits of a checkout hold at a path."""
    top, database = repository(os.path.dirname(path))
    starter = program.starter()
    if database is None or starter is None:
        return
    relative = os.path.relpath(path, top).replace(os.sep, "/")
    if "\n" in relative:
        return
    try:
        with starter(database, ("rev-list", f"--max-count={MOST_COMMITS}", "HEAD", "--", relative)) as stream:
            commits = [line.decode("ascii") for line in stream.read(1 << 20).split()]
        yield from _blobs(starter, database, [f"{commit}:{relative}" for commit in commits])
    except (Unreadable, OSError, UnicodeDecodeError):
        return


def _blobs(starter: Git, database: str, names: Iterable[str]) -> Iterator[bytes]:
    asked = [f"{name}\n".encode("utf-8", "surrogateescape") for name in names]
    seen: set[bytes] = set()
    with starter(database, ("cat-file", "--batch"), asked) as stream:
        for _ in asked:
            head = stream.readline(4096).split()
            if len(head) < 3 or not head[-1].isdigit():
                continue
            size = int(head[-1])
            if size > LARGEST:
                raise Unreadable("a lockfile of the history is too large")
            content = stream.read(size)
            stream.read(1)
            if head[-2] == b"blob" and head[0] not in seen:
                seen.add(head[0])
                yield content

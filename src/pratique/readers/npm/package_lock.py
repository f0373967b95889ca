"""npm lockfiles: package-lock.json and npm-shrinkwrap.json.

## Reads
`lockfileVersion` 1 (npm 5, 6), 2 (npm 7, 8), 3 (npm 9 to 12) and 4 (npm 12 with patches or extensions). Every copy of
a listed name at every depth: aliases by their real name, bundled copies, links and git sources with their origin. In
version 2 both the `packages` and the legacy `dependencies` part are read, since a bad merge can make them disagree.
Duplicate keys are seen: both values are reported.

## Leaves out
Peer sets, engines and licences. `resolved` is no proof of the host that was used: npm may replace the host. A lockfile
with merge-conflict markers is refused, not half read. Version 1 records no version for git sources and for archives
whose URL names none: their version stays empty.

## References
npm documentation "package-lock.json"; npm 12.2.0, `@npmcli/arborist` lib/shrinkwrap.js.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.paths import place_of
from pratique.ecosystems.npm.urls import origin_of, strip_url, tarball_release
from pratique.model.observation import ComponentFact, Observation, Origin, Record, Refusal, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.npm.lock_requests import in_package_lock
from pratique.readers.npm.remembered import Known, memory
from pratique.readers.text import decode_text, refuse


class Package(msgspec.Struct, gc=False):
    """One entry of `packages`. Fields of an unexpected type make the strict second path run."""

    name: str | None = None
    version: str | None = None
    resolved: Any = None
    integrity: Any = None
    link: Any = None
    dev: Any = None
    optional: Any = None
    inBundle: Any = None  # noqa: N815 (npm's own key)
    hasInstallScript: Any = None  # noqa: N815 (npm's own key)


class Lock(msgspec.Struct, gc=False):
    """The parts of a lockfile that are read."""

    packages: dict[str, Package] | None = None
    dependencies: msgspec.Raw | None = None


_DECODER = msgspec.json.Decoder(Lock)
_KEY_LINE = re.compile(rb'\n(?:    |\t\t)"[^"\n]*+": \{')


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return True if value is True else None


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one component fact for each entry of a name of interest; a refusal for what is not a whole lockfile."""
    head = artifact.path.rpartition("/")[0]
    yield from read_lock(
        Context(
            artifact,
            interest.wanted("npm"),
            READER,
            root=f"{head}/" if head else "",
            record="lock",
            shipped_in=place_of(artifact.path).package,
            times=artifact.modified_time("the lockfile was last written"),
        )
    )
    if interest.requests:
        yield from in_package_lock(artifact, READER)


def read_lock(context: Context) -> Iterator[Observation | Refusal]:
    """Read a lockfile of any version; shared by the two readers of this format."""
    data = context.artifact.content()
    known = memory(context.artifact, context.wanted, "package-lock", Known)
    short = known.without(data) if known is not None else None
    lock = _decoded(short) if short is not None else None
    if lock is None:
        lock = _decoded(data)
    if lock is None or lock.packages is None:
        yield from _second_path(context, data)
        return
    wanted = context.wanted
    for path, entry in lock.packages.items():
        name = entry.name if entry.name and path else path[path.rfind("node_modules/") + 13 :]
        if name in wanted and path:
            yield from context.entry(path, msgspec.structs.asdict(entry))
    if lock.dependencies is not None:
        yield from _legacy(context, lock.dependencies)


def _decoded(data: bytes) -> Lock | None:
    """A lockfile in npm's own layout with `packages`; None where it has to be read the strict way."""
    try:
        lock = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return lock if lock.packages is not None and _looks_whole(data, lock.packages, lock.dependencies) else None


def _looks_whole(data: bytes, packages: dict[str, Package], legacy: msgspec.Raw | None) -> bool:
    """Whether npm's own layout shows as many keys as were decoded: more lines than keys means a key stands twice."""
    body = data if legacy is None else data[: data.find(b'"dependencies": {\n    "')]
    lines = len(_KEY_LINE.findall(body))
    return lines == len(packages)


class Context:
    """One lockfile being read. `root` is the folder that its keys are relative to, empty or with a trailing slash."""

    def __init__(
        self,
        artifact: Artifact,
        wanted: frozenset[str] | Everything,
        reader: Reader,
        *,
        root: str,
        record: Record,
        shipped_in: str | None,
        times: tuple[Time, ...],
    ) -> None:
        self.artifact = artifact
        self.wanted = wanted
        self.reader = reader
        self.root = root
        self.record: Record = record
        self.shipped_in = shipped_in
        self.times = times
        self.seen: set[tuple[str, str, str | None]] = set()

    def emit(
        self,
        *,
        name: str,
        version: str,
        origin: Origin,
        folder: str | None,
        entry: dict[str, Any],
        alias: str | None,
    ) -> Iterator[Observation]:
        """Yield the fact, once for each name, version and folder."""
        integrity = _text(entry.get("integrity"))
        resolved = _text(entry.get("resolved"))
        key = (name, version, folder)
        if key in self.seen:
            return
        self.seen.add(key)
        yield Observation(
            self.reader.name,
            self.artifact.location(),
            ComponentFact(
                name=name,
                version=version,
                depth="installed" if self.record == "installed-record" else "resolved",
                record=self.record,
                origin=origin,
                integrity=tuple(integrity.split()) if integrity else (),
                resolved=strip_url(resolved) if resolved else None,
                folder=folder,
                alias=alias,
                install_script=_flag(entry.get("hasInstallScript")),
                dev=_flag(entry.get("dev")),
                optional=_flag(entry.get("optional")),
                bundled=_flag(entry.get("inBundle")) or _flag(entry.get("bundled")),
                shipped_in=self.shipped_in,
            ),
            self.times,
        )

    def entry(self, path: str, entry: dict[str, Any]) -> Iterator[Observation]:
        """One entry of `packages` (versions 2 to 4). The caller has checked the name."""
        tail = path[path.rfind("node_modules/") + 13 :] if "node_modules/" in path else path
        name = _text(entry.get("name")) or tail
        if name not in self.wanted:
            return
        version = _text(entry.get("version"))
        resolved = _text(entry.get("resolved"))
        if entry.get("link") is True or version is None:
            return
        origin = origin_of(resolved)
        if "node_modules/" not in path:
            origin = "workspace"
        yield from self.emit(
            name=name,
            version=version,
            origin=origin,
            folder=self.root + path,
            entry=entry,
            alias=tail if tail != name else None,
        )

    def legacy(self, key: str, entry: dict[str, Any], folder: str) -> Iterator[Observation]:
        """One entry of the nested `dependencies` part (versions 1 and 2)."""
        version = _text(entry.get("version"))
        if version is None:
            return
        name, alias, origin = key, None, origin_of(_text(entry.get("resolved")))
        if version.startswith("npm:"):
            name, _, version = version[4:].rpartition("@")
            alias = key
        elif re.match(r"(?:https?|git[+:@]|git$|file:|github:|gitlab:|bitbucket:|ssh:)", version):
            origin = "git" if origin_of(version) == "git" else "file" if version.startswith("file:") else "registry"
            release = tarball_release(version) if origin == "registry" else None
            if origin == "registry":
                origin = "remote-tarball"
            name, version = release or (name, "")
        if name in self.wanted:
            yield from self.emit(name=name, version=version, origin=origin, folder=folder, entry=entry, alias=alias)


def _legacy(context: Context, raw: msgspec.Raw) -> Iterator[Observation | Refusal]:
    """The nested `dependencies` part, walked without recursion."""
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        yield refuse(context.artifact, context.reader, "dependencies: is nested too deeply or damaged")
        return
    yield from _walk_legacy(context, document)


def _walk_legacy(context: Context, document: object) -> Iterator[Observation | Refusal]:
    stack: list[tuple[str, object]] = [(context.root, document)]
    while stack:
        root, dependencies = stack.pop()
        if not isinstance(dependencies, dict | Pairs):
            yield refuse(context.artifact, context.reader, "dependencies: is not an object")
            continue
        for key, entry in dependencies.items():
            if not isinstance(entry, dict | Pairs):
                continue
            folder = f"{root}node_modules/{key}"
            yield from context.legacy(key, entry, folder)  # type: ignore[arg-type]  # both have .get
            inner = entry.get("dependencies")
            if inner is not None:
                stack.append((f"{folder}/", inner))


class Pairs:
    """A JSON object that keeps duplicate keys."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs

    def items(self) -> list[tuple[str, Any]]:
        """Every pair, duplicates included."""
        return self.pairs

    def get(self, key: str) -> Any:
        """The last value of a key, as JSON readers take it; None where it is missing."""
        return next((value for name, value in reversed(self.pairs) if name == key), None)

    def all(self, key: str) -> list[Any]:
        """Every value of a key."""
        return [value for name, value in self.pairs if name == key]


def _second_path(context: Context, data: bytes) -> Iterator[Observation | Refusal]:
    """The strict, slower way: any encoding, any layout, duplicate keys kept."""
    text = decode_text(data)
    if text is None:
        yield refuse(context.artifact, context.reader, "is not text in UTF-8 or UTF-16")
        return
    if re.search(r"^(?:<{7}|={7}|>{7})(?: |$)", text, re.MULTILINE):
        yield refuse(context.artifact, context.reader, "holds merge-conflict markers")
        return
    try:
        document = json.loads(text, object_pairs_hook=Pairs)
    except json.JSONDecodeError as error:
        yield refuse(context.artifact, context.reader, f"is not whole JSON: {error.msg} at line {error.lineno}")
        return
    except (RecursionError, ValueError):
        yield refuse(context.artifact, context.reader, "is nested too deeply")
        return
    if not isinstance(document, Pairs):
        yield refuse(context.artifact, context.reader, "is not a JSON object")
        return
    found = False
    for packages in document.all("packages"):
        if not isinstance(packages, Pairs):
            yield refuse(context.artifact, context.reader, "packages: is not an object")
            continue
        found = True
        for path, entry in packages.items():
            if isinstance(entry, Pairs) and path:
                yield from context.entry(path, entry)  # type: ignore[arg-type]  # both have .get
    for dependencies in document.all("dependencies"):
        found = True
        yield from _walk_legacy(context, dependencies)
    if not found and document.get("lockfileVersion") is None and not document.items():
        yield refuse(context.artifact, context.reader, "is an empty object")
    elif not found and document.get("lockfileVersion") not in (1, 2, 3, 4):
        yield refuse(
            context.artifact, context.reader, "has neither packages nor dependencies nor a known lockfileVersion"
        )


READER = Reader(
    name="package-lock",
    ecosystem="npm",
    read=read,
    basenames=("package-lock.json", "npm-shrinkwrap.json"),
    subject="project",
)

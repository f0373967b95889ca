"""bun's text lockfile: bun.lock.

## Reads
`lockfileVersion` 0 (bun 1.1 on request), 1 (bun 1.2 and 1.3) and 2 (bun 1.4): JSON with trailing commas and comments.
Every entry of `packages`, nested ones too, by the real name that it carries (an alias is only its key), with URL,
integrity, the `bundled` mark and, in version 2, whether it has an install script. `overrides` and
`trustedDependencies`. The folder is that of the hoisted tree that the keys describe. Duplicate keys, as a bad merge
leaves them, are both reported. A later version is read as version 2, with a refusal beside it.

## Leaves out
What the workspaces ask for, which their manifests say too; catalogs and patches. bun records no version for a folder,
a link or a workspace: a workspace is given the version of its manifest's copy, the others are left to the reader of
manifests. A package from git carries its commit as version. An archive whose name does not tell its version is refused.

## References
bun documentation "Lockfile"; bun 1.3, src/install/lockfile/bun.lock.zig.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.paths import place_of
from pratique.ecosystems.npm.urls import origin_of, strip_url, tarball_release
from pratique.model.observation import ComponentFact, Observation, Origin, PolicyFact, ProtectionFact, Refusal, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.text import decode_text, plain_json, portable, refuse

KNOWN = (0, 1, 2)

_LINE_END_COMMA = re.compile(rb",(?=[ \t\r]*\n[ \t\r\n]*[}\]])")
_KEY_LINE = re.compile(portable(rb'\n    "[^"\\\n]*+(?:\\.[^"\\\n]*+)*+": \['))
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)
_ARCHIVE = re.compile(r"(?:.*/)?(?P<base>[^/]+?)-(?P<version>\d+\.\d+\.\d+[^/]*)\.t(?:ar\.)?gz")
_LOCAL = (("workspace:", "workspace"), ("link:", "link"), ("file:", "file"))


class Lock(msgspec.Struct, gc=False, rename="camel"):
    """The parts of a lockfile that are read."""

    lockfile_version: Any = None
    workspaces: Any = None
    trusted_dependencies: Any = None
    overrides: Any = None
    packages: dict[str, Any] | None = None


class Pairs(list[tuple[str, Any]]):
    """A JSON object that keeps duplicate keys."""

    def get(self, key: str) -> Any:
        """The last value of a key, as bun takes it; None where it is missing."""
        return next((value for name, value in reversed(self) if name == key), None)


_DECODER = msgspec.json.Decoder(Lock)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield components, overrides and trusted names of interest; a refusal for what is not a whole lockfile."""
    data = artifact.content()
    wanted = interest.wanted("npm")
    decoded = _quick(data) or _thorough(data)
    if isinstance(decoded, str):
        yield refuse(artifact, READER, decoded)
        return
    lock, entries = decoded
    if lock.lockfile_version not in KNOWN or isinstance(lock.lockfile_version, bool):
        if lock.packages is None and lock.workspaces is None and not entries:
            yield refuse(artifact, READER, "has neither packages nor workspaces nor a known lockfileVersion")
            return
        yield refuse(artifact, READER, "lockfileVersion is none of 0, 1 and 2; read as version 2")
    yield from _Lockfile(artifact, wanted, lock, entries).read()


def _quick(data: bytes) -> tuple[Lock, list[tuple[str, Any]]] | None:
    """The document, where it is as bun writes it: no comment, no key twice. A string holds no bare line end."""
    try:
        lock = _DECODER.decode(_LINE_END_COMMA.sub(b"", data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    packages = lock.packages or {}
    return (lock, list(packages.items())) if len(_KEY_LINE.findall(data)) == len(packages) else None


def _thorough(data: bytes) -> tuple[Lock, list[tuple[str, Any]]] | str:
    """The document in any encoding and layout, with every duplicate key of `packages`; else why not."""
    text = decode_text(data)
    if text is None:
        return "is not text in UTF-8 or UTF-16"
    if not text.strip():
        return "is empty"
    if _CONFLICT.search(text):
        return "holds merge-conflict markers"
    try:
        document = json.loads(plain_json(text), object_pairs_hook=Pairs)
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no text"
    except json.JSONDecodeError as error:
        return f"is not whole JSON: {error.msg} at line {error.lineno}"
    except (RecursionError, ValueError):
        return "is nested too deeply or holds an absurd number"
    if not isinstance(document, Pairs):
        return "is not a JSON object"
    entries: list[tuple[str, Any]] = []
    found = False
    for key, value in document:
        if key == "packages":
            if not isinstance(value, Pairs):
                return "packages: is not an object"
            found = True
            entries += value
    lock = Lock(
        document.get("lockfileVersion"),
        document.get("workspaces"),
        document.get("trustedDependencies"),
        document.get("overrides"),
        {} if found else None,
    )
    return lock, entries


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _pairs(value: object) -> list[tuple[str, Any]]:
    """Keys and values of an object, read in either way."""
    if isinstance(value, dict):
        return list(value.items())
    return value if isinstance(value, Pairs) else []


def _field(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict | Pairs) else None


def split_key(key: str) -> list[str]:
    """The names of an install path: `a/@b/c` gives `a` and `@b/c`."""
    names: list[str] = []
    for part in key.split("/"):
        if names and names[-1].startswith("@") and "/" not in names[-1]:
            names[-1] += f"/{part}"
        else:
            names.append(part)
    return names


class _Lockfile:
    """One lockfile being read."""

    def __init__(
        self, artifact: Artifact, wanted: frozenset[str] | Everything, lock: Lock, entries: list[tuple[str, Any]]
    ) -> None:
        self.artifact = artifact
        self.wanted = wanted
        self.lock = lock
        self.entries = entries
        head = artifact.path.rpartition("/")[0]
        self.root = f"{head}/" if head else ""
        self.times: tuple[Time, ...] = artifact.modified_time("the lockfile was last written")
        self.shipped_in = place_of(artifact.path).package
        self.workspaces: dict[str, str] = {}

    def read(self) -> Iterator[Observation | Refusal]:
        """Yield everything of interest, in the order of the file."""
        yield from self.trusted()
        yield from self.overrides()
        for key, entry in self.entries:
            _, located = _name_and_rest(entry)
            if located is not None and located.startswith("workspace:"):
                self.workspaces[key] = located[10:]
        strange: list[str] = []
        for key, entry in self.entries:
            name, located = _name_and_rest(entry)
            if name is None or located is None:
                strange.append(key)
            elif name in self.wanted:
                yield from self.entry(key, name, located, entry)
        if strange:
            names = tuple(sorted({split_key(key)[-1] for key in strange}))[:100]
            reason = f"packages: {len(strange)} entries are not as bun writes them, the first is {strange[0][:80]!r}"
            yield refuse(self.artifact, READER, reason, names=names if len(strange) <= 100 else ())

    def trusted(self) -> Iterator[Observation]:
        """The packages whose scripts may run."""
        listed = self.lock.trusted_dependencies
        if not isinstance(listed, list) or isinstance(listed, Pairs):
            return
        names = tuple(sorted(item for item in listed if isinstance(item, str)))
        if not names or any(name in self.wanted for name in names):
            yield self.observation(PolicyFact(setting="trustedDependencies", value="allow", names=names, manager="bun"))

    def overrides(self) -> Iterator[Observation]:
        """Forced versions, flattened."""
        stack: list[tuple[str, object]] = [("overrides", self.lock.overrides)]
        while stack:
            field, value = stack.pop(0)
            for key, forced in _pairs(value):
                at = key.find("@", 1)
                name = key if at < 0 else key[:at]
                if isinstance(forced, dict | Pairs):
                    stack.append((f"{field}.{key}", forced))
                elif isinstance(forced, str) and name in self.wanted:
                    forces = strip_url(forced) if "//" in forced or "@" in forced else forced
                    yield self.observation(ProtectionFact(name=name, field=field, selector=key, forces=forces))

    def entry(self, key: str, name: str, located: str, entry: list[Any]) -> Iterator[Observation | Refusal]:
        """One entry of a name of interest."""
        rest = entry[1:]
        resolved: str | None = None
        origin: Origin
        version: str | None
        local = next(((mark, kind) for mark, kind in _LOCAL if located.startswith(mark)), None)
        if located.startswith("root:"):
            return
        if local is not None:
            mark, origin = local[0], local[1]  # type: ignore[assignment]  # the kinds are origins
            resolved = located
            workspace = _field(self.lock.workspaces, located[len(mark) :])
            version = _text(_field(workspace, "version")) if origin == "workspace" else None
            if version is None:
                return
        elif origin_of(located) == "git":
            origin, resolved = "git", located
            version = located.rpartition("#")[2] if "#" in located else ""
        elif re.match(r"(?:https?://|[./])", located) or _ARCHIVE.fullmatch(located):
            origin = "remote-tarball" if "://" in located else "file"
            resolved = located
            version = archive_version(name, located)
            if version is None:
                reason = f"packages: {name} comes from an archive whose version is not recorded"
                yield refuse(self.artifact, READER, reason, names=(name,))
                return
        else:
            origin, version = "registry", located
            resolved = _text(rest[0]) if rest else None
        info = next((item for item in rest if isinstance(item, dict | Pairs)), None)
        integrity = _text(rest[-1]) if rest and origin in ("registry", "remote-tarball", "file", "git") else None
        names = split_key(key)
        yield self.observation(
            ComponentFact(
                name=name,
                version=version,
                depth="resolved",
                record="lock",
                origin=origin,
                integrity=tuple(integrity.split()) if integrity and re.match(r"sha\d+-", integrity) else (),
                resolved=strip_url(resolved) if resolved else None,
                folder=self.folder(names, origin, located),
                alias=names[-1] if names[-1] != name else None,
                install_script=True if _field(info, "hasInstallScript") is True else None,
                bundled=True if _field(info, "bundled") is True else None,
                shipped_in=self.shipped_in,
            )
        )

    def folder(self, names: list[str], origin: Origin, located: str) -> str:
        """Where a key's package lies in the hoisted tree; a key that starts with a workspace lies in its folder."""
        if origin == "workspace":
            return self.root + located.partition(":")[2]
        home = self.root
        if len(names) > 1 and names[0] in self.workspaces:
            home += self.workspaces[names[0]] + "/"
            names = names[1:]
        return home + "/".join(f"node_modules/{name}" for name in names)

    def observation(self, fact: ComponentFact | PolicyFact | ProtectionFact) -> Observation:
        return Observation(READER.name, self.artifact.location(), fact, self.times)


def _name_and_rest(entry: object) -> tuple[str | None, str | None]:
    """The real name and what follows its `@`, of an entry's first element; None for both where it is no entry."""
    if not isinstance(entry, list) or isinstance(entry, Pairs) or not entry or not isinstance(entry[0], str):
        return None, None
    if entry[0].startswith("@root:"):
        return "", entry[0][1:]
    at = entry[0].find("@", 1)
    return (entry[0][:at], entry[0][at + 1 :]) if 0 < at < len(entry[0]) - 1 else (None, None)


def archive_version(name: str, located: str) -> str | None:
    """The version of a package's archive, as far as its URL or file name tells."""
    release = tarball_release(located) if "://" in located else None
    if release is not None and release[0] == name:
        return release[1]
    match = _ARCHIVE.fullmatch(strip_url(located))
    base = name.rpartition("/")[2]
    slug = name.lstrip("@").replace("/", "-")
    return match["version"] if match and match["base"] in (base, slug) else None


READER = Reader(
    name="bun-lock",
    ecosystem="npm",
    read=read,
    basenames=("bun.lock",),
    subject="project",
)
"""bun.lock lies in projects and in bun's folder of global installs."""

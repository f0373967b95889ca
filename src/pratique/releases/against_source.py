"""What a release holds that its source does not: against the files of the tagged source, or against a rebuild of it.

A file that lies in both must be the same but for ends of lines. A file that the source has not is told with what it may
come from: `compiled` where the source has it in another language, `built` where it lies in a folder of build output,
`unknown` where neither explains it. A rebuild explains every file or none. What a difference means is left to rules.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pratique.model.inert import one_line, printable
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Delta, Fact, Files, Member, Release, Value

READER = "source"
LARGEST = 16 << 20
BUDGET = 256 << 20
"""So many bytes of a release are compared by their lines."""
Of = Literal["tag", "rebuild"]
_CODE = re.compile(
    r"\.(?:[cm]?jsx?|[cm]?tsx?|py|pyw|pth|sh|bash|ps1|cmd|bat|gypi?|node|so|dll|dylib|exe|wasm|vue|svelte|coffee|rb|pl)$"
    r"|(^|/)(package\.json|setup\.cfg|pyproject\.toml|Makefile)$|^[^.]+$",
    re.IGNORECASE,
)
"""Files that run, or say what runs."""
_GENERATED = re.compile(r"(^|/)[^/]+\.(?:dist|egg)-info/|(^|/)PKG-INFO$|(^|/)setup\.cfg$")
"""Files that packaging itself writes."""
_BUILT = re.compile(
    r"(^|/)(dist|build|lib|libs|out|output|esm?\d*|cjs|umd|amd|iife|mjs|commonjs|module|modules|bundles?|browser|compiled"
    r"|generated|release|bin|min|_esm\d*|_cjs|_virtual|types|typings|prebuilds)(/|$)|\.min\.|\.bundle\.|\.(?:cjs|mjs|umd|esm)\.",
    re.IGNORECASE,
)
_LANGUAGES = {
    ".js": (".ts", ".tsx", ".jsx", ".mts", ".mjs", ".coffee", ".vue", ".svelte"),
    ".mjs": (".mts", ".ts", ".tsx", ".js"),
    ".cjs": (".cts", ".ts", ".tsx", ".js"),
    ".ts": (".tsx", ".ts", ".mts", ".js"),
    ".so": (".c", ".cpp", ".cc", ".pyx", ".rs"),
    ".pyd": (".c", ".cpp", ".cc", ".pyx", ".rs"),
}
_ROOTS = ("", "src", "lib", "python", "source")
"""Folders of a source that the files of a release may lie below."""
_WRITTEN_BY_CLIENTS = frozenset({"version", "gitHead", "publishConfig", "readme", "readmeFilename", "_id", "files"})
"""Fields of a manifest that publishing writes or that change nothing."""


def facts(
    release: Release, source: Files, predecessor: Release | None = None, *, folder: str = "", of: Of = "tag"
) -> Iterator[Fact | Refusal]:
    """A `source.differs` or `source.missing` for each file of code that is not in the source as it is in the release.

    `source` are the files of the tagged source or of a rebuild; `folder` is the package's place in it, with `/`. The
    delta is `kept` where the predecessor has the very same file. Total: what cannot be read is a refusal.
    """
    left = BUDGET
    names = Counter(posixpath.basename(path) for path in source.members)
    for path, member in release.files.members.items():
        if not _CODE.search(path) or _GENERATED.search(path):
            continue
        delta = _delta(path, member, predecessor)
        place = _place(path, source, folder)
        if place is None:
            form = "rebuild" if of == "rebuild" else _form(path, source, folder, names)
            yield Fact("source.missing", path, 0, printable(path)[:200], member.sha256, delta, {"form": form})
            continue
        if source.members[place].sha256 == member.sha256:
            continue
        left -= member.size
        if left < 0:
            reason = f"was not compared with its source: more than {BUDGET >> 20} MB differ"
            yield Refusal(path, READER, reason, relevant=True)
            return
        try:
            new, old = release.files.read(path, LARGEST), source.read(place, LARGEST)
        except Unreadable as error:
            yield Refusal(path, READER, f"was not compared with its source: {error.reason}", relevant=True)
            continue
        yield from _compared(path, member, new, old, delta, of)


def _delta(path: str, member: Member, predecessor: Release | None) -> Delta:
    if predecessor is None:
        return "unknown"
    earlier = predecessor.files.members.get(path)
    return "added" if earlier is None else "kept" if earlier.sha256 == member.sha256 else "changed"


def _place(path: str, source: Files, folder: str) -> str | None:
    """Where the source has a file of the release."""
    for root in _ROOTS:
        there = posixpath.normpath(posixpath.join(folder or ".", root, path))
        if there in source.members:
            return there
    return None


def _form(path: str, source: Files, folder: str, names: Mapping[str, int]) -> str:
    """What a file that the source has not may come from."""
    stem, suffix = posixpath.splitext(path)
    stem = stem.removesuffix(".d").removesuffix(".min")
    for other in _LANGUAGES.get(suffix.lower(), ()):
        if _place(stem + other, source, folder) is not None or names.get(posixpath.basename(stem) + other):
            return "compiled"
    return "built" if _BUILT.search(path) else "unknown"


def _compared(path: str, member: Member, new: bytes, old: bytes, delta: Delta, of: Of) -> Iterator[Fact]:
    """The difference of one file, where it is one of more than the ends of lines."""
    known: dict[str, Value]
    if posixpath.basename(path) == "package.json":
        fields = _fields(new, old)
        if fields is not None:
            if fields:
                known = {"form": f"{of}-manifest", "lines": len(fields), "fields": ", ".join(fields)[:400]}
                yield Fact("source.differs", path, 0, printable(", ".join(fields))[:200], member.sha256, delta, known)
            return
    if b"\0" in new[:8192]:
        yield Fact("source.differs", path, 0, "", member.sha256, delta, {"form": f"{of}-bytes", "lines": 0})
        return
    there = Counter(line.rstrip() for line in old.splitlines())
    first, count = 0, 0
    for number, line in enumerate(new.splitlines(), 1):
        plain = line.rstrip()
        if there[plain] > 0:
            there[plain] -= 1
        elif plain:
            first, count = first or number, count + 1
    if count:
        text = new.splitlines()[first - 1][:800].decode("utf-8", "replace")
        known = {"form": f"{of}-lines", "lines": count}
        yield Fact("source.differs", path, first, one_line(printable(text))[:200], member.sha256, delta, known)


def _fields(new: bytes, old: bytes) -> list[str] | None:
    """The fields in which two manifests differ, scripts and dependencies one by one; None where one is no object."""
    try:
        one, other = json.loads(new), json.loads(old)
    except (ValueError, RecursionError):
        return None
    if not isinstance(one, dict) or not isinstance(other, dict):
        return None
    found: list[str] = []
    for key in one:
        if key in _WRITTEN_BY_CLIENTS or key == "devDependencies" or one[key] == other.get(key):
            continue
        inner, before = one[key], other.get(key)
        if isinstance(inner, dict) and key in {
            "scripts",
            "dependencies",
            "optionalDependencies",
            "peerDependencies",
            "bin",
        }:
            known: dict[str, Any] = before if isinstance(before, dict) else {}
            found += [f"{key}.{name}" for name, value in inner.items() if not _same(value, known.get(name))]
        else:
            found.append(key)
    return found


def _same(value: object, other: object) -> bool:
    """Whether two values are one, or the source's stands for whatever is published (`workspace:`, `catalog:`)."""
    return value == other or (isinstance(other, str) and other.startswith(("workspace:", "catalog:")))

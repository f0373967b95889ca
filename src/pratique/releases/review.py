"""What changed between two releases, put in sections for a person who reads it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from email.parser import HeaderParser

import msgspec

from pratique.model.difference import DIFFERENCE_SCHEMA, Code, Entry, Passage, ReleaseDifference, Side
from pratique.model.release import Examination, Fact, FileChange, Files, Release, TransitionKind
from pratique.releases.deltas import CODE
from pratique.releases.difference import Piece, added_pieces, read
from pratique.releases.folding import folded, outer
from pratique.releases.reach import WAYS
from pratique.version import VERSION

_TRIGGERS = ("trigger.",)
_DEPENDENCIES = ("dependency.",)
_CAPABILITIES = ("chain.", "capability.", "obfuscation.")
_CONTENTS = ("content.", "source.")
_TRUST = ("trust.", "registry.", "name.", "metadata.", "version.", "manifest.identity")
_CODE = frozenset(("javascript", "typescript", "python", "shell", "path-configuration", "gyp", "html"))
_SHOWN = _CODE | {"manifest", "json", "declarations", "text"}
_GENERATED = re.compile(r"(?i)(?:^|/)(?:dist|build|umd|bundles?|out)/|\.min\.|\.bundle\.")
"""Files that tools make of others are read last."""
_FIELDS = (
    *("(whole)", "name", "Name", "version", "Version", "scripts", "gypfile", "bin", "main", "module", "exports"),
    *("type", "dependencies", "optionalDependencies", "bundleDependencies", "bundledDependencies", "build-system"),
    *("Requires-Dist", "project", "peerDependencies"),
)
"""Fields of manifests that are told first, in this order; `devDependencies` are told last."""
_DEEPEST = 4
_LONGEST = 300
MOST_PASSAGES = 60
"""So many passages of one file are shown."""
MOST_TEXT = 1 << 20
"""So many characters of all files together are shown."""
_RELEVANT = frozenset(("added", "changed", "removed", "unknown"))


def reviewed(
    release: Release,
    predecessor: Release,
    forth: Examination,
    back: Examination,
    kind: TransitionKind,
    *,
    generated: str,
    command: tuple[str, ...],
) -> ReleaseDifference:
    """What changed from `predecessor` to `release`. `forth` examines that step, `back` the opposite one.

    `generated` is the time in ISO 8601. Both releases must be open: the text of changed files is read again.
    """
    return ReleaseDifference(
        *(DIFFERENCE_SCHEMA, VERSION, generated, command, side(predecessor), side(release), kind),
        manifest=tuple(manifest_entries(predecessor.files, release.files)),
        triggers=_facts(forth, back, _TRIGGERS),
        dependencies=_facts(forth, back, _DEPENDENCIES),
        capabilities=_facts(forth, back, _CAPABILITIES),
        contents=_facts(forth, back, _CONTENTS),
        trust=_facts(forth, back, _TRUST),
        changes=forth.changes,
        code=tuple(code(predecessor.files, release.files, forth.changes, forth.facts)),
        kept_files=forth.examined.kept_files,
        refusals=forth.refusals,
    )


def side(release: Release) -> Side:
    """A release as one side of a difference."""
    members = release.files.members
    return Side(
        *(release.purl, release.ecosystem, release.name, release.version, release.source),
        *(release.files.form, release.files.digests),
        files=len(members),
        bytes=sum(member.size for member in members.values()),
    )


def _facts(forth: Examination, back: Examination, prefixes: tuple[str, ...]) -> tuple[Fact, ...]:
    """The facts of one section: what came, then what went.

    What a manifest or a registry states tells by itself what went; of code the examination backwards does.
    """
    came = [fact for fact in forth.facts if fact.kind.startswith(prefixes) and fact.delta in _RELEVANT]
    went = [
        msgspec.structs.replace(fact, delta="removed")
        for fact in back.facts
        if fact.kind.startswith(prefixes) and fact.kind.startswith(CODE) and fact.delta == "added"
    ]
    return tuple(sorted((*came, *went), key=_order))


def _order(fact: Fact) -> tuple[bool, bool, bool, int, str, int]:
    """What reaches users before what is for those who develop; what came before what went."""
    stated = fact.attributes
    apart = stated.get("for_users") is False or stated.get("group") in ("dev", "devDependencies")
    way = WAYS.index(str(stated["reach"])) if stated.get("reach") in WAYS else len(WAYS)
    return apart, fact.delta == "removed", not fact.kind.startswith("chain."), way, fact.path, fact.line


# manifests


def manifest_entries(before: Files, after: Files) -> Iterator[Entry]:
    """The fields of manifests that differ: package.json, pyproject.toml, the metadata of Python."""
    pairs = [(name, name) for name in ("package.json", "pyproject.toml", "PKG-INFO")]
    pairs.append((_metadata(before), _metadata(after)))
    for old_path, new_path in pairs:
        old, new = _fields(before, old_path), _fields(after, new_path)
        for field in sorted(old.keys() | new.keys(), key=_rank):
            if old.get(field) != new.get(field):
                yield Entry(new_path or old_path, field, old.get(field), new.get(field))


def _rank(field: str) -> tuple[int, str]:
    """Where a field of a manifest is told."""
    first = field.partition(".")[0]
    if first in ("devDependencies", "tool"):
        return len(_FIELDS) + 1, field
    return _FIELDS.index(first) if first in _FIELDS else len(_FIELDS), field


def _metadata(files: Files) -> str:
    """The path of a wheel's metadata, empty where it has none."""
    for path in files.members:
        folder, _, name = path.partition("/")
        if name == "METADATA" and folder.endswith(".dist-info"):
            return path
    return ""


def _fields(files: Files, path: str) -> dict[str, str]:
    """The fields of one manifest, by name; none where it is not there or cannot be read."""
    content = read(files, path) if path in files.members else None
    if content is None:
        return {}
    if path.endswith(".json"):
        try:
            return dict(_flat(msgspec.json.decode(content)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {"(whole)": "is no JSON"}
    if path.endswith(".toml"):
        try:
            return dict(_flat(tomllib.loads(content.decode())))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
            return {"(whole)": "is no TOML"}
    headers = HeaderParser().parsestr(content.decode("utf-8", "replace"))
    found: dict[str, list[str]] = {}
    for name, value in headers.items():
        found.setdefault(name, []).append(str(value))
    return {name: "\n".join(sorted(values))[: 10 * _LONGEST] for name, values in found.items()}


def _flat(value: object) -> Iterator[tuple[str, str]]:
    """The leaves of a manifest as `scripts.postinstall` and their text."""
    stack: list[tuple[str, object, int]] = [("", value, 0)]
    while stack:
        name, item, depth = stack.pop()
        if isinstance(item, dict) and item and depth < _DEEPEST:
            stack.extend((f"{name}.{key}" if name else str(key), inner, depth + 1) for key, inner in item.items())
        elif isinstance(item, str):
            yield name, item[:_LONGEST]
        else:
            yield name, msgspec.json.encode(item, enc_hook=str).decode("utf-8", "replace")[:_LONGEST]


# code


def code(before: Files, after: Files, changes: Sequence[FileChange], facts: Iterable[Fact]) -> list[Code]:
    """The passages of changed files that one side alone has, in the order in which they are best read.

    A passage that another file shows with the same text is counted and not shown again.
    """
    ways: dict[str, str] = {}
    weights: Counter[str] = Counter()
    for fact in facts:
        if fact.attributes.get("reach"):
            ways[fact.path] = str(fact.attributes["reach"])
        if fact.delta in ("added", "changed") and not fact.kind.startswith(("difference.", "import.")):
            weights[fact.path] += 1
    ordered = sorted(
        (change for change in changes if change.kind in _SHOWN and change.change in ("added", "changed")),
        key=lambda change: (
            change.kind not in _CODE,
            WAYS.index(ways[change.path]) if change.path in ways and weights[change.path] else len(WAYS),
            -weights[change.path],
            change.change != "added",
            _GENERATED.search(change.path) is not None,
            change.path,
        ),
    )
    shown: set[str] = set()
    left = MOST_TEXT
    found: list[Code] = []
    for change in ordered:
        old = read(before, change.before.path) if change.before is not None else b""
        new = read(after, change.path)
        if old is None or new is None:
            continue
        added, repeated, left_out, left = _passages(old, new, shown, left)
        removed, _, _, left = _passages(new, old, set(), left) if old else ((), 0, 0, left)
        if added or removed or repeated or left_out:
            way = ways.get(change.path, "")
            found.append(Code(change.path, change.kind, change.change, added, removed, way, repeated, left_out))
    return found


def _passages(old: bytes, new: bytes, shown: set[str], left: int) -> tuple[tuple[Passage, ...], int, int, int]:
    """What `new` has and `old` has not; how much was repeated and left out; how many characters may still be shown."""
    pieces = added_pieces(old, new) if old else [Piece(1, 1, new)] if new else []
    lines = [line.decode("utf-8", "replace") for line in new.split(b"\n")] if old and len(new) < MOST_TEXT else []
    found: list[Passage] = []
    repeated = left_out = 0
    for piece in pieces:
        text = piece.text.decode("utf-8", "replace")
        if not text.strip():
            continue
        key = " ".join(text.split())
        if key in shown and len(key) > 3:
            repeated += 1
            continue
        if len(found) >= MOST_PASSAGES or left <= 0:
            left_out += 1
            continue
        shown.add(key)
        short, gone = folded(text.rstrip())
        left -= len(short)
        found.append(Passage(piece.line, short, piece.column, outer(lines, piece.line) if lines else "", gone))
    return tuple(found), repeated, left_out, left

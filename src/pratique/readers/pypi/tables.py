"""Lockfiles in TOML that are lists of tables: poetry.lock, uv.lock, pdm.lock, pylock.toml.

A full parse of a large lock takes long, and most of its tables are about packages that nobody asked for. Where every
line is closed in itself (no strings or quotes that run on) and every table begins with its name, as all these tools
write them, the tables of other names are cut out before the rest is parsed. Any other shape is parsed whole.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import msgspec

from pratique.ecosystems.pypi.files import file_of, release_of, stripped
from pratique.ecosystems.pypi.layout import shipped_in
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import ComponentFact, Origin
from pratique.model.ports import Artifact, Everything
from pratique.readers.text import decode_text, portable

_CLOSED = re.compile(portable(r"""(?:(?:[^"'\\\n]++|"(?:[^"\\\n]++|\\[^\n])*+")*+\n)*+"""))
_SALVAGE = re.compile(r'^name = "([^"\\\n]+)"\r?\nversion = "([^"\\\n]+)"\r?$', re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7}|>{7}|={7})(?: |$)", re.MULTILINE)


class Tables(msgspec.Struct):
    """What was read: the tables of names asked for, the rest of the document, and why it is not all."""

    packages: list[dict[str, Any]] = []
    rest: dict[str, Any] = {}
    reason: str | None = None


def load(artifact: Artifact, key: str, wanted: frozenset[str] | Everything) -> Tables:
    """The tables `[[key]]` of the names asked for. Raises Unreadable."""
    text = decode_text(artifact.content())
    if text is None:
        return Tables(reason="is not text in UTF-8 or UTF-16")
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    kept = text if isinstance(wanted, Everything) else reduced(text, key, wanted)
    if kept is not None:
        found = _parsed(kept, key, wanted)
        if found is not None:
            return found
    found = _parsed(text, key, wanted)
    if found is not None:
        return found
    reason = "holds merge-conflict markers" if _CONFLICT.search(text) else "is not whole TOML"
    pairs = dict.fromkeys((name, version) for name, version in _SALVAGE.findall(text) if normalise(name) in wanted)
    return Tables([{"name": name, "version": version} for name, version in pairs], reason=reason)


def reduced(text: str, key: str, wanted: frozenset[str] | Everything) -> str | None:
    """The document without the tables of other names; None where its shape is not the usual one."""
    if '"""' in text or "'''" in text or not _CLOSED.fullmatch(text):
        return None
    header = f"[[{key}]]\n"
    blocks = f"\n{text}".split(f"\n{header}")
    if len(blocks) == 1:
        return None
    strange = re.compile(rf"^[ \t]*\[(?!\[?{key}\.)", re.MULTILINE)
    kept = [blocks[0]]
    for block in blocks[1:-1]:
        if block[:8] != 'name = "':
            return None
        name = block[8 : block.index('"', 8)]
        if "\\" in name or strange.search(block):
            return None
        if normalise(name) in wanted:
            kept.append(block)
    if not blocks[-1].startswith('name = "'):
        return None
    return f"\n{header}".join([*kept, blocks[-1]])


def _parsed(text: str, key: str, wanted: frozenset[str] | Everything) -> Tables | None:
    """The document, parsed; None where it is no TOML."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    packages = document.pop(key, [])
    found = Tables(rest=document)
    if not isinstance(packages, list) or not all(isinstance(item, dict) for item in packages):
        found.reason = f"has no list of tables {key!r}"
        return found
    for item in packages:
        name = item.get("name")
        if not isinstance(name, str):
            found.reason = "holds a package without a name"
        elif normalise(name) in wanted:
            found.packages.append(item)
    return found


def text_of(value: object) -> str | None:
    """The text, None for anything else."""
    return value if isinstance(value, str) else None


def digests(files: object) -> tuple[str, ...]:
    """The hashes (`sha256:<hexadecimal>`) of a list of files, in either spelling."""
    found = []
    for item in files if isinstance(files, list) else [files]:
        if not isinstance(item, dict):
            continue
        one = item.get("hash")
        if isinstance(one, str):
            found.append(one)
        several = item.get("hashes")
        if isinstance(several, dict):
            found += [f"{name}:{digest}" for name, digest in several.items() if isinstance(digest, str)]
    return tuple(dict.fromkeys(item.lower() for item in found))


def locked(
    artifact: Artifact,
    name: str,
    version: str,
    *,
    origin: Origin = "registry",
    integrity: tuple[str, ...] = (),
    resolved: str | None = None,
    dev: bool | None = None,
    optional: bool | None = None,
) -> ComponentFact:
    """The fact of one locked release."""
    return ComponentFact(
        name=normalise(name),
        version=version,
        depth="resolved",
        record="lock",
        ecosystem="PyPI",
        origin=origin,
        integrity=integrity,
        resolved=stripped(resolved) if resolved else None,
        dev=dev,
        optional=optional,
        shipped_in=shipped_in(artifact.path),
    )


def version_in(*urls: object) -> str | None:
    """The version that the first file name among some URLs, paths or tables of them carries."""
    for item in urls:
        for one in item if isinstance(item, list) else [item]:
            text = one.get("url") or one.get("path") or one.get("name") if isinstance(one, dict) else one
            release = release_of(file_of(text)) if isinstance(text, str) else None
            if release is not None:
                return release[1]
    return None

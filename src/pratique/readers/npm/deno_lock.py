"""deno's lockfile: deno.lock.

## Reads
The npm packages of versions 2 (deno 1.2x), 3 (1.3x to 1.46), 4 (2.0) and 5 (2.3 to 2.9), with integrity and, in version
5, the archive's URL and whether the package has an install script. An alias is listed under its real name alone. Keys
that stand twice are both reported. A later version is read as version 5, with a refusal beside it.

## Leaves out
JSR packages, remote modules and their hashes, what the workspace asks for. deno unpacks to its cache or to a
`node_modules/.deno` folder, so a lockfile names no folder. Version 1 lists remote modules only.

## References
deno documentation "Lockfile"; denoland/deno, libs/lockfile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.npm.paths import place_of
from pratique.ecosystems.npm.urls import strip_url
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.bun_lock import Pairs
from pratique.readers.text import decode_text, refuse

KNOWN = ("2", "3", "4", "5")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one component for each listed package of interest; a refusal for what is not a whole lockfile."""
    document = _document(artifact.content())
    if isinstance(document, str):
        yield refuse(artifact, READER, document)
        return
    version = document.get("version")
    tables = list(_tables(document))
    if version not in KNOWN:
        if version is None and not tables and document and all(isinstance(value, str) for _, value in document):
            return  # version 1: a hash for each remote module
        if version is None and not tables:
            yield refuse(artifact, READER, "has neither a version nor npm packages")
            return
        yield refuse(artifact, READER, "its version is none of 2, 3, 4 and 5; read as version 5")
    wanted = interest.wanted("npm")
    times = artifact.modified_time("the lockfile was last written")
    shipped_in = place_of(artifact.path).package
    strange: list[str] = []
    for table in tables:
        if not isinstance(table, Pairs):
            yield refuse(artifact, READER, "npm: is not an object")
            continue
        for key, entry in table:
            release = split_key(key)
            if release is None or not isinstance(entry, Pairs):
                strange.append(key)
            elif release[0] in wanted:
                fact = _component(*release, entry, shipped_in)
                yield Observation(READER.name, artifact.location(), fact, times)
    if strange:
        reason = f"npm: {len(strange)} entries are not as deno writes them, the first is {strange[0][:80]!r}"
        yield refuse(artifact, READER, reason)


def _document(data: bytes) -> Pairs | str:
    """The document with duplicate keys kept; else why not."""
    text = decode_text(data)
    if text is None:
        return "is not text in UTF-8 or UTF-16"
    if not text.strip():
        return "is empty"
    if any(line.startswith(("<<<<<<<", ">>>>>>>")) for line in text.splitlines()):
        return "holds merge-conflict markers"
    try:
        document = json.loads(text, object_pairs_hook=Pairs)
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no text"
    except json.JSONDecodeError as error:
        return f"is not whole JSON: {error.msg} at line {error.lineno}"
    except (RecursionError, ValueError):
        return "is nested too deeply or holds an absurd number"
    return document if isinstance(document, Pairs) else "is not a JSON object"


def _tables(document: Pairs) -> Iterator[object]:
    """The tables of npm packages, wherever the versions put them; more than one after a bad merge."""
    for key, value in document:
        if key == "packages" and isinstance(value, Pairs):
            yield from (inner for name, inner in value if name == "npm")
        elif key == "npm" and isinstance(value, Pairs) and tuple(sorted(dict(value))) == ("packages", "specifiers"):
            yield from (inner for name, inner in value if name == "packages")
        elif key == "npm":
            yield value


def split_key(key: str) -> tuple[str, str] | None:
    """Name and version of `name@version` or `name@version_peer@version`; None where it is neither."""
    at = key.find("@", 1)
    version = key[at + 1 :].partition("_")[0]
    return (key[:at], version) if at > 0 and version else None


def _component(name: str, version: str, entry: Pairs, shipped_in: str | None) -> ComponentFact:
    integrity, tarball = _text(entry.get("integrity")), _text(entry.get("tarball"))
    return ComponentFact(
        name=name,
        version=version,
        depth="resolved",
        record="lock",
        integrity=tuple(integrity.split()) if integrity else (),
        resolved=strip_url(tarball) if tarball else None,
        install_script=True if entry.get("scripts") is True else None,
        shipped_in=shipped_in,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


READER = Reader(
    name="deno-lock",
    ecosystem="npm",
    read=read,
    basenames=("deno.lock",),
    subject="project",
)

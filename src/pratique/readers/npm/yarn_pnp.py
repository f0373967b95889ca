"""Yarn's Plug'n'Play map: .pnp.cjs, .pnp.js and .pnp.data.json.

## Reads
`packageRegistryData` of Yarn 2 to 4: every installed locator and where it lies (a zip of the cache or an unplugged
folder). The JSON stands in a JavaScript string (Yarn 3 and 4), as a JavaScript literal (Yarn 2), or in a file of its
own (`pnpEnableInlining: false`). It is cut out as text; nothing is executed. Where the JSON is damaged, the locators
that can still be made out are read and the file is refused.

## Leaves out
Locators whose reference says no version (workspaces, folders, links, git sources), and the loader's own code. Packages
for other platforms stand in the map although their folder was never made; the map does not tell them apart.

## References
Yarn documentation "PnP specification"; Yarn 4.18.1, @yarnpkg/pnp (generatePnpScript).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from pratique.ecosystems.npm.yarn import parse_locator
from pratique.model.location import shown
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.syml import sound
from pratique.readers.text import decode_text, portable, refuse


class Info(msgspec.Struct, gc=False):
    """What is recorded of one locator."""

    packageLocation: str  # noqa: N815 (Yarn's own key)


class State(msgspec.Struct, gc=False):
    """The part of the map that is read."""

    packageRegistryData: list[tuple[str | None, list[tuple[str | None, Info]]]]  # noqa: N815 (Yarn's own key)


_DECODER = msgspec.json.Decoder(State)
_STRING = re.compile(portable(r"'((?:[^'\\]++|\\.)*+)'"), re.DOTALL)
_ESCAPE = re.compile(r"\\(\r\n|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_COMMA = re.compile(portable(r'("(?:[^"\\]++|\\.)*+")|,(?=\s*[}\]])'), re.DOTALL)
_ENTRY = re.compile(r'\[\s*"(?P<reference>[^"\\]+)",\s*\{\s*"packageLocation":\s*"(?P<location>[^"\\]+)"')
_INLINE = re.compile(r"RAW_RUNTIME_STATE\s*=\s*(?=')|hydrateRuntimeState\(JSON\.parse\((?=')")
_LITERAL = re.compile(r"hydrateRuntimeState\((?=\{)")
_VIRTUAL = re.compile(r"(?:__virtual__|\$\$virtual)/[^/]+/(\d{1,3})/")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one installed component for each locator of a name of interest."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    reason = None
    state = _state(artifact.path, text)
    if state is None:
        if _refers_to_data(text):
            return
        reason = "holds no Plug'n'Play map"
        rows: list[tuple[str, str, str]] = []
    else:
        try:
            data = _DECODER.decode(state)
        except (msgspec.DecodeError, ValueError, RecursionError):
            reason = "its Plug'n'Play map is damaged"
            rows = [
                (name, match["reference"], match["location"])
                for match in _ENTRY.finditer(state)
                if (name := _name_in(match["location"]))
            ]
        else:
            rows = [
                (name, reference, info.packageLocation)
                for name, references in data.packageRegistryData
                for reference, info in references
                if name is not None and reference is not None
            ]
    wanted = interest.wanted("npm")
    times = artifact.modified_time("the install that wrote this record ended")
    root = artifact.path.rpartition("/")[0]
    unknown: set[str] = set()
    seen: set[ComponentFact] = set()
    for name, reference, place in rows:
        locator = parse_locator(f"{name}@{reference}")
        if locator is None or locator.name not in wanted:
            continue
        if locator.version is None:
            if locator.origin in ("registry", "unknown", "remote-tarball"):
                unknown.add(locator.name)
            continue
        fact = ComponentFact(
            name=locator.name,
            version=locator.version,
            depth="installed",
            record="installed-record",
            origin=locator.origin,
            resolved=locator.resolved,
            folder=shown(folder_of(root, sound(place))),
            alias=name if name != locator.name else None,
        )
        if fact not in seen:
            seen.add(fact)
            yield Observation(READER.name, artifact.location(), fact, times)
    if reason is not None:
        yield refuse(artifact, READER, reason)
    if unknown:
        names = tuple(sorted(unknown))
        yield refuse(artifact, READER, "names packages without saying their version", names=names)


def _state(path: str, text: str) -> str | None:
    """The text of the JSON document; what there is of it where it is cut; None where there is none."""
    if path.endswith(".json"):
        return text
    start = _INLINE.search(text)
    if start is not None:
        literal = _STRING.match(text, start.end())
        body = literal[1] if literal else text[start.end() + 1 :]
        return sound(_ESCAPE.sub(_unescape, body))
    start = _LITERAL.search(text)
    if start is None:
        return None
    end = text.find("basePath: basePath", start.end())
    body = _COMMA.sub(lambda match: match[1] or "", text[start.end() : end if end >= 0 else len(text)])
    try:
        _, length = json.JSONDecoder().raw_decode(body)
    except (ValueError, RecursionError):
        return body
    return body[:length]


def _unescape(match: re.Match[str]) -> str:
    escape = match[1]
    if escape in ("\n", "\r\n", "\r", "\u2028", "\u2029"):
        return ""
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    return _NAMED.get(escape, escape)


def _refers_to_data(text: str) -> bool:
    """Whether the loader reads the map from .pnp.data.json, which is read on its own."""
    setup = text.find("function $$SETUP_STATE")
    return setup >= 0 and ".pnp.data.json" in text[setup : setup + 2000]


def _name_in(place: str) -> str | None:
    """The package that a location ends in: the name, where the map is too damaged to say it."""
    tail = place[place.rfind("node_modules/") + 13 :] if "node_modules/" in place else ""
    return tail.rstrip("/") or None


def folder_of(root: str, place: str) -> str:
    """A location of the map as a path relative to the target, virtual folders resolved to the real ones."""
    match = _VIRTUAL.search(place)
    if match:
        above = place[: match.start()] + "../" * int(match[1])
        place = above + place[match.end() :]
    parts: list[str] = []
    for part in f"{root}/{place}".split("/") if root else place.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


READER = Reader(
    name="yarn-pnp",
    ecosystem="npm",
    read=read,
    basenames=(".pnp.cjs", ".pnp.js", ".pnp.data.json"),
    subject="project",
)

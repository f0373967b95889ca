"""Yarn's record of builds: .yarn/install-state.gz (Yarn 3 and 4) and .yarn/build-state.yml (Yarn 2).

## Reads
`install-state.gz` is a gzip of a map in V8's serialisation, decoded here in full within limits of size, ratio and
count. `storedBuildState` holds the locator of each release whose install scripts ran to their end; the scripts' names
come from the linker's own record, `postinstall` stands for them where it has none. For optional dependencies Yarn
records a failed build in the same way, so these give `started`. `skippedBuilds` (Yarn 4) are releases whose scripts
the last install kept from running. Releases that a linker put in place give installed components.
`build-state.yml` names the locator in a comment above its hash; both must agree.

## Leaves out
A file of the same name elsewhere than in `.yarn` that holds no build is refused as not relevant.
Releases that were only resolved: `yarn install --mode=update-lockfile` writes the same file and installs nothing. An
absent entry is no evidence that nothing ran: Yarn forgets builds of earlier installs, and records no failed build of a
dependency that is not optional.

## References
Yarn 3.8.7, 4.0.2 and 4.18.1, @yarnpkg/core (Project.ts, persistInstallStateFile); V8, value-serializer.cc.
"""

from __future__ import annotations

import contextlib
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.yarn import Locator, locator_hash, parse_locator, split_ident
from pratique.model.observation import ComponentFact, Observation, Refusal, ScriptFact
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.npm.syml import sound
from pratique.readers.text import decode_text, refuse

LARGEST = 64 << 20
RATIO = 150
MOST_VALUES = 3_000_000
DEEPEST = 40
_SCRIPTS = ("preinstall", "install", "postinstall")
_HASH = re.compile(r'"?([0-9a-f]{128})"?:(?: |$)')


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the builds of names of interest, and what was installed."""
    if artifact.path.endswith(".yml"):
        yield from _build_state(artifact, interest.wanted("npm"))
    else:
        yield from _install_state(artifact, interest.wanted("npm"))


def _build_state(artifact: Artifact, wanted: frozenset[str] | Everything) -> Iterator[Observation | Refusal]:
    """Yarn 2: a comment with the locator, the locator's hash, the build's hash."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    times = artifact.modified_time("the build record was last written")
    reasons = [] if text.endswith("\n") else ["ends in the middle of a line" if text else "is empty"]
    comment = ""
    builds = 0
    pending: int | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.rstrip("\r")
        if line.startswith("# "):
            comment = line[2:]
            continue
        match = _HASH.match(line)
        if match:
            builds += 1
            parts = split_ident(comment)
            if parts is None or locator_hash(*parts) != match[1]:
                reasons.append(f"line {number} names a build and not its package")
            else:
                locator = parse_locator(comment)
                if locator is not None and locator.name in wanted and locator.version is not None:
                    fact = ScriptFact(
                        name=locator.name, version=locator.version, script="postinstall", outcome="finished"
                    )
                    yield Observation(READER.name, artifact.location(line=number), fact, times)
            comment, pending = "", number if line.endswith(":") else None
        elif line.startswith("  ") and pending is not None:
            pending = None
        elif line.strip() and not line.startswith("#"):
            reasons.append(f"line {number} is not in Yarn's layout")
    if pending is not None:
        reasons.append(f"the entry at line {pending} is incomplete")
    if not builds and not reasons:
        reasons.append("holds no build: Yarn removes the file where there is none")
    if reasons:
        refusal = refuse(artifact, READER, "; ".join(list(dict.fromkeys(reasons))[:5]))
        if not builds and not re.search(r"(?:^|/)\.yarn/[^/]+$", artifact.path):
            refusal = msgspec.structs.replace(refusal, relevant=False)
        yield refusal


def _install_state(artifact: Artifact, wanted: frozenset[str] | Everything) -> Iterator[Observation | Refusal]:
    """Yarn 3 and 4: a serialised map."""
    data, reason = gunzip(artifact.content())
    decoder = Decoder(data)
    try:
        decoder.root()
    except BrokenState as error:
        reason = reason or str(error)
    state = decoder.first if isinstance(decoder.first, dict) else {}
    packages = _mapping(state.get("storedPackages"))
    built = state.get("storedBuildState")
    if reason is None and (not isinstance(state.get("storedPackages"), dict) or not isinstance(built, dict)):
        reason = "holds no packages or no build record"
    linked, scripts = _linked(state)
    optional = state.get("optionalBuilds")
    optional = optional if isinstance(optional, set) else set()
    skipped = state.get("skippedBuilds")
    skipped = skipped if isinstance(skipped, set) else set()
    location = artifact.location()
    times = artifact.modified_time("the build record was last written")
    unnamed = sum(1 for key in _mapping(built) if key not in packages)
    if unnamed and reason is None:
        reason = f"holds {unnamed} builds without their package"
    seen: set[ComponentFact | ScriptFact] = set()
    for key, package in packages.items():
        locator = _locator(package)
        if locator is None or locator.name not in wanted or locator.version is None:
            continue
        facts: list[ComponentFact | ScriptFact] = []
        if key in linked:
            facts.append(
                ComponentFact(
                    name=locator.name,
                    version=locator.version,
                    depth="installed",
                    record="installed-record",
                    origin=locator.origin,
                    resolved=locator.resolved,
                    install_script=True if scripts.get(key) else None,
                )
            )
        for script in scripts.get(key) or ("postinstall",):
            if key in _mapping(built):
                outcome = "started" if key in optional else "finished"
            elif key in skipped:
                outcome = "skipped"
            else:
                continue
            facts.append(
                ScriptFact(name=locator.name, version=locator.version, script=script, outcome=outcome)  # type: ignore[arg-type]  # one of the outcomes
            )
        for fact in facts:
            if fact not in seen:
                seen.add(fact)
                yield Observation(READER.name, location, fact, times)
    if reason is not None:
        yield refuse(artifact, READER, reason)


def _mapping(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _locator(package: object) -> Locator | None:
    """The release of an entry of `storedPackages`."""
    fields = _mapping(package)
    name, reference, scope = fields.get("name"), fields.get("reference"), fields.get("scope")
    if not isinstance(name, str) or not isinstance(reference, str):
        return None
    return parse_locator(sound(f"@{scope}/{name}@{reference}" if isinstance(scope, str) else f"{name}@{reference}"))


def _linked(state: dict[Any, Any]) -> tuple[set[object], dict[object, tuple[str, ...]]]:
    """Locators that a linker put in place, and the install scripts of their manifests as it noted them."""
    linked: set[object] = set()
    scripts: dict[object, tuple[str, ...]] = {}
    for field in ("installersCustomData", "linkersCustomData"):
        for custom in _mapping(state.get(field)).values():
            for part in ("store", "pathByLocator", "pathsByLocator"):
                for key, kept in _mapping(_mapping(custom).get(part)).items():
                    linked.add(key)
                    named = _mapping(_mapping(_mapping(kept).get("manifest")).get("scripts"))
                    found = tuple(script for script in _SCRIPTS if script in named)
                    if found:
                        scripts[key] = found
    return linked, scripts


def gunzip(data: bytes) -> tuple[bytes, str | None]:
    """The unpacked bytes as far as they can be had within the limits, and what kept the rest away."""
    if not data:
        return b"", "is empty"
    allowed = min(LARGEST, max(RATIO * len(data), 1 << 20))
    unpacker = zlib.decompressobj(wbits=31)
    with contextlib.suppress(zlib.error):
        whole = unpacker.decompress(data, allowed + 1)
        if unpacker.eof and len(whole) <= allowed:
            return whole, None
    unpacker = zlib.decompressobj(wbits=31)  # piece by piece: what stands before the damage can be had
    out = []
    size = 0
    rest = data
    try:
        while rest and not unpacker.eof:
            piece = unpacker.decompress(rest, 1 << 16)
            rest = unpacker.unconsumed_tail
            out.append(piece)
            size += len(piece)
            if size > allowed:
                return b"".join(out)[:allowed], "unpacks to more than is read"
    except zlib.error:
        return b"".join(out), "is no whole gzip file"
    return b"".join(out), None if unpacker.eof else "is no whole gzip file"


class BrokenState(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """The serialisation is cut, damaged, or uses what Yarn never writes."""


class Decoder:
    """A decoder of V8's structured-clone serialisation, for the kinds of values that Yarn writes.

    Maps and objects become dict, sets set, arrays list; values that cannot be keys are left out as keys. What was
    decoded before a failure stays reachable from `first`, the outermost value.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.objects: list[object] = []
        self.values = 0
        self.first: object = None

    def root(self) -> None:
        """Decode the header and the one value behind it. Raises BrokenState."""
        try:
            if self.data[0] != 0xFF:
                raise BrokenState("is not in V8's serialisation")
            self.at = 1
            version = self._number()
            if not 13 <= version <= 15:
                raise BrokenState(f"is in version {version} of V8's serialisation")
            self._value(0)
        except (IndexError, struct.error, UnicodeDecodeError):
            raise BrokenState("is cut or damaged") from None

    def _number(self) -> int:
        shift = result = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7
            if shift > 63:
                raise BrokenState("is damaged")

    def _take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise BrokenState("is cut or damaged")
        self.at += size
        return piece

    def _tag(self) -> int:
        while True:
            tag = self.data[self.at]
            self.at += 1
            if tag != 0:
                return tag

    def _keep(self, value: object) -> object:
        self.objects.append(value)
        if self.first is None:
            self.first = value
        return value

    def _value(self, depth: int) -> object:
        return self._tagged(self._tag(), depth)

    def _tagged(self, tag: int, depth: int) -> object:
        self.values += 1
        if self.values > MOST_VALUES or depth > DEEPEST:
            raise BrokenState("holds more than is read")
        if tag == 0x22:  # one-byte string
            return self._take(self._number()).decode("latin-1")
        if tag == 0x63:  # two-byte string
            return self._take(self._number()).decode("utf-16-le", "replace")
        if tag == 0x53:  # UTF-8 string
            return self._take(self._number()).decode("utf-8", "replace")
        if tag in (0x6F, 0x3B):  # object, map
            return self._pairs({}, 0x7B if tag == 0x6F else 0x3A, depth)
        if tag == 0x27:  # set
            members: set[object] = set()
            self._keep(members)
            while (inner := self._tag()) != 0x2C:
                member = self._tagged(inner, depth + 1)
                if isinstance(member, str | int | float):
                    members.add(member)
            self._number()
            return members
        if tag in (0x41, 0x61):  # dense array, sparse array
            return self._array(tag, depth)
        if tag == 0x5E:  # an object that was read before
            index = self._number()
            if index >= len(self.objects):
                raise BrokenState("is damaged")
            return self.objects[index]
        return self._scalar(tag)

    def _scalar(self, tag: int) -> object:
        if tag in (0x30, 0x5F, 0x2D):  # null, undefined, hole
            return None
        if tag in (0x54, 0x46):
            return tag == 0x54
        if tag == 0x49:  # signed integer
            number = self._number()
            return (number >> 1) ^ -(number & 1)
        if tag == 0x55:
            return self._number()
        if tag == 0x4E:
            return struct.unpack("<d", self._take(8))[0]
        if tag in (0x44, 0x6E, 0x78, 0x79, 0x73):  # date, number, boolean and string objects
            value = None
            if tag in (0x44, 0x6E):
                value = struct.unpack("<d", self._take(8))[0]
            elif tag == 0x73:
                value = self._value(DEEPEST)
            return self._keep(value)
        raise BrokenState("is damaged, or holds a kind of value that is not known")

    def _array(self, tag: int, depth: int) -> object:
        length = self._number()
        items: list[object] = []
        self._keep(items)
        if tag == 0x41:
            for _ in range(min(length, MOST_VALUES + 1)):
                items.append(self._value(depth + 1))
        self._pairs(None, 0x24 if tag == 0x41 else 0x40, depth)
        self._number()
        return items

    def _pairs(self, into: dict[Any, Any] | None, end: int, depth: int) -> object:
        """Keys and values up to the closing tag and the count behind it. A value that breaks off is kept as it is.

        Nearly all of a state is strings of at most 128 bytes, and objects of them: these are decoded here.
        """
        data = self.data
        objects = self.objects
        if into is not None:
            self._keep(into)
        depth += 1
        shallow = depth <= DEEPEST
        while True:
            at = self.at
            tag = data[at]
            if tag == 0x22 and shallow and ((size := data[at + 1]) < 0x80 or (size == 0x80 and data[at + 2] == 1)):
                at += 2 if size < 0x80 else 3
                self.at = at + size
                self.values += 1
                key: object = data[at : at + size].decode("latin-1")
            else:
                tag = self._tag()
                if tag == end:
                    break
                key = self._tagged(tag, depth)
            at = self.at
            tag = data[at]  # there is one, so the key was whole
            if into is None or not shallow:
                self._value(depth)
                continue
            value: object
            self.values += 1
            if self.values > MOST_VALUES:
                raise BrokenState("holds more than is read")
            if tag == 0x22 and ((size := data[at + 1]) < 0x80 or (size == 0x80 and data[at + 2] == 1)):
                at += 2 if size < 0x80 else 3
                self.at = at + size
                value = data[at : at + size].decode("latin-1")
                if self.at > len(data):
                    raise BrokenState("is cut or damaged")
            else:
                before = len(objects)
                try:
                    if tag in (0x6F, 0x3B):
                        self.at = at + 1
                        value = self._pairs({}, 0x7B if tag == 0x6F else 0x3A, depth)
                    else:
                        self.values -= 1  # it is counted there
                        value = self._value(depth)
                except (BrokenState, IndexError, struct.error):
                    if isinstance(key, str) and len(objects) > before:
                        into[key] = objects[before]
                    raise
            if isinstance(key, str | int | float):
                into[key] = value
        self._number()
        return into


READER = Reader(
    name="yarn-build-state",
    ecosystem="npm",
    read=read,
    basenames=("install-state.gz", "build-state.yml"),
    subject="project",
)

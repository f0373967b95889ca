"""What tells a package and its version in text that a bundler wrote. Shared by the readers of this folder.

Two steps: that the package is there (its signature, a path below node_modules, a banner), then which release. The
bytes are searched as they are; nothing is parsed, so that minified text of many megabytes costs little.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pratique.ecosystems.npm.layout import BUILD_FOLDERS
from pratique.ecosystems.npm.paths import place_of
from pratique.ecosystems.npm.signatures import SIGNATURES
from pratique.model.observation import BundledFact, ComponentFact, ContentFact, Observation, Refusal, Telling
from pratique.model.ports import Artifact, Everything, Interest
from pratique.model.signature import Signature

FOLDERS = tuple((name,) for name in BUILD_FOLDERS)
"""Folders in which build output is looked for."""
OUTSIDE = ("node_modules", "site-packages", "dist-packages")
"""What lies below these was installed, and is read by its own records."""
WRITTEN = "the bundle was last written"

_ORDER: tuple[Telling, ...] = ("constant", "manifest", "path", "banner", "literal")
_VERSION = rb"(\d{1,9}\.\d{1,9}\.\d{1,9}(?:[-+][\w.+-]{1,60})?)"
_PATH = re.compile(
    rb"node_modules/(?:\.pnpm/([^/\s\"'\\]{3,300})/node_modules/)?((?:@[\w.~-]{1,100}/)?[\w.~-]{1,200})/(?!node_modules/)"
    rb"(?=[\w@./+~-]{0,200}\.(?:[cm]?[jt]sx?|json|vue|svelte)\b)"
)
_NAMED_VERSION = (
    rb"[\s*]{0,20}(?:@(?:license|preserve)\s{1,9})?(@?[A-Za-z][\w./-]{0,80}?)(?:\.js)?[\s@,:-]{1,3}"
    rb"(?:[vV]ersion\s?:?\s?)?[vV]?" + _VERSION
)
_BANNERS = tuple(re.compile(start + _NAMED_VERSION) for start in (rb"\*!", rb"@license\s", rb"@preserve\s"))
_QUOTE = rb"\\?[\"'`]"
_MANIFEST = re.compile(
    rb"name\\?[\"']?:\s{0,9}"
    + _QUOTE
    + rb"((?:@[\w.~-]{1,100}/)?[\w.~-]{1,200})"
    + _QUOTE
    + rb",(?:\\n|\s){0,20}\\?[\"']?version\\?[\"']?:\s{0,9}"
    + _QUOTE
    + _VERSION
    + _QUOTE
    + rb"[^{}]{0,600}?"
    rb"\b(?:description|main|license|repository|exports|scripts|dependencies)\\?[\"']?:"
)
_LITERAL = re.compile(_QUOTE + _VERSION + _QUOTE)
_CONSTANT = re.compile(rb"(?<=[vV])(?:ERSION|ersion)\\?[\"']?\s?[=:]\s?" + _QUOTE + _VERSION + _QUOTE)
_LETTER = re.compile(rb"[\w$]")
_MOST_LITERALS = 50
_MOST_EXPRESSIONS = 12
"""More copies of one package than this are in no bundle."""


class Findings:
    """What one file tells: releases, packages of which no release is told, and strings that indicators name."""

    def __init__(self, wanted: frozenset[str] | Everything) -> None:
        self.wanted = wanted
        self.releases: dict[tuple[str, str], Telling] = {}
        self.untold: dict[str, BundledFact] = {}
        self.contents: set[str] = set()

    def release(self, name: str, version: str, told_by: Telling) -> None:
        """A release, by the best that tells it."""
        known = self.releases.get((name, version))
        if known is None or _ORDER.index(told_by) < _ORDER.index(known):
            self.releases[name, version] = told_by

    def package(self, fact: BundledFact) -> None:
        """A package of which no release is told; possible releases win over none."""
        known = self.untold.get(fact.name)
        if known is None or (fact.versions and not known.versions):
            self.untold[fact.name] = fact

    def observations(self, artifact: Artifact, reader: str) -> Iterator[Observation | Refusal]:
        """The facts, in order of name. A package whose release is told is not told again without."""
        times = artifact.modified_time(WRITTEN) if self.releases or self.untold or self.contents else ()
        location = artifact.location()
        for (name, version), told_by in sorted(self.releases.items()):
            yield Observation(
                reader,
                location,
                ComponentFact(
                    name=name, version=version, depth="installed", record="bundle", origin="unknown", told_by=told_by
                ),
                times,
            )
        told = {name for name, _ in self.releases}
        for name, fact in sorted(self.untold.items()):
            if fact.versions or name not in told:
                yield Observation(reader, location, fact, times)
        for value in sorted(self.contents):
            yield Observation(reader, location, ContentFact(value=value, kind_of_file="bundle"), times)


def signatures(interest: Interest) -> Mapping[str, Signature]:
    """The signatures to look for."""
    return interest.signatures or (SIGNATURES if interest.everything else {})


def search(data: bytes, interest: Interest, found: Findings) -> None:
    """Everything that plain text of a bundle can tell."""
    for fragment in interest.fragments.get("bundle", ()):
        if _bytes(fragment) in data:
            found.contents.add(fragment)
    for name, signature in signatures(interest).items():
        if name in found.wanted and carries(data, signature):
            tell(data, name, signature, found)
    named(data, found)
    for name, version in banners(data, interest.everything):
        if name in found.wanted:
            found.release(name, version, "banner")
    for match in _MANIFEST.finditer(data):
        name = _text(match[1])
        if name in found.wanted:
            found.release(name, _text(match[2]), "manifest")


def banners(data: bytes, everything: bool = False) -> Iterator[tuple[str, str]]:
    """Name and version of each banner. A title need not be a name: with `everything`, those that may be one."""
    for pattern in _BANNERS:
        for match in pattern.finditer(data):
            title = _text(match[1])
            name = title.lower()
            if not everything or title == name or name in SIGNATURES:
                yield name, _text(match[2])


def carries(data: bytes, signature: Signature) -> bool:
    """Whether enough of the marks of a package are there."""
    left, missing = signature.least, len(signature.marks) - signature.least
    for mark in signature.marks:
        if _bytes(mark) in data:
            left -= 1
            if left <= 0:
                return True
        else:
            missing -= 1
            if missing < 0:
                return False
    return left <= 0


def tell(data: bytes, name: str, signature: Signature, found: Findings) -> None:
    """Which release of a package that is there: what its signature gives, else what could be one."""
    certain = {version for pattern in signature.direct for version in _groups(pattern, data)}
    possible: set[str] = set()
    open_ends = not certain
    expressions = sorted({expression for pattern in signature.named for expression in _groups(pattern, data)})
    if len(expressions) > _MOST_EXPRESSIONS:
        expressions, open_ends = expressions[:_MOST_EXPRESSIONS], True
    for expression in expressions:
        defined = _defined(expression, data)
        short = len(expression.rpartition(".")[2]) <= 2
        if len(defined) == 1 and not short:
            certain |= defined
            open_ends = open_ends and not certain
        else:
            possible |= defined
            open_ends = True
    if open_ends:
        possible |= {version for pattern in signature.constants for version in _groups(pattern, data)}
    possible -= certain
    if len(possible) == 1 and not certain:
        certain, possible = possible, set()
    for version in certain:
        found.release(name, version, "constant")
    if certain and not possible:
        return
    if not certain and not possible:
        literals = {_text(match[1]) for match in _LITERAL.finditer(data)}
        if len(literals) == 1:
            found.release(name, literals.pop(), "literal")
            return
        possible = literals
    versions = tuple(sorted(possible)) if len(possible) <= _MOST_LITERALS else ()
    found.package(BundledFact(name=name, versions=versions, told_by="signature"))


def _defined(expression: str, data: bytes) -> set[str]:
    """Versions that the last part of an expression is set to anywhere."""
    name = re.escape(_bytes(expression.rpartition(".")[2]))
    pattern = re.compile(name + rb"\s{0,9}=\s{0,9}" + _QUOTE + _VERSION + _QUOTE)
    return {
        _text(match[1])
        for match in pattern.finditer(data)
        if match.start() == 0 or not _LETTER.match(data, match.start() - 1)
    }


def named(data: bytes, found: Findings) -> None:
    """Packages that paths below node_modules name, with the version where pnpm's folder spells it."""
    if b"node_modules/" not in data:
        return
    for virtual, package in sorted(set(_PATH.findall(data))):
        name = _text(package)
        if name not in found.wanted:
            continue
        version = _virtual(_text(virtual), name)
        if version:
            found.release(name, version, "path")
        else:
            found.package(BundledFact(name=name))


@functools.lru_cache(maxsize=1 << 12)
def _virtual(folder: str, name: str) -> str | None:
    """The version of a package that pnpm's folder spells."""
    return place_of(f"node_modules/.pnpm/{folder}/node_modules/{name}/package.json").version if folder else None


def own(contents: Iterable[bytes], name: str, signature: Signature | None, found: Findings) -> bool:
    """Tell the release of a package by its own files, which a source map holds; False where they do not tell it."""
    data = b"\n".join(contents)
    alone = Findings(frozenset({name}))
    if signature is not None:
        tell(data, name, signature, alone)
    if "constant" not in alone.releases.values():
        versions = {_text(match[1]) for match in _CONSTANT.finditer(data)}
        if len(versions) == 1:
            alone.release(name, versions.pop(), "literal" if signature is None else "constant")
    for match in _MANIFEST.finditer(data):
        if _text(match[1]) == name:
            alone.release(name, _text(match[2]), "manifest")
    for title, version in banners(data):
        if title == name:
            alone.release(name, version, "banner")
    for (_, version), told_by in alone.releases.items():
        found.release(name, version, told_by)
    for fact in alone.untold.values():
        if fact.versions:
            found.package(fact)
    return bool(alone.releases or any(fact.versions for fact in alone.untold.values()))


def manifest(content: str, name: str) -> str | None:
    """The version that a package's own manifest says, where it is one."""
    try:
        document = msgspec.json.decode(content, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return None
    version = document.get("version")
    return version if document.get("name") == name and isinstance(version, str) else None


def _groups(pattern: str, data: bytes) -> set[str]:
    return {_text(match[1]) for match in _compiled(pattern).finditer(data)}


@functools.cache
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())


@functools.cache
def _bytes(text: str) -> bytes:
    return text.encode()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")

"""pnpm's record of a tree: node_modules/.modules.yaml.

## Reads
The file that pnpm writes at the end of every install, as YAML (pnpm 7 to 9) or JSON (pnpm 10 to 12): packages hoisted
into the tree, packages whose scripts were skipped (`pendingBuilds`, after `--ignore-scripts`) or blocked by policy
(`ignoredBuilds`), `allowBuilds`, the version of pnpm, and `prunedAt`: the first install or the last time pnpm removed
unused packages.

## Leaves out
Direct dependencies, which this file does not list unless their scripts were held back. Hoisted names that the file also
lists as skipped on this system. Which of a package's scripts was held back: the fact says `install` for all of them.
Registries, patterns and paths.

## References
pnpm 12.21.0, installing modules-yaml; files of pnpm 7 to 12 as recorded in this project's fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Literal

from pratique.model.observation import ComponentFact, Fact, Observation, PolicyFact, Refusal, ScriptFact, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader, iso_time
from pratique.readers.npm.package_lock import Pairs
from pratique.readers.npm.pnpm_paths import folder_of, parse_path
from pratique.readers.npm.pnpm_settings import allow_builds, is_asked
from pratique.readers.npm.pnpm_yaml import Node, Parsed, read_either, repeated_keys
from pratique.readers.text import decode_text, refuse

_FIELDS = ("layoutVersion", "packageManager", "hoistedDependencies", "storeDir")
"""A record holds at least one of these, whatever the version of pnpm."""
_LAST = "virtualStoreDir"
"""The last key that every version of pnpm writes in YAML (keys are sorted there)."""


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what was installed, skipped and blocked among names of interest."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    text = text.replace("\r\n", "\n")
    if not text.lstrip().startswith("{") and text.strip() and not text.endswith("\n"):
        yield refuse(artifact, READER, "does not end with a newline: it is cut off, and its last line was left out")
        text = text[: text.rfind("\n") + 1]
    parsed: Parsed = read_either(text)
    if parsed.damage is not None:
        yield refuse(artifact, READER, parsed.damage)
    for document in parsed.documents[:1]:
        if isinstance(document, Pairs):
            yield from _Record(artifact, interest.wanted("npm"), document).read(whole=parsed.damage is None)
            return
    if parsed.damage is None:
        yield refuse(artifact, READER, "is not a mapping" if text.strip() else "holds nothing")


class _Record:
    """One record being read."""

    def __init__(self, artifact: Artifact, wanted: frozenset[str] | Everything, document: Pairs) -> None:
        self.artifact = artifact
        self.wanted = wanted
        self.document = document
        self.root = artifact.path.rpartition("/")[0]
        self.seen: set[tuple[str, str]] = set()
        pruned = document.get("prunedAt")
        self.times = artifact.modified_time("pnpm last ended an install here")
        moment = _moment(pruned)
        if moment is not None:
            self.times = (Time("pnpm first installed here, or last pruned", moment, "prunedAt"), *self.times)

    def read(self, *, whole: bool) -> Iterator[Observation | Refusal]:
        """Everything that the record says."""
        document = self.document
        if whole and all(document.get(field) is None for field in _FIELDS):
            yield refuse(self.artifact, READER, "holds none of the fields that pnpm writes")
        elif whole and document.get(_LAST) is None:
            yield refuse(self.artifact, READER, f"has no {_LAST}: it may be cut off")
        twice = repeated_keys(document)
        if twice:
            yield refuse(self.artifact, READER, f"{twice[0][:200]}: stands twice; both were read")
        skipped = {item for node in document.all("skipped") for item in _items(node)}
        for hoisted in document.all("hoistedDependencies"):
            for path, names in hoisted.pairs if isinstance(hoisted, Pairs) else []:
                if path not in skipped:
                    yield from self._installed(path, names)
        for path in self._listed("pendingBuilds"):
            yield from self._held_back(path, "skipped")
        for path in self._listed("ignoredBuilds"):
            yield from self._held_back(path, "blocked")
        for node in document.all("allowBuilds"):
            for policy in allow_builds(node):
                if is_asked(policy.names, self.wanted):
                    yield self._observed(policy)
        manager = document.get("packageManager")
        if isinstance(manager, str) and re.fullmatch(r"pnpm@[\w.+-]{1,60}", manager):
            yield self._observed(PolicyFact(setting="packageManager", value=manager[5:], manager="pnpm"))

    def _observed(self, fact: Fact) -> Observation:
        return Observation(READER.name, self.artifact.location(), fact, self.times)  # type: ignore[arg-type]  # each fact is of the union

    def _listed(self, field: str) -> list[str]:
        return sorted({item for node in self.document.all(field) for item in _items(node)})

    def _installed(self, path: str, names: Node) -> Iterator[Observation]:
        parsed = parse_path(path)
        name, version = parsed.name, parsed.version
        if name is None or version is None or name not in self.wanted:
            return
        folder = folder_of(path, name)
        if (name, folder or path) in self.seen:
            return
        self.seen.add((name, folder or path))
        others = sorted(key for key, _ in names.pairs if key != name) if isinstance(names, Pairs) else []
        yield self._observed(
            ComponentFact(
                name=name,
                version=version,
                depth="installed",
                record="installed-record",
                folder=f"{self.root}/{folder}" if folder and self.root else folder,
                alias=others[0] if others else None,
            )
        )

    def _held_back(self, path: str, outcome: Literal["skipped", "blocked"]) -> Iterator[Observation]:
        """A package whose scripts did not run; early versions of pnpm 10 note its name without the version."""
        parsed = parse_path(path)
        if parsed.name is None or parsed.version is None:
            if re.fullmatch(r"(?:@[^/@\s]+/)?[^/@\s.][^/@\s]*", path) and path in self.wanted:
                yield self._observed(
                    PolicyFact(setting=f"{outcome} builds", value="deny", names=(path,), manager="pnpm")
                )
            return
        yield from self._installed(path, None)
        if parsed.name in self.wanted:
            yield self._observed(
                ScriptFact(name=parsed.name, version=parsed.version, script="install", outcome=outcome)
            )


def _items(node: Node) -> list[str]:
    return [item for item in node if isinstance(item, str)] if isinstance(node, list) else []


def _moment(text: Node) -> str | None:
    """A moment in the form of mail headers as ISO 8601."""
    if not isinstance(text, str):
        return None
    try:
        return iso_time(parsedate_to_datetime(text).timestamp())
    except (ValueError, OverflowError, TypeError, OSError):
        return None


READER = Reader(
    name="pnpm-modules",
    ecosystem="npm",
    read=read,
    basenames=(".modules.yaml",),
    subject="project",
)

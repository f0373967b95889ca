"""pnpm's configuration of a project or workspace: pnpm-workspace.yaml.

## Reads
`overrides` as protections, `catalog` and `catalogs` as ranges, script allow-lists and deny-lists
(`onlyBuiltDependencies`, `neverBuiltDependencies`, `ignoredBuiltDependencies`, `allowBuilds`), the settings on the
least age of a release and on trust, and `configDependencies`: packages whose code pnpm runs before it resolves
anything. Where pnpm 10 notes a configuration dependency with its integrity, this file is its lockfile, and it counts as
resolved.

## Leaves out
Which folders belong to the workspace, registries, patches and package extensions. Comments.

## References
pnpm documentation "Settings (pnpm-workspace.yaml)" and "Config Dependencies"; pnpm 12.21.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pratique.model.observation import ComponentFact, Fact, Observation, Refusal
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.npm.package_lock import Pairs
from pratique.readers.npm.pnpm_settings import asked_range, catalog_ranges, is_asked, policies, protections, ranges
from pratique.readers.npm.pnpm_yaml import conflict_sides, has_conflicts, read_tree, repeated_keys
from pratique.readers.text import decode_text, refuse

_PINNED = re.compile(r"(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\+(sha(?:1|256|384|512)-[A-Za-z0-9+/=]+)")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what the settings say about names of interest, and the policies that hold for all packages."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    text = text.replace("\r\n", "\n")
    sides = [text]
    if text.strip() and not text.endswith("\n"):
        note = refuse(artifact, READER, "does not end with a newline: unless a person wrote it so, it is cut off")
        yield msgspec.structs.replace(note, relevant=False)
    if has_conflicts(text):
        yield refuse(artifact, READER, "holds merge-conflict markers; both sides were read")
        sides = conflict_sides(text)
    wanted = interest.wanted("npm")
    for side in sides:
        parsed = read_tree(side)
        if parsed.damage is not None:
            yield refuse(artifact, READER, parsed.damage)
        for document in parsed.documents[:1]:
            if isinstance(document, Pairs):
                twice = repeated_keys(document)
                if twice:
                    yield refuse(artifact, READER, f"{twice[0][:200]}: stands twice; both were read")
                if not side.endswith("\n") and document.pairs and document.pairs[-1][0] == "overrides":
                    overrides = document.pairs[-1][1]
                    if isinstance(overrides, Pairs):
                        overrides.pairs = overrides.pairs[:-1]  # its value may be cut off: it protects nobody
                for fact in _facts(document, wanted):
                    yield Observation(READER.name, artifact.location(), fact)  # type: ignore[arg-type]  # each fact is of the union
            elif document is not None and parsed.damage is None:
                yield refuse(artifact, READER, "is not a mapping")


def _facts(document: Pairs, wanted: frozenset[str] | Everything) -> Iterator[Fact]:
    for node in document.all("overrides"):
        yield from (fact for fact in protections(node, "overrides") if fact.name in wanted)
    yield from (policy for policy in policies(document) if is_asked(policy.names, wanted))
    for node in document.all("catalog"):
        yield from (asked for asked in ranges(node, "catalog") if asked.name in wanted)
    for node in document.all("catalogs"):
        yield from (asked for asked in catalog_ranges(node, "catalogs") if asked.name in wanted)
    for node in document.all("configDependencies"):
        for name, value in node.pairs if isinstance(node, Pairs) else []:
            text = value.get("integrity") if isinstance(value, Pairs) else value
            if name not in wanted or not isinstance(text, str):
                continue
            pinned = _PINNED.fullmatch(text)
            yield asked_range(name, pinned[1] if pinned else text, "configDependencies")
            if pinned:
                yield ComponentFact(
                    name=name, version=pinned[1], depth="resolved", record="lock", integrity=(pinned[2],)
                )


READER = Reader(
    name="pnpm-workspace",
    ecosystem="npm",
    read=read,
    basenames=("pnpm-workspace.yaml",),
    subject="project",
    resolves=False,
)

"""Yarn's map of a node_modules tree: node_modules/.yarn-state.yml.

## Reads
The file that Yarn 2 to 4 write with `nodeLinker: node-modules`: every installed locator and the folders it lies in.
Virtual instances and patches are read as the release that lies below them; so are aliases.

## Leaves out
Locators whose reference says no version (workspaces, folders, links, git sources).

## References
Yarn 4.18.1, @yarnpkg/plugin-nm (NodeModulesLinker).
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems.npm.yarn import parse_locator
from pratique.model.location import shown
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.syml import NotPlain, TooLarge, parse, parse_yaml, unquote
from pratique.readers.text import decode_text, refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one installed component for each folder of a name of interest."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    reasons = []
    try:
        document = parse(text, items=True)
        blocks = document.blocks
        if document.strange is not None and document.conflict is None:
            blocks = parse_yaml(text)
    except TooLarge as error:
        yield refuse(artifact, READER, str(error))
        return
    except NotPlain as error:
        reasons.append(f"line {document.strange} is not in Yarn's layout, and the file {error}")
    if not any(block.key == "__metadata" for block in blocks):
        reasons.append("has no version line")
    elif len(blocks) == 1:
        reasons.append("holds no entry, not even the project's own")
    if document.conflict is not None:
        reasons.append("holds merge-conflict markers")
    if document.cut:
        reasons.append("ends in the middle of a line")
    wanted = interest.wanted("npm")
    times = artifact.modified_time("the install that wrote this record ended")
    root = artifact.path.rpartition("/")[0].removesuffix("node_modules")
    unknown: set[str] = set()
    keys: set[str] = set()
    for block in blocks:
        if block.key == "__metadata":
            continue
        key = unquote(block.key)
        locator = parse_locator(key)
        folders: list[str | None] = [
            unquote(text[2:]) for field, text in block.items if field == "locations" and text.startswith("- ")
        ]
        if not folders:
            reasons.append(f"the entry at line {block.line} is incomplete")
        if key in keys:
            reasons.append(f"the entry at line {block.line} stands twice")
        keys.add(key)
        if locator is None or locator.name not in wanted:
            continue
        if locator.version is None:
            if locator.origin in ("registry", "unknown", "remote-tarball"):
                unknown.add(locator.name)
            continue
        for folder in folders or [None]:
            tail = folder[folder.rfind("node_modules/") + 13 :] if folder and "node_modules/" in folder else None
            fact = ComponentFact(
                name=locator.name,
                version=locator.version,
                depth="installed",
                record="installed-record",
                origin=locator.origin,
                resolved=locator.resolved,
                folder=shown(root + folder) if folder is not None else None,
                alias=tail if tail != locator.name else None,
            )
            yield Observation(READER.name, artifact.location(line=block.line), fact, times)
    if reasons:
        yield refuse(artifact, READER, "; ".join(dict.fromkeys(reasons)))
    if unknown:
        names = tuple(sorted(unknown))
        yield refuse(artifact, READER, "names packages without saying their version", names=names)


READER = Reader(
    name="yarn-state",
    ecosystem="npm",
    read=read,
    basenames=(".yarn-state.yml",),
    subject="project",
)

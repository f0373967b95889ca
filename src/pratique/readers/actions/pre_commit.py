"""pre-commit's configuration: the repositories of its hooks, and the packages that they add.

## Reads
`.pre-commit-config.yaml`: each `repo:` with its `rev:`, by owner and name like an action, a full commit being exact;
`additional_dependencies` as packages of npm (`name@version`) or of Python (`name==version`), told by the hook's
`language`, else by how they are spelled.

## Leaves out
A package that is added without a version and without a language is taken for either world. What a hook's repository
itself installs.

## References
pre-commit documentation "Adding pre-commit plugins to your project".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.actions.references import reference
from pratique.ecosystems.npm.commands import specifier
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import Observation, RangeFact, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.actions.workflow import ECOSYSTEM, parsed_text
from pratique.readers.marked import Mapping, Sequence, Text

_PYTHON = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?P<range>(?:[=<>!~]=?.*)?)", re.DOTALL)
_EXACT = re.compile(r"===?\s*([0-9][^\s,;*]*)\s*(?:;.*)?", re.DOTALL)
_RELEASE = re.compile(r"[v=]?\s*(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)")
_HELD = (ECOSYSTEM, "npm", "PyPI")
_WORLDS = {"node": ("npm",), "python": ("PyPI",)}


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield repositories and packages of interest."""
    parsed = yield from parsed_text(artifact, READER, _HELD)
    for document in parsed.documents[:1] if parsed is not None else ():
        repositories = document.get("repos") if isinstance(document, Mapping) else None
        if not isinstance(repositories, Sequence):
            if isinstance(document, Mapping) and parsed is not None and parsed.damage is None:
                yield artifact.refusal(READER.name, "holds no repositories", ecosystems=_HELD)
            continue
        for index, item in enumerate(repositories.items):
            if not isinstance(item, Mapping):
                continue
            url, revision = item.get("repo"), item.get("rev")
            if isinstance(url, Text) and isinstance(revision, Text):
                found = reference(f"{url.value.strip().rstrip('/')}@{revision.value}")
                if found is not None and found.kind == "repository" and found.name in interest.wanted(ECOSYSTEM):
                    fact = RangeFact(
                        name=found.name,
                        range=found.ref,
                        field=f"repos[{index}].rev",
                        exact=found.commit,
                        ecosystem=ECOSYSTEM,
                    )
                    yield Observation(READER.name, artifact.location(line=revision.line), fact)
            hooks = item.get("hooks")
            for number, hook in enumerate(hooks.items if isinstance(hooks, Sequence) else ()):
                added = hook.get("additional_dependencies") if isinstance(hook, Mapping) else None
                if isinstance(added, Sequence) and isinstance(hook, Mapping):
                    field = f"repos[{index}].hooks[{number}].additional_dependencies"
                    yield from _added(artifact, interest, added, field, hook.text("language"))


def _added(
    artifact: Artifact, interest: Interest, added: Sequence, field: str, language: str | None
) -> Iterator[Observation]:
    for item in added.items:
        if not isinstance(item, Text):
            continue
        worlds = _WORLDS.get(language or "", ("npm", "PyPI") if language is None else ())
        for world in worlds:
            fact = _npm(item.value, field) if world == "npm" else _python(item.value, field)
            if fact is not None and fact.name in interest.wanted(world):
                yield Observation(READER.name, artifact.location(line=item.line), fact)


def _npm(text: str, field: str) -> RangeFact | None:
    found = specifier(text.strip())
    if found is None or found[1] is None or re.search(r"[=<>!~]=", text):
        return None
    name = found[1]
    asked = found[0].rpartition(f"{name}@")[2] if f"{name}@" in found[0] else "latest"
    exact = _RELEASE.fullmatch(asked)
    return RangeFact(name=name, range=asked, field=field, exact=exact[1] if exact else None)


def _python(text: str, field: str) -> RangeFact | None:
    match = _PYTHON.fullmatch(text.strip())
    if match is None:
        return None
    exact = _EXACT.fullmatch(match["range"])
    return RangeFact(
        name=normalise(match["name"]),
        range=match["range"].partition(";")[0].strip(),
        field=field,
        exact=exact[1] if exact else None,
        ecosystem="PyPI",
    )


READER = Reader(
    name="pre-commit",
    ecosystem=ECOSYSTEM,
    read=read,
    basenames=(".pre-commit-config.yaml", ".pre-commit-config.yml"),
    outside=("node_modules",),
    resolves=False,
)

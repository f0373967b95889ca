"""GitLab's pipelines: what `.gitlab-ci.yml` includes, and what its jobs install.

## Reads
`.gitlab-ci.yml`: `include:` of projects and components with their ref, of files on a forge that serves raw files by
owner, name and ref, the images of jobs, and commands of JavaScript package managers in `script`, `before_script` and
`after_script` that name a package of interest.

## Leaves out
What an included file holds. Remote files of other hosts, templates, and variables, which are not resolved.

## References
GitLab documentation "CI/CD YAML syntax reference", "include".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.actions.references import is_commit
from pratique.model.observation import JobFact, Observation, RangeFact, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.actions.scripts import typed
from pratique.readers.actions.workflow import ECOSYSTEM, asked, parsed_text
from pratique.readers.marked import Mapping, Node, Sequence, Text, texts

_RAW = re.compile(r"https://raw\.[^/]+/([^/\s]+)/([^/\s]+)/(?:refs/(?:tags|heads)/)?([^/\s]+)/\S+")
_COMPONENT = re.compile(r"(?:[^/\s@]+/)?(?P<name>[^@\s]+)@(?P<ref>[^@\s]+)")
_SCRIPTS = ("before_script", "script", "after_script")
_NO_JOBS = frozenset({"include", "stages", "variables", "workflow", "spec", "image", "services", "cache"})


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield includes and images of interest, and commands that name a package of interest, each with its job."""
    parsed = yield from parsed_text(artifact, READER, (ECOSYSTEM, "GitLab", "npm"))
    for document in parsed.documents[:2] if parsed is not None else ():
        if not isinstance(document, Mapping):
            continue
        for node in document.every("include"):
            yield from _included(artifact, interest, node)
        for key, job in document.pairs:
            if key in ("image", "default") or not isinstance(job, Mapping):
                images = [job] if key == "image" and isinstance(job, Text) else []
                yield from asked(artifact, interest, [("image", image) for image in images], READER)
            if key not in _NO_JOBS and isinstance(job, Mapping):
                yield from _job(artifact, interest, key, job)


def _job(artifact: Artifact, interest: Interest, key: str, job: Mapping) -> Iterator[Observation]:
    image = job.get("image")
    if isinstance(image, Text):
        yield from asked(artifact, interest, [(f"{key}.image", image)], READER)
    found = False
    for name in _SCRIPTS:
        for script in texts(job.get(name)):
            for line, fact in typed(script, interest.wanted("npm")):
                found = True
                yield Observation(READER.name, artifact.location(line=line), fact)
    if found:
        environment = job.get("environment")
        if isinstance(environment, Mapping):
            environment = environment.get("name")
        held = JobFact(
            system="gitlab",
            job=key,
            environment=environment.value if isinstance(environment, Text) else None,
            source="workflow-file",
        )
        yield Observation(READER.name, artifact.location(line=job.line), held)


def _included(artifact: Artifact, interest: Interest, node: Node) -> Iterator[Observation]:
    items = node.items if isinstance(node, Sequence) else [node]
    for index, item in enumerate(items):
        field = f"include[{index}]"
        if isinstance(item, Text):
            yield from _remote(artifact, interest, item, field)
        elif isinstance(item, Mapping):
            for remote in item.every("remote"):
                if isinstance(remote, Text):
                    yield from _remote(artifact, interest, remote, field)
            project, ref = item.get("project"), item.get("ref")
            if isinstance(project, Text):
                yield from _fact(
                    artifact,
                    interest,
                    "GitLab",
                    project.value,
                    ref.value if isinstance(ref, Text) else "",
                    field,
                    project,
                )
            component = item.get("component")
            match = _COMPONENT.fullmatch(component.value) if isinstance(component, Text) else None
            if match and isinstance(component, Text):
                yield from _fact(artifact, interest, "GitLab", match["name"], match["ref"], field, component)


def _remote(artifact: Artifact, interest: Interest, item: Text, field: str) -> Iterator[Observation]:
    match = _RAW.fullmatch(item.value.strip())
    if match:
        owner, name, ref = match.groups()
        yield from _fact(artifact, interest, ECOSYSTEM, f"{owner}/{name}", ref, field, item)


def _fact(
    artifact: Artifact, interest: Interest, world: str, name: str, ref: str, field: str, place: Text
) -> Iterator[Observation]:
    name = name.lower()
    if name not in interest.wanted(world):
        return
    ref = ref.lower() if is_commit(ref.lower()) else ref
    fact = RangeFact(name=name, range=ref, field=field, exact=ref if is_commit(ref) else None, ecosystem=world)
    yield Observation(READER.name, artifact.location(line=place.line), fact)


READER = Reader(
    name="gitlab-ci",
    ecosystem=ECOSYSTEM,
    read=read,
    basenames=(".gitlab-ci.yml", ".gitlab-ci.yaml"),
    outside=("node_modules",),
    resolves=False,
)

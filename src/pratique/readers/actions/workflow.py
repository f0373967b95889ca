"""workflow files of GitHub Actions, Gitea and Forgejo: the actions that jobs use, and what they install.

## Reads
`.github/workflows/*.yml`, and those below `.gitea` and `.forgejo`. `uses:` of steps and of jobs (reusable workflows):
a full commit is exact, a tag or branch is a range that may have led anywhere; container images by tag or digest; local
paths as they stand. Commands of JavaScript package managers in `run:` that name a package of interest. For a job with
any of these: its steps, the names of its secrets (`all` where it may read every one), permissions, environment, runner
and the events that start it. Keys that stand twice count twice; anchors are followed, within bounds. A damaged file
gives what stood before the damage, and a refusal.

## Leaves out
What a tag or branch pointed to at the time: only the log of the run says it. Comments, such as the version beside a
commit. Expressions inside `uses:`, which no runner takes. What actions and reusable workflows use in turn: their own
files say it. Files below `node_modules`, which no forge runs.

## References
GitHub documentation "Workflow syntax for GitHub Actions", "Reuse workflows"; YAML 1.1.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from pratique.ecosystems.actions.references import reference
from pratique.model.observation import Observation, RangeFact, Refusal
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.actions.jobs import Step, jobs
from pratique.readers.actions.scripts import typed
from pratique.readers.marked import Mapping, Parsed, Text, parse
from pratique.readers.text import decode_text

ECOSYSTEM = "GitHub Actions"
WORLDS = (ECOSYSTEM, "npm")
FOLDERS = ((".forgejo", "workflows"), (".gitea", "workflows"), (".github", "workflows"))


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what each job uses of interest, the commands that name a package of interest, and such jobs."""
    parsed = yield from parsed_text(artifact, READER)
    if parsed is None:
        return
    found = False
    for document in parsed.documents[:1]:
        if not isinstance(document, Mapping):
            continue
        for job in jobs(document, artifact.path):
            found = True
            used = [(f"jobs.{job.fact.key or job.fact.job}.uses", text) for text in job.uses]
            used += job.images
            facts = list(asked(artifact, interest, used, READER))
            yield from facts
            if facts:
                yield Observation(READER.name, artifact.location(line=job.line), job.at(None))
            for step in job.steps:
                facts = list(of_step(artifact, interest, step, READER))
                yield from facts
                if facts:
                    yield Observation(READER.name, artifact.location(line=step.line), job.at(step))
    if not found and parsed.damage is None and parsed.documents and isinstance(parsed.documents[0], Mapping):
        yield artifact.refusal(READER.name, "holds no jobs", ecosystems=WORLDS)


def parsed_text(
    artifact: Artifact, reader: Reader, worlds: tuple[str, ...] = WORLDS
) -> Generator[Refusal, None, Parsed | None]:
    """Yield a refusal where the file is damaged; returns its documents, None where there are none.

    `worlds` are the ecosystems whose packages such a file can carry.
    """
    text = decode_text(artifact.content())
    if text is None:
        yield artifact.refusal(reader.name, "is not text in UTF-8 or UTF-16", ecosystems=worlds)
        return None
    parsed: Parsed = parse(text)
    if parsed.damage is not None:
        yield artifact.refusal(reader.name, parsed.damage, ecosystems=worlds)
    elif not parsed.documents:
        yield artifact.refusal(reader.name, "is empty", ecosystems=worlds)
    elif not isinstance(parsed.documents[0], Mapping):
        yield artifact.refusal(reader.name, "holds no mapping", ecosystems=worlds)
    return parsed


def of_step(artifact: Artifact, interest: Interest, step: Step, reader: Reader) -> Iterator[Observation]:
    """What one step uses and installs, as far as it is of interest."""
    yield from asked(artifact, interest, [(f"{step.field}.uses", text) for text in step.uses], reader)
    for script in step.runs:
        shell = "powershell" if step.powershell else "posix"
        for line, fact in typed(script, interest.wanted("npm"), shell):  # type: ignore[arg-type]  # one of both shells
            yield Observation(reader.name, artifact.location(line=line), fact)


def asked(
    artifact: Artifact, interest: Interest, used: list[tuple[str, Text]], reader: Reader
) -> Iterator[Observation]:
    """The references of interest."""
    wanted = interest.wanted(ECOSYSTEM)
    for field, text in used:
        value = text.value if field.endswith("uses") else f"docker://{text.value}"
        found = reference(value)
        if found is None:
            continue
        if found.kind == "image":
            if not isinstance(interest.wanted("docker"), Everything):
                continue
        elif found.name not in wanted:
            continue
        fact = RangeFact(
            name=found.name,
            range=found.ref,
            field=field,
            exact=found.commit,
            ecosystem="docker" if found.kind == "image" else ECOSYSTEM,
        )
        yield Observation(reader.name, artifact.location(line=text.line), fact)


READER = Reader(
    name="workflow",
    ecosystem=ECOSYSTEM,
    read=read,
    suffixes=(".yml", ".yaml"),
    folders=FOLDERS,
    outside=("node_modules",),
    resolves=False,
)

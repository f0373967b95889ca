"""workflow files beside logs: which secrets and permissions each job held. Names alone.

## Reads
Any `*.yml` or `*.yaml` in a target of logs that holds `jobs`: every job with its steps, the names of its secrets, its
permissions, environment, runner and the events that start the workflow. A log's job of the same name is told with them.

## Leaves out
What the jobs use: in a target of logs, the logs say which commits ran. The file must be that of the run's commit;
nothing here can tell. Files that hold no `jobs` give nothing.

## References
GitHub documentation "Workflow syntax for GitHub Actions", "Secrets", "Permissions for the GITHUB_TOKEN".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.actions.jobs import jobs
from pratique.readers.marked import Mapping, parse
from pratique.readers.text import decode_text


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield every job."""
    text = decode_text(artifact.content())
    parsed = parse(text) if text is not None else None
    if parsed is None or parsed.damage is not None:
        reason = parsed.damage if parsed is not None and parsed.damage else "is not text in UTF-8 or UTF-16"
        yield artifact.refusal(READER.name, f"{reason}; secrets of its jobs may be missing", relevant=False)
    for document in parsed.documents[:1] if parsed is not None else ():
        if isinstance(document, Mapping):
            for job in jobs(document, artifact.path):
                yield Observation(READER.name, artifact.location(line=job.line), job.fact)


READER = Reader(
    name="ci-workflow",
    ecosystem="GitHub Actions",
    read=read,
    suffixes=(".yml", ".yaml"),
    subject="log",
    relevance="never",
    doors=("ci-log",),
    resolves=False,
)

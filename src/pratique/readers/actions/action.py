"""action.yml: the actions that a composite action uses, and the image of a container action.

## Reads
`action.yml` and `action.yaml`: `uses:` and `run:` of the steps of a composite action, as in a workflow file; the image
of a container action by tag or digest.

## Leaves out
Inputs, outputs, and the code of JavaScript actions. Files of this name that describe no action (a mapping without
`runs`) give nothing. A composite action holds whatever the job holds that uses it: which one, its file cannot say.

## References
GitHub documentation "Metadata syntax for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.actions.jobs import steps
from pratique.readers.actions.workflow import ECOSYSTEM, asked, of_step, parsed_text
from pratique.readers.marked import Mapping, Text


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what the action uses of interest, and its commands that name a package of interest."""
    parsed = yield from parsed_text(artifact, READER)
    for document in parsed.documents[:1] if parsed is not None else ():
        runs = document.get("runs") if isinstance(document, Mapping) else None
        if not isinstance(runs, Mapping):
            continue
        for step in steps(runs, "runs."):
            yield from of_step(artifact, interest, step, READER)
        image = runs.get("image")
        if isinstance(image, Text) and image.value.startswith("docker://"):
            yield from asked(artifact, interest, [("runs.image", Text(image.value[9:], image.line))], READER)


READER = Reader(
    name="action",
    ecosystem=ECOSYSTEM,
    read=read,
    basenames=("action.yml", "action.yaml"),
    outside=("node_modules",),
    resolves=False,
)

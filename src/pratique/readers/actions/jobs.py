"""The jobs of a workflow file: what each uses and runs, which secrets and permissions it holds. Names alone."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.ecosystems.actions.names import EVERY_SECRET, redacted, secrets_of, step_name
from pratique.model.observation import JobFact
from pratique.readers.marked import Mapping, Node, Sequence, Text, texts

MOST_STEPS = 1000
"""Names of steps that are told of one job; every step is read."""
_SHELLS = frozenset({"pwsh", "powershell"})


class Step(msgspec.Struct, frozen=True):
    """One step: its place in the file, its name, what it uses and runs."""

    field: str
    line: int
    name: str
    uses: tuple[Text, ...]
    runs: tuple[Text, ...]
    powershell: bool
    place: int
    """Which of its job's steps it is, from 0."""


class Job(msgspec.Struct, frozen=True):
    """One job of a workflow."""

    fact: JobFact
    line: int
    uses: tuple[Text, ...]
    """What it uses as a whole: a reusable workflow."""
    images: tuple[tuple[str, Text], ...]
    steps: tuple[Step, ...]
    inherits: bool = False
    """Whether it hands what it uses every secret: `secrets: inherit`."""

    def at(self, step: Step | None) -> JobFact:
        """The fact of this job with one step marked, and those that shared its machine afterwards."""
        if step is None:
            return self.fact
        later = tuple(other.name for other in self.steps[step.place + 1 : step.place + 1 + MOST_STEPS])
        return msgspec.structs.replace(self.fact, step=step.name, later_steps=later)


def jobs(document: Mapping, path: str) -> Iterator[Job]:
    """Every job of a workflow; one whose key stands twice counts twice."""
    named = document.text("name")
    workflow = redacted(named) if named else path.rpartition("/")[2]
    shared = _secrets(document.get("env")) | _secrets(document.get("defaults"))
    permissions = _permissions(document.get("permissions"))
    triggers = _triggers(document)
    for every in document.every("jobs"):
        if not isinstance(every, Mapping):
            continue
        for key, node in every.pairs:
            if isinstance(node, Mapping):
                yield _job(key, node, workflow, shared, permissions, triggers)


def _job(
    key: str,
    node: Mapping,
    workflow: str,
    shared: set[str],
    permissions: tuple[str, ...],
    triggers: tuple[str, ...],
) -> Job:
    found = steps(node, f"jobs.{key}.")
    secrets = shared | _secrets(node)
    inherited = node.get("secrets")
    inherits = isinstance(inherited, Text) and inherited.value.strip() == "inherit"
    if inherits:
        secrets.add(EVERY_SECRET)
    own = node.get("permissions")
    name = node.text("name")
    environment = node.get("environment")
    if isinstance(environment, Mapping):
        environment = environment.get("name")
    runs_on = [text.value for text in texts(node.get("runs-on"))]
    fact = JobFact(
        system="github-actions",
        job=redacted(name) if name else redacted(key),
        key=redacted(key) if name else None,
        workflow=workflow,
        runner=redacted(" ".join(runs_on)) if runs_on else None,
        steps=tuple(step.name for step in found[:MOST_STEPS]),
        secrets=tuple(sorted(secrets)),
        permissions=permissions if own is None else _permissions(own),
        environment=redacted(environment.value) if isinstance(environment, Text) else None,
        source="workflow-file",
        triggers=triggers,
    )
    images = []
    container = node.get("container")
    if isinstance(container, Text):
        images.append((f"jobs.{key}.container", container))
    elif isinstance(container, Mapping):
        images += [(f"jobs.{key}.container.image", item) for item in container.every("image") if isinstance(item, Text)]
    services = node.get("services")
    if isinstance(services, Mapping):
        for service, inner in services.pairs:
            if isinstance(inner, Mapping):
                field = f"jobs.{key}.services.{service}.image"
                images += [(field, item) for item in inner.every("image") if isinstance(item, Text)]
    return Job(fact, node.line, _texts(node, "uses"), tuple(images), found, inherits)


def steps(holder: Mapping, prefix: str) -> tuple[Step, ...]:
    """The steps of a job, or of a composite action."""
    found: list[Step] = []
    for node in holder.every("steps"):
        if not isinstance(node, Sequence):
            continue
        for index, item in enumerate(node.items):
            if not isinstance(item, Mapping):
                continue
            uses, runs = _texts(item, "uses"), _texts(item, "run")
            title = item.text("name")
            if title is None:
                first = uses[0].value if uses else next(iter(runs[0].value.split("\n")), "") if runs else ""
                title = f"Run {first}" if first else f"step {index + 1}"
                title = step_name(title)
            shell = (item.text("shell") or "").split(" ")[0]
            found.append(
                Step(f"{prefix}steps[{index}]", item.line, redacted(title), uses, runs, shell in _SHELLS, len(found))
            )
    return tuple(found)


def _texts(node: Mapping, key: str) -> tuple[Text, ...]:
    return tuple(item for item in node.every(key) if isinstance(item, Text))


def _secrets(node: Node | None) -> set[str]:
    found: set[str] = set()
    for text in texts(node):
        if "secrets" in text.value or "github" in text.value:
            found |= secrets_of(text.value)
    return found


def _permissions(node: Node | None) -> tuple[str, ...]:
    """`scope: level` each; `none` where the file takes all away."""
    if isinstance(node, Text):
        return (redacted(node.value),) if node.value else ("none",)
    if isinstance(node, Mapping):
        found = [
            f"{redacted(scope)}: {redacted(level.value)}" for scope, level in node.pairs if isinstance(level, Text)
        ]
        return tuple(sorted(found)) or ("none",)
    return ()


def _triggers(document: Mapping) -> tuple[str, ...]:
    """The events of `on`, which YAML 1.1 would take for a truth value."""
    found: set[str] = set()
    for node in document.every("on"):
        if isinstance(node, Text):
            found.add(redacted(node.value))
        elif isinstance(node, Sequence):
            found.update(redacted(item.value) for item in node.items if isinstance(item, Text))
        else:
            found.update(redacted(key) for key, _ in node.pairs)
    return tuple(sorted(found))

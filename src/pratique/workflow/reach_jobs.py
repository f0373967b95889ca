"""What jobs of continuous integration held, by the workflow files and reports that were named: names alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from pratique.ecosystems.actions.names import EVERY_SECRET, redacted
from pratique.model.errors import TargetError, UsageError
from pratique.model.observation import JobFact

LARGEST_WORKFLOW = 4 << 20
LARGEST_REPORT = 512 << 20
_MOST_NAMED = 12
"""Jobs that the text of an error names."""
ROTATIONS = {"github-actions": "github-actions-secret", "gitlab": "gitlab"}
"""What replaces a secret of a job, by the system that ran it, where its name does not tell its issuer."""

Refusal = tuple[str, str, str]
"""Location, place and reason, as an inventory has them."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A job, and where it was found."""

    fact: JobFact
    workflow: str
    timely: bool | None = None
    """Whether it ran while a listed release was in it; None where only its workflow file was read."""
    calls: tuple[str, ...] = ()
    """Reusable workflows that it calls."""
    inherits: bool = False
    """Whether it hands them every secret."""

    @property
    def place(self) -> str:
        """As an inventory spells it."""
        return f"job:{self.workflow}/{self.fact.key or self.fact.job}"


class Jobs(msgspec.Struct):
    """Jobs that were found, what could not be looked at, and what is to be said of it."""

    held: list[Held] = []
    refusals: list[Refusal] = []
    notes: list[str] = []


def find(workflows: Sequence[str], reports: Sequence[str], job: str | None) -> Jobs:
    """The jobs of files, or one of them. Raises TargetError, and UsageError where none has that name."""
    found = Jobs()
    for path in workflows:
        _of_workflow(path, found)
    for path in reports:
        _of_report(path, found)
    if job is None:
        return found
    wanted = [held for held in found.held if job in (held.fact.job, held.fact.key)]
    wanted = wanted or [held for held in found.held if held.fact.job.startswith((f"{job} (", f"{job} / "))]
    if not wanted and not found.refusals:
        names = sorted({held.fact.key or held.fact.job for held in found.held})
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        advice = f"Jobs there: {', '.join(names[:_MOST_NAMED])}{more}" if names else "No job stands there"
        raise UsageError("is no job of what was named", where=f"--job {job}", advice=advice)
    return Jobs(wanted, found.refusals, found.notes)


def _of_workflow(path: str, found: Jobs) -> None:
    from pratique.model.ports import Unreadable
    from pratique.readers.actions.jobs import jobs
    from pratique.readers.marked import Mapping, parse
    from pratique.readers.text import decode_text
    from pratique.targets.files import read_regular

    name = os.path.basename(path)
    try:
        content, _ = read_regular(os.path.realpath(path), LARGEST_WORKFLOW)
    except Unreadable:
        raise TargetError("cannot be read", where=path) from None
    text = decode_text(content)
    if text is None:
        found.refusals.append(("workflow", name, "of an encoding that is not read"))
        return
    parsed = parse(text)
    document = parsed.documents[0] if parsed.documents else None
    if not isinstance(document, Mapping) or document.get("jobs") is None:
        found.refusals.append(("workflow", name, "not understood"))
        if isinstance(document, Mapping) and _of_gitlab(name, document.pairs):
            found.notes.append(
                f"{name} is of GitLab: the variables of its jobs stand in the settings of the project, its groups and "
                "the instance, which no file names. They were not looked at"
            )
        return
    if parsed.damage is not None:
        found.refusals.append(("workflow", name, "half understood"))
    for job in jobs(document, path):
        calls = tuple(redacted(item.value) for item in job.uses)
        found.held.append(Held(fact=job.fact, workflow=name, calls=calls, inherits=job.inherits))


def _of_gitlab(name: str, pairs: Iterable[tuple[str, Any]]) -> bool:
    from pratique.readers.marked import Mapping

    if ".gitlab-ci" in name:
        return True
    return any(key == "stages" or (isinstance(node, Mapping) and node.get("script") is not None) for key, node in pairs)


def _of_report(path: str, found: Jobs) -> None:
    """The jobs that a report's sightings name, each once: what several sightings say of one is put together."""
    from pratique.model.ports import Unreadable
    from pratique.targets.files import read_regular

    try:
        content, _ = read_regular(os.path.realpath(path), LARGEST_REPORT)
        document = msgspec.json.decode(content, type=dict[str, Any])
    except (Unreadable, msgspec.DecodeError, RecursionError):
        raise TargetError("cannot be read as a report in JSON", where=path) from None
    header = document.get("header")
    if not isinstance(header, dict) or not str(header.get("schema", "")).startswith("pratique.report/"):
        raise TargetError("is no report of pratique", where=path)
    name = os.path.basename(path)
    observations = document.get("observations")
    damaged = not isinstance(observations, list)
    known: dict[tuple[str, str | None, str | None, str], JobFact] = {}
    for entry in observations if isinstance(observations, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
            damaged = True
        elif entry["kind"] == "job":
            try:
                fact = msgspec.convert({**entry.get("facts", {}), "kind": "job"}, JobFact)
            except (msgspec.ValidationError, TypeError):
                damaged = True
                continue
            key = (fact.system, fact.repository, fact.workflow, fact.key or fact.job)
            known[key] = _joined(known[key], fact) if key in known else fact
    if damaged:
        found.refusals.append(("report", name, "half understood"))
    if not known:
        found.notes.append(f"{name} names no job: a check tells those that ran a listed release")
    for fact in known.values():
        timely = None if fact.source == "workflow-file" else True
        found.held.append(Held(fact=fact, workflow=fact.workflow or fact.system, timely=timely))


def _joined(one: JobFact, other: JobFact) -> JobFact:
    """What two sightings say of a job: names of both, and that it ran where one says so."""
    ran = one if one.source != "workflow-file" else other
    return msgspec.structs.replace(
        ran,
        secrets=tuple(sorted({*one.secrets, *other.secrets})),
        permissions=ran.permissions or one.permissions or other.permissions,
        environment=ran.environment or one.environment or other.environment,
        runner=ran.runner or one.runner or other.runner,
        persisted_credentials=one.persisted_credentials or other.persisted_credentials,
    )


def unseen(held: Held) -> Refusal | None:
    """What of a job could not be looked at at all; None where its system is one whose files name its secrets."""
    return None if held.fact.system == "github-actions" else ("job", held.place, "cannot be read")


def notes(held: Held, named: Iterable[str]) -> Iterator[str]:
    """What is to be said of a job beside its secrets; `named` are the workflow files that are looked at."""
    fact, place = held.fact, held.place
    if fact.system != "github-actions":
        yield (
            f"{place} is of {'GitLab' if fact.system == 'gitlab' else 'no forge that is known'}: its variables and its "
            "token stand in settings, which no file names. They were not looked at"
        )
        return
    if held.inherits:
        yield f"{place} says `secrets: inherit`: what it calls gets every secret of the repository and organisation"
    elif EVERY_SECRET in fact.secrets:
        yield f"{place} may read every secret: their names stand in the forge's settings"
    files = {os.path.basename(path) for path in named}
    for called in held.calls:
        if not (called.startswith("./") and called.rpartition("/")[2] in files):
            yield f"{place} calls {called}: what its jobs hold stands in that file. Name it with --workflow"
    if "workflow_call" in fact.triggers:
        yield (
            f"{held.workflow} is called by others: one that says `secrets: inherit` hands it every secret. "
            "Name those with --workflow too"
        )
    if not fact.permissions:
        yield f"{place} states no permissions: the repository's or organisation's default counts, which is not known"
        yield f"{place}: whether it could mint OIDC tokens is not known either"
    if fact.persisted_credentials:
        yield f"{place}: a checkout left the job's token on the disk for every later step"
    if fact.environment:
        yield f"{place} runs in environment {fact.environment}: its secrets too were in reach"
    if fact.triggers == ("pull_request",):
        yield f"{place} starts on pull requests alone: runs of forks hold no secrets, others do"
    if fact.runner and "self-hosted" in fact.runner:
        yield f"{place} ran on a self-hosted runner: look at its account there with this command too"

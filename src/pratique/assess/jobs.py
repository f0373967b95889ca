"""The jobs that facts of continuous integration belong to: what each one held, and what ran on its machine afterwards.

A log says which step a fact stands in; the workflow file beside it says which secrets that job held. Where both know a
job by the same name, they are told as one.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence

import msgspec

from pratique.model.location import Inside
from pratique.model.observation import JobFact, Observation
from pratique.model.verdict import Sighting

_Place = tuple[str, str, tuple[Inside, ...]]
_MATRIX = re.compile(r"\s*\([^()]*\)$")
_DROPPED = re.compile(r"[^a-z0-9]+")
_SHOWN = 4


class Jobs:
    """Every job of one run, by where it was read."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self._at: dict[_Place, list[tuple[int, Observation]]] = {}
        self._named: dict[tuple[str, str], list[JobFact]] = {}
        for item in observations:
            fact = item.facts
            if not isinstance(fact, JobFact):
                continue
            self._at.setdefault(_place(item), []).append((item.location.line or 0, item))
            if fact.source == "workflow-file" and fact.step is None:
                for name in {_plain(fact.job), _plain(fact.key or fact.job)}:
                    self._named.setdefault((item.location.target, name), []).append(fact)
        for found in self._at.values():
            found.sort(key=lambda entry: (entry[0], msgspec.json.encode(entry[1], order="deterministic")))

    def of(self, observation: Observation) -> Observation | None:
        """The job that a fact belongs to: the last one that starts at or before its line, in the same file."""
        found = self._at.get(_place(observation))
        if not found or isinstance(observation.facts, JobFact):
            return None
        line = observation.location.line
        if line is None:
            return self._joined(found[0][1])
        at = bisect.bisect_right([start for start, _ in found], line)
        return self._joined(found[max(at - 1, 0)][1])

    def _joined(self, item: Observation) -> Observation:
        """A log's job with what workflow files beside it say of a job of its name."""
        fact = item.facts
        if not isinstance(fact, JobFact) or fact.source != "log":
            return item
        beside: list[JobFact] = []
        for name in _names(fact.job):
            beside = self._named.get((item.location.target, name), [])
            if beside:
                break
        if not beside:
            return item
        first = beside[0]
        secrets = sorted({*fact.secrets, *(name for other in beside for name in other.secrets)})
        joined = msgspec.structs.replace(
            fact,
            source="both",
            secrets=tuple(secrets),
            permissions=fact.permissions or first.permissions,
            environment=fact.environment or first.environment,
            workflow=fact.workflow or first.workflow,
            runner=fact.runner or first.runner,
            triggers=fact.triggers or first.triggers,
            key=fact.key or first.key,
        )
        return msgspec.structs.replace(item, facts=joined)


def _place(item: Observation) -> _Place:
    return item.location.target, item.location.path, item.location.inside


def _plain(name: str) -> str:
    """A job's name as a file's name keeps it: small letters and digits."""
    return _DROPPED.sub(" ", name.lower()).strip()


def _names(name: str) -> Iterable[str]:
    """What a log's job may be called in a workflow file: without its matrix, as the caller or the called one."""
    yield _plain(name)
    bare = _MATRIX.sub("", name)
    yield _plain(bare)
    if " / " in bare:
        yield _plain(bare.rpartition(" / ")[2])
        yield _plain(bare.partition(" / ")[0])


def in_job(sighting: Sighting, jobs: Jobs) -> Sighting:
    """The sighting with the job that its own place belongs to."""
    for item in sighting.observations:
        job = jobs.of(item)
        if job is None or not isinstance(job.facts, JobFact):
            continue
        return msgspec.structs.replace(
            sighting,
            observations=(*sighting.observations, job),
            explanation=f"{sighting.explanation}; {words(job.facts)}",
            times=tuple(sorted({*sighting.times, *job.times})),
        )
    return sighting


def words(fact: JobFact) -> str:
    """A job for people: its name, step, secrets and permissions by name, and what shared its machine afterwards."""
    where = f"in job {fact.job}"
    if fact.step:
        where += f", step {fact.step}"
    said = [where]
    if fact.secrets:
        said.append(f"which held {_some(fact.secrets)}")
    writing = [item for item in fact.permissions if item.endswith(("write", "write-all"))]
    if writing:
        said.append(f"permissions {_some(writing)}")
    if fact.persisted_credentials:
        said.append("its checkout left the token on the disk")
    if fact.later_steps:
        said.append(f"later steps on its machine: {_some(fact.later_steps)}")
    return "; ".join(said)


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more

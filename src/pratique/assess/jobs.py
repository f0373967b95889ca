"""The jobs that facts of continuous integration belong to: what each one held, and what ran on its machine afterwards.

A log says which step a fact stands in; the workflow file beside it says which secrets that job held. Where both know a
job by the same name, they are told as one.
"""

from __future__ import annotations

import bisect
import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from pratique.assess.catalogue import Catalogue
from pratique.assess.words import purl_of
from pratique.ecosystems.grammar import canonical_name
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Incident, Role
from pratique.model.location import Inside
from pratique.model.observation import CommandFact, ComponentFact, JobFact, Observation, Refusal, ScriptFact
from pratique.model.verdict import Sighting, Status, Subject

_Place = tuple[str, str, tuple[Inside, ...]]
_MATRIX = re.compile(r"\s*\([^()]*\)$")
_DROPPED = re.compile(r"[^a-z0-9]+")
_SHOWN = 4


class Observed(Protocol):
    """What was observed, and what each observation is about."""

    observations: list[Observation]

    def subject(self, observation: Observation) -> Subject:
        """What an observation is about."""
        ...


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
        first, mark, rest = sighting.explanation.partition("; ")
        return msgspec.structs.replace(
            sighting,
            observations=(*sighting.observations, job),
            explanation=f"{first}, {words(job.facts)}{mark}{rest}",
            times=tuple(sorted({*sighting.times, *job.times})),
        )
    return sighting


def once(sightings: Iterable[Sighting]) -> Iterator[Sighting]:
    """The sightings, those aside that a step's own log repeats of the log of its job: the latter knows more."""
    best: dict[tuple[object, ...], tuple[int, int]] = {}
    keys: list[tuple[object, ...] | None] = []
    found = list(sightings)
    for index, sighting in enumerate(found):
        job = next((item.facts for item in sighting.observations if isinstance(item.facts, JobFact)), None)
        times = sighting.observations[0].times
        key: tuple[object, ...] | None = None
        if job is not None and job.source != "workflow-file" and times:
            what = (sighting.incident, sighting.subject, sighting.purl, sighting.depth, sighting.kind)
            key = (*what, _plain(job.job), times)
            known = best.get(key)
            if known is None or len(job.steps) > known[0]:
                best[key] = (len(job.steps), index)
        keys.append(key)
    for index, (sighting, key) in enumerate(zip(found, keys, strict=True)):
        if key is None or best[key][1] == index or found[best[key][1]].location.inside == sighting.location.inside:
            yield sighting


def words(fact: JobFact) -> str:
    """A job for people: its name, step, secrets and permissions by name, and what shared its machine afterwards."""
    where = f"in job {fact.job}"
    if fact.step:
        where += f", step {fact.step}"
    said = [where]
    if fact.secrets:
        said.append(f"held {_some(fact.secrets)}")
    writing = [item for item in fact.permissions if item.endswith(("write", "write-all"))]
    if writing:
        said.append(f"token may {_some(writing)}")
    if fact.persisted_credentials:
        said.append("checkout left the token on the disk")
    if fact.later_steps:
        said.append(f"later steps there: {_some(fact.later_steps)}")
    return "; ".join(said)


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more


def logged(fact: ComponentFact) -> str:
    """What a line of a log shows about a release."""
    if fact.ecosystem == "GitHub Actions":
        return f"a job downloaded this commit{f' as {fact.alias}' if fact.alias else ''}"
    return {
        "resolved": "a log names it as resolved",
        "installed": "a log lists it as installed",
    }.get(fact.depth, "its archive was fetched, by a log")


_PYTHON = frozenset({"pip", "uv", "pipx", "poetry", "pdm", "pipenv"})


def asked_release(fact: CommandFact, package: str) -> tuple[str, str, str] | None:
    """Ecosystem, name and version of a specifier in a command, where it asks for exactly one release."""
    if fact.manager in _PYTHON:
        name, mark, version = package.partition("==")
        return ("PyPI", name, version.lstrip("=")) if mark and name else None
    name, _, version = package.rpartition("@")
    return ("npm", name, version) if name else None


def silent(catalogue: Catalogue, observations: Iterable[Observation]) -> Iterator[Refusal]:
    """A gap for each run and incident: a command installed inside its window, and the log does not name what.

    Without a time, or by a clock without a zone, a command may have run in any window that is near enough.
    """
    met: set[tuple[str, str, str]] = set()
    for item in observations:
        fact = item.facts
        if not isinstance(fact, CommandFact) or fact.printed not in ("none", "direct"):
            continue
        world = "PyPI" if fact.manager in _PYTHON else "npm"
        moment, loose = _moment(item)
        for incident in catalogue.incidents:
            key = (item.location.target, item.location.path, incident.id)
            if key in met or not _open_at(catalogue, incident, world, moment, loose):
                continue
            met.add(key)
            place = item.location
            when = f" at {item.times[0].value}" if item.times and moment else ", at a time that the log does not tell"
            names = "names only what was asked for" if fact.printed == "direct" else "names no release"
            reason = f"{fact.manager} {fact.verb} ran{when}; the log {names}: only the lockfile of that commit can tell"
            yield Refusal(
                place.path,
                item.reader,
                reason,
                True,
                place.target,
                place.path_bytes,
                (f"incident:{incident.id}",),
                place.inside,
            )


def _moment(item: Observation) -> tuple[datetime.datetime | None, datetime.timedelta]:
    """When a command ran, and how far its clock may be off."""
    for time in item.times:
        try:
            value = datetime.datetime.fromisoformat(time.value.replace("Z", "+00:00"))
        except ValueError:
            continue
        if value.tzinfo is not None:
            return value, datetime.timedelta(minutes=5)
        return value.replace(tzinfo=datetime.UTC), _ANY_ZONE
    return None, datetime.timedelta(0)


_ANY_ZONE = datetime.timedelta(hours=14)


def _open_at(
    catalogue: Catalogue,
    incident: Incident,
    world: str,
    moment: datetime.datetime | None,
    loose: datetime.timedelta,
) -> bool:
    """Whether a release of an incident could be installed at a moment; without one, for those asked for or active."""
    components = [component for component in incident.components if component.ecosystem == world]
    if not components:
        return False
    names = {component.name for component in components}
    windows = [window for window in incident.windows if window.component is None or window.component in names]
    if moment is None or not windows:
        key = (world, canonical_name(world, components[0].name))
        return any(item.named for item in catalogue.listings.get(key, ()) if item.incident.id == incident.id)
    for window in windows:
        margin = datetime.timedelta(minutes=window.margin_minutes) + loose
        if window.start - margin <= moment and (window.end is None or moment <= window.end + margin):
            return True
    return False


def unversioned(catalogue: Catalogue, evidence: Observed) -> Iterator[Sighting]:
    """Scripts of a listed package whose version a log does not print (pnpm, bun).

    Where the same log names another listed release of the incident, it is that run's; else only its time can hint.
    """
    runs: dict[tuple[_Place, str, str], list[Observation]] = {}
    for item in evidence.observations:
        fact = item.facts
        if isinstance(fact, ScriptFact) and not fact.version and fact.outcome in ("started", "finished", "failed"):
            runs.setdefault((_place(item), fact.ecosystem, fact.name), []).append(item)
    if not runs:
        return
    listed: dict[tuple[_Place, str], list[Observation]] = {}
    for item in evidence.observations:
        fact = item.facts
        if isinstance(fact, ComponentFact) and fact.record == "log":
            for listing, version in catalogue.listed(fact.ecosystem, fact.name, fact.version):
                if listing.role(version) is not Role.DECOY:
                    listed.setdefault((_place(item), listing.incident.id), []).append(item)
    for (place, world, name), found in sorted(runs.items(), key=lambda entry: entry[0]):
        for listing in catalogue.listings.get((world, name), ()):
            bad = [version for version in listing.versions.values() if listing.role(version) is not Role.DECOY]
            beside = listed.get((place, listing.incident.id), [])
            moment, loose = _moment(found[0])
            if not bad or not (beside or _open_at(catalogue, listing.incident, world, moment, loose)):
                continue
            release = bad[0].version if len(bad) == 1 else ""
            script = getattr(found[0].facts, "script", "")
            seen = f"its {script} ran, by a log that does not name its version"
            hint = "the same log names another listed release of the incident" if beside else "its time allows it"
            yield Sighting(
                incident=listing.incident.id,
                subject=evidence.subject(found[0]),
                kind="component",
                status=Status.AFFECTED if beside else Status.UNDER_INVESTIGATION,
                purl=purl_of(world, name, release),
                depth=Depth.EXECUTED,
                confidence=Confidence.MEDIUM,
                role=listing.role(bad[0]),
                location=found[0].location,
                explanation=f"{seen}; {hint}",
                observations=(*found, *beside),
                inferred=True,
                times=found[0].times,
            )

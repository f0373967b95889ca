"""Match what was observed against what is listed: sightings, and questions for the second look.

A release matches by name and exact version, whatever registry host its record names: mirrors and proxies serve the
same bytes. Only a source that is no registry (git, file, link, workspace) or an incident bound to one index of origin
takes a release out, and it is listed as taken out. An integrity equal to a listed hash makes the sighting certain; a
different one is still a sighting: other bytes under a bad version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pratique.assess import bundles, host, host_asked, python, triggers
from pratique.assess.catalogue import Catalogue, Listing, compare
from pratique.assess.declared import INSTALLING, declared, typed
from pratique.assess.evidence import Evidence
from pratique.assess.exposure import exposed
from pratique.assess.hashes import by_archive, by_indicator, digest_of, held, listed_hashes
from pratique.assess.history import answers, dated, history_questions
from pratique.assess.indicators import indicated
from pratique.assess.jobs import Jobs, in_job, logged, once, unversioned
from pratique.assess.layers import folder_places, layer_of, shown_beside, with_records
from pratique.assess.requests import mirror_questions, mirrored, of_mirror, shipped_by
from pratique.assess.subjects import scope_of
from pratique.assess.tampering import Folder, judge_folder
from pratique.assess.unlocked import beside_questions
from pratique.assess.words import purl_of
from pratique.ecosystems.npm.layout import cached_content_path
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Role, Version
from pratique.model.location import Inside
from pratique.model.observation import (
    BundledFact,
    CommandFact,
    ComponentFact,
    DigestFact,
    FolderFact,
    Observation,
    PresenceFact,
    ProtectionFact,
    Question,
    RangeFact,
    ScriptFact,
    SideEffectFact,
    TriggerFact,
)
from pratique.model.verdict import Sighting, Status, Subject

Scope = tuple[str, tuple[Inside, ...]]


def questions(catalogue: Catalogue, evidence: Evidence) -> list[Question]:
    """What the second look must tell: the state of tampered folders, and archives held under a listed digest."""
    asked: set[Question] = set(mirror_questions(catalogue, evidence))
    for observation in evidence.observations:
        fact = observation.facts
        if isinstance(fact, ComponentFact) and fact.folder and fact.name in catalogue.tampering:
            scope = scope_of(observation.location)
            if fact.record in ("cache", "store") or fact.shipped_in or scope is None:
                continue
            for _, rule in catalogue.tampering[fact.name]:
                if fact.version in (rule.version, rule.manifest_version_after):
                    files = tuple(sorted({*rule.present_before, *rule.absent_after, "package.json"}))
                    outer, steps = scope
                    inside = (*steps[:-1], Inside(steps[-1].kind, steps[-1].id, fact.folder)) if steps else ()
                    place = outer or fact.folder
                    asked.add(
                        Question("folder", observation.location.target, place, files, names=(fact.name,), inside=inside)
                    )
    for target, cache in evidence.caches:
        for (ecosystem, name), listings in catalogue.listings.items():
            if ecosystem != "npm":
                continue
            for listing in listings:
                for version in listing.versions.values():
                    if version.sha512 and listing.role(version) is not Role.DECOY:
                        path = cached_content_path(cache, version.sha512)
                        if path is not None:
                            asked.add(
                                Question("presence", target, path, expected=f"{name}@{version.version}", names=(name,))
                            )
    asked.update(python.questions(evidence.observations))
    asked.update(host_asked.questions(catalogue, evidence))
    first = sorted(asked, key=lambda question: (question.target, question.path, question.files, question.inside))
    first = with_records(first, evidence.observations) + beside_questions(
        catalogue, evidence.observations, evidence.locks
    )
    return first + folder_places(first) + history_questions(_match(catalogue, evidence), catalogue.incidents)


def match(catalogue: Catalogue, evidence: Evidence) -> Iterator[Sighting]:
    """Every sighting that the observations support, the second look included; their order does not matter."""
    evidence.sort()
    incidents = {incident.id: incident for incident in catalogue.incidents}
    known = answers(evidence.observations)
    jobs = Jobs(evidence.observations)
    found = (
        one if host.of_host(one.observations[0]) else exposed(incidents[one.incident], dated(one, known))
        for one in _match(catalogue, evidence)
    )
    yield from once(in_job(sighting, jobs) for sighting in found)


def _match(catalogue: Catalogue, evidence: Evidence) -> Iterator[Sighting]:
    folders = _folders(catalogue, evidence)
    settled = {observation for folder in folders for observation in folder.settled}
    settled |= python.otherwise_settled(evidence.observations)
    looked = python.Looked(evidence.observations)
    for folder in folders:
        sighting = judge_folder(folder)
        if sighting is not None:
            yield sighting
    archives, hashes = listed_hashes(catalogue)
    runs: dict[tuple[str, str, tuple[str, ...]], list[Observation]] = {}
    yield from mirrored(catalogue, evidence)
    yield from host.sighted(catalogue, evidence)
    for observation in evidence.observations:
        fact = observation.facts
        if of_mirror(observation) or host.of_host(observation):
            continue
        if isinstance(fact, ComponentFact) and observation not in settled:
            for listing, version in catalogue.listed(fact.ecosystem, fact.name, fact.version):
                sighting = _component(listing, version, observation, fact, evidence.subject(observation))
                yield python.judged(sighting, observation, looked) if fact.ecosystem == "PyPI" else sighting
            for listing, version in catalogue.by_hash(fact):
                yield _component(listing, version, observation, fact, evidence.subject(observation))
        elif isinstance(fact, ScriptFact):
            runs.setdefault((observation.location.target, observation.location.path, _run_of(fact)), []).append(
                observation
            )
        elif isinstance(fact, SideEffectFact):
            for listing, version in catalogue.listed(fact.ecosystem, fact.name, fact.version):
                yield _side_effect(listing, version, observation, fact, evidence.subject(observation))
        elif isinstance(fact, RangeFact) and fact.exact is not None and fact.asked_by is None:
            for listing, version in catalogue.listed(fact.ecosystem, fact.name, fact.exact):
                if listing.role(version) is not Role.DECOY:
                    sighting = declared(listing, version, observation, fact, evidence.subject(observation))
                    yield python.declared(sighting, fact) if fact.ecosystem == "PyPI" else sighting
        elif isinstance(fact, CommandFact) and fact.verb in INSTALLING:
            yield from typed(catalogue, observation, fact, evidence.subject(observation))
        elif isinstance(fact, PresenceFact) and fact.exists:
            for listing, version in archives.get(digest_of(fact.path), ()):
                yield held(listing, version, observation)
        elif isinstance(fact, DigestFact) and fact.equal:
            for listing, version in archives.get(fact.digest, ()):
                yield by_archive(listing, version, observation, evidence)
            for incident, indicator in hashes.get(fact.digest, ()):
                sighting = by_indicator(incident, indicator, observation, evidence)
                if sighting is not None:
                    yield sighting
        elif isinstance(fact, BundledFact):
            yield from (
                _possible(item, observation, evidence.subject(observation))
                for item in bundles.possible(catalogue, fact)
            )
        elif isinstance(fact, TriggerFact):
            yield from indicated(catalogue, observation, evidence.subject(observation), evidence.observations)
        elif isinstance(fact, ProtectionFact):
            yield from _protected(catalogue, observation, fact, evidence.subject(observation))
    for _, found in sorted(runs.items(), key=lambda item: item[0]):
        yield from _scripts(catalogue, evidence, found)
    yield from unversioned(catalogue, evidence)
    for planted in triggers.planted(catalogue.incidents, evidence.observations, evidence.projects()):
        sighting = by_indicator(planted.incident, planted.indicator, planted.observations[0], evidence)
        if sighting is not None:
            yield msgspec.structs.replace(
                sighting,
                status=Status.AFFECTED if planted.certain else Status.UNDER_INVESTIGATION,
                purl=purl_of("", planted.incident.id, ""),
                depth=min(sighting.depth, Depth.INSTALLED, key=lambda depth: depth.rank),
                confidence=triggers.confidence(planted),
                explanation=planted.explanation,
                observations=planted.observations,
            )
    for content in bundles.contents(catalogue, evidence.observations):
        sighting = by_indicator(content.incident, content.indicators[0], content.observations[0], evidence)
        if sighting is not None:
            status = Status.AFFECTED if content.certain else Status.UNDER_INVESTIGATION
            several = len(content.incident.components) > 1  # the code is the same in all of them
            yield msgspec.structs.replace(
                sighting,
                status=status,
                depth=min(sighting.depth, Depth.INSTALLED, key=lambda depth: depth.rank),
                purl=purl_of("", content.incident.id, "") if several else sighting.purl,
                explanation=content.explanation,
                observations=content.observations,
            )


def _run_of(fact: ScriptFact) -> tuple[str, ...]:
    """What the records of one run of a script have in common."""
    return (fact.ecosystem, fact.name, fact.version, fact.script)


def _scripts(catalogue: Catalogue, evidence: Evidence, found: list[Observation]) -> Iterator[Sighting]:
    """One sighting for the records of one script in one place: its end tells more than its start."""
    ran = [item for item in found if isinstance(item.facts, ScriptFact) and item.facts.outcome in _RAN]
    if not ran:
        return
    last = max(ran, key=lambda item: _RAN.index(getattr(item.facts, "outcome", "started")))
    fact = last.facts
    if isinstance(fact, ScriptFact):
        for listing, version in catalogue.listed(fact.ecosystem, fact.name, fact.version):
            sighting = _script(listing, version, last, fact, evidence.subject(last))
            if fact.ecosystem == "PyPI":
                sighting = python.built(sighting, listing.incident, version.trigger or listing.component.trigger)
            yield msgspec.structs.replace(sighting, observations=(last, *(item for item in ran if item is not last)))


_RAN = ("started", "failed", "finished")


def _folders(catalogue: Catalogue, evidence: Evidence) -> list[Folder]:
    """Package folders that a tampering test is about, each with all that was observed of it."""
    from pratique.ecosystems.npm.versions import satisfies

    states: dict[tuple[str, Scope, str], list[Observation]] = {}
    at_folder: dict[tuple[str, str, Scope, str], list[tuple[Observation, ComponentFact]]] = {}
    in_layers: dict[tuple[str, str, str], list[tuple[Observation, ComponentFact]]] = {}
    of_project: dict[tuple[str, Subject], list[tuple[Observation, ComponentFact]]] = {}
    requests: dict[tuple[str, Subject], list[tuple[Observation, RangeFact]]] = {}
    for item in evidence.observations:
        fact = item.facts
        scope = scope_of(item.location)
        if scope is None:
            continue
        if isinstance(fact, FolderFact):
            states.setdefault((item.location.target, scope, fact.folder), []).append(item)
        elif isinstance(fact, ComponentFact) and fact.name in catalogue.tampering:
            if fact.record in ("cache", "store", "log"):
                continue
            if fact.folder is not None:
                at_folder.setdefault((fact.name, item.location.target, scope, fact.folder), []).append((item, fact))
                if layer_of(item.location) is not None:
                    in_layers.setdefault((fact.name, item.location.target, fact.folder), []).append((item, fact))
            else:
                of_project.setdefault((fact.name, evidence.owner(item)), []).append((item, fact))
        elif isinstance(fact, RangeFact) and fact.asked_by is not None:
            requests.setdefault((fact.name, evidence.owner(item)), []).append((item, fact))
    found = []
    for (name, target, scope, path), own in sorted(at_folder.items(), key=lambda entry: entry[0]):
        layered = layer_of(own[0][0].location) is not None
        every = in_layers[name, target, path] if layered else own
        subject, owner = evidence.subject(own[0][0]), evidence.owner(own[0][0])
        every = [*every, *of_project.get((name, owner), ())]
        for state in states.get((target, scope, path), ()):
            if not isinstance(state.facts, FolderFact):
                continue
            records = tuple((item, fact) for item, fact in every if shown_beside(state, item))
            for incident, rule in catalogue.tampering[name]:
                listing = next(item for item in catalogue.listings["npm", name] if item.incident.id == incident.id)
                asked = [
                    item
                    for item, fact in requests.get((name, owner), ())
                    if shown_beside(state, item)
                    and satisfies(rule.version, fact.range)
                    and satisfies(rule.manifest_version_after, fact.range) is False
                ]
                found.append(
                    Folder(
                        incident=incident,
                        rule=rule,
                        purl=purl_of("npm", name, rule.version),
                        role=_role(listing, rule.version),
                        subject=subject,
                        state=state,
                        fact=state.facts,
                        records=records,
                        asked=tuple(asked),
                    )
                )
    return found


def _role(listing: Listing, version: str) -> Role:
    release = listing.version(version)
    return listing.role(release) if release else listing.component.role


_EXPLANATIONS = {
    "lock": "a lockfile names it",
    "installed-record": "the manager recorded it as installed",
    "manifest": "its folder is installed; not shown to have run",
    "folder-name": "the folder it was installed to names it",
    "cache": "its archive was fetched: a download cache names it",
    "store": "its archive was fetched and unpacked: the store's index names it",
    "archive": "its archive lies here",
    "bundle": "the output of a bundler carries a copy of it",
    "mirror": "a mirror holds its archive",
    "sbom": "a bill of materials lists it",
}


def _component(
    listing: Listing, version: Version, observation: Observation, fact: ComponentFact, subject: Subject
) -> Sighting:
    role = listing.role(version)
    equal = compare(fact.integrity, version)
    confidence = {True: Confidence.HIGH, None: Confidence.MEDIUM, False: Confidence.LOW}[equal]
    explanation = logged(fact) if fact.record == "log" else _EXPLANATIONS[fact.record]
    if fact.record == "bundle":
        confidence, explanation = bundles.graded(fact)
    if equal and fact.version != version.version:
        explanation += f"; its hash is that of {version.version}, under another label"
    elif equal:
        explanation += "; its hash is the listed one"
    elif equal is False:
        explanation += "; other bytes under a bad version: its hash is not the listed one"
    status = Status.AFFECTED
    lowered: tuple[Observation, ...] = ()
    if fact.origin not in ("registry", "unknown", "remote-tarball"):
        status, lowered = Status.NOT_AFFECTED, (observation,)
        explanation = f"same name and version, but from another source ({fact.origin}), not from a registry"
    elif _other_index(listing.component.origin, fact.resolved):
        status, lowered = Status.NOT_AFFECTED, (observation,)
        explanation = "same name and version, but from another index than the one the incident is about"
    elif role is Role.DECOY:
        if equal is False:
            status = Status.UNDER_INVESTIGATION
        else:
            status, lowered = Status.NOT_AFFECTED, (observation,)
            explanation = f"{explanation}; attacker's package without payload: remove it"
    elif fact.record == "lock" and (shipped := fact.shipped_in or shipped_by(observation.location)):
        status = Status.UNDER_INVESTIGATION
        explanation = f"a lockfile shipped inside {shipped} names it: resolved by its author, not shown here"
    if fact.shipped_in and fact.record == "manifest" and status is Status.AFFECTED:
        explanation = f"a copy of it lies inside {fact.shipped_in}"
    return Sighting(
        incident=listing.incident.id,
        subject=subject,
        kind="component",
        status=status,
        purl=purl_of(fact.ecosystem, fact.name, fact.version),
        depth=Depth(fact.depth),
        confidence=confidence,
        role=role,
        location=observation.location,
        explanation=explanation,
        observations=(observation,),
        times=observation.times,
        lowered_by=lowered,
    )


def _other_index(origin: str | None, resolved: str | None) -> bool:
    """Whether a record names another index than the one an incident is bound to (dependency confusion).

    An origin with a dot is a host and is compared; the name of a public index cannot be told from its mirrors' hosts.
    """
    if not origin or "." not in origin or not resolved:
        return False
    return re.match(rf"[a-z+]+://{re.escape(origin)}(?::\d+)?(?:/|$)", resolved, re.IGNORECASE) is None


def _script(
    listing: Listing, version: Version, observation: Observation, fact: ScriptFact, subject: Subject
) -> Sighting:
    ends = {
        "started": "started",
        "finished": "ran to its end",
        "failed": "ran and failed",
    }
    code = f" (exit code {fact.exit_code})" if fact.exit_code is not None else ""
    return Sighting(
        incident=listing.incident.id,
        subject=subject,
        kind="component",
        status=Status.AFFECTED,
        purl=purl_of(fact.ecosystem, fact.name, fact.version),
        depth=Depth.EXECUTED,
        confidence=Confidence.HIGH,
        role=listing.role(version),
        location=observation.location,
        explanation="a step that uses it ran"
        if fact.ecosystem == "GitHub Actions"
        else f"its {fact.script} {ends[fact.outcome]}{code}, by a record of the run",
        observations=(observation,),
        times=observation.times,
    )


def _side_effect(
    listing: Listing, version: Version, observation: Observation, fact: SideEffectFact, subject: Subject
) -> Sighting:
    changed = ", ".join([*(f"-{name}" for name in fact.deleted), *(f"+{name}" for name in fact.added)][:6])
    return Sighting(
        incident=listing.incident.id,
        subject=Subject("cache", subject.uri),
        kind="tampering",
        status=Status.AFFECTED,
        purl=purl_of(fact.ecosystem, fact.name, fact.version),
        depth=Depth.EXECUTED,
        confidence=Confidence.HIGH,
        role=listing.role(version),
        location=observation.location,
        explanation=f"the store kept what its script changed ({changed}): it ran on a machine that shares this store",
        observations=(observation,),
        times=observation.times,
    )


def _possible(item: bundles.Possible, observation: Observation, subject: Subject) -> Sighting:
    """A package in a bundle of which several releases are possible: ambiguous."""
    listing = item.listing
    release = listing.version(item.listed[0])
    return Sighting(
        incident=listing.incident.id,
        subject=subject,
        kind="component",
        status=Status.UNDER_INVESTIGATION,
        purl=purl_of(listing.component.ecosystem, listing.component.name, item.listed[0]),
        depth=Depth.INSTALLED,
        confidence=Confidence.LOW,
        role=listing.role(release) if release else listing.component.role,
        location=observation.location,
        explanation=item.explanation,
        observations=(observation,),
        times=observation.times,
    )


def _protected(
    catalogue: Catalogue, observation: Observation, fact: ProtectionFact, subject: Subject
) -> Iterator[Sighting]:
    """A protection that names a listed release: a note, never a hit."""
    for listing in catalogue.listings.get((fact.ecosystem, fact.name), ()):
        named = [
            version
            for version in listing.versions.values()
            if fact.selector and version.version in fact.selector.rpartition("@")[2]
        ]
        for version in named[:1]:
            if listing.version(fact.forces or "") is not None:
                continue
            yield Sighting(
                incident=listing.incident.id,
                subject=subject,
                kind="component",
                status=Status.NOT_AFFECTED,
                purl=purl_of(fact.ecosystem, fact.name, version.version),
                depth=Depth.DECLARED,
                confidence=Confidence.MEDIUM,
                role=listing.role(version),
                location=observation.location,
                explanation=f"named only by a protection in {fact.field}: it forces {fact.forces or 'another version'}",
                observations=(observation,),
                lowered_by=(observation,),
            )

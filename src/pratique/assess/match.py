"""Match what was observed against what is listed: sightings, and questions for the second look.

A release matches by name and exact version, whatever registry host its record names: mirrors and proxies serve the
same bytes. Only a source that is no registry (git, file, link, workspace) or an incident bound to one index of origin
takes a release out, and it is listed as taken out. An integrity equal to a listed hash makes the sighting certain; a
different one is still a sighting: other bytes under a bad version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from pratique.assess import bundles, python, triggers
from pratique.assess.actions import asked_words
from pratique.assess.catalogue import Catalogue, Listing, compare, hexadecimal
from pratique.assess.exposure import exposed
from pratique.assess.history import answers, dated, history_questions
from pratique.assess.indicators import MEANINGS, indicated, representative
from pratique.assess.jobs import Jobs, asked_release, in_job, logged, once, unversioned
from pratique.assess.layers import folder_places, layer_of, shown_beside, with_records
from pratique.assess.requests import mirror_questions, mirrored, of_mirror, shipped_by
from pratique.assess.subjects import folder_of, scope_of, settled_name, subject_of, subject_of_refusal, uri_of
from pratique.assess.tampering import Folder, judge_folder
from pratique.assess.unlocked import Locks, beside_answers, beside_questions, in_history, open_range, unlocked
from pratique.assess.words import purl_of
from pratique.ecosystems.npm.layout import cached_content_path, owned_by
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Incident, Indicator, Role, Version
from pratique.model.location import Inside, Location
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
    Refusal,
    ScriptFact,
    SideEffectFact,
    TriggerFact,
)
from pratique.model.verdict import Sighting, Status, Subject, SubjectKind

Scope = tuple[str, tuple[Inside, ...]]


class Evidence:
    """Everything observed in one run, with what is needed to say what it is about."""

    def __init__(
        self,
        observations: Iterable[Observation],
        kinds: dict[str, SubjectKind],
        targets: dict[str, str],
        caches: Iterable[tuple[str, str]] = (),
        installs: Iterable[str] = (),
        subjects: dict[str, SubjectKind] | None = None,
        locks: Locks = Locks(),  # noqa: B008 (it is frozen)
    ) -> None:
        self.observations = list(observations)
        self.kinds = kinds
        self.targets = targets
        self.caches = sorted(caches)
        """Target and path of each npm cache folder (`_cacache`) that was met."""
        self.installs = frozenset(installs)
        """Targets and folders that are global roots: what is unpacked there is an install, not a project."""
        self.subjects = subjects or {}
        """Targets that are one subject as a whole, and its kind: a repository, an image."""
        self.locks = locks

    def sort(self) -> None:
        """Order the observations by place and content."""
        encode = msgspec.json.Encoder(order="deterministic").encode
        self.observations.sort(key=lambda item: (item.location.target, item.location.path, encode(item)))

    def subject(self, observation: Observation) -> Subject:
        """What an observation is about."""
        whole = self.subjects.get(observation.location.target)
        if whole is not None:
            return Subject(whole, observation.location.target)
        return self._in_place(subject_of(observation, self.kinds, self.targets), observation.location.target)

    def projects(self) -> dict[Observation, str]:
        """The URI of the project of each bundle and each configuration that runs something."""
        return {item: self.subject(item).uri for item in self.observations if owned_by(item.reader, "") is not None}

    def owner(self, observation: Observation) -> Subject:
        """The project or cache that an observation is about, also within a target that is one subject as a whole."""
        return subject_of(observation, self.kinds, self.targets)

    def subject_of_refusal(self, refusal: Refusal) -> Subject:
        """What a refusal is about."""
        whole = self.subjects.get(refusal.target)
        if whole is not None:
            return Subject(whole, refusal.target)
        return self._in_place(subject_of_refusal(refusal, self.kinds), refusal.target)

    def _in_place(self, subject: Subject, target: str) -> Subject:
        if subject.kind == "project" and (target in self.installs or subject.uri in self.installs):
            return Subject("install", subject.uri)
        return subject


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
    found = (exposed(incidents[one.incident], dated(one, known)) for one in _match(catalogue, evidence))
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
    digests = _digests(catalogue)
    archives, hashes = listed_hashes(catalogue)
    runs: dict[tuple[str, str, tuple[str, ...]], list[Observation]] = {}
    yield from mirrored(catalogue, evidence)
    for observation in evidence.observations:
        fact = observation.facts
        if of_mirror(observation):
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
                    sighting = _declared(listing, version, observation, fact, evidence.subject(observation))
                    yield python.declared(sighting, fact) if fact.ecosystem == "PyPI" else sighting
        elif isinstance(fact, CommandFact) and fact.verb in _INSTALLING:
            yield from _typed(catalogue, observation, fact, evidence.subject(observation))
        elif isinstance(fact, PresenceFact) and fact.exists:
            for listing, version in digests.get(_digest_of(fact.path), ()):
                yield _held(listing, version, observation)
        elif isinstance(fact, DigestFact) and fact.equal:
            for listing, version in archives.get(fact.digest, ()):
                yield _archive(listing, version, observation, evidence)
            for incident, indicator in hashes.get(fact.digest, ()):
                sighting = _indicator(incident, indicator, observation, evidence)
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
        sighting = _indicator(planted.incident, planted.indicator, planted.observations[0], evidence)
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
        sighting = _indicator(content.incident, content.indicators[0], content.observations[0], evidence)
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


def _declared(
    listing: Listing, version: Version, observation: Observation, fact: RangeFact, subject: Subject
) -> Sighting:
    return Sighting(
        incident=listing.incident.id,
        subject=subject,
        kind="component",
        status=Status.AFFECTED,
        purl=purl_of(fact.ecosystem, fact.name, version.version),
        depth=Depth.DECLARED,
        confidence=Confidence.MEDIUM,
        role=listing.role(version),
        location=observation.location,
        explanation=asked_words(fact),
        observations=(observation,),
        times=observation.times,
    )


_INSTALLING = ("install", "add", "exec", "x", "dlx", "upgrade", "up", "update", "create")


def _typed(catalogue: Catalogue, observation: Observation, fact: CommandFact, subject: Subject) -> Iterator[Sighting]:
    """A command that asked a package manager for exactly a listed release."""
    for package in fact.packages:
        asked = asked_release(fact, package)
        if asked is None:
            continue
        for listing, release in catalogue.listed(*asked):
            if listing.role(release) is Role.DECOY:
                continue
            yield Sighting(
                incident=listing.incident.id,
                subject=subject,
                kind="component",
                status=Status.AFFECTED,
                purl=purl_of(*asked),
                depth=Depth.DECLARED,
                confidence=Confidence.MEDIUM,
                role=listing.role(release),
                location=observation.location,
                explanation=f"a command asked for exactly this version: {fact.manager} {fact.verb}",
                observations=(observation,),
                times=observation.times,
            )


def _held(listing: Listing, version: Version, observation: Observation) -> Sighting:
    location = observation.location
    cache = location.path.partition("/content-v2/")[0]
    return Sighting(
        incident=listing.incident.id,
        subject=Subject("cache", f"{location.target.rstrip('/')}/{cache}".rstrip("/")),
        kind="component",
        status=Status.AFFECTED,
        purl=purl_of(listing.component.ecosystem, listing.component.name, version.version),
        depth=Depth.FETCHED,
        confidence=Confidence.HIGH,
        role=listing.role(version),
        location=location,
        explanation="the cache still holds its archive, under the listed hash",
        observations=(observation,),
        times=observation.times,
    )


def listed_hashes(
    catalogue: Catalogue,
) -> tuple[dict[str, list[tuple[Listing, Version]]], dict[str, list[tuple[Incident, Indicator]]]]:
    """Hexadecimal digests of listed archives, and of files that indicators name."""
    archives: dict[str, list[tuple[Listing, Version]]] = {}
    for listings in catalogue.listings.values():
        for listing in listings:
            for version in listing.versions.values():
                for digest in (version.sha1, version.sha256, hexadecimal(version.sha512)):
                    if digest:
                        archives.setdefault(digest, []).append((listing, version))
    hashes: dict[str, list[tuple[Incident, Indicator]]] = {}
    for incident in catalogue.incidents:
        for indicator in incident.indicators:
            if indicator.type == "file-hash":
                hashes.setdefault(indicator.value.removeprefix("sha256:"), []).append((incident, indicator))
    return archives, hashes


def wanted_digests(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """Every listed digest by algorithm, told by its length."""
    archives, hashes = listed_hashes(catalogue)
    every = {*archives, *hashes}
    lengths = {"sha1": 40, "sha256": 64, "sha512": 128}
    return {name: frozenset(item for item in every if len(item) == length) for name, length in lengths.items()}


def _archive(listing: Listing, version: Version, observation: Observation, evidence: Evidence) -> Sighting:
    decoy = listing.role(version) is Role.DECOY
    return Sighting(
        incident=listing.incident.id,
        subject=evidence.subject(observation),
        kind="component",
        status=Status.NOT_AFFECTED if decoy else Status.AFFECTED,
        purl=purl_of(listing.component.ecosystem, listing.component.name, version.version),
        depth=Depth.FETCHED,
        confidence=Confidence.HIGH,
        role=listing.role(version),
        location=observation.location,
        explanation="a file here is its archive, by hash",
        observations=(observation,),
        lowered_by=(observation,) if decoy else (),
    )


def _indicator(
    incident: Incident, indicator: Indicator, observation: Observation, evidence: Evidence
) -> Sighting | None:
    """A file that an indicator names by its hash; infrastructure says nothing about a machine."""
    depth = MEANINGS.get(indicator.meaning)
    if depth is None:
        return None
    component, version = representative(incident)
    return Sighting(
        incident=incident.id,
        subject=evidence.subject(observation),
        kind="indicator",
        status=Status.AFFECTED,
        purl=purl_of(component.ecosystem, component.name, version.version),
        depth=depth,
        confidence=Confidence(indicator.confidence),
        role=version.role or component.role,
        location=observation.location,
        explanation=f"a file here is the one that indicator {indicator.id} names by its hash",
        observations=(observation,),
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


def _digests(catalogue: Catalogue) -> dict[str, list[tuple[Listing, Version]]]:
    """Listed releases by the hexadecimal form of their sha512."""
    found: dict[str, list[tuple[Listing, Version]]] = {}
    for listings in catalogue.listings.values():
        for listing in listings:
            for version in listing.versions.values():
                digest = hexadecimal(version.sha512)
                if digest:
                    found.setdefault(digest, []).append((listing, version))
    return found


def _digest_of(path: str) -> str:
    """The digest that a content path of npm's cache spells."""
    return path.partition("/sha512/")[2].replace("/", "")


class DeclaredOnly(msgspec.Struct, frozen=True):
    """A declared range that admits a listed release, in a project where nothing shows what it resolved to."""

    incident: Incident
    observation: Observation
    subject: Subject
    admitted: tuple[str, ...]
    relevant: bool
    commits: tuple[str, ...] = ()
    """Out of a git history: at which commits nothing beside the manifest named the package."""


def declared_only(
    catalogue: Catalogue, evidence: Evidence, settled: frozenset[tuple[str, str]]
) -> Iterator[DeclaredOnly]:
    """Declared ranges that nothing resolved. `settled` holds folder URI and name of what locks and trees resolve.

    A name resolved in its project or in a folder above it (a workspace root) is nothing; a lockfile that does not
    name it resolves nothing of it. Peer dependencies are somebody else's to install. In a git history each commit that
    counts is asked (see `unlocked`).
    """
    beside = beside_answers(evidence.observations)
    for observation in evidence.observations:
        fact = observation.facts
        if not isinstance(fact, RangeFact) or not open_range(fact) or shipped_by(observation.location):
            continue
        subject = evidence.subject(observation)
        place = uri_of(observation.location.target, folder_of(observation.location))
        name = settled_name(fact.ecosystem, fact.name)
        covered = _covered(place, name, observation.location, settled)
        for listing in catalogue.listings.get((fact.ecosystem, fact.name), ()):
            commits: tuple[str, ...] | None = None if covered else ()
            if listing.named and in_history(observation):
                commits = unlocked(observation, name, listing, beside, evidence.locks)
            admitted = catalogue.admitted(fact, listing) if commits is not None else ()
            if admitted:
                yield DeclaredOnly(
                    listing.incident, observation, subject, tuple(admitted), listing.named, commits or ()
                )


def _covered(uri: str, name: str, location: Location, settled: frozenset[tuple[str, str]]) -> bool:
    """Whether a package was resolved in the project or a folder above it, inside the target."""
    base = location.target.rstrip("/")
    while True:
        if (uri, name) in settled:
            return True
        if len(uri) <= len(base) or uri.endswith("!"):
            return False
        uri = uri.rpartition("/")[0]

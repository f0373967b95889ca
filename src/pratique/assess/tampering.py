"""The three states of a package folder whose code rewrites it, told apart by the incident's own rules.

State A: the files that the code removes are there and the manifest says the bad version: installed, execution not
shown. State B: they are gone and the manifest says the version it pretends to be, while a record says that the bad
one was installed: executed. State C is a lockfile alone and is no matter of folders. A folder that looks like state B
without any record is undecided: the attacker's harmless release looks the same.
"""

from __future__ import annotations

import msgspec

from pratique.ecosystems.npm.paths import place_of
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Incident, Role, Tampering
from pratique.model.observation import ComponentFact, FolderFact, Observation
from pratique.model.verdict import Sighting, Status, Subject

STRONG = ("installed-record", "folder-name")
"""Records that a manager makes when it installs; a checkout of another commit cannot change them."""


class Folder(msgspec.Struct, frozen=True):
    """A package folder, the rule that it is tested by, and all that was observed of it."""

    incident: Incident
    rule: Tampering
    purl: str
    role: Role
    subject: Subject
    state: Observation
    fact: FolderFact
    records: tuple[tuple[Observation, ComponentFact], ...]
    asked: tuple[Observation, ...] = ()
    """Installed releases of the same tree that ask for the bad version in a range that the pretended one fails."""

    @property
    def settled(self) -> list[Observation]:
        """Manifest and record observations of the release that the manifest pretends to be: judged here alone."""
        return [o for o, f in self.records if f.version == self.rule.manifest_version_after and f.folder is not None]


def judge_folder(folder: Folder) -> Sighting | None:
    """What the folder's state supports; None where it says nothing beyond what its records say themselves."""
    rule, fact = folder.rule, folder.fact
    if not fact.exists:
        return None
    manifest = next(((o, f) for o, f in folder.records if f.record == "manifest"), None)
    said = manifest[1].version if manifest else None
    strong = [o for o, f in folder.records if f.version == rule.version and f.record in STRONG]
    weak = [o for o, f in folder.records if f.version == rule.version and f.record == "lock"]
    there = [name for name in rule.present_before if name in fact.present]
    gone = all(name in fact.absent for name in rule.absent_after)
    proof = [o for o in (manifest[0] if manifest else None, folder.state) if o is not None]

    if said == rule.version and len(there) == len(rule.present_before):
        text = f"state A: not shown to have run: {', '.join(there)} still there"
        return _sighting(folder, Status.AFFECTED, Depth.INSTALLED, Confidence.HIGH, text, [*proof, *strong])
    if gone and said == rule.manifest_version_after:
        return _cleaned(folder, strong, weak, proof)
    if 0 < len(there) < len(rule.present_before) and said in (rule.version, None) and (strong or weak or said):
        missing = ", ".join(name for name in rule.present_before if name in fact.absent)
        text = f"its clean-up began and did not end: {missing} gone, the manifest says {said or 'nothing'}"
        return _sighting(folder, Status.AFFECTED, Depth.EXECUTED, Confidence.MEDIUM, text, [*proof, *strong, *weak])
    if said == rule.manifest_version_after:
        text = f"the manifest says {said} but {', '.join(there) or 'part of the payload'} is still there"
        return _sighting(
            folder, Status.UNDER_INVESTIGATION, Depth.INSTALLED, Confidence.LOW, text, [*proof, *strong, *weak]
        )
    return None


def _cleaned(
    folder: Folder, strong: list[Observation], weak: list[Observation], proof: list[Observation]
) -> Sighting | None:
    """The folder looks as it does after the clean-up: by the records, did the code run, or is it the decoy?"""
    rule = folder.rule
    shift = f"{rule.version} -> {rule.manifest_version_after}"
    if strong:
        if place_of(f"{folder.fact.folder}/package.json").layout == "pnpm":
            text = f"state B: {shift}: it ran on this machine; pnpm may have replayed the result here"
            return _sighting(folder, Status.AFFECTED, Depth.EXECUTED, Confidence.MEDIUM, text, [*proof, *strong])
        text = f"state B: {shift}: install record and folder disagree; it ran and cleaned up"
        return _sighting(folder, Status.AFFECTED, Depth.EXECUTED, Confidence.HIGH, text, [*proof, *strong])
    decoy = [
        o
        for o, f in folder.records
        if f.version == rule.manifest_version_after
        and f.record == "installed-record"
        and f.integrity
        and (rule.decoy_integrity is None or rule.decoy_integrity in f.integrity)
    ]
    if decoy:
        text = f"attacker's package {rule.manifest_version_after} without payload, by record and folder: remove it"
        sighting = _sighting(folder, Status.NOT_AFFECTED, Depth.INSTALLED, Confidence.MEDIUM, text, [*proof, *decoy])
        return msgspec.structs.replace(sighting, role=Role.DECOY, lowered_by=tuple(decoy))
    if weak:
        text = f"state B: {shift}: lockfile and folder disagree (a checkout can change a lockfile)"
        return _sighting(folder, Status.AFFECTED, Depth.EXECUTED, Confidence.MEDIUM, text, [*proof, *weak])
    if folder.asked:
        by = getattr(folder.asked[0].facts, "asked_by", "")
        text = f"state B: {shift}: {by} here asks for a range that {rule.manifest_version_after} does not satisfy"
        return _sighting(folder, Status.AFFECTED, Depth.EXECUTED, Confidence.MEDIUM, text, [*proof, *folder.asked])
    text = f"decoy {rule.manifest_version_after} or cleaned payload {rule.version}: nothing says which was installed"
    return _sighting(folder, Status.UNDER_INVESTIGATION, Depth.INSTALLED, Confidence.LOW, text, proof)


def _sighting(
    folder: Folder, status: Status, depth: Depth, confidence: Confidence, text: str, proof: list[Observation]
) -> Sighting:
    times = {time for observation in proof for time in observation.times}
    return Sighting(
        incident=folder.incident.id,
        subject=folder.subject,
        kind="tampering",
        status=status,
        purl=folder.purl,
        depth=depth,
        confidence=confidence,
        role=folder.role,
        location=folder.state.location,
        explanation=text,
        observations=tuple(dict.fromkeys(proof)),
        times=tuple(sorted(times)),
    )

"""The sweep of a machine: its target, and what a case may record of a dead man's switch."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import msgspec

from pratique.adapters import machine
from pratique.model.case import CaseFile, Sweep
from pratique.model.errors import TargetError
from pratique.model.incident import Incident
from pratique.model.report import Report
from pratique.model.tables import PROCESS_FILE
from pratique.workflow.plan import PLATFORMS
from pratique.workflow.reporting import unexamined_marker
from pratique.workflow.request import TargetSpec


class SweepRecord(msgspec.Struct, frozen=True):
    """What became of the sweep for one incident's dead man's switch. Not recorded: `outcome` is empty."""

    incident: str
    outcome: str
    words: str
    place: str = ""
    """URI of the target that shows it."""


def host_target(root: Path | None = None) -> TargetSpec:
    """The target of a sweep: this machine, or the folder that another one's disk is mounted on. Raises TargetError."""
    from pratique.targets.host import find, root_of_this_machine

    if root is None:
        return TargetSpec(root_of_this_machine(), "host")
    path = os.path.abspath(root)
    if not os.path.lexists(path):
        raise TargetError("does not exist", where=str(root), advice="Name the folder that the disk is mounted on")
    return TargetSpec(find(os.path.realpath(path))[0], "host")


def record_sweeps(case: CaseFile, report: Report, incidents: Sequence[Incident]) -> list[SweepRecord]:
    """Record for each incident with a dead man's switch whether it was found, where that is known.

    Nothing is recorded where a place of the switch could not be looked at for this account, where the definition names
    none, or where another machine's disk was swept.
    """
    found = []
    for incident in incidents:
        if incident.dead_man_switch is None:
            continue
        record = answer(report, incident)
        if record.outcome:
            entry = Sweep(
                incident=incident.id,
                outcome="found" if record.outcome == "found" else "nothing-found",
                basis="host-sweep",
                report=_digest(report),
                host=report.header.host,
                place=record.place,
                words=record.words,
            )
            case.append("sweep", entry)
        found.append(record)
    return found


def answer(report: Report, incident: Incident) -> SweepRecord:
    """Whether a report of this machine shows that an incident's dead man's switch is set here, or that it is not."""
    targets = {target.uri for target in report.targets if target.kind == "host"}
    own = host_target().uri
    subjects = {subject.id for subject in report.subjects if subject.kind == "machine" and subject.uri in targets}
    seen = [
        sighting
        for sighting in report.sightings
        if sighting.incident == incident.id
        and sighting.subject in subjects
        and sighting.status in ("affected", "under_investigation")
    ]
    if seen:
        return SweepRecord(incident.id, "found", f"{seen[0].explanation[:400]}", seen[0].location.target)
    if own not in targets:
        return SweepRecord(
            incident.id,
            "",
            "not recorded: this machine was not swept; of that disk a person says what became of the switch",
        )
    system = PLATFORMS.get(sys.platform, "linux")
    if not names_a_place(incident, system):
        said = f"not recorded: the definition names no place of the switch on {system}; look by hand, and say so"
        return SweepRecord(incident.id, "", said)
    if report.coverage.interrupted:
        return SweepRecord(incident.id, "", "not recorded: the sweep was interrupted")
    if not any(item.id == incident.id for item in report.incidents):
        return SweepRecord(incident.id, "", "not recorded: this incident was not asked about")
    gaps = _gaps(report, incident, own)
    if gaps:
        more = f" and {len(gaps) - 3} more" if len(gaps) > 3 else ""
        return SweepRecord(incident.id, "", f"not recorded: {'; '.join(gaps[:3])}{more}")
    account = machine.account()
    words = f"nothing of the switch lies or runs here, as far as the account {account} can see"
    return SweepRecord(incident.id, "nothing-found", words, own)


def names_a_place(incident: Incident, system: str) -> bool:
    """Whether a definition says where an incident's dead man's switch lies on a system."""
    return any(
        item.type == "file-path"
        and item.meaning == "persisted"
        and not item.value.startswith("**/")
        and (not item.platforms or system in item.platforms)
        for item in incident.indicators
    )


def _gaps(report: Report, incident: Incident, own: str) -> list[str]:
    """What could hide the switch of this account: gaps in its home, and in the table of processes as a whole."""
    home = machine.home()
    base = unquote(own.partition("://")[2]).rstrip("/")
    inside = os.path.realpath(home)[len(base) :].replace("\\", "/").strip("/") if home else ""
    if not home:
        return ["this account has no home folder here"]
    marker = unexamined_marker(incident)
    found = []
    for item in report.coverage.refusals:
        if item.target != own or not item.relevant or (item.names and marker not in item.names):
            continue
        at_home = f"{item.path}/".startswith(f"{inside}/") or f"{inside}/".startswith(f"{item.path.rstrip('/')}/")
        whole = item.path == "." or (item.path == PROCESS_FILE and "executable" not in item.reason)
        if at_home or whole:
            found.append(f"{item.path}: {item.reason}")
    return found


def gap_advice(report: Report) -> list[str]:
    """What to do about the gaps of this machine, in at most two lines; nothing where it has none."""
    own = host_target().uri
    gaps = [item for item in report.coverage.refusals if item.target == own and item.relevant and not item.accepted]
    if not gaps:
        return []
    tables = [item.reason for item in gaps if item.path == PROCESS_FILE and "could not be seen" in item.reason]
    if not machine.is_root():
        return [f"gaps: {len(gaps)} on this machine; run it as root, which opens most of them"]
    lines = []
    if tables:
        lines.append(f"gap: {tables[0]}; look there by hand, then --accept-refusal {PROCESS_FILE}=WHY")
    if len(gaps) > len(tables):
        rest = next(item for item in gaps if item.reason not in tables)
        more = f" and {len(gaps) - len(tables) - 1} more" if len(gaps) - len(tables) > 1 else ""
        lines.append(f"gap: {rest.path}: {rest.reason}{more}; look there by hand, then --accept-refusal PATH=WHY")
    return lines


def _digest(report: Report) -> str:
    return "sha256:" + hashlib.sha256(msgspec.json.encode(report, order="deterministic")).hexdigest()

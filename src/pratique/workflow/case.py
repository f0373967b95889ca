"""Verbs on a case: make, open, add evidence and notes, record what was done, say where it stands."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from pratique.adapters import clock, machine
from pratique.casefile.case import Author, Case, covered, create
from pratique.casefile.case import open_case as opened
from pratique.model import plan as plans
from pratique.model.case import Entry, EvidenceItem, MissingEvidence, Rotation, Sweep
from pratique.model.errors import CaseError, UsageError
from pratique.model.incident import Incident
from pratique.model.ports import Unreadable
from pratique.model.report import Report
from pratique.targets.evidence import Content, described
from pratique.version import VERSION
from pratique.workflow import select
from pratique.workflow.switch import swept

if TYPE_CHECKING:
    from pratique.workflow.collect import Collected

ROTATION_STATES: tuple[str, ...] = ("open", "new-issued", "deployed", "revoked", "verified", "not-needed")
GRADES: tuple[str, ...] = ("asked", "issuer-lists-it", "audit-event", "last-used-stopped", "negative-probe")
OUTCOMES: tuple[str, ...] = ("nothing-found", "removed", "found")
BATCH = 64 << 20
"""So many bytes of evidence are written as one durable step."""


def author(now: Callable[[], datetime.datetime] = clock.now) -> Author:
    """This account on this machine, and this program."""
    return Author(who=f"{machine.account()}@{clock.host()}", tool=f"pratique {VERSION}", now=now)


def new_case(
    folder: Path, *, incidents: Sequence[str] = (), definitions: Path | None = None, key: Path | None = None
) -> Case:
    """Make a case for these incidents (ids or files) and open it. Raises CaseError, IncidentError."""
    chosen: dict[str, str] = {}
    if incidents:
        selection = select.select(incidents=incidents, folder=definitions, today=clock.now().date(), every=True)
        chosen = {item.id: selection.digests[item.id] for item in selection.incidents}
    return create(folder, author(), incidents=chosen, key=key)


def open_case(folder: Path, *, key: Path | None = None, writing: bool = True) -> Case:
    """Open a case; without `writing` neither its key nor a writable folder is needed. Raises CaseError."""
    return opened(folder, author(), key=key, writing=writing)


class Added(msgspec.Struct, kw_only=True):
    """What became of the files that were to be added."""

    items: list[EvidenceItem] = []
    missing: list[MissingEvidence] = []


def add_evidence(case: Case, paths: Iterable[str], *, what: str = "", sensitive: bool = False) -> Added:
    """Copy files into the case, those of folders too, in order of name. Nothing is opened but plain files.

    What cannot be read is recorded as missing. A symbolic link is kept as the text of where it leads.
    """
    added = Added()
    own = os.path.realpath(case.folder)
    waiting = list(_files(paths, own))
    position = 0
    while position < len(waiting):
        with case.together():
            octets = 0
            while position < len(waiting) and octets < BATCH:
                found = _add(case, waiting[position], what, sensitive)
                position += 1
                if isinstance(found, MissingEvidence):
                    added.missing.append(found)
                else:
                    added.items.append(found)
                    octets += found.size
    return added


def _files(paths: Iterable[str], own: str) -> Iterable[str]:
    """Every file that was named or lies below a folder that was; the folder of the case itself is left out."""
    for path in paths:
        absolute = os.path.abspath(path)
        if not os.path.lexists(absolute):
            raise UsageError("does not exist", where=path, advice="Name a file or folder that exists")
        if os.path.join(os.path.realpath(absolute), "").startswith(os.path.join(own, "")):
            raise UsageError("lies in the case itself", where=path, advice="Name something outside of it")
        if os.path.isdir(absolute) and not os.path.islink(absolute):
            yield from _below(absolute, own)
        else:
            yield absolute


def _below(folder: str, own: str) -> Iterable[str]:
    """Every file below a folder; a folder that cannot be listed stands for itself."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if os.path.realpath(entry.path) != own:
                yield from _below(entry.path, own)
        else:
            yield entry.path


def _add(case: Case, path: str, what: str, sensitive: bool) -> EvidenceItem | MissingEvidence:
    name = what or os.path.basename(path)
    try:
        times = described(path)
        item = EvidenceItem(
            what=name,
            source=path,
            digest="",
            size=0,
            modified=times.modified,
            changed=times.changed,
            accessed=times.accessed,
            born=times.born,
            mode=times.mode,
            owner=times.owner,
            links_to=times.link,
            sensitive=sensitive,
        )
        if times.link is not None:
            return case.keep(item, os.fsencode(times.link))
        with Content(path) as content:
            return case.keep(item, content.read())
    except Unreadable as error:
        return _lacking(case, name, path, error.reason)
    except OSError as error:
        return _lacking(case, name, path, (error.strerror or type(error).__name__).lower())


def _lacking(case: Case, what: str, path: str, reason: str) -> MissingEvidence:
    missing = MissingEvidence(what=what, source=path, reason=reason)
    case.lacks(missing)
    return missing


def add_note(case: Case, text: str) -> Entry:
    """Write a person's words. Raises UsageError where there are none."""
    if not text.strip():
        raise UsageError("a note needs words")
    return case.append("note", {"text": text})


def record_report(case: Case, report: Report, incidents: Sequence[Incident]) -> Collected:
    """Write the whole report of a check, then copy the evidence that its incidents ask for."""
    from pratique.workflow.collect import collect

    case.append("report", report)
    return collect(case, report, incidents)


def record_done(
    case: Case,
    subject: str,
    *,
    state: str | None = None,
    grade: str | None = None,
    outcome: str | None = None,
    words: str = "",
) -> Entry:
    """Write that a person did something: a step of the last plan, a rotation, or `sweep:INCIDENT`.

    Raises UsageError where the case knows no such step, credential or incident.
    """
    if subject.startswith("sweep:"):
        if state is not None or grade is not None:
            raise UsageError("--state and --grade belong to a credential", advice="Add --outcome instead")
        return _swept(case, subject.removeprefix("sweep:"), outcome, words)
    if outcome is not None:
        raise UsageError("--outcome belongs to sweep:INCIDENT")
    step = _step(case, subject)
    if step is not None:
        if state is not None or grade is not None:
            raise UsageError(f"{subject} is a step: --state and --grade belong to a credential")
        digest, identifier = step
        time = case.author.time()
        receipt = plans.Receipt(
            schema=plans.RECEIPT,
            plan=digest,
            step=identifier,
            outcome="by-hand",
            started=time,
            finished=time,
            who=case.author.who,
            message=words,
        )
        return case.append("receipt", receipt)
    known = _credentials(case)
    if subject not in known:
        near = [name for name in (*known, *_steps(case)) if subject.lower() in name.lower()]
        raise UsageError(
            f"the case knows no step and no credential {subject!r}",
            advice=f"Did you mean {', '.join(near[:3])}?"
            if near
            else "`pratique case status` names those that are open",
        )
    if state is None:
        raise UsageError(
            f"{subject} is a credential: its state is missing",
            advice=f"Add --state {'|'.join(ROTATION_STATES)}",
        )
    rotation = Rotation(
        credential=subject,
        state=cast(Any, _one_of(state, ROTATION_STATES, "--state")),
        grade=cast(Any, _one_of(grade, GRADES, "--grade") if grade else ""),
        words=words,
    )
    return case.append("rotation", rotation)


def _one_of(word: str, words: tuple[str, ...], option: str) -> str:
    if word not in words:
        raise UsageError(f"is none of {', '.join(words)}", where=f"{option} {word}")
    return word


def _swept(case: Case, incident: str, outcome: str | None, words: str) -> Entry:
    known = {*case.incidents, *_incidents_of_reports(case)}
    if incident not in known:
        raise UsageError(
            f"the case is about no incident {incident!r}",
            advice=f"It is about {', '.join(sorted(known)[:5])}" if known else "Run a check with --case first",
        )
    if outcome is None:
        raise UsageError("the outcome of the sweep is missing", advice=f"Add --outcome {'|'.join(OUTCOMES)}")
    chosen = cast(Literal["nothing-found", "removed", "found"], _one_of(outcome, OUTCOMES, "--outcome"))
    return case.append("sweep", Sweep(incident=incident, outcome=chosen, basis="by-hand", words=words))


def _incidents_of_reports(case: Case) -> set[str]:
    return {str(item.get("id")) for entry in case.entries("report") for item in _listed(entry, "incidents")}


def _listed(entry: Entry, key: str) -> list[dict[str, Any]]:
    """The objects in a list of an entry's body: of any form, for the file may have been changed."""
    found = entry.body.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def last_plan(case: Case) -> tuple[str, dict[str, Any]] | None:
    """Digest and document of the last plan of a case."""
    last = None
    for entry in case.entries("plan"):
        last = entry
    if last is None:
        return None
    try:
        return msgspec.convert(last.body, plans.Plan).digest, last.body
    except msgspec.ValidationError:
        raise CaseError(f"entry {last.number} holds no plan that this program understands", where=case.folder) from None


def _steps(case: Case) -> list[str]:
    plan = last_plan(case)
    return [str(step.get("id")) for step in plan[1].get("steps", ())] if plan else []


def _step(case: Case, subject: str) -> tuple[str, str] | None:
    plan = last_plan(case)
    if plan is None or subject not in (step.get("id") for step in plan[1].get("steps", ())):
        return None
    return plan[0], subject


def _credentials(case: Case) -> dict[str, str]:
    """Ids of the credentials of every reach report, each once, and what each is."""
    found: dict[str, str] = {}
    for entry in case.entries("reach"):
        for item in _listed(entry, "credentials"):
            if isinstance(item.get("id"), str):
                fact = item.get("fact")
                field = fact.get("field", "") if isinstance(fact, dict) else ""
                found[item["id"]] = f"{item.get('provider', '')}: {field} in {item.get('place', '')}"
    return found


class CaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case stands."""

    schema: str
    id: str
    folder: str
    incidents: tuple[str, ...]
    opened: str
    by: str
    entries: int
    head: str
    last: str
    """When the last entry was written."""
    evidence: int
    octets: int
    missing: int
    """What should have been copied and could not be."""
    reports: int
    sealed: bool
    sealed_to: int
    """Number of the last entry that a seal covers; 0 where there is no seal."""
    seals: int
    open_steps: tuple[str, ...]
    """Steps of the last plan without a receipt."""
    open_credentials: tuple[str, ...]
    """Credentials whose last state is not `verified`, `revoked` or `not-needed`."""
    steps: int
    """Steps of the last plan."""
    credentials: int
    names: dict[str, str]
    """What open steps and open credentials are, by id."""
    sweeps: dict[str, str]
    """Incident to the last outcome of the sweep for its dead man's switch; `found` where it was seen again since."""
    key_here: bool


STATUS = "pratique.case-status/1"


def case_status(case: Case) -> CaseStatus:
    """Where a case stands. Nothing is recomputed: that is `verify_case`."""
    counts: dict[str, int] = {}
    first: Entry | None = None
    last: Entry | None = None
    octets = 0
    seen: set[str] = set()
    credentials = _credentials(case)
    states: dict[str, str] = dict.fromkeys(credentials, "open")
    sweeps: dict[str, str] = {}
    done: set[tuple[str, str]] = set()
    for entry in case.entries():
        first = first or entry
        last = entry
        counts[entry.kind] = counts.get(entry.kind, 0) + 1
        body = entry.body
        if entry.kind == "evidence" and body.get("digest") not in seen:
            seen.add(str(body.get("digest")))
            octets += size if isinstance(size := body.get("size"), int) else 0
        elif entry.kind == "rotation":
            states[str(body.get("credential"))] = str(body.get("state"))
        elif entry.kind == "sweep":
            sweeps[str(body.get("incident"))] = str(body.get("outcome"))
        elif entry.kind == "receipt":
            receipt = str(body.get("plan")), str(body.get("step"))
            (done.add if body.get("outcome") in ("done", "by-hand") else done.discard)(receipt)
    plan = last_plan(case)
    titles = {str(step.get("id")): str(step.get("title", "")) for step in plan[1].get("steps", ())} if plan else {}
    digest = plan[0] if plan else ""
    shown = plans.shown_by_case(sealed=case.sealed, evidence=len(seen))
    open_steps = tuple(step for step in titles if (digest, step) not in done and step not in shown)
    open_credentials = tuple(
        name for name, state in states.items() if state not in ("verified", "revoked", "not-needed")
    )
    if first is None or last is None:
        raise CaseError("the journal is empty", where=case.folder)
    return CaseStatus(
        schema=STATUS,
        id=case.id,
        folder=case.folder,
        incidents=case.incidents,
        opened=first.time,
        by=first.who,
        entries=last.number,
        head=last.digest,
        last=last.time,
        evidence=len(seen),
        octets=octets,
        missing=counts.get("missing", 0),
        reports=counts.get("report", 0),
        sealed=case.sealed,
        sealed_to=covered(case.journal.rows("seal"))[0],
        seals=counts.get("seal", 0),
        open_steps=open_steps,
        open_credentials=open_credentials,
        steps=len(titles),
        credentials=len(states),
        names={name: {**credentials, **titles}.get(name, "") for name in (*open_steps, *open_credentials)},
        sweeps={
            name: outcome if outcome == "found" or swept(case, name) else "found"
            for name, outcome in sorted(sweeps.items())
        },
        key_here=case.has_key,
    )

"""Which incidents a run is about: bundled ones, a folder of definitions, single files, flat lists."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pratique.incidents import library
from pratique.incidents.index import load_bundled
from pratique.model.errors import IncidentError, UsageError
from pratique.model.incident import Incident
from pratique.workflow.reporting import examinable, unread

Moments = tuple[datetime.datetime, datetime.datetime | None]


class Selection(msgspec.Struct, frozen=True):
    """The incidents of a run; `named` are those asked for by name, `digests` of their definitions by id."""

    incidents: tuple[Incident, ...]
    named: frozenset[str]
    digests: dict[str, str]
    notes: tuple[str, ...]


def available(folder: Path | None = None) -> tuple[dict[str, Incident], list[str]]:
    """Bundled definitions, replaced by those of a folder that have the same id and no lower revision.

    Returns them by id, and a note for each one replaced or passed over. Raises IncidentError.
    """
    found = {incident.id: incident for incident in load_bundled()}
    notes = []
    if folder is not None:
        if not folder.is_dir():
            raise UsageError("is no folder", where=str(folder), advice="--incidents names a folder of TOML files")
        for incident in library.load_directory(folder):
            known = found.get(incident.id)
            if known is not None and incident.revision < known.revision:
                notes.append(
                    f"NOTE  {incident.id}: revision {incident.revision} of {folder} is older than the bundled one,"
                    f" {known.revision}, which was used"
                )
                continue
            if known is not None:
                notes.append(f"NOTE  {incident.id}: revision {incident.revision} of {folder} replaces {known.revision}")
            found[incident.id] = incident
    return found, notes


def select(
    *,
    incidents: Sequence[str] = (),
    folder: Path | None = None,
    bad: Sequence[str] = (),
    bad_lists: Sequence[Path] = (),
    window: Moments | None = None,
    today: datetime.date,
    every: bool = False,
) -> Selection:
    """The incidents that the options ask for; all available where they name none. Raises IncidentError, UsageError.

    `every`: also those of ecosystems that no reader knows.
    """
    if window is not None and not (bad or bad_lists):
        raise UsageError("--window belongs to --bad or --bad-list")
    chosen: dict[str, Incident] = {}
    notes: list[str] = []
    if incidents or not (bad or bad_lists):
        known, notes = available(folder)
        for text in incidents:
            incident = _one(text, known)
            chosen[incident.id] = incident
        if not incidents:
            chosen = {key: incident for key, incident in known.items() if every or examinable(incident)}
            left = sorted(set(known) - set(chosen))
            if left:
                shown = ", ".join(left[:3]) + (", ..." if len(left) > 3 else "")
                notes.append(f"NOTE  not examined, no reader of their ecosystem yet: {len(left)} ({shown})")
    partly = [
        key for key, incident in sorted(chosen.items()) if not every and examinable(incident) and unread(incident)
    ]
    if partly:
        worlds = sorted({world for key in partly for world in unread(chosen[key])})
        notes.append(f"NOTE  examined in part, without their {' and '.join(worlds)} packages: {', '.join(partly)}")
    named = set(incidents and chosen)
    flats: list[Incident] = []
    if bad or bad_lists:
        from pratique.incidents import flat
    if bad:
        flats.append(flat.from_bad(list(bad), window=window, today=today))
    flats += [flat.from_list(path, window=window, today=today) for path in bad_lists]
    for incident in flats:
        chosen[incident.id] = incident
        named.add(incident.id)
        unused = incident.summary.partition("Not used")[2]
        if unused:
            notes.append(f"NOTE  {incident.title}: not used{unused}")
    ordered = tuple(chosen[key] for key in sorted(chosen))
    return Selection(ordered, frozenset(named), {item.id: digest(item) for item in ordered}, tuple(notes))


def _one(text: str, known: dict[str, Incident]) -> Incident:
    """An incident by id or by file."""
    if text in known:
        return known[text]
    path = Path(text)
    if path.suffix == ".toml" or path.is_file():
        return library.load_file(path)
    near = [key for key in sorted(known) if text.lower() in key]
    advice = f"Did you mean {', '.join(near[:3])}?" if near else "`pratique incident list` names all"
    raise IncidentError(f"there is no incident {text!r}", advice=advice)


def digest(incident: Incident) -> str:
    """The SHA-256 of a definition's canonical JSON."""
    return "sha256:" + hashlib.sha256(msgspec.json.encode(incident, order="deterministic")).hexdigest()


def load_incident(path: Path) -> Incident:
    """One definition out of a file. Raises IncidentError."""
    return library.load_file(path)

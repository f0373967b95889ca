"""What a guarded command did, written into a case: its report and events as evidence, each detection as an entry."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec

from pratique.adapters import clock
from pratique.model.case import EvidenceItem
from pratique.model.errors import CaseError
from pratique.model.event import EVENT_SCHEMA, Detection, Event
from pratique.model.guarded import Guarded
from pratique.model.noticed import Noticed
from pratique.report.guard_json import guard_json
from pratique.workflow.case import add_evidence, open_case

SOURCE = "live:guard"
"""Where the report and the events come from that lie in no file."""
MOST_DETECTIONS = 1000


def usable(folder: Path, key: Path | None) -> None:
    """Open a case and let go of it. Raises CaseError where nothing could be written into it."""
    open_case(folder, key=key).close()


def journaled(guarded: Guarded, folder: Path, key: Path | None, events: Path | None) -> tuple[str, str]:
    """Write a run into a case. What was written, in words, and why not all was; one of them may be empty.

    `events` is the file that holds all events; without it those that are held are kept.
    """
    try:
        with open_case(folder, key=key) as case:
            number = 0
            with case.together():
                for one in guarded.detections[:MOST_DETECTIONS]:
                    if not one.silenced_by:
                        case.append("detection", _noticed(guarded, one))
                        number += 1
            command = " ".join(guarded.command)[:200]
            report = EvidenceItem(what=f"report of guard: {command}", source=SOURCE, digest="", size=0)
            case.keep(report, guard_json(guarded))
            item = EvidenceItem(what=f"events of guard: {command}", source=SOURCE, digest="", size=0, sensitive=True)
            lacking = ""
            if events is None or not events.is_file():
                case.keep(item, _lines(guarded.events))
                lacking = f"{guarded.left_out} events that are not held" if guarded.left_out else ""
            else:
                added = add_evidence(case, [str(events)], what=item.what, sensitive=True)
                lacking = "; ".join(one.reason for one in added.missing)
            if len(guarded.detections) > MOST_DETECTIONS:
                lacking = "; ".join(filter(None, (lacking, f"detections beyond {MOST_DETECTIONS}")))
            return f"{case.id}: {number} detections, the report and the events", lacking
    except (CaseError, OSError) as error:
        return "", str(error)


def _noticed(guarded: Guarded, detection: Detection) -> Noticed:
    """A detection as an entry, with the events that it rests on, as far as they are held."""
    wanted = frozenset(detection.events)
    events = tuple(one for one in guarded.events if one.sequence in wanted)
    moment = datetime.datetime.fromtimestamp(events[-1].time_ns / 1e9, datetime.UTC) if events else clock.now()
    return Noticed(
        time=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        host=clock.host(),
        detection=detection,
        events=events,
    )


def _lines(events: tuple[Event, ...]) -> bytes:
    """Events as `--events` writes them."""
    encode = msgspec.json.Encoder().encode
    return b"".join([encode({"schema": EVENT_SCHEMA}) + b"\n", *(encode(one) + b"\n" for one in events)])

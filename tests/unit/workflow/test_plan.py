"""From a report or a case to what the planners are handed."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec
import pytest

from pratique.adapters import clock
from pratique.model.case import Sweep
from pratique.model.errors import UsageError
from pratique.model.location import Location
from pratique.model.report import ObservationEntry, Report
from pratique.model.verification import Verification
from pratique.respond import seen
from pratique.workflow.held import held
from pratique.workflow.plan import PlanRequest, last_reports, plan, read_report
from pratique.workflow.switch import swept
from tests.property.test_plan_laws import report_of
from tests.unit.respond.planning import situation_of

NAMED = "tanstack-2026-05-11"


def live(path: str, target: str = "host+file:///") -> Report:
    """A report of this machine in which a file was seen that an indicator names."""
    report = report_of([NAMED])
    place = Location(target, path.lstrip("/"))
    fact = ObservationEntry(
        id="f" * 16, kind="presence", reader="probe", location=place, facts={"path": path, "exists": True}
    )
    sighting = msgspec.structs.replace(
        report.sightings[0], kind="indicator", location=place, observations=(fact.id,), inferred=False, current=True
    )
    entry = msgspec.structs.replace(report.targets[0], uri=target, kind="host")
    return msgspec.structs.replace(
        report,
        sightings=(sighting,),
        observations=(fact,),
        targets=(entry, *report.targets),
        subjects=tuple(msgspec.structs.replace(item, kind="machine") for item in report.subjects),
    )


def later() -> str:
    return clock.iso(clock.now() + datetime.timedelta(days=1))


def test_what_was_seen_on_the_running_machine_is_held_by_kind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    unit = home / ".config" / "systemd" / "user" / "watch.service"
    script = home / ".local" / "bin" / "watch.sh"
    for path in (unit, script):
        path.parent.mkdir(parents=True)
        path.write_text("x")
    for path, what in ((unit, "user-unit"), (script, "dropped-file")):
        found, notes = held(seen.sights(situation_of(live(str(path)))), later())
        assert [(item.path, item.what) for item in found] == [(str(path), what)]
        assert notes == []
        other, _ = held(seen.sights(situation_of(live(str(path), f"host+{tmp_path.as_uri()}"))), later())
        assert other == (), "the disk of another machine is no place to move things on"


class Journal:
    """As much of a case as is asked."""

    folder = "case"

    def __init__(self, *records: Sweep | Report | Verification) -> None:
        self.records = records

    def entries(self, *kinds: str):
        from pratique.model.case import Entry

        for number, record in enumerate(self.records, 1):
            kind = {Sweep: "sweep", Report: "report", Verification: "verification"}[type(record)]
            if kind in kinds:
                body = msgspec.to_builtins(record)
                yield Entry(number=number, kind=kind, time="", who="", tool="", body=body, previous="", digest="")


def test_a_sweep_counts_until_a_machine_shows_more() -> None:
    gone = Sweep(incident=NAMED, outcome="removed", basis="by-hand")
    there = Sweep(incident=NAMED, outcome="found", basis="host-sweep")
    other = Sweep(incident="chaindrop-2026-08-04", outcome="removed", basis="by-hand")
    seen_again = live("/home/dev/x")
    looked = Verification(
        schema="pratique.verification/1", tool="", host="laptop", made="", case="", status="affected",
        subjects=(), credentials=(), open=(), report=seen_again,
    )  # fmt: skip
    cases: list[tuple[tuple[Sweep | Report | Verification, ...], bool]] = [
        ((), False),
        ((gone,), True),
        ((there,), False),
        ((gone, there), False),
        ((there, gone), True),
        ((other,), False),
        ((seen_again, gone), True),
        ((gone, seen_again), False),
        ((gone, report_of([NAMED])), True),
        ((gone, seen_again, gone), True),
        ((gone, looked), False),
        ((gone, msgspec.structs.replace(looked, report=None)), True),
        ((gone, looked, gone), True),
    ]
    for records, wanted in cases:
        assert swept(Journal(*records), NAMED) is wanted, records


def test_a_sweep_answers_for_the_machine_and_the_disk_that_it_looked_at() -> None:
    disk = "host+file:///mnt/mac"
    here = live("/home/dev/x")
    host = here.header.host

    def record(outcome: str, place: str, machine: str = host) -> Sweep:
        return Sweep(incident=NAMED, outcome=outcome, basis="host-sweep", host=machine, place=place)

    on_disk = live("/mnt/mac/x", disk)
    nothing = record("nothing-found", "host+file:///")
    by_hand = Sweep(incident=NAMED, outcome="removed", basis="by-hand")
    said = Sweep(incident=NAMED, outcome="found", basis="by-hand")
    cases: list[tuple[tuple[Sweep | Report, ...], bool]] = [
        ((here, record("found", "host+file:///"), nothing), True),
        ((on_disk, record("found", disk), nothing), False),
        ((on_disk, nothing), False),
        ((on_disk, nothing, by_hand), True),
        ((by_hand, on_disk), False),
        ((here, record("nothing-found", "host+file:///", "another")), False),
        ((said, nothing), True),
    ]
    for records, wanted in cases:
        assert swept(Journal(*records), NAMED) is wanted, records


def test_a_machine_that_was_reached_waits_for_its_own_sweep() -> None:
    here = report_of([NAMED])
    there = msgspec.structs.replace(here, header=msgspec.structs.replace(here.header, host="runner-7"))
    mine, theirs = (
        Sweep(incident=NAMED, outcome="nothing-found", basis="host-sweep", host=name, place="host+file:///")
        for name in (here.header.host, "runner-7")
    )
    by_hand = Sweep(incident=NAMED, outcome="removed", basis="by-hand")
    kept = tuple(msgspec.structs.replace(target, kind="ci-log") for target in there.targets)
    cases: list[tuple[tuple[Sweep | Report, ...], bool]] = [
        ((here, mine), True),
        ((here, there, mine), False),
        ((here, mine, there), False),
        ((here, there, mine, theirs), True),
        ((here, there, by_hand), True),
        ((here, msgspec.structs.replace(there, targets=kept), mine), True),
    ]
    for records, wanted in cases:
        assert swept(Journal(*records), NAMED) is wanted, records


def test_a_trace_that_was_taken_away_makes_no_run_undone() -> None:
    machine = live("/home/dev/x")
    nothing = msgspec.structs.replace(machine, sightings=(), verdicts=(), observations=())
    found = last_reports(Journal(machine, nothing))
    assert found == (machine, nothing)
    assert last_reports(Journal(machine, nothing, nothing)) == (machine, nothing)


def test_the_last_report_of_each_set_of_places_counts() -> None:
    first, second = report_of([NAMED]), report_of(["axios-2026-03-31"])
    machine = live("/home/dev/x")
    found = last_reports(Journal(first, machine, second))
    assert found == (machine, second)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff\xfe", b"[" * 10_000])
def test_what_is_no_report_is_refused(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(text)
    with pytest.raises(UsageError):
        read_report(str(path))


def test_a_plan_needs_something_to_rest_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        plan(PlanRequest())
    with pytest.raises(UsageError):
        plan(PlanRequest(report=str(tmp_path / "missing.json")))

"""Small situations for the planners: a report with one verdict, a reach report with the credentials named."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pratique.incidents.index import load
from pratique.model.case import Rotation
from pratique.model.credential import SCHEMA as REACH
from pratique.model.credential import Credential, CredentialFact, ReachRefusal, ReachReport
from pratique.model.location import Location
from pratique.model.report import (
    SCHEMA,
    CoverageEntry,
    Header,
    IncidentEntry,
    ObservationEntry,
    RefusalEntry,
    Report,
    Scope,
    SubjectEntry,
    TargetEntry,
    Tool,
    VerdictEntry,
)
from pratique.respond.situation import Situation

TODAY = datetime.date(2026, 11, 26)


def report(
    *verdicts: tuple[str, str, str | None, str],
    jobs: Sequence[Mapping[str, Any]] = (),
    refusals: Sequence[RefusalEntry] = (),
    complete: bool = True,
    targets: Sequence[TargetEntry] = (),
) -> Report:
    """A report of (incident, status, depth, uri of the subject) for each verdict."""
    bundle = load()
    subjects = {uri: f"s{number}" for number, uri in enumerate(dict.fromkeys(item[3] for item in verdicts))}
    incidents = []
    for name in dict.fromkeys(item[0] for item in verdicts):
        incident = bundle.incident(name)
        mine = [item for item in verdicts if item[0] == name]
        totals = {status: sum(item[1] == status for item in mine) for status in {item[1] for item in mine}}
        incidents.append(
            IncidentEntry(
                id=name,
                title=incident.title,
                revision=incident.revision,
                completeness=incident.completeness,
                listed=2,
                listed_on="2026-11-20",
                digest="",
                totals=totals,
                worst=mine[0][1],
            )
        )
    return Report(
        header=Header(
            schema=SCHEMA,
            tool=Tool(name="pratique", version="0"),
            started="2026-11-26T08:00:00Z",
            finished="2026-11-26T08:00:01Z",
            host="laptop",
            scope=Scope(statement="the folder shop"),
        ),
        targets=tuple(targets),
        subjects=tuple(SubjectEntry(id=key, kind="project", uri=uri) for uri, key in subjects.items()),
        incidents=tuple(incidents),
        verdicts=tuple(
            VerdictEntry(
                incident=name,
                subject=subjects[uri],
                status=status,
                depth=depth,
                current=True,
                confidence="high",
                summary="seen",
                sightings=(f"sighting-{number}",) if depth else (),
            )
            for number, (name, status, depth, uri) in enumerate(verdicts)
        ),
        sightings=(),
        observations=tuple(
            ObservationEntry(
                id=f"job-{number}",
                kind="job",
                reader="ci-workflow",
                location=Location("file:///logs", "1.txt"),
                facts=dict(facts),
            )
            for number, facts in enumerate(jobs)
        ),
        coverage=CoverageEntry(
            complete=complete,
            interrupted=False,
            entries=10,
            artifacts=5,
            bytes=100,
            from_cache=0,
            projects=1,
            by_reader={},
            refusals=tuple(refusals),
            skipped_by_rule=(),
        ),
    )


def credential(provider: str, **values: Any) -> Credential:
    """A credential of a provider in `$HOME/.<provider>`."""
    fact = values.pop("fact", None) or CredentialFact(field=values.pop("field", "token"))
    known: dict[str, Any] = {
        "id": f"{provider}-1",
        "location": provider,
        "provider": provider,
        "tier": 0,
        "place": f"$HOME/.{provider}",
        "fact": fact,
        "reach": "readable",
        "rotation": provider,
    }
    return Credential(**{**known, **values})


def reach(credentials: Iterable[Credential], refusals: Iterable[ReachRefusal] = (), **values: Any) -> ReachReport:
    """An inventory."""
    return ReachReport(
        **{
            "schema": REACH,
            "tool": "pratique 0",
            "host": "laptop",
            "made": "2026-11-26T08:10:00Z",
            "identity": "uid 1000",
            "catalogue": "1",
            "looked_at": 100,
            "credentials": tuple(credentials),
            "refusals": tuple(refusals),
            **values,
        }
    )


def situation(
    *reports: Report, found: ReachReport | None = None, rotations: Mapping[str, Rotation] | None = None, **values: Any
) -> Situation:
    """A situation of this laptop."""
    bundle = load()
    names = {item.id for one in reports for item in one.incidents}
    return Situation(
        reports=reports,
        incidents={name: bundle.incident(name) for name in sorted(names)},
        today=TODAY,
        host="laptop",
        platform="linux",
        reach=found,
        rotations=rotations or {},
        **values,
    )


AXIOS = ("axios-2026-03-31", "affected", "executed", "file:///home/dev/shop")
"""A verdict: the axios incident ran in a project."""

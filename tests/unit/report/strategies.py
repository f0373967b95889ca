"""Reports of any shape, with hostile text wherever text from outside can stand."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from pratique.model.location import Inside, Location
from pratique.model.observation import Time
from pratique.model.report import (
    SCHEMA,
    CoverageEntry,
    GuidanceEntry,
    Header,
    IncidentEntry,
    ObservationEntry,
    RefusalEntry,
    Report,
    Scope,
    SightingEntry,
    SkippedEntry,
    SubjectEntry,
    TargetEntry,
    Tool,
    VerdictEntry,
    WindowEntry,
)
from pratique.report.words import DEPTHS, KINDS

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "a\u202egnp.exe",
    "\u2066x\u2069",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><svg onload=alert(1)>",
    "javascript:alert(1)",
    "](javascript:alert(1))",
    "![x](//example.invalid/x.png)",
    "[x]: //example.invalid",
    "@security-team",
    "#1 GH-2 !3",
    "a|b|c",
    "`` ` ```",
    "*bold* _it_ ~~no~~",
    "www.example.invalid",
    "line\nbreak\r\n\tand tab",
    "\n# heading\n",
    "{{ 7*7 }}{% raw %}",
    "../../../etc/passwd",
    "\u3164\u200b\ufeff",
    "\U000e0041",
    "漢字かな",
    "e\u0301" * 5,
    "-->",
    "]]>",
    "&amp;lt;",
    "x" * 300,
    "",
    "1. one",
    "    code",
)
text = st.one_of(
    st.sampled_from(HOSTILE),
    st.sampled_from([f"{first} {second}" for first in HOSTILE[::2] for second in HOSTILE[1::3]]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    st.text("abc `|<>@[]()*_#.:/-\\1", max_size=8),
)
moments = st.one_of(
    st.datetimes().map(lambda value: value.isoformat() + "Z"),
    st.sampled_from(
        ("2026-03-31T00:21:58Z", "2026-03-31T03:15:30.000Z", "2026-03-31T00:33:07+02:00", "0001-01-01T00:00:00+14:00")
    ),
    text,
)
statuses = st.sampled_from(("affected", "under_investigation", "not_affected", "fixed"))
confidences = st.sampled_from(("low", "medium", "high"))
depths = st.sampled_from(DEPTHS)


@st.composite
def locations(draw: Any) -> Location:
    """Any location."""
    path = draw(text)
    raw = draw(st.one_of(st.none(), st.just(base64.b64encode(b"\xff\xfe/x").decode())))
    inside = draw(st.lists(st.builds(Inside, st.just("member"), text, text), max_size=2).map(tuple))
    return Location("file:///t", path, raw, inside, draw(st.one_of(st.none(), st.integers(1, 10**6))))


times = st.lists(st.builds(Time, text, moments, text), max_size=2).map(tuple)
purls = st.builds(lambda name, version: f"pkg:npm/{quote(name, safe='/')}@{quote(version, safe='')}", text, text) | text


@st.composite
def reports(draw: Any) -> Report:
    """Any report whose ids agree."""
    incidents = [f"{draw(text)}-{number}" for number in range(draw(st.integers(0, 6)))]
    subjects = tuple(
        SubjectEntry(
            id=f"s{number}",
            kind=draw(st.sampled_from(KINDS)),
            uri=draw(st.sampled_from(("file:///t", "file:///t/", "other:"))) + quote(draw(text)),
        )
        for number in range(draw(st.integers(0, 6)))
    )
    sightings: list[SightingEntry] = []
    verdicts: list[VerdictEntry] = []
    observations: list[ObservationEntry] = []
    for incident in incidents:
        for subject in draw(st.lists(st.sampled_from(subjects), max_size=2, unique=True)) if subjects else ():
            status = draw(statuses)
            seen = []
            for _ in range(draw(st.integers(0, 1 if sightings else 3))):
                observation = ObservationEntry(
                    id=f"o{len(observations)}",
                    kind=draw(st.sampled_from(("component", "script", "folder", "policy"))),
                    reader="reader",
                    location=draw(locations()),
                    facts=draw(st.dictionaries(st.sampled_from(("name", "record", "files")), text, max_size=3)),
                    times=draw(times),
                )
                observations.append(observation)
                seen.append(
                    SightingEntry(
                        id=f"x{len(sightings) + len(seen)}",
                        incident=incident,
                        subject=subject.id,
                        kind=draw(st.sampled_from(("component", "indicator", "tampering"))),
                        status=status,
                        purl=draw(purls),
                        depth=draw(depths),
                        confidence=draw(confidences),
                        role="payload",
                        inferred=draw(st.booleans()),
                        current=draw(st.booleans()),
                        location=draw(locations()),
                        times=draw(times),
                        explanation=draw(text),
                        observations=(observation.id,),
                    )
                )
            sightings += seen
            verdicts.append(
                VerdictEntry(
                    incident=incident,
                    subject=subject.id,
                    status=status,
                    depth=draw(st.one_of(st.none(), depths)) if status != "affected" else draw(depths),
                    current=True,
                    confidence=draw(confidences),
                    summary=draw(text),
                    sightings=tuple(item.id for item in seen),
                )
            )
    refusals = tuple(
        RefusalEntry(
            id=f"r{number}",
            path=draw(text),
            reader="reader",
            reason=draw(text),
            relevant=draw(st.booleans()),
            target=draw(st.sampled_from(("file:///t", ""))),
            accepted=draw(st.one_of(st.none(), text)),
        )
        for number in range(draw(st.integers(0, 6)))
    )
    entries = tuple(
        IncidentEntry(
            id=incident,
            title=draw(text),
            revision=1,
            completeness=draw(st.sampled_from(("fixed", "growing", "partial"))),
            listed=draw(st.integers(0, 10**6)),
            listed_on="2026-11-20",
            digest="",
            totals=draw(st.dictionaries(statuses, st.integers(1, 10**6), max_size=2)),
            worst=draw(statuses),
            windows=draw(
                st.lists(
                    st.builds(
                        WindowEntry,
                        start=moments,
                        end=st.one_of(st.none(), moments),
                        component=st.one_of(st.none(), text),
                    ),
                    max_size=3,
                ).map(tuple)
            ),
            summary=draw(text),
            guidance=draw(
                st.one_of(
                    st.none(),
                    st.builds(
                        GuidanceEntry,
                        next_steps=st.lists(text, max_size=3).map(tuple),
                        dead_man_switch=st.one_of(st.none(), text),
                    ),
                )
            ),
        )
        for incident in incidents
    )
    return Report(
        header=Header(
            schema=SCHEMA,
            tool=Tool(name="pratique", version="0"),
            started=draw(moments),
            finished=draw(moments),
            host=draw(text),
            scope=Scope(
                statement=draw(text),
                options=draw(st.dictionaries(text, text, max_size=2)),
                not_asked=draw(st.lists(text, max_size=2).map(tuple)),
            ),
        ),
        targets=(TargetEntry(uri="file:///t", kind="directory"),),
        subjects=subjects,
        incidents=entries,
        verdicts=tuple(verdicts),
        sightings=tuple(sightings),
        observations=tuple(observations),
        coverage=CoverageEntry(
            complete=draw(st.booleans()),
            interrupted=draw(st.booleans()),
            entries=draw(st.integers(0, 10**8)),
            artifacts=draw(st.integers(0, 10**8)),
            bytes=0,
            from_cache=0,
            projects=draw(st.integers(0, 10**6)),
            by_reader={},
            refusals=refusals,
            skipped_by_rule=tuple(
                SkippedEntry(rule=f"rule-{number}", count=number) for number in range(draw(st.integers(0, 3)))
            ),
        ),
        next_steps=draw(st.lists(text, max_size=4).map(tuple)),
        notes=draw(st.lists(text, max_size=3).map(tuple)),
    )

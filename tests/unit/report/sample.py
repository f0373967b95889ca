"""One small fixed report: an incident that ran, one that is undecided, one of which nothing was seen, and gaps."""

from __future__ import annotations

from pratique.model.location import Inside, Location
from pratique.model.observation import Time
from pratique.model.report import (
    SCHEMA,
    CoverageEntry,
    EvidenceEntry,
    GuidanceEntry,
    Header,
    IncidentEntry,
    ObservationEntry,
    RefusalEntry,
    Report,
    Scope,
    SecretEntry,
    SightingEntry,
    SkippedEntry,
    StepEntry,
    SubjectEntry,
    TargetEntry,
    Tool,
    VerdictEntry,
    WindowEntry,
)

TARGET = "file:///srv/repositories"
PURL = "pkg:npm/plain-crypto-js@4.2.1"
FOLDER = "shop-web/node_modules/plain-crypto-js"
LOG = "home/.npm/_logs/2026-03-31T00_32_58_104Z-debug-0.log"


def _observation(number: int, kind: str, reader: str, location: Location, facts: dict[str, object]) -> ObservationEntry:
    return ObservationEntry(id=f"{number:016x}", kind=kind, reader=reader, location=location, facts=facts)


OBSERVATIONS = (
    _observation(
        1,
        "component",
        "npm-hidden-lockfile",
        Location(TARGET, "shop-web/node_modules/.package-lock.json"),
        {"name": "plain-crypto-js", "version": "4.2.1", "depth": "installed", "record": "installed-record"},
    ),
    _observation(
        2,
        "folder",
        "directory",
        Location(TARGET, FOLDER),
        {"folder": FOLDER, "exists": True, "absent": ["setup.js", "package.md"]},
    ),
    _observation(
        3,
        "script",
        "npm-debug-log",
        Location(TARGET, LOG, line=49),
        {"name": "plain-crypto-js", "version": "4.2.1", "script": "postinstall", "outcome": "finished", "exit_code": 0},
    ),
    _observation(
        4,
        "component",
        "package-lock",
        Location(TARGET, "legacy/package-lock.json", line=812),
        {"name": "axios", "version": "1.14.1", "depth": "resolved", "record": "lock"},
    ),
    _observation(
        5,
        "component",
        "archive",
        Location(TARGET, "cache/ui.zip", inside=(Inside("member", "0", "node_modules/ui-kit/package.json"),)),
        {"name": "@scope/ui-kit", "version": "3.0.1", "depth": "installed", "record": "manifest"},
    ),
)


def _sighting(
    number: int, subject: str, depth: str, location: Location, explanation: str, **more: object
) -> SightingEntry:
    fields: dict[str, object] = {
        "incident": "axios-2026-03-31",
        "kind": "component",
        "status": "affected",
        "purl": PURL,
        "confidence": "high",
        "role": "payload",
        "inferred": False,
        "current": True,
        "times": (),
        "observations": (),
    }
    fields |= more
    return SightingEntry(
        id=f"{number:015x}a", subject=subject, depth=depth, location=location, explanation=explanation, **fields
    )


SIGHTINGS = (
    _sighting(
        1,
        "project-shop",
        "executed",
        Location(TARGET, FOLDER),
        "state B: 4.2.1 -> 4.2.0: install record and folder disagree, its files are gone: it ran and cleaned up",
        kind="tampering",
        times=(
            Time("the install that wrote this record ended", "2026-03-31T00:33:09.200Z", "file modification time"),
            Time("the package folder last changed", "2026-03-31T00:33:08.950Z", "folder modification time"),
            Time("the manifest was last written", "2026-05-02T08:00:00Z", "file modification time"),
        ),
        observations=(OBSERVATIONS[0].id, OBSERVATIONS[1].id),
    ),
    _sighting(
        2,
        "log-home",
        "executed",
        Location(TARGET, LOG, line=49),
        "a log shows that its script ran to its end: postinstall (exit code 0)",
        times=(Time("postinstall ended", "2026-03-31T00:33:07.000Z", "line of the log"),),
        observations=(OBSERVATIONS[2].id,),
    ),
    _sighting(
        3,
        "project-legacy",
        "resolved",
        Location(TARGET, "legacy/package-lock.json", line=812),
        "a lockfile names it",
        purl="pkg:npm/axios@1.14.1",
        role="carrier",
        confidence="medium",
        observations=(OBSERVATIONS[3].id,),
    ),
    _sighting(
        4,
        "project-ui",
        "installed",
        Location(TARGET, "cache/ui.zip", inside=(Inside("member", "0", "node_modules/ui-kit/package.json"),)),
        "other bytes under a bad version",
        incident="example-2026-06",
        status="under_investigation",
        purl="pkg:npm/%40scope/ui-kit@3.0.1",
        role="carrier",
        confidence="low",
        observations=(OBSERVATIONS[4].id,),
    ),
)


def _incident(identifier: str, title: str, worst: str, **more: object) -> IncidentEntry:
    fields: dict[str, object] = {
        "revision": 1,
        "completeness": "fixed",
        "listed": 8,
        "listed_on": "2026-11-20",
        "digest": f"sha256:{'0' * 64}",
        "totals": {},
    }
    fields |= more
    return IncidentEntry(id=identifier, title=title, worst=worst, **fields)


INCIDENTS = (
    _incident(
        "axios-2026-03-31",
        "axios releases that install a backdoor through plain-crypto-js",
        "affected",
        totals={"affected": 3},
        status="contained",
        summary="Two releases published with a stolen credential added one dependency.\nIts script fetched a backdoor.",
        windows=(
            WindowEntry(
                start="2026-03-31T00:21:58Z",
                end="2026-03-31T03:15:30Z",
                component="axios",
                basis="inferred",
                margin_minutes=15,
            ),
            WindowEntry(start="2026-03-30T23:59:12Z", end="2026-03-31T04:26:00Z", component="plain-crypto-js"),
        ),
        guidance=GuidanceEntry(
            next_steps=("Disconnect the machine and leave it switched on", "Collect the evidence first"),
            evidence=(EvidenceEntry(what="Debug logs of npm", why="npm keeps only the last ten"),),
            secrets=(SecretEntry(kind="npm-token", condition="Readable by the user", rotate="Revoke and issue anew"),),
            remediation=(
                StepEntry(id="isolate", action="Take the machine off the network"),
                StepEntry(id="rebuild", action="Rebuild it", after=("isolate",), destructive=True),
            ),
        ),
    ),
    _incident(
        "example-2026-06",
        "ui-kit releases with a token watcher",
        "under_investigation",
        completeness="growing",
        totals={"under_investigation": 1},
        status="active",
        windows=(WindowEntry(start="2026-06-01T10:00:00Z"),),
        guidance=GuidanceEntry(dead_man_switch="A user service polls the stolen token. Remove it first."),
    ),
    _incident("quiet-2025-01", "An incident of which nothing was seen", "not_affected", completeness="partial"),
)


def _verdict(incident: str, subject: str, status: str, depth: str | None, sighting: int) -> VerdictEntry:
    entry = SIGHTINGS[sighting]
    return VerdictEntry(
        incident=incident,
        subject=subject,
        status=status,
        depth=depth,
        current=True,
        confidence=entry.confidence,
        summary=f"{depth}: {entry.explanation}",
        sightings=(entry.id,),
    )


REPORT = Report(
    header=Header(
        schema=SCHEMA,
        tool=Tool(name="pratique", version="0.0.0"),
        started="2026-06-03T09:00:00.000Z",
        finished="2026-06-03T09:00:01.500Z",
        host="build-7",
        scope=Scope(
            statement="/srv/repositories; caches, logs and global roots elsewhere were not asked",
            options={"exclude": ["*.iso"]},
            not_asked=("other users and disks were not asked",),
        ),
    ),
    targets=(TargetEntry(uri=TARGET, kind="directory"),),
    subjects=(
        SubjectEntry(id="log-home", kind="log", uri=f"{TARGET}/home/.npm/_logs"),
        SubjectEntry(id="project-legacy", kind="project", uri=f"{TARGET}/legacy"),
        SubjectEntry(id="project-shop", kind="project", uri=f"{TARGET}/shop-web"),
        SubjectEntry(id="project-ui", kind="project", uri=f"{TARGET}/ui"),
    ),
    incidents=INCIDENTS,
    verdicts=(
        _verdict("axios-2026-03-31", "log-home", "affected", "executed", 1),
        _verdict("axios-2026-03-31", "project-shop", "affected", "executed", 0),
        _verdict("axios-2026-03-31", "project-legacy", "affected", "resolved", 2),
        _verdict("example-2026-06", "project-ui", "under_investigation", "installed", 3),
    ),
    sightings=SIGHTINGS,
    observations=OBSERVATIONS,
    coverage=CoverageEntry(
        complete=False,
        interrupted=False,
        entries=48_211,
        artifacts=1_204,
        bytes=9_876_543,
        from_cache=0,
        projects=212,
        by_reader={"package-lock": 212, "npm-debug-log": 10},
        refusals=(
            RefusalEntry(
                id="00000000000000f1",
                path="old/yarn.lock",
                reader="yarn-lock",
                reason="truncated at line 801",
                relevant=True,
                target=TARGET,
            ),
            RefusalEntry(
                id="00000000000000f2",
                path="ci",
                reader="directory",
                reason="permission denied",
                relevant=True,
                target=TARGET,
                accepted="examined by hand on 2026-06-02",
            ),
            RefusalEntry(
                id="00000000000000f3",
                path="docs/package.json",
                reader="manifest",
                reason="names no package",
                relevant=False,
                target=TARGET,
            ),
        ),
        skipped_by_rule=(SkippedEntry(rule="other-file-system", count=2),),
    ),
    next_steps=("Disconnect the machine and leave it switched on", "Collect the evidence first"),
    notes=("NOTE  example-2026-06: revision 1 of incidents replaces 1",),
)
"""Ids are made up and plain; everything else looks as a run would have it."""

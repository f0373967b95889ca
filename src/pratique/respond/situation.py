"""What a plan is made from: verdicts, the files that they are about, what is in reach, what is recorded already.

The room is handed bytes and facts; it opens nothing. A planner is a function from a Situation to steps:

    def steps(situation: Situation) -> Iterator[Step]: ...

`respond/plan.py` joins them, orders the steps, and holds back what a dead man's switch forbids.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec

from pratique.model.case import Rotation
from pratique.model.credential import ReachReport
from pratique.model.incident import Incident
from pratique.model.plan import Step
from pratique.model.repair import Releases
from pratique.model.report import Report

Platform = Literal["linux", "macos", "windows"]


class ProjectFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a project that a step may change."""

    path: str
    """Absolute path."""
    content: bytes
    uncommitted: bool | None = None
    """Whether a git checkout shows a change that nobody committed; None where it lies in none, or git is not there."""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project with a sighting."""

    folder: str
    """Absolute path."""
    files: tuple[ProjectFile, ...]
    """Manifests, lockfiles, settings: those of the folder, and of its workspace root."""
    sightings: tuple[str, ...] = ()
    """Ids of the sightings in it."""
    name: str = ""
    """Short name for people, unique in the plan: `shop-web`."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A thing on this machine that a step may move."""

    path: str
    """Absolute path."""
    digest: str
    """As in `Quarantine.digest`."""
    what: Literal["package-cache", "package-folder", "user-unit", "persistence", "dropped-file"]
    folder: bool = False
    sightings: tuple[str, ...] = ()
    purls: tuple[str, ...] = ()


class Proof(msgspec.Struct, frozen=True):
    """What the real client said of a repaired lockfile in a scratch copy."""

    accepted: bool | None
    """None: it could not be asked."""
    words: str
    completed: Mapping[str, bytes] = {}
    """What the client added to files, by absolute path: digests of its own that nothing else knows."""


Prove = Callable[[Project, Mapping[str, bytes]], Proof]
"""Project and new bytes by absolute path to what the client says of them."""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a planner may know."""

    reports: tuple[Report, ...]
    incidents: Mapping[str, Incident]
    """By id: those that the reports are about."""
    today: datetime.date
    host: str
    platform: Platform
    projects: tuple[Project, ...] = ()
    held: tuple[Held, ...] = ()
    releases: Releases = lambda name, version: None
    prove: Prove = lambda project, files: Proof(None, "no client was asked")
    reach: ReachReport | None = None
    rotations: Mapping[str, Rotation] = {}
    """By id of the credential, the last state."""
    case: str = ""
    """Id of the case; empty without one."""
    sealed: bool = False
    aware: str | None = None
    """When somebody became aware, as it is recorded, ISO 8601 in UTC; None: not recorded. Clocks count from it."""
    swept: frozenset[str] = frozenset()
    """Incidents whose dead man's switch was looked for and is not there any more."""
    notes: tuple[str, ...] = ()
    """What could not be read for this plan, or changed since its reports were made."""

    def armed(self) -> tuple[str, ...]:
        """Incidents with a sighting and a dead man's switch that was not swept yet, in order of name."""
        seen = {verdict.incident for report in self.reports for verdict in report.verdicts if verdict.sightings}
        return tuple(
            sorted(
                name
                for name in seen
                if name in self.incidents and self.incidents[name].dead_man_switch and name not in self.swept
            )
        )


Planner = Callable[[Situation], Iterator[Step]]

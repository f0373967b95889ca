"""The watch: what this machine or another sensor tells, judged by rules and indicators, told, kept, sent on."""

from __future__ import annotations

import collections
import datetime
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from pratique.adapters import clock, machine
from pratique.adapters.watcher.lookout import Asked, Chore, Lookout, signals, unusable
from pratique.adapters.watcher.notices import Notices
from pratique.assess.live_indicators import LiveIndicators, Met
from pratique.behaviour.detect import Detector
from pratique.ecosystems.attribution import cause
from pratique.model.errors import CaseError, UsageError
from pratique.model.event import SEVERITIES, Cause, Detection, Event, Severity, Watch
from pratique.model.incident import Incident
from pratique.model.noticed import Noticed, Sums
from pratique.model.observation import DigestFact, HostFact, Observation, PresenceFact, Question
from pratique.model.ports import Claimant, Options, Unit
from pratique.model.supervision import Seen
from pratique.targets import host
from pratique.targets.host_snapshot import Change
from pratique.workflow.behaviour_rules import behaviour_rules
from pratique.workflow.case import open_case
from pratique.workflow.guard_places import Places
from pratique.workflow.select import select
from pratique.workflow.watch_baseline import read_baseline
from pratique.workflow.watch_places import Persistence

MOST_RECENT = 2048
MOST_KEYS = 8192
PLACES_EVERY = 30.0
FILES_EVERY = 60.0
_ROOT = "host+file:///"


class WatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to watch, and whom to tell.

    `once`: one look, for cron. `seconds`: end after so long. `level`: what is milder is counted alone. `again`: the
    same is told again after so many seconds at the soonest. `run` is a command with its arguments; no shell is used.
    `rules` are files and folders of further rules and exceptions. `state` keeps how the places were between two runs.
    With `baseline`, what fits one of its entries is not told, and what fits none is. `projects` are folders whose hooks
    and settings are places too.
    """

    once: bool = False
    seconds: float | None = None
    level: Severity = "low"
    again: float = 600.0
    case: Path | None = None
    key: Path | None = None
    incidents: tuple[str, ...] = ()
    definitions: Path | None = None
    run: tuple[str, ...] = ()
    webhook: str = ""
    state: Path | None = None
    projects: tuple[str, ...] = ()
    means: Literal["connector", "poll"] | None = None
    rules: tuple[Path, ...] = ()
    baseline: Path | None = None


Told = Callable[[Noticed], None]
"""Gets each detection as it is noticed. Raises OSError where nobody reads any more: the watch then ends in order."""


class Session:
    """Events in, detections out, whatever the events come from."""

    def __init__(
        self,
        request: WatchRequest,
        told: Told,
        events: Callable[[Event], None] | None = None,
        stop: Callable[[str], None] = lambda why: None,
    ) -> None:
        """Raises UsageError, CaseError, IncidentError where something that was named cannot be used."""
        self.request, self.told, self.events, self.stop = request, told, events, stop
        rules = behaviour_rules(request.rules)
        self.baseline = read_baseline(request.baseline) if request.baseline is not None else None
        self.notices = Notices(request.run, request.webhook)
        self.case = open_case(request.case, key=request.key) if request.case is not None else None
        try:
            self.indicators = self._indicators()
        except BaseException:  # the case is let go; the error is passed on
            self.close()
            raise
        self.detector = Detector(rules)
        self.sums: collections.Counter[str] = collections.Counter()
        self.gaps: dict[str, None] = {}
        self.worst: Severity | None = None
        self._recent: collections.OrderedDict[int, Event] = collections.OrderedDict()
        self._told: collections.OrderedDict[tuple[object, ...], list[float]] = collections.OrderedDict()
        self._host = clock.host()

    def _indicators(self) -> LiveIndicators:
        today = clock.now().date()
        every = _light(select(folder=self.request.definitions, today=today, every=True).incidents)
        wanted = [*(self.case.incidents if self.case is not None else ()), *self.request.incidents]
        named: Sequence[Incident] = ()
        if wanted:
            named = _light(select(incidents=wanted, folder=self.request.definitions, today=today, every=True).incidents)
        return LiveIndicators((*every, *(one for one in named if one not in every)), named, _this_machine())

    def take(self, event: Event) -> None:
        """One event: note the indicator that it shows, let the rules see it, tell what they find."""
        event = self._indicated(event)
        self.sums["events"] += 1
        if self.events is not None:
            self.events(event)
        self._recent[event.sequence] = event
        if len(self._recent) > MOST_RECENT:
            self._recent.popitem(last=False)
        for detection in self.detector.feed(event):
            self._detected(detection, event)
        deviation = self.baseline.deviation(event) if self.baseline is not None else None
        if deviation is not None:
            self._detected(deviation, event)

    def _normal(self, detection: Detection, event: Event) -> bool:
        """Whether the baseline has all that a detection rests on.

        What an indicator names, what is critical and what runs without its file is never normal.
        """
        if self.baseline is None or detection.level == "critical" or event.detail.get("indicator"):
            return False
        if event.process is not None and event.process.executable.endswith(" (deleted)"):
            return False
        rests = [self._recent.get(number) for number in detection.events]
        return all(one is not None and self.baseline.fits(one) is not None for one in rests)

    def _indicated(self, event: Event) -> Event:
        met = self.indicators.met(event)
        if met is None and self.indicators.hashes and event.kind == "process.start":
            met = self._by_digest(event)
        if met is None:
            return event
        detail = {**event.detail, "incident": met.incident, "indicator": met.indicator, "compared": met.how}
        if not met.sure:
            detail["others"] = "use it too"
        return msgspec.structs.replace(event, detail=detail)

    def _by_digest(self, event: Event) -> Met | None:
        if event.path_class not in ("temporary", "other") or not event.path.startswith("/"):
            return None
        for one in host.probe("/", _ROOT, [Question("presence", _ROOT, event.path.lstrip("/"), names=())], Options()):
            if isinstance(one, Observation) and isinstance(one.facts, DigestFact):
                return self.indicators.by_digest(one.facts.digest)
        return None

    def _detected(self, detection: Detection, event: Event) -> None:
        if detection.silenced_by or self._normal(detection, event):
            self.sums["silenced"] += 1
            return
        if SEVERITIES.index(detection.level) < SEVERITIES.index(self.request.level):
            self.sums["below"] += 1
            return
        process = detection.process
        about = (process.executable, process.script) if process is not None else ()
        key = (detection.rule, *map(_there, (*about, event.path)), event.target, event.address, event.port, event.host)
        before = self._told.get(key)
        now = time.monotonic()
        if before is not None and now - before[0] < self.request.again:
            before[1] += 1
            self.sums["repeated"] += 1
            return
        repeated = int(before[1]) if before is not None else 0
        self._told[key] = [now, 0]
        self._told.move_to_end(key)
        if len(self._told) > MOST_KEYS:
            self._told.popitem(last=False)
        self._tell(detection, event, repeated)

    def _tell(self, detection: Detection, event: Event, repeated: int) -> None:
        self.sums["noticed"] += 1
        if self.worst is None or SEVERITIES.index(detection.level) > SEVERITIES.index(self.worst):
            self.worst = detection.level
        moment = datetime.datetime.fromtimestamp(event.time_ns / 1e9, datetime.UTC)
        noticed = Noticed(
            time=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            host=self._host,
            detection=detection,
            events=tuple(self._recent[number] for number in detection.events if number in self._recent),
            incident=event.detail.get("incident", ""),
            indicator=event.detail.get("indicator", ""),
            repeated=repeated,
        )
        if self.case is not None:
            try:
                self.case.append("detection", noticed)
                self.sums["journaled"] += 1
            except CaseError as error:
                self.sums["failed"] += 1
                self.gaps[f"not written into the case: {error}"] = None
        self.notices.give(msgspec.json.encode(noticed))
        try:
            self.told(noticed)
        except OSError:
            self.stop("nobody reads its output any more")

    def close(self) -> None:
        """Give the notices that wait, and let go of the case."""
        self.notices.close()
        if self.case is not None:
            self.case.close()

    def total(self, ended: str, lookout: Lookout | None = None, more: Iterable[str] = ()) -> Sums:
        """The sums, after `close`."""
        notices = self.notices
        gaps = [*self.gaps, *more, *(f"notice not given: {one}" for one in notices.failures)]
        seen = {
            "unread": lookout.table.unread,
            "hidden": lookout.table.hidden,
            "lost": lookout.lost,
            "watch": lookout.coverage(),
        } if lookout is not None else {}  # fmt: skip
        return Sums(
            ended=ended,
            events=self.sums["events"],
            noticed=self.sums["noticed"],
            repeated=self.sums["repeated"],
            silenced=self.sums["silenced"],
            below=self.sums["below"],
            forgotten=self.detector.forgotten,
            journaled=self.sums["journaled"],
            given=notices.given,
            failed=self.sums["failed"] + notices.failed,
            held_back=notices.held_back,
            lines=self.sums["lines"],
            refused=self.sums["refused"],
            gaps=tuple(gaps),
            **seen,  # type: ignore[arg-type]  # the names above
        )


def watch(
    request: WatchRequest,
    told: Told,
    events: Callable[[Event], None] | None = None,
    began: Callable[[Watch], None] = lambda watch: None,
) -> Sums:
    """Watch this machine until a signal, the end of its time, or once. `events` gets every event, `told` detections;
    `began` is called once with what is covered.

    Raises UsageError where nothing can be watched here or something that was named cannot be used, CaseError,
    IncidentError.
    """
    reason = unusable()
    if reason:
        raise UsageError(f"nothing can be watched here: {reason}", advice="See what is seen where: pratique doctor")
    persistence = Persistence(request.projects, request.state)
    stops: list[Callable[[str], None]] = []
    session = Session(request, told, events, lambda why: _each(stops, why))
    home = machine.home() or "/nonexistent"
    asked = Asked(
        classify=Places(home, "/nonexistent", dict(os.environ)).classify,
        attribute=attributed,
        known_bad=session.indicators.bad_address,
        means=request.means,
    )
    try:
        try:
            lookout = Lookout(asked, session.take)
        except OSError as error:
            said = (error.strerror or type(error).__name__).lower()
            raise UsageError(f"nothing can be watched here: {said}", advice="Leave out --means") from None
        stops.append(lookout.stop)
        chores = _chores(session, lookout, persistence)
        try:
            if request.once:
                lookout.once(chores)
                ended = "once"
            else:
                with signals(lookout.stop) as wake:
                    ended = lookout.run(chores, request.seconds, wake, began)
        finally:
            lookout.close()
    finally:
        session.close()
    refusals = [f"{one.path}: {one.reason}" for one in persistence.snapshot.refusals]
    more = f"{len(refusals) - 3} more places could not be looked at" if len(refusals) > 3 else ""
    left = [*refusals[:3], *([more] if more else []), *([persistence.unsaved] if persistence.unsaved else [])]
    return session.total(ended, lookout, left)


def _there(path: str) -> str:
    """A path without the sign that its file is gone: it is the same one."""
    return path.removesuffix(" (deleted)")


def _each(stops: Sequence[Callable[[str], None]], why: str) -> None:
    for stop in stops:
        stop(why)


def _chores(session: Session, lookout: Lookout, persistence: Persistence) -> list[Chore]:
    """The looks beside processes and connections: places of what starts by itself, files that indicators name."""

    def changed(change: Change, detail: dict[str, str]) -> None:
        lookout.emit(
            "file.delete" if change.after is None else "file.write",
            "comparison",
            outcome="done",
            path=change.path,
            path_class="persistence",
            sha256_before=change.before.digest if change.before is not None else "",
            sha256_after=change.after.digest if change.after is not None else "",
            detail=detail,
        )

    found = [
        Chore(
            "places",
            lambda: persistence.look(changed),
            PLACES_EVERY,
            persistence.snapshot.folders,
            persistence.snapshot.matters,
        ),
    ]
    if session.indicators.paths:
        there: dict[str, None] = {}
        found.append(Chore("named files", lambda: _named(session, lookout, there), FILES_EVERY))
    return found


def _named(session: Session, lookout: Lookout, there: dict[str, None]) -> None:
    """Tell the files that indicators of open incidents name, each when it is there and was not before."""
    now: dict[str, str] = {}
    for place in sorted(session.indicators.places()):
        for one in host.probe("/", _ROOT, [Question("presence", _ROOT, place, names=())], Options()):
            if isinstance(one, Observation) and isinstance(one.facts, PresenceFact) and one.facts.exists:
                now.setdefault(f"/{one.facts.path}", "")
            elif isinstance(one, Observation) and isinstance(one.facts, DigestFact):
                now[f"/{one.facts.path}"] = one.facts.digest
    for path, digest in now.items():
        if path not in there:
            lookout.emit(
                "file.write", "comparison", outcome="done", path=path, path_class=lookout.asked.classify(path),
                sha256_after=digest, detail={"change": "there"},
            )  # fmt: skip
    there.clear()
    there.update(dict.fromkeys(now))


def attributed(seen: Seen) -> Cause | None:
    """The package that made a process begin a program; scripts of a project that is not installed are its own."""
    manifest = seen.environment.get("npm_package_json", "")
    own = manifest.rpartition("/")[0] if manifest and "/node_modules/" not in manifest else "/nonexistent"
    process = seen.process
    return cause(process.arguments, process.folder, seen.environment, own, seen.above)


def _this_machine() -> HostFact:
    """What is known of this machine's homes and temporary folders."""
    first = next(host.open_unit(Unit(_ROOT, host.root_of_this_machine(), "host"), _NoClaims(), Options()))
    if not isinstance(first, Observation) or not isinstance(first.facts, HostFact):
        raise TypeError("a machine begins with what is known of it")
    return first.facts


class _NoClaims:
    """Nobody claims anything."""

    def at(self, path: str) -> Sequence[Claimant]:
        """Nobody."""
        return ()


def _light(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    """Incidents without their packages: a watch compares indicators alone, and is to stay small."""
    return tuple(msgspec.structs.replace(one, components=()) for one in incidents)

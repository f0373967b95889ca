"""The watch itself: waits for the kernel, looks at intervals, makes events of both, ends when it is told to.

Processes come from the kernel's process events where these can be had, else from the list of processes every 250 ms.
Connections come from the tables of the kernel. Further looks (places of what starts by itself, files that indicators
name) are handed in. Nothing is started, stopped or changed.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from pratique.adapters.supervisor.reading import link
from pratique.adapters.watcher import reading, sockets
from pratique.adapters.watcher.connector import Connector
from pratique.adapters.watcher.folders import Folders
from pratique.adapters.watcher.pace import Look, soonest
from pratique.adapters.watcher.table import Known, Table
from pratique.model.event import Cause, Event, EventKind, PathClass, Process, Source, Watch, Watched
from pratique.model.supervision import Seen

POLL = 0.25
CHECK = 5.0
SOCKETS = 0.5
SHARE = 0.0015
"""The part of one processor that a kind of look may use; connections and polling may use twice as much."""
GAP_EVERY = 60.0
SETTLE = 0.2
"""So long after a change in a folder its look is taken: files are written in several steps."""
_AGAIN = (1.0, 5.0, 30.0)
"""Seconds after its start that a process is looked at again: its file may be deleted by then."""
MOST_AGAIN = 4096
Means = Literal["connector", "poll"]


class Chore(msgspec.Struct, frozen=True):
    """A further look: `work` is called at least `every` so many seconds apart, sooner where `folders()` change.

    `matters` says of a changed folder and the name in it whether that is what the look is for.
    """

    name: str
    work: Callable[[], None]
    every: float
    folders: Callable[[], Sequence[str]] | None = None
    matters: Callable[[str, str], bool] = lambda folder, name: True


class Asked(msgspec.Struct, frozen=True):
    """What a watch is told: how paths are classed, causes found, which addresses matter whoever reaches them."""

    classify: Callable[[str], PathClass]
    attribute: Callable[[Seen], Cause | None]
    known_bad: Callable[[str, int], bool]
    means: Means | None = None
    """None: the best that works here."""


class Lookout:
    """A watch over this machine. `emit` may be called by chores too; every event gets the next number."""

    def __init__(self, asked: Asked, told: Callable[[Event], None]) -> None:
        """Begin: what runs now is taken in and not told. Raises OSError where /proc cannot be read."""
        self.asked, self.told = asked, told
        self.sequence = 0
        self.refused = ""
        """Why the kernel's process events are not had; empty where they are."""
        self.connector: Connector | None = None
        if asked.means != "poll":
            try:
                self.connector = Connector()
            except OSError as error:
                self.refused = (error.strerror or type(error).__name__).lower()
                if asked.means == "connector":
                    raise
        self.table = Table(asked.attribute)
        self.table.fill()
        self.connections = sockets.Connections()
        self.folders: Folders | None = None
        with contextlib.suppress(OSError):
            self.folders = Folders()
        self.lost = 0
        self._told_unread = self._told_lost = 0
        self._gap_due = 0.0
        self._own_space = link("/proc/self/ns/net")
        self._again: list[tuple[float, Known, int]] = []
        self._round: Iterator[Known] = iter(())
        self._stopped = ""
        self._looks: list[Look] = []
        self._waiting: list[tuple[Look, Chore]] = []

    @property
    def means(self) -> Means:
        """How processes are seen."""
        return "connector" if self.connector is not None else "poll"

    def stop(self, why: str) -> None:
        """End the watch after the step that is being taken."""
        self._stopped = self._stopped or why

    # the loop

    def run(
        self,
        chores: Sequence[Chore],
        seconds: float | None = None,
        wake: int | None = None,
        began: Callable[[Watch], None] = lambda watch: None,
    ) -> str:
        """Watch until `stop` is called or the time is over; returns why it ended.

        `wake` is a descriptor that becomes readable when `stop` may have been called by a signal. `began` is called
        when every look was taken once: from then on what changes is seen.
        """
        self._arrange(chores)
        self._due(time.monotonic())
        began(self.coverage())
        begin = time.monotonic()
        end = begin + seconds if seconds is not None else float("inf")
        self._gap_due = begin + GAP_EVERY
        waiting: list[int] = [
            one.fileno() for one in (self.connector, self.folders) if one is not None
        ] + ([wake] if wake is not None else [])  # fmt: skip
        while not self._stopped:
            now = time.monotonic()
            if now >= end:
                self.stop("time")
                break
            self._due(now)
            if self._stopped:
                break
            until = min(soonest(self._looks), self._again[0][0] if self._again else float("inf"), end, self._gap_due)
            ready = select.select(waiting, [], [], max(0.0, min(until - time.monotonic(), 60.0)))[0]
            if wake is not None and wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake, 4096)
            if self.connector is not None and self.connector.fileno() in ready:
                self._heard(self.connector)
            if self.folders is not None and self.folders.fileno() in ready:
                self._changed(self.folders.take())
        if self.connector is not None:
            self._heard(self.connector)  # what was told before it was stopped
        self._gaps()
        return self._stopped

    def once(self, chores: Sequence[Chore]) -> None:
        """One look at everything: what runs now counts as begun, what is connected now as reached."""
        for known in list(self.table.known.values()):
            if not known.own and known.executable:
                self._program(known, "poll")
        self._sockets()
        for chore in chores:
            chore.work()
        self._gaps()

    def close(self) -> None:
        """Let go of the kernel's channels."""
        for one in (self.connector, self.folders):
            if one is not None:
                one.close()

    def _arrange(self, chores: Sequence[Chore]) -> None:
        self._looks = [Look("connections", self._sockets, SOCKETS, SHARE * 2), Look("check", self._check, CHECK, SHARE)]
        if self.connector is None:
            self._looks.append(Look("processes", self._poll, POLL, SHARE * 2))
        for chore in chores:
            look = Look(chore.name, self._with_folders(chore), chore.every, SHARE)
            self._looks.append(look)
            if chore.folders is not None:
                self._waiting.append((look, chore))

    def _with_folders(self, chore: Chore) -> Callable[[], None]:
        """The work of a chore, after which the folders of all of them are waited for as they are then."""
        if chore.folders is None or self.folders is None:
            return chore.work
        folders = self.folders

        def work() -> None:
            chore.work()
            folders.want([one for _, other in self._waiting if other.folders is not None for one in other.folders()])

        return work

    def _changed(self, changes: Sequence[tuple[str, str]]) -> None:
        for look, chore in self._waiting:
            if any(chore.matters(folder, name) for folder, name in changes):
                look.nudge(time.monotonic(), SETTLE)

    def _due(self, now: float) -> None:
        while self._again and self._again[0][0] <= now:
            _, known, step = self._again.pop(0)
            self._still(known)
            if step + 1 < len(_AGAIN) and self.table.known.get(known.pid) is known:
                self._look_again(known, step + 1, now)
        for look in self._looks:
            if look.due <= now:
                look.take(now)
                now = time.monotonic()
                if self._stopped:
                    return
        if now >= self._gap_due:
            self._gaps()
            self._gap_due = now + GAP_EVERY

    # processes

    def _heard(self, connector: Connector) -> None:
        heard = connector.take()
        # All are read before any is judged: some end soon.
        programs = [reading.program_of(one.process) if one.what == "exec" else None for one in heard]
        for one, program in zip(heard, programs, strict=True):
            if one.what == "fork":
                self.table.forked(one.process, one.parent)
            elif program is not None:
                known = self.table.begun(one.process, program)
                if known is not None:
                    self._program(known, "connector")
            else:
                self._gone(self.table.ended(one.process), "connector")
        if connector.lost > self.lost:
            self.lost = connector.lost
            self._poll()

    def _poll(self) -> None:
        begun, gone = self.table.polled()
        for known in gone:
            self._gone(known, "poll")
        for known in begun:
            self._program(known, "poll")

    def _gone(self, known: Known | None, source: Source) -> None:
        if known is not None and known.watched and not known.own and known.arguments:
            self.emit("process.end", source, process=known.process(), cause=known.cause, outcome="done")

    def _program(self, known: Known, source: Source) -> None:
        """A process began a program."""
        executable = known.executable
        about = known.script if known.script and self._class(known.script) == "temporary" else executable
        about = about or executable
        detail: dict[str, str] = {}
        if not known.read:
            detail["unread"] = "arguments"
        gone = executable.endswith(reading.DELETED)
        kind = self._class(about.removesuffix(reading.DELETED)) if about else "other"
        self.emit(
            "process.start",
            source,
            process=known.process(),
            cause=known.cause,
            outcome="done",
            path=about,
            path_class="temporary" if executable.startswith("/memfd:") else kind,
            detail=detail,
        )
        if gone:
            self._memory(known, source)
        elif known.read and not executable.startswith(("/usr/", "/bin/", "/sbin/", "/lib")):
            self._look_again(known, 0, time.monotonic())

    def _memory(self, known: Known, source: Source) -> None:
        """A process runs a program that is in no folder any more, or never was."""
        known.deleted = True
        path = known.executable
        kind: PathClass = "temporary" if path.startswith("/memfd:") else self._class(path.removesuffix(reading.DELETED))
        self.emit(
            "memory.program", source, process=known.process(), cause=known.cause, outcome="done", path=path,
            path_class=kind,
        )  # fmt: skip

    def _look_again(self, known: Known, step: int, now: float) -> None:
        if len(self._again) < MOST_AGAIN:
            self._again.append((now + _AGAIN[step], known, step))
            self._again.sort(key=lambda one: one[0])

    def _still(self, known: Known) -> None:
        """Whether the file of a process that runs is still there."""
        if known.deleted or self.table.known.get(known.pid) is not known:
            return
        executable = reading.executable_of(known.pid)
        if executable.endswith(reading.DELETED) and executable.removesuffix(reading.DELETED) == known.executable:
            found = reading.stat_of(known.pid)
            if found is not None and found.ticks == known.ticks:
                known.executable, known.shown = executable, None
                self._program(known, "poll")

    def _check(self) -> None:
        """Look at a part of all processes again: what was missed, and whose file is gone by now."""
        before = time.thread_time()
        for known in self._round:
            if self.table.known.get(known.pid) is not known or known.own:
                continue
            self._still(known)
            if self.connector is None:
                again = self.table.checked(known)
                if again is not None:
                    self._program(again, "poll")
            if time.thread_time() - before > CHECK * SHARE:
                return
        self._round = iter(list(self.table.known.values()))
        for pid in [pid for pid in self.table.known if not os.path.exists(f"/proc/{pid}")]:
            self._gone(self.table.ended(pid), "poll")

    # connections

    def _sockets(self) -> None:
        watched = {known.pid: known for known in self.table.watched()}
        spaces: dict[str, int] = {}
        for pid, known in watched.items():
            if known.space and known.space != self._own_space:
                spaces.setdefault(known.space, pid)
        first = self.connections.first
        new = self.connections.look(spaces.values())
        bad = [one for one in new if self.asked.known_bad(one.address, one.port)]
        if not new or not (watched or bad):
            return
        held = sockets.owners(frozenset(one.number for one in new), watched)
        lacking = frozenset(one.number for one in bad if one.number not in held)
        if lacking:
            held.update(sockets.owners(lacking, list(self.table.known)))
        for one in new:
            owner = held.get(one.number)
            if owner is None and one not in bad:
                continue
            holder = self.table.known.get(owner) if owner is not None else None
            if first and one not in bad:
                continue  # it was there before the watch began
            self.emit(
                "network.connect",
                "poll",
                process=holder.process() if holder is not None else _unknown(one.user),
                cause=holder.cause if holder is not None else None,
                outcome="done",
                address=one.address,
                port=one.port,
                protocol="inet6" if ":" in one.address else "inet",
            )

    # events

    def _class(self, path: str) -> PathClass:
        return self.asked.classify(path)

    def emit(
        self,
        kind: EventKind,
        source: Source,
        *,
        process: Process | None = None,
        cause: Cause | None = None,
        outcome: Literal["done", "failed", "denied", "unknown"] = "unknown",
        path: str = "",
        path_class: PathClass = "other",
        address: str = "",
        port: int | None = None,
        protocol: str = "",
        sha256_before: str = "",
        sha256_after: str = "",
        detail: Mapping[str, str] | None = None,
    ) -> None:
        """Tell an event."""
        self.sequence += 1
        self.told(
            Event(
                kind=kind,
                source=source,
                sequence=self.sequence,
                time_ns=time.time_ns(),
                process=process,
                cause=cause,
                outcome=outcome,
                path=path,
                path_class=path_class,
                address=address,
                port=port,
                protocol=protocol,
                sha256_before=sha256_before,
                sha256_after=sha256_after,
                detail=detail or {},
            )
        )

    def _gaps(self) -> None:
        """Tell what could not be seen since this was told last."""
        unread = self.table.unread - self._told_unread
        if unread:
            self._told_unread = self.table.unread
            why = "they had ended before they were read"
            self.emit(
                "guard.gap",
                self.means,
                detail={"what": f"arguments of {unread} programs", "why": why, "count": str(unread)},
            )
        lost = self.lost - self._told_lost
        if lost:
            self._told_lost = self.lost
            self.emit(
                "guard.dropped", "connector", detail={"count": str(lost), "what": "process events, so many times"}
            )

    def coverage(self) -> Watch:
        """What is seen of each category, by what means, and how often it was looked at."""
        by = {look.name: look for look in self._looks}
        processes = "the kernel's process events" if self.connector is not None else "the list of processes"
        every = f"{by['processes'].slowest or POLL:.2g} s" if "processes" in by else ""
        why = f"looked at every {every}: {self.refused or 'as asked'}" if every else ""
        sockets_every = f"{by['connections'].slowest or SOCKETS:.2g} s" if "connections" in by else "once"
        gaps = []
        if self.table.hidden:
            gaps.append(f"{self.table.hidden} programs whose file this account may not see")
        if self.folders is not None and self.folders.left:
            gaps.append(f"{self.folders.left} folders that the kernel waits for no more: they are looked at alone")
        if self.folders is None:
            gaps.append("the kernel tells no changes in folders here: they are looked at alone")
        return Watch(
            categories=(
                Watched("process.start", "all" if self.connector is not None else "part", processes, reason=why),
                Watched("process.arguments", "part", "/proc", reason="of programs that live long enough to be read"),
                Watched("process.survived", "none", reason="there is no command that could end before them"),
                Watched("network.connect", "part", "tables of connections", reason=f"looked at every {sockets_every}"),
                Watched("network.name", "none", reason="names are not seen in the tables of the kernel"),
                Watched("network.payload", "none", reason="nothing is read of what is sent"),
                Watched("file.read", "none", reason="needs the guard"),
                Watched("file.write", "part", "comparison", reason="places of what starts by itself alone"),
                Watched("file.delete", "part", "comparison", reason="places of what starts by itself alone"),
                Watched("file.rename", "none", reason="shows as a file that is new"),
                Watched("environment.read", "none", reason="needs a hook in the runtime"),
                Watched("integrity", "none", reason="needs the guard"),
                Watched("io_uring", "none", reason="makes no difference to what is seen here"),
                Watched("foreign-calls", "none", reason="make no difference to what is seen here"),
            ),
            lost=self.lost,
            gaps=tuple(gaps),
        )


def _unknown(user: int | None) -> Process:
    """A process that could not be found out: its account alone is known."""
    return Process(pid=0, user=user)


def unusable() -> str:
    """Why nothing can be watched here; empty where it can."""
    if not sys.platform.startswith("linux"):
        return "the watch runs on Linux alone"
    return "" if os.path.exists("/proc/self/stat") else "/proc is not mounted here"


@contextlib.contextmanager
def signals(stop: Callable[[str], None]) -> Iterator[int]:
    """Within this block SIGTERM, SIGINT and SIGHUP call `stop` with their name; gives a descriptor that wakes a wait.

    A signal that was ignored before (`nohup`) stays so.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    kept: dict[signal.Signals, object] = {}
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            kept[number] = signal.signal(number, lambda found, frame: stop(signal.Signals(found).name))
    try:
        yield reader
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what getsignal gave
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)

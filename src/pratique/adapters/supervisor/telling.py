"""Telling what happens in one run: numbered events, what could not be seen, and which files were written meanwhile."""

from __future__ import annotations

import re
import time
from typing import Any

from pratique.adapters.supervisor.tree import Known
from pratique.model.event import Event, EventKind, Outcome, PathClass, Source
from pratique.model.supervision import Supervision, Told

TELLING = ("credential", "persistence")
"""Classes of paths of which every use is told, whoever it is."""
OWN_FILES = frozenset(("/dev/null", "/dev/tty", "/dev/zero", "/dev/stdout", "/dev/stderr"))
"""Files of which nothing is told."""
VARIABLES = ("npm_", "PNPM_", "YARN_", "BUN_", "PIP_", "PEP517_", "_PYPROJECT_HOOKS", "UV_", "INIT_CWD")
"""Variables by which package managers tell their scripts what they are."""


_MANAGER = re.compile(r"/(?:yarn(?:-[\w.-]+)?\.c?js|npm-cli\.js|npx-cli\.js|pnpm\.[cm]js)$")
"""Files by which package managers are run."""


class Telling:
    """What one run tells, whatever means it is watched by.

    `written` holds the paths that were written during the run, and whether a package's process did; `gaps` how often
    something could not be seen.
    """

    source: Source

    def __init__(self, request: Supervision, told: Told) -> None:
        self.request = request
        self.told = told
        self.sequence = 0
        self.gaps: dict[str, int] = {}
        self.written: dict[str, bool] = {}
        self._managers: set[str] = set()

    def emit(
        self,
        kind: EventKind,
        known: Known | None,
        outcome: Outcome = "done",
        source: Source | None = None,
        **fields: Any,
    ) -> None:
        """Tell an event of a process. `source`: where it is another one than usual."""
        self.sequence += 1
        self.told(
            Event(
                kind=kind,
                source=source or self.source,
                sequence=self.sequence,
                time_ns=time.time_ns(),
                process=known.process() if known is not None else None,
                cause=known.cause if known is not None else None,
                outcome=outcome,
                **fields,
            )
        )

    def gap(self, known: Known, what: str, why: str, **detail: str) -> None:
        """Tell once for each process that something cannot be seen."""
        self.gaps[what] = self.gaps.get(what, 0) + 1
        if what not in known.gaps:
            known.gaps.add(what)
            self.emit("guard.gap", known, "unknown", detail={"what": what, "why": why, **detail})

    def gaps_in_words(self) -> tuple[str, ...]:
        """What could not be seen, and how often."""
        return tuple(f"{what} ({many})" for what, many in sorted(self.gaps.items()))

    def class_of(self, path: str) -> PathClass:
        """What a path is to who asked."""
        return self.request.classify(path)

    # which uses of files are told

    def told_read(self, known: Known, path: str, kind: PathClass) -> bool:
        """Whether opening a file for reading is told: telling places, and what this run wrote in temporary folders."""
        return kind in TELLING or (named(known) and kind == "temporary" and path in self.written)

    def wrote(self, known: Known, path: str, kind: PathClass) -> bool:
        """Note that a file was written. Whether that is told: telling places, and what packages' scripts write."""
        self.note_written(known, path)
        return kind in TELLING or (named(known) and kind != "system" and not self._manages(known))

    def note_written(self, known: Known, path: str) -> None:
        """Note that a process wrote a file."""
        self.written[path] = self.written.get(path, False) or (named(known) and not self._manages(known))

    def is_dropped(self, known: Known, path: str) -> bool:
        """Whether a file that a process starts was written during the run: for a package's process, by a package's.

        Package managers write programs of their own for scripts (yarn 1: a `node` in a temporary folder), also where a
        package's script runs the manager again: it is known by the file that the user's own command ran.
        """
        by_package = self.written.get(path)
        return by_package is not None and (by_package or not named(known))

    def _manages(self, known: Known) -> bool:
        """Whether a process is the package manager itself, whoever runs it."""
        return known.script in self._managers and known.script not in self.written

    def note_manager(self, known: Known) -> None:
        """Note the package manager that the user's own command runs."""
        if not named(known) and known.script and _MANAGER.search(known.script):
            self._managers.add(known.script)

    def moved(self, known: Known, before: str, after: str, call: str) -> bool:
        """Note that a file has another name (too). Whether that is told. `call` is the name of the system call."""
        if not call.startswith("symlink") and before in self.written:
            self.written[after] = self.written[before]
            if call.startswith("rename"):
                del self.written[before]
        elif call.startswith(("link", "symlink")):
            self.note_written(known, after)
        return self.class_of(after) in TELLING or named(known)


def named(known: Known) -> bool:
    """Whether a package is known that caused a process."""
    return known.cause is not None and bool(known.cause.name)

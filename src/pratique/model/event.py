"""What processes did: events with their time and source, what watched them, and the detections that rules make of them.

One shape for all that is seen while something runs: an install under guard, a detonation, the watch, and the events
of other sensors. An event states what was seen and never what it means; a detection is a rule that fired on events.
Coverage says for each category what could be seen at all: no category that was not covered is ever called quiet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

EVENT_SCHEMA = "pratique.event/1"

EventKind = Literal[
    "process.start",  # an execution that succeeded, was tried, or was denied (`outcome`)
    "process.fork",
    "process.end",
    "process.survived",  # alive when the command had ended, or detached from it (`detail["how"]`: session, nohup, ...)
    "network.connect",  # also what is sent to an address without a connection
    "network.listen",
    "network.name",  # a name was asked for (`host`)
    "network.payload",  # what a sink was sent; `detail` holds digest, size and a redacted beginning
    "file.read",
    "file.write",  # opened for writing, truncated or made
    "file.delete",
    "file.rename",  # `path` to `target`; links too
    "file.mode",  # made executable, or set to run as its owner
    "environment.read",  # a variable that carries a credential; seen by hooks alone
    "integrity.changed",  # a file of an installed package is not what the package's archive holds
    "integrity.missing",
    "integrity.extra",
    "memory.program",  # a program from memory: memfd, a deleted file
    "guard.gap",  # something that cannot be seen from here happened (`detail["what"]`)
    "guard.dropped",  # so many events were lost (`detail["count"]`)
    "guard.tampering",  # the observer was traced, killed, its channel closed; a way out of the sandbox was tried
]

Source = Literal[
    "notify",  # seccomp user notification
    "strace",
    "shell",  # the shell that runs lifecycle scripts
    "hook",  # a hook in the runtime
    "fanotify",
    "connector",  # the kernel's process events
    "poll",  # tables that were read every so often
    "sink",  # what answered in a sandbox
    "comparison",  # files before and after
    "falco",
    "osquery",
]

PathClass = Literal[
    "credential",
    "temporary",  # temporary and shared-memory folders, caches that programs are dropped into
    "persistence",  # what runs again: shell start files, units, timers, git hooks, editor and agent configuration
    "package",  # inside an installed package
    "manifest",  # the manifest of an installed package
    "project",  # in the folder of the command
    "system",
    "other",
]

Outcome = Literal["done", "failed", "denied", "unknown"]


class Ancestor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process above another, nearest first in lists. `name` is the last part of what it was started as."""

    pid: int
    executable: str = ""
    name: str = ""


class Process(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process as it was when the event happened.

    `arguments` is the vector as given, each cut at 4,096 characters and 256 of them at most (`cut` says so); secrets
    that are recognised are replaced. `script` is the file in the position where an interpreter takes its program.
    `started_ns` is nanoseconds since 1970 in UTC. Numbers are those that the observer sees; `inner_pid` is the number
    inside the sandbox.
    """

    pid: int
    parent: int = 0
    group: int = 0
    session: int = 0
    user: int | None = None
    executable: str = ""
    arguments: tuple[str, ...] = ()
    folder: str = ""
    script: str = ""
    started_ns: int = 0
    ancestors: tuple[Ancestor, ...] = ()
    cut: bool = False
    inner_pid: int | None = None


class Cause(msgspec.Struct, frozen=True, omit_defaults=True):
    """The package and the step that made something happen, and how that is known.

    `step` is the lifecycle event or build hook: `preinstall`, `install`, `postinstall`, `prepare`, `build_wheel`,
    `import` ... `known_by`: `environment` (what the package manager sets for its scripts), `folder` (the current
    folder lies in the package), `ancestor` (a process above was attributed), `command` (the user's own command).
    """

    ecosystem: str = ""
    name: str = ""
    version: str = ""
    step: str = ""
    known_by: Literal["environment", "folder", "ancestor", "command", "unknown"] = "unknown"


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened, as one source saw it.

    `sequence` counts from 1 in one run without holes; `time_ns` is nanoseconds since 1970 in UTC. Fields that a kind
    does not use keep their defaults. `error` is the name of the errno (`EACCES`) where `outcome` is `failed` or
    `denied`. `dropped` says whether the file (`path`, or the program that starts) was written during this run; of a
    program that a package's process starts, whether a package's process wrote it, where that can be seen.
    """

    kind: EventKind
    source: Source
    sequence: int
    time_ns: int
    process: Process | None = None
    cause: Cause | None = None
    outcome: Outcome = "unknown"
    error: str = ""
    path: str = ""
    target: str = ""
    path_class: PathClass = "other"
    dropped: bool | None = None
    address: str = ""
    port: int | None = None
    protocol: str = ""
    host: str = ""
    honeytokens: tuple[str, ...] = ()
    sha256_before: str = ""
    sha256_after: str = ""
    detail: Mapping[str, str] = {}


Severity = Literal["informational", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("informational", "low", "medium", "high", "critical")
"""The levels of Sigma, mildest first."""


class Detection(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule that fired. `events` are sequence numbers of what it rests on, in order; `statement` says it in words.

    `silenced_by` names the filter that makes an exception of it, with owner and end, so that it is told and does not
    count.
    """

    rule: str
    title: str
    level: Severity
    statement: str
    events: tuple[int, ...]
    cause: Cause | None = None
    process: Process | None = None
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    silenced_by: str = ""


Category = Literal[
    "process.start",
    "process.arguments",
    "process.survived",
    "network.connect",
    "network.name",
    "network.payload",
    "file.read",
    "file.write",
    "file.delete",
    "file.rename",
    "environment.read",
    "integrity",
    "io_uring",
    "foreign-calls",  # system calls of another architecture: 32-bit, x32
]


class Watched(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of one category can be seen or denied here, by what means, and why not more."""

    category: Category
    seen: Literal["all", "part", "none"]
    means: str = ""
    denied: Literal["sound", "seen, not blockable", "not asked"] = "not asked"
    reason: str = ""


class Watch(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one run covered: categories in the order of `Category`, how many events were lost, and gaps on the way."""

    categories: tuple[Watched, ...]
    lost: int = 0
    gaps: tuple[str, ...] = ()

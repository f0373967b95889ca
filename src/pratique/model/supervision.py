"""What is asked of a supervisor, and what it gives back: a command, what to see of it, what to deny, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from pratique.model.event import Cause, Event, PathClass, Process, Watch

Means = Literal["notify", "strace", "poll"]
MEANS: tuple[Means, ...] = ("notify", "strace", "poll")
"""By what a command can be watched, the best first."""
MEANS_IN_WORDS: Mapping[Means, str] = {"notify": "seccomp user notification", "strace": "strace", "poll": "polling"}


ENGINES = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock", "buildkitd.sock", "systemd/private", "/bus")
"""Parts of paths of sockets behind which programs are started for others."""


NAME_SERVICES = ("nscd/socket", "systemd.resolve", "systemd/resolve", "avahi-daemon/", "sss/pipes/")
"""Parts of paths of sockets behind which names are looked up for others."""


class Denials(msgspec.Struct, frozen=True):
    """What is refused to processes that a package caused. The defaults refuse nothing.

    `reads`: whether a real path may not be opened; `stripped`: of a real path and its bytes, those that are given in
    their place, without secrets (None: it is judged as any other); `files`: device and inode of such files, which may
    not be opened by any other name either; `holding`: the folders above such files, which may not be moved. `writes`:
    whether a real path may not be written, made, or replaced. `evidence`: a package's own manifest, and the script that
    runs, may not be deleted or replaced. `dropped`: nothing that was written during the run where `watches` says so may
    be executed, nor an interpreter be started on it. `ports` are the only ports that may be reached, `addresses` the
    only addresses (in CIDR form); None: any. `hosts` are the only hosts beside those addresses, by name or as `*.` and
    a suffix: a connection must name one first (TLS, HTTP/1), and for these alone may `resolvers` be asked, also with a
    suffix of `search`. The loopback is always allowed; local sockets whose path holds one of `sockets` are not.
    `starts`: whether programs may start from a real path, so that it may not be written but by the package that lies
    there; `programs`: the folders of those; `granted`: files and folders to which the script shell holds what it
    starts; `never`: folders too wide to be a package's own. `exempt` names packages to which nothing is refused.
    """

    reads: Callable[[str], bool] | None = None
    stripped: Callable[[str, bytes], bytes | None] = lambda path, content: None
    files: frozenset[tuple[int, int]] = frozenset()
    holding: frozenset[str] = frozenset()
    writes: Callable[[str], bool] | None = None
    evidence: bool = False
    dropped: bool = False
    watches: Callable[[str], bool] = lambda path: False
    ports: frozenset[int] | None = None
    addresses: tuple[str, ...] | None = None
    hosts: tuple[str, ...] | None = None
    resolvers: frozenset[str] = frozenset()
    search: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()
    starts: Callable[[str], bool] | None = None
    programs: tuple[str, ...] = ()
    granted: frozenset[str] = frozenset()
    never: tuple[str, ...] = ()
    exempt: frozenset[str] = frozenset()

    @property
    def any(self) -> bool:
        """Whether something is refused."""
        return self.reads is not None or self.changes or self.dropped or self.network

    @property
    def changes(self) -> bool:
        """Whether files may not be written, made, moved or deleted."""
        return self.writes is not None or self.starts is not None or self.evidence

    @property
    def network(self) -> bool:
        """Whether addresses, ports or sockets are refused."""
        return self.restricted or bool(self.sockets)

    @property
    def restricted(self) -> bool:
        """Whether not every address, port and host may be reached."""
        return self.ports is not None or self.addresses is not None or self.hosts is not None


class Seen(msgspec.Struct, frozen=True):
    """A process that begins a program, as attribution needs it.

    `environment` holds the variables that package managers set for their scripts; `above` is its parent's cause.
    """

    process: Process
    environment: Mapping[str, str]
    above: Cause | None


class Confinement(msgspec.Struct, frozen=True):
    """A sandbox around a command, made by who asks.

    `enter` runs in the command's process before its filter is set and raises OSError where it cannot enter; its work
    ends in a process without rights. `reached` is called with address and port before a process may connect or send
    there. Processes with the numbers `spared` are the sandbox's own. Calls that could lead out are refused and told.
    """

    enter: Callable[[], None]
    reached: Callable[[str, int], None]
    spared: tuple[int, ...] = ()


class Supervision(msgspec.Struct, frozen=True):
    """A command to start and watch. `reads`: files that are opened for reading are seen too.

    `classify` gives the class of an absolute path; `attribute` the cause of a process that begins a program. After the
    command has ended, what survives is watched for `linger` seconds; `ends_survivors` then ends it. `seconds` bounds
    the whole; None: no bound. `confinement`: it is started in a sandbox, and `command` names its program by a path in
    there. `held_shell` is the path of a script shell from which programs start in some folders alone: where a package's
    first process is that shell, what it starts cannot be raced. `given` holds files of the supervisor by path: whatever
    lies there, a package's processes are given these bytes.
    """

    command: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]
    classify: Callable[[str], PathClass]
    attribute: Callable[[Seen], Cause | None]
    reads: bool = True
    denials: Denials = Denials()
    linger: float = 0.0
    ends_survivors: bool = False
    seconds: float | None = None
    confinement: Confinement | None = None
    held_shell: str = ""
    given: Mapping[str, bytes] = {}


class Ended(msgspec.Struct, frozen=True):
    """How it ended. `code` as a shell tells it: that of the command, 128 and the signal's number, 126 or 127.

    `timed_out`: the bound was reached. `cpu` is seconds of the command and all it started, and waited for.
    """

    code: int
    watch: Watch
    survivors: tuple[Process, ...] = ()
    timed_out: bool = False
    events: int = 0
    cpu: float = 0.0


Told = Callable[[Event], None]
"""Gets each event as it happens."""

"""A suspect release that is run in a sandbox: what the sandbox is made of, what is found in it, what is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from pratique.model.event import Cause, Detection, Event, PathClass, Process, Watch
from pratique.model.supervision import Seen

DETONATION_SCHEMA = "pratique.detonation/1"

Persona = Literal["laptop", "ci", "root"]
PERSONAS: tuple[Persona, ...] = ("laptop", "ci", "root")


# what a sandbox is made of


class Limits(msgspec.Struct, frozen=True):
    """The bounds of one sandbox. Bytes, but `processes`, and `seconds` by the clock for everything, lingering apart.

    `memory` bounds all processes together, and is looked at four times a second; `memory_each` is the kernel's limit
    of one process's own data. `home` and `temporary` bound what can be written.
    """

    seconds: float = 60.0
    linger: float = 2.0
    processes: int = 400
    memory: int = 3 << 30
    memory_each: int = 4 << 30
    home: int = 768 << 20
    temporary: int = 256 << 20
    file: int = 512 << 20
    output: int = 256 << 10


class Account(msgspec.Struct, frozen=True):
    """Who the suspect is: name and number of the user, home folder, name of the host."""

    user: str
    number: int
    home: str
    host: str


class Served(msgspec.Struct, frozen=True):
    """What the registry in the sandbox answers to one path."""

    content: bytes
    kind: str


class Authority(msgspec.Struct, frozen=True):
    """A certificate authority of one run: PEM of its certificate and key. `means` says what signs with it."""

    certificate: bytes
    key: bytes
    means: Literal["cryptography", "openssl"]


class Chamber(msgspec.Struct, frozen=True):
    """One sandbox to make and one script to run in it.

    `files` are absolute paths in there with their content, `executables` those of them that can be run. `programs` are
    files and folders of this machine that can be read there, at the same paths; `links` are names there with what they
    lead to. `registry` is the host that serves
    `served`, path to answer.
    """

    account: Account
    folder: str
    script: str
    environment: Mapping[str, str]
    files: Mapping[str, bytes]
    classify: Callable[[str], PathClass]
    attribute: Callable[[Seen], Cause | None]
    executables: frozenset[str] = frozenset()
    programs: tuple[str, ...] = ()
    links: Mapping[str, str] = {}
    registry: str = ""
    served: Mapping[str, Served] = {}
    authority: Authority | None = None
    limits: Limits = Limits()


# what is found in it


class Found(msgspec.Struct, frozen=True):
    """A file that lies in the sandbox. `sha256` is empty for one that is too large; `target` is where a link leads."""

    path: str
    size: int
    sha256: str = ""
    executable: bool = False
    target: str = ""


class Asked(msgspec.Struct, frozen=True, tag="name"):
    """A name that was asked for, and the address that was given out for it."""

    time_ns: int
    name: str
    kind: str
    address: str


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """What one connection, or one request in it, sent. `head` holds the first bytes as they came.

    `host` is what the sender calls it: by the name that the address was given out for, SNI, or the Host header.
    """

    time_ns: int
    address: str
    port: int
    protocol: str
    host: str = ""
    server_name: str = ""
    method: str = ""
    path: str = ""
    size: int = 0
    sha256: str = ""
    head: bytes = b""
    begun_ns: int = 0


class Contained(msgspec.Struct, frozen=True):
    """What one sandbox gave. `steps` are the exit codes that the script noted, by step; `output` what it printed.

    `broken` is why it ended before its end; empty where it did not.
    """

    events: tuple[Event, ...]
    asked: tuple[Asked, ...]
    sent: tuple[Sent, ...]
    before: Mapping[str, str]
    after: tuple[Found, ...]
    steps: Mapping[str, int]
    output: bytes
    survivors: tuple[Process, ...] = ()
    watch: Watch | None = None
    timed_out: bool = False
    broken: str = ""
    gaps: tuple[str, ...] = ()
    seconds: float = 0.0


# what is reported


class Examined(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release that was run, or was there as a dependency of it."""

    purl: str
    ecosystem: str
    name: str
    version: str
    file: str
    sha256: str
    suspect: bool = True


class Planted(msgspec.Struct, frozen=True):
    """A credential that was made up for the run. Its value stands in no report."""

    name: str
    place: str


class Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was sent to one address. `honeytokens` are names of planted credentials in it; `encodings` how they stood.

    `head` is the beginning as text, planted credentials replaced by their names.
    """

    protocol: str
    address: str
    port: int
    host: str = ""
    method: str = ""
    path: str = ""
    size: int = 0
    sha256: str = ""
    head: str = ""
    honeytokens: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """One step and its exit code; None where it did not come to an end."""

    name: str
    command: str
    code: int | None = None


class Behaviour(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fact about what a release did, resting on events by their numbers."""

    kind: str
    statement: str
    events: tuple[int, ...] = ()
    cause: Cause | None = None


class DetonationRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen as one persona, what an empty package does too taken away (`subtracted` counts it by kind)."""

    persona: Persona
    steps: tuple[Step, ...]
    behaviours: tuple[Behaviour, ...] = ()
    detections: tuple[Detection, ...] = ()
    payloads: tuple[Payload, ...] = ()
    names: tuple[str, ...] = ()
    dropped: tuple[Found, ...] = ()
    survivors: tuple[Process, ...] = ()
    events: tuple[Event, ...] = ()
    subtracted: Mapping[str, int] = {}
    watch: Watch | None = None
    timed_out: bool = False
    broken: str = ""
    gaps: tuple[str, ...] = ()
    seconds: float = 0.0
    output: str = ""
    home: str = ""
    folder: str = ""


class Detonation(msgspec.Struct, frozen=True):
    """The report of one detonation. `planted` are the credentials that lay about; `layers` what the sandbox is."""

    schema: str
    version: str
    generated: str
    command: tuple[str, ...]
    releases: tuple[Examined, ...]
    runs: tuple[DetonationRun, ...]
    planted: tuple[Planted, ...]
    layers: tuple[str, ...]
    gaps: tuple[str, ...] = ()
    left_out: int = 0

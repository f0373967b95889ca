"""An incident: a package compromise described as data.

The field list follows what past incidents needed in order to be told apart from look-alikes; a field stands here only
when a bundled incident uses it. Every structure refuses unknown keys, so a misspelt key is an error and never silence.
"""

from __future__ import annotations

import datetime
import enum
from typing import Literal

import msgspec

from pratique.model.signature import Signature

Ecosystem = Literal["npm", "PyPI", "GitHub Actions"]
Confidence = Literal["low", "medium", "high"]
EvidenceKind = Literal[
    "lockfile",
    "hidden-lockfile",
    "manifest",
    "cache-index",
    "cache-content",
    "debug-log",
    "shell-history",
    "process-table",
    "socket-table",
    "dropped-file",
    "persistence",
    "configuration",
    "log",
    "archive",
    "other",
]
"""What kind of thing a piece of evidence is."""


class Role(enum.StrEnum):
    """What a listed component does in the incident."""

    CARRIER = "carrier"
    """A wanted package whose listed releases pull in or carry the malicious code."""
    PAYLOAD = "payload"
    """The package that holds the malicious code."""
    VENDORED = "vendored"
    """A package that ships a copy of a carrier or payload inside its own archive."""
    DECOY = "decoy"
    """A harmless release the attacker published to look established; its presence alone is not an infection."""
    DOWNSTREAM = "downstream"
    """A release that depends on a bad one in a way that makes it resolve there."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of all incident structures: frozen, keyword only, closed."""


class IncidentReference(Record, frozen=True, kw_only=True):
    """A source that other fields name by `id`."""

    id: str
    title: str
    kind: Literal[
        "advisory",
        "vendor-report",
        "post-mortem",
        "government",
        "database",
        "issue",
        "list",
        "lockfile",
        "general-knowledge",
    ]
    url: str | None = None
    retrieved: datetime.date | None = None
    note: str | None = None


class Version(Record, frozen=True, kw_only=True):
    """One exact listed release.

    `published` and `removed` are moments in UTC. `sha1` and `sha256` are hexadecimal digests of the archive,
    `sha512` is its Subresource Integrity string (`sha512-` and base64).
    """

    version: str
    role: Role | None = None
    trigger: str | None = None
    published: datetime.datetime | None = None
    removed: datetime.datetime | None = None
    sha1: str | None = None
    sha256: str | None = None
    sha512: str | None = None
    tags: tuple[str, ...] = ()
    safe: str | None = None
    source: str | None = None
    note: str | None = None


class Component(Record, frozen=True, kw_only=True):
    """A package of an incident. `versions` are exact; `all_versions` must be said explicitly."""

    ecosystem: Ecosystem
    name: str
    role: Role
    trigger: str | None = None
    versions: tuple[Version, ...] = ()
    all_versions: bool = False
    origin: str | None = None
    """Index whose copy alone is bad (dependency confusion), by name: `PyPI` is the public index. None: any copy."""
    safe: tuple[str, ...] = ()
    """Known good releases, one for each branch, newest last."""
    bundle: Signature | None = None
    """What tells this package, and its version, in the output of a bundler."""
    source: str | None = None
    note: str | None = None


class Window(Record, frozen=True, kw_only=True):
    """When a component (all, where `component` is None) could be fetched. UTC; `margin_minutes` widens both ends."""

    start: datetime.datetime
    end: datetime.datetime | None = None
    basis: Literal["observed", "inferred"]
    source: str
    component: str | None = None
    margin_minutes: int = 0
    note: str | None = None


class Trigger(Record, frozen=True, kw_only=True):
    """What makes the code run, and what stops it."""

    id: str
    kind: Literal[
        "install-script",
        "import",
        "interpreter-start",
        "app-runtime",
        "browser",
        "build",
        "action",
        "open-in-editor",
    ]
    script: str | None = None
    """Name of the lifecycle script (`postinstall`) where `kind` is `install-script`."""
    command: str | None = None
    blocked_by: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    note: str | None = None


class Tampering(Record, frozen=True, kw_only=True):
    """How the code changes its own package folder after it ran, as a test on the folder.

    With `version` recorded as installed (hidden lockfile, virtual store, state file) the folder is in
    state A while `present_before` exists and the manifest says `version`; it is in state B when every file of
    `absent_after` is gone and the manifest says `manifest_version_after`.
    """

    id: str
    component: str
    version: str
    present_before: tuple[str, ...]
    absent_after: tuple[str, ...]
    manifest_version_after: str
    decoy_integrity: str | None = None
    """SRI of the genuine release whose version the manifest pretends to be."""
    source: str
    note: str | None = None


class Indicator(Record, frozen=True, kw_only=True):
    """A trace outside the packages themselves, stored defanged where it is a host, address or URL."""

    id: str
    type: Literal[
        "file-path",
        "file-hash",
        "file-content",
        "process",
        "parent-child",
        "command-line",
        "registry-key",
        "service",
        "environment",
        "domain",
        "ip",
        "url",
        "user-agent",
        "http-body",
        "git-repository",
        "repository-description",
        "git-branch",
        "workflow-file",
        "editor-configuration",
        "runner-name",
    ]
    value: str
    match: Literal["exact", "glob", "regex"] = "exact"
    platforms: tuple[Literal["linux", "macos", "windows"], ...] = ()
    lifetime: Literal["persistent", "volatile", "deleted-by-malware"] = "persistent"
    confidence: Confidence
    meaning: Literal["resolved", "fetched", "installed", "executed", "persisted", "exfiltrated", "infrastructure"]
    look_alikes: tuple[str, ...] = ()
    where: tuple[Literal["bundle", "configuration", "workflow", "shell-start"], ...] = ()
    """Kinds of file in which a `file-content` is looked for; empty: configuration that runs code."""
    sources: tuple[str, ...]
    note: str | None = None


class SecretAtRisk(Record, frozen=True, kw_only=True):
    """A class of secret that the code could reach, on which condition, and how it is replaced."""

    kind: str
    condition: str
    rotate: str
    evidence: Literal["taken", "targeted", "in-reach"] | None = None
    """How sure it is that this class was stolen: taken from victims, looked for, or merely readable."""


class Remediation(Record, frozen=True, kw_only=True):
    """One step of the ordered response. `after` names steps that must be done before this one."""

    id: str
    action: str
    after: tuple[str, ...] = ()
    destructive: bool = False
    note: str | None = None


class Evidence(Record, frozen=True, kw_only=True):
    """What to preserve first; `order` 1 is the most volatile."""

    order: int
    what: str
    why: str
    kinds: tuple[EvidenceKind, ...] = ()
    """What of it can be copied from a machine; empty: it lies with a service, and a person must export it there."""


class Actor(Record, frozen=True, kw_only=True):
    """Who did it, according to whom."""

    name: str
    confidence: Confidence
    sources: tuple[str, ...]


class Incident(Record, frozen=True, kw_only=True):
    """One compromise.

    `completeness` says what "not listed" means: `fixed` (the list is final), `growing` (releases were still being
    added when the list was made) or `partial` (the list is known to lack some): only `fixed` supports an
    unqualified negative.
    """

    id: str
    revision: int
    updated: datetime.date
    title: str
    summary: str
    status: Literal["active", "contained", "closed"]
    completeness: Literal["fixed", "growing", "partial"]
    aliases: tuple[str, ...] = ()
    actor: Actor | None = None
    listed_on: datetime.date | None = None
    provenance: Literal["lost", "valid", "never-had", "mixed"] | None = None
    destructive: bool = False
    dead_man_switch: str | None = None
    preconditions: tuple[str, ...] = ()
    references: tuple[IncidentReference, ...] = ()
    components: tuple[Component, ...] = ()
    windows: tuple[Window, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    tampering: tuple[Tampering, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    secrets: tuple[SecretAtRisk, ...] = ()
    remediation: tuple[Remediation, ...] = ()
    next_steps: tuple[str, ...] = ()
    """At most three short imperatives for the first screen, in order."""
    prevention: tuple[str, ...] = ()

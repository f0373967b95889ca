"""Credentials that an identity could read: where they are, what protects them, whose they are. Never their value.

No field here may hold a value, a part of one, its length, or a digest that can be made without the machine's own key.
Contract after the rules of device inventories: only names, places, public identities and coarse facts are kept.
"""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA = "pratique.reach/1"

Tier = Literal[0, 1, 2, 3]
"""0 mints, publishes or controls an identity; 1 production or cloud; 2 a single service; 3 low, or needs a second
factor."""

State = Literal[
    "present",  # secret material stands there
    "reference",  # it points to a helper, an agent, a variable or a store; the material is elsewhere
    "store",  # a password store, keychain or browser profile is there; it is never opened
    "name",  # a variable or a job's secret: its name alone is known
]
Protection = Literal["plaintext", "encrypted", "passphrase", "keychain", "hardware", "write-only", "unknown"]
Reach = Literal[
    "observed",  # a record shows that it was read
    "readable",  # readable by the identity, and it was there before the listed release could be fetched
    "unknown-time",  # readable; whether it was there in time is not known
    "by-reference",  # through an agent, a helper, a socket or a metadata service
    "not-readable",  # another account's, or not mounted
]


class CredentialFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader of a credential file tells of one credential in it."""

    field: str
    """Name of the field, variable or section that holds it: `_authToken`, `aws_secret_access_key`."""
    state: State = "present"
    protection: Protection = "plaintext"
    kind: str = ""
    """Kind that its format tells: `github-fine-grained-token`; empty where the format says nothing."""
    identity: tuple[tuple[str, str], ...] = ()
    """What the file says of whose it is, in pairs: `host`, `user`, `profile`, `fingerprint` of a public key."""
    scopes: tuple[str, ...] = ()
    expires: str | None = None
    """ISO 8601 in UTC."""
    created: str | None = None
    """ISO 8601 in UTC, where the file says so."""
    fingerprint: str | None = None
    """Keyed fingerprint, 20 hexadecimal digits, comparable on this machine alone; None for what is easy to guess."""


class Credential(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One credential in reach. `id` is a digest of class, place, field and identity: the same in every run."""

    id: str
    location: str
    """Id of the row in the table of locations: `npm-rc`."""
    provider: str
    """Who issued it: `npm`, `github`, `aws`; `unknown` where nothing tells."""
    tier: Tier
    place: str
    """Where, with the roots named: `$HOME/.npmrc`, `job:release.yml/publish`, `environment`."""
    fact: CredentialFact
    reach: Reach
    in_window: bool | None = None
    """Whether it was there while a listed release could be fetched; None where that cannot be told."""
    taken: Literal["taken", "targeted", "in-reach"] | None = None
    """What the incident is known to do with this class, on the evidence that its definition states."""
    modified: str | None = None
    """When the file was last changed, ISO 8601 in UTC."""
    born: str | None = None
    """When the file was made, where the file system tells."""
    mode: str | None = None
    """Permission bits in octal: `0600`."""
    others_can_read: bool | None = None
    tracked: bool | None = None
    """Whether the file lies in a git checkout and is not ignored there."""
    same_as: tuple[str, ...] = ()
    """Ids of credentials with the same value, by keyed fingerprint."""
    rotation: str = ""
    """Id of the rotation provider whose steps replace it."""
    secret: str = ""
    """The class that incident definitions know it by: `npm-token`."""


class ReachRefusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place that could not be looked at, with a reason out of a fixed list: texts of errors may quote secrets."""

    location: str
    place: str
    reason: Literal[
        "permission denied",
        "is no file",
        "leads out of the home folder",
        "too large",
        "of an encoding that is not read",
        "not understood",
        "half understood",
        "took too long",
        "too many entries",
        "cannot be read",
    ]


class ReachAsked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked for, so that it can be asked again. Paths are absolute."""

    home: str | None = None
    root: str | None = None
    user: str | None = None
    projects: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    job: str | None = None
    reports: tuple[str, ...] = ()


class ReachReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The inventory."""

    schema: str
    tool: str
    host: str
    made: str
    """ISO 8601 in UTC."""
    identity: str
    """The account whose reach it is: `uid 1000`, or the job."""
    catalogue: str
    """Version of the table of locations."""
    looked_at: int
    """How many places were looked at."""
    windows: tuple[tuple[str, str | None], ...] = ()
    """Start and end of what counts as the window, ISO 8601 in UTC."""
    asked: ReachAsked | None = None
    """What was asked for; None in inventories that were made before this was kept."""
    credentials: tuple[Credential, ...] = ()
    refusals: tuple[ReachRefusal, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every place could be looked at."""
        return not self.refusals

"""The plan `pratique.plan/1`: ordered steps with reason, precondition, edit or command, undo and check; and receipts.

A plan never acts. `apply` takes the digest of the plan that was shown, carries out what its steps name, and writes one
receipt for each step. Paths are absolute paths of the machine that the plan is for.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

SCHEMA = "pratique.plan/1"
RECEIPT = "pratique.receipt/1"

Phase = Literal["preserve", "contain", "revert", "rotate", "verify", "monitor", "prevent", "communicate"]
PHASES: tuple[Phase, ...] = (
    "preserve",
    "contain",
    "revert",
    "rotate",
    "verify",
    "monitor",
    "prevent",
    "communicate",
)
"""In the order in which they stand in a plan; `after` of a step may ask for more."""

Disposition = Literal["safe", "unsafe", "manual"]
"""`safe`: apply does it, and undo restores the bytes. `unsafe`: apply does it with `--allow unsafe` alone, since more
than these bytes depends on it. `manual`: a person does it; apply never does."""

Owner = Literal[
    "responder", "repository-owner", "platform-engineer", "credential-owner", "legal", "communications", "management"
]


COLLECT = "preserve.collect"
"""Id of the step that copies the evidence."""
SEAL = "preserve.seal"
"""Id of the step that seals the case."""


def shown_by_case(*, sealed: bool, evidence: int) -> frozenset[str]:
    """Steps that a case shows as done without a receipt: evidence is in it, and a seal covers all of it."""
    if not sealed:
        return frozenset()
    return frozenset({COLLECT, SEAL} if evidence else {SEAL})


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the parts of a plan."""


class Hunk(Part, frozen=True):
    """Bytes to take out and put in at one place of a file."""

    offset: int
    """Where, in bytes from the start of the file as it is before the edit."""
    remove: bytes
    """What stands there now (base64 in JSON)."""
    insert: bytes
    """What stands there afterwards (base64 in JSON)."""


def patched(content: bytes, hunks: tuple[Hunk, ...]) -> bytes:
    """The bytes of a file after its hunks. Raises ValueError where they do not fit: out of order, or other bytes."""
    made: list[bytes] = []
    at = 0
    for hunk in hunks:
        end = hunk.offset + len(hunk.remove)
        if hunk.offset < at or content[hunk.offset : end] != hunk.remove or hunk.offset > len(content):
            raise ValueError("the hunks of the plan do not fit the file")
        made += (content[at : hunk.offset], hunk.insert)
        at = end
    made.append(content[at:])
    return b"".join(made)


def unpatched(content: bytes, hunks: tuple[Hunk, ...]) -> bytes:
    """The bytes of a file before its hunks. Raises ValueError where they do not fit."""
    turned: list[Hunk] = []
    shift = 0
    for hunk in hunks:
        turned.append(Hunk(offset=hunk.offset + shift, remove=hunk.insert, insert=hunk.remove))
        shift += len(hunk.insert) - len(hunk.remove)
    return patched(content, tuple(turned))


class Edit(Part, frozen=True, tag_field="action", tag="edit"):
    """One file gets other bytes. Hunks are in order of offset and do not overlap."""

    path: str
    """Absolute path of the file."""
    before: str | None
    """`sha256:<hexadecimal>` of the file as it must be now; null: there must be no file."""
    after: str
    """`sha256:<hexadecimal>` of the file afterwards."""
    hunks: tuple[Hunk, ...]
    """What changes; for a new file one hunk at 0."""
    diff: str
    """The change for people, as a unified diff; without context lines where the file may hold secrets."""


class Quarantine(Part, frozen=True, tag_field="action", tag="quarantine"):
    """A file or folder is moved into the quarantine of the case; nothing is removed."""

    path: str
    """Absolute path."""
    digest: str
    """`sha256:<hexadecimal>` of the file; of a folder, of the sorted lines `<digest of file>  <relative path>`."""
    what: Literal["package-cache", "package-folder", "user-unit", "persistence", "dropped-file"]
    """What is moved; it decides which places are allowed."""
    folder: bool = False
    """Whether it is a folder with all that is in it."""


class Command(Part, frozen=True):
    """A command that a person may run. It is shown, never started by pratique."""

    words: tuple[str, ...]
    """The program and its arguments; `<ID>` and the like stand for what the person knows."""
    where: Literal["affected-machine", "other-machine", "network", "service", "registry"] = "affected-machine"
    """Where it is run."""
    note: str = ""
    """What it does, where the words do not say so."""


class Manual(Part, frozen=True, tag_field="action", tag="manual"):
    """A person acts: at a console, with the commands given, or with the text to copy."""

    instructions: tuple[str, ...] = ()
    """What to do, in order."""
    commands: tuple[Command, ...] = ()
    """Commands to copy."""
    text: str = ""
    """A text to copy: a block list, an announcement, a snippet of configuration."""
    media: str = "text/plain"
    """What the text is: `text/plain`, `text/x-hosts`, `text/x-nftables`, `text/markdown`."""


Action = Edit | Quarantine | Manual


class Precondition(Part, frozen=True):
    """What must hold before a step. `apply` tests it; a person reads it."""

    kind: Literal[
        "sealed",  # the case's evidence is sealed
        "swept",  # the dead man's switch of `incident` was looked for, removed, and that is recorded
        "digest",  # the bytes at the path of the action are those named there
        "absent",  # nothing is at the path of the action
        "uncommitted",  # the file has no uncommitted change in its git checkout
        "rebuilt",  # the machine was rebuilt, or another one is used
        "done",  # another step has a receipt
    ]
    words: str
    """For people, in one sentence."""
    incident: str = ""
    """The incident that `swept` is about."""
    step: str = ""
    """The step that `done` is about."""


class Step(Part, frozen=True):
    """One step of a plan."""

    id: str
    """Name of the step, unique in its plan and the same in every run on the same input: `revert.lock.shop-web`."""
    phase: Phase
    """Which part of the response it belongs to."""
    title: str
    """What is done, as one imperative sentence."""
    reason: str
    """Why, with the facts that call for it."""
    disposition: Disposition
    """Who acts, and how far it reaches."""
    action: Action
    """What is done."""
    owner: Owner
    """Whose work it is."""
    incidents: tuple[str, ...] = ()
    """The incidents that call for it."""
    preconditions: tuple[Precondition, ...] = ()
    """What must hold before."""
    after: tuple[str, ...] = ()
    """Steps of this plan that come before."""
    undo: str = ""
    """How it is undone, in words; empty: it cannot be."""
    check: str = ""
    """How it is seen that it worked."""
    check_command: Command | None = None
    """The command that shows it, where one does."""
    proof: str = ""
    """How the edit was proven before it was planned, or why not: `npm 11.19.1 ci --ignore-scripts accepts it`."""
    destroys_evidence: bool = False
    """Whether bytes that were evidence are no longer where they were."""
    triggers_dead_man_switch: bool = False
    """Whether it revokes, cuts a network or stops a process: what a dead man's switch may be waiting for."""
    sightings: tuple[str, ...] = ()
    """Ids of the sightings that call for it."""
    credential: str = ""
    """Id of the credential that is rotated."""
    until: str = ""
    """A date (ISO 8601) on which it is looked at again: an override that expires, an end of watching."""


class HeldBack(Part, frozen=True):
    """Steps that are not shown yet, and what must be recorded first."""

    incident: str
    """The incident with a dead man's switch."""
    reason: str
    """What must be looked for, removed and recorded."""
    count: int
    """How many steps wait."""


class Plan(Part, frozen=True, omit_defaults=False):
    """The whole, in order."""

    schema: str
    """The name of this contract: `pratique.plan/1`."""
    tool: str
    """`pratique` and its version."""
    host: str
    """Name of the machine that it is for."""
    made: str
    """When it was made, ISO 8601 in UTC."""
    basis: tuple[str, ...]
    """Digests (`sha256:<hexadecimal>`) of the reports that it rests on."""
    case: str
    """Id of the case; empty without one."""
    incidents: tuple[str, ...]
    """The incidents that it answers."""
    steps: tuple[Step, ...]
    """The steps, in the order in which they are done."""
    held_back: tuple[HeldBack, ...] = ()
    """What is not shown yet."""
    notes: tuple[str, ...] = ()
    """What could not be planned, and why."""

    @property
    def digest(self) -> str:
        """`sha256:<hexadecimal>` of the canonical JSON of the plan: what a person confirms."""
        return f"sha256:{hashlib.sha256(msgspec.json.encode(self, order='deterministic')).hexdigest()}"


class Receipt(Part, frozen=True, omit_defaults=False):
    """What a step did."""

    schema: str
    """The name of this contract: `pratique.receipt/1`."""
    plan: str
    """Digest of the plan."""
    step: str
    """Id of the step."""
    outcome: Literal["begun", "done", "undone", "refused", "failed", "by-hand"]
    """`begun`: written before a step changes anything; alone, the run ended in the middle. `refused`: a precondition
    did not hold and nothing was changed. `by-hand`: a person says that it is done."""
    started: str
    """When, ISO 8601 in UTC."""
    finished: str
    """When it ended."""
    who: str
    """The account that did it, or the person that says so."""
    before: str | None = None
    """Digest of what was there before."""
    after: str | None = None
    """Digest of what is there now."""
    kept: str | None = None
    """Where the bytes from before lie: a path in the quarantine."""
    message: str = ""
    """What was refused or failed, and what to do; or the person's words."""

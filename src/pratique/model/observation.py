"""Facts that were read, without judgement, and what could not be read.

Each kind of fact is one structure; the tag in `kind` names it in reports. A fact never holds a secret's value: URLs
are stripped of user info, query and fragment before they become facts, commands are kept parsed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pratique.model.location import Location

Origin = Literal["registry", "git", "file", "link", "workspace", "remote-tarball", "unknown"]
"""What kind of source a package comes from; `unknown` counts as a registry, since mirrors and omitted URLs look so."""

Record = Literal[
    "lock",  # a lockfile of a project
    "installed-record",  # what a manager wrote down after it installed: hidden lockfile, state file, virtual store lock
    "manifest",  # the package.json of an unpacked package
    "folder-name",  # a folder or file name that carries the version
    "cache",  # a download cache: bytes or their index
    "store",  # a content-addressed store's index
    "log",  # a line of a log
]


class Fact(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", gc=False):
    """Base of all facts."""


class ComponentFact(Fact, frozen=True, tag="component", kw_only=True):
    """A package release that a record names.

    `depth` is what the record alone shows: resolved (lock), fetched (cache, store, log), installed (tree, its
    records). `integrity` holds Subresource Integrity strings or hexadecimal digests with their algorithm as prefix.
    `folder` is the path of the package's folder relative to the target, where the record names one.
    """

    name: str
    version: str
    depth: Literal["declared", "resolved", "fetched", "installed"]
    record: Record
    ecosystem: str = "npm"
    origin: Origin = "registry"
    integrity: tuple[str, ...] = ()
    resolved: str | None = None
    folder: str | None = None
    alias: str | None = None
    install_script: bool | None = None
    dev: bool | None = None
    optional: bool | None = None
    bundled: bool | None = None
    shipped_in: str | None = None
    """Name of the installed package inside whose folder this record lies, where it is not the package's own."""
    requested_by: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class RangeFact(Fact, frozen=True, tag="range", kw_only=True):
    """A manifest asks for a package: a project's own, or with `asked_by` that of an installed release.

    `exact` is the version where the range admits just one.
    """

    name: str
    range: str
    field: str
    exact: str | None = None
    asked_by: str | None = None
    ecosystem: str = "npm"


class ProtectionFact(Fact, frozen=True, tag="protection", kw_only=True):
    """A manifest, lockfile or configuration forces another version of a package, or forbids one.

    `forces` is the version or range it forces, None where the release is only forbidden.
    """

    name: str
    field: str
    selector: str | None = None
    forces: str | None = None
    ecosystem: str = "npm"


class ScriptFact(Fact, frozen=True, tag="script", kw_only=True):
    """A record that a lifecycle script of a release started, ended, or was kept from running."""

    name: str
    version: str
    script: str
    outcome: Literal["started", "finished", "failed", "blocked", "skipped"]
    ecosystem: str = "npm"
    exit_code: int | None = None
    working_directory: str | None = None
    """Absolute path of the project the command ran in, as the log states it."""


class SideEffectFact(Fact, frozen=True, tag="side-effect", kw_only=True):
    """A store remembers what a release's scripts changed in its folder: a build ran on a machine sharing the store."""

    name: str
    version: str
    platform: str
    added: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    ecosystem: str = "npm"
    integrity: tuple[str, ...] = ()


class PolicyFact(Fact, frozen=True, tag="policy", kw_only=True):
    """A setting that decides whether dependency scripts may run, or how old a release must be.

    `names` are the packages that an allow-list or deny-list names. `scope` tells which file level it is.
    """

    setting: str
    value: str
    names: tuple[str, ...] = ()
    manager: str = "npm"


class CommandFact(Fact, frozen=True, tag="command", kw_only=True):
    """A package manager was started: from a log's or a shell history's line, parsed. The line itself is not kept."""

    manager: str
    verb: str
    packages: tuple[str, ...] = ()
    working_directory: str | None = None
    manager_version: str | None = None
    flags: tuple[str, ...] = ()


class FolderFact(Fact, frozen=True, tag="folder", kw_only=True):
    """The second look at a package folder: does it exist, and which of the named files are in it."""

    folder: str
    exists: bool
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class DigestFact(Fact, frozen=True, tag="digest", kw_only=True):
    """The second look at a file: its digest. `expected` is the digest asked about, `equal` the answer."""

    path: str
    algorithm: str
    digest: str
    expected: str | None = None
    equal: bool | None = None


class PresenceFact(Fact, frozen=True, tag="presence", kw_only=True):
    """The second look at a path: whether it exists."""

    path: str
    exists: bool
    size: int | None = None


AnyFact = (
    ComponentFact
    | RangeFact
    | ProtectionFact
    | ScriptFact
    | SideEffectFact
    | PolicyFact
    | CommandFact
    | FolderFact
    | DigestFact
    | PresenceFact
)


class Time(msgspec.Struct, frozen=True, order=True):
    """A moment and what it means. `value` is ISO 8601 in UTC; `source` says where it stands."""

    meaning: str
    value: str
    source: str


class Observation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fact, where it was read and by which reader."""

    reader: str
    location: Location
    facts: AnyFact
    times: tuple[Time, ...] = ()


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that could not be read. `relevant`: it could have carried a sighting."""

    path: str
    reader: str
    reason: str
    relevant: bool
    target: str = ""
    path_bytes: str | None = None
    names: tuple[str, ...] = ()
    """Packages it could have carried, where that is known; empty: any."""


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """What only a second look can tell, at a named place of a target.

    kind `folder`: which of `files` exist in `path`; `presence`: does `path` exist;
    `digest`: what is the digest (`algorithm`) of the file, and is it `expected`.
    """

    kind: Literal["folder", "presence", "digest"]
    target: str
    path: str
    files: tuple[str, ...] = ()
    algorithm: str = ""
    expected: str = ""
    names: tuple[str, ...] = ()

"""Facts that were read, without judgement, and what could not be read.

Each kind of fact is one structure; the tag in `kind` names it in reports. A fact never holds a secret's value: URLs
are stripped of user info, query and fragment before they become facts, commands are kept parsed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pratique.model.location import Inside, Location

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
    "archive",  # the manifest inside a package's own archive
    "bundle",  # the output of a bundler that carries a copy of it
    "mirror",  # the storage of a mirror or proxy
    "sbom",  # a bill of materials
]


Telling = Literal[
    "constant",  # the package's own version constant, by its signature
    "path",  # a path in which a package manager spells the version
    "manifest",  # the package's own manifest, bundled with it
    "banner",  # a banner or licence comment
    "literal",  # the only text there that looks like a version of it
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
    """Files that the record belongs to; of a mirror, the archive that it says it holds, as a path in the target."""
    digests: tuple[str, ...] = ()
    """The digest (`sha256:<hexadecimal>`, or empty) that a record of an install states of each of `files`."""
    tags: tuple[str, ...] = ()
    """Names under which a mirror offers it (`latest`)."""
    told_by: Telling | None = None
    """What told the version in a bundle."""


class BundledFact(Fact, frozen=True, tag="bundled", kw_only=True):
    """The output of a bundler carries a package, and does not tell which release: one of `versions`, or any."""

    name: str
    versions: tuple[str, ...] = ()
    told_by: Literal["signature", "path"] = "path"
    ecosystem: str = "npm"


class ContentFact(Fact, frozen=True, tag="content", kw_only=True):
    """A string that an indicator names stands in a file; `kind_of_file` says what kind of file that is."""

    value: str
    kind_of_file: Literal["bundle", "configuration", "workflow", "shell-start"]


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
    printed: Literal["none", "direct", "all"] | None = None
    """Of a command in a log that installs: which of the releases that it brought the log names."""


class FolderFact(Fact, frozen=True, tag="folder", kw_only=True):
    """The second look at a package folder: does it exist, and which of the named files are in it."""

    folder: str
    exists: bool
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    beside: tuple[Inside, ...] = ()
    """In an image: the layer that each record which was asked about is shown from, as of that layer."""


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


class Commit(msgspec.Struct, frozen=True, order=True):
    """A commit that introduced or removed something. Times are ISO 8601 in UTC; both are set by the committer."""

    id: str
    authored: str
    committed: str
    refs: tuple[str, ...] = ()
    """Branches and tags that contain it, as far as they were asked for."""


class HistoryFact(Fact, frozen=True, tag="history", kw_only=True):
    """The second look at a git history: which commits hold a blob at a path.

    `tips` are the refs whose newest commit still holds it: none means that history alone does. `commits` counts
    commits that hold it, `in_window` those of them that were committed inside a window of the incident. The first 100
    of each are named; `commits` and `commits_in_window` count all.
    """

    path: str
    blob: str
    introduced: tuple[Commit, ...] = ()
    removed: tuple[Commit, ...] = ()
    contained_in: tuple[str, ...] = ()
    tips: tuple[str, ...] = ()
    commits: int = 0
    in_window: tuple[str, ...] = ()
    commits_in_window: int = 0
    whole: bool = True
    """False where the history is cut (shallow, partial) or only part of it could be asked."""


class Beside(msgspec.Struct, frozen=True, order=True):
    """Files that lay beside another at a commit: path and id of the blob. The id `index` stands for what is staged."""

    commit: Commit
    files: tuple[tuple[str, str], ...] = ()


class BesideFact(Fact, frozen=True, tag="beside", kw_only=True):
    """The second look at a git history: which lockfiles lay beside a manifest, or above it, while it counted.

    `at` has one commit for each different set of them, out of those commits that hold the manifest and that somebody
    may have built in a window: made in it, or the last ones before it. Empty: it was not in force then.
    """

    path: str
    blob: str
    windows: tuple[tuple[str, str], ...] = ()
    at: tuple[Beside, ...] = ()
    whole: bool = True


class LayerFact(Fact, frozen=True, tag="layer", kw_only=True):
    """The second look at an image: the layer that holds a file, and what became of the file.

    `index` counts from 0. `created_by` and `created` are what the image's history says of the layer, free text of its
    builder. `gone_in` is the index of the layer that deletes or overwrites the file, None where the image still shows
    it. `environment` and `labels` are names alone: what the build and the image could reach.
    """

    layer: str
    index: int
    layers: int
    path: str
    created: str | None = None
    created_by: str | None = None
    gone_in: int | None = None
    gone_how: Literal["deleted", "overwritten"] | None = None
    images: tuple[str, ...] = ()
    shown_by: tuple[str, ...] = ()
    """Those of them that still show the file."""
    referenced: bool = True
    """False for a layer that no tag names: of an old tag, or left over."""
    diff_id: str | None = None
    """The digest of the layer unpacked, as the image's configuration states it."""
    base: bool | None = None
    """Whether the layer belongs to the image that this one was built on; None where nothing at hand tells."""
    base_name: str | None = None
    whole: bool = True
    """False where a later layer could not be read: the file may be gone."""
    environment: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class RequestFact(Fact, frozen=True, tag="request", kw_only=True):
    """A mirror or proxy was asked for a release. `outcome` is `fetched` for bytes.

    It is `resolved` for metadata, whose `version` may be empty: all of them; and, with `archive`, where its archive was
    asked for and nothing shows that it was sent: `status` says why. `count` requests that differ by their time alone
    are one fact; its times are those of the first and the last.
    """

    name: str
    version: str
    outcome: Literal["fetched", "resolved"]
    archive: bool = True
    count: int = 1
    ecosystem: str = "npm"
    client: str | None = None
    identity: str | None = None
    shared_identity: bool = False
    """Whether the identity is one that several people or machines use: anonymous, or seen from several addresses."""
    agent: str | None = None
    status: int | None = None
    size: int | None = None
    integrity: tuple[str, ...] = ()


class JobFact(Fact, frozen=True, tag="job", kw_only=True):
    """A job of continuous integration: what it ran, and what it held, names alone.

    `steps` are the names of all its steps in order; `step` that of the step a neighbouring fact was read in; those
    after it shared its machine. `permissions` are `scope: level` as the log or the workflow file states them.
    """

    system: Literal["github-actions", "gitlab", "plain"]
    job: str
    workflow: str | None = None
    repository: str | None = None
    commit: str | None = None
    runner: str | None = None
    step: str | None = None
    steps: tuple[str, ...] = ()
    later_steps: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    environment: str | None = None
    source: Literal["log", "workflow-file", "both"] = "log"
    key: str | None = None
    """The job's key in its workflow file, where `job` is the name that it shows."""
    triggers: tuple[str, ...] = ()
    """The events that start the workflow."""
    secret_source: str | None = None
    """Where the run's secrets came from, as the log says: `Actions`, `Dependabot`, `None`."""
    persisted_credentials: bool | None = None
    """Whether a checkout left the job's token on the disk for later steps."""


class TriggerFact(Fact, frozen=True, tag="trigger", kw_only=True):
    """Configuration or code that runs when a checkout is opened, an agent or an interpreter starts.

    `when` is the event (`folderOpen`, `SessionStart`, `interpreter-start`, `post-checkout`); `program` the first word
    of the command where that is a path or a program's name, never its arguments.
    """

    tool: str
    when: str
    program: str | None = None
    owner: str | None = None
    """`name@version` of the package whose record lists the file, where one does."""
    files: tuple[str, ...] = ()


class HostFact(Fact, frozen=True, tag="host", kw_only=True):
    """A machine, live or as a mounted disk: its systems, the homes on it, and folders that variables name there.

    Paths are absolute on that machine, with `/` between their parts.
    """

    platforms: tuple[Literal["linux", "macos", "windows"], ...]
    live: bool
    homes: tuple[str, ...] = ()
    temporary: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    """Folders below the disk that systems lie in; empty: its root alone."""


class ProcessFact(Fact, frozen=True, tag="process", kw_only=True):
    """A process of a table of processes. Its arguments are reduced: `targets/arguments.py` says to what."""

    process: int
    parent: int
    name: str
    executable: str | None = None
    deleted: bool = False
    """Whether the file that it was started from is gone, or was written anew."""
    programs: tuple[str, ...] = ()
    """What it was called when it was started: names of programs, without folders."""
    words: tuple[str, ...] = ()
    """Its arguments, reduced; `…` stands for what is not told."""
    script: str | None = None
    """Absolute path of the script that an interpreter runs."""
    hosts: tuple[str, ...] = ()
    """Hosts of the URLs among its arguments, with their port where one is named."""
    matched: tuple[str, ...] = ()
    """Globs of indicators, as these spell them, that its whole command line matched."""
    user: str | None = None
    working_directory: str | None = None
    started: str | None = None
    container: str | None = None
    namespace: int | None = None
    own: bool = False
    """Whether it is this program itself."""


class SocketFact(Fact, frozen=True, tag="socket", kw_only=True):
    """A socket of a table of sockets. Addresses are spelled as numbers."""

    protocol: Literal["tcp", "udp"]
    state: str
    local: str
    local_port: int
    remote: str | None = None
    remote_port: int | None = None
    process: int | None = None
    program: str | None = None
    """Name of the owning process, where it is known."""


class PersistenceFact(Fact, frozen=True, tag="persistence", kw_only=True):
    """Something that a machine starts by itself. Of commands, programs and script files are kept, never arguments."""

    mechanism: Literal[
        "systemd",
        "linger",
        "cron",
        "at",
        "launchd",
        "scheduled-task",
        "run-key",
        "service",
        "startup-folder",
        "autostart",
        "shell-start",
        "git-hook",
        "interpreter-start",
    ]
    name: str
    """What the machine calls it: the unit, the label, the value of a Run key with its whole key."""
    when: str
    """When it starts: `boot`, `login`, `timer`, `shell`, or the event's own name."""
    user: str | None = None
    programs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Paths of programs and scripts that it names."""
    hosts: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()
    enabled: bool | None = None


class RunnerFact(Fact, frozen=True, tag="runner", kw_only=True):
    """A self-hosted runner of continuous integration is registered here. `server` is a host alone."""

    system: Literal["github-actions", "gitlab"]
    name: str
    server: str | None = None


class ResolverFact(Fact, frozen=True, tag="resolver", kw_only=True):
    """A name of interest that this machine resolves by itself, or was asked for."""

    name: str
    source: Literal["hosts-file", "log"]
    addresses: tuple[str, ...] = ()
    daemon: str | None = None
    count: int = 1


AnyFact = (
    ComponentFact
    | BundledFact
    | ContentFact
    | RangeFact
    | ProtectionFact
    | ScriptFact
    | SideEffectFact
    | PolicyFact
    | CommandFact
    | FolderFact
    | DigestFact
    | PresenceFact
    | HistoryFact
    | BesideFact
    | LayerFact
    | RequestFact
    | JobFact
    | TriggerFact
    | HostFact
    | ProcessFact
    | SocketFact
    | PersistenceFact
    | RunnerFact
    | ResolverFact
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
    inside: tuple[Inside, ...] = ()
    """The steps into a container, where it lies in one; `path` is that of the container."""
    ecosystems: tuple[str, ...] = ()
    """Ecosystems whose packages it could have carried, where that is known; empty: any."""


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """What only a second look can tell, at a named place of a target.

    kind `folder`: which of `files` exist in `path`; `presence`: does `path` exist;
    `digest`: what is the digest (`algorithm`) of the file, and is it `expected`;
    `history`: what became of what lies there (`inside`): commits and refs, layers; `expected` is `folder` where that is
    one. Answered with `inside` as it was asked; `beside`: which of `files` lay in its folder or above it, at the
    commits that count for the windows.
    """

    kind: Literal["folder", "presence", "digest", "history", "beside"]
    target: str
    path: str
    files: tuple[str, ...] = ()
    algorithm: str = ""
    expected: str = ""
    names: tuple[str, ...] = ()
    inside: tuple[Inside, ...] = ()
    beside: tuple[str, ...] = ()
    """With kind `folder` in an image: paths of records that speak of the folder, in whatever layer."""
    windows: tuple[tuple[str, str], ...] = ()
    """Start and end (empty: none known) of the windows of exposure, ISO 8601 in UTC."""

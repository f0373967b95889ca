"""What `pratique guard --block` refuses: the policy of a file, or the usual one, for one account and project.

A policy is TOML. Every key is optional; what is written wrong stops before the command is started.

    fail_on = "high"                     # as --fail-on
    exempt = ["esbuild"]                 # packages to which nothing is refused

    [credentials]
    deny = true                          # places of credentials may not be opened
    allow = ["~/.npmrc"]                 # patterns of paths that may be

    [programs]
    deny_dropped = true                  # what was dropped in this run may not be started
    allow = ["~/tools"]                  # folders in the home or a temporary folder from which programs may start

    [persistence]
    deny = true                          # what runs again may not be written: shell files, units, editors' tasks
    allow = ["~/.bashrc"]

    [evidence]
    keep = true                          # a package's own manifest and running script stay as they are

    [network]
    ports = [53, 80, 443]                # the only ports; without the key: any
    addresses = ["10.0.0.0/8"]           # the only addresses; without the key: any
    hosts = ["registry.example"]         # the only hosts beside these addresses; without the key: any
    deny_sockets = true                  # sockets of container engines and of the session's bus
"""

from __future__ import annotations

import contextlib
import glob
import ipaddress
import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from pratique.adapters.supervisor.naming import host_pattern
from pratique.model.errors import ConfigurationError
from pratique.model.event import Severity
from pratique.model.supervision import ENGINES, NAME_SERVICES, Denials
from pratique.workflow.guard_places import Places

MOST_BYTES = 1 << 20
SETTINGS = (
    "/.gitconfig", "/gitconfig", "/git/config", "/.git/config", "/my.cnf", "/compose.yaml", "/compose.yml",
    "/docker-compose.yaml", "/docker-compose.yml", "/go/env", "/.mcp.json",
)  # fmt: skip
"""Endings of paths that ordinary builds read and that hold credentials seldom; they are told, and not refused."""
HOOKS = ("/.git/hooks/", "/.git/config", "/.husky/")
"""Parts of paths of hooks of the project's own repository, which tools that are there for it write."""
HELD_BY_SHELL = ("npm", "npx", "pnpm", "pnpx", "npm-cli.js", "npx-cli.js", "pnpm.cjs", "pnpm.mjs")
"""Programs that start scripts of packages by the shell that they are told."""
_ADVICE = "See docs/how-to/block-what-packages-do.md"


class _Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    deny: bool = True
    allow: tuple[str, ...] = ()


class _Programs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    deny_dropped: bool = True
    allow: tuple[str, ...] = ()


class _Persistence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    deny: bool = True
    allow: tuple[str, ...] = ()


class _Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keep: bool = True


class _Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ports: tuple[int, ...] | None = None
    addresses: tuple[str, ...] | None = None
    hosts: tuple[str, ...] | None = None
    deny_sockets: bool = True


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy as written."""

    fail_on: Severity | None = None
    exempt: tuple[str, ...] = ()
    credentials: _Credentials = _Credentials()
    programs: _Programs = _Programs()
    persistence: _Persistence = _Persistence()
    evidence: _Evidence = _Evidence()
    network: _Network = _Network()


class Folders(msgspec.Struct, frozen=True):
    """Where programs are installed, where nothing starts, and folders too wide to be a package's. Absolute paths."""

    programs: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def policy_of(path: Path | None) -> Policy:
    """The policy of a file, or the usual one. Raises ConfigurationError with the file, the key and what is wrong."""
    if path is None:
        return Policy()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigurationError(f"is larger than {MOST_BYTES} bytes", where=str(path), advice=_ADVICE)
        with path.open("rb") as file:
            found = msgspec.convert(tomllib.load(file), Policy)
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(path), advice=_ADVICE) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ConfigurationError(f"is no policy: {error}", where=str(path), advice=_ADVICE) from None
    for port in found.network.ports or ():
        if not 0 < port < 65536:
            raise ConfigurationError(f"network.ports: {port} is no port", where=str(path), advice=_ADVICE)
    for address in found.network.addresses or ():
        try:
            ipaddress.ip_network(address)
        except ValueError as error:
            raise ConfigurationError(f"network.addresses: {error}", where=str(path), advice=_ADVICE) from None
    for host in found.network.hosts or ():
        if not host_pattern(host):
            reason = f"network.hosts: {host!r} is no name of a host, nor `*.` and a suffix; addresses go to `addresses`"
            raise ConfigurationError(reason, where=str(path), advice=_ADVICE)
    patterns = {
        "credentials": found.credentials.allow,
        "programs": found.programs.allow,
        "persistence": found.persistence.allow,
    }
    for name, one in [(name, one) for name, allowed in patterns.items() for one in allowed]:
        if not one.startswith(("/", "~/")):
            reason = f"{name}.allow: {one!r} is neither absolute nor below ~/"
            raise ConfigurationError(reason, where=str(path), advice=_ADVICE)
    return found


def denials_of(policy: Policy, places: Places, folders: Folders) -> Denials:
    """What a supervisor is to refuse."""
    allowed = tuple(_expanded(one, places.home) for one in policy.credentials.allow)

    def reads(path: str) -> bool:
        return (
            places.classify(path) == "credential"
            and not path.endswith(SETTINGS)
            and not any(fnmatchcase(path, one) for one in allowed)
        )

    def stripped(path: str, content: bytes) -> bytes | None:
        return without_auth(content) if reads(path) else None

    programs = tuple(os.path.realpath(_expanded(one, places.home)) + "/" for one in policy.programs.allow)

    def watches(path: str) -> bool:
        return places.classify(path) in ("temporary", "other") and not path.startswith(programs)

    again = tuple(_expanded(one, places.home) for one in policy.persistence.allow)

    installed = tuple(one.rstrip("/") + "/" for one in folders.programs)
    denied = tuple(os.path.realpath(one).rstrip("/") + "/" for one in folders.denied)
    free = (places.project + "/", *programs)

    def starts(path: str) -> bool:
        """Whether programs may start from there, so that a script may not write it: where it could write at all."""
        path = path.rstrip("/") + "/"
        deepest = max((len(one) for one in installed if path.startswith(one)), default=0)
        if path.startswith(free) or any(len(one) >= deepest for one in denied if path.startswith(one)) or not deepest:
            return False
        return os.access(path, os.W_OK) or os.access(os.path.dirname(path.rstrip("/")), os.W_OK)

    def writes(path: str) -> bool:
        return (
            places.classify(path) == "persistence"
            and not any(word in path for word in HOOKS)
            and not path.endswith(".pth")
            and not any(fnmatchcase(path, one) for one in again)
        )

    hosts = policy.network.hosts
    resolvers, search = resolving() if hosts is not None else (frozenset[str](), ())
    credentials = policy.credentials.deny
    holding = set(_holding(places)) if credentials else set[str]()
    if policy.programs.deny_dropped:
        holding |= {one for root in folders.programs for one in (root, *map(str, Path(root).parents)) if one != "/"}
    return Denials(
        writes=writes if policy.persistence.deny else None,
        starts=starts if policy.programs.deny_dropped else None,
        programs=folders.programs,
        evidence=policy.evidence.keep,
        reads=reads if credentials else None,
        stripped=stripped,
        files=frozenset(_files(places, reads)) if credentials else frozenset(),
        holding=frozenset(holding - {places.project}),
        dropped=policy.programs.deny_dropped,
        watches=watches,
        ports=frozenset(policy.network.ports) if policy.network.ports is not None else None,
        addresses=policy.network.addresses,
        hosts=tuple(host_pattern(one) for one in hosts) if hosts is not None else None,
        resolvers=resolvers,
        search=search,
        sockets=(ENGINES if policy.network.deny_sockets else ()) + (NAME_SERVICES if hosts is not None else ()),
        never=folders.never,
        exempt=frozenset(policy.exempt),
    )


_AUTH = re.compile(
    rb"(?im)^[^\n#;=]*(?:_auth|_password|authtoken|authident|username|password|certfile|keyfile|(?:^|:)_?(?:cert|key))"
    rb"[^\n]*(?:\n[ \t]+[^\n]*)*\n?"
)
_USER = re.compile(rb"(?i)(\b[a-z][a-z0-9+.-]{1,15}://)[^/?#@\s\"']+@")


def without_auth(content: bytes) -> bytes:
    """Settings of a package manager without lines that authenticate, and without user and password in addresses.

    Keys: npm's documentation of `npmrc` ("Auth related configuration"), yarn's of `.yarnrc.yml` (`npmAuthToken`,
    `npmAuthIdent`), pip's of `pip.conf`.
    """
    return _USER.sub(rb"\1", _AUTH.sub(b"", content))


def resolving() -> tuple[frozenset[str], tuple[str, ...]]:
    """The resolvers that this machine asks, and the suffixes that it adds to names (resolv.conf(5))."""
    try:
        with open("/etc/resolv.conf", "rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        text = ""
    resolvers: set[str] = set()
    search: tuple[str, ...] = ()
    for line in text.splitlines():
        word, *rest = line.split()[:8] or [""]
        if word == "nameserver" and rest:
            with contextlib.suppress(ValueError):  # what is no address is asked by nobody
                resolvers.add(str(ipaddress.ip_address(rest[0].partition("%")[0])))
        elif word in ("search", "domain"):
            search = tuple(rest)
    return frozenset(resolvers or {"127.0.0.1"}), search


def _expanded(path: str, home: str) -> str:
    return home + path[1:] if path.startswith("~/") else path


def _there(places: Places) -> Iterator[str]:
    """The places of credentials that are there, where links lead."""
    for pattern in places.patterns:
        for path in glob.iglob(pattern, include_hidden=True) if "**" not in pattern else ():
            yield os.path.realpath(path)


def _files(places: Places, reads: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Device and inode of the files there that may not be opened."""
    for real in _there(places):
        with contextlib.suppress(OSError):
            found = os.stat(real)
            if stat.S_ISREG(found.st_mode) and reads(real):
                yield found.st_dev, found.st_ino


def _holding(places: Places) -> Iterator[str]:
    """The folders above places of credentials that are there."""
    for real in _there(places):
        parent = os.path.dirname(real)
        while parent not in ("/", ""):
            yield parent
            parent = os.path.dirname(parent)


def allowed_programs(policy: Policy, home: str) -> list[str]:
    """The folders from which a policy lets programs start."""
    return [_expanded(one, home) for one in policy.programs.allow]


def unblockable(denials: Denials, command: Sequence[str], landlock: str) -> list[str]:
    """What a policy refuses and this machine cannot refuse for good, in words. `landlock`: why there is none."""
    if not denials.dropped:
        return []
    if landlock:
        return [f"starting what was dropped: {landlock}"]
    name = os.path.basename(command[0])
    if name in ("node", "nodejs") and len(command) > 1:
        name = os.path.basename(command[1])
    if name not in HELD_BY_SHELL:
        return [f"starting what was dropped: it is not known that {name} starts scripts by the shell that it is told"]
    return []


def with_shell(environment: Mapping[str, str], shell: str, names: Sequence[str]) -> dict[str, str]:
    """An environment in which package managers start scripts by a shell."""
    return {**environment, **dict.fromkeys(names, shell)}

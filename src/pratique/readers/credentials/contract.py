"""The seam of credential readers: a row of the table of locations, a secret that cannot be shown, what is told of it.

A location is a row of `locations/*.toml`; a format is a module of `formats/` with a function `read` (the type `Read`).
It is total and pure: any bytes give facts or a reason. It never raises, and it never lets a value out: not in a fact,
not in the text of an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NoReturn, TypeVar

import msgspec

from pratique.model.credential import CredentialFact, Protection, State, Tier

T = TypeVar("T")

Reason = Literal["of an encoding that is not read", "not understood", "half understood", "too many entries"]

Look = Literal[
    "content",  # the file is read and parsed
    "presence",  # only whether it is there: stores, databases, profiles
    "names",  # the names of the entries of a folder alone
]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One location, as the table has it."""

    id: str
    """Such as `npm-rc`; unique."""
    provider: str
    """Who issues what lies there: `npm`, `github`, `aws`; `various` where anything may."""
    tier: Tier
    secret: str
    """The kind in incident definitions (`npm-token`, `vcs-token`, `cloud-key`, `ssh-key`, ...), or another word."""
    rotation: str
    """Id of the rotation provider."""
    paths: tuple[str, ...] = ()
    """Where on Linux: `$HOME/.npmrc`, `$XDG_CONFIG_HOME/gh/hosts.yml`, `/etc/...`, `$PROJECT/.npmrc`; `*` in the last
    part alone. Roots: `$HOME`, `$XDG_CONFIG_HOME`, `$XDG_DATA_HOME`, `$XDG_CACHE_HOME`, `$XDG_STATE_HOME`,
    `$XDG_RUNTIME_DIR`, `$PROJECT`, `%APPDATA%`, `%LOCALAPPDATA%`, `%USERPROFILE%`, `%PROGRAMDATA%`; any other `$NAME`
    is a variable that names a folder, and is looked at where it is set (`$CARGO_HOME/credentials.toml`)."""
    macos: tuple[str, ...] | None = None
    """Where on macOS; None: as on Linux."""
    windows: tuple[str, ...] | None = None
    """Where on Windows (`%APPDATA%/...`); None: as on Linux."""
    leave_out: tuple[str, ...] = ()
    """Names of files that are not looked at, though a pattern in `paths` matches them: `*.example`."""
    overrides: tuple[str, ...] = ()
    """Environment variables that, when set, name the file (or a list of files) instead."""
    variables: tuple[str, ...] = ()
    """Environment variables that hold a secret; `*` at an end stands for any text. Their names alone are told."""
    format: str = ""
    """Module of `formats/`; empty for presence and names."""
    look: Look = "content"
    limit: int = 1 << 20
    """Most bytes to read."""
    fields: tuple[str, ...] = ()
    """For formats that need it: names of the fields that hold secrets, `*` as in `variables`. With `@` in front, one
    whose value is a URL with user info; with `!`, one to leave out. In nested files also the path: `*.auth.token`."""
    show: tuple[str, ...] = ()
    """For formats that need it: fields that may be shown as identity."""
    references: tuple[str, ...] = ()
    """For formats that need it: fields that point elsewhere (`credsStore`, `credential_process`)."""
    guessable: bool = False
    """Whether values are chosen by people (passwords): then there is no fingerprint."""
    shapes: tuple[str, ...] = ()
    """Kinds of token (`tokens.py`) that are expected there."""
    taken_by: tuple[str, ...] = ()
    """Ids of incidents in which this class was taken or looked for, by the sources in `source`."""
    personal: bool = False
    """Whether it is private data of a person (browser, wallet, chat, mail): yes or no alone."""
    state: State = "store"
    """For presence and names: what its being there means."""
    protection: Protection = "unknown"
    """For presence and names: what protects it."""
    source: str = ""
    """Where the fact stands."""
    note: str = ""


class Secret:
    """A value that cannot be shown, compared, hashed or stored; `use` hands it to one function."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | str) -> None:
        self._value = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value

    def use(self, function: Callable[[bytes], T]) -> T:
        """What `function` makes of the value; it must not keep it."""
        return function(self._value)

    def _no(self, *_: object) -> NoReturn:
        raise TypeError("a secret is never shown, compared or stored")

    __repr__ = __str__ = __bytes__ = __format__ = __reduce__ = __reduce_ex__ = __getstate__ = _no
    __eq__ = __hash__ = __len__ = __iter__ = _no


Fingerprint = Callable[[str, Secret], str | None]
"""Class of the credential and the secret to its keyed fingerprint; None where fingerprints are off."""

Read = Callable[[bytes, Row, Fingerprint], Iterator[CredentialFact | Reason]]

"""What formats share: text out of bytes, what a value is, and the facts that may be told of it.

A format finds names and values. `held` decides by the row what a name means and gives the fact. A name of `fields` that
starts with `@` is one whose value is a URL, or several: then the user info in it is the secret. One that starts with
`!` is left out, whatever else matches it. All names are compared without regard to case.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from pratique.model.credential import CredentialFact, Protection
from pratique.readers.credentials.contract import Fingerprint, Row, Secret
from pratique.readers.credentials.judgement import judge
from pratique.readers.credentials.spelled import in_pieces, meant
from pratique.readers.credentials.tokens import holds, kind_of

Pairs = tuple[tuple[str, str], ...]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_AUTHORITY = re.compile(r"[^\s/'\"<>]{0,4096}")
NOT_SHOWN = "(not shown)"
_LONGEST_SHOWN = 4096
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_IN_AUTHORITY = re.compile(r"//[^/\s]{0,4096}@")
_PAIR = re.compile(r"[^\s/@:]:[^\s/@]{1,4096}@")
_PUBLIC_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
"""The fingerprint of a public key, as OpenSSH shows it."""
_RUN = re.compile(r"[A-Za-z0-9]{24,}")
_LOWERED = re.compile(r"(?<![a-z0-9])(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{32,}")
"""Such a run in small letters, as the name of a host has them."""
_ALIKE = re.compile(r"[A-Za-z0-9_+/=.~-]{20,}")

_FILLED = frozenset({"", "x-oauth-basic", "x-access-token", "oauth2", "x-token-auth", "token"})
"""Words that stand beside a token in user info."""


@functools.lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(item).replace(r"\*", ".*") for item in patterns), re.IGNORECASE | re.DOTALL)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name is one of the patterns, in which `*` stands for any text."""
    return bool(patterns) and _compiled(patterns).fullmatch(name) is not None


def strong(value: str) -> bool:
    """Whether a value is long and mixed enough that nobody chose it: 128 bits and more, by its characters."""
    bare = value.strip()
    mixed = sum(bool(re.search(group, bare)) for group in ("[a-z]", "[A-Z]", "[0-9]"))
    hexadecimal = re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", bare) is not None
    return not re.search(r"\s", bare) and (hexadecimal or (len(bare) >= 24 and mixed == 3))


def public(value: str) -> str:
    """A text that may be told: a URL without user info and query, no control characters, nothing like a token.

    What it means decides, however it is spelled.
    """
    value = value[:_LONGEST_SHOWN]
    if in_pieces(value) or any(_public(other) == NOT_SHOWN for other in meant(value)):
        return NOT_SHOWN
    return _public(value)


def _public(value: str) -> str:
    if _URL.match(value):
        scheme, _, rest = value.partition("://")
        authority, slash, path = rest.partition("/")
        authority = authority.rpartition("@")[2]
        if "@" in unquote(authority):
            return NOT_SHOWN
        path = re.split("[?#]", path, maxsplit=1)[0]
        if any(_random(other) for other in (path, *meant(path))):
            path = NOT_SHOWN
        value = re.split("[?#]", f"{scheme}://{authority}{slash}{path}", maxsplit=1)[0]
        return NOT_SHOWN if holds(value) or _random(authority) else _NOT_SHOWN.sub("?", value)[:300]
    if _PUBLIC_KEY.fullmatch(value):
        return value
    value = _IN_AUTHORITY.sub("//", value)
    if holds(value) or _PAIR.search(value) or _random(value) or (_ALIKE.fullmatch(value) and strong(value)):
        return NOT_SHOWN
    return _NOT_SHOWN.sub("?", value)[:200]


def _random(text: str) -> bool:
    """Whether a long run in a text looks as if a machine made it."""
    return any(map(strong, _RUN.findall(text))) or _LOWERED.search(text) is not None


def pairs(entries: Iterable[tuple[str, str | None]]) -> Pairs:
    """Identity out of names and values, those without a value aside."""
    return tuple((name, public(value)) for name, value in entries if value)


def host_of(url: str) -> str:
    """The host of a URL, with its port; empty where there is none."""
    rest = url.partition("://")[2] or url.removeprefix("//")
    return re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2].lower()


def told(
    field: str,
    value: str,
    row: Row,
    fingerprint: Fingerprint,
    identity: Pairs = (),
    *,
    kind: str = "",
    protection: Protection = "plaintext",
    scopes: tuple[str, ...] = (),
    expires: str | None = None,
    created: str | None = None,
    guessable: bool | None = None,
) -> CredentialFact | None:
    """The fact of one value; None for what is empty or a placeholder."""
    what = judge(value)
    if what == "nothing":
        return None
    name = public(field) or "(no name)"
    if what == "reference":
        return CredentialFact(field=name, state="reference", protection="unknown", identity=identity)
    if what == "encrypted":
        return CredentialFact(field=name, protection="encrypted", identity=identity)
    bare = value.strip()
    known = kind or kind_of(bare)
    chosen = row.guessable if guessable is None else guessable
    mark = fingerprint(kind_of(bare) or "value", Secret(bare)) if not chosen and (known or strong(bare)) else None
    return CredentialFact(
        field=name,
        protection=protection,
        kind=known,
        identity=identity,
        scopes=scopes,
        expires=expires,
        created=created,
        fingerprint=mark,
    )


def in_url(
    field: str, value: str, row: Row, fingerprint: Fingerprint, identity: Pairs = ()
) -> Iterator[CredentialFact]:
    """A fact for each URL of a text that carries a password, or a token in place of a user."""
    for match in _SCHEME.finditer(value):
        userinfo, host = _authority(value, match.end())
        if not userinfo:
            continue
        user, colon, password = userinfo.partition(":")
        user, password = unquote(user), unquote(password)
        if not colon and match[0].lower() in ("ssh://", "git+ssh://"):
            continue
        if password.lower() in _FILLED:
            password, user = user, ""
        if password.lower() in _FILLED or judge(password) == "nothing":
            continue
        whose = pairs([("host", host.lower()), ("user", user if user.lower() not in _FILLED else None)])
        fact = told(field, password, row, fingerprint, (*identity, *whose))
        if fact is not None:
            yield fact


def _authority(text: str, start: int) -> tuple[str, str]:
    """User info and host of a URL whose scheme ends at `start`; a password may hold what should have been encoded."""
    whole = _AUTHORITY.match(text, start)
    part = whole[0] if whole is not None else ""
    strict = re.split(r"[?#]", part, maxsplit=1)[0]
    if "@" not in strict:
        user, colon, _ = part.partition(":")
        strict = part if colon and "@" in part and not re.search(r"[?#]", user) else ""
    userinfo, _, host = strict.rpartition("@")
    return userinfo, re.split(r"[?#,;|]", host, maxsplit=1)[0]


def held(
    field: str,
    value: str,
    row: Row,
    fingerprint: Fingerprint,
    identity: Pairs = (),
    *,
    protection: Protection = "plaintext",
    scopes: tuple[str, ...] = (),
    expires: str | None = None,
    path: str = "",
) -> Iterator[CredentialFact]:
    """What a row makes of a name and its value: a secret, user info in a URL, a reference, or nothing.

    `path` is the whole name in a nested file (`users.token`); patterns with a dot are compared with it.
    """
    whole = path or field
    plain = tuple(item for item in row.fields if item[0] not in "@!")
    urls = tuple(item[1:] for item in row.fields if item[0] == "@")
    left_out = tuple(item[1:] for item in row.fields if item[0] == "!")
    if _either(field, whole, left_out):
        return
    if _either(field, whole, row.references):
        if judge(value) != "nothing":
            yield CredentialFact(field=public(field), state="reference", protection="unknown", identity=identity)
    elif _either(field, whole, urls):
        yield from in_url(field, value, row, fingerprint, identity)
    elif _either(field, whole, plain):
        fact = told(field, value, row, fingerprint, identity, protection=protection, scopes=scopes, expires=expires)
        if fact is not None:
            yield fact


def _either(field: str, path: str, patterns: tuple[str, ...]) -> bool:
    return matches(field, patterns) or (path != field and matches(path, patterns))

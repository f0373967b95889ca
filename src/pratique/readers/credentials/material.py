"""What names of fields and looks of values say, and what may be shown beside a credential."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pratique.ecosystems.npm.urls import strip_url
from pratique.model.credential import CredentialFact, Protection
from pratique.readers.credentials.contract import Fingerprint, Row, Secret
from pratique.readers.credentials.judgement import judge
from pratique.readers.credentials.spelled import in_pieces, meant
from pratique.readers.credentials.tokens import holds, recognise

_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\xa0\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_RUN = re.compile(r"[A-Za-z0-9+/=]{20,}")
_DIGEST = re.compile(r"(?=[a-z]*[0-9])[a-z0-9]{32,}|(?=[A-Z]*[0-9])[A-Z0-9]{40,}")
_LONGEST_ID = 40
"""Digits of an account's id that are shown: more are a digest, or a secret in hexadecimal."""
_USERINFO = re.compile(r"[^/\s@]*:[^/\s@]+@")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,30}://(?P<user>[^/?#\s:@]*)(?::(?P<password>\S+))?@[^\s@]")
_PORT = re.compile(r"\d{1,5}(?:[/?#]|$)")
_QUERY = re.compile(r"[?&;](?:[a-z_-]*(?:token|secret|password|api_?key|access_?key|sig))=([^&#\s]+)", re.I)
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW(?:OR)?D|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|ENCRYPTION_?KEY|SIGNING_?KEY|MASTER_?KEY"
    r"|CREDENTIALS?(?:_JSON)?$|_PAT$|^PAT$|_KEY$|_AUTH$|_PASS$|^PASS$|_PWD$|MNEMONIC|SEED_PHRASE|WEBHOOK|_DSN$|JWT"
    r"|CONNECTION_?STRING|DATABASE_URL|_COOKIE$|BEARER|LICENSE_KEY|COMPOSER_AUTH|AUTH_CONFIG",
    re.I,
)
_OPEN_NAME = re.compile(
    r"PUBLIC|PUBLISHABLE|_KEY_ID$|ACCESS_KEY_ID|_TOKEN_(?:URL|URI|TTL|TYPE|ISSUER|LIMIT|ENDPOINT|COUNT|EXPIRY)$"
    r"|MAX_TOKENS|TOKENIZER|_FINGERPRINT$|^SSH_AUTH_SOCK$|KEYBOARD|SENTRY_DSN|TOKENS_PER|_KEY_(?:NAME|PREFIX|TYPE)$",
    re.I,
)
_PATH_NAME = re.compile(r"_(?:FILE|PATH|DIR|SOCK)$", re.I)


def is_secret_name(name: str) -> bool:
    """Whether the name of a variable or field says that it holds a secret."""
    return bool(_SECRET_NAME.search(name)) and not is_open_name(name)


def is_open_name(name: str) -> bool:
    """Whether the name of a variable says that everybody may know its value: public by name, or only an id."""
    return _OPEN_NAME.search(name) is not None


def is_path_name(name: str) -> bool:
    """Whether the name of a variable says that its value is the place of a file."""
    return bool(_PATH_NAME.search(name))


def looks_random(value: str) -> bool:
    """Whether a value is long and mixed enough to be made by a machine, and no path, address or sentence."""
    value = value.strip()
    if not 20 <= len(value) <= 4096 or " " in value or "://" in value:
        return False
    if "/" in value and max(map(len, value.split("/"))) < 12:
        return False
    kinds = sum(bool(re.search(kind, value)) for kind in (r"[a-z]", r"[A-Z]", r"[0-9]"))
    return len(set(value)) >= 10 and (
        kinds == 3 or (kinds == 2 and bool(re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", value)))
    )


def is_guessable(value: str) -> bool:
    """Whether somebody could find the value by trying: then no fingerprint of it may be made."""
    found = recognise(value)
    if found is not None and not found.public and found.kind not in ("jwt",):
        return False
    value = value.strip()
    return not (len(value) >= 30 and looks_random(value))


def shown(text: str, *, loose: bool = False) -> str | None:
    """A name as it may be shown; None where it may hold a secret. `loose` lets the ids of accounts through."""
    kept = _shown(text, loose=loose)
    if kept is None or in_pieces(kept) or any(_shown(other, loose=loose) is None for other in meant(kept)):
        return None
    return kept


def _shown(text: str, *, loose: bool) -> str | None:
    text = text.strip()
    if "://" in text:
        text = strip_url(text)
        if "@" in text:
            return None
    if not text or len(text) > (300 if loose else 120) or _HIDDEN.search(text):
        return None
    if holds(text) or _USERINFO.search(text) or (not loose and _DIGEST.search(text)):
        return None
    for run in _RUN.findall(text):
        mixed = all(re.search(kind, run) for kind in (r"[a-z]", r"[A-Z]", r"[0-9]"))
        if mixed and len(run) >= (28 if loose else 20):
            return None
        if len(run) > _LONGEST_ID and _DIGEST.fullmatch(run.lower()):
            return None
    return text


def named(parts: Iterable[str]) -> str:
    """The path of a field in dots; a part that may hold a secret is left out, as `?`."""
    return ".".join(shown(part) or "?" for part in parts) or "?"


def pairs(*items: tuple[str, str | None]) -> tuple[tuple[str, str], ...]:
    """What is known of whose it is, without what may not be shown."""
    kept = ((name, shown(value, loose=True)) for name, value in items if value)
    return tuple((name, value) for name, value in kept if value)


def url_password(value: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """The password in a URL, with host and user; None where there is none."""
    if "://" not in value or len(value) > 8192:
        return None
    match = _URL.match(value.strip())
    if match is not None and match["password"] is None:
        user = match["user"]
        return (user, pairs(("host", _host(value)))) if kind_in(user) or looks_random(user) else None
    if match is None or _PORT.match(match["password"]):
        query = _QUERY.search(value)
        return (query[1], pairs(("host", _host(value)))) if query else None
    return match["password"], pairs(("host", _host(value)), ("user", match["user"]))


def _host(value: str) -> str | None:
    try:
        return urlsplit(value.strip()).hostname
    except ValueError:
        return None


def moment(value: object) -> str | None:
    """A moment as ISO 8601 in UTC, from text or seconds or milliseconds since 1970."""
    text = str(value).strip()
    try:
        if re.fullmatch(r"\d{9,13}(?:\.\d{1,9})?", text):
            seconds = float(text)
            when = datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        elif re.match(r"\d{4}-\d\d-\d\d", text) and len(text) <= 40:
            when = datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text.replace("UTC", "Z").replace(" Z", "Z")))
            when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def fact(
    field: str,
    value: str,
    row: Row,
    fingerprint: Fingerprint,
    *,
    identity: tuple[tuple[str, str], ...] = (),
    protection: Protection = "plaintext",
    kind: str = "",
    scopes: tuple[str, ...] = (),
    expires: str | None = None,
    created: str | None = None,
) -> CredentialFact | None:
    """The fact of one value that stands in a field of secrets; None where it is a placeholder."""
    judged = judge(value)
    if judged == "nothing":
        return None
    if judged == "reference":
        return CredentialFact(field=field, state="reference", protection="unknown", identity=identity)
    if judged == "encrypted":
        return CredentialFact(field=field, protection="encrypted", identity=identity)
    inside = url_password(value)
    bare = value.strip()
    if inside is not None:
        bare, more = inside
        if judge(bare) != "material":
            return CredentialFact(field=field, state="reference", protection="unknown", identity=identity)
        identity += tuple(pair for pair in more if pair not in identity)
        kind = kind or kind_in(value) or kind_in(bare) or "url-password"
    kind = kind or kind_in(value)
    chosen = row.guessable and not kind_in(bare)
    mark = None if chosen or is_guessable(bare) else fingerprint(kind_in(bare) or "value", Secret(bare))
    return CredentialFact(
        field=field,
        protection=protection,
        kind=kind,
        identity=identity,
        scopes=scopes,
        expires=expires,
        created=created,
        fingerprint=mark,
    )


def kind_in(value: str) -> str:
    """The kind that the format of a value tells; empty where it tells none."""
    found = recognise(value)
    return found.kind if found and not found.public else ""

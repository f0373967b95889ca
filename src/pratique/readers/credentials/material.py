"""What a value in a credential file is, and what may be shown beside it.

A value is material, or it points elsewhere, or it is a placeholder. Only a value that as a whole is a reference or a
placeholder is no material: what merely contains one is taken for a secret.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from pratique.ecosystems.npm.urls import strip_url
from pratique.model.credential import CredentialFact, Protection
from pratique.readers.credentials.contract import Fingerprint, Row, Secret
from pratique.readers.credentials.tokens import holds, recognise

MOST = 400
"""Facts that one file gives."""

Judgement = Literal["material", "encrypted", "reference", "nothing"]

_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_EMPTY = frozenset(
    {
        "null",
        "none",
        "nil",
        "undefined",
        "true",
        "false",
        "yes",
        "no",
        "~",
        "changeme",
        "change_me",
        "change-me",
        "todo",
    }
    | {"change-this", "change_this", "replaceme", "replace_me", "replace-me", "placeholder", "example", "redacted"}
    | {"your-token", "your_token", "your-api-key", "your_api_key", "your-secret", "your_secret", "your-password", "xxx"}
)
_PLACEHOLDER = re.compile(
    r"<[^<>]{1,200}>|\[[A-Za-z _-]{1,60}\]|(.)\1*|your[-_ ][a-z0-9_ -]{1,60}[-_ ]here", re.DOTALL | re.I
)
_DOCUMENTATION = re.compile(r"wJalrXUtnFEMI/K7MDENG/?bPxRfiCY(?:EXAMPLE|z|K)KEY")
"""The secret key that AWS's own documentation shows."""
_REFERENCE = re.compile(
    r"\$[A-Za-z_][A-Za-z0-9_]*|\$\{\{.*\}\}|\{\{.*\}\}|%[A-Za-z_][A-Za-z0-9_()]*%|@[A-Z_][A-Z0-9_]*@|\$\(.*\)|`.*`"
    r"|\$env:[A-Za-z_][A-Za-z0-9_]*|<%.*%>|!Ref .*|@Microsoft\.KeyVault\(.*\)",
    re.DOTALL,
)
_BRACED = re.compile(r"\$\{(?P<name>[^{}:?+\-\s]*)(?::?(?P<sign>[-?+])(?P<rest>.*)|:[^{}]*)?\}", re.DOTALL)
_POINTERS = ("op://", "vault:", "arn:aws:secretsmanager:", "arn:aws:ssm:", "ref+", "keychain:", "env:", "keyring:")
_RESOURCE = re.compile(r"projects/[^/\s]+/secrets/[^\s]+")
_SEALED = ("encrypted:", "ENC[", "$ANSIBLE_VAULT;", "age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE", "{cipher}")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\xa0\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_RUN = re.compile(r"[A-Za-z0-9+/=]{20,}")
_DIGEST = re.compile(r"(?=[a-z]*[0-9])[a-z0-9]{32,}|(?=[A-Z]*[0-9])[A-Z0-9]{40,}")
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


def text_of(data: bytes) -> str | None:
    """The text of a file in UTF-8; None for UTF-16, UTF-32 and what is no text, which is never taken for empty."""
    if data.startswith(_OTHER_ENCODINGS):
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def judge(value: str) -> Judgement:
    """What a value is."""
    value = value.strip()
    if not value or value.lower() in _EMPTY or (len(value) <= 300 and _PLACEHOLDER.fullmatch(value)):
        return "nothing"
    if value.startswith(_SEALED):
        return "encrypted"
    if len(value) > 2000:
        return "material"
    if value.startswith(_POINTERS) or _RESOURCE.fullmatch(value):
        return "reference"
    if _REFERENCE.fullmatch(value) and value.count("${{") <= 1 and value.count("{{") <= 1:
        return "reference"
    braced = _BRACED.fullmatch(value)
    if braced:
        if braced["sign"] in ("-", "+") and braced["rest"] and judge(braced["rest"]) in ("material", "encrypted"):
            return "material"
        return "reference"
    return "nothing" if _DOCUMENTATION.fullmatch(value) else "material"


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

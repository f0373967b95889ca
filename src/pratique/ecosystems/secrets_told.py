"""Arguments without the secrets that are recognised in them, so that they may be written down and sent on.

What is recognised: user and password of a URL, values of options and variables whose names say that they are secret,
what stands behind `Authorization:`, and tokens with a known beginning. Everything else stays as it is, because rules
are about it: `ecosystems/arguments.py` keeps far less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "***"
_SECRET_NAME = r"[\w.:/-]*(?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|apikey|access[_-]?key|private[_-]?key|credentials?|_auth|auth[_-]?key)[\w-]*"  # noqa: E501, S105 (names, no secret)
_ASSIGNED = re.compile(rf"(?i)((?:^|[\s\"';&|?]|--?){_SECRET_NAME}\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s\"';&|]+)")
_OPTION = re.compile(rf"(?i)--?{_SECRET_NAME}")
_FOLLOWED = re.compile(rf"(?i)((?:^|\s)--?{_SECRET_NAME}\s+)(\"[^\"]*\"|'[^']*'|[^\s\"';&|-][^\s\"';&|]*)")
_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,15}://)[^/?#@\s\"']+@")
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization\s*:\s*(?:bearer|basic|token|negotiate)?\s*)[^\s\"']+")
_BASIC = re.compile(r"(?i)((?:^|\s)(?:-u|--user|--proxy-user)[\s=]+[^\s:\"']+:)[^\s\"']+")
_KNOWN = re.compile(
    r"\b(?:npm_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{18,}|pypi-[\w-]{30,}"
    r"|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,}|sk_live_\w{16,}|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|AIza[\w-]{35}"
    r"|hf_[A-Za-z0-9]{30,}|dckr_pat_[\w-]{20,}|eyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]*)"
)


def without_secrets(arguments: Iterable[str]) -> tuple[str, ...]:
    """The same arguments, with `***` in the place of every secret that is recognised."""
    found: list[str] = []
    hides = basic = False
    for word in arguments:
        if hides and not word.startswith("-"):
            found.append(HIDDEN)
            hides = False
            continue
        if basic:
            head, colon, _ = word.partition(":")
            found.append(f"{head}:{HIDDEN}" if colon else word)
            basic = False
            continue
        hides = _OPTION.fullmatch(word) is not None
        basic = word in ("-u", "--user", "--proxy-user")
        found.append(text_without_secrets(word))
    return tuple(found)


def text_without_secrets(text: str) -> str:
    """One text with `***` in the place of every secret that is recognised."""
    if len(text) < 6:
        return text
    text = _URL.sub(rf"\1{HIDDEN}@", text)
    text = _HEADER.sub(rf"\1{HIDDEN}", text)
    text = _ASSIGNED.sub(rf"\1{HIDDEN}", text)
    text = _FOLLOWED.sub(rf"\1{HIDDEN}", text)
    text = _BASIC.sub(rf"\1{HIDDEN}", text)
    return _KNOWN.sub(HIDDEN, text)

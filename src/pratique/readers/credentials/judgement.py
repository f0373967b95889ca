"""What a value in a file of credentials is, and the text of such a file: one judgement for every format.

A value is material, it is sealed, it points elsewhere, or it is nothing: empty, or a placeholder. Only a value that as
a whole is a reference or a placeholder is no material; what merely contains one is taken for a secret, and so is what
may be either.
"""

from __future__ import annotations

import codecs
import re
from typing import Literal

MOST = 400
"""Credentials that are told of one file."""

Judgement = Literal["material", "encrypted", "reference", "nothing"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_PLACEHOLDER = 120
_LONGEST_REFERENCE = 2000

_PLACEHOLDER = re.compile(
    r"""<[^<>]*> | \[[a-z _-]{1,60}\] | x{3,} | \*{3,} | \.{3,} | -{3,} | \?{3,} | 0{4,} | ~
    | change[-_ ]?(?:me|it|this) | replace[-_ ]?(?:me|it|this) | todo | tbd | fixme | example | placeholder | dummy
    | redacted | none | null | nil | undefined | true | false | yes | no
    | (?:your|insert|enter|paste|put)[-_ ](?:[a-z0-9]+[-_ ]){0,5}(?:token|key|password|passwd|secret|here|value)""",
    re.VERBOSE | re.IGNORECASE,
)
_DOCUMENTATION = re.compile(r"wJalrXUtnFEMI/K7MDENG/?bPxRfiCY(?:EXAMPLE|z|K)KEY")
"""The secret key that AWS's own documentation shows."""
_SEALED = ("encrypted:", "ENC[", "$ANSIBLE_VAULT;", "age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE", "{cipher}")
_NAME = r"[A-Za-z_][\w.-]*"
_REFERENCE = re.compile(
    rf"""\$\{{\{{.*\}}\}} | \{{\{{.*\}}\}} | \$[A-Z_][A-Z0-9_]* | \$\((?:[^()]|\([^()]*\))*\) | `[^`]*` | %{_NAME}%
    | %\({_NAME}\)s | @[A-Z_][A-Z0-9_]*@ | \$env:{_NAME} | env\.{_NAME} | <%[^%]*%> | !Ref[ ].*
    | (?:op|vault|bws|gopass|keyring|keychain|awssm|ssm|gcpsm|azkv|secretref|infisical|doppler|env)(?:://|:)\S+
    | arn:aws[\w-]*:(?:secretsmanager|ssm):\S+ | ref\+\S+ | projects/[^/\s]+/secrets/\S+
    | @Microsoft\.KeyVault\(.*\)""",
    re.VERBOSE | re.DOTALL,
)
_BRACED = re.compile(r"\$\{(?P<name>[^{}:?+=\-\s]*)(?::?(?P<sign>[-=?+])(?P<rest>.*)|:[^{}]*)?\}", re.DOTALL)


def text_of(content: bytes) -> str | None:
    """Text by its byte order mark, else as UTF-8; None where it holds NUL or is of another encoding.

    Bytes that are no UTF-8 stay as they are: a password in Latin-1 does not hide the file that holds it.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    try:
        text = content.decode(encoding or "utf-8", "strict" if encoding else "surrogateescape")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.removeprefix("\ufeff")


def unmarked(content: bytes) -> bytes:
    """A file without its byte order mark, in UTF-8 where the mark says what it is; as it is where that is not so."""
    if not content.startswith(tuple(mark for mark, _ in _MARKS)):
        return content
    text = text_of(content)
    return content if text is None else text.encode("utf-8", "surrogateescape")


def judge(value: str) -> Judgement:
    """What a value is, with or without quotes around it."""
    bare = value.strip().strip("\"'").strip()
    if not bare or (len(bare) < _LONGEST_PLACEHOLDER and _PLACEHOLDER.fullmatch(bare)):
        return "nothing"
    if bare.startswith(_SEALED):
        return "encrypted"
    if len(bare) >= _LONGEST_REFERENCE:
        return "material"
    if _REFERENCE.fullmatch(bare) and bare.count("{{") <= 1:
        return "reference"
    braced = _BRACED.fullmatch(bare)
    if braced:
        given = braced["sign"] in ("-", "=", "+") and judge(braced["rest"]) in ("material", "encrypted")
        return "material" if given else "reference"
    return "nothing" if _DOCUMENTATION.fullmatch(bare) else "material"

"""The statement that was signed: about which release, which bytes, and of which kind.

The kind that an answer states outside the signature is whatever its sender likes; the signed one counts, and both must
agree. A digest of another algorithm than the one expected proves nothing about the bytes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from pratique.releases.attestations.bundle import decoded
from pratique.releases.attestations.reasons import Rejected, shown

STATEMENTS = ("https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1")
PUBLISH = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
PROVENANCE = ("https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1")


class Expected(msgspec.Struct, frozen=True):
    """What a statement must be about. `subject` is its name; digests in hexadecimal, by where they are from."""

    subject: str
    algorithm: str
    digests: Mapping[str, str]


class Statement(msgspec.Struct, frozen=True):
    """The parts of a statement that count."""

    predicate_type: str
    subject: str
    digests: Mapping[str, str]
    predicate: Any


def statement_of(payload: bytes) -> Statement:
    """The statement in a payload. Raises Rejected where it is none, or about several things."""
    document = decoded(payload)
    if not isinstance(document, dict) or document.get("_type") not in STATEMENTS:
        raise Rejected("the payload is no in-toto statement of a version that is known")
    subjects = document.get("subject")
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise Rejected("the statement must be about exactly one thing")
    name, digests = subjects[0].get("name"), subjects[0].get("digest")
    if not isinstance(name, str) or not isinstance(digests, dict):
        raise Rejected("the statement names no subject, or none of its digests")
    kind = document.get("predicateType")
    if not isinstance(kind, str) or not kind:
        raise Rejected("the statement names no kind")
    texts = {key: value for key, value in digests.items() if isinstance(value, str)}
    return Statement(kind, name, texts, document.get("predicate"))


def release_of(document: bytes) -> tuple[str, str] | None:
    """Name and version of the release of npm that an answer or bundle says it is about, unverified; None: none."""
    from pratique.releases.attestations.reasons import NotExamined

    try:
        found = decoded(document)
        if isinstance(found, dict) and "attestations" in found:
            found = found["attestations"][0]["bundle"]
        subject = decoded(base64.b64decode(found["dsseEnvelope"]["payload"]))["subject"][0]["name"]
        prefix, _, path = subject.partition("pkg:npm/")
        name, _, version = path.rpartition("@")
    except (Rejected, NotExamined, binascii.Error, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
    return (unquote(name), version) if name and not prefix else None


def check_kind(statement: Statement, outer: str | None) -> None:
    """Hold the signed kind to the one that is stated outside. Raises Rejected."""
    if outer is not None and outer != statement.predicate_type:
        raise Rejected(f"the signed statement is of another kind than is stated: {shown(statement.predicate_type)}")


def check_npm_subject(statement: Statement, name: str, version: str, expected: Mapping[str, str]) -> tuple[str, ...]:
    """Hold a statement to a release of npm and to digests of its archive; what it was compared with.

    `expected` maps `integrity` and `archive` to a SHA-512 in hexadecimal. Raises Rejected.
    """
    wanted = f"pkg:npm/{name.replace('@', '%40', 1) if name.startswith('@') else name}@{version}"
    if statement.subject != wanted:
        raise Rejected(f"the statement is about {shown(statement.subject)}")
    if statement.predicate_type == PUBLISH:
        predicate = statement.predicate
        if (
            not isinstance(predicate, dict)
            or unquote(str(predicate.get("name"))) != name
            or predicate.get("version") != version
        ):
            raise Rejected("the predicate is about another release than the statement")
    return _compared(statement, "sha512", expected)


def check_python_subject(statement: Statement, file: str, expected: Mapping[str, str]) -> tuple[str, ...]:
    """Hold a statement to a file of a Python release by name and SHA-256; what it was compared with. Raises Rejected.

    Names are compared as packaging parses them: the case of letters and the spelling of separators do not matter.
    """
    if file_parts(statement.subject) != file_parts(file):
        raise Rejected(f"the statement is about {shown(statement.subject)}")
    return _compared(statement, "sha256", expected)


def file_parts(name: str) -> tuple[Any, ...]:
    """What the name of a wheel or source archive says. Raises Rejected where it is no such name."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    try:
        return tuple(parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name))
    except (InvalidSdistFilename, InvalidWheelFilename):
        raise Rejected(f"it is about no wheel or source archive: {shown(name)}") from None


def _compared(statement: Statement, algorithm: str, expected: Mapping[str, str]) -> tuple[str, ...]:
    signed = statement.digests.get(algorithm)
    if not signed:
        raise Rejected(f"the statement states no digest by {algorithm}")
    for place, digest in expected.items():
        if digest != signed:
            thing = "the archive at hand" if place == "archive" else "the integrity that the record states"
            raise Rejected(f"the signed digest is not that of {thing}")
    return tuple(expected)


def sha512_of(integrity: object) -> str:
    """The SHA-512 in hexadecimal out of a Subresource Integrity text; empty where it holds none, or several."""
    if not isinstance(integrity, str):
        return ""
    found = {part.partition("?")[0][7:] for part in integrity.split() if part.startswith("sha512-")}
    if len(found) != 1:
        return ""
    try:
        digest = base64.b64decode(found.pop(), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return digest.hex() if len(digest) == 64 else ""

"""Seal a case: sign a statement over the head of its chain, or take in a signature that was made elsewhere."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec

from pratique.adapters import signing
from pratique.casefile import seal as seals
from pratique.casefile.case import Case
from pratique.model.case import Entry
from pratique.model.errors import CaseError, UsageError

SIGNING = "signing.key"
_LARGEST = 256 << 20


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What a seal covers and who made it."""

    entry: int
    covers: int
    """Number of the last entry that it covers."""
    head: str
    """Digest of that entry."""
    subjects: int
    """How many things the statement names: the head, reports, evidence."""
    kind: str
    signer: str
    public: str
    """The public key, as OpenSSH writes it; empty for a bundle of Sigstore."""


def signing_key_of(case: Case) -> Path:
    """Where the signing key of this machine lies: beside the key of the case."""
    return case.key_file.parent / SIGNING


def seal_case(case: Case, *, ssh_key: Path | None = None, signing_key: Path | None = None) -> Sealed:
    """Sign everything up to now and write the seal as an entry. Raises CaseError.

    With `ssh_key`, ssh-keygen signs; else an Ed25519 key of our own, which is made where there is none.
    """
    subjects, payload = _statement(case)
    message = seals.encoded(seals.PAYLOAD, payload)
    if ssh_key is not None:
        signed = signing.sign_with_ssh(ssh_key, message)
    else:
        path = signing_key or signing_key_of(case)
        if Path(case.folder).resolve() in path.resolve().parents:
            raise CaseError("the signing key would lie in the case that it seals", where=str(path))
        signed = signing.sign(path, message)
    seal = seals.sealed(
        payload, subjects, kind=signed.kind, public=signed.public, keyid=signed.keyid, signature=signed.signature
    )
    return _written(case.append("seal", seal), seal, len(subjects.found) + 1, signed.keyid)


def _statement(case: Case) -> tuple[seals.Subjects, bytes]:
    subjects = seals.gathered(case.journal.rows())
    author = case.author
    return subjects, seals.statement(case.id, subjects, time=author.time(), who=author.who, tool=author.tool)


def _written(entry: Entry, seal: seals.Seal, subjects: int, signer: str) -> Sealed:
    return Sealed(
        entry=entry.number,
        covers=seal.number,
        head=seal.head,
        subjects=subjects,
        kind=seal.kind,
        signer=signer,
        public=seal.public,
    )


def case_statement(case: Case) -> bytes:
    """The statement over everything up to now, for a signer elsewhere. The case is not changed."""
    return _statement(case)[1]


def attach_bundle(case: Case, bundle: Path, statement: Path | None = None) -> Sealed:
    """Take in a bundle of Sigstore over a statement of this case and write it as a seal.

    A bundle with an envelope holds the statement; one over a message needs it in `statement`. The signature must be
    the certificate's, and the statement must agree with the journal. The certificate itself is not checked. Raises
    CaseError.
    """
    document = _json(bundle)
    envelope_part = document.get("dsseEnvelope")
    if isinstance(envelope_part, dict):
        try:
            envelope = msgspec.convert(envelope_part, seals.Envelope)
        except msgspec.ValidationError as error:
            raise CaseError(f"its envelope is malformed: {error}", where=str(bundle)) from None
    elif isinstance(document.get("messageSignature"), dict):
        if statement is None:
            raise UsageError(
                "signs a file and does not hold it",
                where=str(bundle),
                advice="Name the statement with --statement FILE",
            )
        payload = base64.b64encode(_bytes(statement)).decode()
        envelope = seals.Envelope(payload=payload, payloadType=seals.PAYLOAD)
    else:
        raise CaseError("is no bundle of Sigstore: it holds neither an envelope nor a signature", where=str(bundle))
    number, head = seals.covers(envelope.content())
    seal = seals.Seal(number=number, head=head, kind="sigstore", envelope=envelope, bundle=document)
    wrong, who = bundle_signature(seal)
    subjects = seals.gathered(case.journal.rows())
    row = case.journal.at(number)
    wrong = wrong or seals.disagreement(
        envelope.content(), case.id, number, head, subjects, row.digest if row is not None else None
    )
    if wrong:
        raise CaseError(wrong, where=str(bundle), advice="Sign the file that `pratique case seal --statement` writes")
    return _written(case.append("seal", seal), seal, len(subjects.upto(number, head)), who)


def _json(path: Path) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(_bytes(path))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise CaseError("is no JSON", where=str(path)) from None
    if not isinstance(document, dict):
        raise CaseError("is no bundle of Sigstore", where=str(path))
    return document


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise CaseError("does not exist, or is no plain file", where=str(path))
        if path.stat().st_size > _LARGEST:
            raise CaseError("is too large", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise CaseError(f"cannot be read: {error.strerror}", where=str(path)) from None


def bundle_signature(seal: seals.Seal) -> tuple[str, str]:
    """Why the signature of a bundle of Sigstore is not good, empty where it is; and whom its certificate names."""
    material: Any = seal.bundle.get("verificationMaterial")
    certificate: Any = material.get("certificate") if isinstance(material, dict) else None
    chain: Any = material.get("x509CertificateChain") if isinstance(material, dict) else None
    if certificate is None and isinstance(chain, dict) and isinstance(chain.get("certificates"), list):
        certificate = next(iter(chain["certificates"]), None)
    der = seals.unbase64(str(certificate.get("rawBytes", ""))) if isinstance(certificate, dict) else b""
    if not der:
        return "its bundle holds no certificate", ""
    payload = seal.envelope.content()
    if seal.envelope.signatures:
        message = seals.encoded(seal.envelope.payloadType, payload)
        signature = seals.unbase64(seal.envelope.signatures[0].sig)
    else:
        part: Any = seal.bundle.get("messageSignature")
        signature = seals.unbase64(str(part.get("signature", ""))) if isinstance(part, dict) else b""
        message = payload
    return signing.verify_with_certificate(der, message, signature)

"""The certificate of a signing: issued by a trusted authority, logged, for signing code, and what it claims.

The chain is built by `cryptography`'s verifier at the proven time. The certificate's own log is proven by the signed
timestamp inside it (RFC 6962). Claims are the extensions below 1.3.6.1.4.1.57264.1 that Fulcio documents (`oid-info`).
"""

from __future__ import annotations

import datetime
import hashlib
import struct
from typing import Any

from pratique.model.trust import Claims
from pratique.releases.attestations.reasons import NotExamined, Rejected, shown
from pratique.releases.attestations.roots import Roots, digest_for

LARGEST = 1 << 16
_ARC = "1.3.6.1.4.1.57264.1."
_GITHUB = "https://token.actions.githubusercontent.com"


def load(der: bytes) -> Any:
    """The certificate. Raises Rejected where it is none."""
    from cryptography.x509 import load_der_x509_certificate

    if len(der) > LARGEST:
        raise Rejected("the certificate is too large")
    try:
        return load_der_x509_certificate(der)
    except Exception as error:  # noqa: BLE001  # a foreign certificate: whatever the library raises, it is none
        raise Rejected(f"the certificate cannot be read: {type(error).__name__}") from None


def check_signature(certificate: Any, signature: bytes, message: bytes) -> None:
    """Verify a signature by the key of a certificate. Raises Rejected, NotExamined."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    try:
        key = certificate.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, digest_for(key))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            raise NotExamined("the certificate's key is of a kind that is not verified")
    except InvalidSignature:
        raise Rejected("the signature is not that of the certificate's key") from None
    except (NotExamined, Rejected):
        raise
    except Exception as error:  # noqa: BLE001  # a foreign key: whatever the library raises, nothing is verified
        raise Rejected(f"the certificate's key cannot be used: {type(error).__name__}") from None


def check_certificate(certificate: Any, moment: float, roots: Roots) -> None:
    """Verify chain, use and log of a certificate at a proven time (seconds). Raises Rejected, NotExamined."""
    try:
        chain = _chain(certificate, moment, roots)
        _check_use(certificate)
        _check_timestamp(certificate, chain[1], roots)
    except (NotExamined, Rejected):
        raise
    except Exception as error:  # noqa: BLE001  # a foreign certificate: whatever the library raises, nothing is verified
        raise Rejected(f"the certificate cannot be verified: {shown(error) or type(error).__name__}") from None


def _chain(certificate: Any, moment: float, roots: Roots) -> list[Any]:
    """The chain from the certificate to a trusted root."""
    from cryptography.x509 import ExtendedKeyUsage
    from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, VerificationError

    time = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    if not certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc:
        raise Rejected("the certificate did not count at the time of the signature")
    authorities = ExtensionPolicy.webpki_defaults_ca().may_be_present(ExtendedKeyUsage, Criticality.NON_CRITICAL, None)
    leaf = ExtensionPolicy.webpki_defaults_ee().may_be_present(ExtendedKeyUsage, Criticality.NON_CRITICAL, None)
    reason = "no authority counted at that time"
    for span, store, between in roots.chains:
        if not span.holds(moment):
            continue
        verifier = (
            PolicyBuilder()
            .store(store)
            .time(time)
            .extension_policies(ca_policy=authorities, ee_policy=leaf)
            .build_client_verifier()
        )
        try:
            return list(verifier.verify(certificate, between).chain)
        except VerificationError as error:
            reason = shown(error)
    raise Rejected(f"the certificate was issued by no trusted authority: {reason}")


def _check_use(certificate: Any) -> None:
    from cryptography.x509 import ExtendedKeyUsage, ExtensionNotFound, KeyUsage
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        use = certificate.extensions.get_extension_for_class(KeyUsage).value
        further = certificate.extensions.get_extension_for_class(ExtendedKeyUsage).value
    except ExtensionNotFound:
        raise Rejected("the certificate does not say what it is for") from None
    if not use.digital_signature or ExtendedKeyUsageOID.CODE_SIGNING not in further:
        raise Rejected("the certificate is not for signing code")


def _check_timestamp(certificate: Any, issuer: Any, roots: Roots) -> None:
    """Verify the one signed timestamp of a certificate log inside the certificate (RFC 6962, section 3.2)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import ExtensionNotFound, PrecertificateSignedCertificateTimestamps

    try:
        stamps = list(certificate.extensions.get_extension_for_class(PrecertificateSignedCertificateTimestamps).value)
    except ExtensionNotFound:
        raise Rejected("the certificate carries no timestamp of a certificate log") from None
    if len(stamps) != 1:
        raise Rejected("the certificate must carry exactly one timestamp of a certificate log")
    stamp = stamps[0]
    key = roots.certificate_logs.get(stamp.log_id)
    if key is None:
        raise NotExamined(f"the certificate log is not among those known of {roots.taken}")
    issuer_key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    inner = certificate.tbs_precertificate_bytes
    time = stamp.timestamp.replace(tzinfo=datetime.UTC)
    milliseconds = (time - datetime.datetime.fromtimestamp(0, datetime.UTC)) // datetime.timedelta(milliseconds=1)
    message = (
        struct.pack("!BBQH", stamp.version.value, 0, milliseconds, 1)
        + hashlib.sha256(issuer_key).digest()
        + len(inner).to_bytes(3, "big")
        + inner
        + struct.pack("!H", len(stamp.extension_bytes))
        + stamp.extension_bytes
    )
    if not key.verifies(stamp.signature, message):
        raise Rejected("the certificate's timestamp is not signed by the certificate log")
    if not key.span.holds(time.timestamp()):
        raise Rejected("the certificate log's key did not count at that time")


def claims_of(certificate: Any) -> Claims:
    """What a certificate states of the run that it was issued to. Verify the certificate first. Raises Rejected."""
    from cryptography.x509 import (
        ExtensionNotFound,
        RFC822Name,
        SubjectAlternativeName,
        UniformResourceIdentifier,
        UnrecognizedExtension,
    )

    try:
        values: dict[int, str] = {}
        for extension in certificate.extensions:
            oid = extension.oid.dotted_string
            if oid.startswith(_ARC) and isinstance(extension.value, UnrecognizedExtension):
                number = int(oid[len(_ARC) :]) if oid[len(_ARC) :].isdecimal() else 0
                values[number] = _text(extension.value.value, encoded=number >= 8)
        try:
            names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
            found = [*names.get_values_for_type(UniformResourceIdentifier), *names.get_values_for_type(RFC822Name)]
        except ExtensionNotFound:
            found = []
    except Exception as error:  # noqa: BLE001  # a foreign certificate: whatever the library raises, it claims nothing
        raise Rejected(f"the certificate's claims cannot be read: {type(error).__name__}") from None
    identity = found[0] if len(found) == 1 else ""
    issuer = values.get(8) or values.get(1, "")
    repository = values.get(12, "")
    if not repository and issuer == _GITHUB and values.get(5):
        repository = f"https://github.com/{values[5]}"
    build = values.get(18) or identity
    return Claims(
        issuer=issuer,
        repository=repository,
        repository_id=values.get(15, ""),
        owner_id=values.get(17, ""),
        workflow=_workflow(build, repository),
        ref=values.get(14) or values.get(6, ""),
        commit=values.get(13) or values.get(3, ""),
        runner=values.get(11, ""),
        trigger=values.get(20) or values.get(2, ""),
        run=values.get(21, ""),
        identity=identity,
    )


def _workflow(build: str, repository: str) -> str:
    """The path of the workflow in `<repository>/<path>@<ref>`; the whole where it lies in another repository."""
    path = build.rpartition("@")[0] if "@" in build else build
    if repository and path.startswith(f"{repository}/"):
        return path[len(repository) + 1 :].lstrip("/")
    return path


def _text(value: bytes, *, encoded: bool) -> str:
    """The text of an extension: as it is in the old ones, a UTF8String in DER in those from number 8 on."""
    if encoded:
        if len(value) < 2 or value[0] != 0x0C:
            raise ValueError("no UTF8String")
        length, start = value[1], 2
        if length & 0x80:
            count = length & 0x7F
            length, start = int.from_bytes(value[2 : 2 + count], "big"), 2 + count
        if len(value) != start + length:
            raise ValueError("its length is wrong")
        value = value[start:]
    return value.decode("utf-8")

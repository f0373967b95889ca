"""An authority for timestamps (RFC 3161) of our own, and bundles of the second generation of the log that rest on it."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pratique.releases.attestations.roots import Roots
from tests.standins import authority as own

STAMPS_ROOT, STAMPS = own.Key(31, ec.SECP256R1()), own.Key(32, ec.SECP256R1())


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _oid(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    found = bytes((first * 40 + second,))
    for number in rest:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        found += bytes(reversed(digits))
    return _der(6, found)


def _integer(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


_SHA256 = _der(0x30, _oid("2.16.840.1.101.3.4.2.1"), _der(5))
_ECDSA = _der(0x30, _oid("1.2.840.10045.4.3.2"))
_INFO = _oid("1.2.840.113549.1.9.16.1.4")


@functools.cache
def authority() -> tuple[x509.Certificate, x509.Certificate]:
    """The root's certificate and the one that stamps."""

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def made(subject: str, key: own.Key, serial: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("harbour clock root"))
            .public_key(key.private.public_key())
            .serial_number(serial)
            .not_valid_before(own.START)
            .not_valid_after(own.START + datetime.timedelta(days=3650))
        )

    root = made("harbour clock root", STAMPS_ROOT, 1).add_extension(x509.BasicConstraints(ca=True, path_length=1), True)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    leaf = made("harbour clock", STAMPS, 2).add_extension(usage, True)
    key = STAMPS_ROOT.private
    return (
        root.sign(key, hashes.SHA256(), ecdsa_deterministic=True),
        leaf.sign(key, hashes.SHA256(), ecdsa_deterministic=True),
    )


def stamp(message: bytes, at: datetime.datetime = own.SIGNED, key: own.Key = STAMPS) -> bytes:
    """A response of the authority: this message was there at that time."""
    certificate = authority()[1]
    raw = certificate.public_bytes(Encoding.DER)
    imprint = _der(0x30, _SHA256, _der(4, hashlib.sha256(message).digest()))
    when = _der(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())
    info = _der(0x30, _integer(1), _oid("1.3.6.1.4.1.99999.1"), imprint, _integer(7), when)

    def attribute(oid: str, value: bytes) -> bytes:
        return _der(0x30, _oid(oid), _der(0x31, value))

    own_digest = _der(0x30, _der(0x30, _der(0x30, _der(4, hashlib.sha256(raw).digest()))))
    attributes = b"".join(
        sorted(
            (
                attribute("1.2.840.113549.1.9.3", _INFO),
                attribute("1.2.840.113549.1.9.4", _der(4, hashlib.sha256(info).digest())),
                attribute("1.2.840.113549.1.9.16.2.47", own_digest),
            )
        )
    )
    signature = key.sign(_der(0x31, attributes))
    issuer = _der(0x30, certificate.issuer.public_bytes(), _integer(certificate.serial_number))
    signer = _der(0x30, _integer(1), issuer, _SHA256, _der(0xA0, attributes), _ECDSA, _der(4, signature))
    content = _der(0x30, _INFO, _der(0xA0, _der(4, info)))
    signed = _der(0x30, _integer(3), _der(0x31, _SHA256), content, _der(0xA0, raw), _der(0x31, signer))
    return _der(0x30, _der(0x30, _integer(0)), _der(0x30, _oid("1.2.840.113549.1.7.2"), _der(0xA0, signed)))


def roots() -> Roots:
    """The roots of our own authority, with this one for timestamps."""
    document = json.loads(own.trusted_root())
    root, leaf = authority()
    chain = [{"rawBytes": own.b64(one.public_bytes(Encoding.DER))} for one in (leaf, root)]
    document["timestampAuthorities"] = [
        {
            "subject": {"organization": "harbour.example", "commonName": "harbour clock"},
            "uri": "https://clock.example",
            "certChain": {"certificates": chain},
            "validFor": {"start": own.stamp(own.START)},
        }
    ]
    return Roots(own.compact(document), own.registry_keys(), source="the tests' own authority", taken="2026-01-01")


def by_certificate(payload: bytes, *stamps: bytes, at: datetime.datetime = own.SIGNED) -> dict[str, Any]:
    """A bundle whose entry is of the log's second generation: no time, no promise, a timestamp in their place."""
    made = own.by_certificate(payload)
    signature = own.RUN.sign(own.pae(payload))
    verifier = {
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        "x509Certificate": {"rawBytes": made["verificationMaterial"]["certificate"]["rawBytes"]},
    }
    spec = {
        "hashedRekordV002": {
            "data": {"algorithm": "SHA2_256", "digest": own.b64(hashlib.sha256(own.pae(payload)).digest())},
            "signature": {"content": own.b64(signature), "verifier": verifier},
        }
    }
    body = own.compact({"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec})
    entry = own.log_entry("hashedrekord 0.0.2", body, at, proof=True, promise=False)
    del entry["integratedTime"]
    made["verificationMaterial"]["tlogEntries"] = [entry]
    found = stamps or (stamp(signature, at),)
    made["verificationMaterial"]["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": own.b64(one)} for one in found]
    }
    return made

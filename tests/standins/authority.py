"""An authority, a log, a certificate log and a registry of our own, with keys that are the same at every run.

They make inert attestations in every generation that npm and PyPI hand out: the same shapes, other keys, names that
belong to nobody. Nothing they sign is trusted by anyone but the tests.
"""

from __future__ import annotations

import base64
import copy
import datetime
import functools
import hashlib
import json
import struct
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pypi_attestations import AttestationType

from pratique.releases.attestations.roots import Roots

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
SIGNED = datetime.datetime(2026, 5, 4, 3, 2, 1, tzinfo=datetime.UTC)
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PUBLISH = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
PROVENANCE = "https://slsa.dev/provenance/v1"
PYPI_PUBLISH = AttestationType.PYPI_PUBLISH_V1.value
MEDIA = {
    "0.1": "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "0.2": "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "0.3": "application/vnd.dev.sigstore.bundle.v0.3+json",
}
ISSUER = "https://token.issuer.example"
REPOSITORY = "https://forge.example/harbour/crate"
WORKFLOW = ".forge/workflows/release.yml"
CLAIMS = {
    1: ISSUER,
    8: ISSUER,
    9: f"{REPOSITORY}/{WORKFLOW}@refs/tags/v1.2.3",
    11: "hosted",
    12: REPOSITORY,
    13: "0123456789abcdef0123456789abcdef01234567",
    14: "refs/tags/v1.2.3",
    15: "4711",
    17: "815",
    18: f"{REPOSITORY}/{WORKFLOW}@refs/tags/v1.2.3",
    20: "push",
    21: f"{REPOSITORY}/runs/1",
}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def compact(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Key:
    """A key that is derived from a number."""

    def __init__(self, number: int, curve: ec.EllipticCurve | None = None) -> None:
        self.private = ec.derive_private_key(number, curve or ec.SECP256R1())
        self.der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.pem = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.identity = hashlib.sha256(self.der).digest()
        self.keyid = "SHA256:" + b64(self.identity).rstrip("=")

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))

    def stated(self, start: datetime.datetime, end: datetime.datetime | None = None) -> dict[str, Any]:
        span = {"start": stamp(start)} | ({"end": stamp(end)} if end else {})
        return {"rawBytes": b64(self.der), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": span}


def stamp(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


LOG, CERTIFICATE_LOG, REGISTRY, OLD_REGISTRY, RUN, STRANGER = (Key(number) for number in range(11, 17))
ROOT, BETWEEN = Key(21, ec.SECP384R1()), Key(22, ec.SECP384R1())
OLD_END = START - datetime.timedelta(days=100)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject: str, key: Key, issuer: str, by: Key, serial: int, length: int | None) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.private.public_key())
        .serial_number(serial)
        .not_valid_before(START)
        .not_valid_after(START + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
        .add_extension(_usage(signing=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.private.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.private.public_key()), critical=False)
        .sign(by.private, hashes.SHA384(), ecdsa_deterministic=True)
    )


def _usage(*, signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signing,
        crl_sign=not signing,
        encipher_only=False,
        decipher_only=False,
    )


@functools.cache
def authority() -> tuple[x509.Certificate, x509.Certificate]:
    """The root's certificate and the one between."""
    root = _certificate("harbour root", ROOT, "harbour root", ROOT, 1, 1)
    return root, _certificate("harbour between", BETWEEN, "harbour root", ROOT, 2, 0)


def certificate(
    claims: dict[int, str] | None = None,
    *,
    at: datetime.datetime = SIGNED,
    key: Key = RUN,
    by: Key = BETWEEN,
    log: Key = CERTIFICATE_LOG,
    code_signing: bool = True,
    stamps: int = 1,
) -> bytes:
    """A certificate for ten minutes from shortly before `at`, with claims and the timestamp of the certificate log."""
    purpose = ExtendedKeyUsageOID.CODE_SIGNING if code_signing else ExtendedKeyUsageOID.CLIENT_AUTH
    stated = CLAIMS if claims is None else claims
    identity = stated.get(18) or f"{REPOSITORY}/{WORKFLOW}@refs/tags/v1.2.3"
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(_name("harbour between"))
        .public_key(key.private.public_key())
        .serial_number(1000 + key.private.private_numbers().private_value)
        .not_valid_before(at - datetime.timedelta(seconds=30))
        .not_valid_after(at + datetime.timedelta(minutes=10))
        .add_extension(_usage(signing=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.private.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.private.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)]), critical=True)
    )
    for number, text in sorted(stated.items()):
        value = text.encode() if number < 8 else _utf8(text)
        oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    if not stamps:
        return builder.sign(by.private, hashes.SHA384(), ecdsa_deterministic=True).public_bytes(Encoding.DER)
    before = builder.sign(by.private, hashes.SHA384(), ecdsa_deterministic=True).tbs_certificate_bytes
    milliseconds = int((at - datetime.timedelta(seconds=30)).timestamp() * 1000)
    message = (
        struct.pack("!BBQH", 0, 0, milliseconds, 1)
        + hashlib.sha256(by.der).digest()
        + len(before).to_bytes(3, "big")
        + before
        + b"\0\0"
    )
    signature = log.sign(message)
    one = b"\0" + log.identity + struct.pack("!QH", milliseconds, 0) + b"\4\3" + struct.pack("!H", len(signature))
    one += signature
    inner = b"".join(struct.pack("!H", len(one)) + one for _ in range(stamps))
    listed = struct.pack("!H", len(inner)) + inner
    octets = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), _der(4, listed))
    made = builder.add_extension(octets, critical=False)
    return made.sign(by.private, hashes.SHA384(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _utf8(text: str) -> bytes:
    return _der(12, text.encode())


def trusted_root() -> bytes:
    """The trusted root of this authority, in Sigstore's form."""
    root, between = authority()
    span = {"start": stamp(START)}
    return compact(
        {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                {
                    "baseUrl": "https://log.example",
                    "hashAlgorithm": "SHA2_256",
                    "publicKey": LOG.stated(START - datetime.timedelta(days=1000)),
                    "logId": {"keyId": b64(LOG.identity)},
                }
            ],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "harbour.example", "commonName": "harbour"},
                    "uri": "https://authority.example",
                    "certChain": {
                        "certificates": [
                            {"rawBytes": b64(between.public_bytes(Encoding.DER))},
                            {"rawBytes": b64(root.public_bytes(Encoding.DER))},
                        ]
                    },
                    "validFor": span,
                }
            ],
            "ctlogs": [
                {
                    "baseUrl": "https://certificates.example",
                    "hashAlgorithm": "SHA2_256",
                    "publicKey": CERTIFICATE_LOG.stated(START),
                    "logId": {"keyId": b64(CERTIFICATE_LOG.identity)},
                }
            ],
            "timestampAuthorities": [],
        }
    )


def registry_keys() -> bytes:
    """The keys of this registry: one that has expired, one that counts."""
    keys = []
    for usage in ("npm:signatures", "npm:attestations"):
        old = OLD_REGISTRY.stated(START - datetime.timedelta(days=3000), OLD_END)
        keys.append({"keyId": OLD_REGISTRY.keyid, "keyUsage": usage, "publicKey": old})
        new = REGISTRY.stated(OLD_END - datetime.timedelta(days=10))
        keys.append({"keyId": REGISTRY.keyid, "keyUsage": usage, "publicKey": new})
    return compact({"keys": keys})


def roots() -> Roots:
    """All of it, as it is used."""
    return Roots(trusted_root(), registry_keys(), source="the tests' own authority", taken="2026-01-01")


def registry_signature(name: str, version: str, integrity: str, key: Key = REGISTRY) -> dict[str, str]:
    return {"keyid": key.keyid, "sig": b64(key.sign(f"{name}@{version}:{integrity}".encode()))}


def integrity(archive: bytes) -> str:
    return f"sha512-{b64(hashlib.sha512(archive).digest())}"


def statement(name: str, version: str, archive: bytes, kind: str = PROVENANCE) -> bytes:
    """A statement about a release of npm."""
    subject = f"pkg:npm/{name.replace('@', '%40', 1)}@{version}"
    predicate: dict[str, Any] = {"buildDefinition": {"buildType": "https://build.example/v1"}}
    if kind == PUBLISH:
        predicate = {"name": name, "version": version, "registry": "https://registry.example"}
    return compact(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": subject, "digest": {"sha512": hashlib.sha512(archive).hexdigest()}}],
            "predicateType": kind,
            "predicate": predicate,
        }
    )


def python_statement(file: str, content: bytes, kind: str = PYPI_PUBLISH) -> bytes:
    """A statement about a file of a Python release."""
    return compact(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": file, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}],
            "predicateType": kind,
            "predicate": None,
        }
    )


def pae(payload: bytes) -> bytes:
    return b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def pem(der: bytes) -> bytes:
    text = b64(der)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()


def entry_body(kind: str, payload: bytes, signature: bytes, signer: bytes, keyid: str) -> bytes:
    """What the log keeps of a signature, in each generation. `signer` is in PEM."""
    digest = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
    name, _, version = kind.partition(" ")
    if name == "intoto":
        one = {"publicKey": b64(signer), "sig": b64(b64(signature).encode())} | ({"keyid": keyid} if keyid else {})
        envelope = {"payloadType": PAYLOAD_TYPE, "signatures": [one]}
        spec: dict[str, Any] = {"content": {"envelope": envelope, "hash": digest, "payloadHash": digest}}
    elif name == "dsse":
        one = {"signature": b64(signature), "verifier": b64(signer)}
        spec = {"envelopeHash": digest, "payloadHash": digest, "signatures": [one]}
    else:
        whole = {"algorithm": "sha256", "value": hashlib.sha256(pae(payload)).hexdigest()}
        spec = {
            "data": {"hash": whole},
            "signature": {"content": b64(signature), "publicKey": {"content": b64(signer)}},
        }
    return compact({"apiVersion": version, "kind": name, "spec": spec})


def log_entry(
    kind: str, body: bytes, at: datetime.datetime, *, proof: bool, promise: bool = True, log: Key = LOG
) -> dict[str, Any]:
    """An entry of the log: entry 5 of a tree of 7, whose other leaves are made up."""
    name, _, version = kind.partition(" ")
    time = int(at.timestamp())
    signed = compact({"body": b64(body), "integratedTime": time, "logID": log.identity.hex(), "logIndex": 1005})
    entry: dict[str, Any] = {
        "logIndex": "1005",
        "logId": {"keyId": b64(log.identity)},
        "kindVersion": {"kind": name, "version": version},
        "integratedTime": str(time),
        "inclusionPromise": {"signedEntryTimestamp": b64(log.sign(signed))} if promise else None,
        "inclusionProof": None,
        "canonicalizedBody": b64(body),
    }
    if proof:
        leaves = [hashlib.sha256(b"\0leaf %d" % number).digest() for number in range(7)]
        leaves[5] = hashlib.sha256(b"\0" + body).digest()
        low = _node(_node(leaves[0], leaves[1]), _node(leaves[2], leaves[3]))
        root = _node(low, _node(_node(leaves[4], leaves[5]), leaves[6]))
        text = f"log.example - 1\n7\n{b64(root)}\n"
        signature = b64(log.identity[:4] + log.sign(text.encode()))
        entry["inclusionProof"] = {
            "logIndex": "5",
            "rootHash": b64(root),
            "treeSize": "7",
            "hashes": [b64(leaves[4]), b64(leaves[6]), b64(low)],
            "checkpoint": {"envelope": f"{text}\n\u2014 log.example {signature}\n"},
        }
    return entry


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def by_certificate(
    payload: bytes,
    generation: str = "0.3",
    kind: str = "dsse 0.0.1",
    *,
    at: datetime.datetime = SIGNED,
    proof: bool = True,
    der: bytes | None = None,
    key: Key = RUN,
    promise: bool = True,
) -> dict[str, Any]:
    """A bundle that the holder of a certificate signed."""
    signature = key.sign(pae(payload))
    der = der or certificate(key=key)
    entry = log_entry(kind, entry_body(kind, payload, signature, pem(der), ""), at, proof=proof, promise=promise)
    raw = {"rawBytes": b64(der)}
    signer = {"certificate": raw} if generation == "0.3" else {"x509CertificateChain": {"certificates": [raw]}}
    return bundle(generation, signer, entry, payload, signature, "")


def by_registry(
    payload: bytes,
    generation: str = "0.2",
    kind: str = "dsse 0.0.1",
    *,
    at: datetime.datetime = SIGNED,
    proof: bool = True,
    key: Key = REGISTRY,
) -> dict[str, Any]:
    """A bundle that the registry signed."""
    signature = key.sign(pae(payload))
    entry = log_entry(kind, entry_body(kind, payload, signature, key.pem, key.keyid), at, proof=proof)
    return bundle(generation, {"publicKey": {"hint": key.keyid}}, entry, payload, signature, key.keyid)


def bundle(
    generation: str, signer: dict[str, Any], entry: dict[str, Any], payload: bytes, signature: bytes, keyid: str
) -> dict[str, Any]:
    return {
        "mediaType": MEDIA[generation],
        "verificationMaterial": {**signer, "tlogEntries": [entry], "timestampVerificationData": None},
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": b64(signature), "keyid": keyid}],
        },
    }


def answer(*attestations: tuple[str, dict[str, Any]]) -> bytes:
    """A registry's answer: each attestation with the kind that is stated outside."""
    return compact({"attestations": [{"predicateType": kind, "bundle": one} for kind, one in attestations]})


def python_attestation(payload: bytes, *, at: datetime.datetime = SIGNED) -> dict[str, Any]:
    """An attestation as PEP 740 has it."""
    one = by_certificate(payload, at=at)
    material = one["verificationMaterial"]
    entries = copy.deepcopy(material["tlogEntries"])
    return {
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"]["rawBytes"],
            "transparency_entries": entries,
        },
        "envelope": {
            "statement": one["dsseEnvelope"]["payload"],
            "signature": one["dsseEnvelope"]["signatures"][0]["sig"],
        },
    }


def python_answer(*attestations: dict[str, Any], publisher: dict[str, Any] | None = None) -> bytes:
    """An index's provenance of one file."""
    stated = publisher or {"kind": "Forge", "repository": "harbour/crate", "workflow": "release.yml"}
    return compact({"version": 1, "attestation_bundles": [{"publisher": stated, "attestations": list(attestations)}]})

"""A bundle of Sigstore, in every generation that npm and PyPI hand out, as plain parts.

Bundle 0.1 needs a signed promise of the log and may lack a proof; 0.2 and 0.3 need a proof with a checkpoint. 0.1 and
0.2 carry a chain of certificates, 0.3 one certificate; all may carry a hint to a public key instead. Unknown versions
are refused, for what they add would go unseen. Sources: the protobuf definitions of Sigstore (`sigstore_bundle.proto`,
`sigstore_rekor.proto`), and what npm serves.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from pratique.releases.attestations.reasons import NotExamined, Rejected, shown

PAYLOAD_TYPE = "application/vnd.in-toto+json"
GENERATIONS = {
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json": "0.3",
}
LARGEST = 16 << 20
"""So many bytes a document of attestations may have."""
MOST = 64
"""So many attestations, hashes of a proof or timestamps are read; more are rejected."""
_NUMBER = re.compile(r"\d{1,19}")
_LARGEST_NUMBER = (1 << 63) - 1


class Proof(msgspec.Struct, frozen=True):
    """A proof that an entry is in the log: position and size of the tree, its root, the hashes on the way."""

    index: int
    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str


class Entry(msgspec.Struct, frozen=True):
    """One entry of a log. `time` in seconds since the epoch, as the log states it; `promise` its signature on that."""

    index: int
    log: bytes
    kind: str
    version: str
    time: int | None
    promise: bytes
    proof: Proof | None
    body: bytes

    @property
    def name(self) -> str:
        """Kind and version: `dsse 0.0.1`."""
        return f"{self.kind} {self.version}"


class Bundle(msgspec.Struct, frozen=True):
    """The parts of a bundle: what was signed, by whom, and the log's entry. `certificate` in DER, or a `hint`."""

    generation: str
    media_type: str
    certificate: bytes
    hint: str
    payload: bytes
    signature: bytes
    keyid: str
    entry: Entry
    timestamps: tuple[bytes, ...]

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is made over: the envelope's pre-authentication encoding."""
        kind = PAYLOAD_TYPE.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def decoded(data: bytes | msgspec.Raw) -> Any:
    """The value that a JSON document holds. Raises Rejected where it is none, or deeper than can be read."""
    if len(memoryview(data)) > LARGEST:
        raise NotExamined(f"it is larger than {LARGEST >> 20} MiB")
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Rejected("it is no JSON") from None


def bundle_of(document: object) -> Bundle:
    """The parts of a bundle that was decoded from JSON. Raises Rejected or NotExamined."""
    top = _object(document, "the bundle")
    media_type = _text(top, "mediaType", "the bundle")
    generation = GENERATIONS.get(media_type)
    if generation is None:
        raise NotExamined(f"the bundle is of a version that is not known: {shown(media_type) or 'none stated'}")
    if top.get("messageSignature") is not None:
        raise Rejected("the bundle signs a message and not a statement")
    material = _object(top.get("verificationMaterial"), "the verification material")
    certificate, hint = _signer(material, generation)
    payload, signature, keyid = _envelope(_object(top.get("dsseEnvelope"), "the envelope"))
    entry = entry_of(_only(material, "tlogEntries", "log entry"))
    if generation == "0.1" and not entry.promise:
        raise Rejected("the log's signed promise is missing")
    if generation != "0.1" and (entry.proof is None or not entry.proof.checkpoint):
        raise Rejected("the proof of inclusion in the log, or its checkpoint, is missing")
    timestamps = _timestamps(material.get("timestampVerificationData"))
    return Bundle(generation, media_type, certificate, hint, payload, signature, keyid, entry, timestamps)


def _signer(material: dict[str, Any], generation: str) -> tuple[bytes, str]:
    """The certificate in DER, or the hint to a key. Raises Rejected where there is none, or more than one."""
    stated = [key for key in ("certificate", "x509CertificateChain", "publicKey") if material.get(key) is not None]
    if len(stated) != 1:
        raise Rejected("the bundle names no signer" if not stated else "the bundle names several signers")
    part = _object(material[stated[0]], "the signer")
    if stated[0] == "publicKey":
        hint = _text(part, "hint", "the public key")
        if not hint or len(hint) > 200:
            raise Rejected("the hint to the public key is empty or too long")
        return b"", hint
    if stated[0] == "x509CertificateChain":
        if generation == "0.3":
            raise Rejected("a bundle of version 0.3 may not carry a chain of certificates")
        chain = part.get("certificates")
        if not isinstance(chain, list) or not 1 <= len(chain) <= 8:
            raise Rejected("the chain of certificates is empty or too long")
        part = _object(chain[0], "the certificate")
    elif generation != "0.3":
        raise Rejected(f"a bundle of version {generation} carries a chain of certificates")
    certificate = _bytes(part, "rawBytes", "the certificate")
    if not certificate:
        raise Rejected("the certificate is empty")
    return certificate, ""


def _envelope(envelope: dict[str, Any]) -> tuple[bytes, bytes, str]:
    if envelope.get("payloadType") != PAYLOAD_TYPE:
        raise Rejected("the envelope holds no in-toto statement")
    signature = _only(envelope, "signatures", "signature")
    keyid = signature.get("keyid")
    if keyid is not None and not isinstance(keyid, str):
        raise Rejected("the key id of the signature is no text")
    sig = _bytes(signature, "sig", "the signature")
    if not sig:
        raise Rejected("the signature is empty")
    return _bytes(envelope, "payload", "the payload"), sig, keyid or ""


def entry_of(entry: dict[str, Any]) -> Entry:
    """The parts of one entry of a log. Raises Rejected."""
    kind = _object(entry.get("kindVersion"), "the kind of the log entry")
    promise = entry.get("inclusionPromise")
    time = entry.get("integratedTime")
    moment = _number(entry, "integratedTime", "the log entry") if time is not None else None
    return Entry(
        index=_number(entry, "logIndex", "the log entry"),
        log=_bytes(_object(entry.get("logId"), "the id of the log"), "keyId", "the id of the log"),
        kind=_text(kind, "kind", "the log entry"),
        version=_text(kind, "version", "the log entry"),
        time=moment or None,
        promise=b""
        if promise is None
        else _bytes(_object(promise, "the log's promise"), "signedEntryTimestamp", "the log's promise"),
        proof=_proof(entry.get("inclusionProof")),
        body=_bytes(entry, "canonicalizedBody", "the log entry"),
    )


def _proof(part: object) -> Proof | None:
    if part is None:
        return None
    proof = _object(part, "the proof of inclusion")
    hashes = proof.get("hashes", [])
    if not isinstance(hashes, list) or len(hashes) > MOST or not all(isinstance(item, str) for item in hashes):
        raise Rejected("the hashes of the proof of inclusion are no list of at most 64 texts")
    checkpoint = proof.get("checkpoint")
    envelope = _text(_object(checkpoint, "the checkpoint"), "envelope", "the checkpoint") if checkpoint else ""
    return Proof(
        index=_number(proof, "logIndex", "the proof of inclusion") if "logIndex" in proof else 0,
        size=_number(proof, "treeSize", "the proof of inclusion"),
        root=_bytes(proof, "rootHash", "the proof of inclusion"),
        hashes=tuple(unbase64(item, "the proof of inclusion") for item in hashes),
        checkpoint=envelope,
    )


def _timestamps(part: object) -> tuple[bytes, ...]:
    if part is None:
        return ()
    found = _object(part, "the timestamps").get("rfc3161Timestamps", [])
    if not isinstance(found, list) or len(found) > MOST:
        raise Rejected("the timestamps are no list of at most 64")
    return tuple(_bytes(_object(item, "the timestamp"), "signedTimestamp", "the timestamp") for item in found)


def for_sigstore(bundle: Bundle) -> dict[str, Any]:
    """The same bundle as sigstore reads it, out of the parts that were read here: nothing unread is handed on."""
    entry = bundle.entry
    log: dict[str, Any] = {
        "logIndex": str(entry.index),
        "logId": {"keyId": _base64(entry.log)},
        "kindVersion": {"kind": entry.kind, "version": entry.version},
        "canonicalizedBody": _base64(entry.body),
    }
    if entry.time is not None:
        log["integratedTime"] = str(entry.time)
    if entry.promise:
        log["inclusionPromise"] = {"signedEntryTimestamp": _base64(entry.promise)}
    if entry.proof is not None:
        log["inclusionProof"] = {
            "logIndex": str(entry.proof.index),
            "treeSize": str(entry.proof.size),
            "rootHash": _base64(entry.proof.root),
            "hashes": [_base64(item) for item in entry.proof.hashes],
            "checkpoint": {"envelope": entry.proof.checkpoint},
        }
    certificate = {"rawBytes": _base64(bundle.certificate)}
    material: dict[str, Any] = {"tlogEntries": [log]}
    if bundle.generation == "0.3":
        material["certificate"] = certificate
    else:
        material["x509CertificateChain"] = {"certificates": [certificate]}
    if bundle.timestamps:
        material["timestampVerificationData"] = {
            "rfc3161Timestamps": [{"signedTimestamp": _base64(item)} for item in bundle.timestamps]
        }
    return {
        "mediaType": bundle.media_type,
        "verificationMaterial": material,
        "dsseEnvelope": {
            "payload": _base64(bundle.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _base64(bundle.signature), "keyid": bundle.keyid}],
        },
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unbase64(text: str, what: str) -> bytes:
    """What base64 stands for. Raises Rejected, naming what it was to be."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Rejected(f"{what} is no base64") from None


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Rejected(f"{what} is missing" if value is None else f"{what} is malformed")
    return value


def _only(part: dict[str, Any], key: str, what: str) -> dict[str, Any]:
    """The one element of a list. Raises Rejected where there are none or more."""
    found = part.get(key)
    if not isinstance(found, list) or len(found) != 1:
        count = len(found) if isinstance(found, list) else 0
        raise Rejected(f"there must be exactly one {what}, not {count}")
    return _object(found[0], f"the {what}")


def _text(part: dict[str, Any], key: str, what: str) -> str:
    value = part.get(key)
    if not isinstance(value, str):
        raise Rejected(f"{what} states no {key}")
    return value


def _bytes(part: dict[str, Any], key: str, what: str) -> bytes:
    return unbase64(_text(part, key, what), what)


def _number(part: dict[str, Any], key: str, what: str) -> int:
    """A whole number from 0 to 2^63-1: a text in bundles, as protobuf writes it, or a number."""
    value = part.get(key)
    if isinstance(value, str) and _NUMBER.fullmatch(value) and value.isascii():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_NUMBER:
        raise Rejected(f"{what} states no {key}")
    return value

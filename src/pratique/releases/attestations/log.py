"""One entry of a transparency log: bound to what was signed, promised by the log, included in its tree.

Three generations of entries are known. `intoto 0.0.2` keeps the signature in base64 twice, `dsse 0.0.1` once, and
`hashedrekord` digests what the signature is made over. The log's promise (signed entry timestamp) is made over compact
JSON with sorted keys in which numbers are numbers, although bundles carry them as texts. Sources: the types of Rekor
(`pkg/types`), RFC 6962 for the tree, the format of signed notes for the checkpoint.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from pratique.releases.attestations.bundle import Bundle, Entry, Proof, decoded, unbase64
from pratique.releases.attestations.reasons import NotExamined, Rejected, shown
from pratique.releases.attestations.roots import PublicKey, Roots

KINDS = ("dsse 0.0.1", "hashedrekord 0.0.1", "hashedrekord 0.0.2", "intoto 0.0.2")
_NOTE = re.compile("\u2014 (\\S+) (\\S+)")


def check_binding(bundle: Bundle, key: bytes) -> None:
    """Hold the entry to payload, signature and signer. `key`: DER of the certificate, else of the public key.

    Raises Rejected where it is about something else, NotExamined for a kind of entry that is not known.
    """
    entry = bundle.entry
    if entry.name not in KINDS:
        raise NotExamined(f"the log entry is of a kind that is not known: {shown(entry.name)}")
    body = decoded(entry.body)
    if not isinstance(body, dict) or body.get("kind") != entry.kind or body.get("apiVersion") != entry.version:
        raise Rejected("the log entry is of another kind than the bundle says")
    try:
        signature, signer, digest, expected = _entry_parts(entry, body["spec"], bundle)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Rejected("the log entry is malformed") from None
    if digest != expected:
        raise Rejected("the log entry is about another payload")
    if signature != bundle.signature:
        raise Rejected("the log entry is about another signature")
    if signer != key:
        raise Rejected("the log entry names another signer")


def _entry_parts(entry: Entry, spec: Any, bundle: Bundle) -> tuple[bytes, bytes, bytes, bytes]:
    """Signature, signer in DER, digest of the content, and the digest that it must have."""
    if entry.kind == "intoto":
        content = spec["content"]
        (one,) = content["envelope"]["signatures"]
        twice = unbase64(one["sig"], "the signature of the log entry")
        signature = unbase64(twice.decode("ascii"), "the signature of the log entry")
        if (one.get("keyid") or "") != bundle.keyid:
            raise Rejected("the log entry names another key id")
        return signature, _der(one["publicKey"]), _digest(content["payloadHash"]), _sha256(bundle.payload)
    if entry.kind == "dsse":
        (one,) = spec["signatures"]
        signature = unbase64(one["signature"], "the signature of the log entry")
        return signature, _der(one["verifier"]), _digest(spec["payloadHash"]), _sha256(bundle.payload)
    if entry.version == "0.0.1":
        signature = unbase64(spec["signature"]["content"], "the signature of the log entry")
        signer = _der(spec["signature"]["publicKey"]["content"])
        return signature, signer, _digest(spec["data"]["hash"]), _sha256(bundle.signed)
    part = spec["hashedRekordV002"]
    algorithm = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}.get(part["data"]["algorithm"])
    if algorithm is None:
        raise NotExamined("the log entry digests by an algorithm that is not known")
    verifier = part["signature"]["verifier"]
    raw = verifier.get("x509Certificate") or verifier.get("publicKey")
    return (
        unbase64(part["signature"]["content"], "the signature of the log entry"),
        unbase64(raw["rawBytes"], "the signer of the log entry"),
        unbase64(part["data"]["digest"], "the digest of the log entry"),
        hashlib.new(algorithm, bundle.signed).digest(),
    )


def _digest(part: Any) -> bytes:
    if part["algorithm"] != "sha256":
        raise Rejected("the log entry digests by another algorithm than SHA-256")
    return bytes.fromhex(part["value"])


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _der(text: Any) -> bytes:
    """The bytes that a PEM text, itself in base64, holds: of a certificate or a key."""
    lines = unbase64(text, "the signer of the log entry").decode("ascii").split()
    inner = [line for line in " ".join(lines).replace("-----", "\n").split("\n") if line.strip()]
    if len(inner) != 3 or not inner[0].startswith("BEGIN ") or not inner[2].startswith("END "):
        raise Rejected("the log entry names its signer in a form that is not known")
    return unbase64(inner[1].replace(" ", ""), "the signer of the log entry")


def check_promise(entry: Entry, roots: Roots) -> float:
    """Verify the log's promise; the time that it proves, in seconds since the epoch. Raises Rejected, NotExamined."""
    if not entry.promise or entry.time is None:
        raise Rejected("no time is proven: the log's signed promise, or its time, is missing")
    key = log_key(entry, roots)
    text = (
        f'{{"body":"{base64.b64encode(entry.body).decode()}","integratedTime":{entry.time},'
        f'"logID":"{entry.log.hex()}","logIndex":{entry.index}}}'
    )
    if not key.verifies(entry.promise, text.encode()):
        raise Rejected("the promise is not signed by the log")
    if not key.span.holds(entry.time):
        raise Rejected("the log's key did not count at the time of the entry")
    return float(entry.time)


def log_key(entry: Entry, roots: Roots) -> PublicKey:
    """The key of the log that an entry names. Raises NotExamined where it is none of those trusted."""
    key = roots.logs.get(entry.log)
    if key is None:
        raise NotExamined(f"the log is not among those known of {roots.taken}")
    return key


def check_checkpoint(entry: Entry) -> None:
    """Hold the proof to its checkpoint: the same root and size of the tree. Raises Rejected."""
    if entry.proof is None or not entry.proof.checkpoint:
        return
    _, size, root, _ = _note(entry.proof)
    if size != entry.proof.size or root != entry.proof.root:
        raise Rejected("the checkpoint is about another state of the log than the proof")


def check_inclusion(entry: Entry, roots: Roots) -> None:
    """Verify the proof of inclusion and the signature on its checkpoint. Raises Rejected, NotExamined."""
    proof = entry.proof
    if proof is None:
        raise Rejected("the proof of inclusion in the log is missing")
    check_checkpoint(entry)
    text, _, _, signatures = _note(proof)
    key = log_key(entry, roots)
    mine = [signature[4:] for signature in signatures if signature[:4] == entry.log[:4]]
    if not any(key.verifies(signature, text) for signature in mine):
        raise Rejected("the checkpoint is not signed by the log")
    if _root_of(entry.body, proof) != proof.root:
        raise Rejected("the entry is not in the log's tree where the proof says")


def _note(proof: Proof) -> tuple[bytes, int, bytes, list[bytes]]:
    """The signed text of a checkpoint, its size of the tree, its root, and the signatures. Raises Rejected."""
    head, separator, tail = proof.checkpoint.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(lines) < 3 or len(proof.checkpoint) > 1 << 16 or not re.fullmatch("[0-9]{1,19}", lines[1]):
        raise Rejected("the checkpoint is malformed")
    signatures = []
    for line in tail.rstrip("\n").split("\n"):
        match = _NOTE.fullmatch(line)
        if match is None:
            raise Rejected("the checkpoint is malformed")
        signatures.append(unbase64(match[2], "the signature of the checkpoint"))
    return f"{head}\n".encode("utf-8", "surrogatepass"), int(lines[1]), unbase64(lines[2], "the root"), signatures


def _root_of(body: bytes, proof: Proof) -> bytes:
    """The root of the tree that an entry and the hashes of its proof lead to (RFC 6962, section 2.1.1)."""
    if proof.index >= proof.size:
        raise Rejected("the proof is about an entry beyond the end of the tree")
    inner = (proof.index ^ (proof.size - 1)).bit_length()
    border = (proof.index >> inner).bit_count()
    if len(proof.hashes) != inner + border:
        raise Rejected("the proof of inclusion has another length than its place in the tree")
    found = hashlib.sha256(b"\0" + body).digest()
    for step, other in enumerate(proof.hashes):
        left = step >= inner or (proof.index >> step) & 1
        found = hashlib.sha256(b"\1" + (other + found if left else found + other)).digest()
    return found

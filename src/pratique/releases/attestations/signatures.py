"""Signatures of an npm registry: ECDSA over `name@version:integrity` by a key that counted when it was published."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from pratique.model.trust import SignatureResult
from pratique.releases.attestations.reasons import NotExamined, shown
from pratique.releases.attestations.roots import SIGNATURES, Roots

MOST = 8


def verify_signatures(
    name: str, version: str, integrity: object, signatures: object, published: float | None, roots: Roots
) -> tuple[SignatureResult, ...]:
    """Verify every signature that a record states of one version; nothing where it states none. Total.

    `integrity` and `signatures` are the fields of `dist` as they were decoded, `published` the time of publication in
    seconds since the epoch. A key that has expired is still good for what was published while it counted; one that
    counts only from a later time is not. Without a time, a key with an end proves nothing, so that is not examined.
    """
    if signatures is None:
        return ()
    if not isinstance(signatures, list) or len(signatures) > MOST:
        return (SignatureResult("", "rejected", f"the record's signatures are no list of at most {MOST}"),)
    return tuple(_one(name, version, integrity, item, published, roots) for item in signatures)


def _one(
    name: str, version: str, integrity: object, signature: Any, published: float | None, roots: Roots
) -> SignatureResult:
    keyid = signature.get("keyid") if isinstance(signature, dict) else None
    sig = signature.get("sig") if isinstance(signature, dict) else None
    if not isinstance(keyid, str) or not isinstance(sig, str):
        return SignatureResult(shown(keyid or ""), "rejected", "the signature has no key id or no value")
    label = shown(keyid)
    if not isinstance(integrity, str) or not integrity:
        return SignatureResult(
            label, "not-examined", "the record states no integrity, which the signature is made over"
        )
    known = roots.registry_key(keyid, SIGNATURES)
    if known is None:
        return SignatureResult(label, "not-examined", f"the key is not among those known of {roots.taken}")
    try:
        value = base64.b64decode(sig, validate=True)
        message = f"{name}@{version}:{integrity}".encode()
        good = known.key.verifies(value, message)
    except ModuleNotFoundError:
        return SignatureResult(label, "not-examined", "signatures need the extra `trust` (cryptography)")
    except NotExamined as reason:
        return SignatureResult(label, "not-examined", str(reason))
    except (binascii.Error, ValueError):
        return SignatureResult(label, "rejected", "the signature is no base64, or the record holds no valid text")
    if not good:
        return SignatureResult(
            label, "rejected", "the signature is not that of the key over name, version and integrity"
        )
    span = known.key.span
    if published is None:
        if span.end is not None:
            return SignatureResult(
                label, "not-examined", "the record states no time of publication, and the key has expired since"
            )
    elif not span.holds(published):
        return SignatureResult(label, "rejected", "it was published when the key did not count")
    return SignatureResult(label, "verified")

"""One bundle against the trust roots: who signed these bytes, when, and how that is proven.

Two kinds of signer: a certificate that was issued to a run of a workflow, and a key of the registry. Entries that
sigstore's verifier takes (`dsse 0.0.1` and `hashedrekord 0.0.2`, with proof and checkpoint) are verified by it; older
ones, those without proof, and all that a registry's key signed, by the layer in this package. What sigstore leaves to
its caller is checked for both: key ids, the binding of the log's entry, the checkpoint's size.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from pratique.model.trust import Claims
from pratique.releases.attestations import certificates, log
from pratique.releases.attestations.bundle import Bundle, for_sigstore
from pratique.releases.attestations.reasons import NotExamined, Rejected, shown
from pratique.releases.attestations.roots import ATTESTATIONS, Roots

_STOCK = ("dsse 0.0.1", "hashedrekord 0.0.2")
"""Kinds of log entries that sigstore's verifier takes for an envelope."""


class Signed(msgspec.Struct, frozen=True):
    """Who signed, and which path verified it. `at`: the proven time, seconds since the epoch; None: several are."""

    verified_by: str
    at: float | None
    keyid: str = ""
    claims: Claims | None = None


class _AnyIdentity:
    """A policy of sigstore that takes every certificate: claims are compared by our own policies, which are told."""

    def verify(self, cert: Any) -> None:
        """Take it."""


def verify(bundle: Bundle, roots: Roots) -> Signed:
    """Verify a bundle. Raises Rejected or NotExamined, and ModuleNotFoundError without the extra `trust`."""
    log.check_checkpoint(bundle.entry)
    return _by_key(bundle, roots) if bundle.hint else by_certificate(bundle, roots)


def _by_key(bundle: Bundle, roots: Roots) -> Signed:
    """Verify what a key of the registry signed."""
    if bundle.keyid != bundle.hint:
        raise Rejected("the signature names another key than the bundle")
    known = roots.registry_key(bundle.hint, ATTESTATIONS)
    if known is None:
        raise NotExamined(f"the key {shown(bundle.hint)} is not among those known of {roots.taken}")
    if not known.key.verifies(bundle.signature, bundle.signed):
        raise Rejected("the signature is not that of the registry's key")
    log.check_binding(bundle, known.key.der)
    if bundle.entry.time is None and bundle.timestamps:
        raise NotExamined("a registry's key with timestamps of an authority is a generation that is not known")
    moment = log.check_promise(bundle.entry, roots)
    _check_proof(bundle, roots)
    if not known.key.span.holds(moment):
        raise Rejected("the registry's key did not count at the time of the signature")
    return Signed("pratique", moment, bundle.hint)


def by_certificate(bundle: Bundle, roots: Roots, *, own: bool = False) -> Signed:
    """Verify what the holder of a certificate signed; with `own`, by our own layer even where sigstore could."""
    if bundle.keyid:
        raise Rejected("the signature names a key although a certificate signed")
    certificate = certificates.load(bundle.certificate)
    log.check_binding(bundle, bundle.certificate)
    proof = bundle.entry.proof
    if not own and bundle.entry.name in _STOCK and proof is not None and proof.checkpoint:
        with contextlib.suppress(ModuleNotFoundError):
            return _by_sigstore(bundle, certificate, roots)
    certificates.check_signature(certificate, bundle.signature, bundle.signed)
    if bundle.entry.time is None and bundle.timestamps:
        raise NotExamined("timestamps of an authority are verified by sigstore, which is not there or does not take it")
    moment = log.check_promise(bundle.entry, roots)
    _check_proof(bundle, roots)
    certificates.check_certificate(certificate, moment, roots)
    return Signed("pratique", moment, claims=certificates.claims_of(certificate))


def _check_proof(bundle: Bundle, roots: Roots) -> None:
    """Verify the proof of inclusion; one without a checkpoint, as bundles 0.1 may carry, proves nothing and is left."""
    proof = bundle.entry.proof
    if proof is not None and (proof.checkpoint or bundle.generation != "0.1"):
        log.check_inclusion(bundle.entry, roots)


def _by_sigstore(bundle: Bundle, certificate: Any, roots: Roots) -> Signed:
    """Verify by sigstore's own verifier. Raises Rejected with its reason."""
    from sigstore.models import Bundle as Stock

    return stock_verified(
        bundle, certificate, roots, lambda: Stock.from_json(msgspec.json.encode(for_sigstore(bundle)))
    )


def stock_verified(bundle: Bundle, certificate: Any, roots: Roots, made: Any, by: str = "sigstore") -> Signed:
    """Hand a bundle, made by `made`, to sigstore's verifier. Raises Rejected, NotExamined, ModuleNotFoundError."""
    try:
        stock = made()
        kind, payload = roots.sigstore_verifier.verify_dsse(stock, _AnyIdentity())
    except ModuleNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001  # a foreign verifier on foreign bytes: whatever it raises, it is no yes
        raise Rejected(f"sigstore refuses it: {shown(error) or type(error).__name__}") from None
    if payload != bundle.payload or kind != "application/vnd.in-toto+json":
        raise Rejected("sigstore read another payload than the one that is judged")
    moment = float(bundle.entry.time) if bundle.entry.time is not None and bundle.entry.promise else None
    if moment is None:
        moment = _stamped(stock)
    return Signed(by, moment, claims=certificates.claims_of(certificate))


def _stamped(stock: Any) -> float | None:
    """The time of a bundle's only timestamp, which sigstore verified then; None where there are several."""
    found = stock.verification_material.timestamp_verification_data
    stamps = found.rfc3161_timestamps if found is not None else []
    return float(stamps[0].tst_info.gen_time.timestamp()) if len(stamps) == 1 else None

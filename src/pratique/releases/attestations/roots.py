"""Trust roots: authorities, logs and registry keys, each with the time in which it counts.

They come as two documents. The first is a trusted root of Sigstore (`trustedroot+json;version=0.1`), the second the
list of a registry's keys as the same repository of The Update Framework delegates it. Both stand in `roots/known.json`
beside this module, with their source and date.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
from typing import Any

import msgspec

from pratique.model.errors import ConfigurationError
from pratique.releases.attestations.bundle import decoded, unbase64
from pratique.releases.attestations.reasons import NotExamined, Rejected

TRUSTED_ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
SIGNATURES = "npm:signatures"
ATTESTATIONS = "npm:attestations"


class Span(msgspec.Struct, frozen=True):
    """From when until when something counts, in seconds since the epoch; None: without end."""

    start: float
    end: float | None = None

    def holds(self, moment: float) -> bool:
        """Whether a moment lies within."""
        return self.start <= moment and (self.end is None or moment <= self.end)


class PublicKey:
    """A public key (ECDSA or Ed25519). `der` is its SubjectPublicKeyInfo; the key itself is made when first used."""

    __slots__ = ("__dict__", "der", "details", "span")

    def __init__(self, der: bytes, details: str, span: Span) -> None:
        self.der = der
        self.details = details
        self.span = span

    @functools.cached_property
    def _key(self) -> Any:
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        try:
            return load_der_public_key(self.der)
        except Exception as error:  # noqa: BLE001  # the library names no bound on what it raises for a foreign key
            raise NotExamined(f"a key of the trust roots cannot be read: {type(error).__name__}") from None

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether a signature over a message is this key's. Raises NotExamined for a kind of key that is not known."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519

        key = self._key
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, message, digest_for(key))
            elif isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, message)
            else:
                raise NotExamined(f"a key of the trust roots is of a kind that is not verified: {self.details[:60]}")
        except InvalidSignature:
            return False
        return True


def digest_for(key: Any) -> Any:
    """The scheme of ECDSA that goes with the curve of a key: SHA-256, 384 or 512."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    size = key.curve.key_size
    return ec.ECDSA(hashes.SHA256() if size <= 256 else hashes.SHA384() if size <= 384 else hashes.SHA512())


class Authority(msgspec.Struct, frozen=True):
    """An authority for certificates: its certificates in DER, the root last."""

    chain: tuple[bytes, ...]
    span: Span


class RegistryKey(msgspec.Struct, frozen=True):
    """A key of a registry and what it may sign: `npm:signatures` or `npm:attestations`."""

    keyid: str
    usage: str
    key: PublicKey


class Roots:
    """All that is trusted. `logs` and `certificate_logs` map the id of a log (32 bytes) to its key."""

    def __init__(self, document: bytes, keys: bytes, *, source: str, taken: str, remark: str = "") -> None:
        """Read a trusted root and a list of registry keys (either may be empty). Raises ConfigurationError."""
        self.document = document
        self.source = source
        self.taken = taken
        self.remark = remark
        self.sha256 = hashlib.sha256(document + b"\0" + keys).hexdigest()
        self.logs: dict[bytes, PublicKey] = {}
        self.certificate_logs: dict[bytes, PublicKey] = {}
        self.authorities: tuple[Authority, ...] = ()
        self.registry_keys: tuple[RegistryKey, ...] = ()
        try:
            if document:
                self._root(decoded(document))
            if keys:
                self.registry_keys = tuple(_registry_keys(decoded(keys)))
        except (Rejected, NotExamined) as error:
            raise ConfigurationError(f"is no trust root: {error}", where=source) from None
        self._by_id = {(item.keyid, item.usage): item for item in self.registry_keys}

    def registry_key(self, keyid: str, usage: str) -> RegistryKey | None:
        """The key of a registry by its id, for one usage."""
        return self._by_id.get((keyid, usage))

    def _root(self, document: Any) -> None:
        if not isinstance(document, dict) or document.get("mediaType") != TRUSTED_ROOT:
            raise Rejected("its media type is not the one of a trusted root")
        self.logs = dict(_logs(document.get("tlogs")))
        self.certificate_logs = dict(_logs(document.get("ctlogs")))
        self.authorities = tuple(_authority(item) for item in _list(document.get("certificateAuthorities")))

    @functools.cached_property
    def sigstore_verifier(self) -> Any:
        """sigstore's own verifier over the same trusted root. Raises what sigstore raises."""
        from sigstore.models import TrustedRoot
        from sigstore.verify import Verifier
        from sigstore_models.trustroot.v1 import TrustedRoot as Inner

        return Verifier(trusted_root=TrustedRoot(Inner.from_json(self.document)))

    @functools.cached_property
    def chains(self) -> list[tuple[Span, Any, list[Any]]]:
        """The authorities as `cryptography` takes them: when they count, a store with the root, what lies between."""
        from cryptography.x509 import load_der_x509_certificate
        from cryptography.x509.verification import Store

        found = []
        for authority in self.authorities:
            try:
                certificates = [load_der_x509_certificate(item) for item in authority.chain]
            except ValueError:
                raise NotExamined("a certificate of the trust roots cannot be read") from None
            found.append((authority.span, Store(certificates[-1:]), certificates[:-1]))
        return found


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Rejected("a list is expected where there is none")
    return value


def _logs(value: object) -> list[tuple[bytes, PublicKey]]:
    found = []
    for item in _list(value):
        try:
            identity = unbase64(item["logId"]["keyId"], "the id of a log")
            found.append((identity, _key(item["publicKey"])))
        except (KeyError, TypeError):
            raise Rejected("a log has no id or no key") from None
    return found


def _authority(item: Any) -> Authority:
    try:
        chain = tuple(
            unbase64(entry["rawBytes"], "a certificate of an authority") for entry in item["certChain"]["certificates"]
        )
        span = _span(item["validFor"])
    except (KeyError, TypeError):
        raise Rejected("an authority has no certificates or no time in which it counts") from None
    if not chain:
        raise Rejected("an authority has no certificates")
    return Authority(chain, span)


def _registry_keys(document: Any) -> list[RegistryKey]:
    found = []
    for item in _list(document.get("keys") if isinstance(document, dict) else None):
        try:
            key = RegistryKey(str(item["keyId"]), str(item["keyUsage"]), _key(item["publicKey"]))
        except (KeyError, TypeError):
            raise Rejected("a key of the registry has no id, usage or key") from None
        found.append(key)
    return found


def _key(part: Any) -> PublicKey:
    return PublicKey(
        unbase64(part["rawBytes"], "a key"), str(part.get("keyDetails", "")), _span(part.get("validFor") or {})
    )


def _span(part: Any) -> Span:
    start, end = part.get("start"), part.get("end")
    return Span(_moment(start) if start else 0.0, _moment(end) if end else None)


def _moment(text: Any) -> float:
    try:
        value = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Rejected("a time is no ISO 8601 time") from None
    return (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).timestamp()

"""Recompute a case, offline: chain, marks, evidence, seals and their signatures; name what disagrees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from pratique.adapters import signing
from pratique.casefile import seal as seals
from pratique.casefile.case import Case
from pratique.casefile.examine import Disagreement, Examined, SealFound, examine, sort
from pratique.workflow.case_seal import bundle_signature, signing_key_of

PROOF = "pratique.case-proof/1"


class SealProof(msgspec.Struct, frozen=True, kw_only=True):
    """One seal: what it covers, who made it, and how far that is proven."""

    entry: int
    covers: int
    """Number of the last entry that it covers."""
    kind: str
    signer: str
    """Fingerprint of the key; of a bundle of Sigstore, whom its certificate names."""
    signature: Literal["good", "bad"]
    trusted: bool
    """Whether the key is one that was named, or this machine's own."""


class CaseProof(msgspec.Struct, frozen=True, kw_only=True):
    """What was recomputed of a case, and what disagrees."""

    schema: str
    id: str
    folder: str
    entries: int
    head: str
    """Digest of the last entry."""
    evidence: int
    octets: int
    """Bytes of evidence that were decrypted and compared."""
    seals: tuple[SealProof, ...]
    sealed_to: int
    """Number of the last entry that a good seal of a trusted signer covers."""
    disagreements: tuple[Disagreement, ...]
    """In order of entry: the first one is where the case stops being what was written."""
    not_verified: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 everything agrees · 4 what could be verified agrees · 5 something disagrees."""
        if self.disagreements:
            return 5
        return 4 if self.not_verified else 0


def verify_case(case: Case, *, trusted: Sequence[Path] = (), head: str | None = None, blobs: bool = True) -> CaseProof:
    """Recompute a case. Uses no network and starts nothing.

    `trusted` names files with public keys of SSH, or allowed signers: a seal of one of them must be there. `head` is a
    digest that was noted elsewhere: an entry must have it. Without `blobs` the bytes of evidence are left out. Raises
    CaseError where the journal cannot be read, ConfigurationError for a file without keys.
    """
    named: set[bytes] = set()
    notes: list[str] = []
    for path in trusted:
        keys, remarks = signing.trusted(path)
        named |= keys
        notes += remarks
    found: Examined = examine(case, blobs=blobs)
    own = signing.public_of(signing_key_of(case))
    proofs = [_seal(item, frozenset(named), own, found) for item in found.seals]
    sealed_to = max((item.covers for item in proofs if item.signature == "good" and item.trusted), default=0)
    for item in proofs:
        if item.signature == "good" and not item.trusted and item.kind != "sigstore":
            text = f"entry {item.entry}: whose key {item.signer} is: no trusted key names it"
            (found.not_verified if item.covers > sealed_to else found.notes).append(text)
    if named and sealed_to == 0:
        found.disagreements.append(Disagreement(0, "seal", "there is no good seal of a signer that was named"))
    if not proofs:
        found.notes.append("the case is not sealed")
    elif sealed_to > 0 and found.entries > proofs[-1].entry:
        found.notes.append(
            f"entries after {sealed_to} are covered by no seal; the last seal is entry {proofs[-1].entry}"
        )
    if head is not None and head not in found.digests.values():
        found.disagreements.append(Disagreement(0, "head", f"no entry has the digest {head[:80]}"))
    sort(found.disagreements)
    return CaseProof(
        schema=PROOF,
        id=found.case,
        folder=found.folder,
        entries=found.entries,
        head=found.head,
        evidence=found.evidence,
        octets=found.octets,
        seals=tuple(proofs),
        sealed_to=sealed_to,
        disagreements=tuple(found.disagreements),
        not_verified=tuple(found.not_verified),
        notes=(*notes, *found.notes),
    )


def _seal(item: SealFound, named: frozenset[bytes], own: str | None, found: Examined) -> SealProof:
    """Check the signature of a seal, and note what is wrong with it or was not proven."""
    seal = item.seal
    wrong = item.wrong
    trusted = False
    if seal.kind == "sigstore":
        problem, who = bundle_signature(seal)
        wrong = wrong or problem
        found.not_verified.append(
            f"entry {item.entry}: whether the certificate for {who or 'nobody'} is real and its log entry exists: "
            "ask cosign, see the reference page of cases"
        )
    else:
        who = signing.fingerprint(seal.public)
        message = seals.encoded(seal.envelope.payloadType, seal.envelope.content())
        signature = seals.unbase64(seal.envelope.signatures[0].sig) if seal.envelope.signatures else b""
        wrong = wrong or signing.verify(seal.kind, seal.public, message, signature)
        is_own = own is not None and own.split()[:2] == seal.public.split()[:2]
        trusted = signing.is_trusted(seal.public, named) or (is_own and not named)
    if wrong:
        found.disagreements.append(Disagreement(item.entry, "seal", wrong))
    return SealProof(
        entry=item.entry,
        covers=seal.number,
        kind=seal.kind,
        signer=who,
        signature="bad" if wrong else "good",
        trusted=trusted and not wrong,
    )

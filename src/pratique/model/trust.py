"""What proves where a release came from: signatures of a registry, attestations, and how far each was verified.

Everything here is one-sided. An attestation that verifies says which workflow or registry vouched for these bytes; it
says nothing about what the bytes do. One that is rejected, or lost, is a reason to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from pratique.model.observation import Refusal
from pratique.model.release import State

TRUST_SCHEMA = "pratique.trust/1"

Outcome = Literal["verified", "rejected", "not-examined"]


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a certificate states of the run that it was issued to, as its authority checked it; empty: not stated.

    Every value is out of the verified certificate, none out of a predicate. `workflow` is the path of the workflow
    file in the repository, `runner` is `github-hosted` or `self-hosted`, `identity` the certificate's subject.
    """

    issuer: str = ""
    repository: str = ""
    repository_id: str = ""
    owner_id: str = ""
    workflow: str = ""
    ref: str = ""
    commit: str = ""
    runner: str = ""
    trigger: str = ""
    run: str = ""
    identity: str = ""


class SignatureResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """One signature of a registry over `name@version:integrity`."""

    keyid: str
    outcome: Outcome
    reason: str = ""


class AttestationResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attestation. `predicate` is the signed predicate type where it verified, else the one that is stated outside.

    `verified_by` names the path: `sigstore`, `pypi-attestations and sigstore`, or `pratique` (for generations that
    sigstore's verifier does not take). `signed_at` is the time that the log or a timestamp proves, in seconds since the
    epoch. `compared` names what the signed digest was compared with: `integrity`, `archive`.
    """

    predicate: str
    outcome: Outcome
    reason: str = ""
    subject: str = ""
    """The file that it is about, of a Python release."""
    verified_by: str = ""
    bundle: str = ""
    entry: str = ""
    keyid: str = ""
    signed_at: float | None = None
    compared: tuple[str, ...] = ()
    claims: Claims | None = None


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A claim that is not as it was expected; `by` says who expected it: `policy`, or an earlier version."""

    claim: str
    expected: str
    found: str
    by: str


class PublisherChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version at which the publishing of a package changed: what it has now and what the one before had."""

    version: str
    published: float | None
    publisher: str = ""
    provenance: State = "unavailable"
    trusted_publisher: State = "unavailable"


class TrustResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that was verified of one release.

    `states` is what the record has: `signatures`, `provenance`, `trusted_publisher`, each present, absent or
    unavailable. `lost` names what `predecessor`, the nearest lower version, had and this one has not. `compared_with`
    is the earlier version whose verified certificate the claims were compared with. `history` holds the versions at
    which the way of publishing changed, the newest last.
    """

    purl: str
    ecosystem: Literal["npm", "PyPI"]
    name: str
    version: str
    sources: tuple[str, ...]
    published: float | None = None
    integrity: str = ""
    states: Mapping[str, State] = {}
    publisher: str = ""
    signatures: tuple[SignatureResult, ...] = ()
    attestations: tuple[AttestationResult, ...] = ()
    differences: tuple[Difference, ...] = ()
    compared_with: str = ""
    predecessor: str = ""
    lost: tuple[str, ...] = ()
    history: tuple[PublisherChange, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def alarming(self) -> bool:
        """Whether something that the version before had is lost, or its certificate claims something else."""
        return bool(self.lost) or any(item.by != "policy" for item in self.differences)

    @property
    def outcome(self) -> Outcome | None:
        """The worst of all parts; None where there was nothing to verify."""
        parts = {item.outcome for item in self.signatures} | {item.outcome for item in self.attestations}
        if "rejected" in parts or any(item.by == "policy" for item in self.differences):
            return "rejected"
        if "not-examined" in parts or any(refusal.relevant for refusal in self.refusals):
            return "not-examined"
        return "verified" if parts else None


class RootState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which trust roots and keys were used: `source` in words, `taken` as a date, `sha256` over both documents."""

    source: str
    taken: str
    sha256: str
    remark: str = ""


class LockfileTrust(msgspec.Struct, frozen=True, omit_defaults=True):
    """The signatures of all packages that a lockfile resolves. `results` holds those that did not verify."""

    path: str
    packages: int = 0
    verified: int = 0
    unsigned: int = 0
    results: tuple[TrustResult, ...] = ()
    refusals: tuple[Refusal, ...] = ()


class TrustReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `trust` gives: one result per release, in order, and what could not be examined at all."""

    schema: str
    version: str
    generated: str
    command: tuple[str, ...]
    roots: RootState
    results: tuple[TrustResult, ...]
    lockfiles: tuple[LockfileTrust, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def every(self) -> tuple[TrustResult, ...]:
        """All results, those of lockfiles among them."""
        return (*self.results, *(one for lockfile in self.lockfiles for one in lockfile.results))

    @property
    def exit_code(self) -> int:
        """0 verified, or nothing to verify · 12 lost or changed · 13 rejected · 4 something was not examined."""
        outcomes = {result.outcome for result in self.every}
        if "rejected" in outcomes:
            return 13
        if any(result.alarming for result in self.every):
            return 12
        refusals = [*self.refusals, *(one for lockfile in self.lockfiles for one in lockfile.refusals)]
        if "not-examined" in outcomes or any(refusal.relevant for refusal in refusals):
            return 4
        return 0


class TrustUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `reason` says why nothing was changed, empty where it was renewed or is current."""

    repository: str
    folder: str
    changed: bool = False
    version: int = 0
    logs: int = 0
    authorities: int = 0
    registry_keys: int = 0
    remarks: tuple[str, ...] = ()
    reason: str = ""

    @property
    def exit_code(self) -> int:
        """0 renewed or current · 4 refused, and nothing was changed."""
        return 4 if self.reason else 0

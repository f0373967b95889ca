"""The registry's signatures of every package that a lockfile resolves, over the integrity that the lockfile demands."""

from __future__ import annotations

import os

import msgspec

from pratique.ecosystems.references import release_purl
from pratique.model.errors import UsageError
from pratique.model.observation import ComponentFact, Refusal
from pratique.model.ports import Interest, Options
from pratique.model.trust import LockfileTrust, SignatureResult, TrustResult
from pratique.releases.attestations.roots import Roots
from pratique.releases.attestations.signatures import verify_signatures
from pratique.releases.attestations.statement import sha512_of
from pratique.workflow.surroundings import Surroundings
from pratique.workflow.sweep import stream
from pratique.workflow.trust_records import Records, Signed

READER = "trust"


def verify_lockfile(path: str, around: Surroundings, roots: Roots) -> LockfileTrust:
    """Verify the signature of every package of npm that a lockfile resolves out of a registry.

    The signature is made over the integrity that the record states; where the lockfile demands another one, that is
    rejected. Packages of other ecosystems carry no signatures of an index and are counted in a refusal. Raises
    UsageError where no reader knows the file.
    """
    wanted, others, refusals, known = _resolved(path)
    if not known:
        raise UsageError(
            "is no lockfile that is known here",
            where=path,
            advice="Keep its name, such as package-lock.json: the name says the format",
        )
    if others:
        reason = f"{others} packages come from elsewhere than a registry of npm; these carry no signature of it"
        refusals.append(Refusal(path, READER, reason, False))
    records = Records(around)
    records.ready({name for name, _ in wanted})
    verified = unsigned = 0
    failed: list[TrustResult] = []
    for (name, version), demanded in sorted(wanted.items()):
        found = records.signed(name, version)
        if isinstance(found, str):
            refusals.append(Refusal(f"{name}@{version}", READER, found[:500], True, names=(name,)))
            continue
        signatures = _verified(name, version, found, demanded, roots)
        if not signatures:
            unsigned += 1
            reason = "the record states no signature"
            refusals.append(Refusal(f"{name}@{version}", READER, reason, True, names=(name,)))
        elif all(item.outcome == "verified" for item in signatures):
            verified += 1
        else:
            failed.append(
                TrustResult(
                    release_purl("npm", name, version),
                    "npm",
                    name,
                    version,
                    (found.source,),
                    published=found.published,
                    integrity=str(found.integrity)[:200],
                    signatures=signatures,
                )
            )
    return LockfileTrust(path, len(wanted), verified, unsigned, tuple(failed), tuple(refusals))


def _verified(name: str, version: str, record: Signed, demanded: str, roots: Roots) -> tuple[SignatureResult, ...]:
    """The signatures over what the record states, held to what the lockfile demands."""
    found = verify_signatures(name, version, record.integrity, record.signatures, record.published, roots)
    if demanded and sha512_of(record.integrity) not in ("", demanded):
        reason = "the lockfile demands another integrity than the record that is signed"
        return tuple(SignatureResult(item.keyid, "rejected", reason) for item in found) or (
            SignatureResult("", "rejected", reason),
        )
    return found


def _resolved(path: str) -> tuple[dict[tuple[str, str], str], int, list[Refusal], bool]:
    """Packages of npm with the SHA-512 that is demanded (empty: none), how many others, refusals, and whether known."""
    if not os.path.isfile(path):
        raise UsageError("is no file", where=path, advice="Name a lockfile")
    wanted: dict[tuple[str, str], str] = {}
    others: set[tuple[str, str, str]] = set()
    refusals: list[Refusal] = []
    known = False
    for item in stream("lockfile:", os.path.abspath(path), Interest({}, everything=True), Options(names=None)):
        known = True
        if isinstance(item, Refusal):
            refusals.append(msgspec.structs.replace(item, path=path, target=""))
            continue
        fact = item.facts
        if not isinstance(fact, ComponentFact) or fact.depth != "resolved":
            continue
        if fact.ecosystem != "npm" or fact.bundled or fact.origin not in ("registry", "unknown"):
            if fact.origin not in ("link", "workspace", "file") and not fact.bundled:
                others.add((fact.ecosystem, fact.name, fact.version))
            continue
        digest = sha512_of(" ".join(fact.integrity))
        key = (fact.name, fact.version)
        wanted[key] = wanted.get(key) or digest
    return wanted, len(others), refusals, known

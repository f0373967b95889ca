"""What a verification tells the rules: only what is wrong or changed, for what is right proves nothing."""

from __future__ import annotations

from pratique.model.inert import one_line, printable
from pratique.model.release import Fact, Value
from pratique.model.trust import TrustResult
from pratique.releases.attestations.policy import POLICY
from pratique.releases.attestations.statement import PUBLISH

_DENIED = (
    "the signature is not that of ",
    "the signed digest is not that of ",
    "the statement is about ",
    "the predicate is about another ",
    "the log entry is about another ",
    "the log entry names another ",
    "the promise is not signed by the log",
    "the checkpoint is not signed by the log",
    "the entry is not in the log's tree",
    "the certificate's timestamp is not signed by ",
    "the certificate was issued to ",
)
"""How reasons begin where a key that is known, or what was signed itself, denies what the record states.

Any other reason may have a plain cause: a record that gives another time, a form or an authority newer than the roots.
"""


def trust_facts(result: TrustResult) -> tuple[Fact, ...]:
    """The facts of one verified release: `trust.invalid` and `trust.changed`, each of the record as a whole.

    What was lost is no fact of these: the record alone tells it (`trust.lost` of `registry_facts`). A part that was not
    examined gives no fact: it is among the refusals of whoever asked.
    """
    found = [
        _fact("trust.invalid", f"signature: {one.reason}", **_denial("signature", one.reason, one.keyid))
        for one in result.signatures
        if one.outcome == "rejected"
    ]
    for attestation in result.attestations:
        if attestation.outcome == "rejected":
            what = "publication" if attestation.predicate == PUBLISH else "attestation"
            told = _denial(what, attestation.reason, attestation.keyid)
            found.append(_fact("trust.invalid", f"{what}: {attestation.reason}", **told))
    for one in result.differences:
        if one.by != POLICY:
            text = f"{one.claim}: {one.found}, in {one.by} {one.expected}"
            attributes = {"claim": one.claim, "value": one.found, "previous": one.expected, "version": one.by}
            found.append(_fact("trust.changed", text, **attributes))
    return tuple(found)


def _denial(what: str, reason: str, keyid: str) -> dict[str, Value]:
    return {"what": what, "reason": reason, "keyid": keyid, "proof": reason.startswith(_DENIED)}


def _fact(kind: str, text: str, **attributes: Value) -> Fact:
    told = {name: printable(value)[:400] if isinstance(value, str) else value for name, value in attributes.items()}
    return Fact(kind, excerpt=one_line(printable(text[:400]))[:200], attributes=told)

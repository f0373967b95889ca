"""What a verification tells the rules: only what is wrong or changed, for what is right proves nothing."""

from __future__ import annotations

from pratique.model.inert import one_line, printable
from pratique.model.release import Fact, Value
from pratique.model.trust import TrustResult
from pratique.releases.attestations.policy import POLICY
from pratique.releases.attestations.statement import PUBLISH


def trust_facts(result: TrustResult) -> tuple[Fact, ...]:
    """The facts of one verified release: `trust.invalid` and `trust.changed`, each of the record as a whole.

    What was lost is no fact of these: the record alone tells it (`trust.lost` of `registry_facts`). A part that was not
    examined gives no fact: it is among the refusals of whoever asked.
    """
    found = [
        _fact("trust.invalid", f"signature: {one.reason}", what="signature", reason=one.reason, keyid=one.keyid)
        for one in result.signatures
        if one.outcome == "rejected"
    ]
    for attestation in result.attestations:
        if attestation.outcome == "rejected":
            what = "publication" if attestation.predicate == PUBLISH else "attestation"
            found.append(
                _fact(
                    "trust.invalid",
                    f"{what}: {attestation.reason}",
                    what=what,
                    reason=attestation.reason,
                    keyid=attestation.keyid,
                )
            )
    for one in result.differences:
        if one.by != POLICY:
            text = f"{one.claim}: {one.found}, in {one.by} {one.expected}"
            attributes = {"claim": one.claim, "value": one.found, "previous": one.expected, "version": one.by}
            found.append(_fact("trust.changed", text, **attributes))
    return tuple(found)


def _fact(kind: str, text: str, **attributes: Value) -> Fact:
    told = {name: printable(value)[:400] if isinstance(value, str) else value for name, value in attributes.items()}
    return Fact(kind, excerpt=one_line(printable(text[:400]))[:200], attributes=told)

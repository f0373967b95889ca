"""Who is expected to have signed: claims that a person names, or that an earlier release had.

Claims are those of a verified certificate. A repository may be given as its address, or as `owner/name` on GitHub; a
workflow as its path in the repository, or as the name of its file; any value may hold `*` for any text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pratique.model.errors import UsageError
from pratique.model.trust import AttestationResult, Claims, Difference

CLAIMS = (
    "issuer",
    "repository",
    "workflow",
    "ref",
    "commit",
    "runner",
    "trigger",
    "identity",
    "repository_id",
    "owner_id",
)
KEPT = ("issuer", "repository", "repository_id", "owner_id", "workflow", "runner")
"""Claims that releases of one package usually share."""
POLICY = "policy"
_GITHUB = "https://github.com/"


def expectations(texts: Sequence[str]) -> dict[str, str]:
    """What texts of the form `claim=value`, several with commas between, expect. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        for part in text.split(","):
            claim, equals, value = (piece.strip() for piece in part.partition("="))
            claim = claim.replace("-", "_")
            if not equals or not value or claim not in CLAIMS:
                raise UsageError(
                    "expects nothing that a certificate claims",
                    where=f"--expect {part.strip()[:80]}",
                    advice=f"Write CLAIM=VALUE, CLAIM one of {', '.join(CLAIMS)}",
                )
            if claim in found:
                raise UsageError("expects two values", where=f"--expect {claim}", advice="Name each claim once")
            found[claim] = value
    return found


def against_policy(expected: Mapping[str, str], attestations: Sequence[AttestationResult]) -> tuple[Difference, ...]:
    """How the verified certificates differ from what is expected; each must have all of it.

    Where none was verified and none is left to be examined, every expectation fails.
    """
    if not expected:
        return ()
    verified = [item.claims for item in attestations if item.outcome == "verified" and item.claims is not None]
    if not verified:
        if any(item.outcome == "not-examined" for item in attestations):
            return ()
        return tuple(Difference(claim, value, "", POLICY) for claim, value in sorted(expected.items()))
    found = [
        Difference(claim, value, getattr(claims, claim), POLICY)
        for claims in verified
        for claim, value in sorted(expected.items())
        if not agrees(claim, value, getattr(claims, claim))
    ]
    return tuple(dict.fromkeys(found))


def agrees(claim: str, expected: str, found: str) -> bool:
    """Whether a claim is as expected."""
    if not found:
        return False
    if claim == "repository":
        if "://" not in expected and expected.count("/") == 1:
            expected = f"{_GITHUB}{expected}"
        return _matches(expected.rstrip("/").removesuffix(".git").lower(), found.lower())
    if claim == "workflow" and "/" not in expected and "://" not in found:
        found = found.rpartition("/")[2]
    return _matches(expected, found)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text, re.DOTALL) is not None


def against_earlier(now: Claims, before: Claims, version: str) -> tuple[Difference, ...]:
    """The claims that releases of one package usually share and that are not as an earlier version had them.

    A claim that either certificate does not make is left out: older certificates made fewer. Numbers of a repository
    and its owner stay where both were renamed.
    """
    same_place = bool(now.repository_id) and now.repository_id == before.repository_id
    found = []
    for claim in KEPT:
        new, old = getattr(now, claim), getattr(before, claim)
        if not new or not old or new == old:
            continue
        if claim == "repository" and (same_place or new.lower() == old.lower()):
            continue
        found.append(Difference(claim, old, new, version))
    return tuple(found)

"""What `trust` found, for people and as JSON (`pratique.trust/1`): what verified, what did not, and what it means."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Iterator

import msgspec

from pratique.model.observation import Refusal
from pratique.model.trust import (
    AttestationResult,
    LockfileTrust,
    PublisherChange,
    TrustReport,
    TrustResult,
    TrustUpdate,
)
from pratique.report.words import clip, count, inert_json, printable

WIDTH = 100
_MARGIN = 16
_SHOWN = 6
"""So many releases of a lockfile, and so many refusals, are shown one by one."""
_WORDS = {"verified": "verified", "rejected": "REJECTED", "not-examined": "not examined"}
_LOST = {"provenance": "provenance", "trusted_publisher": "a trusted publisher", "signatures": "signatures"}
MEANS = (
    "It tells who vouched for these bytes, not what they do: a workflow under attack signs too. What is rejected or "
    "lost is a reason to look."
)


def trust_lines(report: TrustReport, *, every: bool = False) -> Iterator[str]:
    """The lines, without line ends; with `every` all releases of a lockfile that did not verify, and every refusal."""
    first = True
    for result in report.results:
        if not first:
            yield ""
        yield from _result(result, every)
        first = False
    for lockfile in report.lockfiles:
        if not first:
            yield ""
        yield from _lockfile(lockfile, every)
        first = False
    if report.refusals:
        yield from _refusals(report.refusals, every)
    if report.results:
        yield from _row("MEANS", MEANS)
    roots = report.roots
    remark = f"; {roots.remark}" if roots.remark else ""
    yield from _row("TRUST ROOTS", f"{roots.source}, of {roots.taken}{remark}")


def headline(result: TrustResult) -> str:
    """One line for the whole: the worst of all parts, and the release."""
    words = {"verified": "VERIFIED", "rejected": "REJECTED", "not-examined": "NOT EXAMINED", None: "NOTHING TO VERIFY"}
    word = words[result.outcome]
    if result.alarming and result.outcome != "rejected":
        word = "LOST" if result.lost else "CHANGED"
    when = f", published {_day(result.published)}" if result.published is not None else ""
    by = f" by {result.publisher}" if result.publisher and result.published is not None else ""
    return printable(f"{word}  {result.name} {result.version} ({result.ecosystem}){when}{by}")


def _result(result: TrustResult, every: bool) -> Iterator[str]:
    yield clip(headline(result), WIDTH)
    for one in result.signatures:
        reason = f": {one.reason}" if one.reason else " over name, version and integrity"
        yield from _row("SIGNATURE", f"{_WORDS[one.outcome]}{reason}, key {clip(one.keyid, 20) or 'not named'}")
    if not result.signatures and result.ecosystem == "npm":
        yield from _row("SIGNATURE", _nothing(result, "signatures"))
    for attestation in result.attestations:
        yield from _attestation(attestation)
    if not result.attestations:
        yield from _row("ATTESTATION", _nothing(result, "provenance"))
    compared = {place for one in result.attestations for place in one.compared}
    if any(one.outcome == "verified" for one in result.attestations):
        stated = "the digest that the record states" if "integrity" in compared else ""
        archive = "the archive at hand" if "archive" in compared else ""
        missing = "" if archive else "; the archive itself was not at hand"
        yield from _row("COMPARED", f"with {' and '.join(filter(None, (stated, archive)))}{missing}")
    for what in result.lost:
        yield from _row("LOST", f"{_LOST[what]}, which {result.predecessor} before it had")
    for claim in result.differences:
        if claim.by == "policy":
            found = claim.found or "nothing that is verified"
            yield from _row("EXPECTED", f"{claim.claim} {claim.expected}, found {found}")
        else:
            yield from _row("CHANGED", f"{claim.claim}: {claim.found}, in {claim.by} {claim.expected}")
    if result.compared_with and not any(item.by == result.compared_with for item in result.differences):
        yield from _row("BEFORE", f"{result.compared_with} was vouched for by the same repository and workflow")
    if len(result.history) > 1:
        yield from _row("HISTORY", "; ".join(_change(item) for item in result.history[-4:]))
    yield from _refusals(result.refusals, every)


def _change(item: PublisherChange) -> str:
    parts = [item.publisher or "not stated"]
    if item.trusted_publisher == "present":
        parts.append("trusted publisher")
    parts.append("provenance" if item.provenance == "present" else "no provenance")
    if item.provenance == "unavailable":
        parts[-1] = "provenance not stated"
    return f"from {item.version} {', '.join(parts)}"


def _attestation(one: AttestationResult) -> Iterator[str]:
    label = "PUBLICATION" if "/publish/" in one.predicate else "PROVENANCE" if "/provenance/" in one.predicate else ""
    subject = f" {one.subject}" if one.subject else ""
    if one.outcome != "verified":
        yield from _row(label or "ATTESTATION", f"{_WORDS[one.outcome]}{subject}: {one.reason}")
        return
    when = f", logged {_day(one.signed_at, seconds=True)}" if one.signed_at is not None else ""
    if one.claims is None:
        yield from _row(label, f"verified{subject}, by the registry's key {clip(one.keyid, 20)}{when}")
        return
    claims = one.claims
    place = ", ".join(part for part in (claims.repository or claims.identity, claims.workflow) if part)
    at = f" at {claims.ref}" if claims.ref else ""
    yield from _row(label or "ATTESTATION", f"verified{subject} by {one.verified_by}: {place}{at}")
    further = [f"commit {claims.commit[:12]}" if claims.commit else "", claims.runner, f"issuer {claims.issuer}"]
    yield from _row("", f"{', '.join(part for part in further if part)}{when}")


def _nothing(result: TrustResult, what: str) -> str:
    state = result.states.get(what, "unavailable")
    if state == "absent":
        return "none: the record states none, and states some for other versions"
    if state == "present":
        return "stated, and not at hand"
    return "none that the record states for any version"


def _lockfile(found: LockfileTrust, every: bool) -> Iterator[str]:
    rejected = sum(one.outcome == "rejected" for one in found.results)
    missing = found.packages - found.verified - rejected
    word = (
        "REJECTED" if rejected else "NOT EXAMINED" if missing else "VERIFIED" if found.verified else "NOTHING TO VERIFY"
    )
    numbers = f"{found.verified} of {count(found.packages, 'package')} signed by the registry"
    yield clip(printable(f"{word}  {found.path}: {numbers}"), WIDTH)
    shown = found.results if every else found.results[:_SHOWN]
    for result in shown:
        reason = next((one.reason for one in result.signatures if one.outcome != "verified"), "")
        yield from _row(_WORDS[result.outcome or "not-examined"].upper(), f"{result.name} {result.version}: {reason}")
    if len(found.results) > len(shown):
        yield from _row("", f"{len(found.results) - len(shown)} more: --all")
    yield from _refusals(found.refusals, every)


def _refusals(refusals: tuple[Refusal, ...], every: bool) -> Iterator[str]:
    ordered = sorted(refusals, key=lambda one: not one.relevant)
    shown = ordered if every else ordered[:_SHOWN]
    for one in shown:
        yield from _row("NOT EXAMINED" if one.relevant else "NOTE", f"{one.path}: {one.reason}")
    if len(ordered) > len(shown):
        yield from _row("", f"{len(ordered) - len(shown)} more: --all")


def _row(label: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(printable(text), WIDTH - _MARGIN, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        yield f"  {label if number == 0 else '':<{_MARGIN - 2}}{line}"


def _day(moment: float | None, *, seconds: bool = False) -> str:
    if moment is None:
        return ""
    try:
        value = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    except (OverflowError, OSError, ValueError):
        return "at no time of a calendar"
    return value.strftime("%Y-%m-%dT%H:%M:%SZ" if seconds else "%Y-%m-%d")


class _Whole(msgspec.Struct, frozen=True):
    """The document: what the report holds, and what follows from it."""

    schema: str
    version: str
    generated: str
    command: tuple[str, ...]
    exit_code: int
    roots: object
    results: object
    lockfiles: object
    refusals: object


def trust_json(report: TrustReport) -> bytes:
    """The document, with a line end. Each result carries its `outcome`, null where there was nothing to verify."""
    whole = _Whole(
        schema=report.schema,
        version=report.version,
        generated=report.generated,
        command=report.command,
        exit_code=report.exit_code,
        roots=report.roots,
        results=[_with_outcome(one) for one in report.results],
        lockfiles=[
            {**msgspec.to_builtins(one), "results": [_with_outcome(inner) for inner in one.results]}
            for one in report.lockfiles
        ],
        refusals=report.refusals,
    )
    return inert_json(msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2)) + b"\n"


def _with_outcome(result: TrustResult) -> dict[str, object]:
    return {**msgspec.to_builtins(result), "outcome": result.outcome}


def update_lines(found: TrustUpdate) -> Iterator[str]:
    """What came of an update of trust roots, for people."""
    if found.reason:
        yield clip(printable(f"REFUSED  {found.repository}: nothing was changed"), WIDTH)
        yield from _row("BECAUSE", found.reason)
    else:
        word = "RENEWED" if found.changed else "CURRENT"
        yield clip(printable(f"{word}  {found.repository}, version {found.version}"), WIDTH)
        parts = (count(found.logs, "log"), count(found.authorities, "authority"), count(found.registry_keys, "key"))
        yield from _row("HOLDS", f"{parts[0]}, {parts[1]}, {parts[2]} of the registry")
    for remark in found.remarks:
        yield from _row("NOTE", remark)

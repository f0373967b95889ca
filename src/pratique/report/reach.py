"""The inventory of credentials for people, as Markdown and as JSON: names, places and times, never a value."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from pratique.model.credential import Credential, ReachReport
from pratique.report.words import inert_json, printable

WIDTH = 100
TIERS = {
    0: "Mints, publishes or controls an identity",
    1: "Production or cloud",
    2: "A single service",
    3: "Low, or needs a second factor",
}
_TAKEN = {
    "taken": "the incident took this class from victims",
    "targeted": "the incident's code looks for this class",
    "in-reach": "in reach of the incident's code",
}
_REACH = {
    "observed": "a record shows that it was read",
    "readable": "readable, and there in the window",
    "unknown-time": "readable; whether it was there in time is not known",
    "by-reference": "only through what it points to",
    "not-readable": "not readable by this account",
}
_STATE = {"present": "", "reference": "a reference", "store": "a store, not opened", "name": "name alone"}


def reach_json(report: ReachReport) -> bytes:
    """The inventory as JSON, one line at its end."""
    return inert_json(msgspec.json.format(msgspec.json.encode(report), indent=2)) + b"\n"


def headline(report: ReachReport) -> str:
    """The whole in one sentence."""
    count = len(report.credentials)
    first = sum(item.tier == 0 for item in report.credentials)
    what = f"{count} credential{'' if count == 1 else 's'} in reach of {printable(report.identity)}"
    rest = f", {first} of the first tier" if first else ""
    if report.complete:
        return (
            f"{what}{rest}" if count else f"nothing in reach of {printable(report.identity)} in the places of the table"
        )
    return f"{what}{rest}; {len(report.refusals)} could not be looked at"


def reach_lines(report: ReachReport, most: int | None = None) -> Iterator[str]:
    """The inventory for people, the most dangerous first; of those beyond `most` how many there are of each kind."""
    yield headline(report).upper() if not report.credentials else headline(report)
    for tier, title in TIERS.items():
        found = [item for item in report.credentials[:most] if item.tier == tier]
        if not found:
            continue
        yield ""
        yield f"TIER {tier}  {title}"
        for item in found:
            yield from _wrapped(f"  {_what(item)}  {printable(item.place)}  {printable(item.fact.field)}", "      ")
            yield from _wrapped(f"      {'; '.join(_about(item))}", "      ")
    if most is not None and len(report.credentials) > most:
        yield from _rest(report.credentials[most:])
    if report.refusals:
        yield ""
        yield "NOT LOOKED AT"
        for refusal in report.refusals[:most]:
            yield from _wrapped(f"  {printable(refusal.place)}: {refusal.reason} ({refusal.location})", "      ")
        more = len(report.refusals[:most]) - len(report.refusals)
        if more:
            yield f"  and {-more} more"
    yield ""
    for note in report.notes:
        yield from _wrapped(f"NOTE  {printable(note)}", "      ")
    for start, end in report.windows:
        yield f"WINDOW  {start} to {end or 'now'}"
    yield from _wrapped(
        f"SCOPE  {report.looked_at} places of table {report.catalogue} on {printable(report.host)}, {report.made}. "
        "A place that is not in the table was not looked at; that something is in reach does not say that it was read.",
        "       ",
    )


def _rest(credentials: Sequence[Credential]) -> Iterator[str]:
    """How many credentials of each kind are not shown."""
    yield ""
    yield f"AND {len(credentials)} MORE, none more dangerous than these: --all shows them, --output FILE keeps them"
    for tier in TIERS:
        kinds = Counter(_what(item) for item in credentials if item.tier == tier)
        if kinds:
            counts = ", ".join(f"{printable(kind)} {count}" for kind, count in kinds.most_common())
            yield from _wrapped(f"  tier {tier}: {counts}", "      ")


def reach_markdown(report: ReachReport) -> Iterator[str]:
    """The inventory as a checklist in Markdown."""
    yield "# What could be reached"
    yield ""
    yield f"{_cell(headline(report))}. Looked at {report.made} on {_cell(report.host)}."
    for tier, title in TIERS.items():
        found = [item for item in report.credentials if item.tier == tier]
        if not found:
            continue
        yield ""
        yield f"## Tier {tier}: {title}"
        yield ""
        yield "| | What | Where | Field | About |"
        yield "|---|---|---|---|---|"
        for item in found:
            cells = (_what(item), item.place, item.fact.field, "; ".join(_about(item)))
            yield f"| ☐ | {' | '.join(_cell(cell) for cell in cells)} |"
    if report.refusals:
        yield ""
        yield "## Not looked at"
        yield ""
        for refusal in report.refusals:
            yield f"- {_cell(refusal.place)}: {refusal.reason} ({_cell(refusal.location)})"
    if report.notes:
        yield ""
        yield "## Notes"
        yield ""
        for note in report.notes:
            yield f"- {_cell(note)}"


def _what(item: Credential) -> str:
    kind = item.fact.kind or item.secret
    return f"{item.provider} {kind}".strip() if kind else item.provider


def _about(item: Credential) -> Iterator[str]:
    """What is known of one credential, in the order in which it helps."""
    fact = item.fact
    for name, value in fact.identity:
        yield f"{printable(name)} {printable(value)}"
    if fact.scopes == ("not stated",):
        yield "permissions not stated"
    elif fact.scopes:
        yield f"may {', '.join(printable(scope) for scope in fact.scopes)}"
    if _STATE[fact.state]:
        yield _STATE[fact.state]
    if fact.protection != "unknown":
        yield fact.protection
    if item.mode is not None:
        yield f"mode {item.mode}{', others can read it' if item.others_can_read else ''}"
    if item.tracked:
        yield "recorded in a git checkout"
    if fact.created:
        yield f"made {fact.created}"
    if item.modified:
        yield f"file changed {item.modified}"
    if fact.expires:
        yield f"expires {fact.expires}"
    yield _REACH[item.reach] if item.in_window is not False else "made after the window"
    if item.taken is not None:
        yield _TAKEN[item.taken]
    if item.same_as:
        yield f"the same value as {', '.join(item.same_as)}"
    yield f"id {item.id}"


def _wrapped(text: str, indent: str) -> Iterator[str]:
    first = text[: len(text) - len(text.lstrip())]
    yield from textwrap.wrap(
        text.strip(),
        WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [text]


def _cell(text: str) -> str:
    """Text that is no Markdown."""
    plain = printable(text)
    for char in "\\`*_[]<>|#&":
        plain = plain.replace(char, f"&#{ord(char)};" if char in "<>&|" else f"\\{char}")
    return plain

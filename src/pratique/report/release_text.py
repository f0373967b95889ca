"""The judgement of releases for a terminal: the level, the chain of evidence in words, what was not examined."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

from pratique.model.observation import Refusal
from pratique.model.release import LEVELS, Fact, Finding, Inspection, Judgement, ReleaseReport, Transition
from pratique.report.words import clip, count, one_line, printable

WIDTH = 100
MEANING = {
    "none": "nothing found in what was examined",
    "note": "unusual, not alarming",
    "review": "have a person read it before it is used",
    "block": "do not install it",
}
_EXCERPTS = 2
"""So many facts of a finding are shown with what stands there."""
_MEASURED = 3.4
"""Decades that a corpus of some thousand ordinary releases can tell; what is more is told as more."""
_ALSO = 3
"""So many findings that the chain does not need are shown."""
_SHOWN = 6
"""So many refusals are shown one by one."""


def release_lines(report: ReleaseReport, *, every: bool = False) -> Iterator[str]:
    """The lines, without line ends; with `every` also releases at which nothing was found, and every refusal."""
    inspections = sorted(report.inspections, key=lambda one: -LEVELS.index(one.judgement.level))
    if len(inspections) != 1:
        yield _summary(report)
    quiet = 0
    for inspection in inspections:
        judgement = inspection.judgement
        if len(inspections) > 1 and not every and judgement.level == "none" and judgement.complete:
            quiet += 1
            continue
        if len(inspections) > 1:
            yield ""
        yield from _inspection(inspection, every)
    if quiet:
        yield ""
        yield f"{count(quiet, 'release')} more: {MEANING['none']}"
    if report.refusals:
        yield ""
        yield from _refusals(report.refusals, every)


def _summary(report: ReleaseReport) -> str:
    counts = Counter(one.judgement.level for one in report.inspections)
    parts = [f"{counts[level]} {level}" for level in reversed(LEVELS) if counts[level]]
    return (
        f"{report.level.upper()}  {count(len(report.inspections), 'release')}: {', '.join(parts) or 'none inspected'}"
    )


def release_of(purl: str) -> str:
    """A purl as people write it: `axios 1.14.1`."""
    name, _, version = unquote(purl.partition("/")[2]).rpartition("@")
    return printable(f"{name} {version}".strip())


def heading(inspection: Inspection) -> str:
    """Level, release, what it follows, and what that step is."""
    judgement, transition = inspection.judgement, inspection.transition
    follows = release_of(judgement.predecessor).rpartition(" ")[2] if judgement.predecessor else ""
    kind = "" if transition.kind in ("unknown", "first") else f", {transition.kind}"
    after = f"after {follows}{kind}" if follows else "compared with nothing"
    return f"{judgement.level.upper()}  {release_of(judgement.purl)} ({transition.examination.ecosystem}), {after}"


def chain_of(judgement: Judgement) -> tuple[Finding, ...]:
    """The findings that the chain tells, in its order."""
    by_words = {finding.words: finding for finding in reversed(judgement.findings)}
    return tuple(by_words[words] for words in judgement.chain if words in by_words)


def place(purl: str, fact: Fact, own: str) -> str:
    """Where a fact is: file and line, before it the release where that is another."""
    where = f"{fact.path}:{fact.line}" if fact.line else fact.path or "registry"
    return printable(where if purl == own else f"{release_of(purl)}  {where}")


def _inspection(inspection: Inspection, every: bool) -> Iterator[str]:
    judgement = inspection.judgement
    yield heading(inspection)
    yield f"  {MEANING[judgement.level]}"
    chain = chain_of(judgement)
    for number, finding in enumerate(chain, 1):
        yield ""
        yield from _wrapped(f"{number:>3}. {printable(finding.words)}", "     ")
        yield from _evidence(finding, judgement.purl)
    rest = [finding for finding in judgement.findings if finding not in chain]
    if rest:
        yield ""
        yield "ALSO SEEN"
        shown = rest if every else rest[:_ALSO]
        for finding in shown:
            yield from _wrapped(f"  {printable(finding.words)}", "    ")
        if len(rest) > len(shown):
            yield f"  and {len(rest) - len(shown)} more (--all)"
    yield ""
    yield from _wrapped(_examined(inspection.transition), "          ")
    if judgement.rarity and not any(finding.floor == judgement.level for finding in chain):
        share = f"about one ordinary release in {round(10**judgement.rarity):,} looks like this by itself"
        beyond = "rarer than the ordinary releases that were measured can tell"
        yield from _wrapped(f"RARITY    {share if judgement.rarity <= _MEASURED else beyond}", "          ")
    if judgement.refusals:
        yield from _refusals(judgement.refusals, every)


def _evidence(finding: Finding, own: str) -> Iterator[str]:
    for purl, fact in finding.facts[:_EXCERPTS]:
        yield f"       {clip(place(purl, fact, own), WIDTH - 7)}"
        excerpt = fact.attributes.get("decoded") or fact.excerpt
        if excerpt:
            yield f"         {clip(printable(one_line(str(excerpt))), WIDTH - 9)}"
    more = len(finding.facts) - _EXCERPTS
    if more > 0:
        yield f"       and {count(more, 'fact')} more"


def _examined(transition: Transition) -> str:
    examined = transition.examination.examined
    members = _closure(transition)
    size = f"{examined.bytes / 1e6:.1f} MB" if examined.bytes >= 1e5 else f"{examined.bytes / 1e3:.1f} kB"
    parts = [
        f"{count(examined.files, 'file')}, {size}, {examined.kept_files} of them as before",
        f"{examined.read_files} read for facts",
        f"from {printable(transition.examination.source)}",
    ]
    if members:
        parts.append(f"{members} new {'dependency' if members == 1 else 'dependencies'} with it")
    return f"EXAMINED  {'; '.join(parts)}"


def _closure(transition: Transition) -> int:
    return sum(1 + _closure(one) for one in transition.dependencies)


def _refusals(refusals: tuple[Refusal, ...], every: bool) -> Iterator[str]:
    """What was not examined: what could matter first, then what is told for completeness alone."""
    ordered = sorted(refusals, key=lambda one: not one.relevant)
    relevant = sum(one.relevant for one in refusals)
    if not relevant and not every:
        yield f"LEFT OUT  {count(len(refusals), 'thing')} that cannot carry what is looked for (--all)"
        return
    yield f"NOT EXAMINED  {relevant}" if relevant else f"LEFT OUT  {count(len(refusals), 'thing')}"
    shown = ordered if every else ordered[: min(_SHOWN, relevant)]
    for refusal in shown:
        where = " ".join(part for part in (release_of(refusal.target), refusal.path) if part)
        yield from _wrapped(f"  {printable(where) or printable(refusal.reader)}: {printable(refusal.reason)}", "    ")
    if len(ordered) > len(shown):
        yield f"  and {len(ordered) - len(shown)} more (--all)"


def _wrapped(text: str, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text, WIDTH, subsequent_indent=indent, break_long_words=True, break_on_hyphens=False, drop_whitespace=True
    ) or [text]

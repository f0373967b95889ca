"""The page of rotation providers, in the order of the work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pratique.respond.rotate.library import providers, sources
from pratique.respond.rotate.provider import (
    GROUPS,
    Act,
    Death,
    Effective,
    Mint,
    Provider,
    SecondLook,
    Words,
    confidence,
)

_GROUPS = {
    "identity": "Roots of identity",
    "mint": "What mints, publishes or administers",
    "code": "What gives code to others",
    "cloud": "Clouds, platforms and clusters",
    "pipeline": "Secrets of a run",
    "service": "Databases and services",
    "low": "The rest",
}
_ORDERS = {
    "new-first": "new, deploy, revoke: an outage would be worse than the exposure",
    "revoke-first": "revoke, new, deploy: the exposure is worse than the outage",
}


def page(notice: str) -> str:
    """The page, with `notice` below its heading."""
    found = sorted(providers(), key=lambda item: (GROUPS.index(item.group), item.tier, item.id))
    lines = [
        "# Rotation providers",
        "",
        notice,
        "",
        f"How credentials are replaced after a theft: {len(found)} providers, in the order of the work. The steps of",
        "`pratique plan` come from here. `<ID>` and the like stand for what you know; no command takes a value.",
        "",
        "A mark in parentheses names the [source](#sources) of a statement. Without one it is general knowledge: look",
        "it up before you do what cannot be taken back. Names of pages move; a page is named, its address never given.",
        "",
        "Tier 0 mints, publishes or controls an identity; 1 is production or a cloud; 2 a single service; 3 low. Proof",
        "that the old one is dead: V0 asked, V1 the issuer lists it as revoked or not at all, V2 an audit event shows",
        "it, V3 its last use stopped, V4 a harmless probe was refused. Never probe with a token that is watched.",
        "",
        "| Provider | Tier | Order | Works everywhere after |",
        "|---|---:|---|---|",
    ]
    for item in found:
        lines.append(f"| [{item.name}](#{item.id}) | {item.tier} | {item.order} | {_span(item.effective.minutes)} |")
    for group in GROUPS:
        mine = [item for item in found if item.group == group]
        if mine:
            lines += ["", f"## {_GROUPS[group]}"]
        for item in mine:
            lines += ["", *_provider(item)]
    lines += ["", "## Sources", "", "| Mark | Where it stands | Confidence |", "|---|---|---|"]
    lines += [f"| {key} | {source.title} | {confidence(key, sources())} |" for key, source in sorted(sources().items())]
    return "\n".join(lines) + "\n"


def _span(minutes: int) -> str:
    if not minutes:
        return "see there"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _provider(item: Provider) -> Iterator[str]:
    yield f"### {item.id}"
    yield ""
    yield f"{item.name}. Tier {item.tier}. Order: {_ORDERS[item.order]}."
    yield ""
    yield f"- Page: {_said(item.page)}"
    for heading, statements in (
        ("Contain", item.contain),
        ("Where use by a thief shows", item.audit),
        ("What may have been made or read with it", item.mints),
        ("List", item.listing),
        ("New", item.new),
        ("Revoke", item.revoke),
    ):
        yield from _list(heading, statements)
    yield f"- Takes effect: {_said(item.effective)}"
    for heading, told in (
        ("Expect", item.side_effects),
        ("Put the new one into", item.dependants),
        ("Goes with it", item.also),
        ("Beware", item.cautions),
    ):
        yield from _list(heading, told)
    yield from _list("Seen to be dead", item.verify)
    yield f"- Look again after {item.second_look.days} d: {_said(item.second_look)}"
    yield from _list("Instead of a lasting one", item.short_lived)


def _list(heading: str, statements: Iterable[Words | Act | Death | Mint]) -> Iterator[str]:
    found = list(dict.fromkeys(_said(statement) for statement in statements))
    if len(found) == 1:
        yield f"- {heading}: {found[0]}"
    elif found:
        yield f"- {heading}:"
        yield from (f"  - {text}" for text in found)


def _said(statement: Words | Act | Effective | SecondLook | Death | Mint) -> str:
    """A statement with its source."""
    mark = f" ({statement.source})" if statement.source else ""
    if isinstance(statement, Act) and statement.run:
        return f"`{' '.join(statement.run)}`{mark}"
    grade = f"{statement.grade}, " if isinstance(statement, Death) else ""
    return f"{grade}{statement.words}{mark}".replace("<", "\\<").replace("*", "\\*").replace("_", "\\_")

"""The page of the places that are looked at, out of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pratique.readers.credentials.contract import Row
from pratique.readers.credentials.table import table

_TIERS = (
    "mints, publishes or controls an identity",
    "production or cloud",
    "a single service",
    "low, or needs a second factor",
)
_LOOKS = {"content": "read", "presence": "only whether it is there", "names": "names of its entries alone"}


def page(notice: str) -> str:
    """The page in Markdown."""
    rows = table().rows
    places = sum(len(row.paths) for row in rows)
    lines = [
        "# Places of credentials",
        "",
        notice,
        "",
        f"What `pratique reach` looks at: {len(rows)} locations with {places} places on Linux alone. How to use it:",
        "[what-could-it-reach.md](../how-to/what-could-it-reach.md). The inventory in JSON keeps to",
        "[reach.schema.json](reach.schema.json). Names of variables are told of the account's",
        "own process; their values are never looked at. A place that is not here is not looked at.",
        "",
        "Roots: `$HOME` is the home folder of the account's record, `$PROJECT` a folder that was named with",
        "`--project`; `$XDG_CONFIG_HOME` and its like have their usual defaults. Any other variable counts where it",
        "is set. `*` stands for any text in a name. Variables under *Or* name a file, which is looked at beside the",
        "usual places.",
        "",
        "| Tier | Means | Locations |",
        "|---:|---|---:|",
    ]
    for tier, title in enumerate(_TIERS):
        lines.append(f"| {tier} | {title} | {sum(row.tier == tier for row in rows)} |")
    lines += ["", "| Location | Issuer | Tier | How |", "|---|---|---:|---|"]
    for row in rows:
        how = _LOOKS[row.look] if row.paths or row.overrides else "names of variables"
        lines.append(f"| [`{row.id}`](#{row.id}) | {row.provider} | {row.tier} | {how} |")
    for row in rows:
        lines += ["", *_section(row)]
    return "\n".join(lines) + "\n"


def _section(row: Row) -> Iterator[str]:
    yield f"## {row.id}"
    yield ""
    yield f"- Class in incident definitions: `{row.secret}`; rotation: `{row.rotation}`"
    for title, paths in (("Linux", row.paths), ("macOS", row.macos), ("Windows", row.windows)):
        if paths:
            yield f"- {title}: {_codes(paths)}"
        elif paths is not None and title != "Linux":
            yield f"- {title}: nowhere"
    if row.leave_out:
        yield f"- Not: {_codes(row.leave_out)}"
    if row.overrides:
        yield f"- Or: {_codes(f'${name}' for name in row.overrides)}"
    if row.variables:
        yield f"- Variables: {_codes(row.variables)}"
    if row.format:
        yield f"- Format: `{row.format}`, up to {_size(row.limit)}"
    if row.fields:
        yield f"- Fields: {_codes(row.fields)}"
    if row.guessable:
        yield "- Chosen by people: no fingerprint is made"
    if row.personal:
        yield "- Private: yes or no alone, without a path"
    if row.taken_by:
        yield f"- Looked for in: {_codes(row.taken_by)}"
    yield f"- Source: {_plain(row.source)}"
    if row.note:
        yield ""
        yield _plain(row.note)


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _plain(text: str) -> str:
    for char in "<>*|":
        text = text.replace(char, f"\\{char}")
    return text


def _size(limit: int) -> str:
    return f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit >> 10} KiB"

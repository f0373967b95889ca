"""Lockfiles that repeat what overrides say: what changes along with an override, so that a frozen install holds.

What each client was seen to write:

| Lockfile | What it repeats |
|---|---|
| package-lock.json | the root's ranges in `packages[""]` alone; an override of a direct dependency has to equal them |
| pnpm-lock.yaml | `overrides`, before `importers`; the specifier of a direct dependency becomes the override's |
| yarn.lock (classic) | the forced version as one more pattern of the entry |
| yarn.lock (2 and later) | the descriptor of the resolution in the place of the one that was asked for |
| bun.lock | `overrides`, before `packages`; a selector with a version as an object with the key `.` |
| uv.lock | `[manifest]` with `constraints` |
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

import msgspec

from pratique.ecosystems.edits import Span, decoded, edited, line_end, line_start, line_stop
from pratique.ecosystems.json_spans import insertions, parse
from pratique.ecosystems.npm.locks.blocks import Block
from pratique.ecosystems.npm.locks.blocks import parse as parse_blocks
from pratique.ecosystems.repairs import Unfit

GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_BARE = re.compile(r"[A-Za-z][\w./-]*(?:@\d[\w.-]*)?|\d+\.\d+\.\d+[\w.-]*")


class Pin(msgspec.Struct, frozen=True):
    """One rule: `good` in the place of `bad`; without `good` the package is kept out altogether."""

    name: str
    bad: str
    good: str | None = None
    asked: tuple[str, ...] = ()
    """Descriptors as the lockfile spells them, where it does: `axios@npm:^1.14.0`."""


def text_of(content: bytes) -> str:
    """The text. Raises Unfit."""
    text = decoded(content)
    if text is None:
        raise Unfit("it is not text in UTF-8")
    return text


def package_lock(content: bytes, ranges: Mapping[tuple[str, str], str]) -> bytes:
    """Give the root entry the ranges that the manifest has: group and name to the range."""
    text = text_of(content)
    root = parse(text)
    spans = []
    for (group, name), asked in ranges.items():
        found = root.get("packages", "", group, name) if root is not None else None
        if found is not None:
            spans.append(Span(found.start, found.end, json.dumps(asked)))
    return edited(text, spans).encode()


def yaml_word(text: str) -> str:
    """A key or value as pnpm writes it."""
    return text if _BARE.fullmatch(text) else f"'{text}'"


def pnpm_lock(content: bytes, overrides: Mapping[str, str], ranges: Mapping[str, tuple[str, str]]) -> bytes:
    """Repeat the overrides, and give direct dependencies the forced specifier: name to range as asked and as forced."""
    text = text_of(content)
    end = line_end(text)
    rows = {f"  {yaml_word(key)}: {yaml_word(value)}{end}" for key, value in overrides.items()}
    spans = []
    found = re.search(r"^overrides:[ \t]*(?=\r?$)", text, re.MULTILINE)
    importers = re.search(r"^(?:importers|dependencies|devDependencies|packages):", text, re.MULTILINE)
    if found is not None:
        at = line_stop(text, found.end())
        block = re.compile(r"(?:  \S[^\n]*\n)*").match(text, at)
        old = set(block.group().splitlines(keepends=True)) if block else set()
        spans.append(Span(at, at + sum(map(len, old)), "".join(sorted(old | rows))))
    elif importers is not None:
        spans.append(Span(importers.start(), importers.start(), f"overrides:{end}{''.join(sorted(rows))}{end}"))
    else:
        raise Unfit("its parts are not known")
    for name, (asked, forced) in ranges.items():
        plain, range_ = re.escape(name), re.escape(yaml_range(asked))
        row = re.compile(rf"(?P<head>^ +(?:{plain}|'{plain}'):\r?\n +specifier: ){range_}(?=\r?$)", re.MULTILINE)
        for match in row.finditer(text):
            spans.append(Span(match.end("head"), match.end(), yaml_range(forced)))
    return edited(text, spans).encode()


def yaml_range(text: str) -> str:
    """A range as pnpm writes it: quoted where it starts with a sign of YAML."""
    return f"'{text}'" if text[:1] in "*>&!|@%`-?{}[]" or ": " in text or text == "" else text


def yarn_classic(content: bytes, pins: Iterable[Pin]) -> bytes:
    """Name the forced version in the key of its entry, as Yarn classic does with `resolutions`."""
    lock = parse_blocks(text_of(content))
    for pin in pins:
        if pin.good is None:
            continue
        pattern = f"{pin.name}@{pin.good}"
        for index, block in enumerate(lock.blocks):
            if block.field("version") == pin.good and block.names == {pin.name} and pattern not in block.patterns:
                from pratique.ecosystems.npm.locks.yarn_classic import joined

                lock.blocks.pop(index)
                lock.put(Block(joined([*block.patterns, pattern]), block.lines, block.gap), lambda b: b.patterns[0])
                break
    return lock.text().encode()


def yarn_berry(content: bytes, pins: Iterable[Pin]) -> bytes:
    """Name the resolution's descriptor in the place of those that it takes the place of."""
    lock = parse_blocks(text_of(content))
    for pin in pins:
        if pin.good is None:
            continue
        for index, block in enumerate(lock.blocks):
            if block.field("resolution") == f"{pin.name}@npm:{pin.good}":
                left = {text for text in block.patterns if text not in pin.asked} | {f"{pin.name}@npm:{pin.good}"}
                lock.blocks.pop(index)
                lock.put(Block(json.dumps(", ".join(sorted(left))), block.lines, block.gap), _berry_order)
                break
    return lock.text().encode()


def _berry_order(block: Block) -> str:
    return "" if block.key == "__metadata" else ", ".join(block.patterns)


def bun_lock(content: bytes, overrides: Mapping[str, str]) -> bytes:
    """Repeat the overrides before `packages`."""
    text = text_of(content)
    root = parse(text)
    if root is None or root.members is None:
        raise Unfit("it is not JSON")
    end = line_end(text)
    if root.get("overrides") is not None:
        spans = insertions(text, root, ("overrides",), dict(overrides))
        return edited(text, spans or ()).encode()
    later = next((m for m in root.members if m.key in ("catalog", "catalogs", "packages")), None)
    if later is None:
        raise Unfit("it holds no packages")
    rows = "".join(
        f'    {json.dumps(key)}: {{{end}      ".": {json.dumps(value)},{end}    }},{end}'
        if "@" in key[1:]
        else f"    {json.dumps(key)}: {json.dumps(value)},{end}"
        for key, value in sorted(overrides.items())
    )
    at = line_start(text, later.start)
    return edited(text, [Span(at, at, f'  "overrides": {{{end}{rows}  }},{end}')]).encode()


def uv_lock(content: bytes, constraints: Mapping[str, str]) -> bytes:
    """Repeat the constraints in `[manifest]`, before the first package."""
    text = text_of(content)
    end = line_end(text)
    if re.search(r"^\[manifest[\].]", text, re.MULTILINE):
        raise Unfit("its [manifest] holds other rules already")
    first = re.search(r"^\[\[package\]\]", text, re.MULTILINE)
    if first is None:
        raise Unfit("it holds no package")
    rows = [f'{{ name = "{name}", specifier = "{asked}" }}' for name, asked in sorted(constraints.items())]
    value = f"[{rows[0]}]" if len(rows) == 1 else f"[{end}{''.join(f'    {row},{end}' for row in rows)}]"
    return edited(
        text, [Span(first.start(), first.start(), f"[manifest]{end}constraints = {value}{end}{end}")]
    ).encode()

"""package.json: what it asks for where that excludes the known good release, or pins a listed one.

Only the text of those ranges changes: in the groups of dependencies, and in `overrides`, `resolutions` and
`pnpm.overrides` where they pin a listed release. A range that takes the good release stays as it is.

A correction's `good` is what the lockfile got: the first that the range takes, else the first in the same line.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems.npm.locks import requests
from pratique.ecosystems.npm.locks.spans import Cut, Member, NotJson, Style, Value, apply, parse
from pratique.ecosystems.npm.versions import parse_range
from pratique.model.repair import Change, Correction, LockCodec, Releases, Repaired, Unrepairable

GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_PINS = (("overrides",), ("resolutions",), ("pnpm", "overrides"))


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired | Unrepairable:
    """See `pratique.model.repair.Repair`; `releases` is not asked."""
    wanted = {item.name: item for item in corrections if item.ecosystem == "npm" and item.bad}
    try:
        text = content.decode()
        document = parse(text)
    except UnicodeDecodeError:
        return Unrepairable("is not UTF-8")
    except NotJson as error:
        return Unrepairable(f"is not whole JSON: {error}")
    if document.kind != "object":
        return Unrepairable("is not an object")
    style = Style(text)
    cuts: list[Cut] = []
    changes: list[Change] = []
    for where, name, member in _asked(document):
        spec = str(member.value.plain)
        real, asked = requests.split(name, spec)
        correction = wanted.get(real)
        if correction is None or asked is None:
            continue
        if not correction.good:
            if requests.pins(asked, correction.bad) or (where in GROUPS and _only(asked, correction)):
                return Unrepairable(f"{where}: {name} {spec} has no known good release: take it out by hand")
            continue
        if not _concerns(asked, correction):
            continue
        pinned = requests.pins(asked, correction.bad)
        if where not in GROUPS and not pinned:
            continue
        good = _good(asked, correction)
        if good is None:
            return Unrepairable(
                f"{where}: {name} {spec} takes none of the known good {', '.join(correction.good)}, and none is in "
                "its line"
            )
        instead = requests.moved(spec, correction.bad, good)
        if instead is None:
            continue
        cuts.append((member.value.start, member.value.end, style.render(instead, 0)))
        changes.append(Change(entry=f"{where}: {name}", was=spec, now=instead, why="it takes no known good release"))
    return Repaired(content=apply(text, cuts).encode(), changes=tuple(sorted(changes)))


def _asked(document: Value) -> Iterator[tuple[str, str, Member]]:
    """Part, name of the package and member of everything that asks for a version."""
    for group in GROUPS:
        holder = document.get(group)
        for member in holder if holder is not None else ():
            if member.value.kind == "string":
                yield group, member.key, member
    for path in _PINS:
        holder = document
        for key in path:
            holder = holder.get(key) if holder is not None else None
        stack = [holder] if holder is not None else []
        while stack:
            for member in stack.pop():
                if member.value.kind == "object":
                    stack.append(member.value)
                elif member.value.kind == "string":
                    yield ".".join(path), _name(member.key), member


def _name(selector: str) -> str:
    """The package that a key of overrides or resolutions is about: `parent>axios@1`, `**/axios`, `axios`."""
    last = selector.rpartition(">")[2]
    parts = [part for part in last.split("/") if part]
    name = "/".join(parts[-2:]) if len(parts) > 1 and parts[-2].startswith("@") else parts[-1] if parts else ""
    return name[: name.find("@", 1)] if "@" in name[1:] else name


def _concerns(asked: str, correction: Correction) -> bool:
    """Whether a range takes a listed release; one that takes none was never led to it."""
    return any(requests.admits(asked, bad) for bad in correction.bad) and parse_range(asked) is not None


def _only(asked: str, correction: Correction) -> bool:
    return _concerns(asked, correction)


def _good(asked: str, correction: Correction) -> str | None:
    """The known good release for a range: the first that it takes, else the first in the line of what it takes."""
    for good in correction.good:
        if requests.admits(asked, good):
            return good
    taken = [bad for bad in sorted(correction.bad) if requests.admits(asked, bad)]
    return next((good for good in correction.good if any(requests.same_line(bad, good) for bad in taken)), None)


CODEC = LockCodec(
    name="package-manifest",
    basenames=("package.json",),
    managers=("npm", "pnpm", "yarn", "bun"),
    ecosystem="npm",
    repair=repair,
)

"""The rule that keeps a listed release out from now on: what each package manager can say, and what it cannot.

| Manager | Rule | What it cannot |
|---|---|---|
| npm | `overrides`: `"axios@1.14.1": "1.14.0"` | a direct dependency has to ask for that version itself |
| pnpm | `overrides` in package.json (before 11) or pnpm-workspace.yaml (from 10 on); `"-"` takes out | |
| Yarn 2 and later | `resolutions`: `"axios@^1.14.0": "npm:1.14.0"` for each range that led there | other ranges |
| Yarn classic | `resolutions`: `"**/axios": "1.14.0"`, with one line in use | direct dependencies, payloads |
| bun | `overrides`: `"axios@1.14.1"` from 1.4 on; `"axios"` before, with one line in use | |
| uv | `constraint-dependencies`: `litellm!=1.82.8` | |

A payload that must go altogether: pnpm takes it out (`"-"`). For npm, Yarn 2 and bun the rule names a version that does
not exist, `0.0.0-blocked`: an install that asks for the payload ends in an error, one that does not is not touched.
pip's pins are the rule already; Poetry, PDM and Pipenv have none for dependencies of dependencies: a person acts.

JSON has no comments: there the date on which a rule is looked at again stands in the plan alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pratique.ecosystems.edits import Span, edited, line_end, line_stop
from pratique.ecosystems.json_spans import Value, insertions, parse
from pratique.ecosystems.npm.locks import requests
from pratique.ecosystems.npm.locks.blocks import Block
from pratique.ecosystems.npm.yarn import real_name
from pratique.ecosystems.repairs import Unfit, line_of
from pratique.ecosystems.toml_spans import items as toml_items
from pratique.ecosystems.toml_spans import parse as parse_toml
from pratique.model.repair import Change, Correction
from pratique.respond.revert import amended
from pratique.respond.revert.amended import GROUPS, Pin, text_of

BLOCKED = "0.0.0-blocked"
"""A version that no registry holds."""


class Rules(msgspec.Struct, frozen=True):
    """One way to keep listed releases out: the new bytes of every file that it changes, and what it leaves open."""

    files: Mapping[str, bytes]
    words: str = ""
    left_open: tuple[str, ...] = ()


def pins_of(changes: Iterable[Change], corrections: Iterable[Correction]) -> tuple[Pin, ...]:
    """What is to be kept out, out of the changes of a lockfile."""
    listed = tuple(corrections)
    found: dict[tuple[str, str], Pin] = {}
    for change in changes:
        fit = [item for item in listed if change.was in item.bad]
        named = [item for item in fit if item.name in change.entry]
        item = next(iter(named if len(fit) > 1 else fit), None)
        if item is None:
            continue
        patterns = _patterns(change.entry, item.name)
        old = found.get((item.name, change.was))
        good = change.now if item.good else None
        if item.good and good is None:
            continue
        asked = tuple(dict.fromkeys((*(old.asked if old else ()), *patterns)))
        found[item.name, change.was] = Pin(item.name, change.was, good, asked)
    return tuple(found[key] for key in sorted(found))


def _patterns(entry: str, name: str) -> list[str]:
    """The descriptors of a change in one of Yarn's lockfiles, aliases aside."""
    try:
        found = Block(entry, [], "").patterns
    except Unfit:
        return []
    return [text for text in found if (parts := real_name(text)) and parts[0] == name and parts[1] is None]


def rules(
    manager: str,
    lock: str,
    files: Mapping[str, bytes],
    pins: tuple[Pin, ...],
    until: str,
    version: tuple[int, ...] = (),
) -> Iterator[Rules]:
    """Ways to keep the pins' releases out, the likeliest first: pure, by basename of the files beside each other.

    `files` are the files as they are after the repair. Where nothing can be said, one `Rules` without files says why.
    """
    if not pins:
        return
    kinds = {
        "package-lock.json": _npm,
        "npm-shrinkwrap.json": _npm,
        "pnpm-lock.yaml": _pnpm,
        "yarn.lock": _yarn,
        "bun.lock": _bun,
        "uv.lock": _uv,
    }
    kind = kinds.get(lock)
    if kind is None:
        yield Rules({}, left_open=(_other(manager, pins),))
        return
    ways = kind(lock, files, pins, until, version)
    while True:
        try:
            way = next(ways, None)
        except Unfit as reason:
            way = Rules({}, left_open=(f"No rule keeps {_named(pins)} out: {reason}.",))
        if way is None:
            return
        yield way
        if not way.files:
            return


def _named(pins: Iterable[Pin]) -> str:
    return ", ".join(dict.fromkeys(f"{pin.name} {pin.bad}" for pin in pins))


def _other(manager: str, pins: tuple[Pin, ...]) -> str:
    if manager in ("pip", "actions"):
        return f"Exact pins keep {_named(pins)} out already."
    return (
        f"{manager or 'This manager'} has no rule for dependencies of dependencies: exclude {_named(pins)} in the "
        "requirements of the manifest by hand, or keep them out at the index."
    )


def _manifest(files: Mapping[str, bytes]) -> tuple[str, Value]:
    text = text_of(files.get("package.json", b""))
    root = parse(text)
    if root is None or root.members is None:
        raise Unfit("package.json is not there or not understood")
    return text, root


def _free(root: Value, keys: tuple[str, ...], pins: Iterable[Pin]) -> None:
    """Raises Unfit where the project has a rule of its own for one of the packages, or something else stands there."""
    holder = root.get(*keys)
    if holder is None:
        return
    if holder.members is None:
        raise Unfit(f"{'.'.join(keys)} is no object")
    for pin in pins:
        name = re.compile(rf"(?:^|[/>]){re.escape(pin.name)}(?:@|$)")
        for member in holder.members:
            if name.search(member.key):
                raise Unfit(f"{'.'.join(keys)} has a rule for {pin.name} already, {member.key}: look at it by hand")


def _direct(root: Value, pins: Iterable[Pin]) -> dict[tuple[str, str], tuple[Value, str, str]]:
    """Direct dependencies whose range may lead to a listed release: by group and name the value, range and version."""
    out = {}
    for pin in pins:
        for group in GROUPS:
            value = root.get(group, pin.name)
            asked = value.plain if value is not None else None
            if value is None or not isinstance(asked, str) or pin.good is None or asked == pin.good:
                continue
            real, wanted = requests.split(pin.name, asked)
            if real == pin.name and wanted is not None and requests.admits(wanted, pin.bad):
                out[group, pin.name] = (value, asked, pin.good)
    return out


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def _npm(
    lock: str, files: Mapping[str, bytes], pins: tuple[Pin, ...], until: str, version: tuple[int, ...]
) -> Iterator[Rules]:
    text, root = _manifest(files)
    _free(root, ("overrides",), pins)
    direct = _direct(root, pins)
    if any(group == "peerDependencies" for group, _ in direct):
        raise Unfit("a peer dependency asks for it, and npm refuses an override of that")
    rows = {f"{pin.name}@{pin.bad}" if pin.good else pin.name: pin.good or BLOCKED for pin in pins}
    spans = [*(insertions(text, root, ("overrides",), rows) or ())]
    spans += [Span(value.start, value.end, _quoted(good)) for value, _, good in direct.values()]
    new = {"package.json": edited(text, spans).encode()}
    if direct:
        new[lock] = amended.package_lock(files[lock], {key: good for key, (_, _, good) in direct.items()})
    yield Rules(new, f"overrides of npm keep {_named(pins)} out")


def _pnpm(
    lock: str, files: Mapping[str, bytes], pins: tuple[Pin, ...], until: str, version: tuple[int, ...]
) -> Iterator[Rules]:
    text, root = _manifest(files)
    _free(root, ("pnpm", "overrides"), pins)
    rows = {f"{pin.name}@{pin.bad}" if pin.good else pin.name: pin.good or "-" for pin in pins}
    direct = {name: (asked, good) for (_, name), (_, asked, good) in _direct(root, pins).items()}
    locked = amended.pnpm_lock(files[lock], rows, direct)
    words = f"overrides of pnpm keep {_named(pins)} out"
    old = Rules(
        {
            "package.json": edited(text, insertions(text, root, ("pnpm", "overrides"), rows) or ()).encode(),
            lock: locked,
        },
        f"{words} (package.json, read before pnpm 11)",
    )
    settings = files.get("pnpm-workspace.yaml")
    new = Rules(
        {"pnpm-workspace.yaml": _workspace(settings, rows, until), lock: locked},
        f"{words} (pnpm-workspace.yaml, read from pnpm 10 on)",
    )
    own = root.get("pnpm", "overrides") is not None
    if version and version < (10, 6):
        yield old
    elif version >= (11,):
        yield new
    else:
        yield from (old, new) if own else (new, old)


def _workspace(content: bytes | None, rows: Mapping[str, str], until: str) -> bytes:
    text = text_of(content) if content is not None else ""
    end = line_end(text) if text else "\n"
    lines = "".join(f"  {amended.yaml_word(key)}: {amended.yaml_word(value)}{end}" for key, value in rows.items())
    note = f"  # Until {until}: keeps listed releases out.{end}"
    found = re.search(r"^overrides:[ \t]*(?=\r?$|\Z)", text, re.MULTILINE)
    if found is not None:
        at = line_stop(text, found.end())
        return edited(text, [Span(at, at, note + lines)]).encode()
    if re.search(r"^[\"']?overrides", text, re.MULTILINE):
        raise Unfit("overrides of pnpm-workspace.yaml are written in a way that is not edited here")
    gap = "" if not text or text.endswith("\n") else end
    return f"{text}{gap}{end if text else ''}overrides:{end}{note}{lines}".encode()


def _yarn(
    lock: str, files: Mapping[str, bytes], pins: tuple[Pin, ...], until: str, version: tuple[int, ...]
) -> Iterator[Rules]:
    text, root = _manifest(files)
    _free(root, ("resolutions",), pins)
    left: list[str] = []
    rows: dict[str, str] = {}
    if b"\n__metadata:" in files[lock] or files[lock].startswith(b"__metadata:"):
        for pin in pins:
            if pin.good is None:
                rows[pin.name] = f"npm:{BLOCKED}"
                continue
            for pattern in pin.asked:
                asked = pattern[len(pin.name) + 1 :].removeprefix("npm:")
                if asked != pin.good:
                    rows[f"{pin.name}@{asked}"] = f"npm:{pin.good}"
        locked = amended.yarn_berry(files[lock], pins)
    else:
        forced = []
        for pin in pins:
            lines = {line_of(other.bad) for other in pins if other.name == pin.name}
            if pin.good is None:
                left.append(
                    f"Yarn classic asks for the version of every rule, used or not: none can keep {pin.name} out."
                )
            elif _direct(root, [pin]) or any(root.get(group, pin.name) is not None for group in GROUPS):
                left.append(f"Yarn classic forces no direct dependency: only the lockfile holds {pin.name} {pin.good}.")
            elif len(lines) > 1 or _lines(files[lock], pin.name) != {line_of(pin.good)}:
                left.append(f"Yarn classic forces one version of {pin.name} for all, and several lines are in use.")
            else:
                rows[f"**/{pin.name}"] = pin.good
                forced.append(pin)
        locked = amended.yarn_classic(files[lock], forced)
    if not rows:
        yield Rules({}, left_open=tuple(left))
        return
    spans = insertions(text, root, ("resolutions",), rows)
    new = {"package.json": edited(text, spans or ()).encode()}
    if locked != files[lock]:
        new[lock] = locked
    yield Rules(new, f"resolutions of Yarn keep {_named(pins)} out", tuple(left))


def _lines(content: bytes, name: str) -> set[tuple[int, ...]]:
    """The lines of releases of a package that one of Yarn's lockfiles or bun's holds."""
    text = text_of(content)
    if text.lstrip().startswith("{"):
        found = re.findall(rf'\["{re.escape(name)}@(\d[^"]*)"', text)
    else:
        from pratique.ecosystems.npm.locks.blocks import parse as parse_blocks

        blocks = parse_blocks(text).blocks
        found = [block.field("version") or "" for block in blocks if name in block.names]
    return {line_of(version) for version in found}


def _bun(
    lock: str, files: Mapping[str, bytes], pins: tuple[Pin, ...], until: str, version: tuple[int, ...]
) -> Iterator[Rules]:
    text, root = _manifest(files)
    _free(root, ("overrides",), pins)
    _free(root, ("resolutions",), pins)
    keyed = re.search(rb'"lockfileVersion": *[2-9]', files[lock]) is not None
    left = []
    rows = {}
    for pin in pins:
        if pin.good is None:
            rows[pin.name] = BLOCKED
        elif keyed:
            rows[f"{pin.name}@{pin.bad}"] = pin.good
        elif _lines(files[lock], pin.name) == {line_of(pin.good)}:
            rows[pin.name] = pin.good
        else:
            left.append(f"bun before 1.4 forces one version of {pin.name} for all, and several lines are in use.")
    if not rows:
        yield Rules({}, left_open=tuple(left))
        return
    yield Rules(
        {
            "package.json": edited(text, insertions(text, root, ("overrides",), rows) or ()).encode(),
            lock: amended.bun_lock(files[lock], rows),
        },
        f"overrides of bun keep {_named(pins)} out",
        tuple(left),
    )


def _uv(
    lock: str, files: Mapping[str, bytes], pins: tuple[Pin, ...], until: str, version: tuple[int, ...]
) -> Iterator[Rules]:
    text = text_of(files.get("pyproject.toml", b""))
    tables = parse_toml(text)
    if tables is None or not text:
        raise Unfit("pyproject.toml is not there or not understood")
    asked: dict[str, str] = {}
    for pin in pins:
        asked[pin.name] = f"{asked[pin.name]},!={pin.bad}" if pin.name in asked else f"!={pin.bad}"
    end = line_end(text)
    rows = [f'    "{name}{specifier}",{end}' for name, specifier in sorted(asked.items())]
    note = f"    # Until {until}: keeps listed releases out.{end}"
    table = next((item for item in tables if item.path == ("tool", "uv")), None)
    entry = table.get("constraint-dependencies") if table is not None else None
    if entry is not None:
        if toml_items(text, entry.start):
            raise Unfit("constraint-dependencies holds other rules already")
        span = Span(entry.start, entry.end, f"[{end}{note}{''.join(rows)}]")
    else:
        body = f"constraint-dependencies = [{end}{note}{''.join(rows)}]{end}"
        if table is not None:
            at = table.entries[-1].stop if table.entries else table.body
            span = Span(at, at, body)
        else:
            gap = "" if text.endswith("\n") else end
            span = Span(len(text), len(text), f"{gap}{end}[tool.uv]{end}{body}")
    yield Rules(
        {"pyproject.toml": edited(text, [span]).encode(), lock: amended.uv_lock(files[lock], asked)},
        f"constraint-dependencies of uv keep {_named(pins)} out",
    )

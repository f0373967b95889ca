"""One document of pnpm's lockfile: its parts, its entries, and what refers to them; and its text again.

References: pnpm 12.21.0 and 8.15.9, deps.path; lockfiles of pnpm 7 to 12 as recorded in this project's fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pratique.ecosystems.npm.locks.pnpm_layout import Form, Key, Section, Stop, leaves, unquote

_GROUPS = frozenset({"dependencies", "devDependencies", "optionalDependencies"})


class Reference:
    """A place among the projects that names an entry: the line with the version, and the one with what is asked."""

    def __init__(self, section: Section, line: int, name: str, value: str, where: str) -> None:
        self.section = section
        self.line = line
        self.name = name
        self.value = value
        self.where = where
        self.asked: tuple[int, str] | None = None


class Document:
    """The parts of one document. Raises Stop where it is not in pnpm's layout."""

    def __init__(self, text: str) -> None:
        self.original = text
        self.sections: list[Section] = []
        lines: list[str] = []
        name = ""
        for line in text.split("\n")[:-1]:
            if line and line[0] not in " #-":
                if lines:
                    self.sections.append(Section(name, lines))
                name, lines = unquote(line.partition(":")[0]), []
            lines.append(line)
        self.sections.append(Section(name, lines))
        names = [section.name for section in self.sections]
        if len(set(names)) != len(names):
            raise Stop("a part stands twice")
        version = self.section("lockfileVersion")
        number = unquote(version.lines[0].partition(":")[2].strip()) if version is not None else ""
        forms: dict[str, Form] = {"5": "slashes", "6": "slash-at", "7": "bare", "9": "bare"}
        if number.partition(".")[0] not in forms:
            raise Stop(f"lockfileVersion {number[:20]!r} is not known (5, 6, 9)")
        self.form: Form = forms[number.partition(".")[0]]
        self.packages = self.section("packages") or Section("packages", ["packages:"])
        self.snapshots = (self.section("snapshots") or Section("", [""])) if self.form == "bare" else self.packages
        self.keys = {block.key: Key(block.key, self.form) for block in self.snapshots.blocks or ()}
        if self.render() != text:
            raise Stop("is not in pnpm's layout")

    def section(self, name: str) -> Section | None:
        """A part by its name."""
        return next((section for section in self.sections if section.name == name), None)

    def render(self) -> str:
        """The text of the document."""
        kept = [section for section in self.sections if section.blocks is None or section.blocks]
        if kept and kept[-1].blocks is None and kept[-1] is not self.sections[-1]:
            while kept[-1].lines and not kept[-1].lines[-1]:
                kept[-1].lines.pop()
        return "".join(section.text(last=section is kept[-1] and self.ends) for section in kept)

    @property
    def ends(self) -> bool:
        """Whether the document ends without an empty line; one before another document has one."""
        return not self.original.endswith("\n\n")

    def resolve(self, name: str, value: str) -> str | None:
        """The key that `name: value` refers to."""
        for key in (
            f"/{name}/{value}"
            if self.form == "slashes"
            else f"/{name}@{value}"
            if self.form == "slash-at"
            else f"{name}@{value}",
            value,
        ):
            if key in self.keys:
                return key
        return None

    def full(self, name: str, value: str) -> str:
        """The key of `name: value`."""
        if self.form == "slashes":
            return f"/{name}/{value}"
        return f"{'/' if self.form == 'slash-at' else ''}{name}@{value}"

    def whole(self, projects: list[Reference]) -> None:
        """Raises Stop where an entry is referred to and not there."""
        named = [(item.name, item.value) for item in projects]
        for block in self.snapshots.blocks or ():
            named += block.mapping("dependencies").items()
        for name, value in named:
            if re.match(r"\d+\.\d+\.\d+", value) and self.resolve(name, value) is None:
                raise Stop(f"lacks the entry of {name} {value[:100]}: it may be cut off or badly merged")
        if self.form == "bare":
            described = {block.key for block in self.packages.blocks or ()}
            for key in self.keys.values():
                if key.name and key.at(key.version, "") not in described:
                    raise Stop(f"lacks the description of {key.name} {key.version}: it may be cut off or badly merged")

    def environment(self) -> bool:
        """Whether this document holds configuration dependencies instead of a project."""
        part = self.section("importers")
        return any(
            re.fullmatch(r" +(?:configDependencies|packageManagerDependencies):", line)
            for line in (part.lines if part else ())
        )

    def references(self) -> Iterator[Reference]:
        """Every place among the projects and catalogs that names an entry."""
        for section in self.sections:
            if section.name in ("importers", "catalogs", *_GROUPS):
                pairs: dict[tuple[str, ...], Reference] = {}
                asked: dict[tuple[str, ...], tuple[int, str]] = {}
                for number, path, value in leaves(section.lines):
                    group = path[-2] if len(path) > 1 else ""
                    if self.form == "slashes" and (group in _GROUPS or group == "specifiers"):
                        if group == "specifiers":
                            asked[(*path[:-2], path[-1])] = number, unquote(value)
                        else:
                            where = (*path[:-2], path[-1])
                            pairs[path] = Reference(section, number, path[-1], unquote(value), "/".join(path[:-1]))
                            pairs[path].asked = asked.get(where)
                    elif path[-1] == "version" and len(path) > 2:
                        pairs[path[:-1]] = Reference(section, number, path[-2], unquote(value), "/".join(path[:-1]))
                        pairs[path[:-1]].asked = asked.get(path[:-1])
                    elif path[-1] == "specifier":
                        asked[path[:-1]] = number, unquote(value)
                yield from pairs.values()

    def reached(self, projects: Iterable[Reference]) -> set[str]:
        """The entries that the projects ask for, directly or not, by the keys of now."""
        keys = {block.key: block for block in self.snapshots.blocks or ()}
        stack = []
        for item in projects:
            stack.append((item.name, item.value))
        reached: set[str] = set()
        while stack:
            name, value = stack.pop()
            key = next((key for key in (self.full(name, value), value) if key in keys), None)
            if key is None or key in reached:
                continue
            reached.add(key)
            for group in ("dependencies", "optionalDependencies"):
                stack += list(keys[key].mapping(group).items())
        return reached


def parts_of(text: str, name: str, version: str) -> tuple[dict[str, Any], dict[str, dict[str, str]]] | None:
    """What a lockfile says of a release: the fields that describe it, and its dependencies with exact versions.

    None where it says nothing, or is not whole.
    """
    import yaml

    for part in re.split(r"^---\n", text, flags=re.MULTILINE):
        try:
            document = Document(part)
        except Stop:
            continue
        key = next((key for key in document.keys.values() if (key.name, key.version) == (name, version)), None)
        block = document.snapshots.find(key.text) if key is not None else None
        shown = document.packages.find(key.at(version, "")) if key is not None and document.form == "bare" else block
        if block is None or shown is None:
            continue
        body = "\n".join(shown.lines[1:])
        if len(body) > 1 << 16 or body.count("[") + body.count("{") > 64:
            continue
        try:
            described = yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (a safe loader)
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        peers = set(shown.mapping("peerDependencies"))
        depends: dict[str, dict[str, str]] = {}
        for group in ("dependencies", "optionalDependencies"):
            for other, value in block.mapping(group).items():
                target = document.keys.get(document.resolve(other, value) or "")
                if target is None or not target.name:
                    return None
                exact = target.version if target.name == other else f"npm:{target.name}@{target.version}"
                if other not in peers:
                    depends.setdefault(group, {})[other] = exact
        if not isinstance(described, dict):
            continue
        for group in ("dependencies", "optionalDependencies", "transitivePeerDependencies"):
            described.pop(group, None)
        return described, depends
    return None

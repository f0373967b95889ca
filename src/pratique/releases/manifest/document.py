"""A release's package.json, read as npm reads it: values, the lines they stand on, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pratique.ecosystems import json_spans
from pratique.model.inert import one_line, printable
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Delta, Fact, Release, Value

PATH = "package.json"
READER = "manifest"
LARGEST = 8 << 20
LARGEST_WITH_LINES = 1 << 20
LONGEST_EXCERPT = 200
LONGEST_VALUE = 400


_TEXT, _OBJECT, _LIST = "a text", "an object", "a list"
_EXPECTED: dict[str, tuple[str, ...]] = {
    "name": (_TEXT,),
    "version": (_TEXT,),
    "main": (_TEXT,),
    "bin": (_TEXT, _OBJECT),
    "scripts": (_OBJECT,),
    "dependencies": (_OBJECT,),
    "optionalDependencies": (_OBJECT,),
    "peerDependencies": (_OBJECT,),
    "bundleDependencies": (_LIST, "true or false"),
    "bundledDependencies": (_LIST, "true or false"),
}
"""What npm expects of the fields that decide what is installed and run (docs of package.json)."""
_TABLES = ("scripts", "dependencies", "optionalDependencies", "bin")
"""Objects whose members have to be texts."""


class Manifest:
    """The root manifest of an npm release. `plain` is its object, empty where there is none; `sha256` its digest."""

    def __init__(self, text: str, plain: Mapping[str, Any], sha256: str, duplicates: tuple[str, ...] = ()) -> None:
        self.text = text
        self.plain = plain
        self.sha256 = sha256
        self.duplicates = duplicates
        self._tree: json_spans.Value | None = None
        self._told = False

    def line(self, *keys: str) -> int:
        """The line, from 1, of the value behind nested keys; 0 where it is not found."""
        if not self._told:
            self._told = True
            if len(self.text) <= LARGEST_WITH_LINES:
                self._tree = json_spans.parse(self.text)
        value = self._tree
        start = -1
        for key in keys:
            member = next((one for one in reversed(value.members or ()) if one.key == key), None) if value else None
            if member is None:
                return 0
            value, start = member.value, member.start
        return self.text.count("\n", 0, start) + 1 if start >= 0 else 0

    def table(self, key: str) -> dict[str, Any]:
        """The object under a key; empty where it is none."""
        value = self.plain.get(key)
        return value if isinstance(value, dict) else {}

    def strings(self, key: str) -> dict[str, str]:
        """The members of the object under a key whose values are texts."""
        return {name: value for name, value in self.table(key).items() if isinstance(value, str)}

    def string(self, key: str) -> str:
        """The text under a key; empty where it is none."""
        value = self.plain.get(key)
        return value if isinstance(value, str) else ""

    def names(self, key: str) -> tuple[str, ...]:
        """The texts of the list under a key."""
        value = self.plain.get(key)
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()

    def fact(self, kind: str, keys: tuple[str, ...], excerpt: str, delta: Delta, **attributes: Value) -> Fact:
        """A fact of a place in the manifest."""
        return Fact(
            kind=kind,
            path=PATH,
            line=self.line(*keys),
            excerpt=shown(excerpt),
            sha256=self.sha256,
            delta=delta,
            attributes={name: short(value) if isinstance(value, str) else value for name, value in attributes.items()},
        )


def shown(text: str) -> str:
    """A text as an excerpt: one printable line of at most 200 characters."""
    return one_line(printable(one_line(text[: LONGEST_EXCERPT * 4])))[:LONGEST_EXCERPT]


def short(text: str) -> str:
    """A text as an attribute: printable, cut where it is long."""
    return printable(text[:LONGEST_VALUE])[:LONGEST_VALUE]


def written(value: object) -> str:
    """Any value of a manifest as text: texts as they are, others as compact JSON; cut where it is long."""
    if isinstance(value, str):
        return short(value)
    try:
        return short(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (ValueError, RecursionError):
        return "?"


def refusal(reason: str, path: str = PATH) -> Refusal:
    """A refusal of this reader."""
    return Refusal(path=path, reader=READER, reason=reason, relevant=True)


def read(release: Release) -> tuple[Manifest | None, tuple[Refusal, ...]]:
    """The root manifest and what could not be read of it. Total: never raises for any bytes.

    A manifest that npm itself could not read gives a refusal, and what can be read of it beside that.
    """
    member = release.files.members.get(PATH)
    if member is None:
        return None, (refusal("the release has no manifest"),)
    try:
        content = release.files.read(PATH, LARGEST)
    except Unreadable as error:
        return None, (refusal(f"cannot be read: {error}"),)
    return parse(content, member.sha256)


def parse(content: bytes, sha256: str) -> tuple[Manifest | None, tuple[Refusal, ...]]:
    """A manifest out of its bytes, and what could not be read of it."""
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    duplicates: list[str] = []
    try:
        plain = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, duplicates))
    except RecursionError:
        return None, (refusal("is nested too deeply"),)
    except ValueError as error:
        salvaged, read_text = _salvaged(text)
        reason = f"is no JSON: {shown(str(error))}"
        if salvaged is None:
            return None, (refusal(f"{reason}; nothing of it could be read"),)
        return Manifest(read_text, salvaged, sha256), (refusal(f"{reason}; read as far as it goes"),)
    if not isinstance(plain, dict):
        return None, (refusal("is no object"),)
    return Manifest(text, plain, sha256, tuple(dict.fromkeys(duplicates))), tuple(_odd(plain))


def _odd(plain: Mapping[str, Any]) -> Iterator[Refusal]:
    """The fields that are not what npm expects, and so were not examined. What is empty says nothing."""
    for field, expected in _EXPECTED.items():
        value = plain.get(field)
        if not value and not (value == 0 and value is not False):
            continue
        if _type(value) not in expected:
            yield refusal(f"its `{field}` is {_type(value)}, not {' or '.join(expected)}: it was not examined")
        elif field in _TABLES and isinstance(value, dict):
            odd = [name for name, one in value.items() if not isinstance(one, str)]
            if odd:
                more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
                yield refusal(f"its `{field}` says {_type(value[odd[0]])} of {shown(odd[0])}{more}: not examined")


def _type(value: object) -> str:
    """What a value of JSON is, in words."""
    if isinstance(value, str):
        return _TEXT
    if isinstance(value, dict):
        return _OBJECT
    if isinstance(value, list):
        return _LIST
    if isinstance(value, bool):
        return "true or false"
    return "nothing" if value is None else "a number"


def _object(pairs: list[tuple[str, Any]], duplicates: list[str]) -> dict[str, Any]:
    """An object out of its members, the last of equal keys, as JSON.parse has it."""
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                duplicates.append(key)
            seen.add(key)
    return found


def _salvaged(text: str) -> tuple[dict[str, Any] | None, str]:
    """What a lenient reader makes of a text that is no JSON (comments, trailing commas, text after the object), and the
    part of the text that it read."""
    tree = json_spans.parse(text) if len(text) <= LARGEST_WITH_LINES else None
    if tree is not None and tree.members is not None:
        value = _plain(tree)
        return (value if isinstance(value, dict) else None), text
    start = len(text) - len(text.lstrip())
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, ""
    return (value if isinstance(value, dict) else None), text[:end]


def _plain(value: json_spans.Value) -> Any:
    """A value of the lenient reader without its places."""
    if value.members is not None:
        return {member.key: _plain(member.value) for member in value.members}
    if value.items is not None:
        return [_plain(one) for one in value.items]
    return value.plain


def identity(manifest: Manifest, release: Release) -> Iterator[Fact]:
    """Facts where the manifest calls itself otherwise than it was asked for, or says a thing twice.

    A release without a name of its own (a folder, an archive) was asked for by nothing that could differ.
    """
    for field, expected in (("name", release.name), ("version", release.version)):
        stated = manifest.plain.get(field)
        if not expected or stated == expected:
            continue
        if field == "version" and isinstance(stated, str) and _same_version(stated, expected):
            continue
        text = written(stated) if stated is not None else ""
        yield manifest.fact(
            "manifest.identity", (field,), f"{field}: {text}", "unknown", field=field, stated=text, expected=expected
        )
    for key in manifest.duplicates[:50]:
        yield manifest.fact(
            "manifest.identity",
            (key,),
            f"the key {key} stands twice",
            "unknown",
            field="duplicate",
            stated=key,
            expected="",
        )


def _same_version(one: str, other: str) -> bool:
    """Whether two texts are one version to npm: `v` before it and build metadata have no part."""
    return one.strip().lstrip("v=").partition("+")[0] == other.strip().lstrip("v=").partition("+")[0]

"""Named fields in a tree of settings: which hold secrets, and what beside them says whose they are.

A tree is made of `Pairs`, lists and texts, whatever it was read from. Patterns name fields by the end of their path,
`credentials.*.token`; a part may begin or end with `*`. An entry of `show` is `email`, `account=userId`, or
`profile=^` for the name of the entry that holds the field (`^^` one higher).
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Iterator
from typing import Any

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import matches as alike
from pratique.readers.credentials.judgement import MOST, judge
from pratique.readers.credentials.material import fact, moment, named, pairs, shown, url_password
from pratique.readers.credentials.tokens import recognise
from pratique.readers.text import plain_json

DEPTH = 60
NODES = 500_000
_MOST_DOTS = 400
"""Dots of one line beyond which a text is not given to the parser: it makes a table for each part of a name."""
_EXPIRES = frozenset(
    {"expires", "expiresat", "expires_at", "expiry", "expirydate", "expiry_date", "expiration", "expiration_time"}
    | {"expirationtime", "expires_on", "token_expiry", "expire", "oauth_token_expiration_time", "registrationexpiresat"}
)
_CREATED = frozenset({"created", "created_at", "createdat", "issued_at", "cached_at", "last_refresh", "iat"})
_SCOPES = frozenset({"scope", "scopes"})


class Pairs(list[tuple[str, Any]]):
    """A mapping: every pair in order, a key that stands twice included."""

    def get(self, key: str) -> Any:
        """The last value of a key, None where there is none."""
        return next((value for name, value in reversed(self) if name == key), None)

    @property
    def wide(self) -> bool:
        """Whether it is too wide to be searched for what stands beside each of its fields."""
        return len(self) > 2000

    def text(self, key: str) -> str | None:
        """A scalar value."""
        value = self.get(key)
        return value if isinstance(value, str) else None

    def below(self, key: str) -> Pairs:
        """A mapping that a key has; an empty one where it has none."""
        value = self.get(key)
        return value if isinstance(value, Pairs) else Pairs()


Field = tuple[tuple[str, ...], str, tuple[Pairs, ...]]
"""Path (items of lists as `[0]`), value, and the mappings around it from the outermost."""


class Tree:
    """A tree, and whether all of the text was understood."""

    def __init__(self, root: object, *, whole: bool = True) -> None:
        self.root = root
        self.whole = whole

    def fields(self) -> Iterator[Field]:
        """Every scalar, in order. Parts that are nested too deeply clear `whole`."""
        stack: list[tuple[tuple[str, ...], object, tuple[Pairs, ...]]] = [((), self.root, ())]
        seen = 0
        while stack:
            path, node, around = stack.pop()
            seen += 1
            if seen > NODES or len(path) > DEPTH:
                self.whole = False
                if seen > NODES:
                    return
                continue
            if isinstance(node, Pairs):
                inner = (*around, node)
                stack += [((*path, key), value, inner) for key, value in reversed(node)]
            elif isinstance(node, list):
                stack += [((*path, f"[{index}]"), node[index], around) for index in range(len(node) - 1, -1, -1)]
            elif isinstance(node, str):
                yield path, node, around


def json_tree(text: str) -> Tree | None:
    """The tree of a JSON text, also with comments; of a damaged one what stood before the damage. None: no tree."""
    text = text.strip()
    for spelled in (text, None):
        try:
            root = json.loads(
                plain_json(text) if spelled is None else spelled,
                object_pairs_hook=_scalars,
                parse_int=str,
                parse_float=str,
                parse_constant=str,
            )
        except (ValueError, RecursionError):
            continue
        return Tree(_texts(root)) if isinstance(root, list) else Tree(root, whole=isinstance(root, str))
    tree = yaml_tree(text[:1_048_576]) if text[:1] in ("{", "[") else None
    if tree is not None:
        tree.whole = False
    return tree


def _scalars(found: list[tuple[str, Any]]) -> Pairs:
    return Pairs((key, _texts(value)) for key, value in found)


def _texts(value: Any) -> Any:
    if isinstance(value, str | Pairs):
        return value
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return "" if value is None else str(value)


def yaml_tree(text: str) -> Tree | None:
    """The tree of a YAML text, of a damaged one what stood before the damage. None: it holds no mapping."""
    from pratique.readers.marked import Mapping, Sequence, Text, parse

    parsed = parse(text.encode("utf-8", "replace").decode("utf-8"))
    made: dict[int, Any] = {}

    def convert(node: object, depth: int) -> Any:
        if isinstance(node, Text):
            return node.value
        if id(node) in made:
            return made[id(node)]
        if depth > DEPTH + 10:
            return ""
        result: Any = ""
        if isinstance(node, Mapping):
            result = made[id(node)] = Pairs()
            result += [(key, convert(value, depth + 1)) for key, value in node.pairs]
        elif isinstance(node, Sequence):
            result = made[id(node)] = []
            result += [convert(value, depth + 1) for value in node.items]
        return result

    roots = [convert(node, 0) for node in parsed.documents if not isinstance(node, Text)]
    if not roots:
        return None
    return Tree(roots[0] if len(roots) == 1 else roots, whole=parsed.damage is None)


def toml_tree(text: str) -> Tree | None:
    """The tree of a TOML text; of a damaged one the lines `key = value` that can be told. None: no tree."""
    from pratique.readers.credentials.lines import settings

    if not any(line.count(".") > _MOST_DOTS for line in text.split("\n")):
        try:
            return Tree(_tables(tomllib.loads(text)))
        except (ValueError, RecursionError):
            pass
    root = Pairs()
    tables: dict[str, Pairs] = {}
    for setting in settings(text):
        if setting.key:
            if setting.section not in tables:
                tables[setting.section] = Pairs() if setting.section else root
                if setting.section:
                    root.append((setting.section, tables[setting.section]))
            tables[setting.section].append((setting.key, setting.value))
    return Tree(root, whole=False) if root else None


def _tables(value: Any, depth: int = 0) -> Any:
    if depth > DEPTH + 10:
        return ""
    if isinstance(value, dict):
        return Pairs((key, _tables(item, depth + 1)) for key, item in value.items())
    if isinstance(value, list):
        return [_tables(item, depth + 1) for item in value]
    return value if isinstance(value, str) else str(value)


def matches(patterns: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether a path ends as one of the patterns says; items of lists do not count as parts.

    Keys may hold dots themselves, so a pattern is compared with the last part and with the whole path too. `!` in
    front of a pattern leaves out what it matches.
    """
    return _matches(patterns, tuple(part for part in path if part[:1] != "[" or part[-1:] != "]"))


@functools.lru_cache(maxsize=4096)
def _matches(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    if any(pattern.startswith("!") and _ends(pattern[1:], names) for pattern in patterns):
        return False
    return any(_ends(pattern, names) for pattern in patterns if pattern[:1] not in ("!", "@"))


def _ends(pattern: str, names: tuple[str, ...]) -> bool:
    parts = pattern.split(".")
    if len(parts) <= len(names) and all(
        alike(name, (part,)) for part, name in zip(parts, names[len(names) - len(parts) :], strict=True)
    ):
        return True
    return len(parts) > 1 and bool(names) and alike(names[-1], (pattern,))


def owner(row: Row, path: tuple[str, ...], around: tuple[Pairs, ...]) -> tuple[tuple[str, str], ...]:
    """What the fields of `show` say of whose a field is: the nearest of each name."""
    names = [part for part in path[:-1] if not part.startswith("[")]
    found: list[tuple[str, str | None]] = []
    for entry in row.show:
        name, _, pattern = entry.rpartition("=")
        if pattern.strip("^") == "":
            found.append((name, names[-len(pattern)] if 0 < len(pattern) <= len(names) else None))
            continue
        near = (holder for holder in reversed(around) if not holder.wide)
        value = next((value for holder in near if (value := holder.text(pattern))), None)
        found.append((name or pattern, value if value and value.lower() not in ("null", "none") else None))
    return pairs(*found)


def _aside(around: tuple[Pairs, ...], names: frozenset[str]) -> Any:
    for holder in around[:-3:-1]:
        for key, value in holder if not holder.wide else ():
            if key.lower() in names and value:
                return value
    return None


def scopes_of(value: Any) -> tuple[str, ...]:
    """Scopes from a list or from words."""
    words = value if isinstance(value, list) else str(value).replace(",", " ").split() if value else []
    kept = [shown(word) for word in words[:64] if isinstance(word, str)]
    return tuple(word for word in kept if word)


def told(tree: Tree | None, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """The credentials of a tree: the fields that the row names, and tokens and passwords of URLs in all others."""
    if tree is None:
        yield "not understood"
        return
    given = 0
    for path, value, around in tree.fields():
        if not value.strip():
            continue
        found: CredentialFact | None = None
        if matches(row.fields, path):
            found = fact(
                named(path),
                value,
                row,
                fingerprint,
                identity=owner(row, path, around),
                expires=moment(_aside(around, _EXPIRES)),
                created=moment(_aside(around, _CREATED)),
                scopes=scopes_of(_aside(around, _SCOPES)),
            )
        elif matches(row.references, path):
            if judge(value) != "nothing":
                found = CredentialFact(
                    field=named(path), state="reference", protection="unknown", identity=owner(row, path, around)
                )
        elif is_token(value):
            found = fact(named(path), value, row, fingerprint, identity=owner(row, path, around))
        if found is not None:
            given += 1
            if given > MOST:
                yield "too many entries"
                return
            yield found
    if not tree.whole:
        yield "half understood"


def is_token(value: str) -> bool:
    """Whether a value of a field that says nothing is a token by its format, or a URL with a password."""
    found = recognise(value)
    return (found is not None and not found.public) or url_password(value) is not None

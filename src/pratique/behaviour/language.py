"""The three documents of a rule file: a rule, a correlation of rules, a filter that makes an exception.

Sigma rules 2.0, correlations 2.0 and filters 2.0. What is not evaluated is refused with its place: never half a rule.
Beside Sigma's keys these are ours: `words`, a sentence with `{Field}` in it; and of a filter, `owner` and `expires`.
"""

from __future__ import annotations

import datetime
import re
from typing import Any, Literal, get_args

import msgspec

from pratique.behaviour.documents import Node, Origin
from pratique.behaviour.selections import Detected, detected
from pratique.behaviour.vocabulary import CATEGORIES, PRODUCTS
from pratique.model.event import SEVERITIES, Severity

Way = Literal["event_count", "value_count", "temporal", "temporal_ordered"]
WAYS: tuple[Way, ...] = get_args(Way)
DEFAULT_LEVEL: Severity = "medium"
MOST_COUNT = 10_000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")
_ADVICE = "See docs/how-to/write-a-behaviour-rule.md"


class Head(msgspec.Struct, frozen=True):
    """What all documents have. `name` is that by which it is told and referred to; `file`, `line`: where it stands."""

    name: str
    id: str
    title: str
    file: str
    line: int
    description: str = ""
    author: str = ""
    license: str = ""
    status: str = ""
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    words: str = ""
    unknown: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """A rule on single events of one log source. `level_given` is false where the text names none."""

    head: Head
    category: str
    product: str
    level: Severity
    level_given: bool
    detected: Detected

    @property
    def name(self) -> str:
        """The name by which it is told."""
        return self.head.name


class Count(msgspec.Struct, frozen=True):
    """How many are wanted: at least, at most (None: no bound), and of which field's values, for value_count."""

    least: int
    most: int | None = None
    field: str = ""

    def holds(self, number: int) -> bool:
        """Whether a number is within."""
        return number >= self.least and (self.most is None or number <= self.most)


class Correlation(msgspec.Struct, frozen=True):
    """Several matches of rules within a time. `aliases`: for each alias the field by the name of the rule."""

    head: Head
    way: Way
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    seconds: int
    count: Count | None
    aliases: dict[str, dict[str, str]]
    generate: bool
    level: Severity
    level_given: bool
    lines: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name by which it is told."""
        return self.head.name


class Filter(msgspec.Struct, frozen=True):
    """An exception: events that meet it are told and do not count. `rules`: names or ids; None: any of its log source.

    It holds up to and with the day `expires`, in UTC; `owner` answers for it.
    """

    head: Head
    category: str
    product: str
    rules: tuple[str, ...] | None
    owner: str
    expires: datetime.date
    detected: Detected

    @property
    def name(self) -> str:
        """The name by which it is told."""
        return self.head.name


Document = Rule | Correlation | Filter

_HEAD = {
    "title", "id", "name", "related", "taxonomy", "status", "description", "license", "author", "references", "date",
    "modified", "tags", "fields", "falsepositives", "level", "scope", "words", "simulation", "regression_tests_path",
}  # fmt: skip


def document(node: Node, origin: Origin, stem: str) -> Document:
    """What a document says. `stem` is the name of its file, which names what has no name. Raises ConfigurationError."""
    if not isinstance(node.value, dict):
        raise origin.error(node, "is no rule", f"Write keys: title, logsource, detection. {_ADVICE}")
    kinds = [key for key in ("detection", "correlation", "filter") if key in node.value]
    if len(kinds) != 1:
        what = "is neither a rule, a correlation nor a filter" if not kinds else f"is both {' and '.join(kinds)}"
        raise origin.error(node, what, "Write one of detection, correlation, filter in each document")
    if "action" in node.value:
        raise origin.error(node.keys["action"], "has an `action`, which was given up", "Write documents out in full")
    kind = kinds[0]
    head = _head(node, origin, stem, kind)
    if kind == "correlation":
        return _correlation(node, origin, head)
    category, product = _source(node, origin)
    fields = CATEGORIES[category].fields
    if kind == "filter":
        return _filter(node, origin, head, category, product)
    level, given = _level(node, origin)
    made = detected(node.value["detection"], origin, fields)
    _placed(head, fields, node, origin)
    return Rule(head, category, product, level, given, made)


def _text(node: Node, key: str, origin: Origin, needed: bool = False, most: int = 65_535) -> str:
    found = node.get(key)
    if found is None or found.value is None:
        if needed:
            raise origin.error(node, f"has no {key}", f"Write `{key}:`")
        return ""
    if isinstance(found.value, datetime.date):
        return found.value.isoformat()
    if not isinstance(found.value, str | int | float) or not str(found.value).strip():
        raise origin.error(found, f"{key} is no text", f"Write `{key}:` and a text")
    if len(str(found.value)) > most:
        raise origin.error(found, f"{key} is longer than {most} characters", "Shorten it")
    return str(found.value).strip()


def _texts(node: Node, key: str, origin: Origin) -> tuple[str, ...]:
    found = node.get(key)
    if found is None or found.value is None:
        return ()
    inner = found.value if isinstance(found.value, list) else [found]
    for one in inner:
        if isinstance(one.value, dict | list):
            raise origin.error(one, f"{key} holds something that is no text", f"Write `{key}:` and a list of texts")
    return tuple(str(one.value).strip() for one in inner)


def _head(node: Node, origin: Origin, stem: str, kind: str) -> Head:
    given = node.value if isinstance(node.value, dict) else {}
    taxonomy = _text(node, "taxonomy", origin)
    if taxonomy not in ("", "sigma"):
        raise origin.error(
            node.keys["taxonomy"], f"is written in the taxonomy {taxonomy!r}", "Rewrite it in Sigma's own"
        )
    status = _text(node, "status", origin)
    if status and status not in _STATUSES:
        raise origin.error(node.keys["status"], f"status {status!r} is none", f"Use one of {', '.join(_STATUSES)}")
    if status == "unsupported":
        raise origin.error(node.keys["status"], "says of itself that it is unsupported", "Leave it out")
    own = {"detection": {"logsource"}, "correlation": set(), "filter": {"logsource", "owner", "expires"}}[kind]
    return Head(
        name=_text(node, "name", origin) or stem,
        id=_text(node, "id", origin),
        title=_text(node, "title", origin, needed=True, most=256),
        file=origin.file,
        line=node.line,
        description=_text(node, "description", origin),
        author=_text(node, "author", origin),
        license=_text(node, "license", origin),
        status=status,
        references=_texts(node, "references", origin),
        tags=_texts(node, "tags", origin),
        false_positives=_texts(node, "falsepositives", origin),
        words=_text(node, "words", origin),
        unknown=tuple(key for key in given if key not in _HEAD | own | {kind}),
    )


def _placed(head: Head, fields: Any, node: Node, origin: Origin) -> None:
    """Every place of the words is a field that events of the log source can have."""
    for name in PLACE.findall(head.words):
        if name not in fields:
            raise origin.error(
                node.keys["words"], f"words name the field {name!r}, which no event of this log source has here",
                f"Use one of {', '.join(sorted(fields))}",
            )  # fmt: skip


PLACE = re.compile(r"\{([A-Za-z]+)\}")
"""A place for a field in words."""


def _level(node: Node, origin: Origin) -> tuple[Severity, bool]:
    text = _text(node, "level", origin)
    if not text:
        return DEFAULT_LEVEL, False
    for level in SEVERITIES:
        if text == level:
            return level, True
    raise origin.error(node.keys["level"], f"level {text!r} is none", f"Use one of {', '.join(SEVERITIES)}")


def _source(node: Node, origin: Origin) -> tuple[str, str]:
    """Category and product of the log source."""
    found = node.get("logsource")
    if found is None or not isinstance(found.value, dict):
        raise origin.error(node, "has no logsource", "Write `logsource:` with `category:` below")
    category, product = _text(found, "category", origin), _text(found, "product", origin)
    service = _text(found, "service", origin)
    unknown = set(found.value) - {"category", "product", "service", "definition"}
    if unknown:
        raise origin.error(found, f"logsource has {', '.join(sorted(unknown))}", "Use category and product")
    if service:
        raise origin.error(
            found.keys["service"],
            f"reads the log of the service {service!r}",
            "Only events are judged here: use a category",
        )
    if category not in CATEGORIES:
        what = f"is of the category {category!r}, of which there are no events here" if category else "has no category"
        raise origin.error(found.keys.get("category", found.line), what, f"Use one of {', '.join(CATEGORIES)}")
    if product and product not in PRODUCTS:
        raise origin.error(
            found.keys["product"], f"is for {product!r}, which is not watched here", f"Use one of {', '.join(PRODUCTS)}"
        )
    return category, product


def _filter(node: Node, origin: Origin, head: Head, category: str, product: str) -> Filter:
    owner = _text(node, "owner", origin)
    if not owner:
        raise origin.error(node, "is an exception that nobody answers for", "Write `owner:` with a person or a team")
    ends = node.get("expires")
    if ends is None:
        raise origin.error(node, "is an exception without end", "Write `expires: YYYY-MM-DD`")
    expires = ends.value
    if isinstance(expires, str):
        try:
            expires = datetime.date.fromisoformat(expires)
        except ValueError:
            expires = None
    if not isinstance(expires, datetime.date) or isinstance(expires, datetime.datetime):
        raise origin.error(ends, "expires is no date", "Write `expires: YYYY-MM-DD`")
    body = node.get("filter")
    if body is None or not isinstance(body.value, dict):
        raise origin.error(node, "has a filter that is no mapping", _ADVICE)
    rules = body.get("rules")
    if rules is None:
        raise origin.error(body, "does not say for which rules", "Write `rules:` with names or ids, or `any`")
    named = None if isinstance(rules.value, str) and rules.value.lower() == "any" else _texts(body, "rules", origin)
    if named is not None and not named:
        raise origin.error(rules, "names no rule", "Write names or ids, or `any`")
    made = detected(body, origin, CATEGORIES[category].fields, skip=("rules",))
    return Filter(head, category, product, named, owner, expires, made)


def _correlation(node: Node, origin: Origin, head: Head) -> Correlation:
    body = node.get("correlation")
    if body is None or not isinstance(body.value, dict):
        raise origin.error(node, "has a correlation that is no mapping", _ADVICE)
    unknown = set(body.value) - {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}
    if unknown:
        raise origin.error(body, f"correlation has {', '.join(sorted(unknown))}", "Remove it: it would not be heeded")
    kind = _text(body, "type", origin, needed=True)
    way = next((one for one in WAYS if one == kind), None)
    if way is None:
        raise origin.error(
            body.keys["type"], f"the correlation {kind!r} is not evaluated", f"Use one of {', '.join(WAYS)}"
        )
    rules = _texts(body, "rules", origin)
    least = 2 if way.startswith("temporal") else 1
    if len(rules) < least or len(set(rules)) < len(rules):
        raise origin.error(body, f"correlates {len(rules)} rules", f"Name {least} or more different ones below `rules`")
    listed = body.get("rules")
    lines = (
        tuple(one.line for one in listed.value)
        if listed and isinstance(listed.value, list)
        else (body.line,) * len(rules)
    )
    generate = body.get("generate")
    if generate is not None and not isinstance(generate.value, bool):
        raise origin.error(generate, "generate is neither true nor false", "Write true or false")
    if "generate" in (node.value if isinstance(node.value, dict) else {}):
        raise origin.error(
            node.keys["generate"], "generate stands outside of the correlation", "Move it below `correlation`"
        )
    level, given = _level(node, origin)
    return Correlation(
        head=head,
        way=way,
        rules=rules,
        group_by=_texts(body, "group-by", origin),
        seconds=_seconds(body, origin),
        count=_count(body, origin, way),
        aliases=_aliases(body, origin, rules),
        generate=generate is not None and generate.value is True,
        level=level,
        level_given=given,
        lines=lines,
    )


def _seconds(body: Node, origin: Origin) -> int:
    text = _text(body, "timespan", origin, needed=True)
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None or not int(found[1]):
        raise origin.error(body.keys["timespan"], f"timespan {text!r} is none", "Write a number and s, m, h or d: 90m")
    return int(found[1]) * _UNITS[found[2]]


def _count(body: Node, origin: Origin, way: str) -> Count | None:
    """The condition of a correlation as a least and a most."""
    node = body.get("condition")
    if way.startswith("temporal"):
        if node is not None:
            raise origin.error(
                node, f"has a condition, which is not evaluated for {way}", "Leave it out: all rules named must match"
            )
        return None
    if node is None or not isinstance(node.value, dict):
        raise origin.error(body, "has no condition", "Write `condition:` with `gte: 10` below")
    least, most, field = 0, None, ""
    for key, one in node.value.items():
        if key == "field":
            field = _text(node, key, origin)
            if isinstance(one.value, list):
                raise origin.error(one, "counts several fields together", "Name one field")
            continue
        if key not in ("gt", "gte", "lt", "lte", "eq"):
            raise origin.error(one, f"the condition has {key!r}", "Use gt, gte, lt, lte, eq and field")
        if not isinstance(one.value, int) or isinstance(one.value, bool) or not 0 <= one.value <= MOST_COUNT:
            raise origin.error(one, f"{key} is no number from 0 to {MOST_COUNT}", "Write a number without quotes")
        if key in ("gt", "gte", "eq"):
            least = max(least, one.value + (key == "gt"))
        if key in ("lt", "lte", "eq"):
            above = one.value - (key == "lt")
            most = above if most is None else min(most, above)
    if least < 1:
        raise origin.error(
            node, "would hold before anything happens", "Write gt, gte or eq: nobody knows what never comes"
        )
    if most is not None and most < least:
        raise origin.error(node, "can never hold", "Write a least that is not above the most")
    if bool(field) != (way == "value_count"):
        raise origin.error(node, f"{way} and a field do not go together", "Count values with value_count and `field`")
    return Count(least, most, field)


def _aliases(body: Node, origin: Origin, rules: tuple[str, ...]) -> dict[str, dict[str, str]]:
    node = body.get("aliases")
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        raise origin.error(node, "aliases is no mapping", "Write the alias, and below it each rule's name and field")
    made: dict[str, dict[str, str]] = {}
    for alias, inner in node.value.items():
        if not isinstance(inner.value, dict):
            raise origin.error(inner, f"alias {alias!r} is no mapping", "Write each rule's name and field below it")
        made[alias] = {rule: _text(inner, rule, origin, needed=True) for rule in inner.value}
        wrong = set(made[alias]) ^ set(rules)
        if wrong:
            raise origin.error(
                inner,
                f"alias {alias!r} and the rules do not fit: {', '.join(sorted(wrong))}",
                "Name a field for each rule",
            )
    return made

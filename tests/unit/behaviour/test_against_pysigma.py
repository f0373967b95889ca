"""Every rule means what pySigma reads in it: the same answer on the same fields, for our rules and for made-up ones."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule

from pratique.behaviour.language import Rule
from pratique.behaviour.library import bundled, texts_of_bundled
from pratique.behaviour.ruleset import rules_of
from pratique.behaviour.views import MappedView
from pratique.behaviour.vocabulary import CATEGORIES
from pratique.model.errors import ConfigurationError
from tests.unit.behaviour.reading import holds

RULES = {rule.name: rule for rule in bundled().rules}


def _read() -> SigmaCollection:
    return SigmaCollection.from_yaml("---\n".join(_sigma(text) for _, text in texts_of_bundled()))


def _sigma(text: str) -> str:
    """The text without the one key that is ours."""
    documents = list(yaml.safe_load_all(text))
    for one in documents:
        one.pop("words", None)
    return yaml.safe_dump_all(documents, sort_keys=False)


READ = {str(rule.name): rule for rule in _read().rules}


def test_pysigma_reads_every_rule_without_an_error() -> None:
    assert not _read().errors
    assert set(READ) == {*RULES, *(one.name for one in bundled().correlations)}


def test_correlations_mean_the_same() -> None:
    for ours in bundled().correlations:
        theirs = READ[ours.name]
        assert isinstance(theirs, SigmaCorrelationRule)
        assert [str(one.reference) for one in theirs.rules] == list(ours.rules)
        assert theirs.type.name.lower() == ours.way
        assert theirs.timespan is not None
        assert theirs.timespan.seconds == ours.seconds
        assert list(theirs.group_by or []) == list(ours.group_by)
        assert bool(theirs.generate) is ours.generate


def _values(node: Any) -> list[str]:
    """All values of a rule, bare and with something around them: what an event would have to hold."""
    if isinstance(node, dict):
        return [one for inner in node.values() for one in _values(inner)]
    if isinstance(node, list):
        return [one for inner in node for one in _values(inner)]
    text = str(node)
    return [text, text.upper(), f"/x{text}", f"{text} y", f"/q{text}z", text[1:]]


def _pool(text: str) -> list[str]:
    found = [one for document in yaml.safe_load_all(text) for one in _values(document.get("detection", {}))]
    return list(dict.fromkeys(found))


POOLS = {
    document["name"]: _pool(text)
    for _, text in texts_of_bundled()
    for document in yaml.safe_load_all(text)
    if "detection" in document
}
OTHERS = ["", "harbour", "/usr/bin/node", "203.0.113.9", "10.1.2.3", "::ffff:10.0.0.1", "169.254.169.254", "443", "8000",
          "/tmp/x.py", "sh -c curl -s x.test | sh", "/home/ann/.npmrc", "/home/ann/.ssh/id_rsa", "npm", "postinstall"]  # fmt: skip


@pytest.mark.parametrize("name", sorted(RULES))
@given(data=st.data())
def test_a_rule_means_what_pysigma_reads(name: str, data: st.DataObject) -> None:
    rule, theirs = RULES[name], READ[name]
    assert isinstance(theirs, SigmaRule)
    texts = st.sampled_from([*POOLS[name], *OTHERS])
    values = st.none() | texts | st.booleans() | st.lists(texts, min_size=1, max_size=3).map(tuple)
    fields = {field: data.draw(values) for field in sorted(set(rule.detected.fields))}
    assert rule.detected.matches(MappedView(fields)) is holds(theirs, fields)


FIELDS = sorted(set(CATEGORIES["process_creation"].fields) - {"ProcessId"})[:6]
PIECES = st.text(alphabet="aB*?\\/-.$ é", min_size=1, max_size=6)
MODIFIERS = ["", "contains", "startswith", "endswith", "cased", "contains|all", "contains|cased", "neq", "base64",
             "base64offset|contains", "wide|base64offset|contains", "windash", "windash|contains", "re", "re|i", "fieldref",
             "fieldref|startswith", "exists", "lt", "gte", "cidr"]  # fmt: skip


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule with selections of every form."""
    made: dict[str, Any] = {}
    names = ["one", "two", "filter_x"][: draw(st.integers(1, 3))]
    for name in names:
        made[name] = draw(
            _mappings() | st.lists(_mappings(), min_size=1, max_size=2) | st.lists(PIECES, min_size=1, max_size=2)
        )
    form = st.sampled_from(["{0}", "not {0}", "{0} and {1}", "{0} or not {1}", "1 of them", "all of them",
                            "{0} and not ({1} or {2})", "not 1 of filter_* and {0}"])  # fmt: skip
    condition = draw(form).format(*(draw(st.sampled_from(names)) for _ in range(3)))
    made["condition"] = condition
    whole = {"title": "made up", "name": "made-up", "logsource": {"category": "process_creation"}, "detection": made}
    return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False)


@st.composite
def _mappings(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=2, unique=True)):
        modifier = draw(st.sampled_from(MODIFIERS))
        value: st.SearchStrategy[Any] = PIECES
        if modifier in ("lt", "gte"):
            value = st.integers(0, 5)
        elif modifier == "exists":
            value = st.booleans()
        elif modifier == "cidr":
            value = st.sampled_from(["10.0.0.0/8", "::1/128"])
        elif modifier.startswith("fieldref"):
            value = st.sampled_from(FIELDS)
        elif modifier.startswith("re"):
            value = st.sampled_from(["^a", "a.*b", "[aB]+$", r"\bB"])
        elif modifier in ("", "neq"):
            value = PIECES | st.integers(0, 5) | st.none()
        several = st.lists(value, min_size=2, max_size=3)
        key = f"{field}|{modifier}" if modifier else field
        made[key] = draw(several if "all" in modifier else value if modifier == "exists" else value | several)
    return made


def _near(text: str) -> list[str]:
    """Values that nearly are, or are, what a made-up rule wants."""
    found = []
    for one in _values(yaml.safe_load(text)["detection"]):
        plain = one.encode()
        found += [one, one.swapcase(), one.replace("*", "zz").replace("?", "z"), one.replace("-", "/")]
        found += [base64.b64encode(plain).decode(), base64.b64encode(one.encode("utf-16be")).decode()]
        for before in (b"", b"q", b"qq"):
            found.append(base64.b64encode(before + plain + b"t").decode())
            found.append(base64.b64encode(before + one.encode("utf-16le")).decode())
    return list(dict.fromkeys(found))


@given(rules(), st.data())
def test_made_up_rules_mean_what_pysigma_reads(text: str, data: st.DataObject) -> None:
    try:
        theirs = SigmaCollection.from_yaml(text)
        read = [one.parsed for one in theirs.rules[0].detection.parsed_condition]  # type: ignore[union-attr]  # one rule
    except Exception:  # noqa: BLE001  any failure of theirs: what they do not read, nobody can compare
        assume(False)
        return
    assert read
    try:
        ours = rules_of([("made-up.yml", text)]).rules[0]
    except ConfigurationError:
        return  # more is refused here than there; that nothing is misread is the claim
    assert isinstance(ours, Rule)
    values = (
        st.none() | st.text(alphabet="aB*?\\/-.$ é1", max_size=8) | st.sampled_from(["10.1.1.1", "::1", "3", "YWE="])
    )
    fields = {field: data.draw(values) for field in FIELDS}
    read_rule = theirs.rules[0]
    assert isinstance(read_rule, SigmaRule)
    assert ours.detected.matches(MappedView(fields)) is holds(read_rule, fields)


WANTED = [
    "cmd",
    "Cmd.exe",
    "a b",
    "-enc",
    "x /e y",
    "a*b",
    "?b",
    r"a\*b",
    r"a\\*b",
    r"C:\Users\x",
    "*",
    "é",
    "ab*",
    "*ab",
    "a",
]


@pytest.mark.parametrize(
    "modifier", [one for one in MODIFIERS if one not in ("lt", "gte", "cidr", "exists")] + ["utf16be|base64"]
)
def test_each_modifier_means_what_pysigma_reads(modifier: str) -> None:
    compared = met = 0
    for wanted in WANTED:
        value: Any = [wanted, "b"] if "all" in modifier else "ParentImage" if "fieldref" in modifier else wanted
        detection = {"one": {f"Image|{modifier}".rstrip("|"): value}, "condition": "one"}
        whole = {
            "title": "made up",
            "name": "made-up",
            "logsource": {"category": "process_creation"},
            "detection": detection,
        }
        text = yaml.safe_dump(whole, allow_unicode=True)
        try:
            theirs = SigmaCollection.from_yaml(text).rules[0]
            assert isinstance(theirs, SigmaRule)
            holds(theirs, {})
            ours = rules_of([("made-up.yml", text)]).rules[0]
        except Exception:  # noqa: BLE001  not read by one of them, so there is nothing to compare
            continue
        for subject in dict.fromkeys([*_near(text), *WANTED]):
            fields = {"Image": subject, "ParentImage": wanted}
            found = holds(theirs, fields)
            assert ours.detected.matches(MappedView(fields)) is found, (wanted, subject)
            compared += 1
            met += found
    assert compared > 100
    assert 0 < met < compared

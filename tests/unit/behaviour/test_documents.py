"""Rule files: what cannot be evaluated is refused with file, line and advice, and nothing is half read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.behaviour.library import texts_of_bundled
from pratique.behaviour.ruleset import rules_of
from pratique.model.errors import ConfigurationError

RULE = """title: a rule
name: a-rule
logsource:
    category: process_creation
detection:
    selection:
        Image|endswith: '/sh'
    condition: selection
level: high
"""
CORRELATION = """---
title: several
name: several
correlation:
    type: event_count
    rules: [a-rule]
    group-by: [PackageName]
    timespan: 5m
    condition:
        gte: 2
"""
FILTER = """---
title: ours
owner: team
expires: 2030-01-01
logsource:
    category: process_creation
filter:
    rules: [a-rule]
    selection:
        Image: /bin/sh
    condition: selection
"""


def test_the_forms_that_the_others_break_are_read() -> None:
    found = rules_of([("r.yml", RULE + CORRELATION + FILTER)])
    assert (len(found.rules), len(found.correlations), len(found.filters)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("Image|endswith", "Image|fuzzy", 7, "there is no modifier 'fuzzy'"),
        ("Image|endswith", "Image|expand", 7, "'expand' is not evaluated"),
        ("Image|endswith", "Image|hour", 7, "'hour' is not evaluated"),
        ("Image|endswith", "Picture|endswith", 7, "speaks of the field 'Picture'"),
        ("Image|endswith: '/sh'", "Image|re: '(?=a)b'", 7, "is not evaluated"),
        ("Image|endswith: '/sh'", "Image|cidr: here", 7, "is no range of addresses"),
        ("Image|endswith: '/sh'", "Image|gt: three", 7, "compares numbers"),
        ("Image|endswith: '/sh'", "Image|endswith: []", 7, "names no value"),
        ("Image|endswith: '/sh'", "Image:\n            a: b", 8, "holds a mapping"),
        ("condition: selection", "condition: selektion", 8, "there is no selection 'selektion'"),
        ("condition: selection", "condition: selection and", 8, "ends where a selection is expected"),
        ("condition: selection", "condition: (selection", 8, "not closed"),
        ("condition: selection", "condition: selection AND selection", 8, "'AND'"),
        ("condition: selection", "condition: 2 of them", 8, "only `1 of` and `all of`"),
        ("condition: selection", "condition: selection | count() > 5", 8, "write a correlation instead"),
        ("    condition: selection\n", "", 6, "has no condition"),
        ("    condition: selection\n", "    condition: selection\n    timeframe: 5m\n", 9, "has a timeframe"),
        ("category: process_creation", "category: registry_set", 4, "'registry_set', of which there are no events here"),
        ("category: process_creation", "category: process_creation\n    service: sshd", 5, "the service 'sshd'"),
        ("category: process_creation", "category: process_creation\n    product: zos", 5, "'zos'"),
        ("level: high", "level: terrible", 9, "level 'terrible' is none"),
        ("level: high", "level: high\nstatus: unsupported", 10, "unsupported"),
        ("level: high", "level: high\ntaxonomy: ecs", 10, "taxonomy 'ecs'"),
        ("level: high", "level: high\nlevel: low", 10, "the key 'level' twice"),
        ("level: high", "level: high\naction: global", 10, "given up"),
        ("level: high", "level: high\nwords: '{Nothing} did'", 10, "words name the field 'Nothing'"),
        ("title: a rule\n", "", 1, "has no title"),
        ("title: a rule", "title: &x a rule\nauthor: *x", 2, "uses the alias"),
        ("title: a rule", "title: !!python/object:os.system a", 1, "has the tag"),
        ("title: a rule", "title: [a", 1, "is no"),
        ("type: event_count", "type: value_avg", 14, "'value_avg' is not evaluated"),
        ("rules: [a-rule]\n    group-by", "rules: [b-rule]\n    group-by", 15, "refers to 'b-rule'"),
        ("rules: [a-rule]\n    group-by", "rules: [several]\n    group-by", 11, "rests on itself"),
        ("group-by: [PackageName]", "group-by: [Nothing]", 11, "uses the field 'Nothing'"),
        ("timespan: 5m", "timespan: 5 minutes", 17, "timespan '5 minutes' is none"),
        ("gte: 2", "lte: 2", 19, "would hold before anything happens"),
        ("gte: 2", "gte: 2\n        lt: 2", 19, "can never hold"),
        ("gte: 2", "gte: 2\n        field: Image", 19, "do not go together"),
        ("owner: team\n", "", 21, "nobody answers for"),
        ("expires: 2030-01-01\n", "", 21, "without end"),
        ("expires: 2030-01-01", "expires: soon", 23, "expires is no date"),
        ("filter:\n    rules: [a-rule]", "filter:\n    rules: [c-rule]", 21, "makes an exception of 'c-rule'"),
        ("filter:\n    rules: [a-rule]", "filter:\n    rules: [several]", 21, "the correlation 'several'"),
    ],
)  # fmt: skip
def test_what_is_not_evaluated_is_refused_where_it_stands(old: str, new: str, line: int, reason: str) -> None:
    whole = RULE + CORRELATION + FILTER
    assert old in whole
    with pytest.raises(ConfigurationError) as raised:
        rules_of([("r.yml", whole.replace(old, new, 1))])
    assert reason in raised.value.what
    place = raised.value.where or ""
    assert place.startswith("r.yml:")
    assert abs(int(place.partition(":")[2]) - line) <= 1, place
    assert raised.value.advice


@pytest.mark.parametrize(
    "text",
    ["", "---\n", "just text", "a: b", "\x00", "[" * 10_000, "a: " + "x" * (1 << 21), "- " * 3000, "? [a]\n: b\n"],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        rules_of([("r.yml", text)])


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"stands for two rules; the other is in a\.yml:1"):
        rules_of([("a.yml", RULE), ("b.yml", RULE)])


@given(st.sampled_from([text for _, text in texts_of_bundled()]), st.data())
def test_a_damaged_rule_is_read_or_refused(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(at, min(len(text), at + 30)))
    damaged = text[:at] + data.draw(st.text(max_size=5)) + text[end:]
    try:
        found = rules_of([("r.yml", damaged)])
    except ConfigurationError as error:
        assert error.where
        assert error.advice
        return
    assert found.rules or found.correlations or found.filters

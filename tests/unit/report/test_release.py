"""What `inspect` says: the chain in words, what was not examined, and nothing that a release wrote acts."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from pratique.model.observation import Refusal
from pratique.model.release import RELEASE_SCHEMA, Fact, Inspection, ReleaseReport, Transition
from pratique.releases.judge import judge
from pratique.releases.rules.language import parse_rule
from pratique.report import release_schema
from pratique.report.release_html import release_html
from pratique.report.release_json import exit_code, release_json
from pratique.report.release_sarif import release_sarif
from pratique.report.release_text import release_lines
from tests.unit.releases.rules.build import fact, rule, transition

SUBSET = Path(__file__).parents[2] / "golden" / "report" / "sarif-subset.schema.json"
CHAIN = parse_rule(
    rule(
        'words = "{release} adds {dependency}, which runs {hook.command} at install"',
        '[[all]]\nfact = "dependency.declared"\ndelta = ["added"]',
        '[[all]]\nfact = "trigger.lifecycle"\nof = "dependency"\nas = "hook"',
        scope="dependency",
    ),
    "x",
)
ODD = parse_rule(rule('[[all]]\nfact = "trigger.bin"', alarms=2).replace("a-rule", "odd"), "x")


def report(*transitions: Transition, refusals: tuple[Refusal, ...] = ()) -> ReleaseReport:
    """A report on these."""
    made = tuple(Inspection(one, judge(one, (CHAIN, ODD))) for one in transitions)
    return ReleaseReport(
        RELEASE_SCHEMA, "0.1.0", "2026-04-01T00:00:00Z", ("pratique", "inspect"), made, refusals, rules="ab" * 32
    )


def carrier(command: str = "node setup.js", excerpt: str = '"mooring": "^1.0.0"') -> Transition:
    """A release that adds a dependency which runs something."""
    declared = msgspec.structs.replace(fact("dependency.declared", "package.json", 61, name="mooring"), excerpt=excerpt)
    hook: Fact = fact("trigger.lifecycle", "package.json", 4, "unknown", event="postinstall", command=command)
    mooring = transition(hook, name="mooring", version="1.0.0", predecessor="", kind="first", depth=1)
    return transition(declared, dependencies=(mooring,))


def test_the_chain_stands_in_one_screen() -> None:
    lines = list(release_lines(report(carrier())))
    assert lines[0] == "BLOCK  harbour 1.0.1 (npm), after 1.0.0, patch"
    assert "  1. harbour 1.0.1 adds mooring, which runs node setup.js at install" in lines
    assert "       package.json:61" in lines
    assert '         "mooring": "^1.0.0"' in lines
    assert "       mooring 1.0.0  package.json:4" in lines
    assert len(lines) < 20
    assert max(map(len, lines)) <= 100


def test_nothing_found_is_said_of_what_was_examined() -> None:
    text = "\n".join(release_lines(report(transition())))
    assert text.startswith("NONE")
    assert "nothing found in what was examined" in text
    assert exit_code(report(transition())) == 0


def test_what_was_not_examined_is_told_and_counts() -> None:
    refused = Refusal("lib/a.js", "javascript", "is larger than the budget", True, target="pkg:npm/harbour@1.0.1")
    made = report(transition(refusals=(refused,)))
    text = "\n".join(release_lines(made))
    assert "NOT EXAMINED  1" in text
    assert "harbour 1.0.1 lib/a.js: is larger than the budget" in text
    assert exit_code(made) == 4
    idle = report(transition(refusals=(msgspec.structs.replace(refused, relevant=False),)))
    assert "LEFT OUT  1 thing that cannot carry what is looked for (--all)" in list(release_lines(idle))
    assert "LEFT OUT  1 thing" in list(release_lines(idle, every=True))
    assert exit_code(report(refusals=(refused,))) == 4
    assert exit_code(report(carrier(), refusals=(refused,))) == 13, "a level that was reached wins"


def test_exit_codes() -> None:
    assert exit_code(report(carrier())) == 13
    assert exit_code(report(transition(fact("trigger.bin")))) == 12


def test_of_several_the_highest_stands_first_and_quiet_ones_are_counted() -> None:
    lines = list(release_lines(report(transition(), transition(fact("trigger.bin")), carrier(), transition())))
    assert lines[0] == "BLOCK  4 releases: 1 block, 1 review, 2 none"
    assert lines[-1] == "2 releases more: nothing found in what was examined"
    every = list(release_lines(report(transition(), carrier()), every=True))
    assert sum(line.startswith(("BLOCK  harbour", "NONE  harbour")) for line in every) == 2


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\u202e", "<script>alert(1)</script>", "{{ 7*7 }}", "a\r\nBLOCK"])
def test_what_a_release_wrote_acts_nowhere(hostile: str) -> None:
    made = report(carrier(hostile, hostile))
    text = "\n".join(release_lines(made))
    page = release_html(made).decode()
    for shown in (text, page, release_json(made).decode(), release_sarif(made).decode()):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\r" not in shown
    assert "<script" not in page
    assert hostile != "{{ 7*7 }}" or "{{ 7*7 }}" in page, "a template in a release stays text"


def test_json_fits_its_schema() -> None:
    assert release_schema.PATH.read_text("utf-8") == release_schema.text()
    whole = Draft202012Validator(release_schema.schema())
    for made in (report(carrier()), report(), report(transition(fact("trigger.bin")))):
        document = json.loads(release_json(made))
        whole.validate(document)
        assert document["exit_code"] == exit_code(made)


def test_sarif_fits_the_subset_and_says_what_was_not_examined() -> None:
    refused = Refusal("lib/a.js", "javascript", "is larger than the budget", True)
    log = json.loads(release_sarif(report(carrier(), refusals=(refused,))))
    Draft7Validator(json.loads(SUBSET.read_text("utf-8"))).validate(log)
    run = log["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "larger than the budget" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert run["results"][0]["level"] == "error"
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 61

"""The forms of a detonation's report: levels, exit codes, the tree of processes; hostile texts stay inert."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from pratique.model.detonation import (
    Behaviour,
    Detonation,
    DetonationRun,
    Examined,
    Found,
    Payload,
    Planted,
    Step,
)
from pratique.model.event import Ancestor, Cause, Detection, Event, Process, Severity
from pratique.report import detonation_schema
from pratique.report.detonation_html import detonation_html
from pratique.report.detonation_json import detonation_json
from pratique.report.detonation_text import detonation_lines
from pratique.report.detonation_words import complete, exit_code, level_of, tree

HOSTILE = "</title><script>alert(1)</script>\x1b[31m\u202e"
CAUSE = Cause("npm", "anchor", "1.0.0", "postinstall", "environment")


def started(
    sequence: int, pid: int, parent: int, *arguments: str, above: tuple[Ancestor, ...] = (), **more: Any
) -> Event:
    process = Process(pid, parent, executable=f"/usr/bin/{arguments[0]}", arguments=arguments, ancestors=above)
    return Event("process.start", "notify", sequence, sequence, process=process, cause=CAUSE, outcome="done", **more)


def run(*detections: Severity, **fields: Any) -> DetonationRun:
    made = [Detection(f"rule-{level}", "A rule", level, f"{HOSTILE} did it", (1,)) for level in detections]
    whole: dict[str, Any] = {"steps": (Step("install", "npm install", 0),), "detections": tuple(made)} | fields
    return DetonationRun("laptop", **whole)


def report(*runs: DetonationRun) -> Detonation:
    return Detonation(
        schema="pratique.detonation/1",
        version="0",
        generated="2026-01-01T00:00:00Z",
        command=("pratique", "detonate"),
        releases=(Examined("pkg:npm/anchor@1.0.0", "npm", HOSTILE, "1.0.0", "anchor.tgz", "0" * 64),),
        runs=runs,
        planted=(Planted("npm token", "~/.npmrc"),),
        layers=("namespaces",),
        gaps=(HOSTILE,),
    )


@pytest.mark.parametrize(
    ("made", "level", "code"),
    [
        (run(), "nothing", 0),
        (run("informational", behaviours=(Behaviour("program.started", "ran sh"),)), "note", 0),
        (run("low"), "review", 12),
        (run("medium", "informational"), "review", 12),
        (run("low", "high"), "block", 13),
        (run("critical"), "block", 13),
        (run(timed_out=True), "nothing", 4),
        (run(broken="it used too much"), "nothing", 4),
        (run(steps=(Step("install", "npm install", None),)), "nothing", 4),
        (run(steps=(Step("install", "npm install", 1),)), "nothing", 4),
        (run("high", timed_out=True), "block", 13),
    ],
)
def test_the_level_is_that_of_the_strongest_rule_and_a_gap_is_no_nothing(
    made: DetonationRun, level: str, code: int
) -> None:
    whole = report(made)
    assert level_of(whole) == level
    assert exit_code(whole) == code
    assert complete(whole) == (not made.timed_out and not made.broken and made.steps[0].code == 0)
    assert level_of(report(run(), made)) == level


def test_an_excepted_detection_does_not_count() -> None:
    (one,) = run("critical").detections
    excepted = run(detections=(msgspec.structs.replace(one, silenced_by="owner"),))
    assert exit_code(report(excepted)) == 0
    assert any("excepted: owner" in line for line in detonation_lines(report(excepted)))


def test_processes_hang_below_those_that_started_them() -> None:
    client = Ancestor(10, "/usr/bin/node", "npm")
    made = run(
        events=(
            started(1, 20, 10, "sh", "-c", "node setup.js", above=(client,)),
            started(2, 21, 20, "node", "setup.js", above=(Ancestor(20, "/bin/sh", "sh"), client)),
            started(3, 21, 20, "python3", "/tmp/ld.py", dropped=True, path_class="temporary"),
            started(4, 22, 10, "sh", "-c", "true", above=(client,)),
        ),
        survivors=(Process(21),),
    )
    found = [(node.depth, node.text, node.known, node.dropped, node.survived) for node in tree(made)]
    assert found == [
        (0, "npm", True, False, False),
        (1, "sh -c 'node setup.js'", False, False, False),
        (2, "node setup.js", False, False, True),
        (3, "python3 /tmp/ld.py", False, True, True),
        (1, "sh -c true", False, False, False),
    ]


def hostile() -> Detonation:
    return report(
        run(
            "high",
            behaviours=(Behaviour("credential.read", f"read {HOSTILE}", (1,), Cause("npm", HOSTILE)),),
            payloads=(
                Payload("http", HOSTILE, 80, HOSTILE, "GET", HOSTILE, 1, "0", HOSTILE, ("npm token",), (HOSTILE,)),
            ),
            dropped=(Found(HOSTILE, 1),),
            events=(started(1, 20, 0, HOSTILE),),
            output=HOSTILE,
            gaps=(HOSTILE,),
            steps=(Step(HOSTILE, HOSTILE, 1),),
        )
    )


def test_what_a_suspect_wrote_stays_text_on_the_page() -> None:
    page = detonation_html(hostile()).decode()
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page


def test_no_line_holds_what_a_terminal_would_obey() -> None:
    for every in (False, True):
        lines = list(detonation_lines(hostile(), every=every))
        assert lines
        assert all(line.isprintable() and len(line) <= 160 for line in lines)


def test_the_json_form_is_that_of_the_published_schema() -> None:
    assert detonation_schema.PATH.read_text("utf-8") == detonation_schema.text()
    document = json.loads(detonation_json(hostile()))
    Draft202012Validator(detonation_schema.schema()).validate(document)
    assert (document["level"], document["complete"], document["exit_code"]) == ("block", False, 13)

"""What rules make of a guarded command, in every form: the screen, JSON, SARIF, GitHub's annotations, the exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from pratique import api
from pratique.adapters.supervisor import unusable
from pratique.report import guard_schema

REASON = unusable()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"no filter with a listener can be set here: {REASON}")
SARIF = Path(__file__).parents[1] / "golden" / "report" / "sarif-subset.schema.json"
STEP = {"npm_package_name": "anchor", "npm_package_version": "1.0.0", "npm_lifecycle_event": "postinstall"}
"""What a package manager tells the scripts that it starts."""
PERSIST = "echo '# inert' >> $HOME/.bashrc"
EXCEPTION = """title: our shell tool
owner: platform team
expires: {expires}
logsource:
    category: file_event
filter:
    rules: [persistence]
    selection:
        PackageName: anchor
    condition: selection
"""

Done = subprocess.CompletedProcess[str]
Guard = Callable[..., Done]


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    (tmp_path / "home").mkdir()
    (tmp_path / "node_modules/anchor").mkdir(parents=True)

    def run(*words: str, script: str = PERSIST, **variables: str) -> Done:
        given = {
            **os.environ,
            "HOME": str(tmp_path / "home"),
            "PYTHONPATH": os.pathsep.join(sys.path),
            **STEP,
            **variables,
        }
        given |= {"PRATIQUE_ISOLATED": "no", "npm_package_json": str(tmp_path / "node_modules/anchor/package.json")}
        given.setdefault("GITHUB_ACTIONS", "")
        return subprocess.run(
            [sys.executable, "-m", "pratique", "guard", "--linger", "0", *words, "--", "sh", "-c", script],
            cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def test_a_detection_is_told_first_with_its_rule(guard: Guard, tmp_path: Path) -> None:
    done = guard()
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert lines[2] == "DETECTED  1 high"
    assert lines[3] == f"  high           anchor (postinstall) wrote {tmp_path}/home/.bashrc  [persistence]"


def test_nothing_detected_is_never_more_than_nothing_in_what_was_seen(guard: Guard) -> None:
    done = guard(script="true")
    assert "DETECTED  nothing that alarms in what was seen" in done.stderr
    assert "NOT SEEN" in done.stderr


@pytest.mark.parametrize(("level", "code"), [("low", 13), ("high", 13), ("critical", 5)])
def test_the_code_is_that_of_the_command_unless_the_level_is_reached(guard: Guard, level: str, code: int) -> None:
    done = guard("--fail-on", level, script=f"{PERSIST}; exit 5")
    assert done.returncode == code
    assert ("FAILED" in done.stderr) is (code == 13)


def test_the_json_is_what_its_schema_says(guard: Guard, tmp_path: Path) -> None:
    assert guard("--json", "guard.json", "--fail-on", "medium").returncode == 13
    document = json.loads((tmp_path / "guard.json").read_text("utf-8"))
    Draft202012Validator(guard_schema.schema()).validate(document)
    assert document["level"] == "high"
    assert (document["code"], document["exit_code"]) == (0, 13)
    (one,) = document["detections"]
    assert one["rule"] == "persistence"
    assert one["cause"]["name"] == "anchor"
    assert {row["category"] for row in document["watch"]["categories"]} >= {"process.start", "network.payload"}


def test_the_schema_on_disk_is_current() -> None:
    assert guard_schema.PATH.read_text("utf-8") == guard_schema.text()


def test_the_sarif_is_valid_and_tells_what_was_not_seen(guard: Guard, tmp_path: Path) -> None:
    guard("--sarif", "guard.sarif")
    document: Any = json.loads((tmp_path / "guard.sarif").read_text("utf-8"))
    Draft7Validator(json.loads(SARIF.read_text("utf-8"))).validate(document)
    (run,) = document["runs"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("persistence", "error")
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert any("network.payload was seen not" in note["message"]["text"] for note in notes)


def test_github_gets_annotations_and_a_summary_and_no_line_of_its_own(guard: Guard, tmp_path: Path) -> None:
    script = 'cp /bin/true "/tmp/x%0A::error::y$$" && "/tmp/x%0A::error::y$$"; rm -f /tmp/x%0A*; ' + PERSIST
    done = guard(script=script, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    annotations = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert len(annotations) >= 2
    assert all(line.startswith("::error title=high ") for line in annotations)
    assert any("x%250A::error::y" in line for line in annotations)
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert summary.startswith("## pratique guard: high\n")
    assert "| high | `anchor@1.0.0, postinstall` |" in summary
    assert "network.payload" in summary
    assert not [line for line in guard().stderr.splitlines() if line.startswith("::")]


def test_an_exception_is_told_and_does_not_count(guard: Guard, tmp_path: Path) -> None:
    (tmp_path / "exceptions.yml").write_text(EXCEPTION.format(expires="2999-01-01"), "utf-8")
    done = guard("--rules", "exceptions.yml", "--fail-on", "low", "--sarif", "guard.sarif")
    assert done.returncode == 0
    assert "excepted       persistence: our shell tool, owner platform team, until 2999-01-01" in done.stderr
    (result,) = json.loads((tmp_path / "guard.sarif").read_text("utf-8"))["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "our shell tool, owner platform team, until 2999-01-01"


def test_an_exception_that_has_ended_counts_no_more(guard: Guard, tmp_path: Path) -> None:
    (tmp_path / "exceptions.yml").write_text(EXCEPTION.format(expires="2020-01-01"), "utf-8")
    done = guard("--rules", "exceptions.yml", "--fail-on", "high", "--json", "guard.json")
    assert done.returncode == 13
    (one,) = json.loads((tmp_path / "guard.json").read_text("utf-8"))["detections"]
    assert one["statement"].endswith("(no longer excepted: our shell tool, owner platform team, ended on 2020-01-01)")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title: x", "rules/own.yml:1: is neither a rule, a correlation nor a filter"),
        (None, "holds no rule"),
        (
            EXCEPTION.format(expires="2999-01-01").replace("[persistence]", "[nothing]"),
            "makes an exception of 'nothing'",
        ),
    ],
)
def test_a_rule_that_cannot_be_used_stops_before_the_command(
    guard: Guard, tmp_path: Path, text: str | None, told: str
) -> None:
    (tmp_path / "rules").mkdir()
    if text is not None:
        (tmp_path / "rules/own.yml").write_text(text, "utf-8")
    done = guard("--rules", "rules", script="touch ran")
    assert done.returncode == 2
    assert told.replace("rules/own", "own") in done.stderr
    assert not (tmp_path / "ran").exists()


def test_rules_of_a_team_judge_too(guard: Guard, tmp_path: Path) -> None:
    rule = """title: nobody here uses true
name: no-true
logsource:
    category: process_creation
detection:
    selection:
        Image|endswith: /true
    condition: selection
level: critical
words: '{Image} was used'
"""
    (tmp_path / "own.yml").write_text(rule, "utf-8")
    done = guard("--rules", "own.yml", script="/bin/true", npm_lifecycle_event="")
    assert "critical       " in done.stderr
    assert "[no-true]" in done.stderr


def test_a_file_that_takes_nothing_is_told_before_the_command_or_does_not_harm_it(guard: Guard, tmp_path: Path) -> None:
    done = guard("--events", "/dev/full", script="touch ran")
    assert done.returncode == 2
    assert "/dev/full: cannot be written: No space left on device" in done.stderr
    assert not (tmp_path / "ran").exists()
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    assert guard("--json", "full").returncode == 2
    assert Path("/dev/full").is_char_device()
    # A limit on the size of files stands for a disk that fills while the command runs.
    limited = f"ulimit -f 2; exec {sys.executable} -m pratique guard --linger 0 --events events --json /dev/null -- sh -c 'for i in $(seq 40); do /bin/true $i; done; exit 6'"
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
    words = ["bash", "-c", f"trap '' XFSZ; {limited}"]
    ran = subprocess.run(words, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 6, ran.stderr
    assert "NOT WRITTEN  " in ran.stderr
    assert Path("/dev/null").is_char_device()


def test_a_terminal_that_closes_takes_no_report_with_it(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
        script = "trap '' HUP; touch up; sleep 1; exit 5"
        words = [
            sys.executable,
            "-m",
            "pratique",
            "guard",
            "--linger",
            "0",
            "--json",
            "guard.json",
            "--",
            "sh",
            "-c",
            script,
        ]
        os.execve(sys.executable, words, given)
    deadline = time.monotonic() + 20
    while not (tmp_path / "up").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.close(terminal)
    _, result = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(result) == 5
    assert json.loads((tmp_path / "guard.json").read_text("utf-8"))["code"] == 5


def test_no_secret_of_an_argument_is_written_down(guard: Guard, tmp_path: Path) -> None:
    token = "npm_" + "a1B2" * 9
    script = f"/bin/true --token {token}; curl -s -H 'Authorization: Bearer {token}' http://127.0.0.1:1/ ; {PERSIST}"
    done = guard("--json", "guard.json", "--sarif", "guard.sarif", "--events", "events.ndjson", script=script)
    assert token not in done.stderr
    for name in ("guard.json", "guard.sarif", "events.ndjson"):
        assert token not in (tmp_path / name).read_text("utf-8"), name
    assert "--token" in (tmp_path / "events.ndjson").read_text("utf-8")


def test_rules_are_listed_explained_linted_and_tested(tmp_path: Path) -> None:
    def rules(*words: str) -> Done:
        given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
        words = (sys.executable, "-m", "pratique", "rules", *words)
        return subprocess.run(words, env=given, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    bundled = Path(__file__).parents[2] / "src" / "pratique" / "behaviour" / "rules"
    cases = Path(__file__).parents[1] / "golden" / "behaviour"
    assert "manifest-swap" in rules("list", "--kind", "behaviour").stdout
    assert "manifest-swap" not in rules("list", "--kind", "release").stdout
    assert "file_rename: a file was put in another place" in rules("explain", "manifest-swap").stdout
    assert rules("explain", "no-such-rule").returncode == 2
    linted = rules("lint", str(bundled))
    assert linted.returncode == 0
    assert "behaviour rules, 0 exceptions" in linted.stdout
    tested = rules("test", str(bundled), "--cases", str(cases))
    assert tested.returncode == 0
    assert tested.stderr.endswith(" cases, 0 not as wanted\n")
    (tmp_path / "bad.yml").write_text("title: x\ndetection: {}\n", "utf-8")
    wrong = rules("lint", "bad.yml")
    assert wrong.returncode == 2
    assert "bad.yml:1" in wrong.stderr
    assert rules("lint", "nowhere").returncode == 2
    turned = tmp_path / "cases" / "manifest-swap"
    turned.mkdir(parents=True)
    (turned / "fires").symlink_to(cases / "manifest-swap" / "quiet")
    (turned / "quiet").symlink_to(cases / "manifest-swap" / "fires")
    only = tmp_path / "only"
    only.mkdir()
    whole = (bundled / "manifest-swap.yml").read_text("utf-8").partition("\n---\n")[0]
    (only / "manifest-swap.yml").write_text(whole, "utf-8")
    failed = rules("test", "only", "--cases", "cases")
    assert failed.returncode == 12, failed.stderr
    assert "NO  manifest-swap  fires/npm-itself  did not fire" in failed.stdout


def test_a_case_gets_detections_report_and_events(guard: Guard, tmp_path: Path) -> None:
    case, key = tmp_path / "case", tmp_path / "case.key"
    api.new_case(case, incidents=["axios-2026-03-31"], key=key).close()
    done = guard("--case", str(case), "--key", str(key), script=f"{PERSIST}; exit 3")
    assert done.returncode == 3, done.stderr
    assert "IN THE CASE" in done.stderr
    with api.open_case(case, key=key) as opened:
        detections = [entry.body["detection"]["rule"] for entry in opened.entries("detection")]
        kept = {entry.body["what"].partition(":")[0]: entry.body["digest"] for entry in opened.entries("evidence")}
        report = json.loads(opened.content(kept["report of guard"]))
        events = opened.content(kept["events of guard"]).splitlines()
        timeline = b"".join(api.case_timeline(api.dossier(opened), "text")).decode()
        assert not api.verify_case(opened).disagreements
    assert "persistence" in detections
    assert [one["rule"] for one in report["detections"]] == detections
    assert json.loads(events[0]) == {"schema": "pratique.event/1"}
    assert len(events) == report["events"] + 1
    assert "persistence" in timeline


def test_a_case_that_takes_nothing_is_told_before_the_command(guard: Guard, tmp_path: Path) -> None:
    done = guard("--case", str(tmp_path / "nowhere"), script=f"touch {tmp_path}/begun")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "begun").exists()


def test_a_case_that_fails_meanwhile_takes_no_code_with_it(guard: Guard, tmp_path: Path) -> None:
    case, key = tmp_path / "case", tmp_path / "case.key"
    api.new_case(case, incidents=["axios-2026-03-31"], key=key).close()
    done = guard("--case", str(case), "--key", str(key), script=f"rm {key}; exit 3")
    assert done.returncode == 3
    assert "NOT IN THE CASE" in done.stderr

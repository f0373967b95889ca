"""Block lists, processes and start-up entries: exact, for people, and nothing that would hit others."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pratique.model.incident import Incident, Indicator
from pratique.model.location import Location
from pratique.model.plan import Manual, Step
from pratique.model.report import ObservationEntry, Report
from pratique.respond.contain import automation, network, persistence, processes
from pratique.respond.revert import quarantine
from pratique.respond.situation import Held, Situation
from tests.property.test_plan_laws import report_of
from tests.unit.respond.planning import situation_of


def indicator(kind: str, value: str, **more: Any) -> Indicator:
    settings: dict[str, Any] = {"confidence": "high", "meaning": "executed", "sources": ("s",), **more}
    return Indicator(id=value, type=kind, value=value, **settings)


def incident(*indicators: Indicator) -> Incident:
    return Incident(
        id="axios-2026-03-31",
        revision=1,
        updated=datetime.date(2026, 11, 1),
        title="t",
        summary="s",
        status="contained",
        completeness="fixed",
        indicators=indicators,
    )


def of(*indicators: Indicator) -> Situation:
    found = situation_of(report_of(["axios-2026-03-31"]))
    return msgspec.structs.replace(found, incidents={"axios-2026-03-31": incident(*indicators)})


def by_id(steps: Any) -> dict[str, Step]:
    return {step.id: step for step in steps}


def text_of(step: Step) -> str:
    assert isinstance(step.action, Manual)
    return step.action.text


SAMPLE = (
    indicator("domain", "bad[.]example"),
    indicator("domain", "Other.example"),
    indicator("ip", "192.0.2[.]7"),
    indicator("ip", "2001[:]db8::7"),
    indicator("url", "hxxp://bad[.]example/x"),
    indicator("domain", "doubtful[.]example", confidence="low"),
    indicator("domain", "owner[.]example", meaning="infrastructure"),
    indicator("domain", "shared[.]example", look_alikes=("everybody's files",)),
    indicator("domain", "*[.]pattern[.]example", match="glob"),
    indicator("http-body", "innocent[.]example/product0"),
)


def test_block_lists_hold_what_is_certain_and_say_what_is_left_out() -> None:
    steps = by_id(network.steps(of(*SAMPLE)))
    hosts = text_of(steps["contain.block.hosts.axios-2026-03-31"])
    live = [line for line in hosts.splitlines() if not line.startswith("#")]
    assert live == ["0.0.0.0 bad.example", ":: bad.example", "0.0.0.0 other.example", ":: other.example"]
    plain = text_of(steps["contain.block.list.axios-2026-03-31"])
    assert [line for line in plain.splitlines() if not line.startswith("#")] == [
        "bad.example",
        "other.example",
        "192.0.2.7",
        "2001:db8::7",
    ]
    for name in ("doubtful", "owner", "shared", "pattern", "innocent"):
        assert f"{name}[.]example" in plain
        assert f"{name}.example" not in plain
    assert "never contacted" in plain
    for name in ("hosts", "nftables", "list"):
        step = steps[f"contain.block.{name}.axios-2026-03-31"]
        assert step.triggers_dead_man_switch
        assert step.disposition == "manual"
        assert step.undo


def test_a_hostile_indicator_adds_no_line() -> None:
    found = of(
        indicator("domain", "bad[.]example\n0.0.0.0 good.example"),
        indicator("ip", "192.0.2[.]7 } } ; flush ruleset"),
        indicator("domain", "a[.]example;x"),
        indicator("domain", "fine[.]example"),
    )
    for step in network.steps(found):
        if step.id != "contain.disconnect":
            live = [line for line in text_of(step).splitlines() if line and not line.startswith("#")]
            assert set(live) <= {"0.0.0.0 fine.example", ":: fine.example", "fine.example"}


def test_nftables_takes_the_set(tmp_path: Path) -> None:
    text = text_of(by_id(network.steps(of(*SAMPLE)))["contain.block.nftables.axios-2026-03-31"])
    assert "elements = { 192.0.2.7 }" in text
    assert "elements = { 2001:db8::7 }" in text
    program = shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        pytest.skip("nft is not installed")
    path = tmp_path / "block.nft"
    path.write_text(text)
    tried = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", program, "--check", "--file", str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if "Operation not permitted" in tried.stderr or "unshare" in tried.stderr:
        pytest.skip("this user may not make a network of its own")
    assert tried.returncode == 0, tried.stderr


def observed(report: Report, *facts: tuple[str, dict[str, Any]]) -> Report:
    """The report with facts that its first sighting rests on."""
    sighting = report.sightings[0]
    made = tuple(
        ObservationEntry(
            id=f"f{number:015x}", kind=kind, reader="host", location=Location(sighting.location.target, ""), facts=fact
        )
        for number, (kind, fact) in enumerate(facts)
    )
    changed = msgspec.structs.replace(
        sighting, observations=tuple(item.id for item in made if not item.facts.get("bystander")), kind="indicator"
    )
    return msgspec.structs.replace(
        report, sightings=(changed, *report.sightings[1:]), observations=(*report.observations, *made)
    )


def test_processes_are_named_by_number_with_their_chain() -> None:
    facts = (
        ("process", {"process": 10, "parent": 1, "name": "npm", "bystander": True}),
        ("process", {"process": 20, "parent": 10, "name": "node", "bystander": True}),
        ("process", {"process": 30, "parent": 20, "name": "python3", "executable": "/tmp/ld.py", "started": "T"}),
        ("process", {"process": 1, "parent": 0, "name": "init"}),
        ("process", {"process": 40, "parent": 1, "name": "pratique", "own": True}),
    )
    report = observed(report_of(["axios-2026-03-31"]), *facts)
    (step,) = processes.steps(situation_of(report))
    assert isinstance(step.action, Manual)
    assert step.triggers_dead_man_switch
    assert [command.words for command in step.action.commands] == [("kill", "-STOP", "30"), ("kill", "-KILL", "30")]
    assert any("npm (10) > node (20) > python3 (30)" in line for line in step.action.instructions)
    (windows,) = processes.steps(situation_of(report, platform="windows"))
    assert isinstance(windows.action, Manual)
    assert windows.action.commands[0].words[:3] == ("taskkill", "/PID", "30")
    assert not list(processes.steps(situation_of(report_of(["axios-2026-03-31"]))))


def test_start_up_entries_are_disabled_by_the_command_of_their_mechanism() -> None:
    facts = (
        ("persistence", {"mechanism": "systemd", "name": "watch.service"}),
        ("persistence", {"mechanism": "launchd", "name": "com.user.watch.plist"}),
        ("persistence", {"mechanism": "run-key", "name": "HKCU\\Software\\Run\\Update"}),
        ("persistence", {"mechanism": "scheduled-task", "name": "Update"}),
    )
    (step,) = persistence.steps(situation_of(observed(report_of(["axios-2026-03-31"]), *facts)))
    assert isinstance(step.action, Manual)
    words = [command.words for command in step.action.commands]
    assert ("systemctl", "--user", "disable", "--now", "watch.service") in words
    assert ("launchctl", "disable", "gui/<UID>/com.user.watch") in words
    assert ("reg", "delete", "HKCU\\Software\\Run", "/v", "Update") in words
    assert ("schtasks", "/Change", "/TN", "Update", "/DISABLE") in words
    assert step.triggers_dead_man_switch


def test_update_bots_are_held_by_valid_configuration() -> None:
    import json

    import yaml

    steps = by_id(automation.steps(situation_of(report_of(["axios-2026-03-31"]))))
    text = text_of(steps["contain.update-bots"])
    dependabot, _, renovate = text.partition("# renovate.json\n")
    document = yaml.safe_load(dependabot)
    assert document["updates"][0]["package-ecosystem"] == "npm"
    assert document["updates"][0]["ignore"] == [{"dependency-name": "plain-crypto-js"}]
    rules = json.loads(renovate)["packageRules"]
    assert rules[0]["enabled"] is False
    assert rules[0]["matchPackageNames"] == ["plain-crypto-js"]


def test_a_planted_unit_is_unsafe_and_waits_for_the_sweep() -> None:
    unit = Held(path="/home/dev/.config/systemd/user/x.service", digest="sha256:0", what="user-unit")
    cache = Held(path="/home/dev/.npm/_cacache/x", digest="sha256:0", what="package-cache")
    found = situation_of(report_of(["axios-2026-03-31"]), held=(unit, cache))
    steps = {step.id.split(".")[2]: step for step in quarantine.steps(found) if ".quarantine." in step.id}
    assert steps["user-unit"].disposition == "unsafe"
    assert steps["user-unit"].triggers_dead_man_switch
    assert steps["package-cache"].disposition == "safe"
    assert not steps["package-cache"].triggers_dead_man_switch
    assert all(step.destroys_evidence for step in steps.values())

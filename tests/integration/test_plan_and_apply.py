"""From a real install of listed releases to a plan, through apply and undo, with and without a case."""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import msgspec
import pytest

from pratique import api
from pratique.model.plan import Edit, Manual, Plan, Quarantine
from pratique.respond import preserve
from tests.docs.pages import lay_out
from tests.unit.respond.planning import release_of
from tests.unit.respond.worlds import snapshot

ROOT = Path(__file__).resolve().parents[2]
INSTALLS = ROOT / "tests" / "fixtures" / "installs"
TODAY = datetime.date(2026, 11, 26)
KINDS = (
    "npm-11-ran",
    "pnpm-10-ran",
    "yarn-1-ran",
    "bun-1.4-ran",
    "yarn-4.18-node-modules-ran",
    "yarn-4.18-pnp-ran",
    "npm-11-blocked",
    "deno-2.9-ran",
    "pnpm-12-ran",
)


def laid(folder: Path, name: str) -> api.Report:
    """A real install below a folder, and the report of it."""
    with tarfile.open(INSTALLS / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="tar")
    selection = api.select(incidents=["axios-2026-03-31"], today=TODAY)
    targets = tuple(api.specify([str(folder)]))
    return api.check(api.CheckRequest(targets=targets, incidents=selection.incidents, cache=False))


def saved(folder: Path, report: api.Report) -> str:
    path = folder / "report.json"
    path.write_bytes(b"".join(api.renderer("json").render(report)))
    return str(path)


def moved(plan: Plan) -> list[Quarantine]:
    return [step.action for step in plan.steps if isinstance(step.action, Quarantine)]


@pytest.mark.parametrize("name", KINDS)
def test_apply_takes_the_copies_away_and_undo_brings_them_back(name: str, tmp_path: Path) -> None:
    world = tmp_path / "world"
    report = laid(world, name)
    plan = api.plan(api.PlanRequest(report=saved(tmp_path, report), proof=False))
    assert moved(plan), "copies were seen"
    assert all(step.disposition == "manual" for step in plan.steps if isinstance(step.action, Manual))
    (tmp_path / "plan.json").write_bytes(api.render_plan(plan, "json"))
    before = snapshot(world)
    request = api.ApplyRequest(
        plan=str(tmp_path / "plan.json"), confirm=plan.digest, allow=frozenset({"unsealed", "uncommitted", "unsafe"})
    )
    done = api.apply(request)
    assert done.exit_code == 0, done
    for action in moved(plan):
        assert not Path(action.path).exists()
    again = api.check(api.CheckRequest(targets=tuple(api.specify([str(world)])), incidents=selected(), cache=False))
    stays = ("/_logs/", "/.pnp.cjs")  # logs are evidence; Yarn writes its map anew with the next install
    left = {item.depth for item in again.sightings if not any(part in f"/{item.location.path}" for part in stays)}
    assert not left & {"fetched", "installed", "executed", "active"}, [
        (item.depth, item.location.path) for item in again.sightings
    ]
    undone = api.undo(msgspec.structs.replace(request, allow=frozenset({"payload"})))
    assert undone.exit_code == 0, undone
    assert snapshot(world) == before


def test_every_workspace_of_the_harbour_at_once(tmp_path: Path) -> None:
    lay_out(tmp_path)
    harbour = tmp_path / "build" / "demo" / "harbour"
    targets = tuple(api.specify([str(harbour)]))
    report = api.check(api.CheckRequest(targets=targets, incidents=selected(), cache=False))
    plan = api.plan(api.PlanRequest(report=saved(tmp_path, report), proof=False))
    assert len(moved(plan)) > 15
    (tmp_path / "plan.json").write_bytes(api.render_plan(plan, "json"))
    before = snapshot(harbour)
    request = api.ApplyRequest(
        plan=str(tmp_path / "plan.json"), confirm=plan.digest, allow=frozenset({"unsealed", "uncommitted", "unsafe"})
    )
    assert api.apply(request).exit_code == 0
    after = snapshot(harbour)
    assert {name for name in before if "clean-" in name} == {name for name in after if "clean-" in name}
    assert api.undo(msgspec.structs.replace(request, allow=frozenset({"payload"}))).exit_code == 0
    assert snapshot(harbour) == before


def selected() -> tuple[api.Incident, ...]:
    return api.select(incidents=["axios-2026-03-31"], today=TODAY).incidents


def test_copies_of_the_whole_machine_are_for_people_where_code_ran(tmp_path: Path) -> None:
    report = laid(tmp_path / "world", "npm-11-npx-ran")
    plan = api.plan(api.PlanRequest(report=saved(tmp_path, report), proof=False))
    assert all("/_npx/" not in action.path for action in moved(plan))
    by_hand = [step for step in plan.steps if step.id.startswith("revert.quarantine.package-folder")]
    assert by_hand
    assert all(step.disposition == "manual" for step in by_hand)
    assert any(step.id == "revert.rebuild" for step in plan.steps)


def test_what_changed_since_the_report_is_a_note_and_no_step(tmp_path: Path) -> None:
    world = tmp_path / "world"
    path = saved(tmp_path, laid(world, "npm-11-ran"))
    package = world / "project" / "node_modules" / "plain-crypto-js"
    shutil.rmtree(package)
    package.symlink_to(tmp_path)
    axios = world / "project" / "node_modules" / ".package-lock.json"
    axios.write_bytes(axios.read_bytes() + b"\n")
    import os

    os.utime(axios, (4_000_000_000, 4_000_000_000))
    plan = api.plan(api.PlanRequest(report=path, proof=False))
    paths = {action.path for action in moved(plan)}
    assert str(package) not in paths
    assert str(axios) not in paths
    assert any("symbolic link" in note for note in plan.notes)
    assert any("changed since the report" in note for note in plan.notes)


def test_a_report_of_another_machine_reads_nothing_here(tmp_path: Path) -> None:
    report = laid(tmp_path / "world", "npm-11-ran")
    other = msgspec.structs.replace(report, header=msgspec.structs.replace(report.header, host="elsewhere"))
    plan = api.plan(api.PlanRequest(report=saved(tmp_path, other), proof=False))
    assert not moved(plan)
    assert all(not isinstance(step.action, Edit) for step in plan.steps)
    assert any("elsewhere" in note for note in plan.notes)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, with a home of its own."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder / "me"),
        "PYTHONPATH": str(ROOT / "src"),
        "PRATIQUE_ISOLATED": "no",
    }
    return subprocess.run(
        [sys.executable, "-m", "pratique", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_commands_with_a_case(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="the extra `case` is not installed")
    world = tmp_path / "world"
    laid(world, "npm-11-ran")
    before = snapshot(world)
    assert run(tmp_path, "case", "new", "case", "--incident", "axios-2026-03-31").returncode == 0
    checked = run(tmp_path, "check", "world", "--incident", "axios-2026-03-31", "--case", "case", "--no-progress")
    assert checked.returncode == 11, checked.stderr
    planned = run(tmp_path, "plan", "--case", "case", "--no-proof", "--output", "plan.json", "--output", "plan.html")
    assert planned.returncode == 4, planned.stderr
    digest = planned.stdout.splitlines()[-1].rpartition(" ")[2]
    assert digest.startswith("sha256:")
    assert (tmp_path / "plan.html").stat().st_size > 10_000

    words = ("plan.json", "--confirm", digest, "--case", "case")
    refused = run(tmp_path, "apply", *words)
    assert refused.returncode == 5
    assert "not sealed" in refused.stdout
    assert snapshot(world) == before
    assert run(tmp_path, "case", "seal", "case").returncode == 0
    done = run(tmp_path, "apply", *words)
    assert done.returncode in (0, 4), done.stdout + done.stderr
    assert "DONE " in done.stdout
    assert not (world / "project" / "node_modules" / "plain-crypto-js").exists()
    assert run(tmp_path, "apply", "plan.json", "--confirm", digest).returncode == 2
    assert run(tmp_path, "apply", "plan.json", "--confirm", "sha256:" + "0" * 64, "--case", "case").returncode == 2
    assert run(tmp_path, "case", "verify", "case").returncode in (0, 4)
    undone = run(tmp_path, "undo", *words)
    assert undone.returncode == 4
    assert "--allow payload" in undone.stdout
    assert run(tmp_path, "undo", *words, "--allow", "payload").returncode == 0
    assert snapshot(world) == before
    again = run(tmp_path, "apply", *words)
    assert again.returncode == done.returncode, again.stdout


def test_a_recorded_sweep_lets_the_rest_of_the_plan_out(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="the extra `case` is not installed")
    name, version = release_of("tanstack-2026-05-11")
    lock = {"name": "x", "lockfileVersion": 3, "packages": {"": {}, f"node_modules/{name}": {"version": version}}}
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "package-lock.json").write_text(json.dumps(lock))
    assert run(tmp_path, "case", "new", "case", "--incident", "tanstack-2026-05-11").returncode == 0
    assert run(tmp_path, "check", "shop", "--incident", "tanstack-2026-05-11", "--case", "case").returncode == 10
    held = run(tmp_path, "plan", "--case", "case", "--no-proof", "--format", "text")
    assert held.returncode == 4
    assert "HELD BACK" in held.stdout
    swept = ("case", "done", "case", "sweep:tanstack-2026-05-11", "--outcome", "nothing-found")
    assert run(tmp_path, *swept).returncode == 0
    after = run(tmp_path, "plan", "--case", "case", "--no-proof", "--format", "text")
    assert "HELD BACK" not in after.stdout
    assert "contain.sweep.tanstack-2026-05-11" in held.stdout
    assert "contain.sweep.tanstack-2026-05-11" not in after.stdout


def test_a_plan_of_a_project_asks_for_the_seal_first(tmp_path: Path) -> None:
    report = laid(tmp_path / "world", "npm-11-blocked")
    plan = api.plan(api.PlanRequest(report=saved(tmp_path, report), proof=False))
    places = {step.id: number for number, step in enumerate(plan.steps)}
    for step in plan.steps:
        if not isinstance(step.action, Manual):
            assert places[preserve.SEAL] < places[step.id]

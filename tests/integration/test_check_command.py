"""The check command as a person runs it: exit codes, options, and what the report says of them."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.readers import discovery
from tests.standins.installs import unpack

ROOT = Path(__file__).parent.parent.parent
AXIOS = "axios-2026-03-31"


def lock(version: str = "1.14.1", name: str = "axios") -> str:
    entry = {"version": version, "resolved": f"http://registry.example/{name}/-/{name}-{version}.tgz"}
    packages = {"": {"name": "app"}, f"node_modules/{name}": entry}
    return json.dumps({"name": "app", "lockfileVersion": 3, "packages": packages}, indent=2)


def project(folder: Path, *, version: str | None = "1.14.0", manifest: dict[str, Any] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    document = manifest or {"name": "app", "version": "1.0.0", "dependencies": {"axios": "^1.14.0"}}
    (folder / "package.json").write_text(json.dumps(document))
    if version is not None:
        (folder / "package-lock.json").write_text(lock(version))
    return folder


def run(*arguments: str | Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src"),
        "HOME": str(home or "/nonexistent"),
    }
    command = [sys.executable, "-m", "pratique", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def report(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    done = run("check", *arguments, "--format", "json")
    return done.returncode, json.loads(done.stdout)


def test_0_nothing_listed_and_all_read(tmp_path: Path) -> None:
    code, document = report(project(tmp_path))
    assert code == 0
    assert document["coverage"]["complete"]
    assert document["verdicts"] == []
    axios = next(item for item in document["incidents"] if item["id"] == AXIOS)
    assert axios["worst"] == "not_affected"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "/does/not/exist"], "does not exist"),
        (["check", ".", "--incident", "axioss"], "there is no incident"),
        (["check", ".", "--bad", "axios"], "axios"),
        (["check", ".", "--max-file", "much"], "is no size"),
        (["check", ".", "--output", "report.xyz"], "suffix"),
        (["check", ".", "--output", "/nonexistent/report.json"], "cannot be written"),
        (["check", ".", "--accept-refusal", "path"], "needs a path and a reason"),
        (["check", ".", "--window", "2026-01-01..2026-01-02"], "--window belongs to"),
        (["check", ".", "--bad", "npm:a@1", "--window", "x..y"], "no ISO 8601 time"),
        (["check", ".", "--config", "/nonexistent.toml"], "cannot be read"),
        (["check", "image:nowhere"], "does not exist"),
        (["check", ".", "--no-such-option"], "No such option"),
        (["incident", "show", "none"], "there is no incident"),
    ],
)
def test_2_usage_says_what_is_wrong_and_writes_no_report(arguments: list[str], words: str, tmp_path: Path) -> None:
    project(tmp_path)
    done = run(*[str(tmp_path) if item == "." else item for item in arguments])
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_3_nothing_examined(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    done = run("check", tmp_path)
    assert done.returncode == 3
    assert "NOTHING EXAMINED" in done.stdout
    assert run("check", tmp_path, "--fail-on", "affected").returncode == 3, "no option makes an answer of it"


def test_4_a_lock_that_is_cut_off(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "package-lock.json").write_text(lock()[:100])
    code, document = report(tmp_path)
    assert code == 4
    assert not document["coverage"]["complete"]
    assert [item["path"] for item in document["coverage"]["refusals"] if item["relevant"]] == ["package-lock.json"]
    assert run("check", tmp_path, "--fail-on", "affected").returncode == 0


def test_4_one_empty_target_among_several(tmp_path: Path) -> None:
    project(tmp_path / "full")
    (tmp_path / "empty").mkdir()
    code, document = report(tmp_path / "full", tmp_path / "empty")
    assert code == 4
    assert "no reader was offered a file" in document["coverage"]["refusals"][0]["reason"]


def test_10_resolved_and_its_subject(tmp_path: Path) -> None:
    code, document = report(project(tmp_path / "app", version="1.14.1"))
    assert code == 10
    assert document["verdicts"][0]["depth"] == "resolved"
    assert document["sightings"][0]["purl"] == "pkg:npm/axios@1.14.1"
    assert document["sightings"][0]["observations"] == [document["observations"][0]["id"]]


def test_11_outranks_10_and_4(tmp_path: Path) -> None:
    unpack("npm-11-ran", tmp_path / "ran")
    project(tmp_path / "resolved", version="1.14.1")
    project(tmp_path / "cut")
    (tmp_path / "cut/package-lock.json").write_text("{")
    code, document = report(tmp_path)
    assert code == 11
    assert not document["coverage"]["complete"]


def test_a_single_file_is_a_target(tmp_path: Path) -> None:
    project(tmp_path, version="1.14.1")
    code, document = report(tmp_path / "package-lock.json")
    assert code == 10
    assert document["sightings"][0]["location"]["path"] == "package-lock.json"
    (tmp_path / "notes.txt").write_text("x")
    assert run("check", tmp_path / "notes.txt").returncode == 3


def test_no_target_is_this_user_and_the_scope_says_so(tmp_path: Path) -> None:
    unpack("npm-11-ran", tmp_path)
    done = run("check", home=tmp_path / "home")
    assert done.returncode == 11
    assert "this user's caches" in done.stdout


def test_quick_may_say_affected_but_never_not_affected(tmp_path: Path) -> None:
    assert run("check", project(tmp_path / "clean"), "--quick").returncode == 4
    assert run("check", project(tmp_path / "bad", version="1.14.1"), "--quick").returncode == 10


def test_exclude_narrows_the_scope_is_printed_and_is_no_gap(tmp_path: Path) -> None:
    project(tmp_path / "app")
    project(tmp_path / "vendor", version="1.14.1")
    done = run("check", tmp_path, "--exclude", "vendor")
    assert done.returncode == 0
    assert "left out: vendor" in done.stdout


def test_accepted_refusal_is_named_and_ends(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "package-lock.json").write_text("{")
    code, document = report(tmp_path, "--accept-refusal", "package-lock.json=a template, looked at;until=2099-01-01")
    assert code == 0
    assert document["coverage"]["refusals"][0]["accepted"] == "a template, looked at"
    verdict = next(item for item in document["verdicts"] if item["incident"] == AXIOS)
    assert verdict["accepted_gaps"] == [document["coverage"]["refusals"][0]["id"]]
    code, _ = report(tmp_path, "--accept-refusal", "package-lock.json=a template;until=2020-01-01")
    assert code == 4
    configuration = tmp_path / "reviewed.toml"
    configuration.write_text('[[accept]]\npath = "package-lock.json"\nreason = "looked at"\n')
    assert run("check", tmp_path, "--config", configuration).returncode == 0


def test_a_configuration_inside_the_target_is_not_read(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "package-lock.json").write_text("{")
    (tmp_path / "pratique.toml").write_text('[[accept]]\npath = "package-lock.json"\nreason = "attacker"\n')
    assert run("check", tmp_path).returncode == 4


def test_bad_checks_exactly_what_was_given(tmp_path: Path) -> None:
    project(tmp_path, version="1.14.0")
    assert run("check", tmp_path, "--bad", "npm:axios@1.14.0").returncode == 10
    assert run("check", tmp_path, "--bad", "pkg:npm/axios@1.14.0").returncode == 10
    code, document = report(tmp_path, "--bad", "npm:axios@1.13.0,1.12.0")
    assert code == 0
    assert [item["completeness"] for item in document["incidents"]] == ["partial"]


def test_bad_list_with_a_hash_confirms_or_doubts(tmp_path: Path) -> None:
    project(tmp_path / "app", version="1.14.1")
    listed = tmp_path / "bad.csv"
    listed.write_text("name,version\naxios,1.14.1\n")
    code, document = report(tmp_path / "app", "--bad-list", listed, "--window", "2026-03-31T00:21:58..2026-03-31T03:15")
    assert code == 10
    assert document["incidents"][0]["windows"][0]["start"] == "2026-03-31T00:21:58.000Z"


def test_declared_range_without_lock_is_a_gap_where_the_incident_is_named(tmp_path: Path) -> None:
    project(tmp_path, version=None)
    code, document = report(tmp_path, "--incident", AXIOS)
    assert code == 4
    assert "admits 1.14.1" in document["coverage"]["refusals"][0]["reason"]
    code, document = report(tmp_path)
    assert {item["rule"] for item in document["coverage"]["skipped_by_rule"]} >= {
        "declared-range-without-lock-for-inactive-incident"
    }


def test_declared_range_in_a_workspace_is_covered_by_the_root_lock(tmp_path: Path) -> None:
    project(tmp_path)
    project(tmp_path / "packages/web", version=None)
    assert run("check", tmp_path, "--incident", AXIOS).returncode == 0


def test_exact_pin_is_declared(tmp_path: Path) -> None:
    manifest = {"name": "app", "dependencies": {"axios": "1.14.1"}}
    code, document = report(project(tmp_path, version=None, manifest=manifest))
    assert code == 10
    assert document["verdicts"][0]["depth"] == "declared"


def test_protection_alone_is_not_affected_and_named(tmp_path: Path) -> None:
    manifest = {"name": "app", "dependencies": {"axios": "^1.14.0"}, "overrides": {"axios@1.14.1": "1.14.0"}}
    code, document = report(project(tmp_path / "ok", manifest=manifest))
    assert code == 0
    assert document["verdicts"][0]["status"] == "not_affected"
    assert document["verdicts"][0]["lowered_by"]
    code, _ = report(project(tmp_path / "bad", version="1.14.1", manifest=manifest))
    assert code == 10


def test_incidents_folder_replaces_by_revision_and_says_so(tmp_path: Path) -> None:
    source = ROOT / "src/pratique/incidents/data" / f"{AXIOS}.toml"
    folder = tmp_path / "incidents"
    folder.mkdir()
    text = source.read_text(encoding="utf-8")
    (folder / f"{AXIOS}.toml").write_text(text.replace("revision = 1\n", "revision = 9\n", 1), encoding="utf-8")
    app = project(tmp_path / "app")
    code, document = report(app, "--incidents", folder)
    assert code == 0
    assert any("revision 9" in note for note in document["notes"])
    assert next(item for item in document["incidents"] if item["id"] == AXIOS)["revision"] == 9


def test_incident_without_a_reader_for_its_ecosystem_is_never_not_affected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path)
    monkeypatch.setattr(discovery, "ecosystems", lambda: frozenset({"npm"}))
    today = datetime.date(2026, 11, 20)
    named = api.select(bad=["PyPI:litellm@1.82.7"], today=today)
    targets = (api.TargetSpec(str(tmp_path)),)
    found = api.check(api.CheckRequest(targets=targets, incidents=named.incidents, named=named.named))
    assert found.exit_code == 4
    assert found.incidents[0].worst == "under_investigation"
    every = api.select(today=today)
    assert "litellm-2026-03-24" not in {item.id for item in every.incidents}
    assert any("not examined" in note for note in every.notes)
    assert any(note.startswith("NOTE  examined in part") and "PyPI" in note for note in every.notes)


def test_incidents_of_python_are_examined(tmp_path: Path) -> None:
    project(tmp_path)
    code, document = report(tmp_path, "--bad", "PyPI:litellm@1.82.7")
    assert code == 0
    code, document = report(tmp_path)
    assert "litellm-2026-03-24" in {item["id"] for item in document["incidents"]}
    (tmp_path / "requirements.txt").write_text("LiteLLM == 1.82.7\n", encoding="utf-8")
    code, document = report(tmp_path, "--bad", "PyPI:litellm@1.82.7")
    assert code == 10
    assert [item["depth"] for item in document["verdicts"]] == ["declared"]


def test_one_purl_in_two_incidents_is_a_sighting_in_each(tmp_path: Path) -> None:
    app = project(tmp_path, version="1.14.1")
    code, document = report(app, "--incident", AXIOS, "--bad", "npm:axios@1.14.1")
    assert code == 10
    assert len({item["incident"] for item in document["sightings"]}) == 2


def test_same_bytes_whatever_the_number_of_processes(tmp_path: Path) -> None:
    for name in ("npm-11-ran", "pnpm-10-ran", "yarn-1-blocked", "npm-10-clean"):
        unpack(name, tmp_path / name)
    documents = []
    for jobs in ("1", "2", "4"):
        _, document = report(tmp_path, "--jobs", jobs)
        for key in ("started", "finished"):
            del document["header"][key]
        documents.append(document)
    assert documents[0] == documents[1] == documents[2]


def test_reports_go_to_files_by_suffix_and_to_standard_output(tmp_path: Path) -> None:
    app = project(tmp_path / "app", version="1.14.1")
    names = ["r.json", "r.ndjson", "r.sarif", "r.html", "r.md", "r.cdx.json", "r.txt"]
    arguments = [item for name in names for item in ("--output", tmp_path / name)]
    done = run("check", app, *arguments)
    assert done.returncode == 10
    assert done.stdout.startswith("AFFECTED")
    assert all((tmp_path / name).stat().st_size > 100 for name in names)
    assert json.loads((tmp_path / "r.json").read_text())["header"]["schema"] == "pratique.report/1"


def test_nothing_is_written_into_the_target(tmp_path: Path) -> None:
    unpack("npm-11-ran", tmp_path)
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run("check", tmp_path).returncode == 11
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_interrupted_prints_what_was_found_and_exits_130(tmp_path: Path) -> None:
    for number in range(400):
        project(tmp_path / f"p{number}", version="1.13.0")
    program = (
        "import os, signal, sys\n"
        "from pratique.readers import discovery\n"
        "reader = discovery.load('pratique.readers.npm.package_lock')\n"
        "count = 0\n"
        "import pratique.workflow.sweep as sweep\n"
        "plain = sweep.read\n"
        "def slow(reader, artifact, interest):\n"
        "    global count\n"
        "    count += 1\n"
        "    if count == 20:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return plain(reader, artifact, interest)\n"
        "sweep.read = slow\n"
        "from pratique.doors.cli.entry import main\n"
        "sys.argv = ['pratique', 'check', sys.argv[1], '--jobs', '1', '--format', 'json']\n"
        "sys.exit(main())\n"
    )
    environment = {"PYTHONPATH": str(ROOT / "src"), "PRATIQUE_ISOLATED": "no", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    document = json.loads(done.stdout)
    assert document["coverage"]["interrupted"]
    assert not document["coverage"]["complete"]
    assert document["coverage"]["artifacts"] < 800


def test_start_is_isolated_from_the_current_folder_and_python_variables(tmp_path: Path) -> None:
    canary = tmp_path / "fired"
    for name in ("click.py", "msgspec.py", "json.py", "sitecustomize.py"):
        (tmp_path / name).write_text(f"open({str(canary)!r}, 'w').close()\nraise SystemExit(99)\n")
    app = project(tmp_path / "app")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    entry = Path(sys.executable).with_name("pratique")
    if not entry.exists():
        pytest.skip("the entry point is not installed beside this interpreter")
    done = subprocess.run([str(entry), "check", str(app)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not canary.exists()


def test_sigint_from_a_terminal_stops_the_workers_too(tmp_path: Path) -> None:
    for number in range(3000):
        folder = tmp_path / f"p{number}"
        folder.mkdir()
        (folder / "package-lock.json").write_text(lock("1.13.0"))
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    command = [sys.executable, "-m", "pratique", "check", str(tmp_path), "--jobs", "2", "--format", "json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)  # fmt: skip
    time.sleep(0.35)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    early = -signal.SIGINT  # Python itself had not started yet
    assert process.returncode in (0, 130, 4, early), "it ended before, or stopped with what it had"
    if process.returncode == 130 and out:
        assert json.loads(out)["coverage"]["interrupted"]


def test_a_lock_settles_only_the_names_it_holds(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {"": {}}}')
    code, document = report(tmp_path, "--incident", AXIOS)
    assert code == 4
    assert "nothing here says what it resolved to" in document["coverage"]["refusals"][0]["reason"]


def test_peer_dependencies_are_no_gap(tmp_path: Path) -> None:
    manifest = {"name": "plugin", "peerDependencies": {"axios": "^1.14.0"}}
    assert run("check", project(tmp_path, version=None, manifest=manifest), "--incident", AXIOS).returncode == 0


def test_an_exact_release_typed_in_a_shell_is_declared(tmp_path: Path) -> None:
    (tmp_path / ".bash_history").write_text("#1774916518\nnpm install axios@1.14.1\nnpm view axios@0.30.4\n")
    code, document = report(tmp_path)
    assert code == 10
    assert [(item["purl"], item["depth"]) for item in document["sightings"]] == [("pkg:npm/axios@1.14.1", "declared")]


def test_only_unreadable_artifacts_are_under_investigation(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").symlink_to(tmp_path / "gone.json")
    assert run("check", tmp_path).returncode == 4


def test_what_is_examined_whole_has_no_note(tmp_path: Path) -> None:
    project(tmp_path)
    _, document = report(tmp_path, "--incident", AXIOS)
    assert document["notes"] == []

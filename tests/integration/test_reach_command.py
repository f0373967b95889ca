"""`pratique reach` as people use it: windows, incidents, jobs, variables, fingerprints, disks, exit codes."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pratique import api
from pratique.adapters import accounts, keyfile
from pratique.doors.cli.commands import pratique
from pratique.model.credential import Credential
from tests.fixtures_reach import lay_all

VALUE = "npm_" + "aB1" * 12
WORKFLOW = """
name: Release
on: [push]
permissions:
  contents: read
jobs:
  publish:
    runs-on: [self-hosted, linux]
    environment: production
    permissions:
      contents: read
      id-token: write
    steps:
      - uses: actions/checkout@v4
      - run: npm publish
        env:
          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}
          SOMETHING: ${{ secrets.INTERNAL_WORD }}
  call:
    uses: shop/flows/.github/workflows/x.yml@main
    secrets: inherit
  lint:
    runs-on: ubuntu-latest
    permissions: {}
    steps: [{run: npm test}]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".npmrc").write_text(f"//registry.example/:_authToken={VALUE}\n")
    os.utime(folder / ".npmrc", (1_774_900_000, 1_774_900_000))  # 2026-03-30, before the window of axios
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(pratique, ["reach", *map(str, arguments)], standalone_mode=False)


def document(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--format", "json")
    assert result.exception is None, result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def of(found: dict[str, Any], location: str, field: str = "") -> dict[str, Any]:
    return next(
        item
        for item in found["credentials"]
        if item["location"] == location and field in item["fact"]["field"] and item["place"] != "environment"
    )


def test_what_was_there_in_the_window_is_readable_and_never_called_stolen(home: Path) -> None:
    found = document("--home", home, "--incident", "axios-2026-03-31")
    item = of(found, "npm-rc")
    assert (item["in_window"], item["reach"], item["taken"]) == (True, "readable", "in-reach")
    text = run("--home", home, "--incident", "axios-2026-03-31").stdout
    assert "readable, and there in the window" in text
    assert "stolen" not in text.lower()


def test_what_changed_later_is_not_called_absent(home: Path) -> None:
    os.utime(home / ".npmrc", (1_776_000_000, 1_776_000_000))
    item = of(document("--home", home, "--incident", "axios-2026-03-31"), "npm-rc")
    assert item.get("in_window") is None
    assert item["reach"] == "unknown-time"


def test_a_class_that_was_taken_says_so(home: Path) -> None:
    item = of(document("--home", home, "--incident", "shai-hulud-2025-09"), "npm-rc")
    assert item["taken"] in ("taken", "targeted")


def test_a_window_of_the_command_line_counts(home: Path) -> None:
    item = of(document("--home", home, "--window", "2026-01-01..2026-02-01"), "npm-rc")
    assert item["reach"] == "unknown-time"
    assert of(document("--home", home, "--window", "2026-03-01.."), "npm-rc")["in_window"] is True


def test_modes_and_checkouts_are_told(home: Path) -> None:
    import subprocess

    (home / ".npmrc").chmod(0o644)
    assert of(document("--home", home), "npm-rc")["others_can_read"] is True
    subprocess.run(["git", "init", "-q", str(home)], check=True)
    assert of(document("--home", home), "npm-rc")["tracked"] is False
    subprocess.run(["git", "-C", str(home), "add", ".npmrc"], check=True)
    assert of(document("--home", home), "npm-rc")["tracked"] is True


def test_jobs_tell_their_secrets_token_and_what_they_may_mint(tmp_path: Path) -> None:
    path = tmp_path / "release.yml"
    path.write_text(WORKFLOW)
    found = document("--workflow", path)
    place = "job:release.yml/publish"
    held = {item["fact"]["field"]: item for item in found["credentials"] if item["place"] == place}
    assert set(held) == {"NPM_TOKEN", "INTERNAL_WORD", "GITHUB_TOKEN", "id-token: write"}
    assert (held["NPM_TOKEN"]["provider"], held["NPM_TOKEN"]["tier"], held["NPM_TOKEN"]["rotation"]) == (
        "npm",
        0,
        "npm",
    )
    assert held["NPM_TOKEN"]["fact"]["identity"] == [["environment", "production"]]
    assert held["GITHUB_TOKEN"]["fact"]["scopes"] == ["contents: read", "id-token: write"]
    assert "mint OIDC" in held["id-token: write"]["fact"]["kind"]
    every = [item["fact"]["field"] for item in found["credentials"] if item["place"] == "job:release.yml/call"]
    assert "every secret of the repository and organisation" in every
    assert [item["place"] for item in found["credentials"] if item["place"].endswith("lint")] == []
    notes = " ".join(found["notes"])
    assert "environment production" in notes
    assert "self-hosted" in notes
    assert found["identity"] == "jobs"


def test_permissions_that_are_not_stated_are_said_to_be_unknown(tmp_path: Path) -> None:
    path = tmp_path / "ci.yml"
    path.write_text("on: push\njobs:\n  test:\n    runs-on: x\n    steps:\n      - run: echo ${{ secrets.A }}\n")
    found = document("--workflow", path)
    token = of(found, "actions-env")
    assert token["fact"]["scopes"] == ["not stated"]
    assert "permissions not stated; name alone" in run("--workflow", path).stdout
    assert any("states no permissions" in note for note in found["notes"])


def test_one_job_alone(tmp_path: Path) -> None:
    path = tmp_path / "release.yml"
    path.write_text(WORKFLOW)
    found = document("--workflow", path, "--job", "publish")
    assert {item["place"] for item in found["credentials"]} == {"job:release.yml/publish"}
    assert isinstance(run("--workflow", path, "--job", "none-such").exception, api.UsageError)
    assert isinstance(run("--job", "publish").exception, api.UsageError)


def test_a_workflow_that_is_not_understood_is_a_refusal(tmp_path: Path) -> None:
    path = tmp_path / "ci.yml"
    path.write_text("- nothing\n")
    result = run("--workflow", path)
    assert result.return_value == 4
    assert "ci.yml: not understood" in result.stdout
    assert isinstance(run("--workflow", tmp_path / "absent.yml").exception, api.TargetError)


def test_jobs_of_a_report_count_as_run_where_a_log_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "shop/.github/workflows"
    folder.mkdir(parents=True)
    (folder / "release.yml").write_text(WORKFLOW.replace("npm publish", "npm install axios@1.14.1"))
    report = tmp_path / "report.json"
    checked = CliRunner().invoke(
        pratique,
        ["check", str(tmp_path / "shop"), "--incident", "axios-2026-03-31", "--output", str(report), "--no-cache"],
        standalone_mode=False,
    )
    assert checked.exception is None, checked.exception
    if '"job"' not in report.read_text():
        pytest.skip("the check tells no job of this workflow")
    found = document("--report", report, "--incident", "axios-2026-03-31")
    item = next(item for item in found["credentials"] if item["fact"]["field"] == "NPM_TOKEN")
    assert (item.get("in_window"), item["reach"], item["taken"]) == (None, "unknown-time", "in-reach")
    text = report.read_text().replace('"source": "workflow-file"', '"source": "log"')
    report.write_text(text.replace('"source":"workflow-file"', '"source":"log"'))
    found = document("--report", report, "--incident", "axios-2026-03-31")
    item = next(item for item in found["credentials"] if item["fact"]["field"] == "NPM_TOKEN")
    assert (item["in_window"], item["reach"]) == (True, "readable")


def test_a_file_that_is_no_report_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert isinstance(run("--report", tmp_path / "x.json").exception, api.TargetError)


def test_names_of_variables_are_told_and_an_override_adds_a_place(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "elsewhere.npmrc"
    other.write_text(f"//second.example/:_authToken={VALUE}x\n")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(other))
    monkeypatch.setenv("SHOP_API_TOKEN", "value-1")
    monkeypatch.setenv("EMPTY_TOKEN", "")
    found = document("--home", home)
    fields = {item["fact"]["field"]: item for item in found["credentials"] if item["place"] == "environment"}
    assert "SHOP_API_TOKEN" in fields
    assert "EMPTY_TOKEN" not in fields
    places = {item["place"] for item in found["credentials"] if item["location"] == "npm-rc"}
    assert {"$HOME/.npmrc", "$NPM_CONFIG_USERCONFIG"} <= places


def test_without_a_case_and_without_the_option_there_are_no_fingerprints(home: Path, tmp_path: Path) -> None:
    found = document("--home", home)
    assert "fingerprint" not in json.dumps(
        [item["fact"] for item in found["credentials"] if item["location"] == "npm-rc"]
    )


def test_fingerprints_link_places_of_the_same_value(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    (home / ".yarnrc").write_text(f'"//registry.example/:_authToken" "{VALUE}"\n')
    first = document("--home", home, "--fingerprint")
    npm, yarn = of(first, "npm-rc"), of(first, "yarn-classic")
    assert npm["same_as"] == [yarn["id"]]
    assert len(npm["fact"]["fingerprint"]) == 20
    assert of(document("--home", home, "--fingerprint"), "npm-rc")["fact"]["fingerprint"] == npm["fact"]["fingerprint"]
    key = keyfile.default_file()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.unlink()
    assert of(document("--home", home, "--fingerprint"), "npm-rc")["fact"]["fingerprint"] != npm["fact"]["fingerprint"]


def test_a_key_that_others_can_read_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    keyfile.key().hex()
    keyfile.default_file().chmod(0o644)
    assert isinstance(run("--home", home, "--fingerprint").exception, api.UsageError)
    keyfile.default_file().chmod(0o600)
    keyfile.default_file().write_bytes(b"short")
    assert isinstance(run("--home", home, "--fingerprint").exception, api.UsageError)


def test_a_disk_is_looked_at_as_its_own_account(tmp_path: Path) -> None:
    ground = lay_all(11)
    disk = tmp_path / "disk"
    ground.lay(disk)
    (disk / "home/dev/.npmrc").unlink()
    (disk / "home/dev/.npmrc").symlink_to("/home/dev/inner")
    (disk / "home/dev/inner").write_text(f"_authToken={VALUE}\n")
    (disk / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\ndev:x:54321:54321::/home/dev:/bin/sh\n")
    found = document("--root", disk, "--user", "dev")
    assert found["identity"] == "dev (uid 54321)"
    assert of(found, "npm-rc")["place"] == "$HOME/.npmrc"
    (disk / "home/dev/inner").chmod(0o600)
    assert of(document("--root", disk, "--user", "dev"), "npm-rc")["reach"] == "not-readable"
    assert not [item for item in found["credentials"] if item["place"] == "environment"]
    assert isinstance(run("--root", disk, "--user", "nobody-here").exception, api.TargetError)
    assert isinstance(run("--root", disk).exception, api.UsageError)
    assert isinstance(run("--root", disk, "--home", disk).exception, api.UsageError)


def test_a_disk_of_windows_is_looked_at_in_its_own_places(tmp_path: Path) -> None:
    home = tmp_path / "disk/Users/dev"
    (tmp_path / "disk/Windows/System32").mkdir(parents=True)
    (home / "AppData/Roaming/GitHub CLI").mkdir(parents=True)
    (home / "AppData/Roaming/GitHub CLI/hosts.yml").write_text("h.example:\n  oauth_token: abc1\n  user: dev\n")
    (home / ".NPMRC").write_text(f"_authToken={VALUE}\n")
    found = document("--root", tmp_path / "disk", "--user", "dev")
    assert of(found, "gh-cli")["place"] == "$HOME/AppData/Roaming/GitHub CLI/hosts.yml"
    assert of(found, "npm-rc")["place"] == "$HOME/.npmrc"


def test_a_disk_of_macos_is_looked_at_in_its_own_places(tmp_path: Path) -> None:
    home = tmp_path / "disk/Users/dev"
    (tmp_path / "disk/System").mkdir(parents=True)
    (home / "Library/Preferences/pnpm").mkdir(parents=True)
    (home / "Library/Preferences/pnpm/rc").write_text(f"_authToken={VALUE}\n")
    found = document("--root", tmp_path / "disk", "--user", "dev")
    assert of(found, "pnpm-rc")["place"] == "$HOME/Library/Preferences/pnpm/rc"


def test_the_inventory_is_written_for_this_user_alone(home: Path, tmp_path: Path) -> None:
    for name, start in (("out.json", "{"), ("out.md", "# What"), ("out.txt", "")):
        result = run("--home", home, "--output", tmp_path / name)
        assert result.return_value in (0, 4)
        assert (tmp_path / name).read_text().startswith(start)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert isinstance(run("--home", home, "--output", tmp_path / "no" / "x").exception, api.UsageError)


def test_exit_codes(home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    for folder in ("etc", "home/dev", "usr", "var"):
        (disk / folder).mkdir(parents=True)
    (disk / "home/dev/.npmrc").write_bytes((home / ".npmrc").read_bytes())
    assert run("--root", disk, "--user", "dev").return_value == 0
    (disk / "home/dev/.yarnrc").mkdir()
    assert run("--root", disk, "--user", "dev").return_value == 4
    assert isinstance(run("--home", tmp_path / "absent").exception, api.TargetError)
    assert isinstance(run("--user", "nobody-here").exception, api.UsageError)


def test_twice_the_same_bytes(home: Path) -> None:
    first, second = (document("--home", home, "--incident", "axios-2026-03-31") for _ in range(2))
    first.pop("made")
    second.pop("made")
    assert first == second


def test_a_case_holds_the_inventory_with_fingerprints(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    case = tmp_path / "case"
    CliRunner().invoke(pratique, ["case", "new", str(case)], catch_exceptions=False, standalone_mode=False)
    assert run("--home", home, "--case", case).return_value in (0, 4)
    with api.open_case(case) as opened:
        (entry,) = opened.entries("reach")
    held = [api.ReachReport.__name__, entry.body["schema"]]
    assert held == ["ReachReport", "pratique.reach/1"]
    token = next(item for item in entry.body["credentials"] if item["location"] == "npm-rc")
    assert len(token["fact"]["fingerprint"]) == 20


def test_names_of_processes_hold_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    if not Path("/proc/self/environ").exists():
        pytest.skip("this system shows no variables of processes")
    process = subprocess.Popen(["sleep", "60"], env={"SHOP_SECRET": "value-1", "EMPTY": ""})
    try:
        found: list[frozenset[str]] = []
        for _ in range(100):
            found = [names for program, names in accounts.names_of_processes(os.geteuid()) if program == "sleep"]
            if frozenset({"SHOP_SECRET"}) in found:
                break
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert frozenset({"SHOP_SECRET"}) in found


def test_ids_are_the_same_in_every_run_and_stand_once(tmp_path: Path) -> None:
    ground = lay_all(12)
    ground.lay(tmp_path / "disk")
    report = api.reach(api.ReachRequest(root=str(tmp_path / "disk"), user="dev"))
    ids = [item.id for item in report.credentials]
    assert len(ids) == len(set(ids))
    again = lay_all(13)
    again.lay(tmp_path / "second")

    def places(credentials: tuple[Credential, ...]) -> set[tuple[str, str]]:
        return {(item.id, item.place) for item in credentials if "fingerprint" not in dict(item.fact.identity)}

    second = api.reach(api.ReachRequest(root=str(tmp_path / "second"), user="dev"))
    assert places(report.credentials) == places(second.credentials)


def test_a_token_in_a_place_of_anybody_is_of_its_issuer(home: Path) -> None:
    (home / ".git-credentials").write_text(
        f"https://dev:glpat-{'a1B2' * 5}@lab.example\nhttps://dev:short1@git.example\n"
    )
    found = document("--home", home)
    items = [item for item in found["credentials"] if item["location"] == "git-store"]
    assert [(item["provider"], item["rotation"], item["tier"]) for item in items] == [
        ("gitlab", "gitlab", 0),
        ("various", "github-token", 0),
    ]


def test_an_example_of_settings_is_no_secret_unless_a_real_token_stands_in_it(tmp_path: Path, home: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    words = "DB_PASSWORD=hunter2hunter2\nSTRIPE_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxx\n"
    for name in (".env.example", ".env.local.EXAMPLE", ".env.sample", ".env.template", ".env.dist", ".env"):
        (project / name).write_text(words)
    (project / ".env.staging.example").write_text(f"{words}NPM=npm_{'aB3dE5gH7jK9' * 3}\n")
    found = document("--home", home, "--project", project)
    held = [(item["location"], item["place"], item["fact"]["field"]) for item in found["credentials"]]
    assert sorted(item for item in held if item[1].startswith("$PROJECT")) == [
        ("dotenv", "$PROJECT/.env", "DB_PASSWORD"),
        ("dotenv", "$PROJECT/.env", "STRIPE_KEY"),
        ("dotenv-example", "$PROJECT/.env.staging.example", "NPM"),
    ]


def test_three_hundred_credentials_are_one_screen_with_a_count_of_the_rest(tmp_path: Path) -> None:
    home = tmp_path / "disk/home/dev"
    for folder in ("etc", "usr", "var", "home/dev"):
        (tmp_path / "disk" / folder).mkdir(parents=True, exist_ok=True)
    (home / ".env").write_text("".join(f"A{number}_PASSWORD=hunter2hunter{number}\n" for number in range(300)))
    (home / ".npmrc").write_text(f"//registry.example/:_authToken={VALUE}\n")
    disk = ("--root", tmp_path / "disk", "--user", "dev")
    lines = run(*disk).stdout.splitlines()
    assert len(lines) < 70
    assert lines[0].startswith("301 credentials in reach")
    assert "npm npm-token" in lines[3]
    assert "AND 286 MORE, none more dangerous than these: --all shows them, --output FILE keeps them" in lines
    assert "  tier 1: various env-file 286" in lines
    assert run(*disk, "--all").stdout.count("_PASSWORD") == 300
    run(*disk, "--output", tmp_path / "whole.txt")
    assert (tmp_path / "whole.txt").read_text().count("_PASSWORD") == 300


def test_a_job_secret_of_no_known_issuer_is_replaced_in_the_forge(tmp_path: Path) -> None:
    path = tmp_path / "release.yml"
    path.write_text(WORKFLOW)
    found = document("--workflow", path)
    rotations = {item["fact"]["field"]: item["rotation"] for item in found["credentials"]}
    assert rotations["INTERNAL_WORD"] == "github-actions-secret"
    assert rotations["every secret of the repository and organisation"] == "github-actions-secret"
    assert rotations["NPM_TOKEN"] == "npm"


def test_reusable_workflows_say_what_they_are_handed(tmp_path: Path) -> None:
    path = tmp_path / "release.yml"
    path.write_text(WORKFLOW)
    notes = document("--workflow", path)["notes"]
    assert any("release.yml/call says `secrets: inherit`" in note for note in notes)
    assert any("calls shop/flows/.github/workflows/x.yml@main" in note and "--workflow" in note for note in notes)
    (tmp_path / "called.yml").write_text(
        "on: {workflow_call: {secrets: {token: {required: true}}}}\n"
        "jobs: {x: {runs-on: y, steps: [{run: 'a ${{ secrets.token }}'}]}}\n"
    )
    path.write_text("on: push\njobs: {a: {uses: ./.github/workflows/called.yml, secrets: inherit}}\n")
    found = document("--workflow", path, "--workflow", tmp_path / "called.yml")
    assert not any("Name it with --workflow" in note for note in found["notes"])
    assert any("called.yml is called by others" in note for note in found["notes"])
    assert {"token", "GITHUB_TOKEN"} <= {item["fact"]["field"] for item in found["credentials"]}


def test_a_pipeline_of_gitlab_is_said_to_be_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text("stages: [build]\nbuild: {script: [npm ci]}\n")
    result = run("--workflow", path)
    assert result.return_value == 4
    assert "is of GitLab" in result.stdout
    assert "not looked at" in " ".join(result.stdout.split())


def report_of(folder: Path, *facts: object) -> Path:
    path = folder / "report.json"
    observations = [{"kind": "job", "facts": fact} for fact in facts]
    path.write_text(json.dumps({"header": {"schema": "pratique.report/1"}, "observations": observations}))
    return path


def test_jobs_of_a_report_are_joined_and_none_is_lost_in_silence(tmp_path: Path) -> None:
    job = {"system": "github-actions", "job": "publish", "workflow": "Release", "permissions": ["none"]}
    path = report_of(
        tmp_path,
        {**job, "secrets": ["NPM_TOKEN"], "source": "workflow-file"},
        {**job, "secrets": ["OTHER"], "source": "log"},
    )
    found = document("--report", path)
    held = {item["fact"]["field"]: item.get("in_window") for item in found["credentials"]}
    assert held == {"NPM_TOKEN": True, "OTHER": True}
    result = run("--report", report_of(tmp_path, {"system": "of another kind"}))
    assert result.return_value == 4
    assert "report.json: half understood" in result.stdout
    gitlab = run("--report", report_of(tmp_path, {"system": "gitlab", "job": "build"}))
    assert gitlab.return_value == 4
    assert "is of GitLab" in gitlab.stdout
    assert "names no job" in run("--report", report_of(tmp_path)).stdout


def test_a_job_that_no_report_names_is_an_error(tmp_path: Path) -> None:
    path = report_of(tmp_path, {"system": "github-actions", "job": "build (22)"})
    caught = run("--report", path, "--job", "publish").exception
    assert isinstance(caught, api.UsageError)
    assert "build (22)" in str(caught.advice)
    assert document("--report", path, "--job", "build")["credentials"]


def test_jobs_need_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "release.yml"
    path.write_text(WORKFLOW)
    monkeypatch.setattr(accounts, "own", lambda: accounts.Record("uid 54321", None, 54321))
    assert document("--workflow", path)["credentials"]
    caught = run().exception
    assert isinstance(caught, api.TargetError)
    assert "--home" in str(caught.advice)


def test_that_no_time_was_named_is_said(home: Path) -> None:
    assert any("no window was named" in note for note in document("--home", home)["notes"])
    assert not any("no window" in note for note in document("--home", home, "--window", "2026-03-01..")["notes"])

"""`pratique verify` as a person runs it: on a case, on real installs, until it is over and never before."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pratique.model.report import Report
from pratique.workflow.case import open_case
from tests.integration.test_check_command import AXIOS, project, run
from tests.standins.installs import unpack

TOKEN = "npm_" + "EXAMPLE" + "0aB1cD2eF3" * 3
OTHER = "npm_" + "EXAMPLE" + "9zY8xW7vU6" * 3


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def case(tmp_path: Path, home: Path) -> Path:
    done = run("case", "new", tmp_path / "case", "--incident", AXIOS, home=home)
    assert done.returncode == 0, done.stderr
    return tmp_path / "case"


def check(case: Path, home: Path, *targets: Path, code: int) -> None:
    done = run("check", *targets, "--incident", AXIOS, "--case", case, "--no-cache", home=home)
    assert done.returncode == code, done.stdout + done.stderr


def verified(case: Path, home: Path, code: int, *options: str) -> dict[str, Any]:
    done = run("verify", case, "--format", "json", *options, home=home)
    assert done.returncode == code, done.stdout[:3000] + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def blocking(found: dict[str, Any]) -> str:
    return "\n".join(item["what"] for item in found["open"] if item.get("blocks", True))


def test_a_repaired_lockfile_is_fixed_and_the_answer_stands_in_the_case(case: Path, home: Path, tmp_path: Path) -> None:
    project(tmp_path / "app", version="1.14.1")
    check(case, home, tmp_path / "app", code=10)
    found = verified(case, home, 10)
    assert [item["reason"] for item in found["subjects"]] == ["it is still there"]
    project(tmp_path / "app", version="1.14.0")
    found = verified(case, home, 0)
    assert found["status"] == "fixed"
    assert [item["status"] for item in found["subjects"]] == ["fixed"]
    assert blocking(found) == ""
    with open_case(case, key=next((home / ".config/pratique/keys").glob("*.key")), writing=False) as opened:
        kinds = [entry.kind for entry in opened.entries("verification")]
    assert kinds == ["verification"] * 2
    assert run("case", "verify", case, home=home).returncode in (0, 4)


def test_the_text_says_what_is_open_and_what_to_do(case: Path, home: Path, tmp_path: Path) -> None:
    project(tmp_path / "app", version="1.14.1")
    check(case, home, tmp_path / "app", code=10)
    done = run("verify", case, "--output", tmp_path / "answer.json", home=home)
    assert done.returncode == 10
    assert done.stdout.startswith("AFFECTED  1 of 1 place not recovered")
    assert "Still open, in order" in done.stdout
    assert f"pratique plan --case {case}" in done.stdout
    assert json.loads((tmp_path / "answer.json").read_text())["status"] == "affected"


def test_what_cannot_be_read_again_is_not_fixed(case: Path, home: Path, tmp_path: Path) -> None:
    project(tmp_path / "app", version="1.14.1")
    check(case, home, tmp_path / "app", code=10)
    lock = tmp_path / "app/package-lock.json"
    lock.write_text(lock.read_text()[: len(lock.read_text()) // 3])
    assert verified(case, home, 4)["status"] == "under_investigation"


@pytest.mark.parametrize("emptied", [False, True])
def test_a_place_that_is_gone_is_not_fixed_without_a_word(
    case: Path, home: Path, tmp_path: Path, emptied: bool
) -> None:
    project(tmp_path / "app", version="1.14.1")
    check(case, home, tmp_path / "app", code=10)
    shutil.rmtree(tmp_path / "app")
    if emptied:
        (tmp_path / "app").mkdir()
    found = verified(case, home, 4)
    assert "cannot be looked at again" in blocking(found)


def test_what_was_seen_by_an_earlier_verify_is_not_forgotten(case: Path, home: Path, tmp_path: Path) -> None:
    project(tmp_path / "apps/one", version="1.14.1")
    check(case, home, tmp_path / "apps", code=10)
    project(tmp_path / "apps/one", version="1.14.0")
    unpack("npm-11-ran", tmp_path / "apps/two")
    found = verified(case, home, 11)
    assert "seen now for the first time" in {item["reason"] for item in found["subjects"]}
    shutil.rmtree(tmp_path / "apps/two")
    found = verified(case, home, 11)
    assert "the code ran there, and it is not recorded that the machine was rebuilt" in blocking(found)


def rotation(case: Path, home: Path, found: dict[str, Any]) -> None:
    for item in found["credentials"]:
        of_this_test = item["place"].startswith("$HOME")
        state = ("verified", "--grade", "issuer-lists-it") if of_this_test else ("not-needed",)
        done = run("case", "done", case, item["credential"], "--state", *state, home=home)
        assert done.returncode == 0, done.stderr


def test_a_run_is_over_when_the_machine_is_rebuilt_and_every_credential_is_recorded(
    case: Path, home: Path, tmp_path: Path
) -> None:
    unpack("npm-11-ran", tmp_path / "install")
    npmrc = home / ".npmrc"
    npmrc.write_text(f"//registry.example/:_authToken={TOKEN}\n")
    os.utime(npmrc, (1774900000, 1774900000))
    check(case, home, tmp_path / "install", code=11)
    assert "No inventory of credentials was made" in blocking(verified(case, home, 11))
    done = run("reach", "--case", case, "--home", home, "--incident", AXIOS, home=home)
    assert done.returncode in (0, 4), done.stderr
    assert run("plan", "--case", case, home=home).returncode in (0, 4)

    found = verified(case, home, 11)
    token = next(item for item in found["credentials"] if item["field"] == "_authToken")
    assert token["comparison"] == "unchanged"
    assert token["age"] > 200
    assert "not rotated: the same value still stands there" in blocking(found)

    for path in ("install/project", "install/home/.npm/_cacache"):
        shutil.rmtree(tmp_path / path)
    found = verified(case, home, 11)
    assert "it is not recorded that the machine was rebuilt" in blocking(found)
    done = run("case", "done", case, "revert.rebuild", "--words", "from the golden image", home=home)
    assert done.returncode == 0, done.stderr

    found = verified(case, home, 4)
    assert {item["status"] for item in found["subjects"]} == {"fixed"}
    npmrc.write_text(f"//registry.example/:_authToken={OTHER}\n")
    found = verified(case, home, 4)
    token = next(item for item in found["credentials"] if item["field"] == "_authToken")
    assert (token["comparison"], token["closed"]) == ("changed", False)

    rotation(case, home, found)
    found = verified(case, home, 0)
    assert found["status"] == "fixed"
    assert run("verify", case, home=home).stdout.startswith("FIXED  ")

    npmrc.write_text(f"//registry.example/:_authToken={TOKEN}\n")
    found = verified(case, home, 4)
    assert "recorded as verified, and the same value still stands there" in blocking(found)
    npmrc.unlink()
    (home / ".npmrc-copy").write_text("")
    assert verified(case, home, 0)["status"] == "fixed"

    for path in (case / "journal.sqlite", case / "journal.sqlite-wal"):
        if path.exists():
            assert TOKEN.encode() not in path.read_bytes()
            assert OTHER.encode() not in path.read_bytes()


def test_an_inventory_of_jobs_is_none_of_the_account(case: Path, home: Path, tmp_path: Path) -> None:
    unpack("npm-11-blocked", tmp_path / "install")
    check(case, home, tmp_path / "install", code=10)
    workflow = tmp_path / "ci.yml"
    workflow.write_text("on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm ci\n")
    assert run("reach", "--case", case, "--workflow", workflow, home=home).returncode in (0, 4)
    assert "No inventory tells what the account on" in blocking(verified(case, home, 10))
    assert run("reach", "--case", case, "--home", home, home=home).returncode in (0, 4)
    assert "No inventory tells" not in blocking(verified(case, home, 10))


def test_a_machine_that_was_swept_is_swept_again(case: Path, home: Path, tmp_path: Path) -> None:
    unpack("npm-11-blocked", tmp_path / "install")
    check(case, home, tmp_path / "install", code=10)
    told = "\n".join(item["what"] for item in verified(case, home, 10)["open"])
    assert "What runs and what starts by itself on this machine was not examined" in told
    assert "Caches, stores, logs and global packages of this user were not examined" in told
    assert run("host", "--case", case, "--incident", AXIOS, home=home).returncode in (0, 4, 10, 11)
    found = verified(case, home, 10)
    assert "What runs and what starts" not in "\n".join(item["what"] for item in found["open"])
    assert "host" in {entry["kind"] for entry in found["report"]["targets"]}


def test_a_token_that_was_moved_is_not_rotated(case: Path, home: Path, tmp_path: Path) -> None:
    unpack("npm-11-blocked", tmp_path / "install")
    (home / ".npmrc").write_text(f"//registry.example/:_authToken={TOKEN}\n")
    check(case, home, tmp_path / "install", code=10)
    assert run("reach", "--case", case, "--home", home, home=home).returncode in (0, 4)
    (home / ".npmrc").write_text(f"//other.example/:_authToken={TOKEN}\n")
    found = verified(case, home, 10)
    token = next(item for item in found["credentials"] if item["field"] == "_authToken")
    assert token["comparison"] == "unchanged"


def test_a_report_of_another_machine_is_not_answered_for_here(case: Path, home: Path, tmp_path: Path) -> None:
    project(tmp_path / "app", version="1.14.1")
    check(case, home, tmp_path / "app", code=10)
    project(tmp_path / "app", version="1.14.0")
    key = next((home / ".config/pratique/keys").glob("*.key"))
    with open_case(case, key=key) as opened:
        report = msgspec.convert(next(opened.entries("report")).body, Report)
        there = msgspec.structs.replace(report, header=msgspec.structs.replace(report.header, host="runner-7"))
        opened.append("report", there)
    found = verified(case, home, 4)
    assert "it is a place of runner-7" in blocking(found)
    assert {(item["host"] == "runner-7", item["status"]) for item in found["subjects"]} == {
        (True, "under_investigation"),
        (False, "fixed"),
    }


def test_a_release_that_was_named_by_hand_is_asked_for_again(home: Path, tmp_path: Path) -> None:
    assert run("case", "new", tmp_path / "case", home=home).returncode == 0
    case = tmp_path / "case"
    project(tmp_path / "app", version="1.14.1")
    done = run("check", tmp_path / "app", "--bad", "npm:axios@1.14.1", "--case", case, home=home)
    assert done.returncode == 10, done.stderr
    project(tmp_path / "app", version="1.14.0")
    found = verified(case, home, 4)
    assert "the definition of the incident is not at hand" in blocking(found)
    assert verified(case, home, 0, "--bad", "npm:axios@1.14.1")["status"] == "fixed"


def test_a_file_named_alone_is_looked_at_again_alone(case: Path, home: Path, tmp_path: Path) -> None:
    project(tmp_path / "app", version="1.14.1")
    project(tmp_path / "app/other", version="1.14.1")
    check(case, home, tmp_path / "app/package-lock.json", code=10)
    project(tmp_path / "app", version="1.14.0")
    assert verified(case, home, 0)["status"] == "fixed"


def test_without_a_report_or_a_case_it_says_what_to_do(case: Path, home: Path, tmp_path: Path) -> None:
    done = run("verify", case, home=home)
    assert done.returncode == 2
    assert "holds no report" in done.stderr
    assert run("verify", tmp_path / "nowhere", home=home).returncode == 2


def test_a_key_of_nobody_known_is_not_rotated_as_a_token_of_a_code_host(home: Path) -> None:
    """A private key has a form and no issuer: its steps are those of an issuer that nobody described."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (home / ".acme.sh").mkdir()
    (home / ".acme.sh/account.key").write_bytes(key)
    done = run("reach", "--home", home, "--format", "json", home=home)
    found = [item for item in json.loads(done.stdout)["credentials"] if item["place"].endswith("account.key")]
    assert [item["rotation"] for item in found] == ["other"]


def answered(case: Path, home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("verify", case, "--format", "json", home=home).stdout)
    return found


def test_a_workflow_that_still_asks_for_it_is_no_tale_of_the_past(case: Path, home: Path, tmp_path: Path) -> None:
    workflow = project(tmp_path / "app") / ".github/workflows/ci.yml"
    workflow.parent.mkdir(parents=True)
    job = "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: npm install axios@{}\n"
    workflow.write_text(job.format("1.14.1"))
    check(case, home, tmp_path / "app", code=10)
    assert [item["reason"] for item in verified(case, home, 10)["subjects"]] == ["it is still there"]
    workflow.write_text(job.format("1.14.0"))
    assert verified(case, home, 0)["status"] == "fixed"


def test_a_home_that_is_not_there_any_more_is_named_and_blocks(case: Path, home: Path, tmp_path: Path) -> None:
    unpack("npm-11-blocked", tmp_path / "install")
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada/.npmrc").write_text(f"//registry.example/:_authToken={TOKEN}\n")
    check(case, home, tmp_path / "install", code=10)
    assert run("reach", "--case", case, "--home", tmp_path / "ada", home=home).returncode in (0, 4)
    for path in ("install/project", "install/home/.npm/_cacache"):
        shutil.rmtree(tmp_path / path)
    for item in answered(case, home)["credentials"]:
        done = run("case", "done", case, item["credential"], "--state", "not-needed", home=home)
        assert done.returncode == 0, done.stderr
    assert verified(case, home, 0)["status"] == "fixed"
    shutil.move(tmp_path / "ada", tmp_path / "elsewhere")
    assert "could not be made again" in blocking(verified(case, home, 4))


DEFINITION = """
id = "example-2026-01-02"
revision = {revision}
updated = 2026-01-03
title = "example"
summary = "A file that starts code."
status = "active"
completeness = "growing"
next_steps = ["Look"]

[[references]]
id = "report"
title = "A report"
kind = "vendor-report"
url = "https://example.test/report"
retrieved = 2026-01-03

[[components]]
ecosystem = "npm"
name = "example"
role = "carrier"
source = "report"

[[components.versions]]
version = "1.2.4"

[[indicators]]
id = "dropped"
type = "file-path"
value = "{value}"
match = "glob"
meaning = "persisted"
confidence = "low"
sources = ["report"]
"""


def test_an_indicator_that_a_definition_dropped_is_not_gone(home: Path, tmp_path: Path) -> None:
    """The file stands there as it was; only the words about it changed."""
    library = tmp_path / "library"
    library.mkdir()
    app = project(tmp_path / "app")
    (app / ".claude").mkdir()
    (app / ".claude/planted.mjs").write_text("// inert\n")
    os.utime(app / ".claude/planted.mjs", (1774900000, 1774900000))
    definition = library / "example-2026-01-02.toml"
    definition.write_text(DEFINITION.format(revision=1, value="**/.claude/planted.mjs"))
    case = tmp_path / "case"
    assert run("case", "new", case, home=home).returncode == 0
    done = run("check", app, "--incidents", library, "--incident", definition.stem, "--case", case, home=home)
    assert done.returncode in (4, 10, 11), done.stdout + done.stderr
    definition.write_text(DEFINITION.format(revision=2, value="**/.claude/other.mjs"))
    found = verified(case, home, 4, "--incidents", str(library))
    assert "does not list any more what was seen" in blocking(found)
    (app / ".claude/planted.mjs").unlink()
    found = verified(case, home, 4, "--incidents", str(library))
    assert [item["status"] for item in found["subjects"]] == ["fixed"]


def test_a_rebuilt_machine_on_which_it_is_still_there_was_not_rebuilt(case: Path, home: Path, tmp_path: Path) -> None:
    unpack("npm-11-ran", tmp_path / "install")
    check(case, home, tmp_path / "install", code=11)
    assert run("plan", "--case", case, home=home).returncode in (0, 4)
    rebuilt = ("case", "done", case, "revert.rebuild", "--words", "from the golden image")
    assert run(*rebuilt, home=home).returncode == 0
    verified(case, home, 11)
    for path in ("install/project", "install/home/.npm/_cacache"):
        shutil.rmtree(tmp_path / path)
    assert "it is not recorded that the machine was rebuilt" in blocking(verified(case, home, 11))
    assert run(*rebuilt, home=home).returncode == 0
    assert "it is not recorded that the machine was rebuilt" not in blocking(answered(case, home))


def test_what_lies_again_where_code_was_planted_is_told_whatever_its_bytes(tmp_path: Path) -> None:
    from pratique.adapters.disk import digest
    from pratique.model.plan import Quarantine
    from pratique.workflow.verify import _again

    place = tmp_path / "gh-token-monitor.service"
    place.write_text("one")
    unit = Quarantine(path=str(place), digest=digest(str(place))[0], what="user-unit")
    folder = Quarantine(path=str(place), digest=unit.digest, what="package-cache")
    assert _again(unit) == _again(folder) == " with the same bytes"
    place.write_text("two")
    assert (_again(unit), _again(folder)) == (" with other bytes", None)
    place.unlink()
    place.symlink_to("somewhere")
    assert _again(unit) is not None
    place.unlink()
    assert _again(unit) is None

"""The case commands as a person runs them: exit codes, messages, and a check that writes into a case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_check_command import AXIOS, ROOT, project, run
from tests.standins.installs import unpack

HASH = "sha256:" + "0" * 64


@pytest.fixture
def case(tmp_path: Path) -> Path:
    done = run("case", "new", tmp_path / "case", "--incident", AXIOS, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "home/.config/pratique/keys").is_dir()
    return tmp_path / "case"


def status(case: Path) -> dict[str, object]:
    done = run("case", "status", case, "--format", "json", home=case.parent / "home")
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_check_writes_its_whole_report_into_the_case(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    project(tmp_path / "app", version="1.14.1")
    done = run("check", tmp_path / "app", "--case", case, "--format", "json", home=home)
    assert done.returncode == 10
    found = status(case)
    assert found["reports"] == 1
    assert found["incidents"] == [AXIOS]
    assert run("case", "verify", case, home=home).returncode == 0


def test_what_is_wrong_with_the_case_is_said_before_the_check(tmp_path: Path) -> None:
    project(tmp_path / "app", version="1.14.1")
    done = run("check", tmp_path / "app", "--case", tmp_path / "nowhere")
    assert done.returncode == 2
    assert "nowhere: does not exist. Name a folder that `pratique case new` made" in done.stderr
    assert done.stdout == ""


def test_add_copies_folders_and_links_and_records_what_it_could_not_read(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "logs/inner").mkdir(parents=True)
    (tmp_path / "logs/inner/debug.log").write_text("a line")
    (tmp_path / "logs/link").symlink_to("inner")
    os.mkfifo(tmp_path / "logs/pipe")
    done = run("case", "add", case, tmp_path / "logs", home=home)
    assert done.returncode == 4
    assert "pipe: is no regular file but a named pipe" in done.stderr
    found = status(case)
    assert (found["evidence"], found["missing"]) == (2, 1)
    assert run("case", "verify", case, home=home).returncode == 0
    assert run("case", "add", case, tmp_path / "nothing", home=home).returncode == 2


def test_a_case_never_takes_itself_in(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "file").write_text("x")
    done = run("case", "add", case, case / "journal.sqlite", home=home)
    assert (done.returncode, "lies in the case itself" in done.stderr) == (2, True)
    assert run("case", "add", case, case, home=home).returncode == 2
    (tmp_path / "link").symlink_to(case)
    assert run("case", "add", case, tmp_path / "link" / "evidence", home=home).returncode == 2
    assert run("case", "add", case, tmp_path, home=home).returncode == 0
    assert run("case", "verify", case, home=home).returncode == 0


def test_memory_stays_flat_and_a_file_that_says_it_is_empty_is_read(case: Path, tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(300 << 20)
    script = (
        "import sys; from pathlib import Path; from pratique.workflow.case import add_evidence, open_case;"
        " case = open_case(Path(sys.argv[1])); found = add_evidence(case, sys.argv[2:]); case.close();"
        " print([item.size for item in found.items],  open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    environment = {"PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", script, str(case), str(tmp_path / "large"), "/proc/self/status"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    large, small, peak = (int(word.strip("[],")) for word in done.stdout.split())
    assert large == 300 << 20
    assert 100 < small < 100_000
    assert peak < 100_000, "kilobytes"


def test_note_and_done(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("case", "note", case, "called the owner", home=home).returncode == 0
    assert run("case", "note", case, " ", home=home).returncode == 2
    done = run("case", "done", case, f"sweep:{AXIOS}", home=home)
    assert (done.returncode, "--outcome" in done.stderr) == (2, True)
    assert run("case", "done", case, "sweep:other", "--outcome", "removed", home=home).returncode == 2
    assert run("case", "done", case, "no-such-step", home=home).returncode == 2
    done = run("case", "done", case, f"sweep:{AXIOS}", "--outcome", "nothing-found", "--words", "by Ada", home=home)
    assert done.returncode == 0
    assert done.stdout.endswith(f"sweep for the dead man's switch of {AXIOS}, by hand: nothing-found; by Ada\n")
    wrong = run("case", "done", case, f"sweep:{AXIOS}", "--outcome", "removed", "--state", "revoked", home=home)
    assert wrong.returncode == 2
    assert status(case)["sweeps"] == {AXIOS: "nothing-found"}


@pytest.mark.parametrize("deep", [(), ("--deep",)])
def test_a_case_is_never_a_sighting(tmp_path: Path, deep: tuple[str, ...]) -> None:
    home = tmp_path / "home"
    unpack("npm-11-ran", tmp_path / "bad")
    (tmp_path / "place").mkdir()
    case = tmp_path / "place/case"
    assert run("case", "new", case, home=home).returncode == 0
    assert run("check", tmp_path / "bad", "--case", case, home=home).returncode == 11
    assert run("case", "add", case, tmp_path / "bad", home=home).returncode in (0, 4)
    done = run("check", tmp_path / "place", "--incident", AXIOS, *deep, "--format", "json", home=home)
    found = json.loads(done.stdout)
    assert found["sightings"] == []
    assert done.returncode == (0 if deep else 3), "nothing in a case is of a kind that a reader knows"
    project(case / "hidden", version="1.14.1")
    assert run("check", tmp_path / "place", *deep, home=home).returncode == 10, "no file hides in a case"


def test_the_errors_of_folders_that_are_no_case(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/file").write_text("x")
    for command in (("status",), ("verify",), ("note",)):
        words = ["x"] if command == ("note",) else []
        done = run("case", *command, tmp_path / "plain", *words, home=home)
        assert (done.returncode, "is no case: it holds no journal" in done.stderr) == (2, True)
    done = run("case", "new", tmp_path / "plain", home=home)
    assert (done.returncode, "is not empty" in done.stderr) == (2, True)
    done = run("case", "new", tmp_path / "case", "--key", tmp_path / "case/key", home=home)
    assert (done.returncode, "the key would lie in the case" in done.stderr) == (2, True)
    assert not (tmp_path / "case").exists()


def test_seal_and_verify_as_a_person_does(case: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "file").write_text("a lockfile")
    assert run("case", "add", case, tmp_path / "file", home=home).returncode == 0
    done = run("case", "seal", case, home=home)
    assert done.returncode == 0
    assert "a seal over entries 1 to 2" in done.stdout
    assert status(case)["sealed"] is True
    assert run("case", "seal", case, "--statement", tmp_path / "statement.json", home=home).returncode == 0
    assert json.loads((tmp_path / "statement.json").read_text())["predicate"]["number"] == 3
    assert run("case", "attach", case, tmp_path / "statement.json", home=home).returncode == 2
    assert run("case", "seal", case, "--ssh-key", "a", "--statement", "b", home=home).returncode == 2
    done = run("case", "verify", case, home=home)
    assert (done.returncode, "signature good, trusted signer SHA256:" in done.stdout) == (0, True)
    assert run("case", "verify", case, "--no-evidence", home=home).returncode == 4
    done = run("case", "verify", case, home=tmp_path / "elsewhere")
    assert done.returncode == 4, "without the key what can be verified agrees"
    assert done.stdout.count("NOT VERIFIED") == 3
    pack = case / "evidence/0001.pack"
    pack.write_bytes(pack.read_bytes()[:-1])
    done = run("case", "verify", case, "--format", "json", home=home)
    assert done.returncode == 5
    assert json.loads(done.stdout)["disagreements"][0]["entry"] == 2
    done = run("case", "verify", case, home=home)
    assert done.stdout.startswith("DISAGREES     entry 2, evidence: its evidence does not open")

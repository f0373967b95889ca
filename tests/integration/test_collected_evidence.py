"""A check with `--case` copies what its sightings rest on, most volatile first, and says what it could not copy."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pratique import api
from pratique.model.case import Entry
from pratique.model.errors import CaseError
from pratique.workflow import collect as collecting
from pratique.workflow.case import new_case, open_case, record_report
from pratique.workflow.case_proof import verify_case
from pratique.workflow.case_seal import seal_case
from pratique.workflow.verify import VerifyRequest, verify
from tests.integration.test_host_command import LINUX, definition, linux
from tests.integration.test_host_command import run as swept
from tests.standins.installs import unpack

TODAY = datetime.date(2026, 11, 20)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this user with a shell history."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    (folder / ".bash_history").write_text("npm install\n")
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "HISTFILE"):
        monkeypatch.delenv(name, raising=False)
    return folder


def checked(tmp_path: Path, *targets: str) -> list[Entry]:
    """The journal after a check with a case."""
    folder = tmp_path / "case"
    selection = api.select(incidents=["axios-2026-03-31"], today=TODAY)
    request = api.CheckRequest(
        targets=tuple(api.specify(list(targets))), incidents=selection.incidents, named=selection.named
    )
    report = api.check(request)
    with open_case(folder) if folder.exists() else new_case(folder, incidents=["axios-2026-03-31"]) as case:
        collecting.collect(case, report, selection.incidents)
        assert verify_case(case).exit_code == 0
        return list(case.entries())


def bodies(entries: list[Entry], kind: str) -> list[dict[str, object]]:
    return [entry.body for entry in entries if entry.kind == kind]


def test_what_an_install_left_is_copied_in_the_order_of_the_incident(tmp_path: Path, home: Path) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    entries = checked(tmp_path, str(tmp_path / "machine"))
    kept = bodies(entries, "evidence")
    kinds = list(dict.fromkeys(str(item["kind"]) for item in kept))
    assert kinds[:2] == ["process-table", "socket-table"]
    places = [kinds.index(kind) for kind in ("debug-log", "hidden-lockfile", "manifest", "lockfile", "cache-index")]
    assert places == sorted(places)
    sources = {Path(str(item["source"])).as_posix().removeprefix(f"{tmp_path}/machine/"): item for item in kept}
    hidden = sources["project/node_modules/.package-lock.json"]
    original = tmp_path / "machine/project/node_modules/.package-lock.json"
    assert hidden["digest"] == f"sha256:{hashlib.sha256(original.read_bytes()).hexdigest()}"
    assert hidden["size"] == original.stat().st_size
    assert all(hidden[name] for name in ("mode", "owner", "modified"))
    assert "project/package-lock.json" in sources
    assert "project/node_modules/plain-crypto-js/package.json" in sources
    assert any("_cacache/content-v2/sha512" in name for name in sources)
    assert any("_cacache/index-v5" in name for name in sources)
    logs = list((tmp_path / "machine/home/.npm/_logs").iterdir())
    assert {f"home/.npm/_logs/{path.name}" for path in logs} <= set(sources)
    history = sources[str(home / ".bash_history")]
    assert history["sensitive"] is True
    missing = bodies(entries, "missing")
    assert any("CI logs" in str(item["what"]) for item in missing)


def test_state_a_keeps_the_dropper_itself(tmp_path: Path, home: Path) -> None:
    unpack("npm-12-blocked", tmp_path / "machine")
    kept = bodies(checked(tmp_path, str(tmp_path / "machine")), "evidence")
    names = {str(item["source"]).rpartition("plain-crypto-js/")[2] for item in kept if "plain-crypto-js/" in str(item)}
    assert {"setup.js", "package.md", "package.json"} <= names


def test_a_second_check_copies_only_what_changed(tmp_path: Path, home: Path) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    first = bodies(checked(tmp_path, str(tmp_path / "machine")), "evidence")
    lock = tmp_path / "machine/project/package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    second = bodies(checked(tmp_path, str(tmp_path / "machine")), "evidence")[len(first) :]
    again = {str(item["source"]) for item in second}
    assert again == {"live:processes", "live:sockets", str(lock)}


def test_a_history_gives_the_blob_and_no_table_of_this_machine(tmp_path: Path, home: Path) -> None:
    unpack("npm-10-lock-only", tmp_path / "machine")
    project = tmp_path / "machine/project"
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}
    for words in (
        ["init", "-q"],
        ["add", "package-lock.json"],
        ["-c", "user.name=a", "-c", "user.email=a@b.test", "commit", "-qm", "lock"],
    ):
        subprocess.run(["git", *words], cwd=project, check=True, env=environment)
    kept = bodies(checked(tmp_path, f"git:{project}"), "evidence")
    assert {str(item["kind"]) for item in kept} == {"lockfile"}
    content = (project / "package-lock.json").read_bytes()
    assert [item["digest"] for item in kept] == [f"sha256:{hashlib.sha256(content).hexdigest()}"]


def test_what_cannot_be_read_is_written_down(tmp_path: Path, home: Path) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    lock = tmp_path / "machine/project/package.json"
    lock.unlink()
    os.mkfifo(lock)
    secret = tmp_path / "secret"
    secret.write_text("never copied")
    history = home / ".bash_history"
    history.unlink()
    history.symlink_to(secret)
    entries = checked(tmp_path, str(tmp_path / "machine"))
    reasons = {str(item["source"]): str(item["reason"]) for item in bodies(entries, "missing")}
    assert "named pipe" in reasons[str(lock)]
    link = next(item for item in bodies(entries, "evidence") if item["source"] == str(history))
    assert link["links_to"] == str(secret)
    assert link["size"] == len(str(secret))


def test_nothing_is_copied_where_nothing_was_sighted(tmp_path: Path, home: Path) -> None:
    unpack("npm-10-clean", tmp_path / "machine")
    entries = checked(tmp_path, str(tmp_path / "machine"))
    assert [entry.kind for entry in entries] == ["opened"]
    assert json.dumps(entries[0].body).count("axios-2026-03-31")


@pytest.mark.parametrize(
    "install", ["npm-11-ran", "pnpm-8-ran", "pnpm-10-ran", "pnpm-11-ran", "yarn-1-ran", "bun-1.4-ran", "deno-2.9-ran"]
)
def test_the_dropper_that_removed_itself_is_copied_from_where_its_client_keeps_it(
    tmp_path: Path, home: Path, install: str
) -> None:
    unpack(install, tmp_path / "machine")
    kept = bodies(checked(tmp_path, str(tmp_path / "machine")), "evidence")
    with open_case(tmp_path / "case", writing=False) as case:
        copied = [case.content(str(item["digest"])) for item in kept if item["kind"] == "cache-content"]
    dropper = [content for content in copied if b"setup.js" in content or content[:2] == b"\x1f\x8b"]
    assert dropper
    if "npm-11" not in install or install.startswith("pnpm"):
        names = {str(item["what"]) for item in kept if item["kind"] == "cache-content"}
        assert any(name.startswith("setup.js of ") for name in names)


def test_rows_that_stand_in_the_log_of_a_store_alone_are_copied(tmp_path: Path, home: Path) -> None:
    unpack("pnpm-11-ran", tmp_path / "machine")
    index = next((tmp_path / "machine").rglob("index.db"))
    log = index.with_name("index.db-wal")
    log.write_bytes(b"")
    kept = bodies(checked(tmp_path, str(tmp_path / "machine")), "evidence")
    assert {str(index), str(log)} <= {str(item["source"]) for item in kept}


def test_content_that_an_index_names_and_is_gone_is_missing(tmp_path: Path, home: Path) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    shutil.rmtree(next((tmp_path / "machine").rglob("content-v2")))
    missing = bodies(checked(tmp_path, str(tmp_path / "machine")), "missing")
    gone = [item for item in missing if "content-v2" in str(item["source"])]
    assert {item["reason"] for item in gone} == {"its index names it, and it is not there"}


def test_what_is_missing_is_written_down_once(tmp_path: Path, home: Path) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    first = bodies(checked(tmp_path, str(tmp_path / "machine")), "missing")
    assert first
    assert bodies(checked(tmp_path, str(tmp_path / "machine")), "missing") == first


def test_bytes_that_changed_under_the_old_time_of_the_file_are_copied_again(tmp_path: Path, home: Path) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    checked(tmp_path, str(tmp_path / "machine"))
    code = tmp_path / "machine/project/node_modules/axios/index.js"
    status = code.stat()
    code.write_bytes(code.read_bytes()[::-1])
    os.utime(code, ns=(status.st_atime_ns, status.st_mtime_ns))
    kept = bodies(checked(tmp_path, str(tmp_path / "machine")), "evidence")
    assert len({item["digest"] for item in kept if item["source"] == str(code)}) == 2


def test_a_history_is_copied_once(tmp_path: Path, home: Path) -> None:
    test_a_history_gives_the_blob_and_no_table_of_this_machine(tmp_path, home)
    kept = bodies(checked(tmp_path, f"git:{tmp_path}/machine/project"), "evidence")
    assert len(kept) == 1


def test_what_was_copied_stays_where_the_disk_is_full_later(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    original = collecting._Collection.copy

    def full(self: collecting._Collection, source: collecting.Source, order: int, incident: str) -> int:
        if source.kind == "lockfile":
            raise CaseError("no space is left")
        original(self, source, order, incident)
        return collecting.BATCH

    monkeypatch.setattr(collecting._Collection, "copy", full)
    with pytest.raises(CaseError, match="no space"):
        checked(tmp_path, str(tmp_path / "machine"))
    with open_case(tmp_path / "case") as case:
        kinds = [str(entry.body["kind"]) for entry in case.entries("evidence")]
        assert verify_case(case).exit_code == 0
    assert kinds[:2] == ["process-table", "socket-table"]
    assert "hidden-lockfile" in kinds


@LINUX
def test_a_sweep_copies_the_planted_file_the_unit_and_a_program_that_removed_itself(tmp_path: Path, home: Path) -> None:
    file = definition(
        tmp_path, ("watcher", "file-path", "~/.local/bin/standin-monitor"), extra="persisted", switch="A stand-in."
    )
    planted = home / ".local/bin/standin-monitor"
    planted.parent.mkdir(parents=True)
    shutil.copy("/bin/sleep", planted)
    unit = home / ".config/systemd/user/standin-monitor.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=%h/.local/bin/standin-monitor\n")
    (home / ".npm/_logs").mkdir(parents=True)
    (home / ".npm/_logs/2026-03-31T00_21_00_000Z-debug-0.log").write_text("0 verbose cli\n")
    process = subprocess.Popen([planted, "60"])
    content = planted.read_bytes()
    planted.unlink()
    try:
        with new_case(tmp_path / "case", key=tmp_path / "key"):
            pass
        done = swept("--incident", file, "--case", tmp_path / "case", "--key", tmp_path / "key", home=home)
        assert done.returncode == 11, done.stderr
    finally:
        process.kill()
        process.wait()
    with open_case(tmp_path / "case", key=tmp_path / "key") as case:
        kept = {str(entry.body["source"]): entry.body for entry in case.entries("evidence")}
        program = kept[f"live:process/{process.pid}:{planted}"]
        assert case.content(str(program["digest"])) == content
        missing = [entry.body for entry in case.entries("missing")]
    assert kept[str(unit)]["kind"] == "persistence"
    assert kept[str(home / ".npm/_logs/2026-03-31T00_21_00_000Z-debug-0.log")]["kind"] == "debug-log"
    assert not [item for item in missing if "pratique-processes" in str(item)]


@LINUX
def test_a_disk_of_another_machine_gives_no_table_and_no_history_of_this_one(tmp_path: Path, home: Path) -> None:
    file = definition(tmp_path, ("watcher", "file-path", "/tmp/standin"), extra="persisted", switch="A stand-in.")
    disk = linux(tmp_path / "disk")
    (disk / "tmp").mkdir(exist_ok=True)
    (disk / "tmp/standin").write_text("planted")
    with new_case(tmp_path / "case", key=tmp_path / "key"):
        pass
    done = swept("--root", disk, "--incident", file, "--case", tmp_path / "case", "--key", tmp_path / "key", home=home)
    assert done.returncode in (10, 11), done.stderr
    with open_case(tmp_path / "case", key=tmp_path / "key") as case:
        kept = [str(entry.body["source"]) for entry in case.entries("evidence")]
    assert kept == [str(disk / "tmp/standin")]


def test_a_verification_copies_new_traces_alone_and_a_case_without_any_stays_sealed(tmp_path: Path, home: Path) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    with new_case(tmp_path / "case") as case:
        selection = api.select(incidents=["axios-2026-03-31"], today=TODAY)
        targets = tuple(api.specify([str(tmp_path / "machine")]))
        request = api.CheckRequest(targets=targets, incidents=selection.incidents, named=selection.named)
        record_report(case, api.check(request), selection.incidents)
        seal_case(case)
    verify(VerifyRequest(case=tmp_path / "case"))
    with open_case(tmp_path / "case") as case:
        assert case.sealed
        before = len(list(case.entries("evidence")))
    unpack("npm-11-ran", tmp_path / "more")
    shutil.move(tmp_path / "more/project", tmp_path / "machine/second")
    found = verify(VerifyRequest(case=tmp_path / "case"))
    assert found.status == "affected"
    with open_case(tmp_path / "case") as case:
        added = [str(entry.body["source"]) for entry in case.entries("evidence")][before:]
        assert str(tmp_path / "machine/second/package-lock.json") in added
        assert not [source for source in added if source.startswith("live:")]
        assert not case.sealed

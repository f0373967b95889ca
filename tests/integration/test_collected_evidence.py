"""A check with `--case` copies what its sightings rest on, most volatile first, and says what it could not copy."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from pratique import api
from pratique.model.case import Entry
from pratique.workflow import collect as collecting
from pratique.workflow.case import new_case, open_case, verify_case
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

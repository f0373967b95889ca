"""The places of a machine: bounds, links, closed homes, tables of any size."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import msgspec
import pytest

from pratique.model.observation import HostFact, Observation, PresenceFact, ProcessFact, Question, Refusal
from pratique.model.ports import Interest, Options, Unit
from pratique.model.tables import ProcessTable
from pratique.readers.host import processes, systemd
from pratique.targets import host
from pratique.workflow.sweep import dispatch
from tests.golden.harness import in_memory

URI = "host+file:///disk"


def disk(root: Path) -> Path:
    for path in ("etc/cron.d", "usr/bin", "var/log", "home/dev/.config/systemd/user"):
        (root / path).mkdir(parents=True)
    return root


def opened(root: Path) -> list[object]:
    unit = Unit(URI, str(root), "host")
    return list(host.open_unit(unit, dispatch("host")[0], Options()))


def paths(found: list[object]) -> list[str]:
    return [item[1].path for item in found if isinstance(item, tuple)]


def test_links_are_followed_within_the_disk_alone(tmp_path: Path) -> None:
    root = disk(tmp_path / "disk")
    units = root / "home/dev/.config/systemd/user"
    (tmp_path / "outside.service").write_text("[Service]\nExecStart=/outside\n")
    (root / "usr/real.service").write_text("[Service]\nExecStart=/inside\n")
    (units / "inside.service").symlink_to("/usr/real.service")
    (units / "outside.service").symlink_to(tmp_path / "outside.service")
    (units / "masked.service").symlink_to("/dev/null")
    (units / "loop.service").symlink_to("loop.service")
    assert paths(opened(root)) == ["home/dev/.config/systemd/user/inside.service"]


def test_a_home_that_is_closed_is_one_gap() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become another account")
    with tempfile.TemporaryDirectory() as name:  # not below pytest's own folder, which is closed to other accounts
        os.chmod(name, 0o755)
        root = disk(Path(name) / "disk")
        (root / "home/dev/.bashrc").write_text("true\n")
        (root / "home/dev").chmod(0o700)
        os.seteuid(65534)
        try:
            found = opened(root)
        finally:
            os.seteuid(0)
    gaps = [item for item in found if isinstance(item, Refusal)]
    assert [(item.path, item.relevant) for item in gaps] == [("home/dev", True)]
    assert "permission denied" in gaps[0].reason


def test_folders_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "MOST_ENTRIES", 10)
    root = disk(tmp_path)
    for number in range(30):
        (root / f"etc/cron.d/job{number}").write_text("0 1 * * * root true\n")
    found = opened(root)
    assert len(paths(found)) == 10
    assert any(isinstance(item, Refusal) and "more than 10 entries" in item.reason for item in found)


def test_homes_and_systems_are_told(tmp_path: Path) -> None:
    found = opened(disk(tmp_path))[0]
    assert isinstance(found, Observation)
    assert isinstance(found.facts, HostFact)
    assert (found.facts.platforms, found.facts.live, found.facts.homes) == (("linux",), False, ("/home/dev",))


def test_the_second_look_knows_any_letters_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "PROGRAMDATA").mkdir()
    (tmp_path / "PROGRAMDATA/WT.exe").write_text("x")
    (tmp_path / "a-1").write_text("x")
    (tmp_path / "folder").mkdir()
    asked = [Question("presence", URI, path) for path in ("ProgramData/wt.exe", "a-*", "folder", "missing/x")]
    found = list(host.probe(str(tmp_path), URI, asked, Options()))
    present = [
        item.facts.path for item in found if isinstance(item, Observation) and isinstance(item.facts, PresenceFact)
    ]
    assert present == ["ProgramData/wt.exe", "a-1"]
    assert [item.reason for item in found if isinstance(item, Refusal)] == [
        "an indicator names a file here; it is a folder"
    ]


def test_ten_thousand_processes_are_read_in_a_moment() -> None:
    rows = tuple(
        ProcessFact(process=number, parent=1, name="\x1b[31mx\u202e", executable=f"/opt/{number}")
        for number in range(10_000)
    )
    data = msgspec.json.encode(ProcessTable(platform="linux", taken="2026-01-01T00:00:00.000Z", processes=rows))
    start = time.monotonic()
    found = list(processes.read(in_memory(data, "pratique-processes.json"), Interest({})))
    assert len(found) == 10_000
    assert time.monotonic() - start < 20


def test_a_table_that_was_not_compared_is_a_gap() -> None:
    data = msgspec.json.encode(ProcessTable(platform="linux", taken="2026-01-01T00:00:00.000Z", asked=("*a*",)))
    asked = Interest({}, command_lines=("*a*", "*b*"))
    (found,) = processes.read(in_memory(data, "pratique-processes.json"), asked)
    assert isinstance(found, Refusal)
    assert "1 of the command lines" in found.reason


def test_lines_that_never_end_end() -> None:
    data = b"[Service]\nExecStart=/bin/true \\\n" + b"x \\\n" * 200_000
    found = list(systemd.read(in_memory(data, "systemd/system/a.service"), Interest({})))
    assert found

"""Hives: those of the test's own writer are whole for hivex too, and damage never ends in silence."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pratique.model.observation import Observation, PersistenceFact, Refusal
from pratique.model.ports import Interest
from pratique.readers.host import registry_hive
from tests.golden.harness import in_memory
from tests.standins.hive import hive

RUN = {"MicrosoftUpdate": "C:\\ProgramData\\system.bat", "Other": "x.exe"}
KEYS = {"Software": {"Microsoft": {"Windows": {"CurrentVersion": {"Run": RUN, "Explorer": {"X": "not-a-secret"}}}}}}


def read(data: bytes, name: str = "NTUSER.DAT") -> list[Observation | Refusal]:
    return list(registry_hive.read(in_memory(data, name), Interest({})))


def names(found: list[Observation | Refusal]) -> list[str]:
    return [
        item.facts.name for item in found if isinstance(item, Observation) and isinstance(item.facts, PersistenceFact)
    ]


def test_hivex_reads_what_the_writer_writes(tmp_path: Path) -> None:
    program = shutil.which("hivexml")
    if program is None:
        pytest.skip("needs hivexml (Debian: libhivex-bin)")
    path = tmp_path / "NTUSER.DAT"
    path.write_bytes(hive(KEYS))
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=True)
    assert 'key="MicrosoftUpdate" value="C:\\ProgramData\\system.bat"' in done.stdout


def test_every_cut_is_told() -> None:
    whole = hive(KEYS)
    assert len(names(read(whole))) == 2
    for size in range(0, len(whole) - 1, 97):
        found = read(whole[:size])
        assert len(names(found)) == 2 or any(isinstance(item, Refusal) and item.relevant for item in found)


def test_a_list_of_keys_that_holds_itself_ends() -> None:
    data = bytearray(hive(KEYS))
    at = data.index(b"lf")
    offset = (at - 4 - 4096).to_bytes(4, "little")
    data[at : at + 4] = b"ri\x01\x00"
    data[at + 4 : at + 8] = offset
    found = read(bytes(data))
    assert any(isinstance(item, Refusal) for item in found)


def test_services_of_every_control_set() -> None:
    services = {"Services": {"Standin": {"ImagePath": "\\SystemRoot\\x.exe"}}}
    found = read(hive({"ControlSet001": services, "ControlSet002": services, "Select": {}}), "SYSTEM")
    assert names(found) == ["Standin", "Standin"]

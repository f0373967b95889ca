"""What is seen on a machine, judged: anchored paths, chains, look-alikes, names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pratique.assess import host
from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.model.incident import Incident
from pratique.model.location import locate
from pratique.model.observation import (
    HostFact,
    Observation,
    PersistenceFact,
    PresenceFact,
    ProcessFact,
    ResolverFact,
    RunnerFact,
    SocketFact,
)
from pratique.model.verdict import Sighting, Status
from tests.unit.assess.machine import URI, incident


def judged(one: Incident, *facts: Any, platforms: tuple[str, ...] = ("linux",), path: str = "x") -> list[Sighting]:
    machine = HostFact(platforms=platforms, live=True, homes=("/home/dev", "/Users/dev"))
    catalogue = Catalogue([one])
    found = [Observation("host", locate(URI, "."), machine)]
    found += [Observation("probe", locate(URI, path), fact) for fact in facts]
    evidence = Evidence(found, {}, {URI: "/"}, subjects={URI: "machine"})
    return list(host.sighted(catalogue, evidence))


def process(number: int = 7, parent: int = 1, **fields: Any) -> ProcessFact:
    return ProcessFact(process=number, parent=parent, name=fields.pop("name", "x"), **fields)


@pytest.mark.parametrize(
    ("value", "path", "met"),
    [
        ("/tmp/ld.py", "/tmp/ld.py", True),
        ("/tmp/ld.py", "/private/tmp/ld.py", True),
        ("/tmp/ld.py", "/home/dev/tmp/ld.py", False),
        ("/tmp/ld.py", "/tmp/build.py", False),
        ("/tmp/ld.py", "/tmp/ld.py.bak", False),
        ("/tmp/ld.py", "/tmp/LD.py", False),
        ("~/.config/sysmon.py", "/home/dev/.config/sysmon.py", True),
        ("~/.config/sysmon.py", "/root/.config/sysmon.py", True),
        ("~/.config/sysmon.py", "/srv/app/.config/sysmon.py", False),
        ("**/node_modules/**/setup_bun.js", "/srv/node_modules/a/b/setup_bun.js", True),
        ("**/node_modules/**/setup_bun.js", "/srv/setup_bun.js", False),
        ("~/.cache/.sys-update-check*", "/home/dev/.cache/.sys-update-check-3", True),
    ],
)
def test_the_executable_is_compared_whole(value: str, path: str, met: bool) -> None:
    found = judged(incident({"type": "file-path", "value": value}), process(executable=path))
    assert bool(found) is met
    found = judged(incident({"type": "file-path", "value": value}), process(script=path))
    assert bool(found) is met


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("%PROGRAMDATA%\\wt.exe", "C:/ProgramData/WT.EXE"),
        ("%TEMP%\\6202033.vbs", "C:/Users/dev/AppData/Local/Temp/6202033.vbs"),
        ("%TEMP%\\6202033.vbs", "C:/Windows/Temp/6202033.vbs"),
        ("C:\\Windows\\x.exe", "/Windows/x.exe"),
    ],
)
def test_paths_of_windows_in_any_letters(value: str, path: str) -> None:
    one = incident({"type": "file-path", "value": value, "platforms": ["windows"]})
    assert judged(one, process(executable=path), platforms=("windows",))
    assert not judged(one, process(executable=path), platforms=("linux",))
    assert not judged(one, process(executable=f"D:/x{path[2:]}"), platforms=("windows",))


def test_this_program_is_never_met() -> None:
    one = incident({"type": "file-path", "value": "/opt/x"}, {"type": "process", "value": "x"})
    assert not judged(one, process(executable="/opt/x", own=True))
    assert len(judged(one, process(executable="/opt/x"))) == 2


def test_a_look_alike_leaves_a_path_of_low_confidence_to_be_looked_into() -> None:
    sure = {"type": "file-path", "value": "/opt/x", "look_alikes": ["others elsewhere"]}
    assert judged(incident(sure), process(executable="/opt/x"))[0].status is Status.AFFECTED
    unsure = {**sure, "confidence": "medium"}
    assert judged(incident(unsure), process(executable="/opt/x"))[0].status is Status.UNDER_INVESTIGATION


CHAIN = {"type": "parent-child", "value": "npm > sh > node > sh > curl"}


def rows(*names: str, first: int = 10, parent: int = 1) -> list[ProcessFact]:
    return [
        process(first + index, first + index - 1 if index else parent, name=name, executable=f"/usr/bin/{name}")
        for index, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("names", "met"),
    [
        (("npm", "dash", "node", "sh", "curl"), True),
        (("node", "bash", "curl"), True),
        (("sh", "curl"), False),
        (("curl",), False),
        (("npm", "sh", "python3", "sh", "curl"), False),
        (("npm", "sh", "node", "sh", "wget"), False),
    ],
)
def test_a_chain_and_what_is_left_of_it_under_process_1(names: tuple[str, ...], met: bool) -> None:
    found = judged(incident(CHAIN), *rows(*names))
    assert [item.status for item in found] == ([Status.UNDER_INVESTIGATION] if met else [])


def test_a_chain_beside_a_matched_command_line_is_affected() -> None:
    line = {"type": "command-line", "value": "*curl -o x*", "match": "glob"}
    chain = rows("npm", "sh", "node", "sh", "curl")
    chain[-1] = msgspec.structs.replace(chain[-1], matched=("*curl -o x*",))
    assert {item.status for item in judged(incident(CHAIN, line), *chain)} == {Status.AFFECTED}


def socket(remote: str, port: int, state: str = "ESTABLISHED") -> SocketFact:
    return SocketFact(
        protocol="tcp", state=state, local="10.0.0.2", local_port=40_000, remote=remote, remote_port=port, process=7
    )


def test_addresses_ports_and_states() -> None:
    one = incident({"type": "ip", "value": "192.0.2[.]7"}, {"type": "url", "value": "hxxp://192.0.2[.]8:8000/x"})
    assert [str(item.depth) for item in judged(one, socket("192.0.2.7", 443))] == ["active"]
    assert [str(item.depth) for item in judged(one, socket("192.0.2.7", 443, "TIME_WAIT"))] == ["executed"]
    assert judged(one, socket("192.0.2.8", 8000))
    assert not judged(one, socket("192.0.2.8", 443))
    assert not judged(one, socket("192.0.2.70", 443))
    away = incident({"type": "ip", "value": "192.0.2[.]7", "meaning": "infrastructure", "confidence": "low"})
    assert [item.status for item in judged(away, socket("192.0.2.7", 1))] == [Status.UNDER_INVESTIGATION]


def test_names_that_were_resolved_and_blocked() -> None:
    one = incident({"type": "domain", "value": "bad.standin[.]test"})
    blocked = ResolverFact(name="bad.standin.test", source="hosts-file", addresses=("0.0.0.0",))
    moved = ResolverFact(name="bad.standin.test", source="hosts-file", addresses=("192.0.2.1",))
    asked = ResolverFact(name="bad.standin.test", source="log", daemon="dnsmasq")
    assert not judged(one, blocked)
    assert [item.status for item in judged(one, moved)] == [Status.UNDER_INVESTIGATION]
    assert [item.status for item in judged(one, asked)] == [Status.AFFECTED]
    assert "bad.standin.test" not in judged(one, asked)[0].explanation
    shared = incident({"type": "domain", "value": "bad.standin[.]test", "look_alikes": ["a widget of that name"]})
    assert [item.status for item in judged(shared, asked)] == [Status.UNDER_INVESTIGATION]


def test_runners_services_and_keys_by_their_whole_names() -> None:
    one = incident(
        {"type": "runner-name", "value": "STANDIN"},
        {"type": "service", "value": "standin-monitor.service"},
        {"type": "registry-key", "value": "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Standin"},
    )
    assert judged(one, RunnerFact(system="github-actions", name="STANDIN"))
    assert not judged(one, RunnerFact(system="github-actions", name="standin-2"))

    def starts(mechanism: Any, name: str) -> list[Sighting]:
        return judged(one, PersistenceFact(mechanism=mechanism, name=name, when="boot"))

    assert starts("systemd", "standin-monitor.service")
    assert not starts("systemd", "my-standin-monitor.service")
    key = "Software\\Microsoft\\Windows\\CurrentVersion\\Run\\"
    assert starts("run-key", f"HKCU\\{key}standin")
    assert starts("run-key", f"HKU\\S-1-5-21-1-2-3-1001\\{key}Standin")
    assert not starts("run-key", f"HKCU\\{key}Standin2")
    assert not starts("run-key", f"HKLM\\{key}Standin")


@pytest.mark.parametrize("file", ["~/.x/run.sh", "$HOME/.x/run.sh", "%h/.x/run.sh", "/home/dev/.x/run.sh"])
def test_what_a_unit_starts_is_filled_in(file: str) -> None:
    one = incident({"type": "file-path", "value": "~/.x/run.sh", "meaning": "persisted"})
    fact = PersistenceFact(mechanism="systemd", name="a.service", when="login", files=(file,))
    (found,) = judged(one, fact, path="home/dev/.config/systemd/user/a.service")
    assert (found.status, str(found.depth)) == (Status.AFFECTED, "executed")


def test_a_file_that_others_have_too_is_looked_into() -> None:
    one = incident({"type": "file-path", "value": "/tmp/list.txt", "confidence": "medium", "look_alikes": ["lists"]})
    (found,) = judged(one, PresenceFact(path="tmp/list.txt", exists=True), path="tmp/list.txt")
    assert found.status is Status.UNDER_INVESTIGATION


def test_processes_from_files_that_are_gone_are_noted() -> None:
    facts = [process(1, executable="/tmp/a", deleted=True), process(2, executable="/usr/bin/b", deleted=True)]
    found = host.notes([Observation("processes", locate(URI, "x"), fact) for fact in facts])
    assert found == ["NOTE  runs from a file that is gone, look at it: /tmp/a (process 1)"]

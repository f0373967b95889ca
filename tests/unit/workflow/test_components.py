"""The inventory: one line for each occurrence, in order, with everything that could not be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from packageurl import PackageURL

from pratique import api
from pratique.doors.cli.commands import pratique
from tests.standins.installs import unpack

LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "shop"},
        "node_modules/@scope/kit": {"version": "1.0.0+build.5", "integrity": "sha512-" + "A" * 86 + "=="},
        "node_modules/alias": {"name": "real", "version": "2.0.0", "hasInstallScript": True, "dev": True},
    },
}


def lay_out(folder: Path, lock: Any = LOCK, name: str = "package-lock.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(lock if isinstance(lock, str) else json.dumps(lock))
    return folder


def run(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    result = CliRunner().invoke(pratique, ["components", *arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    assert all(line.isprintable() for line in result.output.splitlines())
    return result.return_value, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_one_line_for_each_occurrence_and_the_coverage_last(tmp_path: Path) -> None:
    code, lines, _ = run(str(lay_out(tmp_path)))
    assert code == 0
    kit, real, coverage = lines
    assert kit == {
        "purl": "pkg:npm/%40scope/kit@1.0.0%2Bbuild.5",
        "depth": "resolved",
        "reader": "package-lock",
        "location": {"target": tmp_path.as_uri(), "path": "package-lock.json"},
        "integrity": ["sha512-" + "A" * 86 + "=="],
    }
    assert real["purl"] == "pkg:npm/real@2.0.0"
    assert real["install_script"] is True
    assert real["dev"] is True
    assert "bundled" not in real
    assert coverage["record"] == "coverage"
    assert (coverage["complete"], coverage["components"], coverage["artifacts"]) == (True, 2, 1)
    assert coverage["by_reader"] == {"package-lock": 1}


def test_every_purl_of_a_real_install_is_canonical(tmp_path: Path) -> None:
    code, lines, _ = run(str(unpack("npm-10-ran", tmp_path / "x")))
    assert code == 0
    purls = {line["purl"] for line in lines[:-1]}
    assert {"pkg:npm/axios@1.14.1", "pkg:npm/%40standin/redirects@1.2.0"} <= purls
    assert all(PackageURL.from_string(purl).to_string() == purl for purl in purls)
    assert {line["depth"] for line in lines[:-1]} >= {"resolved", "fetched", "installed"}


def test_the_order_depends_on_names_alone(tmp_path: Path) -> None:
    names = ["b", "a", "c/d", "c/a"]
    for root, order in (("one", names), ("two", names[::-1])):
        for name in order:
            lay_out(tmp_path / root / name)
    paths = []
    for root in ("one", "two"):
        _, lines, _ = run(str(tmp_path / root))
        paths.append([line["location"]["path"] for line in lines[:-1]])
    assert paths[0] == paths[1]
    assert len(paths[0]) == 8


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "whole JSON"), ("<<<<<<< ours\n{}", "merge-conflict"), ('{"packages": 3}', "has neither packages")],
)
def test_what_cannot_be_read_is_in_the_coverage_and_exits_4(tmp_path: Path, text: str, reason: str) -> None:
    lay_out(tmp_path / "good")
    lay_out(tmp_path / "bad", text)
    code, lines, errors = run(str(tmp_path))
    assert code == 4
    refusal = lines[-1]["refusals"][0]
    assert refusal["path"] == "bad/package-lock.json"
    assert reason in refusal["reason"]
    assert lines[-1]["complete"] is False
    assert "not examined: bad/package-lock.json" in errors
    assert lines[-1]["components"] == 2


def test_an_empty_target_is_nothing_alone_and_a_gap_among_others(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, lines, errors = run(str(tmp_path / "empty"))
    assert code == 3
    assert lines[-1]["artifacts"] == 0
    assert "nothing examined" in errors
    lay_out(tmp_path / "full")
    code, lines, _ = run(str(tmp_path / "empty"), str(tmp_path / "full"))
    assert code == 4
    assert lines[-1]["refusals"][0]["target"] == (tmp_path / "empty").as_uri()


def test_a_target_that_does_not_exist_is_an_error_before_any_output(tmp_path: Path) -> None:
    with pytest.raises(api.TargetError, match="does not exist"):
        CliRunner().invoke(
            pratique, ["components", str(tmp_path / "none")], standalone_mode=False, catch_exceptions=False
        )


def test_one_file_can_be_the_target(tmp_path: Path) -> None:
    code, lines, _ = run(str(lay_out(tmp_path) / "package-lock.json"))
    assert code == 0
    assert lines[-1]["components"] == 2


def test_excluded_folders_are_counted(tmp_path: Path) -> None:
    lay_out(tmp_path / "keep")
    lay_out(tmp_path / "leave")
    code, lines, _ = run(str(tmp_path), "--exclude", "leave")
    assert code == 0
    assert lines[-1]["components"] == 2
    assert lines[-1]["skipped_by_rule"] == [{"rule": "excluded", "count": 1}]


def test_hostile_names_stay_inside_their_line(tmp_path: Path) -> None:
    hostile = 'node_modules/x\\u001b[31m\\n{\\"purl\\":1}<script>'
    text = f'{{"lockfileVersion":3,"packages":{{"{hostile}":{{"version":"1.0.0\\u202e"}}}}}}'
    code, lines, errors = run(str(lay_out(tmp_path, text)))
    assert code == 0
    assert len(lines) == 2
    assert PackageURL.from_string(lines[0]["purl"]).version == "1.0.0\u202e"
    assert errors == ""


def test_names_that_are_no_text_or_no_name_are_refusals_or_replaced(tmp_path: Path) -> None:
    text = (
        '{"lockfileVersion":3,"packages":{"node_modules/x\\ud800":{"version":"1.0.0"},"node_modules/":{"version":"1"}}}'
    )
    code, lines, _ = run(str(lay_out(tmp_path, text)))
    assert code == 4
    assert [PackageURL.from_string(line["purl"]).name for line in lines[:-1]] == ["x\ufffd"]
    assert "no package URL" in lines[-1]["refusals"][0]["reason"]


def test_a_url_loses_its_secrets(tmp_path: Path) -> None:
    lock = {
        "lockfileVersion": 3,
        "packages": {
            "node_modules/x": {"version": "1.0.0", "resolved": "https://u:CANARY@h.example/x/-/x-1.0.0.tgz?t=CANARY"}
        },
    }
    result = CliRunner().invoke(pratique, ["components", str(lay_out(tmp_path, lock))], standalone_mode=False)
    assert "h.example" in result.stdout
    assert "CANARY" not in result.output


def test_memory_does_not_grow_with_the_inventory(tmp_path: Path) -> None:
    def peak(projects: int) -> int:
        root = tmp_path / str(projects)
        packages = {f"node_modules/p{index}": {"version": "1.0.0"} for index in range(200)}
        for number in range(projects):
            lay_out(root / f"{number:04}", {"lockfileVersion": 3, "packages": packages})
        request = api.ComponentsRequest(targets=tuple(api.specify([str(root)])))
        tracemalloc.start()
        inventory = api.components(request)
        count = sum(1 for _ in api.inventory_lines(inventory, inventory.coverage))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == projects * 200 + 1
        return most

    peak(5)
    assert peak(200) < 1.5 * peak(20) + 200_000


def test_the_bill_of_materials_groups_releases_with_their_places(tmp_path: Path) -> None:
    lay_out(tmp_path / "a")
    lay_out(tmp_path / "b")
    output = tmp_path.parent / f"{tmp_path.name}.cdx.json"
    code, lines, _ = run(str(tmp_path), "--format", "cyclonedx", "--output", str(output))
    assert code == 0
    assert lines == []
    first = output.read_bytes()
    bom = json.loads(first)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    kit = bom["components"][0]
    assert (kit["group"], kit["name"], kit["version"]) == ("@scope", "kit", "1.0.0+build.5")
    assert kit["hashes"] == [{"alg": "SHA-512", "content": "0" * 128}]
    assert [item["location"] for item in kit["evidence"]["occurrences"]] == [
        f"{tmp_path}/{name}/package-lock.json" for name in ("a", "b")
    ]
    run(str(tmp_path), "--format", "cyclonedx", "--output", str(output))
    assert output.read_bytes() == first


def test_an_output_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    lay_out(tmp_path / "in")
    with pytest.raises(api.UsageError, match="cannot be written"):
        CliRunner().invoke(
            pratique,
            ["components", str(tmp_path / "in"), "--output", str(tmp_path / "no" / "file")],
            standalone_mode=False,
            catch_exceptions=False,
        )
    assert os.listdir(tmp_path) == ["in"]


def test_an_interrupted_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pratique.workflow import components

    real = components.stream

    def stopped(*arguments: Any, **options: Any) -> Any:
        yield next(iter(real(*arguments, **options)))
        raise KeyboardInterrupt

    monkeypatch.setattr(components, "stream", stopped)
    code, lines, _ = run(str(lay_out(tmp_path)))
    assert code == 130
    assert len(lines) == 2
    assert lines[-1]["interrupted"] is True


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pratique", "components", str(lay_out(tmp_path))], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3

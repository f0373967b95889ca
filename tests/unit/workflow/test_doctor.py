"""The doctor: what cannot be opened, and a poisoned interpreter that is reported and never run."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from pratique import api
from pratique.adapters import interpreter, machine, supervisor
from pratique.adapters.sandbox import chambers
from pratique.adapters.supervisor import means as by_means
from pratique.doors.cli.commands import pratique
from pratique.workflow import doctor as workflow
from pratique.workflow.doctor import Finding, environment

CANARY = "import pathlib; pathlib.Path({path!r}).write_text('ran')\n"


def install(site: Path, name: str, files: dict[str, str], requires: tuple[str, ...] = (), version: str = "1.0") -> None:
    """A distribution as an installer lays it down."""
    rows = []
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    head += "".join(f"Requires-Dist: {item}\n" for item in requires)
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    for path, text in {**files, f"{folder}/METADATA": head}.items():
        place = site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}")
    (site / folder / "RECORD").write_text("\n".join([*rows, f"{folder}/RECORD,,", ""]))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages"
    install(folder, "pratique", {"pratique/__init__.py": ""}, ('click>=8; python_version > "3"', "rich; extra == 'x'"))
    install(folder, "click", {"click/__init__.py": "x = 1\n"})
    return folder


def look(site: Path) -> list[Finding]:
    before = set(sys.modules)
    found = [item for item in environment([str(site)], str(site)) if str(interpreter.library_folder()) not in item.what]
    assert set(sys.modules) == before
    return [item for item in found if "is not isolated" not in item.what]


def warnings(site: Path) -> list[str]:
    return [item.what for item in look(site) if item.level in ("warning", "gap")]


def test_a_sound_environment_has_no_warning(site: Path) -> None:
    assert warnings(site) == []
    assert [item.what for item in look(site)] == [
        "cryptography, pyrage are not here: no case can be kept",
        f"{workflow._some(list(workflow._EXTRAS['inspect'][0]))} are not here: no release can be inspected",
        "cryptography, pypi-attestations, sigstore are not here: no signature or attestation can be verified",
        "4 files of click, pratique are as recorded",
    ]


def test_a_hostile_path_file_is_reported_and_never_executed(site: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (site / "zz_init.pth").write_text(f"/opt/more\n{CANARY.format(path=str(canary))}")
    (found,) = [item for item in look(site) if item.level == "warning"]
    assert (
        found.what
        == f"{site}/zz_init.pth line 2: runs whenever this Python starts; recorded by no installed distribution"
    )
    assert found.paths == (f"{site}/zz_init.pth",)
    assert not canary.exists()


def test_a_path_file_that_a_distribution_brought_is_no_better(site: Path) -> None:
    install(site, "proxy-kit", {"proxy_init.pth": "import os, subprocess\n", "proxy_kit.py": ""})
    found = warnings(site)
    assert any("proxy_init.pth line 1" in what and "recorded by proxy-kit" in what for what in found)
    assert any("1 distribution that this program does not need: proxy-kit" in what for what in found)


@pytest.mark.parametrize("line", ["import os", "import\tos", "\ufeffimport os"])
def test_every_form_of_an_executable_line_counts(site: Path, line: str) -> None:
    (site / "a.pth").write_text(line, encoding="utf-8")
    assert any("a.pth line 1" in what for what in warnings(site))


def test_a_path_file_with_paths_alone_is_a_note(site: Path) -> None:
    (site / "a.pth").write_text("# import os\n../other\nimportant/folder\n")
    assert warnings(site) == []
    assert any("adds folders" in item.what for item in look(site))


def test_the_path_file_of_setuptools_is_known_by_its_digest(site: Path) -> None:
    text = (
        "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
        "enabled and __import__('_distutils_hack').add_shim(); "
    )
    (site / "distutils-precedence.pth").write_text(text)
    known = interpreter.KNOWN_STARTUP_CODE.get(hashlib.sha256(text.encode()).hexdigest())
    levels = [item.level for item in look(site) if "distutils-precedence" in item.what]
    assert levels == (["note"] if known else ["warning"])
    (site / "distutils-precedence.pth").write_text(text + "import evil")
    assert any("distutils-precedence" in what for what in warnings(site))


@pytest.mark.parametrize(
    "name", ["sitecustomize.py", "usercustomize.py", "sitecustomize.cpython-311-x86_64-linux-gnu.so"]
)
def test_start_up_modules_are_reported(site: Path, name: str) -> None:
    (site / name).write_text("raise SystemExit")
    assert any(name in what and "runs whenever" in what for what in warnings(site))
    (site / name).unlink()
    (site / "sitecustomize").mkdir()
    assert any("sitecustomize: runs whenever" in what for what in warnings(site))


def test_modules_in_no_record_are_reported(site: Path) -> None:
    (site / "planted.py").write_text("")
    (site / "also").mkdir()
    (site / "README.txt").write_text("")
    assert warnings(site) == [f"{site}: 2 modules in no RECORD: also, planted.py"]


def test_changed_missing_and_added_files_of_what_is_needed_are_reported(site: Path) -> None:
    (site / "click/__init__.py").write_text("x = 2\n")
    (site / "click/added.py").write_text("")
    (site / "click/__pycache__").mkdir()
    (site / "click/__pycache__/added.cpython-311.pyc").write_text("")
    (site / "pratique/__init__.py").unlink()
    assert warnings(site) == [
        f"{site}/click/__init__.py: differs from its recorded digest (click 1.0)",
        f"{site}/click/added.py: is not in the RECORD (click 1.0)",
        f"{site}/pratique/__init__.py: is missing (pratique 1.0)",
    ]


def test_a_distribution_without_a_record_is_a_gap(site: Path) -> None:
    (site / "click-1.0.dist-info/RECORD").unlink()
    found = look(site)
    assert any(item.level == "gap" and "click 1.0: has no RECORD" in item.what for item in found)


def test_damaged_metadata_is_a_gap(site: Path) -> None:
    (site / "odd-1.0.dist-info").mkdir()
    assert any("odd-1.0.dist-info" in item.what and item.level == "gap" for item in look(site))


def test_other_distributions_are_a_note_in_a_development_environment(site: Path) -> None:
    install(site, "pytest", {"pytest.py": ""})
    assert any(item.level == "warning" and "pytest" in item.what for item in look(site))
    (site / "pratique-1.0.dist-info/direct_url.json").write_text('{"dir_info": {"editable": true}, "url": "file:///x"}')
    assert not any(item.level == "warning" for item in look(site))
    assert any(item.level == "note" and "pytest" in item.what for item in look(site))


def test_a_folder_that_cannot_be_listed_is_a_gap(tmp_path: Path) -> None:
    assert any(item.level == "gap" for item in environment([str(tmp_path / "none")], str(tmp_path)))


def test_the_known_dependencies_are_those_of_the_metadata() -> None:
    wanted = {"pratique"}
    waiting = [re.match(r"[\w.-]+", item) for item in _declared()]
    while waiting:
        match = waiting.pop()
        assert match is not None
        name = interpreter.canonical(match[0])
        if name not in wanted:
            wanted.add(name)
            waiting += [re.match(r"[\w.-]+", item) for item in metadata.requires(name) or () if ";" not in item]
    assert wanted - {"pratique"} == workflow._DEPENDENCIES


def test_the_known_extras_are_those_of_the_project() -> None:
    declared = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))
    extras = declared["project"]["optional-dependencies"]
    known = {name: set(names) for name, (names, _) in workflow._EXTRAS.items()}
    assert known == {
        name: {interpreter.canonical(re.split(r"[<>=]", item)[0]) for item in items} for name, items in extras.items()
    }


def _declared() -> list[str]:
    import tomllib

    root = Path(__file__).resolve().parents[3]
    dependencies: list[str] = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    return dependencies


def test_a_place_that_cannot_be_opened_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".npm").mkdir()
    monkeypatch.setattr(machine, "readable", lambda path: "permission denied" if path.endswith(".npm") else None)
    found = list(workflow._places({}, str(tmp_path)))
    assert any(item.level == "gap" and item.what == f"{tmp_path}/.npm: permission denied" for item in found)


def test_readable_says_why_not(tmp_path: Path) -> None:
    assert machine.readable(str(tmp_path)) is None
    assert machine.readable(str(tmp_path / "none")) == "no such file or directory"
    os.mkfifo(tmp_path / "pipe")
    assert machine.readable(str(tmp_path / "pipe")) is None


def test_git_is_never_taken_from_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "git"
    shim.write_text("#!/bin/sh\n")
    shim.chmod(0o755)
    monkeypatch.setattr(machine, "GIT_FOLDERS", ())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".{os.pathsep}")
    assert machine.git() is None
    monkeypatch.setenv("PATH", f".{os.pathsep}{tmp_path}")
    assert machine.git() == str(shim)


def test_a_preloaded_library_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/tmp/CANARY.so")
    found = [item for item in workflow._machine("/root") if item.level == "warning"]
    assert any("LD_PRELOAD" in item.what for item in found)
    assert "CANARY" not in str(found)


def test_both_forms_say_the_same_and_exit_alike() -> None:
    result = CliRunner().invoke(pratique, ["doctor", "--format", "json"], standalone_mode=False)
    document = json.loads(result.output)
    assert document["schema"] == "pratique.doctor/1"
    text = CliRunner().invoke(pratique, ["doctor"], standalone_mode=False)
    for finding in document["findings"]:
        assert api.printable(finding["what"]) in text.output
    levels = {finding["level"] for finding in document["findings"]}
    assert result.return_value == text.return_value == (4 if levels & {"gap", "warning"} else 0)


def test_it_writes_nothing_and_imports_nothing_of_what_it_inspects(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text(CANARY.format(path=str(canary)))
    (planted / "evil.py").write_text(CANARY.format(path=str(canary)))
    program = (
        f"import sys; sys.path.insert(0, {str(Path(api.__file__).parents[1])!r}); sys.path.append({str(planted)!r});"
        "from pratique.workflow.doctor import doctor; print([f.what for f in doctor().findings])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert "evil.py" in done.stdout
    assert "sitecustomize.py: runs whenever" in done.stdout
    assert not canary.exists()
    assert sorted(item.name for item in planted.iterdir()) == ["evil.py", "sitecustomize.py"]


def test_it_says_by_trying_what_a_guard_and_a_sandbox_can_do_here() -> None:
    what = [item.what for item in workflow._machine("/root")]
    assert len([one for one in what if one.startswith("guard: ")]) == 1
    assert len([one for one in what if one.startswith("detonate: ")]) == 1
    seen = supervisor.unusable() == ""
    assert any(one.startswith("guard: programs, connections") for one in what) is seen
    assert any(one.startswith("guard --block: ") for one in what) is seen
    for means in ("strace", "polling"):
        assert len([one for one in what if one.startswith(f"guard by {means}: ")]) == 1


@pytest.mark.parametrize(
    ("strace", "guard"),
    [
        ("is not there", "guard: watches by polling, which refuses nothing: the attempt ended"),
        ("", "guard: watches by strace, which refuses nothing: the attempt ended"),
    ],
)
def test_what_cannot_be_had_is_said_with_its_reason(monkeypatch: pytest.MonkeyPatch, strace: str, guard: str) -> None:
    monkeypatch.setattr(supervisor, "unusable", lambda: "the attempt ended")
    monkeypatch.setattr(chambers, "unusable", lambda: "no namespaces")
    reasons = {"strace": strace, "poll": ""}
    monkeypatch.setattr(by_means, "unusable_by", reasons.__getitem__)
    found = [item for item in workflow._machine("/root") if item.what.startswith(("guard", "detonate"))]
    assert [item.what for item in found if item.level == "note"] == [
        one
        for one in (
            guard,
            f"guard by strace: cannot stand in: {strace}" if strace else "",
            "detonate: no suspect can be contained: no namespaces",
        )
        if one
    ]
    found = [item for item in found if item.level == "note"]
    assert all(item.advice for item in found)

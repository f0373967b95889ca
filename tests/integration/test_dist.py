"""The build with its own interpreter: what it holds, and that it works where there is nothing but the kernel."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import make_dist
from tests.standins.installs import unpack

ROOT = Path(__file__).resolve().parents[2]


def lacking() -> str | None:
    """Why the archive cannot be built here."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc":
        return "the recipe is for Linux on x86-64 with the GNU C library"
    if not shutil.which("cc") or not shutil.which("dpkg-query"):
        return "needs cc, and dpkg-query for the licences of shared libraries"
    return None if (ROOT / "README.md").is_file() else "this checkout has no README.md, which the wheel needs"


REASON = lacking()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, also where several processes run the tests."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "dist"
    shared.mkdir(exist_ok=True)
    with open(shared / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return next(shared.glob("*.tar.gz"), None) or make_dist.build(shared)


@pytest.fixture(scope="module")
def folder(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as tar:
        tar.extractall(place, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return place / make_dist.NAME


@pytest.fixture
def rootfs(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A root file system that holds the build and one folder to examine, and nothing else."""
    root = tmp_path / "root"
    root.mkdir()
    shutil.copytree(folder, root / "opt")
    unpack("npm-10-ran", root / "target")
    unpack("npm-10-clean", root / "clean")
    yield root
    shutil.rmtree(root)


def inside(root: Path, *arguments: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run with another root folder; skips where this user may not."""
    search = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    enter, share = shutil.which("chroot", path=search), shutil.which("unshare", path=search)
    if os.geteuid() == 0 and enter:
        command = [enter, str(root)]
    elif share and subprocess.run([share, "--map-root-user", "true"], capture_output=True, check=False).returncode == 0:
        command = [share, "--map-root-user", f"--root={root}"]
    else:
        pytest.skip("neither root nor user namespaces: no other root folder can be entered here")
    return subprocess.run(
        [*command, "/opt/pratique", *arguments],
        env=variables or {},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def test_it_runs_in_a_root_without_python(rootfs: Path) -> None:
    assert sorted(os.listdir(rootfs)) == ["clean", "opt", "target"]
    done = inside(rootfs, "--version")
    assert (done.returncode, done.stdout) == (0, f"pratique {make_dist.VERSION}\n"), done.stderr


def test_detection_works_in_a_root_without_python(rootfs: Path) -> None:
    done = inside(rootfs, "selftest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(os.listdir(rootfs)) == ["clean", "opt", "target"]


def test_it_finds_what_ran_and_what_is_clean(rootfs: Path) -> None:
    done = inside(rootfs, "check", "/target", "--format", "json")
    assert done.returncode == 11, done.stderr
    assert {item["depth"] for item in json.loads(done.stdout)["verdicts"]} >= {"executed"}
    done = inside(rootfs, "check", "/clean", "--incident", "axios-2026-03-31", "--jobs", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    done = inside(rootfs, "check", "/target", "--output", "/report.html", "--bad", "npm:axios@1.14.1")
    assert done.returncode in (10, 11), done.stderr
    assert b"axios" in (rootfs / "report.html").read_bytes()
    done = inside(rootfs, "components", "/target")
    assert done.returncode == 0, done.stderr
    assert "pkg:npm/axios@1.14.1" in done.stdout


def test_the_way_to_recovery_works_from_the_build_alone(folder: Path, tmp_path: Path) -> None:
    unpack("npm-11-ran", tmp_path / "machine")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.npmrc").write_text("//registry.example/:_authToken=npm_" + "EXAMPLE" * 5 + "0\n")

    def run(*words: str, codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [str(folder / "pratique"), *words],
            cwd=tmp_path,
            env={"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode in codes, done.stdout + done.stderr
        return done.stdout

    run("case", "new", "case", "--incident", "axios-2026-03-31")
    run("check", "machine", "--case", "case", codes=(11,))
    assert "npm" in run("reach", "--home", "home", "--case", "case", codes=(0, 4))
    run("case", "seal", "case")
    assert "PLAN" in run("plan", "--case", "case", codes=(0, 4))
    run("host", codes=(0, 4))
    assert "AFFECTED" in run("verify", "case", codes=(10, 11))
    run("case", "export", "case", "--output", "e.tar.gz")
    run("case", "verify", "e.tar.gz", codes=(0, 4))


def test_the_doctor_finds_its_environment_as_it_was_built(rootfs: Path) -> None:
    done = inside(rootfs, "doctor", "--format", "json")
    findings = json.loads(done.stdout)["findings"]
    assert [item for item in findings if item["level"] in ("gap", "warning")] == []
    assert done.returncode == 0
    assert [item for item in findings if item["what"].startswith("guard, detonate and watch: this Python lacks ctypes")]
    done = inside(rootfs, "guard", "--", "/opt/pratique", "--version")
    assert (done.returncode, done.stdout) == (2, "")
    assert "asks the kernel by ctypes, which this Python lacks" in done.stderr
    assert "Traceback" not in done.stderr
    done = inside(rootfs, "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert "this user has no home folder here" in done.stderr
    assert any("no home folder" in item["what"] for item in findings)
    module = rootfs / "opt" / "packages" / "click" / "core.py"
    module.write_text(module.read_text() + "\n")
    (rootfs / "opt" / "packages" / "planted.py").write_text("")
    done = inside(rootfs, "doctor")
    assert done.returncode == 4
    assert "click/core.py: differs from its recorded digest" in done.stdout
    assert "planted.py" in done.stdout


def test_its_surroundings_do_not_steer_it(folder: Path, tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    planted = tmp_path / "planted"
    planted.mkdir()
    for name in ("sitecustomize.py", "usercustomize.py", "click.py", "pratique.py"):
        (planted / name).write_text(f"open({str(canary)!r}, 'w')\n")
    variables = {
        "PYTHONPATH": str(planted),
        "PYTHONHOME": str(planted),
        "PYTHONSTARTUP": str(planted / "click.py"),
        "LD_PRELOAD": str(planted / "none.so"),
        "LD_LIBRARY_PATH": str(planted),
        "LD_AUDIT": str(planted / "none.so"),
        "HOME": str(tmp_path),
    }
    link = tmp_path / "pratique"
    link.symlink_to(folder / "pratique")
    for program in (str(folder / "pratique"), str(link), "./pratique"):
        done = subprocess.run(
            [program, "selftest"], env=variables, capture_output=True, text=True, check=False, cwd=link.parent
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    assert not canary.exists()


def test_every_file_is_summed_and_every_part_has_its_licence(archive: Path, folder: Path) -> None:
    sums = dict(reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(sums) == files - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    digest, name = (archive.parent / "SHA256SUMS").read_text().split()
    assert (digest, name) == (hashlib.sha256(archive.read_bytes()).hexdigest(), archive.name)
    parts = {
        line.partition(":")[0] for line in (folder / "licences" / "PARTS").read_text().splitlines() if ": " in line
    }
    assert {"python", "pratique", "libc6", "click", "msgspec", "pyyaml", "packageurl-python"} <= parts
    for part in parts:
        assert (folder / "licences" / f"{part}.txt").stat().st_size > 200, part


def test_it_is_modest_and_names_nothing_of_the_machine_that_built_it(archive: Path, folder: Path) -> None:
    assert archive.stat().st_size < 32 << 20
    names = {path.name for path in folder.rglob("*")}
    assert not names & {"idlelib", "tkinter", "test", "ensurepip", "pip", "_ssl", "sitecustomize.py"}
    for path in (folder / "packages").rglob("*"):
        if path.is_file():
            assert str(ROOT).encode() not in path.read_bytes(), path


def test_the_same_inputs_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as tar:
        entries = tar.getmembers()
    assert [entry.name for entry in entries] == sorted(entry.name for entry in entries)
    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries} == {(0, 0, make_dist.MOMENT)}
    assert make_dist.build(tmp_path).read_bytes() == archive.read_bytes()

"""The axios story in Python: a listed release whose .pth file runs at every start, by real installs of a stand-in."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pratique import api
from tests.standins.python_packages import RELEASES, wheel, write

TODAY = datetime.date(2026, 11, 20)
UV = shutil.which("uv")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    write(folder)
    return folder


def run(*command: str | Path, home: Path) -> None:
    """One command, with no configuration and no network of this machine."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_OFFLINE": "1",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def environment_of(project: Path, home: Path) -> Path:
    """A virtual environment in a project; its site-packages."""
    run(sys.executable, "-m", "venv", "--without-pip", project / ".venv", home=home)
    return next((project / ".venv" / "lib").iterdir()) / "site-packages"


def pip(project: Path, *arguments: str | Path, home: Path) -> None:
    """The pip that is beside this interpreter, for another environment."""
    python = project / ".venv" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, *arguments, home=home)


def check(*targets: Path | str, incident: str = "litellm-2026-03-24") -> api.Report:
    selection = api.select(incidents=[incident], today=TODAY)
    request = api.CheckRequest(
        targets=tuple(api.specify([str(target) for target in targets])),
        incidents=selection.incidents,
        named=selection.named,
    )
    return api.check(request)


def subjects(report: api.Report, root: Path) -> dict[str, tuple[str, str | None]]:
    """Status and depth by kind and place of each subject."""
    known = {item.id: item for item in report.subjects}
    return {
        f"{known[v.subject].kind} {known[v.subject].uri.removeprefix(root.as_uri())}": (v.status, v.depth)
        for v in report.verdicts
    }


def explanations(report: api.Report) -> str:
    return "\n".join(item.explanation for item in report.sightings)


def has_pip() -> bool:
    done = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    return done.returncode == 0


needs_pip = pytest.mark.skipif(not has_pip(), reason="this interpreter has no pip")
needs_uv = pytest.mark.skipif(UV is None, reason="uv is not installed")


@needs_pip
def test_pip_install_is_found_with_its_trigger_and_leaves_with_it(dist: Path, tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "yard" / "project"
    home.mkdir()
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(
        '[project]\nname = "harbour"\nversion = "1"\ndependencies = ["litellm>=1"]\n'
    )
    site = environment_of(project, home)
    pip(project, "install", "--no-index", "--find-links", dist, "litellm==1.82.8", home=home)
    report = check(tmp_path / "yard")
    assert report.exit_code == 10
    assert subjects(report, tmp_path / "yard") == {"project /project": ("affected", "installed")}
    text = explanations(report)
    assert "litellm_init.pth runs at every start of this Python" in text
    assert "compared and are as recorded" in text
    assert "lies where indicator pth names it, and litellm 1.82.8 recorded it" in text
    assert not [item for item in report.coverage.refusals if item.relevant]

    with (site / "litellm_init.pth").open("a") as file:
        file.write("import harbour\n")
    assert "changed since it was installed: litellm_init.pth" in explanations(check(tmp_path / "yard"))
    (site / "litellm_init.pth").unlink()
    assert "recorded and gone: litellm_init.pth" in explanations(check(tmp_path / "yard"))

    pip(project, "uninstall", "--yes", "litellm", home=home)
    (project / "pyproject.toml").unlink()
    assert check(tmp_path / "yard").exit_code == 0


@needs_uv
def test_uv_install_is_found_and_its_cache_still_tells_after_uninstall(dist: Path, tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "yard" / "project"
    home.mkdir()
    project.mkdir(parents=True)
    environment_of(project, home)
    python = project / ".venv" / "bin" / "python"
    cache = tmp_path / "cache"
    uv = (UV or "uv", "pip", "install", "--cache-dir", cache, "--python", python, "--no-index", "--find-links", dist)
    run(*uv, "litellm==1.82.8", home=home)
    report = check(tmp_path / "yard", cache)
    found = subjects(report, tmp_path)
    assert found["project /yard/project"] == ("affected", "installed")
    assert ("affected", "fetched") in [value for key, value in found.items() if key.startswith("cache /cache")]
    run(UV or "uv", "pip", "uninstall", "--python", python, "litellm", home=home)
    shutil.rmtree(dist.parent / "gone", ignore_errors=True)
    report = check(tmp_path / "yard", cache)
    assert report.exit_code == 10
    assert {value for key, value in subjects(report, tmp_path).items() if key.startswith("cache")} == {
        ("affected", "fetched")
    }


def test_a_lock_alone_is_resolved(tmp_path: Path) -> None:
    golden = Path(__file__).resolve().parents[1] / "golden" / "readers" / "pypi"
    for reader, case in (
        ("uv-lock", "uv-0.13"),
        ("poetry-lock", "poetry-2.5"),
        ("pdm-lock", "pdm-2.20"),
        ("pipfile-lock", "pipenv-2026"),
        ("pylock", "uv-0.13"),
        ("requirements", "uv-compile"),
    ):
        root = tmp_path / reader
        shutil.copytree(golden / reader / case / "input", root)
        (root / "project" / "pyproject.toml").write_text(
            '[project]\nname = "harbour"\nversion = "1"\ndependencies = ["litellm>=1.80"]\n'
        )
        report = check(root)
        assert subjects(report, root) == {"project /project": ("affected", "resolved")}, reader
        assert report.exit_code == 10


def test_a_range_without_lock_is_a_gap_and_settled_by_an_environment(dist: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "harbour"\nversion = "1"\ndependencies = ["litellm>=1"]\n'
    )
    assert check(tmp_path).exit_code == 4
    site = environment_of(project, tmp_path)
    good = next(release for release in RELEASES if release[:2] == ("litellm", "1.82.6"))
    shutil.unpack_archive(dist / wheel(good)[0], site, "zip")
    assert check(tmp_path).exit_code == 0


def test_an_archive_anywhere_is_fetched(dist: Path, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    bad = next(release for release in RELEASES if release[:2] == ("litellm", "1.82.7"))
    shutil.copy(dist / wheel(bad)[0], tmp_path / "mirror")
    report = check(tmp_path)
    assert [item.depth for item in report.verdicts] == ["fetched"]
    assert report.exit_code == 10


def test_another_source_of_the_same_name_is_named_and_not_affected(dist: Path, tmp_path: Path) -> None:
    golden = Path(__file__).resolve().parents[1] / "golden" / "readers" / "pypi"
    info = "venv/lib/python3.12/site-packages/litellm-1.82.8.dist-info"
    shutil.copytree(golden / "python-direct-url" / "git" / "input", tmp_path / "root")
    place = tmp_path / "root" / info
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n\n")
    report = check(tmp_path)
    assert report.exit_code == 0
    assert "another source (git)" in explanations(report)


@needs_pip
def test_an_environment_of_many_packages_gives_nothing(tmp_path: Path) -> None:
    """The environment that runs these tests: a hundred packages, .pth files among them."""
    site = Path(pytest.__file__).resolve().parents[1]
    selection = api.select(today=TODAY)
    request = api.CheckRequest(targets=(api.TargetSpec(str(site)),), incidents=selection.incidents)
    report = api.check(request)
    assert report.sightings == ()
    assert report.coverage.by_reader.get("python-metadata", 0) > 20


@pytest.mark.parametrize(
    ("reader", "case"),
    [
        ("uv-cache", "uv-0.13"),
        ("pip-cache", "pip-26"),
        ("pip-cache-old", "pip-22"),
        ("python-metadata", "uv-cache"),
        ("conda-history", "format"),
    ],
)
def test_a_cache_or_history_alone_is_fetched(reader: str, case: str, tmp_path: Path) -> None:
    golden = Path(__file__).resolve().parents[1] / "golden" / "readers" / "pypi"
    shutil.copytree(golden / reader / case / "input", tmp_path / "root")
    report = check(tmp_path / "root")
    assert report.exit_code == 10
    assert {(item.status, item.depth) for item in report.verdicts} == {("affected", "fetched")}
    kinds = {item.kind for item in report.subjects if item.id in {verdict.subject for verdict in report.verdicts}}
    assert kinds == ({"install"} if reader == "conda-history" else {"cache"})


@pytest.mark.parametrize(("reader", "case"), [("pipx-metadata", "pipx-1.18"), ("conda-record", "format")])
def test_an_environment_of_its_own_is_an_install(reader: str, case: str, tmp_path: Path) -> None:
    golden = Path(__file__).resolve().parents[1] / "golden" / "readers" / "pypi"
    shutil.copytree(golden / reader / case / "input", tmp_path / "root")
    report = check(tmp_path / "root")
    assert {(item.status, item.depth) for item in report.verdicts} == {("affected", "installed")}
    assert [item.kind for item in report.subjects] == ["install"]


def test_components_of_python_have_normalised_package_urls(tmp_path: Path) -> None:
    golden = Path(__file__).resolve().parents[1] / "golden" / "readers" / "pypi"
    shutil.copytree(golden / "pipfile-lock" / "pipenv-2026" / "input", tmp_path / "root")
    request = api.ComponentsRequest(targets=(api.TargetSpec(str(tmp_path / "root")),))
    assert {item.purl for item in api.components(request)} == {
        "pkg:pypi/litellm@1.82.8",
        "pkg:pypi/standin-colours@2.0.post1",
        "pkg:pypi/standin-tools@1.1.0",
    }

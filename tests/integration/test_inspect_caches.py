"""`pratique inspect --offline` out of what real package managers keep: caches, stores and installed copies."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pratique import api
from pratique.model.release import Transition
from tests.standins import packages, python_index, python_packages, real_clients, real_python_clients
from tests.standins.packages import IN_WINDOW
from tests.standins.registry import Registry

MANIFEST = '{"name": "app", "version": "1.0.0", "dependencies": {"axios": "1.14.1"}}\n'
OLD = MANIFEST.replace("1.14.1", "1.14.0")
CLIENTS = {
    "npm-11": (["install", "--ignore-scripts"], "npm's cache"),
    "pnpm-10": (["install", "--ignore-scripts"], "pnpm's store"),
    "pnpm-12": (["install", "--ignore-scripts"], "pnpm's store"),
    "yarn-1": (["install", "--ignore-scripts", "--no-lockfile"], "yarn's cache"),
    "yarn-4.18": (["install", "--mode=skip-build", "--no-immutable"], "yarn's cache, a zip"),
}


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user whose home holds what the clients leave in it."""
    home = tmp_path / "home"
    home.mkdir()
    for name in list(os.environ):
        if name.lower().startswith(("npm_config_", "pip_", "uv_", "xdg_", "yarn_", "pnpm_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local" / "share"))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return home


def offline(reference: str) -> list[Transition]:
    report = api.inspect(api.InspectRequest(references=(reference,), offline=True, remember=False))
    assert report.inspections, [one.reason for one in report.refusals]
    return [one.transition for one in report.inspections]


@pytest.mark.parametrize("label", CLIENTS)
def test_an_npm_release_out_of_what_a_client_keeps(
    label: str, user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = real_clients.need(label)
    arguments, source = CLIENTS[label]
    project = tmp_path / "project"
    more = {"YARN_ENABLE_GLOBAL_CACHE": "1"} if label.startswith("yarn-4") else {}
    with Registry(as_of=IN_WINDOW) as registry:
        for manifest in (OLD, MANIFEST):
            project.mkdir()
            (project / "package.json").write_text(manifest)
            if label.startswith("yarn-4"):
                (project / "yarn.lock").write_text("")
            done = real_clients.run(client, arguments, project, registry, home=user, more=more)
            assert done.returncode == 0, done.stdout + done.stderr
            shutil.rmtree(project)
        monkeypatch.setenv("npm_config_registry", registry.url)
    (found,) = offline("npm:axios@1.14.1")
    assert found.examination.source.startswith(source)
    assert set(found.examination.changes) or found.predecessor
    names = {"package.json", *packages.release("axios", "1.14.1").files}
    assert found.examination.examined.files == len(names)
    assert [one.examination.purl for one in found.dependencies] == ["pkg:npm/plain-crypto-js@4.2.1"]
    assert found.predecessor == "pkg:npm/axios@1.14.0"


def test_an_installed_copy_is_the_last_resort_and_says_so(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = packages.release("axios", "1.14.1")
    place = tmp_path / "app" / "node_modules" / "axios"
    place.mkdir(parents=True)
    (place / "package.json").write_text(packages.manifest_text(release.manifest))
    for name, text in release.files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    monkeypatch.chdir(tmp_path / "app")
    (found,) = offline("npm:axios@1.14.1")
    assert found.examination.source.startswith("installed in")
    assert any("may differ" in one.reason for one in found.refusals)


@pytest.mark.parametrize("name", ["pip", "uv"])
def test_a_python_release_out_of_what_a_client_keeps(
    name: str, user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_python_clients.need("uv")
    files = tmp_path / "files"
    files.mkdir()
    written = python_packages.write(files)
    wheel = next(path for path in written if path.suffix == ".whl")
    project, version = wheel.name.split("-")[:2]
    (tmp_path / "project").mkdir()
    cache = {"pip": user / ".cache" / "pip", "uv": user / ".cache" / "uv"}[name]
    with python_index.served(files) as url:
        monkeypatch.setenv("PIP_INDEX_URL", url)
        more = {"PIP_CACHE_DIR": str(cache), "UV_CACHE_DIR": str(cache)}
        target = ["--no-deps", "--target", str(tmp_path / "site"), f"{project}=={version}"]
        arguments = ["install", *target] if name == "pip" else ["pip", "install", *target]
        done = real_python_clients.run(name, arguments, tmp_path / "project", url, more)
        assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.setenv("XDG_CACHE_HOME", str(user / ".cache"))
    if name == "pip" and not list(cache.rglob("*.body")):
        pytest.skip("real clients cannot be had here: this pip keeps nothing of what it fetched over plain http")
    found = offline(f"pypi:{project}=={version}")
    assert found[0].examination.source.startswith(f"{name}'s cache")
    assert found[0].examination.version == version

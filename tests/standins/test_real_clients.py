"""The real clients that other tests lean on: they are the ones we name, and reach the loopback registry alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.standins.packages import AFTER_WINDOW, BEFORE_WINDOW, IN_WINDOW
from tests.standins.real_clients import SMALL, need, run
from tests.standins.registry import Registry

LOCK = {
    "npm": ("package-lock.json", ("install", "--package-lock-only", "--ignore-scripts")),
    "pnpm": ("pnpm-lock.yaml", ("install", "--lockfile-only", "--ignore-scripts")),
    "yarn-1": ("yarn.lock", ("install", "--ignore-scripts")),
    "yarn-3": ("yarn.lock", ("install", "--mode=update-lockfile", "--no-immutable")),
    "yarn-4": ("yarn.lock", ("install", "--mode=update-lockfile", "--no-immutable")),
    "bun": ("bun.lock", ("install", "--lockfile-only", "--ignore-scripts")),
}


@pytest.mark.parametrize("label", SMALL)
def test_resolves_as_the_registry_stands(label: str, tmp_path: Path) -> None:
    """Moving the registry in time changes what a client locks."""
    client = need(label)
    name, words = next(value for key, value in LOCK.items() if label.startswith(key))
    with Registry() as registry:
        for moment, wanted in ((IN_WINDOW, "1.14.1"), (BEFORE_WINDOW, "1.14.0"), (AFTER_WINDOW, "1.14.0")):
            registry.as_of = moment
            project = tmp_path / moment.strftime("%d")
            project.mkdir()
            (project / "package.json").write_text(
                json.dumps({"name": "p", "version": "1.0.0", "private": True, "dependencies": {"axios": "^1.14.0"}})
            )
            done = run(client, words, project, registry)
            text = (project / name).read_text() if (project / name).exists() else ""
            assert done.returncode == 0, done.stdout + done.stderr
            assert f"{wanted}" in text
            assert not (project / "standin-out").exists()
        assert any(request.path.startswith("/axios") for request in registry.requests)


@pytest.mark.parametrize("label", SMALL)
def test_asks_nobody_else(label: str, tmp_path: Path) -> None:
    """A package that the loopback registry lacks is not found elsewhere."""
    client = need(label)
    words = next(value for key, value in LOCK.items() if label.startswith(key))[1]
    (tmp_path / "package.json").write_text(
        json.dumps({"name": "p", "version": "1.0.0", "private": True, "dependencies": {"is-number": "^7.0.0"}})
    )
    with Registry() as registry:
        assert run(client, words, tmp_path, registry).returncode != 0
        assert any(request.path == "/is-number" for request in registry.requests)

"""Settings of prevention: the real clients take them, and install from the lockfile as before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pratique.respond.prevent import changed, wishes
from tests.integration.test_overrides_with_clients import CLIENTS
from tests.standins.packages import AFTER_WINDOW
from tests.standins.real_clients import need, run
from tests.standins.registry import Registry


@pytest.mark.parametrize("label", CLIENTS)
def test_the_client_installs_frozen_with_them(label: str, tmp_path: Path) -> None:
    client = need(label)
    lock, make, frozen = CLIENTS[label]
    named = {"name": "harbour", "version": "0.0.1", "private": True, "dependencies": {"axios": "^1.14.0"}}
    (tmp_path / "package.json").write_text(json.dumps(named, indent=2) + "\n")
    if client.name == "yarn" and label != "yarn-1":
        (tmp_path / ".yarnrc.yml").write_text("nodeLinker: node-modules\n")
        (tmp_path / "yarn.lock").write_text("")
    manager = "yarn classic" if label == "yarn-1" else client.name
    version = tuple(int(part) for part in client.version.split(".")[:2])
    with Registry(as_of=AFTER_WINDOW) as registry:
        assert run(client, make, tmp_path, registry).returncode == 0
        before = (tmp_path / lock).read_bytes()
        shutil.rmtree(tmp_path / "node_modules")
        for name, wanted in wishes(manager, version).items():
            path = tmp_path / name
            made = changed(name, path.read_bytes() if path.exists() else None, wanted, manager, version)
            assert made is not None
            assert made.put_in == wanted
            path.write_bytes(made.content)
        done = run(client, frozen, tmp_path, registry)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / lock).read_bytes() == before
    assert (tmp_path / "node_modules" / "axios" / "package.json").exists()

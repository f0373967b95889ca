"""Lockfiles of Yarn and bun, made by the real clients with a bad release and repaired: the clients accept them frozen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pratique.ecosystems.npm.locks import bun_lock, yarn_berry, yarn_classic
from pratique.model.repair import Correction, LockCodec, LockedRelease, Repaired
from tests.standins.packages import AFTER_WINDOW, ALL, BEFORE_WINDOW, IN_WINDOW
from tests.standins.real_clients import Real, need, run
from tests.standins.registry import Registry

CORRECTIONS = (
    Correction(name="axios", bad=frozenset({"1.14.1", "0.30.4"}), good=("1.14.0", "0.30.3")),
    Correction(name="plain-crypto-js", bad=frozenset({"4.2.1"})),
)


def releases(name: str, version: str) -> LockedRelease | None:
    """The stand-ins, as a registry would tell of them."""
    for item in ALL:
        if (item.name, item.version) == (name, version):
            manifest = dict(item.manifest)
            return LockedRelease(
                name=name, version=version, manifest=manifest, integrity=item.integrity, sha1=item.shasum
            )
    return None


CLIENTS = {
    "yarn-1": (
        yarn_classic.CODEC,
        ["install", "--ignore-scripts"],
        ["install", "--frozen-lockfile", "--ignore-scripts"],
    ),
    "yarn-3.8": (yarn_berry.CODEC, ["install", "--no-immutable"], ["install", "--immutable", "--mode=skip-build"]),
    "yarn-4.0": (yarn_berry.CODEC, ["install", "--no-immutable"], ["install", "--immutable", "--mode=skip-build"]),
    "yarn-4.18": (yarn_berry.CODEC, ["install", "--no-immutable"], ["install", "--immutable", "--mode=skip-build"]),
    "bun-1.2": (bun_lock.CODEC, ["install", "--ignore-scripts"], ["install", "--frozen-lockfile", "--ignore-scripts"]),
    "bun-1.4": (bun_lock.CODEC, ["install", "--ignore-scripts"], ["install", "--frozen-lockfile", "--ignore-scripts"]),
}

PROJECTS: dict[str, dict[str, dict[str, object]]] = {
    "direct": {"": {"dependencies": {"axios": "^1.14.0"}}},
    "indirect": {"": {"dependencies": {"standin-cli": "^1.0.0", "standin-colours": "^4.1.2"}}},
    "both-lines": {"": {"dependencies": {"axios": "^1.14.0"}, "devDependencies": {"old": "npm:axios@^0.30.0"}}},
    "nested": {
        "": {"workspaces": ["packages/*"], "dependencies": {"axios": "^0.30.0"}},
        "packages/tool": {"name": "@harbour/tool", "version": "0.1.0", "dependencies": {"axios": "^1.14.0"}},
        "packages/web": {"name": "web", "version": "0.1.0", "devDependencies": {"standin-cli": "^1.0.3"}},
    },
    "workspaces": {
        "": {"workspaces": ["packages/*"], "dependencies": {"axios": "1.14.0", "standin-bundle": "^2.0.0"}},
        "packages/tool": {"name": "@harbour/tool", "version": "0.1.0", "dependencies": {"axios": "^1.14.0"}},
        "packages/web": {"name": "web", "version": "0.1.0", "dependencies": {"standin-cli": "^1.0.3"}},
    },
}


def lay_out(folder: Path, manifests: dict[str, dict[str, object]], client: Real) -> None:
    """A project with its manifests, scripts off."""
    for place, fields in manifests.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        named = {"name": "harbour", "version": "0.0.1", "private": True, **fields}
        (folder / place / "package.json").write_text(json.dumps(named, indent=2) + "\n")
    if client.name == "yarn" and not client.version.startswith("1."):
        (folder / ".yarnrc.yml").write_text("nodeLinker: node-modules\nenableScripts: false\n")
        (folder / "yarn.lock").write_text("")


def installed(folder: Path) -> set[str]:
    """Name and version of every unpacked package."""
    out = set()
    for manifest in folder.glob("**/node_modules/**/package.json"):
        fields = json.loads(manifest.read_text())
        out.add(f"{fields.get('name')}@{fields.get('version')}")
    return out


@pytest.mark.parametrize("label", CLIENTS)
@pytest.mark.parametrize("project", PROJECTS)
def test_the_client_accepts_the_repaired_lockfile_frozen(label: str, project: str, tmp_path: Path) -> None:
    client = need(label)
    codec, make, frozen = CLIENTS[label]
    lay_out(tmp_path, PROJECTS[project], client)
    name = codec.basenames[0]
    with Registry(as_of=IN_WINDOW) as registry:
        done = run(client, make, tmp_path, registry)
        assert done.returncode == 0, done.stdout + done.stderr
        bad = (tmp_path / name).read_bytes()
        out = repaired(codec, bad)
        if b"plain-crypto-js" not in bad:
            assert (client.name, project) == ("bun", "workspaces"), "bun shares the release that is pinned"
            assert out.changes == ()
            return
        assert b"plain-crypto-js" not in out.content
        (tmp_path / name).write_bytes(out.content)
        for tree in tmp_path.glob("**/node_modules"):
            shutil.rmtree(tree, ignore_errors=True)
        registry.as_of = AFTER_WINDOW
        done = run(client, frozen, tmp_path, registry)
        assert done.returncode == 0, done.stdout + done.stderr
    after = (tmp_path / name).read_bytes()
    assert after == out.content or without_checksums(after) == without_checksums(out.content)
    found = installed(tmp_path)
    assert not {"axios@1.14.1", "axios@0.30.4", "plain-crypto-js@4.2.1", "plain-crypto-js@4.2.0"} & found
    assert "axios@1.14.0" in found


@pytest.mark.parametrize("label", CLIENTS)
@pytest.mark.parametrize("project", PROJECTS)
def test_the_repaired_lockfile_is_what_the_client_would_have_written(label: str, project: str, tmp_path: Path) -> None:
    client = need(label)
    codec, make, _ = CLIENTS[label]
    name = codec.basenames[0]
    texts = []
    with Registry(as_of=IN_WINDOW) as registry:
        for moment in (IN_WINDOW, BEFORE_WINDOW):
            registry.as_of = moment
            folder = tmp_path / moment.strftime("%d")
            lay_out(folder, PROJECTS[project], client)
            done = run(client, make, folder, registry)
            assert done.returncode == 0, done.stdout + done.stderr
            texts.append((folder / name).read_bytes())
    out = repaired(codec, texts[0])
    assert without_checksums(out.content) == without_checksums(texts[1])


def without_checksums(content: bytes) -> list[str]:
    """The lines, but for the digests of Yarn's own archives: a client adds those that are not there, frozen or not."""
    return [line for line in content.decode().splitlines() if "checksum:" not in line]


def repaired(codec: LockCodec, content: bytes) -> Repaired:
    out = codec.repair(content, CORRECTIONS, releases)
    assert isinstance(out, Repaired), out
    again = codec.repair(out.content, CORRECTIONS, releases)
    assert isinstance(again, Repaired)
    assert (again.content, again.changes) == (out.content, ())
    return out

"""An override and the repaired lockfile, proven together by the real clients: frozen, and resolved anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pratique.ecosystems.locks import codecs_of
from pratique.model.repair import Correction, LockedRelease, Repaired
from pratique.respond.revert.overrides import pins_of, rules
from tests.standins.packages import AFTER_WINDOW, ALL, IN_WINDOW
from tests.standins.real_clients import need, run
from tests.standins.registry import Registry

CORRECTIONS = (
    Correction(name="axios", bad=frozenset({"1.14.1", "0.30.4"}), good=("1.14.0", "0.30.3")),
    Correction(name="plain-crypto-js", bad=frozenset({"4.2.1"})),
)
OFF = "--ignore-scripts"
SKIP = "--mode=skip-build"
CLIENTS = {
    "npm-11": ("package-lock.json", ["install", OFF], ["ci", OFF]),
    "pnpm-10": ("pnpm-lock.yaml", ["install", OFF, "--no-frozen-lockfile"], ["install", OFF, "--frozen-lockfile"]),
    "pnpm-12": ("pnpm-lock.yaml", ["install", OFF, "--no-frozen-lockfile"], ["install", OFF, "--frozen-lockfile"]),
    "yarn-1": ("yarn.lock", ["install", OFF], ["install", "--frozen-lockfile", OFF]),
    "yarn-3.8": ("yarn.lock", ["install", "--no-immutable"], ["install", "--immutable", SKIP]),
    "yarn-4.18": ("yarn.lock", ["install", "--no-immutable"], ["install", "--immutable", SKIP]),
    "bun-1.2": ("bun.lock", ["install", OFF], ["install", "--frozen-lockfile", OFF]),
    "bun-1.4": ("bun.lock", ["install", OFF], ["install", "--frozen-lockfile", OFF]),
}
PROJECTS: dict[str, dict[str, object]] = {
    "direct": {"dependencies": {"axios": "^1.14.0"}},
    "indirect": {"dependencies": {"standin-cli": "^1.0.0"}},
    "both": {"dependencies": {"standin-cli": "^1.0.0"}, "devDependencies": {"axios": "^0.30.0"}},
}


def releases(name: str, version: str) -> LockedRelease | None:
    """The stand-ins, as a registry would tell of them."""
    for item in ALL:
        if (item.name, item.version) == (name, version):
            manifest = dict(item.manifest)
            return LockedRelease(
                name=name, version=version, manifest=manifest, integrity=item.integrity, sha1=item.shasum
            )
    return None


@pytest.mark.parametrize("label", CLIENTS)
@pytest.mark.parametrize("project", PROJECTS)
def test_the_client_accepts_both_and_never_takes_the_bad_release_again(
    label: str, project: str, tmp_path: Path
) -> None:
    client = need(label)
    lock, make, frozen = CLIENTS[label]
    named = {"name": "harbour", "version": "0.0.1", "private": True, **PROJECTS[project]}
    (tmp_path / "package.json").write_text(json.dumps(named, indent=2) + "\n")
    if client.name == "yarn" and label != "yarn-1":
        (tmp_path / ".yarnrc.yml").write_text("nodeLinker: node-modules\nenableScripts: false\n")
        (tmp_path / "yarn.lock").write_text("")
    with Registry(as_of=IN_WINDOW) as registry:
        assert run(client, make, tmp_path, registry).returncode == 0
        shutil.rmtree(tmp_path / "node_modules")
        content = (tmp_path / lock).read_bytes()
        assert b"plain-crypto-js" in content
        codec = next(iter(codecs_of(lock, content)), None)
        if codec is None:
            pytest.fail(f"no codec for {lock}")
        out = codec.repair(content, CORRECTIONS, releases)
        assert isinstance(out, Repaired), out
        (tmp_path / lock).write_bytes(out.content)
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        version = tuple(int(part) for part in client.version.split(".")) if client.name == "pnpm" else ()
        way = next(rules(client.name, lock, files, pins_of(out.changes, CORRECTIONS), "2026-06-30", version))
        for name, new in way.files.items():
            (tmp_path / name).write_bytes(new)
        registry.as_of = AFTER_WINDOW
        done = run(client, frozen, tmp_path, registry)
        assert done.returncode == 0, (done.stdout + done.stderr, (tmp_path / lock).read_text())
        shutil.rmtree(tmp_path / "node_modules", ignore_errors=True)
        (tmp_path / lock).unlink()
        if lock == "yarn.lock" and label != "yarn-1":
            (tmp_path / lock).write_text("")
        registry.as_of = IN_WINDOW
        done = run(client, make, tmp_path, registry)
        if way.left_open:
            assert (label, project) in {("bun-1.2", "both"), ("yarn-1", project)}
            assert label == "yarn-1" or "0.0.0-blocked" in done.stdout + done.stderr
            assert all("plain-crypto-js" in text for text in way.left_open) == (
                label == "yarn-1" and project == "indirect"
            )
            if project != "indirect":
                return
        assert done.returncode == 0, done.stdout + done.stderr
        text = (tmp_path / lock).read_text()
    assert "4.2.1" not in text
    assert '["axios@1.14.1"' not in text
    assert "axios-1.14.1" not in text
    assert "version: 1.14.1" not in text


@pytest.mark.parametrize("label", CLIENTS)
def test_a_payload_that_is_asked_for_ends_in_an_error_or_is_left_out(label: str, tmp_path: Path) -> None:
    client = need(label)
    lock, make, _ = CLIENTS[label]
    named = {"name": "harbour", "version": "0.0.1", "private": True, "dependencies": {"axios": "^1.14.0"}}
    (tmp_path / "package.json").write_text(json.dumps(named, indent=2) + "\n")
    if client.name == "yarn" and label != "yarn-1":
        (tmp_path / ".yarnrc.yml").write_text("nodeLinker: node-modules\nenableScripts: false\n")
        (tmp_path / "yarn.lock").write_text("")
    with Registry(as_of=IN_WINDOW) as registry:
        assert run(client, make, tmp_path, registry).returncode == 0
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
        pins = tuple(pin for pin in pins_of_payload())
        version = tuple(int(part) for part in client.version.split(".")) if client.name == "pnpm" else ()
        way = next(rules(client.name, lock, files, pins, "2026-06-30", version))
        if label == "yarn-1":
            assert not way.files
            assert "none can keep plain-crypto-js out" in way.left_open[0]
            return
        for name, new in way.files.items():
            (tmp_path / name).write_bytes(new)
        shutil.rmtree(tmp_path / "node_modules", ignore_errors=True)
        (tmp_path / lock).unlink()
        if lock == "yarn.lock" and label != "yarn-1":
            (tmp_path / lock).write_text("")
        done = run(client, make, tmp_path, registry)
    if client.name == "pnpm":
        assert done.returncode == 0
        assert "plain-crypto-js@4.2.1" not in (tmp_path / lock).read_text()
    else:
        assert done.returncode != 0
        assert "0.0.0-blocked" in done.stdout + done.stderr
    assert not (tmp_path / "node_modules" / "plain-crypto-js").exists()


def pins_of_payload():
    from pratique.respond.revert.amended import Pin

    return (Pin("plain-crypto-js", "4.2.1"),)

"""Repair of pnpm's lockfile: laws, reasons, and what real pnpm says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems.npm.locks.manifest import CODEC as MANIFEST
from pratique.ecosystems.npm.locks.pnpm_layout import Section
from pratique.ecosystems.npm.locks.pnpm_lock import CODEC
from pratique.model.repair import Correction, LockedRelease, Repaired
from tests.standins.installs import unpack
from tests.standins.packages import AFTER_WINDOW, BEFORE_WINDOW, IN_WINDOW
from tests.standins.real_clients import need, run
from tests.standins.registry import Registry

from .stage import CORRECTIONS, READERS, formats, good, nothing, reason, releases, write

NOT_WHOLE = ("truncated", "truncated-between-lines", "merge-conflict", "duplicate-keys", "sources", "sources-6")
CASES = sorted(path for path in READERS.glob("pnpm-lock/*/input/pnpm-lock.yaml") if path.parts[-3] not in NOT_WHOLE)
PNPMS = ("pnpm-8", "pnpm-9", "pnpm-10", "pnpm-11", "pnpm-12")
LOCK_ONLY = ("install", "--lockfile-only", "--ignore-scripts", "--no-frozen-lockfile")
FROZEN = ("install", "--frozen-lockfile", "--ignore-scripts")


def case(name: str) -> bytes:
    """A lockfile of real pnpm."""
    return (READERS / "pnpm-lock" / name / "input" / "pnpm-lock.yaml").read_bytes()


def blocks(content: bytes) -> dict[str, str]:
    """Every entry with its text, by part and key."""
    found: dict[str, str] = {}
    for part in re.split(r"^---\n", content.decode(), flags=re.MULTILINE):
        section = ""
        for chunk in part.split("\n\n"):
            if re.fullmatch(r"(?:packages|snapshots):", chunk):
                section = chunk
            elif section and (match := re.match(r"  (\S.*?):(?: \{\})?(?:\n|$)", chunk)):
                found[f"{section} {match[1]}"] = chunk.rstrip("\n")
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parts[-3])
def test_laws_on_real_lockfiles(path: Path) -> None:
    """It parses, only what is named differs, nothing listed is left, and a second time changes nothing."""
    before = path.read_bytes()
    made = good(CODEC.repair(before, CORRECTIONS, releases))
    list(yaml.load_all(made.content, Loader=yaml.CSafeLoader))
    assert (made.content == before) == (not made.changes)
    assert good(CODEC.repair(made.content, CORRECTIONS, releases)).changes == ()
    if "overrides" not in str(path):
        assert b"1.14.1" not in made.content
        assert b"plain-crypto-js" not in made.content
    named = {change.entry for change in made.changes}
    new = blocks(made.content)
    for key, text in blocks(before).items():
        if key.partition(" ")[2] not in named:
            assert new[key] == text


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_what_is_not_whole_is_a_reason(name: str) -> None:
    assert reason(CODEC.repair(case(name), CORRECTIONS, releases))


@pytest.mark.parametrize("label", ["pnpm-10", "pnpm-12"])
def test_equals_what_pnpm_wrote_before_the_window(label: str, tmp_path: Path) -> None:
    unpack(f"{label}-ran", tmp_path / "ran")
    unpack(f"{label}-clean", tmp_path / "never")
    before = (tmp_path / "ran" / "project" / "pnpm-lock.yaml").read_bytes()
    made = good(CODEC.repair(before, CORRECTIONS, releases))
    assert made.content == (tmp_path / "never" / "project" / "pnpm-lock.yaml").read_bytes()


@pytest.mark.parametrize("label", PNPMS)
def test_real_pnpm_writes_the_same_and_accepts_it(label: str, tmp_path: Path) -> None:
    """The repaired lockfile is, byte for byte, what pnpm writes where the listed releases never were; frozen takes it."""
    client = need(label)
    with Registry() as registry:

        def locked(moment: Any, name: str) -> Path:
            registry.as_of = moment
            folder = tmp_path / name
            formats(folder, registry.url, workspaces=False)
            workspace = "packages:\n  - packages/*\nminimumReleaseAge: 0\nblockExoticSubdeps: false\n"
            write(folder, "pnpm-workspace.yaml", workspace)
            done = run(client, LOCK_ONLY, folder, registry)
            assert done.returncode == 0, done.stdout + done.stderr
            return folder

        hit, never = locked(IN_WINDOW, "hit"), locked(BEFORE_WINDOW, "never")
        before = (hit / "pnpm-lock.yaml").read_bytes()
        assert b"1.14.1" in before
        made = good(CODEC.repair(before, CORRECTIONS, releases))
        assert made.content.decode() == (never / "pnpm-lock.yaml").read_text()
        registry.as_of = AFTER_WINDOW
        (hit / "pnpm-lock.yaml").write_bytes(made.content)
        done = run(client, FROZEN, hit, registry)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (hit / "pnpm-lock.yaml").read_bytes() == made.content
        assert json.loads((hit / "node_modules/axios/package.json").read_text())["version"] == "1.14.0"


@pytest.mark.parametrize("label", PNPMS)
def test_a_listed_peer_renames_what_names_it(label: str, tmp_path: Path) -> None:
    """`@standin/peer@3.0.0(standin-colours@...)` becomes what real pnpm calls it, and the exact pin moves."""
    client = need(label)
    wanted = (Correction(name="standin-colours", bad=frozenset({"5.0.0-beta.3"}), good=("5.0.1",)),)
    manifest = {"name": "p", "dependencies": {"@standin/peer": "^3.0.0", "standin-colours": "5.0.0-beta.3"}}
    with Registry(as_of=AFTER_WINDOW) as registry:
        for name in ("hit", "never"):
            write(tmp_path / name, "package.json", manifest)
        content = (tmp_path / "hit" / "package.json").read_bytes()
        moved = good(MANIFEST.repair(content, wanted, nothing)).content
        (tmp_path / "never" / "package.json").write_bytes(moved)
        for name in ("hit", "never"):
            assert run(client, LOCK_ONLY, tmp_path / name, registry).returncode == 0
        outcome = CODEC.repair((tmp_path / "hit" / "pnpm-lock.yaml").read_bytes(), wanted, releases)
        assert good(outcome).content.decode() == (tmp_path / "never" / "pnpm-lock.yaml").read_text()
        (tmp_path / "hit" / "package.json").write_bytes(moved)
        (tmp_path / "hit" / "pnpm-lock.yaml").write_bytes(good(outcome).content)
        done = run(client, FROZEN, tmp_path / "hit", registry)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "key", ["axios@work:1.14.1", "axios@http://h.test/axios/-/axios-1.14.1.tgz", "x@file:a.tgz", "h.test/axios/1.14.1"]
)
def test_a_listed_release_from_a_place_of_its_own_is_a_reason(key: str) -> None:
    text = case("pnpm-11-git").decode().replace("standin-git@git+http://registry.example/sources/standin-git.git", "K")
    named = text.replace("version: 0.0.1", "name: axios\n    version: 1.14.1") if key.startswith("x@") else text
    made = re.sub(r"K#\w+", key, named)
    assert "place of its own" in reason(CODEC.repair(made.encode(), CORRECTIONS, releases))


def test_line_ends_stay() -> None:
    before = case("pnpm-10-workspace")
    made = good(CODEC.repair(before.replace(b"\n", b"\r\n"), CORRECTIONS, releases)).content
    assert made.replace(b"\r\n", b"\n") == good(CODEC.repair(before, CORRECTIONS, releases)).content
    assert made.count(b"\r\n") == made.count(b"\n")
    assert "mixes" in reason(CODEC.repair(before.replace(b"\n", b"\r\n", 3), CORRECTIONS, releases))


def test_peers_by_a_digest_are_a_reason() -> None:
    wanted = (Correction(name="standin-colours", bad=frozenset({"5.0.0-beta.3"}), good=("5.0.1",)),)
    assert "by a digest" in reason(CODEC.repair(case("pnpm-7-formats"), wanted, releases))


def test_a_payload_of_a_project_and_of_another_package_are_reasons() -> None:
    text = case("pnpm-10-ran").decode()
    direct = text.replace(
        "      axios:\n", "      plain-crypto-js:\n        specifier: ^4\n        version: 4.2.1\n      axios:\n"
    )
    assert "asks for plain-crypto-js" in reason(CODEC.repair(direct.encode(), CORRECTIONS, releases))
    other = text.replace(
        "  '@standin/redirects@1.2.0': {}",
        "  '@standin/redirects@1.2.0':\n    dependencies:\n      plain-crypto-js: 4.2.1",
    )
    said = reason(CODEC.repair(other.encode(), CORRECTIONS, releases))
    assert "@standin/redirects@1.2.0 asks for plain-crypto-js" in said


def test_a_dependant_whose_range_is_known_and_excludes_it_is_named() -> None:
    text = case("pnpm-10-ran").decode()
    other = text.replace(
        "  '@standin/redirects@1.2.0': {}", "  '@standin/redirects@1.2.0':\n    dependencies:\n      axios: 1.14.1"
    )
    strict = LockedRelease(name="@standin/redirects", version="1.2.0", manifest={"dependencies": {"axios": "1.14.1"}})

    def known(name: str, version: str) -> LockedRelease | None:
        return strict if name == strict.name else releases(name, version)

    assert "asks for axios 1.14.1" in reason(CODEC.repair(other.encode(), CORRECTIONS, known))
    assert good(CODEC.repair(other.encode(), CORRECTIONS, releases)).changes


def test_dependencies_that_are_not_there_and_other_peers_are_reasons() -> None:
    def with_manifest(**manifest: Any) -> Any:
        release = LockedRelease(name="axios", version="1.14.0", manifest=manifest, integrity="sha512-B")
        return CODEC.repair(case("pnpm-10-ran"), CORRECTIONS, lambda name, version: release)

    assert "asks for other ^1" in reason(with_manifest(dependencies={"other": "^1"}))
    assert "asks for @standin/redirects ^2" in reason(with_manifest(dependencies={"@standin/redirects": "^2"}))
    assert "has other peers" in reason(with_manifest(peerDependencies={"react": "*"}))
    made = good(
        with_manifest(
            dependencies={"@standin/redirects": "^1"},
            engines={"node": ">=18", "npm": "*", "x": "^9 || ^10"},
            bin="x",
            os=["darwin", "!win32"],
            deprecated="it's old: use 2",
        )
    )
    entry = yaml.safe_load(made.content)["packages"]["axios@1.14.0"]
    assert entry == {
        "resolution": {"integrity": "sha512-B"},
        "engines": {"node": ">=18", "x": "^9 || ^10"},
        "os": ["darwin", "!win32"],
        "deprecated": "it's old: use 2",
        "hasBin": True,
    }
    assert b"    engines: {node: '>=18', x: ^9 || ^10}\n    os: [darwin, '!win32']\n" in made.content
    assert "nothing at hand" in reason(CODEC.repair(case("pnpm-10-ran"), CORRECTIONS, nothing))


def test_the_good_release_is_there_already() -> None:
    """Two copies become one."""
    text = good(CODEC.repair(case("pnpm-10-ran"), CORRECTIONS, releases)).content.decode()
    bad = case("pnpm-10-ran").decode()
    both = bad.replace(
        "  plain-crypto-js@4.2.1:\n    res",
        "  axios@1.14.0:\n    resolution: {integrity: sha512-A}\n\n  plain-crypto-js@4.2.1:\n    res",
    ).replace("  plain-crypto-js@4.2.1: {}", "  axios@1.14.0: {}\n\n  plain-crypto-js@4.2.1: {}")
    made = good(CODEC.repair(both.encode(), CORRECTIONS, releases)).content.decode()
    assert made.count("axios@1.14.0") == text.count("axios@1.14.0") == 2


def test_overrides_that_pin_a_listed_release_and_catalogs() -> None:
    text = (
        case("overrides-and-catalogs")
        .decode()
        .replace("axios@1.14.0", "axios@1.14.1")
        .replace("version: 1.14.0", "version: 1.14.1")
    )
    wrong = text.replace("  axios@1.14.1: 1.14.0\n", "  b>axios: 1.14.1\n")
    made = good(CODEC.repair(wrong.encode(), CORRECTIONS, releases)).content.decode()
    assert "  b>axios: 1.14.0\n" in made
    assert made.count("version: 1.14.0") == 2
    pinned = text.replace("specifier: ^1.14.0", "specifier: 1.14.1")
    assert "in pnpm-workspace.yaml" in reason(CODEC.repair(pinned.encode(), CORRECTIONS, releases))


def test_configuration_dependencies_are_a_reason() -> None:
    wanted = (Correction(name="standin-config", bad=frozenset({"0.3.0"}), good=("0.2.0",)),)
    assert "configuration dependency" in reason(
        CODEC.repair(case("pnpm-12-configuration-dependency"), wanted, releases)
    )


@given(st.binary(max_size=200) | st.text(alphabet="abc:' {}[]\n-@/.019", max_size=80).map(str.encode))
def test_any_bytes_are_survived(content: bytes) -> None:
    CODEC.repair(content, CORRECTIONS, releases)


@given(st.sampled_from(CASES), st.data())
def test_damaged_lockfiles_are_survived_and_nothing_listed_is_left(path: Path, data: st.DataObject) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    kept = lines[:at] + data.draw(st.sampled_from([[], lines[at : at + 1] * 2, [b"    odd\n"]])) + lines[at + 1 :]
    outcome = CODEC.repair(b"".join(kept), CORRECTIONS, releases)
    if isinstance(outcome, Repaired):
        assert b"\n  axios@1.14.1:" not in outcome.content
        assert good(CODEC.repair(outcome.content, CORRECTIONS, releases)).changes == ()


def test_a_long_lockfile_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No entry is looked for among all others: the work grows with the file, not with its square."""
    rows = "".join(f"\n  other{number}@1.0.0:\n    resolution: {{integrity: sha512-x}}\n" for number in range(500))
    shots = "".join(f"\n  other{number}@1.0.0: {{}}\n" for number in range(500))
    text = (
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      axios:\n        specifier: ^1.14.0\n"
        "        version: 1.14.1\n\npackages:\n\n  axios@1.14.1:\n    resolution: {integrity: sha512-x}\n"
        f"{rows}\nsnapshots:\n\n  axios@1.14.1: {{}}\n{shots}"
    )
    asked = []
    find = Section.find
    monkeypatch.setattr(Section, "find", lambda self, key: (asked.append(key), find(self, key))[1])
    only = (Correction(name="axios", bad=frozenset({"1.14.1"}), good=("1.14.0",)),)
    made = LockedRelease(name="axios", version="1.14.0", manifest={}, integrity="sha512-y")
    assert isinstance(CODEC.repair(text.encode(), only, lambda name, version: made), Repaired)
    assert len(asked) < 10

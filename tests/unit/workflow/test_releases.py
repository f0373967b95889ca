"""Where records of known good releases come from, and for which lockfiles they are enough."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pratique.ecosystems.npm.locks import package_lock, pnpm_lock, yarn_classic
from pratique.ecosystems.pypi.locks.records import files
from pratique.model.repair import PARTIAL, Correction, LockCodec, Releases, Unrepairable
from pratique.respond.situation import Project, ProjectFile
from pratique.workflow import plan
from pratique.workflow.releases import known
from tests.standins.installs import unpack
from tests.standins.packages import AFTER_WINDOW, release
from tests.standins.registry import Registry
from tests.unit.ecosystems.npm.locks.stage import CORRECTIONS, good, reason

GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No registry of this machine's own."""
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.delenv("npm_config_registry", raising=False)


def project(folder: Path) -> Project:
    """A project with the files that lie in a folder."""
    files = tuple(
        ProjectFile(path=str(path), content=path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()
    )
    return Project(folder=str(folder), files=files)


def lock_of(install: str, name: str, place: Path) -> bytes:
    """A lockfile of a recorded install."""
    unpack(install, place / install)
    return (place / install / "project" / name).read_bytes()


def committed(folder: Path, name: str, *contents: bytes) -> None:
    """A checkout in which a file had these contents, one commit each; the last is not committed."""
    folder.mkdir()

    def git(*words: str) -> None:
        identity = ("-c", "user.name=dev", "-c", "user.email=dev@host.example", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, "-C", str(folder), *words], check=True, env=GIT, capture_output=True)

    git("init", "-q")
    for content in contents[:-1]:
        (folder / name).write_bytes(content)
        git("add", name)
        git("commit", "-q", "-m", "Change it")
    (folder / name).write_bytes(contents[-1])


CASES = (
    ("npm-10", "package-lock.json", package_lock.CODEC),
    ("pnpm-10", "pnpm-lock.yaml", pnpm_lock.CODEC),
    ("yarn-1", "yarn.lock", yarn_classic.CODEC),
)


@pytest.mark.parametrize(("label", "name", "codec"), CASES, ids=[label for label, _, _ in CASES])
def test_an_earlier_commit_is_enough(label: str, name: str, codec: LockCodec, tmp_path: Path) -> None:
    """The repaired lockfile is what the client wrote before the window, out of the project's own history alone."""
    clean, ran = lock_of(f"{label}-clean", name, tmp_path), lock_of(f"{label}-ran", name, tmp_path)
    committed(tmp_path / "shop", name, clean, ran, ran)
    at_hand = known((project(tmp_path / "shop"),), caches=())
    made = good(codec.repair(ran, CORRECTIONS, at_hand))
    assert made.content == clean
    assert made.release_of == (("axios", "1.14.0", "git-history"),)


def test_another_lockfile_of_the_checked_projects_is_enough(tmp_path: Path) -> None:
    clean, ran = (lock_of(f"npm-10-{state}", "package-lock.json", tmp_path) for state in ("clean", "ran"))
    for name, content in (("a", clean), ("b", ran)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "package-lock.json").write_bytes(content)
    at_hand = known((project(tmp_path / "a"), project(tmp_path / "b")), caches=())
    assert good(package_lock.CODEC.repair(ran, CORRECTIONS, at_hand)).content == clean


def test_npms_own_cache_is_enough(tmp_path: Path) -> None:
    """The cache of a real install after which axios moved on holds the document of the registry."""
    unpack("npm-10-ran", tmp_path)
    folder, cache = tmp_path / "project", str(tmp_path / "home" / ".npm")
    at_hand = known((project(folder),), caches=(cache,))
    record = at_hand("axios", "1.14.0")
    assert record is not None
    assert record.source == "cache"
    assert record.integrity == release("axios", "1.14.0").integrity
    assert at_hand("axios", "9.9.9") is None
    for held in (tmp_path / "home" / ".npm" / "_cacache" / "content-v2").rglob("*"):
        if held.is_file():
            held.write_bytes(held.read_bytes() + b" ")
    assert known((project(folder),), caches=(cache,))("axios", "1.14.0") is None, "a changed content is not taken"


def test_the_registry_is_asked_with_consent_alone(tmp_path: Path) -> None:
    ran = lock_of("npm-10-ran", "package-lock.json", tmp_path)
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "package-lock.json").write_bytes(ran)
    with Registry(as_of=AFTER_WINDOW) as registry:
        (shop / ".npmrc").write_text(f"registry={registry.url}\n")
        assert known((project(shop),), caches=())("axios", "1.14.0") is None
        assert registry.requests == []
        record = known((project(shop),), caches=(), online=True)("axios", "1.14.0")
        assert record is not None
        assert record.source == "registry"
        assert record.tarball == f"{registry.url}axios/-/axios-1.14.0.tgz"
        assert [request.path for request in registry.requests] == ["/axios"]
        made = good(package_lock.CODEC.repair(ran, CORRECTIONS, known((project(shop),), caches=(), online=True)))
    assert made.content == lock_of("npm-10-clean", "package-lock.json", tmp_path)


def test_a_partial_record_is_not_taken_by_other_codecs(tmp_path: Path) -> None:
    """yarn.lock knows no programs of a package: npm would install it without them."""
    shop = tmp_path / "shop"
    shop.mkdir()
    for install, name in (("yarn-1-clean", "yarn.lock"), ("npm-10-ran", "package-lock.json")):
        (shop / name).write_bytes(lock_of(install, name, tmp_path))
    at_hand: Releases = known((project(shop),), caches=())
    record = at_hand("axios", "1.14.0")
    assert record is not None
    assert record.manifest[PARTIAL] == "yarn-classic"
    assert record.manifest["dependencies"] == {"@standin/redirects": "^1.2.0"}
    said = reason(package_lock.CODEC.repair((shop / "package-lock.json").read_bytes(), CORRECTIONS, at_hand))
    assert "nothing at hand" in said


def test_an_index_lists_the_archives_of_a_python_release(tmp_path: Path) -> None:
    document = {
        "name": "stand-in",
        "files": [
            {
                "filename": "stand_in-1.0-py3-none-any.whl",
                "url": "../../f/stand_in-1.0-py3-none-any.whl",
                "hashes": {"sha256": "a" * 64},
            },
            {"filename": "stand_in-1.1.tar.gz", "url": "x", "hashes": {"sha256": "b" * 64}},
            {"filename": "odd.exe", "url": "x", "hashes": {}},
        ],
    }
    (tmp_path / "uv.lock").write_text("")
    with Registry() as registry:
        registry.files["simple/stand-in"] = json.dumps(document).encode()
        (tmp_path / "uv.lock").write_text(f'source = {{ registry = "{registry.url}simple" }}\n')
        record = known((project(tmp_path),), caches=(), online=True)("stand-in", "1.0")
        assert record is not None
        assert [item["filename"] for item in record.manifest["files"]] == ["stand_in-1.0-py3-none-any.whl"]
        assert record.manifest["files"][0]["url"] == f"{registry.url}f/stand_in-1.0-py3-none-any.whl"


def test_a_plan_is_given_both(tmp_path: Path) -> None:
    """What plans are made from knows releases and can prove."""
    made = plan.with_means(project_situation(tmp_path), online=False, proof=False)
    assert made.prove(Project(folder="/nowhere", files=()), {}).words == "no client was asked"
    assert made.releases("axios", "1.14.0") is None


def project_situation(folder: Path):
    """The least that a plan is made from."""
    import datetime

    from pratique.respond.situation import Situation

    return Situation(
        reports=(), incidents={}, today=datetime.date(2026, 4, 1), host="host.example", platform="linux", projects=()
    )


def test_a_python_release_of_the_same_name_is_put_into_no_lockfile_of_npm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two worlds use one name: what an index of Python tells has no dependencies and no digest that npm knows."""
    index = json.dumps({"files": [{"filename": "axios-1.14.0.tar.gz", "url": "x", "hashes": {"sha256": "0" * 64}}]})
    python = ProjectFile(path="/app/requirements.txt", content=b"--index-url https://registry.example/simple/\n")
    knows = known([Project(folder="/app", files=(python,))], online=True, caches=())
    monkeypatch.setattr("pratique.workflow.releases.registry.fetch", lambda *_: index.encode())
    record = knows("axios", "1.14.0")
    assert record is not None
    assert len(files(record)) == 1
    lock = {"version": "1.14.1", "resolved": "http://registry.example/axios/-/axios-1.14.1.tgz"}
    whole = {"name": "a", "lockfileVersion": 3, "packages": {"": {"name": "a"}, "node_modules/axios": lock}}
    only = (Correction(name="axios", bad=frozenset({"1.14.1"}), good=("1.14.0",)),)
    found = package_lock.repair(json.dumps(whole).encode(), only, knows)
    assert isinstance(found, Unrepairable)
    assert "nothing at hand knows" in found.reason


def test_what_a_registry_answered_is_told_where_nothing_knows_a_release(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").write_text("registry=http://127.0.0.1:9/\n")
    project = Project(
        folder=str(tmp_path),
        files=(
            ProjectFile(path=str(tmp_path / "package-lock.json"), content=b'{"lockfileVersion": 3, "packages": {}}'),
        ),
    )
    asked = known((project,), online=True, caches=())
    assert asked("axios", "1.14.0") is None
    (told,) = asked.told
    assert told.startswith("axios 1.14.0 is not known: ")
    offline = known((project,), caches=())
    assert offline("axios", "1.14.0") is None
    assert offline.told == ()

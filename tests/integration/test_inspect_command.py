"""`pratique inspect` against registries, mirrors and caches on loopback: what is had from where, and what is said."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pratique import api
from pratique.doors.cli.commands import pratique
from pratique.model.release import Inspection, ReleaseReport
from pratique.releases import extract
from pratique.workflow import remembered
from tests.standins import packages, python_index
from tests.standins.packages import AFTER_WINDOW, BEFORE_WINDOW, IN_WINDOW
from tests.standins.registry import Registry

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with an empty home, no client on the path, and no way anywhere but loopback."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in list(os.environ):
        if name.lower().startswith(("npm_config_", "pip_", "uv_", "xdg_", "yarn_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return folder


@pytest.fixture
def registry(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    with Registry(as_of=IN_WINDOW) as found:
        monkeypatch.setenv("npm_config_registry", found.url)
        yield found


def inspected(*references: str, **more: Any) -> ReleaseReport:
    return api.inspect(api.InspectRequest(references=references, **more))


def only(report: ReleaseReport) -> Inspection:
    (inspection,) = report.inspections
    return inspection


def reasons(report: ReleaseReport) -> str:
    inner = [text.reason for one in report.inspections for text in one.judgement.refusals]
    return " | ".join([*(one.reason for one in report.refusals), *inner])


def test_a_release_its_predecessor_and_the_dependency_that_it_brings(registry: Registry) -> None:
    found = only(inspected("npm:axios@1.14.1")).transition
    assert found.examination.purl == "pkg:npm/axios@1.14.1"
    assert found.examination.source == "the registry"
    assert found.predecessor == "pkg:npm/axios@1.14.0"
    assert found.kind == "patch"
    (dependency,) = found.dependencies
    assert dependency.examination.purl == "pkg:npm/plain-crypto-js@4.2.1"
    assert dependency.predecessor == "pkg:npm/plain-crypto-js@4.2.0"
    assert dependency.depth == 1
    asked = {request.path for request in registry.requests}
    assert asked == {
        "/axios",
        "/plain-crypto-js",
        "/axios/-/axios-1.14.1.tgz",
        "/axios/-/axios-1.14.0.tgz",
        "/plain-crypto-js/-/plain-crypto-js-4.2.1.tgz",
        "/plain-crypto-js/-/plain-crypto-js-4.2.0.tgz",
    }


def test_depth_none_and_against(registry: Registry) -> None:
    assert only(inspected("npm:axios@1.14.1", depth=0)).transition.dependencies == ()
    alone = only(inspected("npm:axios@1.14.1", against="none")).transition
    assert alone.predecessor == ""
    assert alone.kind == "unknown"
    by_name = {one.examination.name: one for one in alone.dependencies}
    assert by_name["plain-crypto-js"].predecessor == "pkg:npm/plain-crypto-js@4.2.0"
    other = only(inspected("npm:axios@1.14.1", against="npm:axios@0.30.4", depth=0)).transition
    assert other.predecessor == "pkg:npm/axios@0.30.4"
    assert other.kind == "major"


def test_tags_ranges_and_the_latest(registry: Registry) -> None:
    for reference, version in (
        ("npm:axios", "1.14.1"),
        ("npm:axios@^0.30.0", "0.30.4"),
        ("npm:axios@latest", "1.14.1"),
    ):
        assert only(inspected(reference, depth=0)).transition.examination.version == version
    earlier = only(inspected("npm:axios@^1.0.0", depth=0, at=BEFORE_WINDOW.timestamp())).transition
    assert earlier.examination.version == "1.14.0"
    nothing = inspected("npm:axios@^77")
    assert api.release_exit_code(nothing) == 4
    assert "^77" in nothing.refusals[0].reason


def test_a_package_that_nobody_has(registry: Registry) -> None:
    report = inspected("npm:no-such-package@1.0.0")
    assert report.inspections == ()
    assert report.refusals[0].names == ("no-such-package",)
    assert "404" in reasons(report)
    assert api.release_exit_code(report) == 4


def test_an_archive_that_is_not_what_the_registry_states(registry: Registry) -> None:
    registry.files["axios/-/axios-1.14.1.tgz"] = packages.release("axios", "1.14.0").tarball
    found = only(inspected("npm:axios@1.14.1", depth=0))
    (fact,) = [fact for fact in found.transition.examination.facts if fact.kind == "registry.mismatch"]
    assert fact.attributes["algorithm"] == "sha512"
    assert fact.attributes["stated"] != fact.attributes["actual"]
    assert any(one.relevant and "not what the registry states" in one.reason for one in found.judgement.refusals)
    assert not found.judgement.complete


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"<html>sign in</html>", "HTML"),
        (b"{", "document"),
        (b'{"name":"axios"}', "nothing is known|names an archive"),
        (b'{"name":"other","versions":{}}', "another package"),
        (b"[" * 100_000, "document|nested"),
    ],
)
def test_a_registry_that_answers_with_something_else(registry: Registry, body: bytes, word: str) -> None:
    import re

    registry.files["axios"] = body
    report = inspected("npm:axios@1.14.1")
    assert report.inspections == ()
    assert re.search(word, reasons(report)), reasons(report)


def test_a_document_without_times_and_with_odd_versions(registry: Registry) -> None:
    status, _, body = registry.reply("GET", "/axios", registry.url.rstrip("/"))
    assert status == 200
    document = json.loads(body)
    document.pop("time")
    document["versions"]["banana"] = document["versions"]["1.14.0"]
    document["versions"]["9.9.9"] = 7
    registry.files["axios"] = json.dumps(document).encode()
    found = only(inspected("npm:axios@1.14.1", depth=0)).transition
    assert found.predecessor == "pkg:npm/axios@1.14.0"
    assert only(inspected("npm:axios@banana", depth=0)).transition.kind in ("unknown", "first")


def test_offline_asks_nobody_and_says_so(registry: Registry) -> None:
    report = inspected("npm:axios@1.14.1", offline=True)
    assert registry.requests == []
    assert "no registry, for none may be asked" in reasons(report)
    assert api.release_exit_code(report) == 4


def test_what_was_fetched_serves_offline_afterwards(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    inspected("npm:axios@1.14.1")
    registry.requests.clear()
    asked = extracted(monkeypatch)
    again = only(inspected("npm:axios@1.14.1", offline=True)).transition
    assert registry.requests == []
    assert again.examination.source == "the registry, fetched before"
    assert again.dependencies[0].examination.version == "4.2.1"
    assert set(asked) <= {"shell"}, "the command line of a script alone, which is no file"


def extracted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the files whose extractors are asked for from now on: what is remembered asks for none."""
    asked: list[str] = []
    real = extract.extractors

    def noting(kind: str) -> tuple[extract.Extract, ...]:
        asked.append(kind)
        return real(kind)

    monkeypatch.setattr(extract, "extractors", noting)
    return asked


def put(folder: Path, name: str, version: str, inner: str = "") -> Path:
    item = packages.release(name, version)
    place = folder / inner / item.file_name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(item.tarball)
    return place


def test_a_removed_release_out_of_a_folder(registry: Registry, tmp_path: Path) -> None:
    registry.as_of = AFTER_WINDOW
    gone = inspected("npm:axios@1.14.1")
    assert gone.inspections == ()
    put(tmp_path / "mirror", "axios", "1.14.1", "axios")
    put(tmp_path / "mirror", "plain-crypto-js", "4.2.1", "plain-crypto-js")
    report = inspected("npm:axios@1.14.1", folders=(str(tmp_path / "mirror"),))
    found = only(report).transition
    assert "mirror" in found.examination.source
    assert found.predecessor == "pkg:npm/axios@1.14.0"
    assert [one.examination.version for one in found.dependencies] == ["4.2.1"]


def test_a_folder_alone_is_enough(home: Path, tmp_path: Path) -> None:
    for name, version in (
        ("axios", "1.14.0"),
        ("axios", "1.14.1"),
        ("plain-crypto-js", "4.2.1"),
        ("plain-crypto-js", "4.2.0"),
    ):
        put(tmp_path / "flat", name, version)
    for reference in ("npm:axios@1.14.1", "npm:axios", str(tmp_path / "flat" / "axios-1.14.1.tgz")):
        found = only(inspected(reference, offline=True, folders=(str(tmp_path / "flat"),))).transition
        assert found.predecessor == "pkg:npm/axios@1.14.0"
        assert found.dependencies[0].examination.purl == "pkg:npm/plain-crypto-js@4.2.1"


def test_an_altered_archive_in_a_folder_is_examined_and_told(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "axios-1.14.1.tgz").write_bytes(packages.release("axios", "1.14.0").tarball)
    found = only(inspected("npm:axios@1.14.1", folders=(str(tmp_path / "flat"),), depth=0))
    assert any(fact.kind == "registry.mismatch" for fact in found.transition.examination.facts)
    assert not found.judgement.complete


def test_a_path_touches_no_network_unless_told(registry: Registry, tmp_path: Path) -> None:
    path = put(tmp_path, "axios", "1.14.1")
    report = inspected(str(path))
    assert registry.requests == []
    found = only(report)
    assert found.transition.examination.purl == "pkg:npm/axios@1.14.1"
    assert any("predecessor" in one.reason and one.relevant for one in found.judgement.refusals)
    online = only(inspected(str(path), online=True)).transition
    assert online.predecessor == "pkg:npm/axios@1.14.0"
    assert online.dependencies[0].examination.name == "plain-crypto-js"


def test_paths_that_hold_no_release(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.tgz").write_bytes(b"")
    for path in (tmp_path / "none.tgz", tmp_path / "empty.tgz"):
        with pytest.raises(api.TargetError):
            inspected(str(path))


def test_no_credential_stands_anywhere(registry: Registry, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "s3cr3t-value"
    monkeypatch.delenv("npm_config_registry")
    place = registry.url.removeprefix("http:")
    (home / ".npmrc").write_text(f"registry={registry.url}\n{place}:_authToken={secret}\n")
    registry.files["axios/-/axios-1.14.1.tgz"] = b"not an archive"
    report = inspected("npm:axios@1.14.1")
    whole = [api.release_json(report), api.release_html(report), api.release_sarif(report)]
    whole.append("\n".join(api.release_lines(report)).encode())
    assert all(secret.encode() not in text for text in whole)
    for folder, _, files in os.walk(home):
        for file in files:
            if file != ".npmrc":
                assert secret.encode() not in (Path(folder) / file).read_bytes()


def test_remembered_facts_are_never_evidence(registry: Registry, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = only(inspected("npm:axios@1.14.1"))
    store = remembered.store()
    assert store is not None
    kept = [path for path in store.folder.rglob("*") if path.is_file()]
    assert kept
    assert store.folder.stat().st_mode & 0o077 == 0
    asked = extracted(monkeypatch)
    again = only(inspected("npm:axios@1.14.1"))
    for part in ("facts", "changes", "examined", "refusals"):
        assert getattr(again.transition.examination, part) == getattr(first.transition.examination, part)
    assert set(asked) <= {"shell"}, "the command line of a script alone, which is no file"
    for path in kept:
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
    damaged = only(inspected("npm:axios@1.14.1"))
    assert damaged.transition.examination.facts == first.transition.examination.facts
    assert set(asked) > {"shell"}


def test_a_lockfile_against_the_one_before(registry: Registry, tmp_path: Path) -> None:
    def lock(folder: str, packages_: dict[str, str]) -> str:
        rows = {
            f"node_modules/{name}": {"version": version, "resolved": f"{registry.url}{name}/-/{name}-{version}.tgz"}
            for name, version in packages_.items()
        }
        path = tmp_path / folder / "package-lock.json"
        path.parent.mkdir()
        path.write_text(json.dumps({"name": "x", "lockfileVersion": 3, "packages": {"": {}, **rows}}))
        return str(path)

    old = lock("old", {"axios": "1.14.0", "gone": "1.0.0"})
    new = lock("new", {"axios": "1.14.1", "plain-crypto-js": "4.2.1"})
    report = api.inspect(api.InspectRequest(lockfiles=(old, new), jobs=2))
    by_purl = {one.transition.examination.purl: one.transition for one in report.inspections}
    assert set(by_purl) == {"pkg:npm/axios@1.14.1", "pkg:npm/plain-crypto-js@4.2.1"}
    assert by_purl["pkg:npm/axios@1.14.1"].predecessor == "pkg:npm/axios@1.14.0"
    assert by_purl["pkg:npm/plain-crypto-js@4.2.1"].predecessor == "pkg:npm/plain-crypto-js@4.2.0"
    assert [one.path for one in report.refusals if "gone from" in one.reason] == ["pkg:npm/gone@1.0.0"]
    assert not any(one.relevant for one in report.refusals)
    same = api.inspect(api.InspectRequest(lockfiles=(new, new)))
    assert same.inspections == ()
    assert api.release_exit_code(same) == 0
    bare = tmp_path / "before.json"
    bare.write_bytes(Path(old).read_bytes())
    assert len(api.inspect(api.InspectRequest(lockfiles=(str(bare), new))).inspections) == 2
    with pytest.raises(api.UsageError, match="no lockfile"):
        api.inspect(api.InspectRequest(lockfiles=(str(bare), str(bare))))


def wheel(folder: Path, name: str, version: str, files: dict[str, str], requires: str = "") -> None:
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", head)
        archive.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{name}-{version}.dist-info/RECORD", "")


def sdist(folder: Path, name: str, version: str, files: dict[str, str]) -> None:
    with tarfile.open(folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        for path, text in {"PKG-INFO": head, **files}.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))


@contextlib.contextmanager
def index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with python_index.served(folder) as url:
        monkeypatch.setenv("PIP_INDEX_URL", url)
        yield url


def test_a_python_release_out_of_an_index(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    wheel(folder, "alpha", "1.0", {"alpha.py": "x = 1\n"})
    wheel(
        folder, "alpha", "1.1", {"alpha.py": "x = 2\n"}, "Requires-Dist: beta>=1\nRequires-Dist: gamma; extra == 'x'\n"
    )
    wheel(folder, "beta", "2.0", {"beta.py": "y = 1\n"})
    with index(folder, monkeypatch):
        report = inspected("pypi:Alpha")
        found = report.inspections[0].transition
        assert found.examination.purl == "pkg:pypi/alpha@1.1"
        assert found.examination.form == "wheel"
        assert found.predecessor == "pkg:pypi/alpha@1.0"
        assert [one.examination.purl for one in found.dependencies] == ["pkg:pypi/beta@2.0"]
        again = inspected("pypi:alpha==1.1.0", offline=True).inspections[0].transition
        assert again.examination.version == "1.1"
    local = inspected(str(folder / "alpha-1.1-py3-none-any.whl"), folders=(str(folder),)).inspections[0].transition
    assert local.predecessor == "pkg:pypi/alpha@1.0"
    assert local.dependencies[0].examination.name == "beta"


def test_a_source_archive_stands_beside_its_wheel_where_other_code_runs(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for version in ("1.0", "1.1"):
        wheel(folder, "alpha", version, {"alpha.py": "x = 1\n"})
        sdist(folder, "alpha", version, {"alpha.py": "x = 1\n", "setup.py": "from setuptools import setup\nsetup()\n"})
    with index(folder, monkeypatch):
        report = inspected("pypi:alpha==1.1")
    forms = [one.transition.examination.form for one in report.inspections]
    assert forms[0] == "wheel"
    assert {one.transition.predecessor for one in report.inspections} == {"pkg:pypi/alpha@1.0"}


def test_a_release_against_its_source(home: Path, tmp_path: Path) -> None:
    path = put(tmp_path, "axios", "1.14.1")
    repository = tmp_path / "repository"
    place = repository / "packages" / "axios"
    place.mkdir(parents=True)
    (repository / "package.json").write_text('{"name": "root"}')
    release = packages.release("axios", "1.14.1")
    (place / "package.json").write_text(packages.manifest_text(release.manifest))
    for name, text in release.files.items():
        (place / name).write_text(text)
    same = only(inspected(str(path), against="none", depth=0, source=str(repository))).transition.examination
    assert not [fact for fact in same.facts if fact.kind.startswith("source.")]
    (place / "index.js").unlink()
    other = only(inspected(str(path), against="none", depth=0, source=str(repository))).transition.examination
    assert [fact.path for fact in other.facts if fact.kind == "source.missing"] == ["index.js"]
    with pytest.raises(api.UsageError):
        inspected(str(path), source=str(tmp_path / "none"))


def test_what_is_missing_is_said_before_anything_is_done(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "tree_sitter" else real(name, *more)
    )
    with pytest.raises(api.UsageError, match=r"pratique\[inspect\]"):
        inspected("npm:axios@1.14.1")


@pytest.mark.parametrize(
    "more",
    [
        {"offline": True, "online": True},
        {"folders": ("/no/such/folder",)},
        {"against": "npm:"},
        {"rules": Path("/no/such/folder")},
    ],
)
def test_wrong_use_is_an_error_of_usage(home: Path, more: dict[str, Any]) -> None:
    with pytest.raises(api.PratiqueError):
        inspected("npm:axios@1.14.1", **more)
    with pytest.raises(api.UsageError):
        inspected()


def test_the_command(registry: Registry, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        program = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from pratique.doors.cli.entry import main; sys.exit(main())"
        command = [sys.executable, "-I", "-c", program, "inspect", *arguments]
        return subprocess.run(command, capture_output=True, timeout=120, check=False)

    done = run("npm:axios@1.14.1", "--format", "json")
    document = json.loads(done.stdout)
    assert document["schema"] == "pratique.release/1"
    assert done.returncode == document["exit_code"]
    assert document["inspections"][0]["transition"]["predecessor"] == "pkg:npm/axios@1.14.0"
    text = run("npm:axios@1.14.1", "--depth", "0", "--output", str(tmp_path / "report.txt"))
    assert text.stdout == b""
    assert "axios 1.14.1" in (tmp_path / "report.txt").read_text()
    assert run("axios@1.14.1").returncode == 2
    assert run().returncode == 2
    assert run("npm:axios@9.9.9", "--offline").returncode == 4


def test_all_shows_what_one_screen_leaves_out(tmp_path: Path) -> None:
    place = tmp_path / "harbour"
    place.mkdir()
    (place / "package.json").write_text('{"name": "harbour", "version": "1.0.0"}', "utf-8")
    (place / "package.json.bak").symlink_to("package.json")
    words = ["inspect", str(place), "--against", "none", "--no-memory"]
    short, whole = (CliRunner().invoke(pratique, [*words, *more], standalone_mode=False) for more in ([], ["--all"]))
    assert "(--all)" not in whole.output
    assert len(whole.output.splitlines()) >= len(short.output.splitlines())

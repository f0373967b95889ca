"""A bad release in a build output, by the command's own path: real bundlers' files, and what must not be misread."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pratique import api
from tests.golden.harness import ROOT
from tests.integration.examine import TODAY, examined, visible

CASES = sorted(path for path in (ROOT / "bundle" / "bundle").iterdir() if "truncated" not in path.name)
AXIOS = [case for case in CASES if "ua-parser" not in case.name]


def copy(case: Path, root: Path, old: bytes = b"", new: bytes = b"") -> Path:
    for path in (case / "input").rglob("*"):
        if path.is_file():
            place = root / path.relative_to(case / "input")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes().replace(old, new) if old else path.read_bytes())
    return root


def write(root: Path, relative: str, text: str) -> Path:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", AXIOS, ids=lambda case: case.name)
def test_each_bundler_is_affected_with_place_and_evidence(case: Path, tmp_path: Path) -> None:
    report = examined(copy(case, tmp_path))
    assert report.exit_code == 10
    (verdict,) = report.verdicts
    assert (verdict.status, verdict.depth) == ("affected", "installed")
    (subject,) = report.subjects
    assert (subject.kind, subject.uri) == ("project", (tmp_path / "shop").as_uri())
    (sighting,) = report.sightings
    assert "a bundle carries it" in sighting.explanation
    assert (tmp_path / sighting.location.path).is_file()
    assert sighting.observations


@pytest.mark.parametrize("case", AXIOS, ids=lambda case: case.name)
def test_the_release_before_is_not_affected(case: Path, tmp_path: Path) -> None:
    root = copy(case, tmp_path / "a", b"1.14.1", b"1.14.0")
    assert examined(copy(case, root, b"0.30.4", b"0.30.3") if "axios-0" in case.name else root).exit_code == 0


def test_words_about_the_release_are_not_affected(tmp_path: Path) -> None:
    write(tmp_path, "shop/dist/a.js", 'export const version = "1.14.1";')
    write(tmp_path, "shop/dist/b.js", 'if (axios.isAxiosError(e)) warn("never use axios 1.14.1, XSRF-TOKEN");')
    write(tmp_path, "shop/public/c.js", 'const banned = [{name: "axios", version: "1.14.1"}, "axios@1.14.1"];')
    assert examined(tmp_path).exit_code == 0


def test_what_lies_in_installed_packages_is_not_read_as_a_build(tmp_path: Path) -> None:
    write(tmp_path, "shop/node_modules/x/dist/axios.js", "/*! Axios v1.14.1 Copyright */")
    write(tmp_path, "shop/package.json", "{}")
    report = examined(tmp_path)
    assert (report.exit_code, "bundle" in report.coverage.by_reader) == (0, False)


def test_a_build_folder_may_be_the_target_itself(tmp_path: Path) -> None:
    root = copy(ROOT / "bundle" / "bundle" / "vite-7", tmp_path)
    for target in ("shop", "shop/dist", "shop/dist/assets"):
        assert examined(root / target).exit_code == 10
    write(root, "build/deep/app.js", "/*! Axios v1.14.1 Copyright */")
    assert examined(root / "build" / "deep").exit_code == 3


def test_an_installed_tree_may_be_the_target_itself(tmp_path: Path) -> None:
    write(tmp_path, "lib/node_modules/x/dist/axios.js", "/*! Axios v1.14.1 Copyright */")
    write(tmp_path, "lib/node_modules/x/package.json", '{"name": "x", "version": "1.0.0"}')
    for target in ("lib", "lib/node_modules", "lib/node_modules/x"):
        report = examined(tmp_path / target)
        assert (report.exit_code, "bundle" in report.coverage.by_reader) == (0, False)


def test_one_named_file_is_read_wherever_it_lies(tmp_path: Path) -> None:
    source = ROOT / "bundle" / "bundle" / "esbuild-0.25-min" / "input" / "shop" / "out" / "main.js"
    shutil.copy(source, tmp_path / "app.js")
    assert examined(tmp_path / "app.js").exit_code == 10
    assert examined(tmp_path).exit_code == 3


def test_a_bundle_inside_an_archive_is_found(tmp_path: Path) -> None:
    copy(ROOT / "bundle" / "bundle" / "rollup-4-min", tmp_path / "x")
    with tarfile.open(tmp_path / "release.tgz", "w:gz") as archive:
        archive.add(tmp_path / "x" / "shop" / "dist", "site/dist")
    shutil.rmtree(tmp_path / "x")
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert report.sightings[0].location.inside[0].path == "site/dist/main.js"


def test_source_maps_tell_versions_and_are_told_when_cut(tmp_path: Path) -> None:
    assert examined(copy(ROOT / "bundle" / "source-map" / "vite-7", tmp_path / "a")).exit_code == 10
    assert examined(copy(ROOT / "bundle" / "source-map" / "truncated", tmp_path / "b")).exit_code == 4
    pnpm = ROOT / "bundle" / "source-map" / "esbuild-0.25-pnpm-10"
    assert examined(copy(pnpm, tmp_path / "c")).exit_code == 0
    assert examined(copy(pnpm, tmp_path / "d", b"axios@1.14.0", b"axios@1.14.1")).exit_code == 10


def test_a_name_without_a_version_is_a_gap_for_a_named_incident_alone(tmp_path: Path) -> None:
    root = copy(ROOT / "bundle" / "source-map" / "webpack-5-min", tmp_path)
    report = examined(root)
    assert report.exit_code == 4
    assert any("does not tell which release" in text for text in visible(report))
    quiet = api.select(incidents=["axios-2026-03-31"], today=TODAY)
    request = api.CheckRequest(targets=tuple(api.specify([str(root)])), incidents=quiet.incidents)
    unnamed = api.check(request)
    assert unnamed.exit_code == 0
    assert "bundled-release-not-told-for-inactive-incident" in {item.rule for item in unnamed.coverage.skipped_by_rule}
    os.utime(root / "shop" / "dist" / "main.js.map", (1_770_000_000, 1_770_000_000))
    assert examined(root).exit_code == 0


def test_the_code_of_september_2025_is_known_by_its_text(tmp_path: Path) -> None:
    """Texts that the published analyses name, without any code around them."""
    chalk = api.select(incidents=["chalk-debug-2025-09-08"], today=TODAY)
    texts = {item.id: item.value for item in chalk.incidents[0].indicators}
    write(tmp_path / "hit", "site/dist/main.js", f'window.{texts["control-object"]}={{}};var a=["{texts["wallet"]}"];')
    report = examined(tmp_path / "hit", chalk)
    assert (report.exit_code, report.verdicts[0].depth) == (10, "installed")
    assert "visitors' browsers" in report.verdicts[0].summary
    write(tmp_path / "news", "site/dist/main.js", f'const post = "look for {texts["control-object"]}";')
    assert examined(tmp_path / "news", chalk).exit_code == 4
    write(tmp_path / "clean", "site/dist/main.js", "window.control={};")
    assert examined(tmp_path / "clean", chalk).exit_code == 0


def test_a_listed_file_inside_a_source_map_is_found_by_its_digest(tmp_path: Path) -> None:
    import hashlib

    digest = hashlib.sha256(b"inert stand-in").hexdigest()
    definition = write(
        tmp_path,
        "example-2026-01-01.toml",
        f"""
id = "example-2026-01-01"
revision = 1
updated = 2026-01-01
title = "example"
summary = "example"
status = "active"
completeness = "fixed"
[[references]]
id = "a"
title = "a"
kind = "vendor-report"
[[references]]
id = "b"
title = "b"
kind = "vendor-report"
[[components]]
ecosystem = "npm"
name = "left"
role = "payload"
[[components.versions]]
version = "1.2.3"
[[indicators]]
id = "file"
type = "file-hash"
value = "sha256:{digest}"
confidence = "high"
meaning = "installed"
sources = ["a", "b"]
""",
    )
    chosen = api.select(incidents=[str(definition)], today=TODAY)
    document = {"version": 3, "sources": ["src/x.js"], "sourcesContent": ["inert stand-in"], "mappings": ""}
    write(tmp_path, "site/dist/main.js.map", json.dumps(document))
    report = examined(tmp_path / "site", chosen)
    assert report.exit_code == 10
    assert report.verdicts[0].confidence == "high"


def test_the_command_names_bundle_and_proof(tmp_path: Path) -> None:
    copy(ROOT / "bundle" / "bundle" / "vite-7", tmp_path)
    command = [sys.executable, "-m", "pratique", "check", str(tmp_path), "--incident", "axios-2026-03-31"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 10
    assert "axios 1.14.1" in done.stdout
    assert "version constant" in " ".join(done.stdout.split())


def test_a_map_inside_the_bundle_is_read(tmp_path: Path) -> None:
    document = {"version": 3, "sources": ["../node_modules/.pnpm/axios@1.14.1/node_modules/axios/index.js"]}
    inline = base64.b64encode(json.dumps(document).encode()).decode()
    write(tmp_path, "site/dist/main.js", f"x()\n//# sourceMappingURL=data:application/json;base64,{inline}\n")
    assert examined(tmp_path).exit_code == 10

"""The axios story in container images, made by the tools that make images; each image is one that skopeo accepts."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pratique import api
from pratique.model.observation import LayerFact
from tests.integration.examine import axios, examined
from tests.standins.images import Layout, layer, packed, sha256
from tests.standins.installs import FOLDER, names, unpack

ROOT = Path(__file__).resolve().parents[2]
JUDGED = ROOT / "tests/golden/judgement"
Change = Callable[[Path], None]


def run(*command: str | Path, folder: Path | None = None) -> str:
    done = subprocess.run([str(word) for word in command], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing or programs)}")


def built(folder: Path, changes: Sequence[tuple[str, Change]], *, tag: str = "shop") -> Path:
    """An OCI layout by umoci: one layer for each change, each step under a tag of its own, the last also under `tag`."""
    needs("umoci", "skopeo")
    folder.mkdir(parents=True, exist_ok=True)
    layout, bundle = folder / "layout", folder / "bundle"
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", f"{layout}:{tag}")
    for step, change in changes:
        run("umoci", "unpack", "--image", f"{layout}:{tag}", bundle)
        change(bundle / "rootfs")
        run("umoci", "repack", "--image", f"{layout}:{tag}", f"--history.created_by={step}", bundle)
        shutil.rmtree(bundle)
    return layout


def install(name: str, place: str = "app") -> Change:
    """A change that lays the project of a real install down."""

    def change(rootfs: Path) -> None:
        unpacked = unpack(name, rootfs.parent / "unpacked")
        shutil.copytree(unpacked / "project", rootfs / place, symlinks=True)
        shutil.rmtree(unpacked)

    return change


def without(*paths: str) -> Change:
    """A change that removes files and folders."""

    def change(rootfs: Path) -> None:
        for path in paths:
            place = rootfs / path
            shutil.rmtree(place) if place.is_dir() else place.unlink()

    return change


def copied(layout: Path, to: str, *options: str, tag: str = "shop") -> None:
    """Let skopeo copy the image, and see that it accepts the copy."""
    run("skopeo", "--insecure-policy", "copy", "-q", *options, f"oci:{layout}:{tag}", to)
    run("skopeo", "inspect", "--raw", to)


def report_of(path: Path, **options: Any) -> api.Report:
    return examined(f"image:{path}", formats=("json", "text"), **options)


def told(report: api.Report) -> list[LayerFact]:
    return [msgspec.convert(item.facts, LayerFact) for item in report.observations if item.kind == "layer"]


def gaps(report: api.Report) -> list[str]:
    return [item.reason for item in report.coverage.refusals if item.relevant]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """npm ran the dropper in the first layer; the second one removes all of node_modules."""
    steps = [("RUN /bin/sh -c npm ci # buildkit", install("npm-11-ran")), ("RUN rm -rf", without("app/node_modules"))]
    return built(tmp_path_factory.mktemp("story"), steps)


def docker_archive(layout: Path, path: Path) -> None:
    copied(layout, f"docker-archive:{path}:registry.test/shop:1")


def docker_archive_gzip(layout: Path, path: Path) -> None:
    plain = path.with_name("plain.tar")
    docker_archive(layout, plain)
    path.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()


FORMS: dict[str, Callable[[Path, Path], None]] = {
    "docker-archive": docker_archive,
    "docker-archive-gzip": docker_archive_gzip,
    "oci": lambda layout, path: copied(layout, f"oci:{path}:shop"),
    "oci-plain": lambda layout, path: copied(layout, f"oci:{path}:shop", "--dest-decompress"),
    "oci-zstd": lambda layout, path: copied(layout, f"oci:{path}:shop", "--dest-compress-format", "zstd"),
    "oci-archive": lambda layout, path: copied(layout, f"oci-archive:{path}:shop"),
    "dir": lambda layout, path: copied(layout, f"dir:{path}"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_story_in_a_deleted_layer(story: Path, form: str, tmp_path: Path) -> None:
    path = tmp_path / "image"
    FORMS[form](story, path)
    report = report_of(path)
    assert report.exit_code == 11
    assert gaps(report) == []
    assert {item.current for item in report.sightings} >= {False}
    ran = [item for item in report.sightings if item.depth == "executed"]
    assert [item.location.path for item in ran] == ["app/node_modules/plain-crypto-js"]
    assert "in layer 1 of 2; deleted in layer 2, still pullable; made by: RUN npm ci" in ran[0].explanation
    assert ran[0].current is False
    kept = [item for item in report.sightings if item.location.path == "app/package-lock.json"]
    assert kept
    assert all(item.current for item in kept)
    assert {fact.gone_how for fact in told(report)} == {None, "deleted"}
    assert {verdict.subject for verdict in report.verdicts} == {report.verdicts[0].subject}


def test_both_tags_of_one_layout(tmp_path: Path) -> None:
    layout = built(tmp_path, [("RUN npm ci", install("npm-11-ran"))], tag="first")
    run("umoci", "tag", "--image", f"{layout}:first", "second")
    bundle = tmp_path / "bundle"
    run("umoci", "unpack", "--image", f"{layout}:second", bundle)
    without("app")(bundle / "rootfs")
    run("umoci", "repack", "--image", f"{layout}:second", bundle)
    report = report_of(layout)
    assert report.exit_code == 11
    (fact,) = {fact for fact in told(report) if fact.path == "app/node_modules/plain-crypto-js"}
    assert set(fact.images) == {"first", "second"}
    assert fact.shown_by == ("first",)
    assert fact.gone_in is None


def test_an_old_tag_that_nothing_names(tmp_path: Path) -> None:
    layout = built(tmp_path, [("RUN npm ci", install("npm-11-ran"))], tag="shop")
    run("umoci", "new", "--image", f"{layout}:other")
    run("umoci", "rm", "--image", f"{layout}:shop")
    report = report_of(layout)
    assert report.exit_code == 11
    assert {fact.referenced for fact in told(report)} == {False}
    assert any("no tag names any more" in item.explanation for item in report.sightings)
    assert all(item.current is False for item in report.sightings if item.depth == "executed")
    run("umoci", "gc", "--layout", layout)
    assert report_of(layout).exit_code in (0, 3)


def test_a_lockfile_that_was_deleted_is_resolved_and_not_current(tmp_path: Path) -> None:
    layout = built(tmp_path, [("COPY . .", install("npm-11-lock-only")), ("RUN rm", without("app"))])
    report = report_of(layout)
    assert report.exit_code == 10
    assert {item.depth for item in report.sightings} == {"resolved"}
    assert {item.current for item in report.sightings} == {False}
    assert all("deleted in layer 2, still pullable" in item.explanation for item in report.sightings)


def test_a_lockfile_that_was_overwritten(tmp_path: Path) -> None:
    def overwrite(rootfs: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            (rootfs / "app" / name).write_text('{"name": "shop", "lockfileVersion": 3, "packages": {}}')

    layout = built(tmp_path, [("COPY . .", install("npm-11-lock-only")), ("COPY . .", overwrite)])
    report = report_of(layout)
    assert report.exit_code == 10
    assert all("overwritten in layer 2, still pullable" in item.explanation for item in report.sightings)


def ran_later(rootfs: Path) -> None:
    """What the dropper does to its folder, by a real run of it."""
    unpacked = unpack("npm-11-ran", rootfs.parent / "later")
    place = rootfs / "app/node_modules/plain-crypto-js"
    shutil.rmtree(place)
    shutil.copytree(unpacked / "project/node_modules/plain-crypto-js", place)


def test_scripts_that_ran_in_a_later_layer_than_the_install(tmp_path: Path) -> None:
    steps = [("RUN npm ci --ignore-scripts", install("npm-11-blocked")), ("RUN npm rebuild", ran_later)]
    report = report_of(built(tmp_path, steps))
    assert report.exit_code == 11
    ran = [item for item in report.sightings if item.depth == "executed"]
    assert [item.location.inside[0].path for item in ran] == ["app/node_modules/plain-crypto-js"]
    assert "in layer 2 of 2; made by: RUN npm rebuild" in ran[0].explanation
    before = [item for item in report.sightings if "state A" in item.explanation]
    assert len(before) == 1
    assert "overwritten in layer 2" in before[0].explanation


def test_an_install_record_that_was_overwritten_accuses_no_later_folder(tmp_path: Path) -> None:
    def replaced(rootfs: Path) -> None:
        ran_later(rootfs)
        for path in (rootfs / "app/node_modules/.package-lock.json", rootfs / "app/package-lock.json"):
            document = json.loads(path.read_text())
            document["packages"]["node_modules/plain-crypto-js"]["version"] = "4.2.0"
            document["packages"]["node_modules/plain-crypto-js"].pop("integrity", None)
            path.write_text(json.dumps(document))
        shutil.rmtree(rootfs / "app/node_modules/axios")

    steps = [("RUN npm ci --ignore-scripts", install("npm-11-blocked")), ("RUN npm install", replaced)]
    report = report_of(built(tmp_path, steps))
    assert report.exit_code == 10
    assert not [item for item in report.sightings if item.depth == "executed"]


def test_a_folder_that_was_removed_and_made_again(tmp_path: Path) -> None:
    """umoci writes single whiteouts, one of them behind the new file."""

    def again(rootfs: Path) -> None:
        shutil.rmtree(rootfs / "app/node_modules")
        (rootfs / "app/node_modules/left").mkdir(parents=True)
        (rootfs / "app/node_modules/left/package.json").write_text('{"name": "left", "version": "1.0.0"}')

    layout = built(tmp_path, [("RUN npm ci", install("npm-11-ran")), ("RUN npm ci", again)])
    report = report_of(layout)
    assert report.exit_code == 11
    ran = [item for item in report.sightings if item.depth == "executed"]
    assert "deleted in layer 2" in ran[0].explanation


@pytest.mark.parametrize("form", ["gzip", "zstd:chunked"])
def test_buildah_with_an_opaque_folder(tmp_path: Path, form: str) -> None:
    needs("buildah", "skopeo")
    storage = ["--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run"), "--storage-driver"]
    driver = ["overlay"]
    try:
        first = run("buildah", *storage, *driver, "from", "scratch").strip()
    except AssertionError:
        driver = ["vfs"]
        first = run("buildah", *storage, *driver, "from", "scratch").strip()
    buildah = ["buildah", *storage, *driver]
    try:
        install("npm-11-ran")(Path(run(*buildah, "mount", first).strip()))
        run(*buildah, "umount", first)
        run(*buildah, "commit", "-q", first, "localhost/base:1")
        second = run(*buildah, "from", "--pull-never", "localhost/base:1").strip()
        root = Path(run(*buildah, "mount", second).strip())
        shutil.rmtree(root / "app/node_modules")
        (root / "app/node_modules/left").mkdir(parents=True)
        (root / "app/node_modules/left/index.js").write_text("")
        run(*buildah, "umount", second)
        run(*buildah, "commit", "-q", second, "localhost/shop:1")
        run(*buildah, "push", "-q", "--compression-format", form, "localhost/shop:1", f"oci:{tmp_path / 'image'}:shop")
    finally:
        subprocess.run([*buildah, "rm", "--all"], check=False, capture_output=True)
    run("skopeo", "inspect", "--raw", f"oci:{tmp_path / 'image'}:shop")
    report = report_of(tmp_path / "image")
    assert report.exit_code == 11
    ran = [item for item in report.sightings if item.depth == "executed"]
    assert "deleted in layer 2" in ran[0].explanation
    assert gaps(report) == []


def test_a_store_whose_files_are_hard_links(tmp_path: Path) -> None:
    def linked(rootfs: Path) -> None:
        install("pnpm-10-ran")(rootfs)
        store = rootfs / "a-store/files"
        store.mkdir(parents=True)
        for number, path in enumerate(sorted((rootfs / "app").rglob("package.json"))):
            if path.is_file() and not path.is_symlink():
                os.link(path, store / f"{number:04}")

    layout = built(tmp_path, [("RUN pnpm install", linked)])
    blobs = [path for path in (layout / "blobs/sha256").iterdir() if path.read_bytes()[:2] == b"\x1f\x8b"]
    with tarfile.open(blobs[0]) as archive:
        kinds = {info.name: info.islnk() for info in archive}
    assert any(kinds[name] for name in kinds if name.endswith("package.json"))
    report = report_of(layout)
    plain = report_of(built(tmp_path / "plain", [("RUN pnpm install", install("pnpm-10-ran"))]))
    assert report.exit_code == plain.exit_code == 11
    assert gaps(report) == gaps(plain)
    assert len(report.sightings) == len(plain.sightings)


def test_docker_25_archive(tmp_path: Path) -> None:
    """The OCI layout and Docker's own manifest lie in one archive; the OCI manifest names layers that are not there."""
    first = gzip.decompress((FOLDER / "npm-11-ran.tar.gz").read_bytes())
    second = layer({"project/.wh.node_modules": b""})
    layout = Layout(tmp_path / "saved")
    layout.image("1", [first, second], steps=["RUN npm ci", "RUN rm"], packed=False)
    folder = layout.close()
    manifest = json.loads((folder / "blobs/sha256" / layout.manifests[0]["digest"][7:]).read_bytes())
    rows = [
        {
            "Config": f"blobs/sha256/{manifest['config']['digest'][7:]}",
            "RepoTags": ["registry.test/shop:1"],
            "Layers": [f"blobs/sha256/{sha256(data)[7:]}" for data in (first, second)],
        }
    ]
    (folder / "manifest.json").write_text(json.dumps(rows))
    report = report_of(packed(folder, tmp_path / "saved.tar"))
    assert report.exit_code == 11
    assert gaps(report) == []
    ran = [item for item in report.sightings if item.depth == "executed" and item.kind == "tampering"]
    assert "deleted in layer 2" in ran[0].explanation
    assert {fact.images for fact in told(report)} == {("registry.test/shop:1", "1")}
    manifest["layers"] = [{**row, "digest": f"sha256:{number:064}"} for number, row in enumerate(manifest["layers"])]
    layout.manifests.clear()
    layout.name("1", layout.document(manifest))
    assert gaps(report_of(packed(folder, tmp_path / "foreign.tar"))) == []


@pytest.mark.parametrize("name", names())
def test_an_install_in_an_image_is_judged_like_the_one_in_a_folder(name: str, tmp_path: Path) -> None:
    expected = json.loads((JUDGED / f"{name}.json").read_text(encoding="utf-8"))
    layout = Layout(tmp_path / "image")
    layout.image("shop", [gzip.decompress((FOLDER / f"{name}.tar.gz").read_bytes())], steps=["RUN npm ci"])
    report = report_of(tmp_path / "image")
    assert report.exit_code == expected["exit_code"]
    deepest = {item["depth"] for item in expected["verdicts"] if item["status"] == "affected"}
    assert {item.depth for item in report.verdicts if item.status == "affected"} <= deepest or not deepest


def test_images_that_share_a_layer_read_it_once(tmp_path: Path) -> None:
    base = gzip.decompress((FOLDER / "npm-11-ran.tar.gz").read_bytes())
    for number in range(3):
        layout = Layout(tmp_path / f"images/{number}")
        layout.image(f"shop-{number}", [base, layer({"own": str(number).encode()})])
    keys = axios()
    request = api.CheckRequest(
        targets=tuple(api.specify([f"image:{tmp_path / 'images'}"])), incidents=keys.incidents, named=keys.named
    )
    report = api.check(request)
    assert len(request.targets) == 3
    assert len({item.subject for item in report.verdicts if item.status == "affected"}) == 3
    assert report.exit_code == 11

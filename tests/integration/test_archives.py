"""Archives in any target: what lies in them is judged as if it lay outside, and what cannot be read is said."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import lzma
import resource
import shutil
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pratique import api
from tests.integration.examine import axios, examined
from tests.standins.installs import FOLDER, names

ROOT = Path(__file__).resolve().parents[2]
JUDGED = ROOT / "tests/golden/judgement"
MANIFEST = b'{"name": "axios", "version": "1.14.1"}'
TREE = "app/node_modules/axios/package.json"


def reasons(report: api.Report) -> list[str]:
    return [item.reason for item in report.coverage.refusals if item.relevant]


def places(report: api.Report) -> set[tuple[str, ...]]:
    return {(item.location.path, *(step.path for step in item.location.inside)) for item in report.sightings}


@pytest.mark.parametrize("name", names())
def test_a_packed_install_is_judged_like_the_unpacked_one(name: str, tmp_path: Path) -> None:
    expected = json.loads((JUDGED / f"{name}.json").read_text(encoding="utf-8"))
    shutil.copy(FOLDER / f"{name}.tar.gz", tmp_path)
    report = examined(tmp_path, formats=("json",))
    assert report.exit_code == expected["exit_code"]
    assert reasons(report) == []
    deepest = {item["depth"] for item in expected["verdicts"] if item["status"] == "affected"}
    assert {item.depth for item in report.verdicts if item.status == "affected"} <= deepest or not deepest


def tar(members: dict[str, bytes], *more: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mtime = 1774920000
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


FORMS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "x.tar": tar,
    "x.tgz": lambda members: gzip.compress(tar(members)),
    "x.tar.gz": lambda members: b"".join(gzip.compress(part) for part in halves(tar(members))),
    "x.tar.bz2": lambda members: bz2.compress(tar(members)),
    "x.tar.xz": lambda members: lzma.compress(tar(members)),
    "x.tar.zst": lambda members: b"".join(zstandard.compress(part) for part in halves(tar(members))),
    "x.zip": zipped,
    "x.vsix": zipped,
    "x.whl": zipped,
    "x.egg": zipped,
}


def halves(content: bytes) -> Iterator[bytes]:
    yield content[: len(content) // 2]
    yield content[len(content) // 2 :]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_opened(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FORMS[name]({"a.txt": b"x" * 5000, TREE: MANIFEST}))
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert places(report) == {(name, TREE)}
    assert f"inside the archive {name}" in report.sightings[0].explanation


def test_an_archive_named_by_itself_is_opened(tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(FORMS["x.tgz"]({TREE: MANIFEST}))
    assert places(examined(tmp_path / "x.tgz")) == {("x.tgz", TREE)}


def test_an_asar_by_its_own_tool(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests/fixtures/archives/desk.asar", tmp_path)
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert places(report) == {
        ("desk.asar", "node_modules/axios/package.json"),
        ("desk.asar", "node_modules/plain-crypto-js/package.json"),
        ("desk.asar", "node_modules/plain-crypto-js"),
    }
    assert any("state A" in item.explanation for item in report.sightings)


def test_a_release_in_its_own_archive_is_fetched_and_its_hash_compared(tmp_path: Path) -> None:
    (tmp_path / "axios-1.14.1.tgz").write_bytes(gzip.compress(tar({"package/package.json": MANIFEST})))
    report = examined(tmp_path)
    (sighting,) = report.sightings
    assert (sighting.depth, sighting.confidence) == ("fetched", "low")
    assert "other bytes under a bad version" in sighting.explanation
    (observation,) = report.observations
    assert [item.partition(":")[0] for item in observation.facts["integrity"]] == ["sha1", "sha256", "sha512"]


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6])
def test_archives_in_archives_to_depth_four(depth: int, tmp_path: Path) -> None:
    inner, name = MANIFEST, TREE
    for level in range(depth):
        pack, name_of = (zipped, f"{level}.zip") if level % 2 else (FORMS["x.tgz"], f"{level}.tgz")
        inner, name = pack({name: inner}), name_of
    (tmp_path / name).write_bytes(inner)
    report = examined(tmp_path)
    if depth <= 4:
        assert report.exit_code == 10
        assert len(report.sightings[0].location.inside) == depth
    else:
        assert report.exit_code == 4
        assert any("lies in 4 archives already" in reason for reason in reasons(report))


def test_a_lock_in_an_archive_settles_nothing_outside(tmp_path: Path) -> None:
    """The project asks for a range without a lock; that an archive beside it holds a lock says nothing of it."""
    asks = b'{"dependencies": {"axios": "^1.14.0"}}'
    lock = b'{"lockfileVersion": 3, "packages": {"node_modules/axios": {"version": "1.14.0"}}}'
    (tmp_path / "package.json").write_bytes(asks)
    (tmp_path / "old.zip").write_bytes(zipped({"package-lock.json": lock}))
    assert examined(tmp_path).exit_code == 4
    (tmp_path / "package.json").unlink()
    (tmp_path / "package-lock.json").write_bytes(lock)
    (tmp_path / "old.zip").write_bytes(zipped({"a/package.json": asks}))
    assert examined(tmp_path).exit_code == 4, "nor does a lock outside settle what lies in an archive"
    (tmp_path / "old.zip").write_bytes(zipped({"a/package.json": asks, "a/package-lock.json": lock}))
    assert examined(tmp_path).exit_code == 0


def test_names_that_climb_are_read_and_lead_nowhere(tmp_path: Path) -> None:
    target = tmp_path / "t"
    target.mkdir()
    members = {f"../../../{TREE}": MANIFEST, f"/etc/{TREE}": MANIFEST, f"./{TREE}": MANIFEST, "a\\b\\c": b""}
    (target / "x.tar").write_bytes(tar(members))
    (target / "x.zip").write_bytes(zipped(members))
    report = examined(target)
    assert {place[1].rpartition("app/")[0] for place in places(report)} == {"../../../", "/etc/", "./", ""} - {""}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t"]


def test_links_and_devices_are_not_followed_but_hard_links_give_their_bytes(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes(MANIFEST)
    target = tmp_path / "t"
    target.mkdir()
    more = (
        link("a/node_modules/axios/package.json", str(outside), tarfile.SYMTYPE),
        link("b/node_modules/axios/package.json", "/dev/zero", tarfile.CHRTYPE),
        link("c/node_modules/axios/package.json", "store/blob", tarfile.LNKTYPE),
        link("d/node_modules/axios/package.json", "nowhere", tarfile.LNKTYPE),
        link("e/package-lock.json", "", tarfile.FIFOTYPE),
    )
    (target / "x.tgz").write_bytes(gzip.compress(tar({"store/blob": MANIFEST}, *more)))
    report = examined(target)
    assert places(report) == {("x.tgz", "c/node_modules/axios/package.json")}
    assert any("hard link to a member that is not there" in reason for reason in reasons(report))


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_names_that_are_no_unicode(form: int, tmp_path: Path) -> None:
    deep = "/".join(["long-folder-name"] * 20)
    odd = b"\xff\xfe".decode("utf-8", "surrogateescape")
    (tmp_path / "x.tar").write_bytes(tar({f"{deep}/{TREE}": MANIFEST, f"{odd}/{TREE}": MANIFEST}, form=form))
    found = {place[1] for place in places(examined(tmp_path))}
    assert found == {f"{deep}/{TREE}", f"\ufffd\ufffd/{TREE}"}


def test_a_sparse_member_is_given_whole(tmp_path: Path) -> None:
    """Made by GNU tar: a file with a hole."""
    (tmp_path / "app/node_modules/axios").mkdir(parents=True)
    lock = tmp_path / "app/package-lock.json"
    with open(lock, "wb") as file:
        file.write(b'{"lockfileVersion": 3, "packages": {"node_modules/axios": {"version": "1.14.1"}}}')
        file.truncate(1 << 20)
    (tmp_path / TREE).write_bytes(MANIFEST)
    target = tmp_path / "t"
    target.mkdir()
    subprocess.run(["tar", "--sparse", "-C", str(tmp_path), "-cf", str(target / "x.tar"), "app"], check=True)
    assert (target / "x.tar").stat().st_size < 1 << 19
    report = examined(target)
    assert places(report) == {("x.tar", TREE)}
    assert report.coverage.bytes == (1 << 20) + len(MANIFEST)
    assert report.coverage.complete is False, "the lock is followed by zeros: it is no JSON"


def test_a_member_that_stands_twice_is_read_twice(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for content in (MANIFEST, b'{"name": "axios", "version": "1.14.0"}'):
            info = tarfile.TarInfo(TREE)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (tmp_path / "x.tar").write_bytes(out.getvalue())
    assert examined(tmp_path).exit_code == 10


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


@functools.cache
def damaged() -> dict[str, tuple[str, bytes, str]]:
    """Name of the file, bytes, and words of the reason."""
    filler = {f"f{number}": bytes([number % 250]) * 5000 for number in range(60)}
    members = {TREE: MANIFEST, **filler}
    plain = tar(members)
    packed = gzip.compress(plain)
    lying = bytearray(zipped({TREE: MANIFEST}))
    lying[lying.index(b"PK\x01\x02") + 8] |= 1
    lying[6] |= 1
    asar = (ROOT / "tests/fixtures/archives/desk.asar").read_bytes()
    return {
        "cut tar": ("x.tar", cut(plain), "cut off"),
        "tar cut between members": ("x.tar", plain[: plain.index(b"f30") - plain.index(b"f30") % 512], "cut off"),
        "cut gzip": ("x.tgz", cut(packed), "cut off"),
        "gzip with a wrong sum": ("x.tgz", packed[:-8] + b"\0" * 8, "damaged"),
        "cut zip": ("x.zip", cut(zipped(members)), "damaged"),
        "cut zstd": ("x.tar.zst", zstandard.compress(plain)[:-9], "cut off"),
        "cut xz": ("x.tar.xz", cut(lzma.compress(plain)), "cut off"),
        "encrypted": ("x.zip", bytes(lying), "encrypted"),
        "text": ("x.tgz", b"this is no archive\n" * 99, "no archive of a known kind"),
        "empty": ("x.zip", b"", "is empty"),
        "cut asar": ("x.asar", asar[: len(asar) - 250], "cut off"),
        "asar without an end of its header": (
            "x.asar",
            struct.pack("<4I", 4, 1 << 30, 1 << 30, 1 << 30) + b"{",
            "header",
        ),
    }


@pytest.mark.parametrize("name", damaged())
def test_what_is_damaged_is_said_and_what_came_before_stands(name: str, tmp_path: Path) -> None:
    file, content, words = damaged()[name]
    (tmp_path / file).write_bytes(content)
    report = examined(tmp_path)
    assert any(words in reason for reason in reasons(report)), reasons(report)
    if name.startswith(("cut tar", "tar cut", "cut gzip", "gzip with")):
        assert report.exit_code == 10
    else:
        assert report.exit_code in (3, 4, 10)
        assert report.coverage.complete is False


def test_a_damaged_archive_in_a_foreign_package_is_no_gap(tmp_path: Path) -> None:
    for folder in ("node_modules/yauzl/test", "venv/lib/python3.11/site-packages/zipp/tests"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "bad.zip").write_bytes(b"PK\x03\x04 no zip")
    (tmp_path / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {}}')
    report = examined(tmp_path)
    assert report.exit_code == 0
    assert len(report.coverage.refusals) == 2
    (tmp_path / "node_modules/axios").mkdir()
    (tmp_path / "node_modules/axios/bad.zip").write_bytes(b"PK\x03\x04 no zip")
    assert examined(tmp_path).exit_code == 4


def test_bombs_end_early_and_are_said(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6) as packed:
        info = tarfile.TarInfo("zeros")
        info.size = 512 << 20
        packed.write(info.tobuf())
        for _ in range(512):
            packed.write(b"\0" * (1 << 20))
    (tmp_path / "x.tgz").write_bytes(out.getvalue())
    (tmp_path / "y.zip").write_bytes(zipped({"package-lock.json": b" " * (80 << 20)}))
    report = examined(tmp_path)
    assert any("decompression bomb" in reason for reason in reasons(report)), reasons(report)
    assert any("more than the limit" in reason for reason in reasons(report))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000


def test_a_large_archive_in_an_archive_is_read_as_a_stream(tmp_path: Path) -> None:
    """Larger than what may be held: a tar is read on, a zip is not and is said."""
    filler = {"filler": bytes(range(256)) * 12_000}
    inner = tar({**filler, TREE: MANIFEST})
    (tmp_path / "x.tar").write_bytes(
        tar({"inner.tar": inner, "inner.zip": inner.replace(b"", b"")[:0] + zipped({TREE: MANIFEST})})
    )
    assert len(places(examined(tmp_path))) == 2
    report = examined(tmp_path, limit=1 << 20)
    assert ("x.tar", "inner.tar", TREE) in places(report)
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("filler", filler["filler"])
        archive.writestr(TREE, MANIFEST)
    (tmp_path / "x.tar").write_bytes(tar({"inner.zip": stored.getvalue()}))
    assert any("is a zip larger than the limit" in reason for reason in reasons(examined(tmp_path, limit=1 << 20)))


def test_a_write_ahead_log_is_found_beside_its_database_in_an_archive(tmp_path: Path) -> None:
    """The newest rows of pnpm's store stand in the log alone; as in a folder, both are read together."""
    from tests.golden.harness import ROOT as CASES

    folders = [path for path in CASES.glob("npm/pnpm-store-database/*write-ahead*/input") if path.is_dir()]
    assert folders
    for folder in folders:
        with tarfile.open(tmp_path / "store.tar.gz", "w:gz") as archive:
            archive.add(folder, ".")
        wanted = {item.facts["name"] + item.facts["version"] for item in rows(folder)}
        assert {item.facts["name"] + item.facts["version"] for item in rows(tmp_path)} == wanted


def rows(root: Path) -> list[Any]:
    report = examined(root, api.select(bad=["npm:plain-crypto-js@4.2.1,4.2.0", "npm:axios@1.14.1"], today=axios_day()))
    return [item for item in report.observations if item.kind == "component"]


def axios_day() -> Any:
    import datetime

    assert axios().incidents
    return datetime.date(2026, 11, 20)


def test_excluded_and_quick_leave_archives_alone(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(zipped({TREE: MANIFEST}))
    assert examined(tmp_path, exclude=("*.zip",)).exit_code == 3


def test_a_damaged_archive_among_tests_is_no_gap_and_a_link_to_one_is_counted(tmp_path: Path) -> None:
    for folder in ("go/src/archive/tar/testdata", "lib/python3.11/test", "docs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "bad.tar").write_bytes(b"no tar" * 200)
    (tmp_path / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {}}')
    (tmp_path / "linked.zip").symlink_to("/nowhere/at/all.zip")
    report = examined(tmp_path)
    assert [item.path for item in report.coverage.refusals if item.relevant] == ["docs/bad.tar"]
    assert {item.rule: item.count for item in report.coverage.skipped_by_rule}["link-to-archive"] == 1

"""Hostile releases, opened and examined whole: bounded in time and memory, and what was not examined is told."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from pratique.model.release import Examination, RegistryRecord, Release
from pratique.releases.examine import Remembered, examine
from pratique.targets.release import Limits, open_bytes, open_release
from tests.standins.archives import archive, npm, special, tar

pytest.importorskip("tree_sitter")

MANIFEST = ("package.json", b'{"name": "sample", "version": "1.0.0", "main": "index.js"}')


def examined(content: bytes) -> Examination:
    with open_bytes(content, where="given") as files:
        release = Release("pkg:npm/sample@1.0.0", "npm", "sample", "1.0.0", files, RegistryRecord(), "given")
        return examine(release, None, Remembered(), clock=time.monotonic)


def relevant(result: Examination) -> str:
    return "\n".join(f"{one.path}: {one.reason}" for one in result.refusals if one.relevant)


def test_random_bytes_named_js_end_soon() -> None:
    noise = hashlib.shake_256(b"noise").digest(2 << 20)
    begin = time.process_time()
    result = examined(npm([MANIFEST, ("index.js", noise), ("a.py", noise[::-1]), ("b.sh", b"#" + noise)]))
    assert time.process_time() - begin < 20
    assert {change.path: change.kind for change in result.changes}["index.js"] == "binary"
    told = {fact.kind for fact in result.facts if fact.path == "index.js"}
    assert not told.isdisjoint({"content.mismatch", "content.entropy"})


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"null",
        b"{" * 50_000,
        b'{"name": 7, "main": {"a": []}, "bin": [1], "scripts": "x"}',
        b"\xff\xfe{\0}\0",
    ],
)
def test_a_manifest_that_is_none_is_told_or_read(manifest: bytes) -> None:
    result = examined(npm([("package.json", manifest), ("index.js", b"module.exports = 1\n")]))
    assert result.examined.files == 2
    if not manifest.startswith(b'{"'):
        assert "package.json" in relevant(result)


def test_a_single_line_of_a_hundred_megabytes_is_told_within_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.tgz"
    with tarfile.open(path, "w:gz", compresslevel=1) as made:
        for name, size in (("package/index.js", 100 << 20), ("package/package.json", 2)):
            info = tarfile.TarInfo(name)
            info.size = size
            made.addfile(info, _Repeated(b"collect(1);" if size > 2 else b"{}"))
    code = (
        "import sys, time\n"
        "from pratique.model.release import RegistryRecord, Release\n"
        "from pratique.releases.examine import Remembered, examine\n"
        "from pratique.targets.release import open_release\n"
        "files = open_release(sys.argv[1])\n"
        "release = Release('pkg:npm/a@1', 'npm', 'a', '1', files, RegistryRecord(), 'file')\n"
        "result = examine(release, None, Remembered(), clock=time.monotonic)\n"
        "print([one.path for one in result.refusals if one.relevant], result.examined.files)\n"
        "peak = [line for line in open('/proc/self/status') if line.startswith('VmHWM')][0]\n"
        "print(int(peak.split()[1]) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    told, peak = done.stdout.splitlines()
    assert told == "['index.js'] 2"
    assert int(peak) < 250


class _Repeated:
    """A file that repeats some bytes without end."""

    def __init__(self, part: bytes) -> None:
        self.part = part * (65536 // len(part)) if len(part) > 2 else part

    def read(self, size: int) -> bytes:
        return (self.part * (size // len(self.part) + 1))[:size]


def test_every_trick_at_once_is_told() -> None:
    content = tar(
        [
            ("package/package.json", b'{"name": "other"}'),
            ("package/package.json", MANIFEST[1]),
            ("package/../../../up.js", b"1"),
            ("/root.js", b"1"),
            ("package/INDEX.js", b"fetch('https://a.example')"),
            ("package/index.js", b"module.exports = 1"),
            special("package/soft.js", tarfile.SYMTYPE, "/etc/passwd"),
            special("package/device.js", tarfile.BLKTYPE),
            ("package/inner.zip", archive([("a.js", b"1")])),
        ]
    ) + archive([("a.js", b"1")])
    result = examined(content)
    told = relevant(result)
    for words in (
        *("package.json: stands more than once", "leads out of its folder", "absolute name", "is the same file as"),
        *("is a link to /etc/passwd", "is a zip as well"),
    ):
        assert words in told
    assert any(one.path == "package/device.js" for one in result.refusals)
    assert result.name == "sample"


def test_ten_thousand_small_files_and_a_bomb_of_names() -> None:
    many = npm([MANIFEST, *((f"lib/{number}.js", b"exports.a = 1\n") for number in range(10_000))])
    begin = time.process_time()
    result = examined(many)
    assert result.examined.files == 10_001
    assert time.process_time() - begin < 30
    with open_bytes(many, where="given", limits=Limits(members=100)) as files:
        assert len(files.members) == 100
        assert any("more than 100 members" in one.reason for one in files.refusals)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "a.tgz").write_bytes(npm([MANIFEST, ("a.bin", bytes(20 << 20))]))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with open_release(str(tmp_path / "a.tgz")) as files:
        assert len(files.read("a.bin")) == 20 << 20
        assert os.listdir(tmp_path) == ["a.tgz"]
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before

"""A release is opened whatever its archive is like: what was read is told, and what was not."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest

from pratique.model.errors import TargetError
from pratique.model.ports import Unreadable
from pratique.targets.release import Limits, Opened, open_bytes, open_release
from tests.standins.archives import archive, npm, special, tar, wheel

MANIFEST = (b'{"name": "sample", "version": "1.0.0"}\n', "package.json")


def opened(content: bytes, **more: object) -> Opened:
    return open_bytes(content, where="sample", **more)  # type: ignore[arg-type]  # limits and hint as they are given


def reasons(release: Opened, *, relevant: bool | None = None) -> str:
    return "\n".join(
        f"{one.path}: {one.reason}" for one in release.refusals if relevant is None or one.relevant is relevant
    )


def test_a_tarball_gives_every_file_with_its_digests_in_any_order() -> None:
    content = npm([("package.json", MANIFEST[0]), ("lib/b.js", b"two\n"), ("lib/a.js", b"one\n"), ("empty", b"")])
    with opened(content) as release:
        assert release.form == "tarball"
        assert list(release.members) == ["empty", "lib/a.js", "lib/b.js", "package.json"]
        assert release.read("lib/b.js") == b"two\n"
        assert release.read("lib/a.js") == b"one\n"
        assert release.read("empty") == b""
        assert release.members["lib/a.js"].sha256 == hashlib.sha256(b"one\n").hexdigest()
        assert release.members["lib/a.js"].size == 4
        assert release.digests == {
            name: hashlib.new(name, content).hexdigest() for name in ("sha1", "sha256", "sha512")
        }
        assert not release.refusals
    with pytest.raises(Unreadable, match="after the release was closed"):
        release.read("lib/a.js")


def test_the_first_folder_of_a_tarball_is_taken_off_whatever_it_is_called() -> None:
    with opened(npm([("package.json", MANIFEST[0]), ("index.js", b"1")], folder="any-name")) as release:
        assert list(release.members) == ["index.js", "package.json"]
        assert release.form == "tarball"


def test_forms_are_told_by_content() -> None:
    source = [("sample-1.0/PKG-INFO", b"Name: sample\n"), ("sample-1.0/setup.py", b"pass\n")]
    with opened(tar(source)) as one, opened(tar(source, packed=False)) as two, opened(archive(source)) as three:
        for release in (one, two, three):
            assert (release.form, list(release.members)) == ("sdist", ["PKG-INFO", "setup.py"])
    with opened(wheel([("sample/__init__.py", b"")])) as release:
        assert release.form == "wheel"
        assert "sample/__init__.py" in release.members
        assert "sample-1.0.dist-info/METADATA" in release.members
    both = [("sample-1.0/PKG-INFO", b"Name: sample\n"), ("sample-1.0/package.json", MANIFEST[0])]
    with opened(tar(both)) as one, opened(tar(both), hint="tarball") as two:
        assert (one.form, two.form) == ("sdist", "tarball")


def test_a_source_distribution_without_one_first_folder_is_read_as_pip_does() -> None:
    with opened(tar([("PKG-INFO", b"Name: sample\n"), ("sample/__init__.py", b"")]), hint="sdist") as release:
        assert list(release.members) == ["PKG-INFO", "sample/__init__.py"]


def test_a_folder_is_a_release_without_other_packages(tmp_path: Path) -> None:
    (tmp_path / "node_modules" / "other").mkdir(parents=True)
    (tmp_path / "node_modules" / "other" / "index.js").write_bytes(b"1")
    (tmp_path / ".git").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.js").write_bytes(b"one")
    (tmp_path / "run.sh").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "inside").symlink_to("lib/a.js")
    (tmp_path / "outside").symlink_to("/")
    os.mkfifo(tmp_path / "pipe")
    with open_release(str(tmp_path)) as release:
        assert release.form == "directory"
        assert list(release.members) == ["lib/a.js", "run.sh"]
        assert release.members["run.sh"].executable
        assert not release.members["lib/a.js"].executable
        assert sorted(release.left_out) == [".git", "node_modules"]
        assert release.digests == {}
        assert "outside: is a link that leads out" in reasons(release, relevant=True)
        assert "inside: is a link inside" in reasons(release, relevant=False)
        assert "pipe" in reasons(release, relevant=False)
        (tmp_path / "lib" / "a.js").write_bytes(b"two")
        with pytest.raises(Unreadable, match="changed since"):
            release.read("lib/a.js")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"just some text\n" * 9, "is no archive"),
        (gzip.compress(b"text\n" * 999, mtime=0), "holds no archive"),
    ],
)
def test_what_is_no_release_is_told_with_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "given.tgz"
    path.write_bytes(content)
    with pytest.raises(TargetError, match=words) as caught:
        open_release(str(path))
    assert str(path) in str(caught.value)
    assert "Name a tarball" in str(caught.value)


def test_nothing_there_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="does not exist"):
        open_release(str(tmp_path / "absent.tgz"))
    with pytest.raises(TargetError, match="without files"):
        open_release(str(tmp_path))
    with pytest.raises(TargetError, match="neither a file nor a folder"):
        open_release("/dev/null")


def test_of_two_members_with_one_name_the_last_stands_and_is_told() -> None:
    content = npm([("a.js", b"first"), ("a.js", b"last"), ("b.js", b"same"), ("b.js", b"same")])
    with opened(content) as release:
        assert release.read("a.js") == b"last"
        assert "a.js: stands more than once" in reasons(release, relevant=True)
        assert "b.js: stands twice with the same bytes" in reasons(release, relevant=False)
    with warnings.catch_warnings(), opened(tar([("package/a.js", b"first"), ("other/a.js", b"last")])) as release:
        assert release.read("a.js") == b"last"
        assert "a.js" in reasons(release, relevant=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = wheel([("a.py", b"first"), ("a.py", b"last")])
    with opened(content) as release:
        assert release.read("a.py") == b"last"
        assert zipfile.ZipFile(io.BytesIO(content)).read("a.py") == b"last"
        assert "a.py: stands more than once" in reasons(release, relevant=True)


def test_names_that_collide_elsewhere_are_both_read_and_told() -> None:
    names = ["Readme.md", "README.md", "caf\u00e9.js", "cafe\u0301.js", "trail.", "trail"]
    with opened(npm([(name, str(number).encode()) for number, name in enumerate(names)])) as release:
        assert set(release.members) == set(names)
        assert reasons(release, relevant=True).count("is the same file as") == 3
    with opened(npm([("lib", b"a file"), ("lib/a.js", b"in a folder")])) as release:
        assert "lib: is a file and a folder" in reasons(release, relevant=True)


def test_names_that_lead_out_are_told_and_lead_nowhere() -> None:
    content = tar(
        [("package/../../up.js", b"1"), ("/package/abs.js", b"2"), ("lone.js", b"3"), ("package/ok.js", b"4")]
    )
    with opened(content) as release:
        assert list(release.members) == ["abs.js", "ok.js"]
        told = reasons(release, relevant=True)
        assert "package/../../up.js: has a name that leads out" in told
        assert "/package/abs.js: has an absolute name" in told
        assert "lone.js: lies outside" in told
    with opened(wheel([("..\\up.py", b"1"), ("C:/windows.py", b"2")])) as release:
        assert "on Windows" in reasons(release, relevant=True)


def test_links_are_read_as_what_they_name_in_the_archive_alone() -> None:
    content = tar(
        [
            ("package/data.txt", b"text"),
            special("package/hard.js", tarfile.LNKTYPE, "package/data.txt"),
            special("package/lib/soft.js", tarfile.SYMTYPE, "../data.txt"),
            special("package/twice.js", tarfile.SYMTYPE, "hard.js"),
            special("package/out.js", tarfile.SYMTYPE, "../../etc/passwd"),
            special("package/root.js", tarfile.SYMTYPE, "/etc/passwd"),
            special("package/round.js", tarfile.SYMTYPE, "round.js"),
            special("package/device", tarfile.CHRTYPE),
            special("package/pipe", tarfile.FIFOTYPE),
        ]
    )
    with opened(content) as release:
        assert list(release.members) == ["data.txt", "hard.js", "lib/soft.js", "twice.js"]
        assert release.read("lib/soft.js") == release.read("hard.js") == release.read("twice.js") == b"text"
        told = reasons(release, relevant=True)
        assert all(f"{name}: is a link to" in told for name in ("out.js", "root.js", "round.js"))
        assert "device: is a character device" in reasons(release, relevant=False)
        assert "pipe: is a named pipe" in reasons(release, relevant=False)


def test_a_member_that_asks_to_run_as_its_owner_is_told() -> None:
    info = special("package/run", tarfile.REGTYPE, mode=0o4755)
    with opened(tar([info])) as release:
        assert release.members["run"].executable
        assert "setuid" in reasons(release, relevant=False)


def test_a_name_that_is_no_utf_8_is_spelled() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as made:
        made.addfile(special("package/caf\u00e9.js", tarfile.REGTYPE))
    with opened(out.getvalue()) as release:
        assert list(release.members) == ["caf\\xe9.js"]
        assert release.refusals[0].path_bytes is not None


def test_a_cut_or_damaged_archive_keeps_what_came_before() -> None:
    noise = hashlib.shake_256(b"noise").digest(200_000)
    content = npm([("a.js", b"first"), ("b.bin", noise), ("c.js", b"last")])
    with opened(content[: len(content) // 2]) as release:
        assert list(release.members) == ["a.js"]
        assert "cut off" in reasons(release, relevant=True)
    assert hashlib.sha256(content[: len(content) // 2]).hexdigest() == release.digests["sha256"]
    made = wheel([("a.py", b"first"), ("b.bin", noise)])
    for cut in (made[: len(made) // 2], made[:-30]):
        with opened(cut) as release:
            assert not release.members
            assert "nothing of it was examined" in reasons(release, relevant=True)
    broken = bytearray(made)
    broken[1000] ^= 255
    with opened(bytes(broken)) as release:
        assert "a.py" in release.members
        assert "b.bin" in reasons(release, relevant=True)


def test_bounds_are_told_and_what_came_before_stands() -> None:
    files = [(f"f{number}.js", bytes(1000)) for number in range(20)]
    for made in (npm(files), wheel(files)):
        with opened(made, limits=Limits(members=10)) as release:
            assert len(release.members) == 10
            assert "holds more than 10 members" in reasons(release, relevant=True)
        with opened(made, limits=Limits(bytes=5000)) as release:
            assert len(release.members) == 5
            assert "5000 bytes" in reasons(release, relevant=True)
        with opened(made, limits=Limits(member=10)) as release:
            assert "f3.js: holds 1000 bytes" in reasons(release, relevant=True)
    for made in (npm([("zeros", bytes(4 << 20))]), wheel([("zeros", bytes(4 << 20))])):
        with opened(made, limits=Limits(ratio_from=1 << 20)) as release:
            assert "zeros" not in release.members
            assert "decompression bomb" in reasons(release, relevant=True)


def test_a_member_past_the_limit_of_a_reading_is_unreadable() -> None:
    for made in (npm([("a.js", b"12345")]), wheel([("a.js", b"12345")])):
        with opened(made) as release:
            with pytest.raises(Unreadable, match="more than the limit of 4"):
                release.read("a.js", 4)
            with pytest.raises(Unreadable, match="is no file"):
                release.read("b.js")


def test_a_second_end_record_matters_only_where_it_leads_elsewhere() -> None:
    inner = archive([("inner.py", b"1")], zipfile.ZIP_STORED)
    stored = archive([("sample/inner.zip", inner), ("sample-1.0.dist-info/WHEEL", b"")], zipfile.ZIP_STORED)
    with opened(stored) as release:
        assert release.form == "wheel"
        assert release.read("sample/inner.zip") == inner
        assert not release.refusals
    visible = wheel([("a.py", b"visible")])
    with_comment = bytearray(wheel([("a.py", b"other")]))
    with_comment[-2:] = struct.pack("<H", len(visible))
    with opened(bytes(with_comment) + visible) as release:
        assert release.read("a.py") == b"visible"
        assert zipfile.ZipFile(io.BytesIO(bytes(with_comment) + visible)).read("a.py") == b"visible"
        assert "second end record" in reasons(release, relevant=True)


def test_members_that_the_directory_does_not_list_are_told() -> None:
    made = archive([("hidden.py", b"hidden" * 9), ("sample.dist-info/WHEEL", b"")], zipfile.ZIP_STORED)
    start = made.index(b"PK\x01\x02")
    second = made.index(b"PK\x01\x02", start + 4)
    end = made.index(b"PK\x05\x06")
    length = end - second
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, length, start, 0)
    with opened(made[:start] + made[second:end] + record) as release:
        assert list(release.members) == ["sample.dist-info/WHEEL"]
        assert "does not list" in reasons(release, relevant=True)


def test_local_headers_that_say_otherwise_are_told() -> None:
    made = bytearray(wheel([("aaa.py", b"visible")]))
    at = made.index(b"aaa.py")
    made[at : at + 6] = b"bbb.py"
    with opened(bytes(made)) as release:
        assert release.read("aaa.py") == b"visible"
        assert "aaa.py: has another name in its local header" in reasons(release, relevant=True)


def test_an_encrypted_member_is_told() -> None:
    made = bytearray(wheel([("a.py", b"visible")]))
    at = made.index(b"PK\x01\x02")
    made[at + 8] |= 1
    with opened(bytes(made)) as release:
        assert "a.py" not in release.members
        assert "a.py: is encrypted" in reasons(release, relevant=True)


def test_bytes_before_and_behind_a_zip_and_a_zip_behind_a_tar_are_told() -> None:
    made = wheel([("a.py", b"visible")])
    with opened(b"#!/bin/sh\nexit\n" + made) as release:
        assert release.read("a.py") == b"visible"
        assert "15 bytes before its first member" in reasons(release, relevant=True)
    with opened(made + b"behind") as release:
        assert release.read("a.py") == b"visible"
        assert "6 bytes behind its end" in reasons(release, relevant=True)
    with opened(npm([("a.js", b"1")]) + made) as release:
        assert release.form == "tarball"
        assert "is a zip as well" in reasons(release, relevant=True)


def test_every_way_of_packing_a_zip_is_read() -> None:
    text = b"some text that repeats\n" * 5000
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with opened(archive([("sample.dist-info/WHEEL", b""), ("a.txt", text)], method)) as release:
            assert release.read("a.txt") == text
            assert not release.refusals


def test_a_member_that_holds_more_than_it_states_is_told() -> None:
    made = bytearray(wheel([("a.py", b"visible" * 100)]))
    at = made.index(b"PK\x01\x02")
    made[at + 24 : at + 28] = struct.pack("<L", 10)
    with opened(bytes(made)) as release:
        assert "a.py" not in release.members
        assert "a.py: holds more than the 10 bytes" in reasons(release, relevant=True)

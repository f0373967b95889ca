"""Any bytes, and any archive with bytes changed, give a release that says what was examined, or a TargetError."""

from __future__ import annotations

import hashlib
import io
import tarfile
import warnings
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.model.errors import TargetError
from pratique.model.ports import Unreadable
from pratique.releases.kinds import kind_of
from pratique.targets.release import Limits, open_bytes
from tests.standins.archives import archive, npm, tar, wheel

LIMITS = Limits(bytes=1 << 24, member=1 << 23, members=1000, ratio_from=1 << 22)
_PART = st.text("abAB.\u00e9", min_size=1, max_size=4).filter(lambda part: part.strip(".") != "")
_NAME = st.lists(_PART, min_size=1, max_size=3).map("/".join)
_FILES = st.lists(st.tuples(_NAME, st.binary(max_size=300)), max_size=6)


def _examined(content: bytes) -> None:
    """Open, read every member, and hold what is told to what is given."""
    try:
        release = open_bytes(content, where="given", limits=LIMITS)
    except TargetError:
        return
    with release:
        assert release.members or release.refusals
        assert list(release.members) == sorted(release.members)
        for path, member in release.members.items():
            assert not path.startswith("/")
            assert ".." not in path.split("/")
            path.encode()
            read = release.read(path)
            assert len(read) == member.size
            assert hashlib.sha256(read).hexdigest() == member.sha256
        for refusal in release.refusals:
            refusal.path.encode()
            assert refusal.reason
        assert release.digests["sha512"] == hashlib.sha512(content).hexdigest()


@given(st.binary(max_size=2000))
def test_any_bytes_are_told(content: bytes) -> None:
    for head in (b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"):
        _examined(head + content)


@settings(max_examples=150)
@given(_FILES, st.data(), st.sampled_from([npm, wheel, archive, tar]))
def test_changed_archives_are_told(files: list[tuple[str, bytes]], data: st.DataObject, build: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = bytearray(build(files) if build is not tar else tar(files, packed=False))  # type: ignore[operator]
    for _ in range(data.draw(st.integers(0, 4))):
        if made:
            at = data.draw(st.integers(0, len(made) - 1))
            action = data.draw(st.sampled_from(["set", "cut", "double", "insert"]))
            if action == "set":
                made[at] = data.draw(st.integers(0, 255))
            elif action == "cut":
                del made[at : at + data.draw(st.integers(1, 40))]
            elif action == "double":
                made[at:at] = made[at : at + 60]
            else:
                made[at:at] = data.draw(st.binary(max_size=30))
    _examined(bytes(made))


@given(_FILES)
def test_a_zip_holds_what_zipfile_reads(files: list[tuple[str, bytes]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = wheel(files)
    with zipfile.ZipFile(io.BytesIO(content)) as peer, open_bytes(content, where="given") as release:
        expected = {name: peer.read(name) for name in peer.namelist()}
        assert {path: release.read(path) for path in release.members} == expected


@given(_FILES)
def test_a_tarball_holds_what_tarfile_reads(files: list[tuple[str, bytes]]) -> None:
    content = npm(files)
    with tarfile.open(fileobj=io.BytesIO(content)) as peer:
        expected = {}
        for info in peer:
            file = peer.extractfile(info)
            assert file is not None
            expected[info.name.partition("/")[2]] = file.read()
    with open_bytes(content, where="given", hint="tarball") as release:
        assert {path: release.read(path) for path in release.members} == expected


@given(st.text(max_size=40), st.binary(max_size=700))
def test_any_path_and_bytes_have_a_kind(path: str, head: bytes) -> None:
    assert isinstance(kind_of(path, head), str)
    try:
        text = head.decode("ascii")
    except UnicodeDecodeError:
        return
    if text.isprintable() and text and not text.startswith(("#!", "Rar!")):
        assert kind_of("lib/a.js", head) == "javascript"


def test_unreadable_is_the_only_error_of_reading() -> None:
    with open_bytes(npm([("a.js", b"1")]), where="given") as release:
        for path in ("", "..", "a.js/", "\0", "\udcff"):
            try:
                release.read(path)
            except Unreadable as error:
                assert error.reason
            else:
                raise AssertionError(path)

"""The tape: any tar that a real program writes is read as the standard library reads it; damage is told."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.ports import Unreadable
from pratique.targets import tape as module
from pratique.targets.tape import Member, Tape, number, tape_of

Found = list[tuple[str, str, int, str, bytes | None]]


def walked(data: bytes, limit: int = 1 << 26) -> tuple[Found, str | None]:
    """What the tape gives of a tar, and why it stopped."""
    tape = tape_of(io.BytesIO(data), data[:512])
    found: Found = []
    try:
        for member in tape.members():
            content = tape.read(member, limit) if member.isreg() else None
            found.append((member.name.rstrip("/"), member.kind, member.size, member.linkname, content))
    except Unreadable as error:
        return found, error.reason
    return found, None


def by_library(data: bytes) -> Found:
    """The same by the standard library."""
    found: Found = []
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        for info in archive:
            kind = "0" if info.isreg() else info.type.decode()
            file = archive.extractfile(info) if info.isreg() else None
            content = file.read() if file is not None else None
            found.append((info.name, kind, info.size if info.isreg() else 0, info.linkname, content))
    return found


def written(members: list[tuple[tarfile.TarInfo, bytes]], make: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=make, errors="surrogateescape") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if content else None)
    return out.getvalue()


PART = st.text(st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
RAW = st.binary(min_size=1, max_size=30).map(
    lambda raw: raw.replace(b"\0", b"_").replace(b"/", b"_").decode("utf-8", "surrogateescape")
)
NAMES = st.lists(st.one_of(PART, RAW, st.just("n" * 120)), min_size=1, max_size=4).map("/".join)


@st.composite
def infos(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(draw(NAMES))
    info.type = draw(st.sampled_from([tarfile.REGTYPE, tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, b"1", b"6"]))
    info.mtime = draw(st.one_of(st.integers(0, 1 << 40), st.floats(0, 2e9)))
    info.uid = draw(st.integers(0, 1 << 40))
    if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = draw(NAMES)
    return info, draw(st.binary(max_size=2000)) if info.type == tarfile.REGTYPE else b""


@given(st.lists(infos(), max_size=6), st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
def test_a_tar_is_read_as_the_library_reads_it(members: list[tuple[tarfile.TarInfo, bytes]], make: int) -> None:
    data = written(members, make)
    found, reason = walked(data)
    assert reason is None
    assert found == [(name.rstrip("/"), *rest) for name, *rest in by_library(data)]


@given(st.lists(infos(), min_size=1, max_size=3), st.data())
def test_a_cut_is_told_and_what_came_before_it_stands(
    members: list[tuple[tarfile.TarInfo, bytes]], data: st.DataObject
) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if content else None)
        end = archive.offset
    whole = out.getvalue()
    cut = data.draw(st.integers(0, end))
    found, reason = walked(whole[:cut])
    assert reason is not None
    assert found == walked(whole)[0][: len(found)]


@given(st.binary(max_size=3000))
def test_any_bytes_end(data: bytes) -> None:
    walked(data)


@given(st.lists(infos(), min_size=1, max_size=3), st.integers(0, 1023), st.integers(0, 255))
def test_a_changed_byte_never_raises_anything_else(
    members: list[tuple[tarfile.TarInfo, bytes]], place: int, value: int
) -> None:
    data = bytearray(written(members, tarfile.GNU_FORMAT))
    data[place % len(data)] = value
    walked(bytes(data))


def sparse_file(folder: Path) -> Path:
    path = folder / "sparse"
    with path.open("wb") as file:
        for place in range(0, 3 << 20, 100_000):
            file.seek(place)
            file.write(f"piece at {place}".encode())
        file.truncate(4 << 20)
    return path


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu"],
        ["--format=posix", "--sparse-version=0.0"],
        ["--format=posix", "--sparse-version=0.1"],
        ["--format=posix", "--sparse-version=1.0"],
    ],
    ids=lambda options: "-".join(options).replace("--", ""),
)
def test_sparse_files_of_gnu_tar(tmp_path: Path, options: list[str]) -> None:
    path = sparse_file(tmp_path)
    (tmp_path / "after").write_bytes(b"behind it")
    out = subprocess.run(
        ["tar", "--sparse", *options, "-cf", "-", "sparse", "after"], cwd=tmp_path, check=True, capture_output=True
    ).stdout
    assert len(out) < 1 << 20
    found, reason = walked(out)
    assert reason is None
    assert [(name, size) for name, _, size, _, _ in found] == [("sparse", 4 << 20), ("after", 9)]
    assert found[0][4] == path.read_bytes()
    assert found[1][4] == b"behind it"
    (first, second), _ = walked_lazily(out, 1 << 20)
    assert "more than the limit" in str(first)
    assert second == b"behind it"


def walked_lazily(data: bytes, limit: int) -> tuple[list[bytes | str], str | None]:
    tape = Tape(io.BytesIO(data))
    found: list[bytes | str] = []
    for member in tape.members():
        try:
            found.append(tape.read(member, limit))
        except Unreadable as error:
            found.append(error.reason)
    return found, None


@pytest.mark.parametrize("make", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_formats_of_gnu_tar(tmp_path: Path, make: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/file").write_bytes(b"content")
    (tmp_path / "sub/link").symlink_to("file")
    (tmp_path / "sub/twin").hardlink_to(tmp_path / "sub/file")
    out = subprocess.run(
        ["tar", f"--format={make}", "-cf", "-", "sub"], cwd=tmp_path, check=True, capture_output=True
    ).stdout
    found, reason = walked(out)
    assert reason is None
    assert found == by_library(out)


def test_member_of_several_gigabytes_in_base_256(tmp_path: Path) -> None:
    info = tarfile.TarInfo("large")
    info.size = 9 << 30
    header = info.tobuf(tarfile.GNU_FORMAT)
    assert header[124] & 0x80
    tape = Tape(io.BytesIO(header))
    member = next(tape.members())
    assert member.size == 9 << 30
    with pytest.raises(Unreadable, match="more than the limit"):
        tape.read(member, 1 << 26)


def test_a_seekable_tar_is_passed_over_without_reading_it() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

    info = tarfile.TarInfo("large")
    data = written([(info, b"x" * (20 << 20)), (tarfile.TarInfo("small"), b"y")], tarfile.GNU_FORMAT)
    stream = Counting(data)
    assert [member.name for member in Tape(stream).members()] == ["large", "small"]
    assert stream.taken < 3 << 20
    with pytest.raises(Unreadable, match="middle of a member"):
        list(Tape(io.BytesIO(data[: 10 << 20])).members())


def test_something_behind_the_end_is_told() -> None:
    data = written([(tarfile.TarInfo("a"), b"1")], tarfile.GNU_FORMAT)
    found, reason = walked(data + data)
    assert [name for name, *_ in found] == ["a"]
    assert reason is not None
    assert "behind the mark" in reason


def test_a_global_header_that_renames_is_told_and_hides_nothing() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "harmless"}) as archive:
        archive.addfile(tarfile.TarInfo("package.json"))
    found, reason = walked(out.getvalue())
    assert [name for name, *_ in found] == ["package.json"]
    assert reason is not None
    assert "renames" in reason
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x"}) as archive:
        archive.addfile(tarfile.TarInfo("package.json"))
    assert walked(out.getvalue())[1] is None


def test_a_link_with_a_size_holds_nothing() -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname, link.size = tarfile.SYMTYPE, "to", 1024
    data = link.tobuf() + written([(tarfile.TarInfo("next"), b"seen")], tarfile.GNU_FORMAT)
    found, reason = walked(data)
    assert reason is None
    assert [name for name, *_ in found] == ["link", "next"]


def test_content_can_be_had_twice_and_not_after_the_next() -> None:
    data = written([(tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("b"), b"2")], tarfile.GNU_FORMAT)
    tape = Tape(io.BytesIO(data))
    walk = tape.members()
    first = next(walk)
    assert tape.read(first, 10) == tape.read(first, 10) == b"1"
    second = next(walk)
    with pytest.raises(Unreadable, match="passed by"):
        tape.read(first, 10)
    assert tape.file(second).read() == b"2"


def test_gzip_in_several_members() -> None:
    data = written([(tarfile.TarInfo(f"n{count}"), b"x" * 700) for count in range(9)], tarfile.GNU_FORMAT)
    packed = b"".join(gzip.compress(data[at : at + 1000]) for at in range(0, len(data), 1000))
    assert walked(packed) == walked(data)
    found, reason = walked(packed[:-3000])
    assert reason is not None
    assert found == walked(data)[0][: len(found)]


def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RATIO_FROM", 1 << 20)
    info = tarfile.TarInfo("zeros")
    data = gzip.compress(written([(info, bytes(32 << 20))], tarfile.GNU_FORMAT), 9)
    found, reason = walked(data, limit=10)
    assert not found
    tape = tape_of(io.BytesIO(data), data[:512])
    with pytest.raises(Unreadable, match="bomb"):
        list(tape.members())
    assert reason is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"0000644\0", 0o644),
        (b" 644 \0", 0o644),
        (b"\0\0\0\0", 0),
        (b"\x80" + (9 << 30).to_bytes(11, "big"), 9 << 30),
        (b"\xff\xff\xff\xff", -1),
    ],
)
def test_numbers(field: bytes, value: int) -> None:
    assert number(field) == value


@pytest.mark.parametrize("field", [b"0_1", b"+7", b"9", b"0x1", b"-1"])
def test_what_is_no_number(field: bytes) -> None:
    with pytest.raises(ValueError, match=r"no octal|invalid literal"):
        number(field)


def test_modified() -> None:
    assert Member("a", "0", 0, "", "1774915200.5").modified == 1774915200500000000
    assert Member("a", "0", 0, "", b"0000000001\0 ").modified == 1_000_000_000
    for absurd in ("inf", "nan", "x", b"xyz"):
        value: Any = absurd
        assert Member("a", "0", 0, "", value).modified is None

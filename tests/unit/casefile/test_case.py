"""A case: what is written is there again, in order, and nothing half."""

from __future__ import annotations

import datetime
import io
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique.casefile import packs
from pratique.casefile.case import Author, Case, create, open_case
from pratique.casefile.examine import examine
from pratique.model.case import EvidenceItem, MissingEvidence
from pratique.model.errors import CaseError

NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)


def author(*times: datetime.datetime) -> Author:
    left = list(times)
    return Author("dev@laptop", "pratique 0", lambda: left.pop(0) if left else NOON)


_open: list[Case] = []


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = create(tmp_path / "case", author(), incidents={"axios-2026-03-31": "sha256:0"}, key=tmp_path / "key")
    _open.append(made)
    yield made
    while _open:
        _open.pop().close()


def item(what: str = "a file") -> EvidenceItem:
    return EvidenceItem(what=what, source=f"/home/x/{what}", digest="", size=0)


def again(case: Case) -> Case:
    case.close()
    _open.append(open_case(Path(case.folder), author(), key=case.key_file))
    return _open[-1]


def test_a_new_case_is_private_and_its_key_lies_beside_it(case: Case, tmp_path: Path) -> None:
    for path in [Path(case.folder), *Path(case.folder).rglob("*"), tmp_path / "key"]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    secret = bytes.fromhex((tmp_path / "key").read_text().split()[1])
    case.close()
    for path in Path(case.folder).rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes()
            assert secret.hex().encode() not in path.read_bytes()


def test_entries_come_back_in_order_and_by_kind(case: Case) -> None:
    case.append("note", {"text": "one"})
    case.lacks(MissingEvidence(what="log", source="/x", reason="permission denied"))
    case.append("note", {"text": "two"})
    case = again(case)
    assert [entry.number for entry in case.entries()] == [1, 2, 3, 4]
    assert [entry.body["text"] for entry in case.entries("note")] == ["one", "two"]
    assert [entry.kind for entry in case.entries("missing", "opened")] == ["opened", "missing"]
    assert examine(case).disagreements == []


@pytest.mark.parametrize(
    "size", [0, 1, packs.CHUNK - 1, packs.CHUNK, packs.CHUNK + 1, 3 * packs.CHUNK, 3 * packs.CHUNK + 7]
)
@pytest.mark.parametrize("streamed", [False, True])
def test_evidence_comes_back_byte_for_byte(case: Case, size: int, streamed: bool) -> None:
    content = os.urandom(size)
    kept = case.keep(item(), io.BytesIO(content) if streamed else content)
    assert kept.size == size
    case = again(case)
    assert case.content(kept.digest) == content
    assert examine(case).disagreements == []
    plain = [
        path for path in Path(case.folder).rglob("*") if path.is_file() and size > 16 and content in path.read_bytes()
    ]
    assert plain == []


def test_the_same_bytes_are_kept_once(case: Case) -> None:
    first = case.keep(item("a"), b"the same" * 100)
    size = sum(path.stat().st_size for path in Path(case.folder, "evidence").iterdir())
    second = case.keep(item("b"), b"the same" * 100)
    assert first.digest == second.digest
    assert sum(path.stat().st_size for path in Path(case.folder, "evidence").iterdir()) == size
    assert [entry.body["what"] for entry in case.entries("evidence")] == ["a", "b"]


def test_evidence_goes_on_in_the_next_pack(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "ROLL", 3000)
    digests: dict[str, bytes] = {}
    with case.together():
        for number in range(10):
            content = os.urandom(1000)
            digests[case.keep(item(str(number)), content).digest] = content
    digests[case.keep(item("last"), b"x").digest] = b"x"
    case = again(case)
    assert len(list(Path(case.folder, "evidence").iterdir())) > 2
    assert all(case.content(digest) == content for digest, content in digests.items())
    assert examine(case).disagreements == []


def test_a_step_that_fails_leaves_nothing(case: Case) -> None:
    def half() -> None:
        with case.together():
            case.append("note", {"text": "half"})
            case.keep(item(), b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    case.append("note", {"text": "whole"})
    kept = case.keep(item(), b"whole")
    case = again(case)
    assert [entry.kind for entry in case.entries()] == ["opened", "note", "evidence"]
    assert case.content(kept.digest) == b"whole"
    assert examine(case).disagreements == []


class Broken(io.RawIOBase):
    """A file that fails after two chunks."""

    left = 2

    def read(self, size: int = -1) -> bytes:
        if self.left == 0:
            raise OSError(5, "Input/output error")
        self.left -= 1
        return bytes(size)


def test_a_source_that_fails_is_not_kept_and_the_step_goes_on(case: Case) -> None:
    with case.together():
        before = case.keep(item("before"), b"before")
        with pytest.raises(OSError, match="Input/output"):
            case.keep(item("broken"), Broken())
        after = case.keep(item("after"), b"after")
    case = again(case)
    assert [entry.body["what"] for entry in case.entries("evidence")] == ["before", "after"]
    assert case.content(before.digest) + case.content(after.digest) == b"beforeafter"
    assert examine(case).disagreements == []


def test_the_file_itself_refuses_to_change_an_entry(case: Case) -> None:
    case.keep(item(), b"evidence")
    case.close()
    connection = sqlite3.connect(Path(case.folder) / "journal.sqlite")
    for statement in (
        "UPDATE entries SET who = 'x'",
        "DELETE FROM entries",
        "REPLACE INTO entries SELECT * FROM entries WHERE number = 1",
        "INSERT INTO entries SELECT number + 5, kind, time, who, tool, body, previous, digest, mark FROM entries",
        "UPDATE blobs SET pack = 2",
        "DELETE FROM blobs",
        "REPLACE INTO blobs SELECT * FROM blobs",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    connection.close()


def test_keys_of_purposes_differ_and_stay_the_same(case: Case) -> None:
    one = case.key("fingerprint")
    assert len(one) == 32
    assert one != case.key("other")
    assert again(case).key("fingerprint") == one


def test_without_the_key_it_is_read_and_not_written(case: Case, tmp_path: Path) -> None:
    kept = case.keep(item(), b"evidence")
    case.close()
    (tmp_path / "key").rename(tmp_path / "away")
    os.environ["XDG_CONFIG_HOME"], before = str(tmp_path), os.environ.get("XDG_CONFIG_HOME")
    try:
        with pytest.raises(CaseError, match="its key is not here"):
            open_case(Path(case.folder), author())
        with open_case(Path(case.folder), author(), writing=False) as found:
            assert [entry.kind for entry in found.entries()] == ["opened", "evidence"]
            with pytest.raises(CaseError, match="the key of this case is not here"):
                found.content(kept.digest)
            proof = examine(found)
    finally:
        os.environ.pop("XDG_CONFIG_HOME") if before is None else os.environ.update(XDG_CONFIG_HOME=before)
    assert proof.disagreements == []
    assert len(proof.not_verified) == 2


def test_text_that_is_no_unicode_is_written_all_the_same(case: Case) -> None:
    entry = case.append("note", {"text": "a\udcffb", "in": ["\ud800"]})
    assert entry.body == {"text": "a\ufffdb", "in": ["\ufffd"]}
    assert examine(again(case)).disagreements == []


def test_a_clock_that_goes_back_is_noted_and_no_disagreement(tmp_path: Path) -> None:
    hour = datetime.timedelta(hours=1)
    with create(tmp_path / "case", author(NOON, NOON - hour, NOON + hour), key=tmp_path / "key") as case:
        case.author = author(NOON - hour, NOON + hour)
        case.append("note", {"text": "earlier"})
        case.append("note", {"text": "later"})
        proof = examine(case)
    assert proof.disagreements == []
    assert [note.split(":")[0] for note in proof.notes] == ["entry 2"]

"""What a case survives: an end at every write, a full disk, two writers, a cut log; and that any tampering is named."""

from __future__ import annotations

import datetime
import hashlib
import json
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique.casefile import journal
from pratique.casefile.case import Author, Case, create, open_case
from pratique.casefile.packs import SALT
from pratique.model.case import EvidenceItem
from pratique.model.errors import CaseError
from pratique.workflow.case import case_status
from pratique.workflow.case_proof import CaseProof, verify_case
from pratique.workflow.case_seal import seal_case
from tests.faults.small import beside_a_small_disk

ROOT = Path(__file__).resolve().parents[2]
AUTHOR = Author("dev@laptop", "pratique 0", lambda: datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC))
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "HOME": "/nonexistent"}


def item(what: str) -> EvidenceItem:
    return EvidenceItem(what=what, source=f"/home/x/{what}", digest="", size=0)


def opened(folder: Path, *, writing: bool = True) -> Case:
    return open_case(folder, AUTHOR, key=folder.parent / "key", writing=writing)


def proof(folder: Path) -> CaseProof:
    with opened(folder, writing=False) as case:
        return verify_case(case)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler to make the library that ends a process")
    made = tmp_path_factory.mktemp("library") / "ending.so"
    command = [compiler, "-shared", "-fPIC", "-w", "-o", str(made), str(ROOT / "tests/faults/ending.c"), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return made


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: the tests that use it wait for the disk a thousand times."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    folder = memory / f"pratique-{os.getpid()}-{tmp_path.name}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def killed(library: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.killed", str(folder), *words],
        env={**ENVIRONMENT, "LD_PRELOAD": str(library)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("how", ["whole", "torn", "lost", "some"])
def test_ended_at_every_write_it_opens_and_agrees_up_to_the_last_promise(library: Path, quick: Path, how: str) -> None:
    """As a killed process, in the middle of a write, and as the loss of power: without all or half of what lay unsynced."""
    done = killed(library, quick, how)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["ends"] > 100
    assert {"0", "1", "2", "3", "4", "7", "8", "9"} == set(found["left"]), "every stage was met, no half step"


def test_the_loss_of_power_shows_a_case_that_does_not_sync_its_evidence(library: Path, quick: Path) -> None:
    done = killed(library, quick, "lost", "careless")
    assert done.returncode != 0
    assert "disagrees" in done.stderr


def test_a_full_and_a_read_only_file_system(tmp_path: Path) -> None:
    done = beside_a_small_disk(tmp_path, '-m tests.faults.full "$PWD/small" "$PWD/key"')
    assert done.returncode == 0, done.stderr[-2000:]


def _write(folder: Path, number: int) -> None:
    for turn in range(25):
        with opened(folder) as case:
            case.append("note", {"text": f"{number} {turn}"})
            case.keep(item(f"{number} {turn}"), os.urandom(3000))


def test_two_processes_wait_for_each_other(tmp_path: Path) -> None:
    create(tmp_path / "case", AUTHOR, key=tmp_path / "key").close()
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=_write, args=(tmp_path / "case", number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    found = proof(tmp_path / "case")
    assert (found.exit_code, found.entries, found.evidence) == (0, 151, 75)


def test_a_writer_that_stays_is_said_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PATIENCE", 0.2)
    with create(tmp_path / "case", AUTHOR, key=tmp_path / "key") as case, case.together():
        case.append("note", {"text": "still writing"})
        with opened(tmp_path / "case") as other:
            start = time.monotonic()
            with pytest.raises(CaseError, match=r"is in use by another process\. Wait until that one has ended"):
                other.append("note", {"text": "no"})
            assert time.monotonic() - start >= 0.15
        assert proof(tmp_path / "case").entries == 1, "looking does not wait"
    assert proof(tmp_path / "case").entries == 2


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed case with some of everything; tests work on copies."""
    folder = tmp_path_factory.mktemp("sealed")
    with create(folder / "case", AUTHOR, incidents={"axios-2026-03-31": "sha256:0"}, key=folder / "key") as case:
        case.append("report", {"header": {"schema": "pratique.report/1"}, "verdicts": []})
        case.keep(item("lock"), b"a lockfile " * 40)
        case.keep(item("log"), b"a log " * 400)
        case.append("note", {"text": "a person's words"})
        seal_case(case)
        case.append("note", {"text": "after the seal"})
        case.keep(item("later"), b"later")
    assert proof(folder / "case").exit_code == 0
    return folder


@pytest.fixture
def copy(sealed: Path, tmp_path: Path) -> Path:
    shutil.copytree(sealed, tmp_path / "copy")
    return tmp_path / "copy/case"


def tamper(folder: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Change the file as somebody who knows how: without its triggers, which are put back."""
    connection = sqlite3.connect(folder / "journal.sqlite", isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement, values)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def status_is_told(folder: Path) -> None:
    """Whatever was changed: there is an answer or an error that says what is wrong."""
    try:
        with opened(folder, writing=False) as case:
            case_status(case)
    except CaseError:
        pass


FIELDS = ("kind", "time", "who", "tool", "body", "previous", "digest", "mark")


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_every_entry(copy: Path, number: int, field: str) -> None:
    connection = sqlite3.connect(copy / "journal.sqlite")
    (value,) = connection.execute(f"SELECT {field} FROM entries WHERE number = ?", (number,)).fetchone()
    connection.close()
    for changed in changes(field, value):
        tamper(copy, f"UPDATE entries SET {field} = ? WHERE number = {number}", values=(changed,))
        try:
            found = proof(copy)
        except CaseError as error:
            assert number == 1, "only the entry that says which case it is keeps a case from opening"
            assert "entry 1 is damaged" in str(error) or "is the key of another case" in str(error)
            continue
        assert found.exit_code == 5, (field, changed)
        status_is_told(copy)
        assert found.disagreements[0].entry == number, (field, changed, found.disagreements)


def changes(field: str, value: str | bytes) -> Iterator[object]:
    if isinstance(value, bytes):
        for place in (0, len(value) // 2, len(value) - 1):
            yield value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        yield value + b" "
        yield value[:-1]
        yield b""
        yield value.decode("latin-1")
    else:
        yield value[:-1] + chr(ord(value[-1]) ^ 1)
        yield value + " "
        yield value[:-1]
        yield ""
        yield value.encode()
    yield 7
    if field == "kind":
        yield "note" if value != "note" else "missing"
    if field in ("previous", "digest"):
        yield "0" * 63 + "1"


@pytest.mark.parametrize("number", range(1, 9))
def test_every_entry_taken_out(copy: Path, number: int) -> None:
    tamper(copy, f"DELETE FROM entries WHERE number = {number}")
    if number == 1:
        with pytest.raises(CaseError, match="entry 1 is damaged"):
            proof(copy)
        return
    found = proof(copy)
    assert (found.exit_code, found.disagreements[0].entry) == (5, number)
    assert "missing" in found.disagreements[0].words or "no longer there" in found.disagreements[0].words


@pytest.mark.parametrize("number", range(2, 8))
def test_entries_that_change_places(copy: Path, number: int) -> None:
    tamper(
        copy,
        f"UPDATE entries SET number = 99 WHERE number = {number}",
        f"UPDATE entries SET number = {number} WHERE number = {number + 1}",
        f"UPDATE entries SET number = {number + 1} WHERE number = 99",
    )
    found = proof(copy)
    assert (found.exit_code, found.disagreements[0].entry) == (5, number)


def rewritten(folder: Path, number: int, body: bytes) -> None:
    """Change one entry and make every digest after it anew, as somebody without the key would."""
    connection = sqlite3.connect(folder / "journal.sqlite")
    rows = [list(row) for row in connection.execute("SELECT * FROM entries ORDER BY number")]
    connection.close()
    previous = rows[number - 2][7]
    for row in rows[number - 1 :]:
        if row[0] == number:
            row[5] = body
        row[6] = previous
        previous = row[7] = journal.digest_of(row[0], row[1], row[2], row[3], row[4], row[5], row[6])
        tamper(
            folder,
            "UPDATE entries SET body = ?, previous = ?, digest = ? WHERE number = ?",
            values=(row[5], row[6], row[7], row[0]),
        )


def test_a_chain_made_anew_is_told_by_its_marks_and_without_the_key_by_its_seal(copy: Path, sealed: Path) -> None:
    rewritten(copy, 2, b'{"header":{"schema":"pratique.report/1"},"verdicts":["none"]}')
    found = proof(copy)
    assert (found.disagreements[0].entry, found.disagreements[0].field) == (2, "mark")
    (copy.parent / "key").unlink()
    with open_case(copy, AUTHOR, writing=False) as case:
        blind = verify_case(case)
    assert blind.exit_code == 5
    assert (blind.disagreements[0].entry, blind.disagreements[0].field) == (6, "seal")
    assert "entry 5 is not the one that was sealed" in blind.disagreements[0].words


def test_what_was_cut_off_is_told_beside_the_key_and_by_a_noted_head(copy: Path, sealed: Path) -> None:
    head = proof(sealed / "case").head
    tamper(copy, "DELETE FROM entries WHERE number > 6")
    found = proof(copy)
    assert found.disagreements[0].words.startswith("entries 7 to 8 written with this key: no longer there")
    (copy.parent / "key.head").unlink()
    tamper(copy, "DELETE FROM blobs WHERE digest = ?", values=(hashlib.sha256(b"later").hexdigest(),))
    assert proof(copy).exit_code == 0, "nothing in a case that was cut off says so: the page on cases does"
    with opened(copy, writing=False) as case:
        noted = verify_case(case, head=head)
    assert noted.disagreements[0].field == "head"


@pytest.mark.parametrize("field", ["digest", "size", "pack", "offset"])
@pytest.mark.parametrize("row", range(3))
def test_every_field_of_every_place(copy: Path, field: str, row: int) -> None:
    connection = sqlite3.connect(copy / "journal.sqlite")
    digest, value = connection.execute(
        f"SELECT digest, {field} FROM blobs ORDER BY offset LIMIT 1 OFFSET {row}"
    ).fetchone()
    other = connection.execute(f"SELECT {field} FROM blobs WHERE digest <> ?", (digest,)).fetchone()[0]
    connection.close()
    values = [digest[:-1] + "g", "0" * 64, 7] if field == "digest" else [value + 1, value - 1, -1, other, "x", 1 << 62]
    shutil.copytree(copy, copy.parent / "again")
    for changed in values:
        if changed == value:
            continue
        tamper(copy, f"UPDATE blobs SET {field} = ? WHERE digest = '{digest}'", values=(changed,))
        found = proof(copy)
        assert found.exit_code == 5, changed
        assert any(digest in item.digest or str(changed) in item.digest for item in found.disagreements)
        shutil.rmtree(copy)
        shutil.copytree(copy.parent / "again", copy)
    tamper(copy, f"DELETE FROM blobs WHERE digest = '{digest}'")
    found = proof(copy)
    assert found.disagreements[0].words == "its evidence is not in the case any more"
    assert found.disagreements[0].digest == f"sha256:{digest}"


def test_every_byte_of_a_pack(copy: Path) -> None:
    pack = copy / "evidence/0001.pack"
    whole = pack.read_bytes()
    for place in [*range(60), *range(60, len(whole), 97), len(whole) - 1]:
        pack.write_bytes(whole[:place] + bytes([whole[place] ^ 0x80]) + whole[place + 1 :])
        found = proof(copy)
        assert found.exit_code == 5, place
        assert all(item.field == "evidence" and item.entry in (3, 4, 8) for item in found.disagreements)
    for place in (0, 10, 16, 16 + SALT, 300, len(whole) - 1):
        pack.write_bytes(whole[:place])
        assert proof(copy).exit_code == 5, place
    pack.unlink()
    assert [item.entry for item in proof(copy).disagreements] == [3, 4, 8]
    pack.write_bytes(whole)
    assert proof(copy).exit_code == 0


def test_what_is_written_behind_the_last_blob_is_cut_off(copy: Path) -> None:
    pack = copy / "evidence/0001.pack"
    whole = pack.read_bytes()
    pack.write_bytes(whole + b"left by an end" * 100)
    assert proof(copy).exit_code == 0
    with opened(copy) as case:
        kept = case.keep(item("more"), b"more")
    assert pack.read_bytes().startswith(whole)
    assert len(pack.read_bytes()) < len(whole) + 100
    with opened(copy) as case:
        assert case.content(kept.digest) == b"more"
    assert proof(copy).exit_code == 0


def test_a_log_cut_at_any_place_leaves_whole_entries_and_tells_what_is_gone(copy: Path) -> None:
    child = os.fork()
    if child == 0:
        case = opened(copy)
        for number in range(3):
            case.append("note", {"text": f"not closed {number}"})
        os._exit(0)
    os.waitpid(child, 0)
    log = copy / "journal.sqlite-wal"
    whole = log.read_bytes()
    before = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    left = set()
    for size in [0, 1, 31, 32, 100, *range(1000, len(whole), 1499), len(whole) - 1, len(whole)]:
        for name, content in before.items():
            (copy / name).write_bytes(content)
        (copy / "journal.sqlite-shm").unlink(missing_ok=True)
        log.write_bytes(whole[:size])
        found = proof(copy)
        left.add(found.entries)
        if found.entries == 11:
            assert found.exit_code == 0
        else:
            assert "no longer there, the journal was cut" in found.disagreements[0].words
            assert found.disagreements[0].entry == found.entries + 1
    assert left == {8, 9, 10, 11}


@pytest.mark.parametrize("place", range(100))
def test_any_byte_of_the_file_changed_is_an_error_or_named(copy: Path, place: int) -> None:
    path = copy / "journal.sqlite"
    whole = bytearray(path.read_bytes())
    before = proof(copy)
    for at in (place, 100 + place * 7, place * (len(whole) // 100)):
        changed = bytearray(whole)
        changed[at] ^= 0x41
        path.write_bytes(changed)
        for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
            (copy / name).unlink(missing_ok=True)
        status_is_told(copy)
        try:
            found = proof(copy)
        except CaseError:
            continue
        if found.exit_code != 5:
            assert (found.entries, found.head, found.octets) == (before.entries, before.head, before.octets), at


def test_a_wrong_key_no_key_and_what_is_no_case(copy: Path, tmp_path: Path) -> None:
    create(tmp_path / "other", AUTHOR, key=tmp_path / "other-key").close()
    with pytest.raises(CaseError, match=r"is the key of another case\. Name the right one with --key"):
        open_case(copy, AUTHOR, key=tmp_path / "other-key")
    with pytest.raises(CaseError, match="does not exist"):
        open_case(copy, AUTHOR, key=tmp_path / "no-key")
    (tmp_path / "text").write_text("x")
    with pytest.raises(CaseError, match="is no key of a case"):
        open_case(copy, AUTHOR, key=tmp_path / "text")
    for content in (b"", b"not a database at all" * 100, b"SQLite format 3\0" + bytes(4000)):
        (copy / "journal.sqlite").write_bytes(content)
        with pytest.raises(CaseError, match=r"another program's|damaged"):
            opened(copy, writing=False)
    (copy / "journal.sqlite").unlink()
    os.mkfifo(copy / "journal.sqlite")
    with pytest.raises(CaseError, match="its journal is no plain file"):
        opened(copy, writing=False)
    for folder, words in ((tmp_path / "nothing", "does not exist"), (tmp_path / "text", "is no folder")):
        with pytest.raises(CaseError, match=words):
            open_case(folder, AUTHOR)


def test_a_newer_form_and_foreign_tables(copy: Path) -> None:
    connection = sqlite3.connect(copy / "journal.sqlite", isolation_level=None)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(CaseError, match="was made by a newer pratique: form 2 of a journal, and this program knows 1"):
        opened(copy)
    connection = sqlite3.connect(copy / "journal.sqlite", isolation_level=None)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("DROP TRIGGER no_change")
    connection.close()
    with pytest.raises(CaseError, match="its tables are not those that pratique makes"):
        opened(copy)

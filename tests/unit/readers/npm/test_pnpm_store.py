"""pnpm's stores and records: damage is seen, hostile databases end, patches are no scripts."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.model.observation import ComponentFact, Observation, PolicyFact, Refusal, ScriptFact, SideEffectFact
from pratique.model.ports import Artifact, Interest
from pratique.readers.npm import (
    pnpm_modules,
    pnpm_store_database,
    pnpm_store_index,
    pnpm_store_source,
    pnpm_workspace,
    sqlite_log,
)
from pratique.readers.npm.pnpm_records import RecordError, decode
from pratique.readers.npm.pnpm_rows import side_effects
from pratique.readers.npm.pnpm_settings import package_of
from tests.golden.harness import ALL, ROOT, in_memory

CASE = ROOT / "npm" / "pnpm-store-database" / "pnpm-12-write-ahead" / "input" / ".local/share/pnpm/store/v11"
DATABASE = (CASE / "index.db").read_bytes()
LOG = (CASE / "index.db-wal").read_bytes()
PATH = "store/v11/index.db"


def store(database: bytes, log: bytes | None, path: str = PATH) -> tuple[set[str], list[str]]:
    """Releases and reasons of refusals."""
    companions = {} if log is None else {"-wal": log}
    out = list(pnpm_store_database.read(in_memory(database, path, companions), ALL))
    facts = [item.facts for item in out if isinstance(item, Observation)]
    names = {f"{fact.name}@{fact.version}" for fact in facts if isinstance(fact, ComponentFact)}
    return names, [item.reason for item in out if isinstance(item, Refusal)]


def made(*statements: str) -> bytes:
    """A database out of statements."""
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    data = connection.serialize()
    connection.close()
    return data


def test_rows_that_stand_in_the_log_alone_are_read() -> None:
    assert "plain-crypto-js@4.2.1" not in store(DATABASE, None)[0]
    names, reasons = store(DATABASE, LOG)
    assert {"plain-crypto-js@4.2.1", "axios@1.14.1"} <= names
    assert reasons == []


def test_the_merged_bytes_are_those_that_sqlite_makes(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(DATABASE)
    (tmp_path / "index.db-wal").write_bytes(LOG)
    connection = sqlite3.connect(tmp_path / "index.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    merged = sqlite_log.merge(DATABASE, LOG)
    assert merged.damage is None
    assert bytes(merged.data[20:]) == (tmp_path / "index.db").read_bytes()[20:]


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (LOG[:-1], "is cut off"),
        (LOG[:20], "is cut off"),
        (b"\x00" * 32 + LOG[32:], "has no valid header"),
        (LOG[:30] + b"\xff\xff" + LOG[32:], "has a damaged header"),
        (LOG[:-100] + bytes([LOG[-100] ^ 1]) + LOG[-99:], "holds a damaged frame"),
        (LOG[:2000] + bytes([LOG[2000] ^ 1]) + LOG[2001:], "holds a damaged frame"),
    ],
)
def test_damage_of_the_log_is_seen(log: bytes, reason: str) -> None:
    assert any(reason in found for found in store(DATABASE, log)[1])


def test_frames_from_before_a_restart_of_the_log_are_not_damage() -> None:
    size = 24 + 4096
    frames = [LOG[32 + n * size : 32 + (n + 1) * size] for n in range((len(LOG) - 32) // size)]
    stale = b"".join(frame[:8] + b"oldsalts" + frame[16:] for frame in frames[:2])
    assert store(DATABASE, LOG + stale) == store(DATABASE, LOG)


def test_a_log_that_ends_before_its_commit_is_seen() -> None:
    size = 24 + 4096
    places = range(32, len(LOG), size)
    commits = [place for place in places if LOG[place + 4 : place + 8] != b"\x00" * 4]
    inner = [place for place in places if place not in commits and place > commits[0]]
    if not inner:
        pytest.skip("every transaction of the fixture is one frame long")
    assert any("not committed" in reason for reason in store(DATABASE, LOG[: inner[0] + size])[1])


def test_a_log_without_its_shared_memory_file_and_the_other_way_round() -> None:
    artifact = in_memory(DATABASE, PATH, {"-shm": b"x"})
    reasons = [item.reason for item in pnpm_store_database.read(artifact, ALL) if isinstance(item, Refusal)]
    assert reasons == ["its write-ahead log is missing: the newest rows may stand in it alone"]


def test_a_log_that_cannot_be_read_is_said_and_the_database_read() -> None:
    from pratique.model.ports import Unreadable

    def companion(suffix: str) -> bytes | None:
        raise Unreadable("is not ours to read")

    artifact = Artifact("case:", PATH, lambda: DATABASE, lambda: None, companion)
    out = list(pnpm_store_database.read(artifact, ALL))
    assert any(isinstance(item, Refusal) and "not ours" in item.reason for item in out)
    assert any(isinstance(item, Observation) for item in out)


@pytest.mark.parametrize(
    "database",
    [
        b"",
        b"SQLite format 3\x00",
        b"text",
        DATABASE[:5000],
        made("CREATE TABLE other (key TEXT)"),
        made(
            "CREATE VIEW package_index AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n FROM c) SELECT n FROM c"
        ),
        made(
            "CREATE TABLE package_index (key TEXT, data AS (hex(zeroblob(99999999))))",
            "INSERT INTO package_index VALUES ('a')",
        ),
        made("CREATE TABLE package_index (key INT, data BLOB)", "INSERT INTO package_index VALUES (1, 'a')"),
        made(
            "CREATE TABLE package_index (key TEXT, data BLOB)",
            "INSERT INTO package_index VALUES ('x' || char(9) || 'axios@1.0.0', x'c1ff')",
        ),
    ],
)
def test_what_is_no_store_is_refused(database: bytes) -> None:
    assert store(database, None)[1] != []


def test_a_database_of_someone_else_is_left_alone() -> None:
    assert store(b"text", None, "cache/index.db") == (set(), [])


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(DATABASE) + len(LOG) - 1), change=st.binary(min_size=1, max_size=4))
def test_any_change_of_database_and_log_ends(place: int, change: bytes) -> None:
    both = DATABASE + LOG
    both = both[:place] + change + both[place + len(change) :]
    store(both[: len(DATABASE)], both[len(DATABASE) :])


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_an_error(data: bytes) -> None:
    with contextlib.suppress(RecordError):
        decode(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xd4r\x40\x92\xa1a\xa1b\x01\x02", {"a": 1, "b": 2}),
        (b"\x92\xd4r\x40\x91\xa1a\x01\x40\x02", [{"a": 1}, {"a": 2}]),
        (b"\x82\xa1a\xc0\xa1b\xcb" + struct.pack(">d", 1.5), {"a": None, "b": 1.5}),
        (b"\x93\xcc\xff\xcd\x01\x00\xff", [255, 256, -1]),
        (b"\xd4s\x00\x91\x01", [1]),
        (b"\xd6\xff\x00\x00\x00\x00", None),
    ],
)
def test_records(data: bytes, value: Any) -> None:
    assert decode(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\x91" * 200 + b"\x01",
        b"\x01\x01",
        b"\xa2\xff\xfe",
        b"\xd4r\x20\x90",
        b"\xd5r\x00\x00\x90",
    ],
)
def test_values_out_of_bounds_are_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        decode(data)


def effects(key: str) -> list[SideEffectFact]:
    row = {"files": {}, "sideEffects": {key: {"added": {"a": {}}, "deleted": ["b"]}}}
    return list(side_effects("n", "1.0.0", row, ()))


def test_changes_of_a_patch_alone_are_no_trace_of_a_script() -> None:
    assert effects(f"linux;x64;node20;patch={'0' * 64}") == []
    assert effects("linux-x64-node-v20-abcdefghijklmnopqrstuvwxyz".replace("qrstuvwxyz", "2345672345")) == []
    assert effects(f"linux;x64;node20;deps=x;patch={'0' * 64}")[0].platform == "linux;x64;node20"
    assert effects("darwin;arm64;node24;format=2;deps=x")[0].deleted == ("b",)
    assert effects("linux-x64-node-v20-{}")[0].added == ("a",)
    assert effects("something new")[0].platform == "something new"


def test_a_package_that_has_files_called_added_and_deleted_is_compared() -> None:
    files = {"added": {"integrity": "x"}, "setup.js": {"integrity": "y"}}
    row = {"files": files, "sideEffects": {"linux-x64-node-v20-{}": {"added": {"integrity": "z"}}}}
    (effect,) = side_effects("n", "1.0.0", row, ())
    assert (effect.added, effect.deleted) == (("added",), ("setup.js",))


def test_a_store_file_of_another_package_is_not_opened() -> None:
    def content() -> bytes:
        raise AssertionError("its name says that nobody asks for it")

    path = f"store/v10/index/00/{'0' * 62}-@s+other@1.0.0.json"
    artifact = Artifact("case:", path, content, lambda: None, lambda suffix: None)
    assert list(pnpm_store_index.read(artifact, Interest({"npm": frozenset({"axios"})}))) == []


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{}", b'{"name":1,"version":2}', b"{" * 100_000, b"\xff", b'{"name":"axios"']
)
def test_store_files_that_name_no_package_are_refused(data: bytes) -> None:
    path = f"store/v3/files/00/{'0' * 126}-index.json"
    assert [type(item) for item in pnpm_store_index.read(in_memory(data, path), ALL)] == [Refusal]


def test_store_files_without_a_digest_are_read_in_a_store_alone() -> None:
    data = b'{"name":"axios","version":"1.14.1","files":{"a":{"checkedAt":1}}}'
    assert list(pnpm_store_source.read(in_memory(data, "src/integrity.json"), ALL)) == []
    (item,) = pnpm_store_source.read(in_memory(data, "v10/codeload+axios/integrity.json"), ALL)
    assert isinstance(item, Observation)
    assert isinstance(item.facts, ComponentFact)
    assert item.facts.origin == "unknown"


def test_early_lists_of_ignored_builds_hold_names_alone() -> None:
    data = (
        b'{"layoutVersion":5,"virtualStoreDir":".pnpm","ignoredBuilds":["axios"],"pendingBuilds":[".","/axios/1.14.1"]}'
    )
    out = list(pnpm_modules.read(in_memory(data, "node_modules/.modules.yaml"), ALL))
    facts = [item.facts for item in out if isinstance(item, Observation)]
    assert [fact.names for fact in facts if isinstance(fact, PolicyFact)] == [("axios",)]
    assert [(fact.version, fact.outcome) for fact in facts if isinstance(fact, ScriptFact)] == [("1.14.1", "skipped")]
    assert len(out) == len(facts)


def test_hoisted_names_that_were_skipped_are_not_installed() -> None:
    data = b"hoistedDependencies:\n  /axios/1.14.1:\n    axios: private\n"
    data += b"skipped:\n  - /axios/1.14.1\nvirtualStoreDir: .pnpm\n"
    assert list(pnpm_modules.read(in_memory(data, ".modules.yaml"), ALL)) == []


@pytest.mark.parametrize(
    "data", [b"", b"text\n", b"[]", b"{", b"{}", b"a: b\n", b"\xff", b"{" * 100_000, b"a:\n  - b\n c\n"]
)
def test_records_that_are_none_are_refused(data: bytes) -> None:
    assert any(isinstance(item, Refusal) for item in pnpm_modules.read(in_memory(data, ".modules.yaml"), ALL))


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("axios", "axios"),
        ("axios@>=1", "axios"),
        ("@s/n@1 || >2", "@s/n"),
        ("a@1>b@2", "b"),
        ("a@>1>@s/b", "@s/b"),
    ],
)
def test_selectors(selector: str, name: str) -> None:
    assert package_of(selector) == name


def test_secrets_in_settings_are_lost_and_a_cut_value_protects_nobody() -> None:
    text = "overrides:\n  a: https://user:secret@registry.example/a.tgz\n  axios: 1.14"
    out = list(pnpm_workspace.read(in_memory(text.encode(), "pnpm-workspace.yaml"), ALL))
    assert "secret" not in repr(out)
    assert [item.facts.name for item in out if isinstance(item, Observation)] == ["a"]
    assert [item.relevant for item in out if isinstance(item, Refusal)] == [False]

"""What the kernel prints is read as it is documented, and any other bytes are passed over."""

from __future__ import annotations

import socket
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.adapters.watcher import connector, folders, reading, sockets
from pratique.adapters.watcher.pace import BURST, TICK, Look, soonest


def _message(what: int, *numbers: int) -> bytes:
    body = struct.pack("=IIQ", what, 0, 0) + struct.pack(f"={len(numbers)}I", *numbers)
    inner = struct.pack("=IIIIHH", 1, 1, 0, 0, len(body), 0) + body
    return struct.pack("=IHHII", 16 + len(inner), 3, 0, 0, 0) + inner


def test_process_events_of_the_kernel() -> None:
    assert connector.decoded(_message(1, 10, 10, 11, 11)) == ("fork", 11, 10)
    assert connector.decoded(_message(1, 10, 10, 12, 10)) is None, "a thread"
    assert connector.decoded(_message(2, 11, 11)) == ("exec", 11, 0)
    assert connector.decoded(_message(2, 12, 11)) == ("exec", 11, 0), "a thread that is not the first begins a program"
    assert connector.decoded(_message(0x80000000, 11, 11, 0, 0)) == ("exit", 11, 0)
    assert connector.decoded(_message(0x80000000, 12, 11, 0, 0)) is None
    assert connector.decoded(_message(0x40, 11, 11)) is None


@given(st.binary(max_size=120))
def test_any_message_is_told_or_passed_over(read: bytes) -> None:
    for message in (read, _message(1) + read, _message(0x80000000) + read):
        found = connector.decoded(message)
        assert found is None or found.what in ("fork", "exec", "exit")


STAT = b"812 (a) b (c) S 800 812 700 34816 812 4194304 1 0 0 0 0 0 0 0 20 0 1 0 51882 1 1 1\n"


def test_a_name_with_brackets_does_not_confuse_a_stat() -> None:
    found = reading.parsed_stat(STAT)
    assert found == ("a) b (c", "S", 800, 812, 700, 51882)
    assert reading.parsed_stat(STAT[:40]) is None
    assert reading.parsed_stat(b"") is None


def test_arguments_are_cut_and_say_so() -> None:
    assert reading.parsed_arguments(b"sh\0-c\0a b\0") == (("sh", "-c", "a b"), False)
    assert reading.parsed_arguments(b"sh\0\0x\0") == (("sh", "", "x"), False)
    words, cut = reading.parsed_arguments(b"x\0" * 300)
    assert (len(words), cut) == (256, True)
    words, cut = reading.parsed_arguments(b"y" * 5000 + b"\0z\0")
    assert ([len(word) for word in words], cut) == ([4096, 1], True)
    assert reading.parsed_arguments(b"\xff\0")[0] == ("\udcff",)


@given(st.binary(max_size=400))
def test_any_bytes_are_arguments_and_no_stat(read: bytes) -> None:
    words, _ = reading.parsed_arguments(read)
    assert all(len(word) <= 4096 for word in words)
    reading.parsed_stat(read)
    reading.parsed_stat(b"1 (x) " + read)


TABLE = b"""  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
   1: 0100007F:9C40 071371CB:1F40 01 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 20 4 30 10 -1
   2: 0100007F:9C41 071371CB:1F40 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0
   3: 0100007F:9C41 071371CB 01 00000000:00000000 00:00000000 00000000     x        0 y 3 0
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the table above is that of a little-endian machine")
def test_a_table_of_connections() -> None:
    rows = [row for _, row in sockets.parsed(TABLE)]
    assert rows == [sockets.Connection("203.113.19.7", 8000, 4242, 1000)]
    assert sockets.endpoint(b"0000000000000000FFFF0000071371CB:1F40") == ("203.113.19.7", 8000)
    assert sockets.endpoint(b"B80D01200000000000000000010000 00:01BB".replace(b" ", b"")) == ("2001:db8::1", 443)


@given(st.binary(max_size=300))
def test_any_table_is_read(read: bytes) -> None:
    for (_, remote, _), row in sockets.parsed(TABLE.partition(b"\n")[0] + b"\n" + read):
        assert row.number != 0
        assert sockets.endpoint(remote) == (row.address, row.port)


def test_connections_are_new_once_and_have_an_owner() -> None:
    looks = sockets.Connections()
    looks.look()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        port = server.getsockname()[1]
        found = [one for one in looks.look() if one.port == port]
        assert [one.address for one in found] == ["127.0.0.1"]
        own = sockets.owners(frozenset([found[0].number]), ["self"])  # type: ignore[list-item]  # as /proc spells it
        assert own == {found[0].number: "self"}
        assert not [one for one in looks.look() if one.port == port]
        assert client.fileno() >= 0
    assert sockets.opened_in("/proc/net")
    assert sockets.opened_in("/nonexistent") == ()


@given(st.binary(max_size=200))
def test_any_change_of_folders_is_read(read: bytes) -> None:
    record = struct.pack("=iIII", 7, 0x100, 0, 16) + b"a.service".ljust(16, b"\0")
    assert folders.parsed(record) == [(7, "a.service")]
    assert folders.parsed(record + read)[0] == (7, "a.service")
    assert len(folders.parsed(read)) <= len(read) // 16


def test_a_look_keeps_to_its_share_and_saves_up_for_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("pratique.adapters.watcher.pace.time.thread_time", lambda: clock[0])

    def work() -> None:
        clock[0] += 0.02

    look = Look("x", work, 1.0, 0.001)
    now = 100.0
    look.take(now)
    assert look.interval == 1.0, "the first loads what later ones use, and is not counted"
    taken = 0
    while look.interval == 1.0 and taken < 100:
        now += 1.0
        look.take(now)
        taken += 1
    assert BURST / 0.02 - 2 <= taken <= BURST / 0.02 + 3, "a burst is paid out of what was saved"
    begin = now
    for _ in range(20):
        now = look.due
        look.take(now)
    assert 0.02 * 20 / (now - begin) <= 0.001 * 1.1
    assert look.slowest >= 0.02 / 0.001 - TICK
    before = look.due
    look.nudge(now, 0.2)
    assert look.due <= before
    assert look.due - now >= 0.2
    assert soonest([look]) == look.due
    assert soonest([]) == float("inf")

"""Units spread over processes: each result once, a killed worker loses nothing, what kills every worker is named."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pratique.adapters import processes
from pratique.adapters.executor import TRIES, on_this_machine

pytestmark = pytest.mark.skipif(not processes.can_fork(), reason="this system cannot fork")


def gathered(count: int, work: Callable[[int], bytes], jobs: int) -> tuple[dict[int, bytes], list[int]]:
    found: dict[int, bytes] = {}

    def done(number: int, result: bytes) -> None:
        assert number not in found, "a result was given twice"
        found[number] = result

    return found, on_this_machine(count, work, done, jobs)


@pytest.mark.parametrize("jobs", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 3, 300])
def test_every_unit_gives_its_result_once(jobs: int, count: int) -> None:
    found, lost = gathered(count, lambda number: str(number).encode() * number, jobs)
    assert found == {number: str(number).encode() * number for number in range(count)}
    assert lost == []


def test_a_large_result_arrives_whole() -> None:
    found, _ = gathered(3, lambda number: bytes([number]) * 9_000_000, 2)
    assert [len(found[number]) for number in range(3)] == [9_000_000] * 3


def test_a_worker_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """Every unit kills its first worker; the second does it."""

    def work(number: int) -> bytes:
        mark = tmp_path / str(number)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return b"done"

    found, lost = gathered(12, work, 3)
    assert len(found) == 12
    assert lost == []


def test_what_kills_every_worker_is_named_and_costs_the_others_nothing(tmp_path: Path) -> None:
    def work(number: int) -> bytes:
        if number == 4:
            with (tmp_path / "tries").open("a") as file:
                file.write("x")
            os._exit(9)
        return b"done"

    found, lost = gathered(9, work, 2)
    assert lost == [4]
    assert sorted(found) == [0, 1, 2, 3, 5, 6, 7, 8]
    assert (tmp_path / "tries").read_text() == "x" * TRIES


def test_an_interrupt_leaves_no_process_behind(tmp_path: Path) -> None:
    def work(number: int) -> bytes:
        (tmp_path / str(os.getpid())).touch()
        if number:
            time.sleep(60)
        return b""

    def done(number: int, result: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on_this_machine(4, work, done, 2)
    for mark in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(mark.name), 0)

"""Work in a process apart: results in order, and an end to what takes too long or dies."""

from __future__ import annotations

import os
import signal
import time

import pytest

from pratique.adapters import processes
from pratique.adapters.apart import apart


def run(count: int, work: object, seconds: float = 30, start: object = None) -> list[tuple[int, object]]:
    found: list[tuple[int, object]] = []
    apart(count, work, lambda number, result: found.append((number, result)), seconds, start)
    return found


def test_results_come_in_order_and_whole() -> None:
    sizes = [0, 1, 1 << 20, 5 << 20]
    found = run(4, lambda number: b"x" * sizes[number])
    assert [(number, len(result)) for number, result in found] == list(enumerate(sizes))
    assert run(0, lambda _: b"") == []


def test_what_takes_too_long_is_ended_and_the_rest_is_done() -> None:
    def work(number: int) -> bytes:
        if number in (1, 2):
            time.sleep(600)
        return b"done"

    started = time.monotonic()
    assert run(4, work, 0.5) == [(0, b"done"), (1, "took too long"), (2, "took too long"), (3, b"done")]
    assert time.monotonic() - started < 20


def test_a_process_that_dies_loses_its_own_piece_alone() -> None:
    def work(number: int) -> bytes:
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 2:
            raise ValueError("not shown")
        return b"done"

    assert run(4, work) == [(0, b"done"), (1, "ended"), (2, "ended"), (3, b"done")]


def test_it_is_started_in_the_process_apart(capfd: pytest.CaptureFixture[str]) -> None:
    own = os.getpid()

    def start() -> None:
        os.environ["APART"] = "1"
        os.write(1, b"words of a process apart")

    ((_, result),) = run(1, lambda _: f"{os.environ['APART']} {os.getpid() != own}".encode(), start=start)
    assert result == b"1 True"
    assert "APART" not in os.environ
    assert "words" not in capfd.readouterr().out


def test_no_process_is_left() -> None:
    run(2, lambda number: time.sleep(600) or b"" if number else b"", 0.3)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_without_fork_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "can_fork", lambda: False)
    assert run(2, lambda number: str(os.getpid()).encode()) == [
        (number, str(os.getpid()).encode()) for number in (0, 1)
    ]

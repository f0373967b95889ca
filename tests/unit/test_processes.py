"""Work in several processes: nothing is lost, a death is an error, an interrupt gives what there is."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Sequence

import pytest

from pratique.adapters import processes

pytestmark = pytest.mark.skipif(not processes.can_fork(), reason="this system cannot fork")


def gather(items: Sequence[int]) -> bytes:
    return json.dumps(list(items)).encode()


@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 700])
def test_every_item_is_worked_on_once(jobs: int, count: int) -> None:
    results = processes.spread(range(count), gather, jobs)
    assert sorted(item for result in results for item in json.loads(result)) == list(range(count))


def test_a_worker_that_dies_is_an_error() -> None:
    parent = os.getpid()

    def work(items: Sequence[int]) -> bytes:
        for _ in items:
            if os.getpid() != parent:
                os._exit(3)
            time.sleep(0.001)
        return b""

    with pytest.raises(processes.WorkerLost, match="status"):
        processes.spread(range(500), work, 2)


def test_large_results_arrive_whole() -> None:
    results = processes.spread(range(4), lambda items: b"x" * 5_000_000 + gather(items), 2)
    assert all(len(result) >= 5_000_000 for result in results)


def test_workers_stop_with_what_they_have_when_the_first_process_ends_early() -> None:
    parent = os.getpid()

    def work(items: Sequence[int]) -> bytes:
        taken = []
        for item in items:
            taken.append(item)
            time.sleep(0.002)
            if os.getpid() == parent and len(taken) > 3:
                break
            deadline = time.monotonic() + 20
            while os.getpid() != parent and not processes.stopping() and time.monotonic() < deadline:
                time.sleep(0.001)
            if processes.stopping():
                break
        return json.dumps(taken).encode()

    results = processes.spread(range(1000), work, 2)
    assert 4 <= sum(len(json.loads(result)) for result in results) < 1000


def test_an_interrupt_while_waiting_asks_the_workers_to_stop() -> None:
    parent = os.getpid()

    def work(items: Sequence[int]) -> bytes:
        taken = []
        for item in items:
            taken.append(item)
            time.sleep(0.002)
            if os.getpid() != parent:
                deadline = time.monotonic() + 20
                while not processes.stopping() and time.monotonic() < deadline:
                    time.sleep(0.001)
        return json.dumps(taken).encode()

    timer = threading.Timer(0.5, lambda: os.kill(parent, signal.SIGINT))
    timer.start()
    try:
        results = processes.spread(range(50), work, 2)
    finally:
        timer.join()
    assert sorted(item for result in results for item in json.loads(result)) == list(range(50))

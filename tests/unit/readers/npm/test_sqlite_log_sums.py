"""The checksum of many frames at once against that of one after the other."""

from __future__ import annotations

import random

import pytest

from pratique.readers.npm import sqlite_log


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(("size", "count"), [(512, 600), (4096, 40), (1024, 17), (65536, 16), (4096, 15)])
@pytest.mark.parametrize("kind", ["random", "ones"])
def test_frames_together_give_what_each_gives_alone(order: str, size: int, count: int, kind: str) -> None:
    step = 24 + size
    body = random.Random(size).randbytes(step * count) if kind == "random" else b"\xff" * (step * count)
    log = bytes(32) + body + b"rest"
    sums = expected = (0xFFFFFFFF, 0xFFFFFFF0)
    alone = []
    for place in range(32, 32 + step * count, step):
        head = sqlite_log._checksum(log[place : place + 8], order, expected)
        expected = sqlite_log._checksum(log[place + 24 : place + step], order, head)
        alone.append(expected)
    assert list(sqlite_log._chain(log, order, size, sums)) == alone

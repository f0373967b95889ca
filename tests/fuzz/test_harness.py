"""The harness of the long fuzzing works for every reader, with or without atheris."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fuzz.__main__ import seeds, target
from tests.golden.harness import readers


@pytest.mark.parametrize("name", sorted(readers()))
def test_every_reader_has_seeds_and_takes_them(name: str) -> None:
    found = seeds(name)
    assert found
    paths = sorted({path for path, _ in found})
    once: Callable[[bytes], None] = target(name, paths)
    for path, data in found[:3]:
        once(bytes([paths.index(path) % 256]) + data)
    once(b"")

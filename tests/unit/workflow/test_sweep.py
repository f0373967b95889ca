"""How many processes a sweep takes where it may choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pratique.adapters import processes
from pratique.model.ports import Interest
from pratique.targets.directory import Options
from pratique.workflow import sweep


def jobs_taken(root: Path, blocks: Sequence[int], monkeypatch: pytest.MonkeyPatch, *, jobs: int) -> int:
    taken: list[int] = []
    read = iter(blocks)

    def spread(items: Sequence[object], work: Callable[[Sequence[object]], bytes], number: int) -> list[bytes]:
        taken.append(number)
        return [work(items)]

    monkeypatch.setattr(processes, "spread", spread)
    monkeypatch.setattr(processes, "blocks_read", lambda: next(read))
    monkeypatch.setattr(sweep.os, "cpu_count", lambda: 2)
    swept = sweep.sweep(root.as_uri(), str(root), Interest({}), lambda _: False, Options(), jobs=jobs)
    assert swept.entries == 800
    return taken[0]


@pytest.mark.skipif(not processes.can_fork(), reason="this system cannot fork")
def test_processes_are_chosen_by_processors_and_cold_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(400):
        (tmp_path / f"p{number}").mkdir()
        (tmp_path / f"p{number}" / "readme.txt").write_text("x")
    assert jobs_taken(tmp_path, [0, 0], monkeypatch, jobs=0) == 2
    assert jobs_taken(tmp_path, [100, 5000], monkeypatch, jobs=0) == sweep.JOBS_COLD
    assert jobs_taken(tmp_path, [100, 5000], monkeypatch, jobs=3) == 3

"""Apply and undo, killed at every write: what was begun is finished, or undone, by the next run."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.respond.worlds import Snapshot, apply, outcomes, snapshot, undo, world, written

WRITES = (
    "write",
    "fsync",
    "rename",
    "link",
    "unlink",
    "mkdir",
    "rmdir",
    "symlink",
    "utime",
    "fchmod",
    "ftruncate",
)
KILLED = 77

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system knows no fork")


def other_file_system() -> None:
    """From here on, a rename between two folders says that they lie on two file systems."""
    real = os.rename

    def rename(source: Any, target: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        if src_dir_fd is not None and dst_dir_fd is not None:
            one, two = os.fstat(src_dir_fd), os.fstat(dst_dir_fd)
            if (one.st_dev, one.st_ino) != (two.st_dev, two.st_ino):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    os.rename = rename  # only ever in a child


def killed_at(number: int, work: Callable[[], object], crossing: bool) -> bool:
    """Do work in a child that ends at its n-th write, half done; whether it was killed before the work ended."""
    child = os.fork()
    if child == 0:
        try:
            if crossing:
                other_file_system()
            left = [number]

            def counted(name: str) -> Callable[..., Any]:
                real = getattr(os, name)

                def call(*arguments: Any, **more: Any) -> Any:
                    left[0] -= 1
                    if left[0] <= 0:
                        if name == "write":
                            real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                        os._exit(KILLED)
                    return real(*arguments, **more)

                return call

            for name in WRITES:
                setattr(os, name, counted(name))
            work()
        except BaseException:  # noqa: BLE001  (the parent sees the status)
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, KILLED)
    return status == KILLED


def bare(found: Snapshot) -> dict[str, tuple[object, ...]]:
    """Without times: a file that was written has its own."""
    return {name: value[:3] for name, value in found.items()}


@pytest.mark.parametrize("crossing", [False, True], ids=["one file system", "two file systems"])
def test_a_killed_apply_is_finished_or_undone(crossing: bool, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    request = written(world(first / "w"), first / "plan.json")
    before = snapshot(first / "w")
    assert apply(request).exit_code == 0
    wanted = bare(snapshot(first / "w"))
    number, alive = 0, True
    while alive:
        number += 1
        folder = tmp_path / f"{number}"
        folder.mkdir()
        request = written(world(folder / "w"), folder / "plan.json")
        alive = killed_at(number, lambda: apply(request), crossing)  # noqa: B023  (called at once)
        if number % 2:
            found = apply(request)
            assert found.exit_code == 0, (number, found)
            assert bare(snapshot(folder / "w")) == wanted, number
            assert not list(folder.rglob("*.draft")), number
        back = undo(msgspec.structs.replace(request, allow=frozenset({"payload"})))
        assert back.exit_code == 0, (number, back)
        assert snapshot(folder / "w") == before, number
    assert number > (60 if crossing else 40)


@pytest.mark.parametrize("crossing", [False, True], ids=["one file system", "two file systems"])
def test_a_killed_undo_is_finished_or_done_again(crossing: bool, tmp_path: Path) -> None:
    number, alive = 0, True
    while alive:
        number += 1
        folder = tmp_path / f"{number}"
        folder.mkdir()
        request = written(world(folder / "w"), folder / "plan.json")
        before = snapshot(folder / "w")
        assert apply(request).exit_code == 0
        wanted = bare(snapshot(folder / "w"))
        back = msgspec.structs.replace(request, allow=frozenset({"payload"}))
        alive = killed_at(number, lambda: undo(back), crossing)  # noqa: B023  (called at once)
        if number % 2:
            found = apply(request)
            assert set(outcomes(found).values()) <= {"done", "already", "by-hand"}, (number, found)
            assert bare(snapshot(folder / "w")) == wanted, number
        found = undo(back)
        assert found.exit_code == 0, (number, found)
        assert snapshot(folder / "w") == before, number
        assert not list(folder.rglob("*.draft")), number
    assert number > (40 if crossing else 20)

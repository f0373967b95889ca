"""Apply and undo on a small file system until it is full, across two file systems, and where nothing can be written.

python -m tests.faults.apply_full FOLDER OTHER      in a mount namespace of its own, FOLDER being an empty tmpfs
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from pratique.model.errors import PlanError
from tests.faults.full import PAGE, fill
from tests.unit.respond.worlds import Snapshot, apply, snapshot, undo, world, written


def bare(found: Snapshot) -> dict[str, tuple[object, ...]]:
    return {name: value[:3] for name, value in found.items()}


def main() -> int:
    """Fill the disk at every size of what is left; then move to another file system; then take the right to write."""
    folder, other = Path(sys.argv[1]), Path(sys.argv[2])
    failed = done = 0
    for pages in range(40):
        for name in ("w", "plans"):
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / "plans").mkdir()
        request = written(world(folder / "w"), folder / "plans" / "plan.json")
        before = snapshot(folder / "w")
        fill(folder, pages * PAGE)
        try:
            found = apply(request)
            code = found.exit_code
            assert code == 0 or "no space left" in " ".join(item.message for item in found.outcomes), found
        except PlanError as error:
            assert "no space left" in str(error), error
            code = 5
        failed, done = failed + (code != 0), done + (code == 0)
        (folder / "filler").unlink()
        if pages % 2:
            assert apply(request).exit_code == 0
        assert undo(msgspec.structs.replace(request, allow=frozenset({"payload"}))).exit_code == 0
        assert snapshot(folder / "w") == before, pages
        assert not list(folder.rglob("*.draft"))
    assert failed > 3
    assert done > 3

    shutil.rmtree(folder / "w")
    request = written(world(folder / "w"), other / "plan.json")
    before = snapshot(folder / "w")
    assert apply(request).exit_code == 0
    after = bare(snapshot(folder / "w"))
    assert "shop/node_modules/plain-crypto-js" not in after
    assert undo(msgspec.structs.replace(request, allow=frozenset({"payload"}))).exit_code == 0
    assert snapshot(folder / "w") == before
    assert apply(request).exit_code == 0
    assert bare(snapshot(folder / "w")) == after
    assert undo(msgspec.structs.replace(request, allow=frozenset({"payload"}))).exit_code == 0

    fresh = written(world(folder / "r" / "w"), other / "fresh.json")
    inside = written(world(folder / "s" / "w"), folder / "inside.json")
    before = snapshot(folder)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True, timeout=10)
    found = apply(fresh)
    assert found.exit_code == 5
    assert "read-only" in " ".join(item.message for item in found.outcomes)
    try:
        apply(inside)
    except PlanError as error:
        assert "read-only" in str(error), error
    else:
        raise AssertionError("nothing can be written there")
    assert snapshot(folder) == before
    sys.stdout.write(f"{failed} failed, {done} done, {os.getpid()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

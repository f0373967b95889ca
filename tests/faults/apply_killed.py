"""End apply and undo of a plan that belongs to a case at their n-th change of a file, for every n; go on from there.

    LD_PRELOAD=ending.so python -m tests.faults.apply_killed FOLDER whole|torn

Prints one line of JSON: how many ends of apply and of undo were tried.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from pratique.workflow.apply import Applied
from pratique.workflow.case import new_case, open_case
from pratique.workflow.case_proof import verify_case
from pratique.workflow.case_seal import seal_case
from tests.unit.respond.worlds import Snapshot, apply, snapshot, undo, world, written


def bare(found: Snapshot) -> dict[str, tuple[object, ...]]:
    return {name: value[:3] for name, value in found.items()}


def ended(library: ctypes.CDLL, number: int, torn: bool, work: Callable[[], Applied]) -> bool:
    """Do work in a process that ends at its n-th change; whether it ended so."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            library.ending_arm(ctypes.c_long(number), int(torn))
            code = work().exit_code
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise AssertionError(f"it failed at {number}")
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def agrees(folder: Path) -> None:
    with open_case(folder / "case", key=folder / "key") as case:
        if verify_case(case).exit_code not in (0, 4):
            raise AssertionError("the case disagrees")


def lay(folder: Path) -> None:
    """Everything as it was before any step."""
    for name in ("w", "case"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(folder / "first" / name, folder / name, symlinks=True)
    for path in folder.glob("key*"):
        path.unlink()
    for path in (folder / "first").glob("key*"):
        shutil.copy2(path, folder / path.name)


def main() -> int:
    """Try every end."""
    folder, torn = Path(sys.argv[1]), sys.argv[2] == "torn"
    library = ctypes.CDLL(os.environ.pop("LD_PRELOAD"))
    plan = world(folder / "w")
    with new_case(folder / "case", key=folder / "key") as case:
        plan = msgspec.structs.replace(plan, case=case.id)
        case.append("note", {"text": "a test"})
        seal_case(case)
    request = msgspec.structs.replace(
        written(plan, folder / "plan.json"), allow=frozenset(), case=str(folder / "case"), key=folder / "key"
    )
    back = msgspec.structs.replace(request, allow=frozenset({"payload"}))
    (folder / "first").mkdir()
    for name in ("w", "case"):
        shutil.copytree(folder / name, folder / "first" / name, symlinks=True)
    for path in folder.glob("key*"):
        shutil.copy2(path, folder / "first" / path.name)
    before = snapshot(folder / "w")
    assert apply(request).exit_code == 0
    wanted = bare(snapshot(folder / "w"))
    tried = {}
    for verb in ("apply", "undo"):
        number, alive = 0, True
        while alive:
            number += 1
            lay(folder)
            if verb == "undo":
                assert apply(request).exit_code == 0
                alive = ended(library, number, torn, lambda: undo(back))
            else:
                alive = ended(library, number, torn, lambda: apply(request))
            agrees(folder)
            if number % 2:
                assert apply(request).exit_code == 0, (verb, number)
                assert bare(snapshot(folder / "w")) == wanted, (verb, number)
            assert undo(back).exit_code == 0, (verb, number)
            assert snapshot(folder / "w") == before, (verb, number)
            assert not list((folder / "w").rglob("*.draft")), (verb, number)
        tried[verb] = number - 1
    agrees(folder)
    sys.stdout.write(json.dumps(tried) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

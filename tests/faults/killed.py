"""Make a case, end the process at its n-th change of a file, and look at what is left; for every n.

    LD_PRELOAD=ending.so python -m tests.faults.killed FOLDER whole|torn|lost|some [careless]

Prints one line of JSON: how many ends were tried, and how often which number of entries was left.
"""

from __future__ import annotations

import ctypes
import datetime
import io
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from pratique.casefile.case import Author, create, open_case
from pratique.casefile.packs import Packs
from pratique.model.case import EvidenceItem, MissingEvidence
from pratique.workflow.case_proof import verify_case
from pratique.workflow.case_seal import seal_case

HOW = ("whole", "torn", "lost", "some")
"""Before a call, in the middle of it, and as the loss of power: with all that was not synced, or half of it, gone."""
TOLD = 200
"""The file descriptor on which the process says what it was promised; the library does not count it."""
NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)
AUTHOR = Author("dev@laptop", "pratique 0", lambda: NOON)
SMALL = b"a hidden lockfile " * 50
LARGE = bytes(range(256)) * 10_000


def item(what: str) -> EvidenceItem:
    return EvidenceItem(what=what, source=f"/home/x/{what}", digest="", size=0)


def life(folder: Path) -> None:
    """A case from its making to its seal; after each step that is promised to last, its number of entries is told."""

    def told(entries: int) -> None:
        os.write(TOLD, f"{entries}\n".encode())

    with create(folder / "case", AUTHOR, incidents={"axios-2026-03-31": "sha256:0"}, key=folder / "key") as case:
        told(1)
        case.keep(item("small"), SMALL)
        told(2)
        case.keep(item("large"), io.BytesIO(LARGE))
        told(3)
        case.append("note", {"text": "a person's words"})
        told(4)
        with case.together():
            case.keep(item("again"), SMALL)
            case.lacks(MissingEvidence(what="log", source="/x", reason="permission denied"))
            case.keep(item("third"), SMALL[:-1])
        told(7)
        seal_case(case)
        told(8)
    with open_case(folder / "case", AUTHOR, key=folder / "key") as case:
        case.append("note", {"text": "after the seal"})
        told(9)


def ended(folder: Path, library: ctypes.CDLL, number: int, how: int) -> tuple[bool, int, int]:
    """Run it in a process that ends at the n-th change: whether it ended so, its changes, the last promise."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(writing, TOLD)
            library.ending_arm(ctypes.c_long(number), how)
            life(folder)
            os.write(TOLD, f"counted {library.ending_counted()}\n".encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as file:
        lines = file.read().split("\n")
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise AssertionError(f"the life failed at {number}: {lines}")
    promised = max((int(line) for line in lines if line.isdigit()), default=0)
    changes = next((int(line.split()[1]) for line in lines if line.startswith("counted")), 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, changes, promised


def left(folder: Path, promised: int) -> int:
    """Look at what is left: it opens, it agrees, nothing promised is gone, and it goes on. Gives its entries."""
    (folder / "case/journal.sqlite-shm").unlink(missing_ok=True)  # it lies in memory alone
    if not (folder / "case").exists():
        if promised:
            raise AssertionError("a case that was promised is not there")
        return 0
    with open_case(folder / "case", AUTHOR, key=folder / "key", writing=False) as case:
        proof = verify_case(case)
    if proof.exit_code:
        raise AssertionError(f"disagrees: {proof}")
    if not promised <= proof.entries <= promised + 3:
        raise AssertionError(f"{proof.entries} entries, {promised} were promised")
    with open_case(folder / "case", AUTHOR, key=folder / "key") as case:
        case.append("note", {"text": "found like this"})
        kept = case.keep(item("later"), b"later")
        if case.content(kept.digest) != b"later":
            raise AssertionError("what was added later is not there")
        whole = {entry.body["digest"]: entry.body["what"] for entry in case.entries("evidence")}
        for digest, what in whole.items():
            wanted = {"small": SMALL, "again": SMALL, "large": LARGE, "third": SMALL[:-1], "later": b"later"}[what]
            if case.content(digest) != wanted:
                raise AssertionError(f"{what} has other bytes")
        if verify_case(case).exit_code:
            raise AssertionError("it does not go on")
    return proof.entries


def careless() -> None:
    """Let evidence reach the disk whenever the system likes: the mistake that the loss of power must show."""

    def finish(self: Packs) -> None:
        if self._file is not None:
            self._file.flush()
            self._dirty = False

    Packs.finish = finish


def main() -> int:
    """Try every end."""
    if "careless" in sys.argv:
        careless()
    folder, how = Path(sys.argv[1]), HOW.index(sys.argv[2])
    library = ctypes.CDLL(os.environ.pop("LD_PRELOAD"))
    counts: dict[int, int] = {}
    number = 0
    while True:
        number += 1
        here = folder / str(number)
        here.mkdir()
        killed, changes, promised = ended(here, library, number, how)
        entries = left(here, promised)
        shutil.rmtree(here)
        if not killed:
            if entries != 9 or changes != number - 1:
                raise AssertionError(f"{entries} entries after a whole life of {changes} changes, {number - 1} tried")
            break
        counts[entries] = counts.get(entries, 0) + 1
    sys.stdout.write(json.dumps({"ends": number - 1, "left": counts}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Write into a case on a small file system until it is full, and on one that cannot be written; look at what is left.

python -m tests.faults.full FOLDER KEY      in a mount namespace of its own, FOLDER being an empty tmpfs
"""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from pathlib import Path

from pratique.casefile.case import Author, Case, create, open_case
from pratique.model.case import EvidenceItem
from pratique.model.errors import CaseError
from pratique.workflow.case_proof import verify_case
from pratique.workflow.case_seal import seal_case

AUTHOR = Author("dev@laptop", "pratique 0", lambda: datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC))
PAGE = 4096


def opened(folder: Path, key: Path, *, writing: bool = True) -> Case:
    return open_case(folder / "case", AUTHOR, key=key, writing=writing)


def whole(folder: Path, key: Path) -> int:
    with opened(folder, key, writing=False) as case:
        proof = verify_case(case)
    assert proof.exit_code == 0, proof
    return proof.entries


def refused(error: CaseError) -> None:
    assert "no space is left" in str(error), error
    assert "Make room" in str(error), error


def fill(folder: Path, free: int) -> None:
    """Leave so many bytes free."""
    (folder / "filler").unlink(missing_ok=True)
    state = os.statvfs(folder)
    with open(folder / "filler", "wb") as file:
        file.write(bytes(max(state.f_bavail * state.f_frsize - free, 0)))


def main() -> int:
    """Fill it at every size of what is left, then take the right to write away."""
    folder, key = Path(sys.argv[1]), Path(sys.argv[2])
    with create(folder / "case", AUTHOR, key=key) as case:
        case.keep(EvidenceItem(what="first", source="/x", digest="", size=0), os.urandom(1000))
    entries, failed, written = 2, 0, 0
    for pages in range(60):
        for step in ("evidence", "seal"):
            fill(folder, pages * PAGE)
            try:
                with opened(folder, key) as case:
                    if step == "evidence":
                        case.keep(EvidenceItem(what="more", source="/x", digest="", size=0), os.urandom(5000))
                    else:
                        seal_case(case)
                entries += 1
                written += 1
            except CaseError as error:
                refused(error)
                failed += 1
            assert whole(folder, key) == entries, f"{entries} entries, {pages} pages were free"
    assert failed > 10
    assert written > 10
    (folder / "filler").unlink()
    child = os.fork()
    if child == 0:
        case = opened(folder, key)
        case.append("note", {"text": "never closed"})
        os._exit(0)
    os.waitpid(child, 0)
    assert (folder / "case/journal.sqlite-wal").stat().st_size > 0, "the log of the journal lies there"
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True, timeout=10)
    assert whole(folder, key) == entries + 1, "the log is read too where nothing can be written"
    try:
        opened(folder, key).append("note", {"text": "x"})
    except CaseError as error:
        assert "read-only" in str(error), error
        assert "Copy the case" in str(error), error
    else:
        raise AssertionError("a read-only case was written")
    sys.stdout.write(f"{failed} refused, {written} written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

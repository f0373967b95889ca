"""A real program that runs while a test looks at it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(*argv: str, cwd: Path | None = None, executable: str | None = None) -> Iterator[int]:
    """Start it in a session of its own, wait until it shows its arguments, give its number, and end it."""
    process = subprocess.Popen(argv, cwd=cwd, executable=executable, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{process.pid}/cmdline").read_bytes().startswith(os.fsencode(argv[0])):
                break
        except OSError:
            pass
        time.sleep(0.01)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()

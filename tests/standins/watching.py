"""A watch in a process of its own, as a person or a service starts it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 20.0
PLAIN = 65534


def as_plain() -> list[str]:
    """The words that start a command as an account without rights, from root; none where this is such an account."""
    if os.geteuid() != 0:
        return []
    reading = "+dac_read_search"  # so that it may start this Python wherever it lies; it may look into no process
    words = ["setpriv", f"--reuid={PLAIN}", f"--regid={PLAIN}", "--clear-groups"]
    return [*words, f"--inh-caps={reading}", f"--ambient-caps={reading}"]


def can_be_plain() -> bool:
    """Whether tests can act as an account without rights here."""
    if os.geteuid() != 0:
        return True
    if shutil.which("setpriv") is None:
        return False
    return subprocess.run([*as_plain(), sys.executable, "-c", "pass"], capture_output=True, check=False).returncode == 0


class Watching:
    """A running watch: what it told so far, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.records: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.began = threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._out, self._errors)]
        for thread in self._threads:
            thread.start()

    def _out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.records.append(json.loads(line))

    def _errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.told.append(line)
            if line.startswith("watch: began"):
                self.began.set()
        self.began.set()

    def rules(self) -> list[str]:
        """The rules that fired so far."""
        return [record["detection"]["rule"] for record in list(self.records) if "detection" in record]

    def of(self, rule: str) -> list[dict[str, Any]]:
        """The detections of a rule so far."""
        return [one for one in list(self.records) if "detection" in one and one["detection"]["rule"] == rule]

    def wait(self, rule: str, text: str = "", seconds: float = PATIENCE) -> dict[str, Any]:
        """The first detection of a rule whose record holds a text. Fails where none comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for one in self.of(rule):
                if text in json.dumps(one):
                    return one
            time.sleep(0.05)
        raise AssertionError(f"{rule} did not fire on {text!r}; {self.rules()}; {''.join(self.told)}")

    def end(self, number: int = signal.SIGTERM) -> dict[str, Any]:
        """End it by a signal; gives the sums."""
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        sums = [record["sums"] for record in self.records if "sums" in record]
        assert len(sums) == 1, self.told
        return dict(sums[0])


def given(home: Path) -> dict[str, str]:
    """The environment of a watch in a test home."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("npm_", "XDG_"))}
    return {**plain, "HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}


def words(*options: object) -> list[str]:
    """The command line of a watch."""
    return [sys.executable, "-m", "pratique", "watch", *map(str, options)]


@contextlib.contextmanager
def watching(home: Path, *options: object, before: Sequence[str] = ()) -> Iterator[Watching]:
    """A watch that has begun. It is ended when the block is left."""
    process = subprocess.Popen(
        [*before, *words("--json", *options)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=given(home),
    )  # fmt: skip
    found = Watching(process)
    try:
        assert found.began.wait(PATIENCE), found.told
        assert process.poll() is None, found.told
        yield found
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        for thread in found._threads:
            thread.join(PATIENCE)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

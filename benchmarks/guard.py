"""`pratique guard` around `npm ci`, beside no guard and beside `strace -f` writing a full log, in one run.

    python -m benchmarks.guard [--rounds N]

Makes a project of about 400 packages (express, webpack, jest, typescript) in a temporary folder, fills npm's cache once
from the configured registry, and installs it from there again and again, the ways taking turns. Told are the medians of
CPU seconds of everything that ran, and their ratios; then 500 programs started by a shell, the worst case; and what a
guard adds to a command that does nothing. Scripts of packages are off: the guard's own work is measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WANTED = ("express@5", "webpack@5", "jest@30", "typescript@5")
MANY = "i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i+1)); done"


def main(arguments: list[str]) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not installed")
        return 1
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        cache = f"--cache={folder}/cache"
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", cache]
        (folder / "package.json").write_text('{"name": "measured", "version": "1.0.0"}', "utf-8")
        subprocess.run([npm, "install", *quiet, *WANTED], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        packages = sum(1 for one in (folder / "node_modules").rglob("package.json") if one.parent.parent.name)
        ci = [npm, "ci", "--prefer-offline", *quiet]
        ways: dict[str, list[str]] = {
            "alone": ci,
            "guard, no reads": guarded("--no-reads", ci),
            "guard": guarded("--reads", ci),
            "guard --block": guarded("--block", ci),
        }
        if shutil.which("strace"):
            ways["guard --means strace"] = guarded("--means=strace", ci)
            ways["strace -f, full log"] = ["strace", "-f", "-o", str(folder / "log"), *ci]
        print(f"npm ci, {packages} manifests; CPU seconds, median of {options.rounds}")
        told = measured(ways, options.rounds, folder, lambda: shutil.rmtree(folder / "node_modules", True))
        table(told)
        shell = ["sh", "-c", MANY]
        print("500 programs started by a shell")
        table(measured({"alone": shell, "guard": guarded("--reads", shell)}, options.rounds, folder, lambda: None))
        nothing = ["/bin/true"]
        print("a command that does nothing: seconds by the clock")
        clock = {way: [walled(words, folder) for _ in range(options.rounds)] for way, words in
                 {"alone": nothing, "guard": guarded("--reads", nothing)}.items()}  # fmt: skip
        print({way: round(statistics.median(times), 3) for way, times in clock.items()})
    return 0


def guarded(reads: str, command: Sequence[str]) -> list[str]:
    """The command under guard."""
    return [sys.executable, "-m", "pratique", "guard", reads, "--", *command]


def walled(words: Sequence[str], folder: Path) -> float:
    """Seconds by the clock."""
    begun = time.monotonic()
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - begun


def measured(
    ways: dict[str, list[str]], rounds: int, folder: Path, before: Callable[[], None]
) -> dict[str, list[float]]:
    """CPU seconds of every round of every way, the ways taking turns."""
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, words in ways.items():
            before()
            child = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode:
                raise SystemExit(f"{way} ended with {child.returncode}")
            found[way].append(usage.ru_utime + usage.ru_stime)
    return found


def table(told: dict[str, list[float]]) -> None:
    """Medians, and their ratio to the first way."""
    alone = statistics.median(told["alone"])
    for way, times in told.items():
        print(f"| {way} | {statistics.median(times):.2f} | {statistics.median(times) / alone:.2f} |")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""A sweep of a running machine beside ps and grep: many processes, and a disk with many start-up entries.

    python -m benchmarks.host [--processes NUMBER] [--units NUMBER]

The peers are `ps axww -o pid,ppid,user,lstart,args`, and `grep -rF` for one name over the disk. Times are wall times of
whole programs, the best of three. It is an error when the seeded file is not reported.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PRATIQUE = (sys.executable, "-m", "pratique", "host", "--format", "json")


def best(command: Sequence[str]) -> tuple[float, str]:
    """Seconds and output of a program, the best of three."""
    seconds, output = 1e9, ""
    for _ in range(3):
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds, output = min(seconds, time.monotonic() - start), done.stdout
    return seconds, output


def disk(root: Path, units: int) -> None:
    """A disk of Linux with so many units, and one file that an incident names."""
    folder = root / "home/dev/.config/systemd/user"
    for path in (folder, root / "etc", root / "usr", root / "var", root / "tmp"):
        path.mkdir(parents=True)
    for number in range(units):
        text = (
            f"[Unit]\nDescription=u{number}\n[Service]\nExecStart=/usr/bin/env node /srv/{number}/index.js --port 1\n"
        )
        (folder / f"app{number}.service").write_text(text)
    (root / "tmp/ld.py").write_text("inert text\n")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=500)
    parser.add_argument("--units", type=int, default=5000)
    options = parser.parse_args()
    sleepers = [subprocess.Popen(["sleep", "600"]) for _ in range(options.processes)]
    try:
        ours, text = best(PRATIQUE)
        peer, _ = best(["ps", "axww", "-o", "pid,ppid,user,lstart,args"])
        print(f"machine, {options.processes} processes more: {ours:.2f} s, ps {peer:.2f} s")
        json.loads(text)
    finally:
        for process in sleepers:
            process.kill()
            process.wait()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "disk"
        disk(root, options.units)
        ours, text = best([*PRATIQUE, "--root", str(root)])
        peer, _ = best(["grep", "-rF", "gh-token-monitor", str(root)])
        found = {item["location"]["path"] for item in json.loads(text)["sightings"]}
        print(f"disk, {options.units} units: {ours:.2f} s, grep {peer:.2f} s")
        if found != {"tmp/ld.py"}:
            print(f"seeded file not reported alone: {found}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Put 10,000 evidence files into a case and seal it, against `sha256sum` and `cp` of the same files.

    python -m benchmarks.case [--files 10000] [--rounds 5] [--into FOLDER]

The files are made of random bytes, of mixed sizes from nothing to megabytes, some 30 kB in the mean. Both sides are
whole programs, started anew, alternating; the peer is `sha256sum` of every file and `cp -r` of the folder. Ours hashes,
encrypts, chains, writes and syncs to the disk; `cp` syncs nothing, so the peer is measured with `sync` of its copy too.
Ends with an error where what came out of the case is not what went in.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SEED = 20261126


def make(folder: Path, count: int) -> int:
    """Files of mixed sizes; gives their bytes."""
    chance = random.Random(SEED)
    total = 0
    for number in range(count):
        size = min(int(chance.lognormvariate(9.3, 1.5)), 4 << 20)
        path = folder / f"{number // 500:03}" / f"{number:05}.evidence"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(chance.randbytes(size))
        total += size
    return total


def timed(command: list[str], environment: dict[str, str], where: Path) -> tuple[float, float, str]:
    """Wall and processor seconds of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[:3]} ended with {done.returncode}: {done.stderr[-500:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def main() -> int:
    """Measure and print; 1 where the goal is not reached."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--into", type=Path, default=None)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.into) as name:
        folder = Path(name)
        (folder / "files").mkdir()
        total = make(folder / "files", asked.files)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "HOME": str(folder / "home")}
        pratique = [sys.executable, "-m", "pratique"]
        os.sync()
        rows: dict[str, list[tuple[float, float]]] = {
            "sha256sum and cp": [],
            "the same, synced": [],
            "add": [],
            "seal": [],
        }
        for _ in range(asked.rounds):
            script = "find files -type f -print0 | xargs -0 sha256sum > sums && cp -r files copy"
            wall, cpu, _ = timed(["sh", "-c", script], environment, folder)
            synced, more, _ = timed(["sync", "-f", "copy"], environment, folder)
            rows["sha256sum and cp"].append((wall, cpu))
            rows["the same, synced"].append((wall + synced, cpu + more))
            shutil.rmtree(folder / "copy")
            os.sync()
            timed([*pratique, "case", "new", "case"], environment, folder)
            wall, cpu, _ = timed([*pratique, "case", "add", "case", "files"], environment, folder)
            rows["add"].append((wall, cpu))
            wall, cpu, _ = timed([*pratique, "case", "seal", "case"], environment, folder)
            rows["seal"].append((wall, cpu))
            wall, cpu, printed = timed([*pratique, "case", "verify", "case", "--format", "json"], environment, folder)
            rows.setdefault("verify", []).append((wall, cpu))
            found = json.loads(printed)
            if found["octets"] < total * 0.999 or found["entries"] != asked.files + 2:
                raise SystemExit(f"the case holds something else: {printed[:500]}")
            shutil.rmtree(folder / "case")
            os.sync()
    print(f"{asked.files} files, {total:,} bytes, {total // asked.files:,} in the mean; medians of {asked.rounds}")
    middle = {
        key: tuple(statistics.median(item[part] for item in found) for part in (0, 1)) for key, found in rows.items()
    }
    peer = middle["sha256sum and cp"][0]
    for key, (wall, cpu) in middle.items():
        print(f"{key:<20} {wall:6.2f} s wall  {cpu:6.2f} s CPU  {wall / peer:5.2f} of sha256sum and cp")
    both = statistics.median(
        (add[0] + seal[0]) / other[0]
        for add, seal, other in zip(rows["add"], rows["seal"], rows["sha256sum and cp"], strict=True)
    )
    print(f"add and seal         {both:.2f} of sha256sum and cp (goal: at most 2)")
    return 0 if both <= 2 else 1


if __name__ == "__main__":
    sys.exit(main())

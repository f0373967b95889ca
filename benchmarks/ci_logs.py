"""Logs of continuous integration beside grep: one process each, hits seeded and found.

    python -m benchmarks.ci_logs [--size MEGABYTES]

Three logs of a job are made: plain (compilers and tests), mixed (one line in ten is an archive that npm fetched) and
wordy (every line is). Each carries the story at its end, and a tag that led to a listed commit at its start. `grep -cF`
is asked for three fixed strings. The times are those of the processor, the best of three; it is an error when a seeded
release is not reported.
"""

from __future__ import annotations

import argparse
import datetime
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pratique import api
from tests.standins.ci_cases import BAD, TJ
from tests.standins.ci_logs import checkout, job_lines, output, run, stamped, use

WORDS = (
    *("building", "src/components/Button.tsx", "ok", "PASS", "warning:", "unused", "variable", "webpack", "compiled"),
    *("at", "Object.<anonymous>", "(/home/runner/work/shop/shop/node_modules/jest-circus/build/run.js:252:10)", "in"),
    *("module", "12ms", "chunk", "{runtime:", "main}", "[entry]", "test"),
)
NAMES = ("lodash", "react", "@babel/core", "webpack", "is-odd", "typescript", "eslint", "chokidar", "micromatch")
KINDS = {"plain": 0.0, "mixed": 0.1, "wordy": 1.0}
SEEDED = {"pkg:npm/axios@1.14.1", "pkg:npm/plain-crypto-js@4.2.1", f"pkg:github/{TJ}@{BAD}"}


def made(place: Path, share: float, size: int) -> None:
    """Write a job's log of about so many megabytes."""
    chance = random.Random(1)
    lines = []
    for _ in range(20_000):
        if chance.random() < share:
            name = chance.choice(NAMES)
            version = f"{chance.randint(0, 9)}.{chance.randint(0, 30)}.{chance.randint(0, 9)}"
            url = f"https://registry.example/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
            lines.append(f"npm http fetch GET 200 {url} {chance.randint(5, 200)}ms (cache miss)")
        else:
            lines.append(" ".join(chance.choice(WORDS) for _ in range(chance.randint(3, 14))))
    middle = stamped(lines).encode()
    steps = [checkout(), use(f"{TJ}@v45", "ok\n"), run("npm ci --loglevel http", "FILL\n" + output("npm-11.info"))]
    whole = stamped(job_lines("build", steps, downloads=[f"'{TJ}@v45' (SHA:{BAD})"])).encode()
    head, tail = whole.split(b"FILL\n")
    head = head[: head.rfind(b"\n") + 1]
    with place.open("wb") as file:
        file.write(head)
        for _ in range(max(size * 1_000_000 // len(middle), 1)):
            file.write(middle)
        file.write(tail)


def processor() -> float:
    """Seconds of the processor that ended children used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(command: list[str], rounds: int = 3) -> tuple[float, bytes]:
    """The best time of the processor, and what the command printed."""
    best, printed = float("inf"), b""
    for _ in range(rounds):
        before = processor()
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
        best = min(best, processor() - before)
    return best, printed


def reading(place: Path) -> float:
    """Seconds of the processor that reading the log takes, inside this process: without the start of Python."""
    chosen = api.select(today=datetime.date(2026, 11, 20))
    request = api.CheckRequest(
        targets=tuple(api.specify([f"ci-log:{place}"])), incidents=chosen.incidents, named=chosen.named
    )
    best = float("inf")
    for _ in range(3):
        before = time.process_time()
        report = api.check(request)
        best = min(best, time.process_time() - before)
    seen = {item.purl for item in report.sightings}
    if not seen >= SEEDED:
        sys.exit(f"seeded and not found: {sorted(SEEDED - seen)}")
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the reading of logs beside grep.")
    parser.add_argument("--size", type=int, default=200, help="megabytes of each log")
    options = parser.parse_args()
    grep = shutil.which("grep") or sys.exit("grep is missing")
    print(f"{'log':<8}{'MB':>6}{'pratique MB/s':>16}{'grep MB/s':>12}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for kind, share in KINDS.items():
            place = Path(folder, f"{kind}.log")
            made(place, share, options.size)
            size = place.stat().st_size / 1e6
            words = ["-e", "plain-crypto-js", "-e", "axios-1.14.1", "-e", BAD]
            plain, _ = measured([grep, "-c", "-F", *words, str(place)])
            ours = reading(place)
            print(f"{kind:<8}{size:>6.0f}{size / ours:>16.0f}{size / plain:>12.0f}{ours / plain:>8.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MiB")


if __name__ == "__main__":
    main()

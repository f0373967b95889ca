"""`pratique inspect` as a cold process on hard releases, beside GuardDog on the same archives in the same run.

    python -m benchmarks.microscope --corpus DIR [--guarddog PROGRAM]

DIR is laid out by `evals.corpus`. Of each package of the stratum `hard` (native hooks, browser drivers, bundles, large
wheels) the newest listed transition is taken: the release with its predecessor by pratique, nothing remembered and
nothing fetched; the release alone by GuardDog, source rules, no network. Told are CPU seconds of the process tree, the
peak of memory in MB, and the level or score. Fails (exit status 1) where pratique refuses or crashes on one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from evals import corpus, guarddog
from evals.corpus import Listed, npm_archive

LIMIT = 300
"""Seconds that one program may take on one release."""


def main(arguments: list[str]) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--guarddog", type=Path)
    options = parser.parse_args(arguments)
    newest = {(one.ecosystem, one.name): one for one in corpus.listed() if one.stratum == "hard"}
    totals = {"pratique": 0.0, "guarddog": 0.0}
    levels: dict[str, int] = {}
    bad = high = count = 0
    print("| Release | CPU s | Peak MB | Level | GuardDog CPU s | Peak MB | Score |\n|---|---|---|---|---|---|---|")
    for (world, name), row in sorted(newest.items()):
        old, new = archives(options.corpus, row)
        if not (old.is_file() and new.is_file()):
            print(f"| {name} {row.new} | not in the corpus | | | | | |")
            continue
        with tempfile.TemporaryDirectory() as home:
            report = Path(home) / "report.json"
            words = [sys.executable, "-m", "pratique", "inspect", str(new), "--against", str(old), "--no-memory"]
            words += ["--offline", "--depth", "0", "--format", "json", "--output", str(report)]
            code, cpu, peak, _ = run(words, home)
            told = json.loads(report.read_bytes()) if report.is_file() else None
            level = f"{told['level']}{'' if told['complete'] else ', not whole'}" if told else f"exit {code}"
            bad += told is None
            levels[level] = levels.get(level, 0) + 1
            totals["pratique"] += cpu
            count += 1
            line = f"| {name} {row.new} | {cpu:.2f} | {peak:.0f} | {level} |"
            if options.guarddog:
                peer = guarddog.scanned(options.guarddog, world, new)
                totals["guarddog"] += peer.cpu
                high += peer.score >= 5.0
                line += f" {peer.cpu:.2f} | {peer.peak / (1 << 20):.0f} | {peer.refused[:40] or peer.score} |"
            print(line, flush=True)
    print(f"\n{count} releases: {totals['pratique']:.1f} CPU s; levels {levels}; {bad} without a report")
    if options.guarddog and totals["guarddog"]:
        ratio = totals["pratique"] / totals["guarddog"]
        print(f"GuardDog: {totals['guarddog']:.1f} CPU s, {high} at score 5.0 or more; ratio {ratio:.2f} (goal 0.25)")
    return 1 if bad else 0


def archives(folder: Path, row: Listed) -> tuple[Path, Path]:
    """The archives of the predecessor and of the release."""
    if row.ecosystem == "npm":
        return npm_archive(folder, row.name, row.old), npm_archive(folder, row.name, row.new)
    return folder / "pypi" / "archives" / row.old_file, folder / "pypi" / "archives" / row.new_file


def run(words: list[str], home: str) -> tuple[int, float, float, str]:
    """Exit code, CPU seconds of the tree, peak in MB and output of a program with an empty home."""
    out = Path(home) / "out"
    environment = {"PATH": os.environ["PATH"], "HOME": home, "PYTHONPATH": os.environ.get("PYTHONPATH", "src:.")}
    before = os.times()
    child = os.fork()
    if not child:
        with out.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.execve(words[0], words, environment)  # programs that the caller named, by their paths
    ends = time.monotonic() + LIMIT
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > ends:
            os.kill(child, 9)
        time.sleep(0.01)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return os.waitstatus_to_exitcode(status), cpu, usage.ru_maxrss / 1024, out.read_text("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

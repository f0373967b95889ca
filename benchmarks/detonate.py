"""How long a detonation of a small package takes, beside the same install outside, and its limit.

    python -m benchmarks.detonate [--rounds N]

A package without dependencies and one in the shape of a dropper are detonated as a laptop, as laptop and CI runner, and
as all three personas; nothing lingers. Told are medians of seconds by the clock, the whole command with the start of
Python, and their ratio to the limit of 3 s. Ends with 1 where the limit is missed for one persona.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pratique.workflow.detonate_packages import tarball, wheel

LIMIT = 3.0
SCRIPT = b"const fs=require('fs');try{fs.readFileSync(process.env.HOME+'/.npmrc')}catch{}\n"


def main(arguments: list[str]) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = {"name": "anchor", "version": "1.0.0", "scripts": {"postinstall": "node setup.js"}}
        files = {
            "package/package.json": json.dumps(manifest).encode(),
            "package/setup.js": SCRIPT,
            "package/index.js": b"",
        }
        (folder / "anchor.tgz").write_bytes(tarball(files))
        (folder / "anchor-1.0.0-py3-none-any.whl").write_bytes(wheel("anchor", "1.0.0", {"anchor.py": b"\n"}))
        (folder / "app").mkdir()
        (folder / "app/package.json").write_text("{}", "utf-8")
        npm = [
            "npm",
            "install",
            "--offline",
            "--no-audit",
            "--no-fund",
            f"--cache={folder}/cache",
            f"{folder}/anchor.tgz",
        ]
        detonate = [sys.executable, "-m", "pratique", "detonate", "--offline", "--linger", "0"]
        one, two = ["--persona", "laptop"], ["--persona", "laptop", "--persona", "ci"]
        pip = [sys.executable, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", "--upgrade",
               f"--target={folder}/site", str(folder / "anchor-1.0.0-py3-none-any.whl")]  # fmt: skip
        ways = {
            "npm install, outside": npm,
            "pip install, outside": pip,
            "npm package, one persona": [*detonate, *one, str(folder / "anchor.tgz")],
            "npm package, two personas": [*detonate, *two, str(folder / "anchor.tgz")],
            "npm package, three personas": [*detonate, *two, "--persona", "root", str(folder / "anchor.tgz")],
            "wheel, one persona": [*detonate, *one, str(folder / "anchor-1.0.0-py3-none-any.whl")],
            "wheel, two personas": [*detonate, *two, str(folder / "anchor-1.0.0-py3-none-any.whl")],
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, words in ways.items():
                begun = time.monotonic()
                done = subprocess.run(words, cwd=folder / "app", env=dict(os.environ), capture_output=True, check=False)
                times[way].append(time.monotonic() - begun)
                if done.returncode not in (0, 12, 13):
                    raise SystemExit(f"{way} ended with {done.returncode}: {done.stderr.decode()}")
    print(f"seconds by the clock, median of {rounds}; to the limit of {LIMIT:.0f} s")
    middles = {way: statistics.median(found) for way, found in times.items()}
    for way, middle in middles.items():
        print(f"| {way} | {middle:.2f} | {middle / LIMIT:.2f} |")
    return int(middles["npm package, one persona"] > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Logs of mirrors: how fast `check mirror:` reads a million requests, against grep, which understands nothing.

Usage: `python -m benchmarks.mirrors [--requests N]`. It writes two logs of N requests of 2,000 packages, one as nginx
writes it and one as Verdaccio does (three lines a request), with three pulls of a listed release planted in each. The
run fails where their clients are not named. The peer is `grep -c axios-1.14.1.tgz` on the same file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLANTED = ("10.9.9.1", "10.9.9.2", "10.9.9.3")


def write(folder: Path, requests: int) -> list[Path]:
    """The two logs."""
    nginx, verdaccio = folder / "access.log", folder / "verdaccio.log"
    planted = dict(zip((requests // 5, requests // 2, requests - 2), PLANTED, strict=True))
    with nginx.open("w", encoding="utf-8") as plain, verdaccio.open("w", encoding="utf-8") as pino:
        for number in range(requests):
            client = planted.get(number) or f"10.{number % 3}.{number % 250}.{number % 240}"
            name = "axios" if number in planted else f"package-{number % 2000}"
            version = "1.14.1" if number in planted else f"1.{number % 40}.0"
            path = f"/{name}/-/{name}-{version}.tgz"
            agent = "npm/10.9.9 node/v20.20.2 linux x64 workspaces/false"
            plain.write(
                f"{client} - ci [31/Mar/2026:{number % 24:02}:{number % 60:02}:00 +0000] "
                f'"GET {path} HTTP/1.1" 200 3095 "-" "{agent}"\n'
            )
            when, request = 1774919400000 + number, {"method": "GET", "url": path}
            begun = {**request, "headers": {"user-agent": agent, "accept": "*/*", "host": "mirror.example"}}
            for entry in (
                {"level": 30, "time": when, "sub": "in", "req": begun, "ip": client},
                {"level": 25, "time": when, "request": request, "user": None, "remoteIP": client, "status": 200},
                {"level": 25, "time": when, "request": request, "user": "ci", "remoteIP": client, "status": 200},
            ):
                if "request" in entry:
                    entry["bytes"] = {"in": 0, "out": 3095 if entry["user"] else 0}
                pino.write(json.dumps(entry, separators=(",", ":")) + "\n")
    return [nginx, verdaccio]


def measured(words: list[str]) -> tuple[float, int, bytes]:
    """Processor seconds, peak memory in megabytes and output of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, after.ru_maxrss // 1024, done.stdout


def main() -> int:
    """Write, measure, verify and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for path in write(Path(name), given.requests):
            size = path.stat().st_size / 1e6
            grep, _, _ = measured(["grep", "-c", "axios-1.14.1.tgz", str(path)])
            check = [sys.executable, "-m", "pratique", "check", f"mirror:{path}", "--incident", "axios-2026-03-31"]
            began = time.monotonic()
            spent, peak, out = measured([*check, "--format", "json"])
            wall = time.monotonic() - began
            pulls = [item["facts"] for item in json.loads(out)["observations"] if item["kind"] == "request"]
            clients = {item.get("client") for item in pulls if item["version"] == "1.14.1"}
            if clients != set(PLANTED):
                print(f"{path.name}: the planted pulls were not found: {clients}")
                return 1
            print(
                f"{path.name}: {size:.0f} MB, {spent:.1f} s CPU, {size / spent:.0f} MB/s CPU, wall {wall:.1f} s, "
                f"peak {peak} MB; grep {grep:.2f} s, {spent / max(grep, 0.001):.0f} times grep"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What `pratique watch` costs at rest, and what of many short programs it sees.

    python -m benchmarks.watch [--seconds N]

At rest: the watch runs beside whatever this machine does, by each means, and in a process namespace of its own with 200
sleeping processes, where nothing else happens (as root). Told are the part of one core that it used and the most memory
that it held, each as a ratio of its limit, and how many events it saw meanwhile: a machine that does much is not at
rest. Then 1,000 programs that do nothing are started one after the other: how many of them were seen, of how many the
arguments could be read, and what each cost the watch.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MOST_CPU = 0.01
MOST_MEMORY = 60.0
SLEEPERS = 200
STARTS = 1000
MANY = f"i=0; while [ $i -lt {STARTS} ]; do /bin/true; i=$((i+1)); done"
TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """A watch that runs, as its own process."""

    def __init__(self, folder: Path, *options: str, before: Sequence[str] = ()) -> None:
        self.events = folder / "events.ndjson"
        words = [*before, sys.executable, "-m", "pratique", "watch", "--json", "--events", str(self.events), *options]
        given = {**os.environ, "HOME": str(folder), "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given, text=True)
        assert self.process.stderr is not None
        said = self.process.stderr.readline()
        if not said.startswith("watch: began"):
            raise RuntimeError(said)

    def cpu(self) -> float:
        """Seconds of a processor that it used."""
        cells = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(cells[11]) + int(cells[12])) / TICKS

    def memory(self) -> float:
        """The most memory that it held, in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1000
        return 0.0

    def end(self) -> dict[str, Any]:
        """End it; its sums."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return dict(json.loads(out.splitlines()[-1])["sums"])


def at_rest(folder: Path, means: str, seconds: float) -> None:
    """Measure beside what this machine does."""
    watch = Watch(folder, "--means", means)
    time.sleep(2)
    before, begin = watch.cpu(), time.monotonic()
    time.sleep(seconds)
    used = (watch.cpu() - before) / (time.monotonic() - begin)
    memory = watch.memory()
    told(f"at rest, {means}", used, memory, watch.end().get("events", 0) / seconds)


def alone(folder: Path, seconds: float) -> None:
    """Measure in a process namespace with nothing but sleeping processes."""
    inner = f"""
import json,subprocess,sys,time
from pathlib import Path
from benchmarks.watch import Watch
sleepers=[subprocess.Popen(["sleep","1000"]) for _ in range({SLEEPERS})]
watch=Watch(Path({str(folder)!r}),"--means","poll")
time.sleep(2)
before=watch.cpu(); time.sleep({seconds}); used=(watch.cpu()-before)/{seconds}
memory=watch.memory(); sums=watch.end()
for one in sleepers: one.kill()
print(json.dumps([used,memory,sums.get("events",0)/{seconds}]))
"""
    done = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", inner],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    if done.returncode:
        print("in a namespace of its own: not measured:", done.stderr.strip().splitlines()[-1:])
        return
    told(f"at rest, poll, {SLEEPERS} sleeping", *json.loads(done.stdout))


def told(what: str, used: float, memory: float, events: float) -> None:
    """One row of the table."""
    print(
        f"| {what} | {used * 100:.2f} % | {used / MOST_CPU:.2f} | {memory:.0f} MB | {memory / MOST_MEMORY:.2f} "
        f"| {events:.1f} |"
    )


def starts(folder: Path) -> None:
    """Start many programs that do nothing."""
    watch = Watch(folder, "--means", "connector")
    before = watch.cpu()
    with subprocess.Popen(["sh", "-c", MANY]) as shell:
        shell.wait()
    time.sleep(1)
    used = watch.cpu() - before
    sums = watch.end()
    events = [json.loads(line) for line in watch.events.read_text("utf-8").splitlines()[1:]]
    mine = [one for one in events if one["kind"] == "process.start" and one["process"].get("parent") == shell.pid]
    read = [one for one in mine if not one.get("detail", {}).get("unread")]
    print(
        f"{STARTS} short programs: {len(mine)} seen, arguments of {len(read)} read, {sums.get('lost', 0)} times lost, "
        f"{used / max(1, len(events)) * 1000:.2f} ms of a processor for each event"
    )


def main(arguments: list[str]) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args(arguments)
    print("| What | one core | of 1 % | memory | of 60 MB | events a second |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for means in ("connector", "poll"):
            try:
                at_rest(folder, means, options.seconds)
            except RuntimeError as error:
                print(f"| at rest, {means} | not measured: {str(error).strip()} |")
        if os.geteuid() == 0 and shutil.which("unshare"):
            alone(folder, options.seconds)
        try:
            starts(folder)
        except RuntimeError as error:
            print(f"short programs: not measured: {str(error).strip()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

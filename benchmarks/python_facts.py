"""What reading Python costs: bytes a processor second, against parsing alone.

    python -m benchmarks.python_facts FILES... [--runs N]

FILES are wheels, zips, source archives in tar, or folders. Each Python file in them is read for facts, and parsed by
the grammar alone, in turns in one process; the medians of all files together are printed, with the slowest files and
how many facts of each kind there were. Nothing is imported or executed.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.python import bindings, extractor, source


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """The Python files of an archive or folder: name and bytes."""
    if path.is_dir():
        for file in sorted(path.rglob("*.py")):
            yield str(file), file.read_bytes()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".py"):
                    yield f"{path.name}/{name}", archive.read(name)
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                held = archive.extractfile(member) if member.isfile() and member.name.endswith(".py") else None
                if held is not None:
                    yield f"{path.name}/{member.name}", held.read()


def parse(files: list[tuple[str, bytes]]) -> float:
    """Processor seconds for parsing alone."""
    begin = time.process_time()
    for _, content in files:
        try:
            bindings.parsed(source.Source(content))
        except source.NotTextError:
            continue
    return time.process_time() - begin


def read(files: list[tuple[str, bytes]], kinds: Counter[str], slowest: list[tuple[float, int, str]]) -> float:
    """Processor seconds for all facts."""
    kinds.clear()
    slowest.clear()
    begin = time.process_time()
    for name, content in files:
        start = time.process_time()
        file = SourceFile(name, content, hashlib.sha256(content).hexdigest(), "python")
        for one in extractor.facts(file):
            kinds[one.kind if isinstance(one, Fact) else f"refusal: {one.reason}"] += 1
            if isinstance(one, Refusal):
                print(f"refused: {name}: {one.reason}")
        slowest.append((time.process_time() - start, len(content), name))
    return time.process_time() - begin


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    files = [one for path in given.files for one in members(path)]
    octets = sum(len(content) for _, content in files)
    kinds: Counter[str] = Counter()
    slowest: list[tuple[float, int, str]] = []
    costs = [(read(files, kinds, slowest), parse(files)) for _ in range(given.runs)]
    facts = statistics.median(cost for cost, _ in costs)
    alone = statistics.median(cost for _, cost in costs)
    print(f"{len(files)} files, {octets / 1e6:.1f} MB")
    print(f"facts: {facts:.2f} s CPU, {octets / 1e6 / facts:.1f} MB/s; parsing alone: {alone:.2f} s, "
          f"{octets / 1e6 / alone:.1f} MB/s; ratio {facts / alone:.2f}")  # fmt: skip
    for cost, size, name in sorted(slowest, reverse=True)[:5]:
        print(f"{cost:.2f} s for {size} bytes: {name}")
    for kind, count in kinds.most_common():
        print(f"{count:8} {kind}")


if __name__ == "__main__":
    main()

"""Fuzz one reader with atheris until it is stopped: `python -m tests.fuzz READER [options of libFuzzer]`.

A reader may yield observations and refusals, or raise Unreadable. Anything else that it raises, a hang and a jump in
memory are findings. docs/how-to/fuzz-a-reader.md says how to run it and what to do with a finding.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Interest, Unreadable
from tests.golden.harness import ALL, cases, claimed, in_memory, readers

NAMES = frozenset({"axios", "plain-crypto-js", "@standin/redirects"})


def seeds(name: str) -> list[tuple[str, bytes]]:
    """Paths and bytes of a reader's golden cases, small ones first."""
    reader = readers()[name]
    found = []
    for owner, case in cases():
        root = case / "input"
        for path in sorted(root.rglob("*")) if owner == name else ():
            relative = path.relative_to(root).as_posix()
            if path.is_file() and claimed(reader, relative):
                found.append((relative, path.read_bytes()))
    return sorted(found, key=lambda item: len(item[1]))


def target(name: str, paths: list[str]) -> Callable[[bytes], None]:
    """What the fuzzer calls with bytes: the first one chooses the path, the rest is the file."""
    reader = readers()[name]
    some = Interest({"npm": NAMES})

    def once(data: bytes) -> None:
        path = paths[data[0] % len(paths)] if data else paths[0]
        for interest in (some, ALL):
            try:
                records = list(reader.read(in_memory(data[1:], path), interest))
            except Unreadable:
                continue
            if not all(isinstance(item, Observation | Refusal) for item in records):
                raise TypeError("yields something else than observations and refusals")
            msgspec.json.encode(records).decode("utf-8")

    return once


def main() -> int:
    """Run until a finding or until stopped."""
    known = readers()
    if len(sys.argv) < 2 or sys.argv[1] not in known:
        sys.stderr.write(f"usage: python -m tests.fuzz READER [OPTION...]\nreaders: {', '.join(sorted(known))}\n")
        return 2
    name = sys.argv[1]
    try:
        import atheris
    except ImportError:
        sys.stderr.write("atheris is not installed: docs/how-to/fuzz-a-reader.md\n")
        return 2
    found = seeds(name)
    paths = sorted({path for path, _ in found})
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        for number, (path, data) in enumerate(found):
            (Path(folder) / f"{number:04}").write_bytes(bytes([paths.index(path) % 256]) + data)
        atheris.instrument_all()
        options = [sys.argv[0], "-timeout=10", "-rss_limit_mb=2048", *sys.argv[2:], folder]
        atheris.Setup(options, target(name, paths))
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())

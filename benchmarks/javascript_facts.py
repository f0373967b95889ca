"""Measure what facts of JavaScript cost against the bare parse of the same files.

    python -m benchmarks.javascript_facts ARCHIVE_OR_FOLDER...

Each argument is a tarball of a package, or a folder of them (as `npm pack NAME@VERSION` leaves them). Every file of
JavaScript or TypeScript in them is parsed alone, and read for facts; both in turns, in processor time. Nothing of the
packages is executed. Printed are megabytes for each second of processor time, the ratio of the two, facts and refusals.
The run fails (exit status 1) when a file makes the reading raise, or no file was found.
"""

from __future__ import annotations

import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

from pratique.model.observation import Refusal
from pratique.model.release import SourceFile
from pratique.releases.javascript import facts
from pratique.releases.javascript.source import grammar_of, parser

ENDINGS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")
TYPES = (".d.ts", ".d.mts", ".d.cts")
LARGEST = 64 << 20


def archives(arguments: list[str]) -> Iterator[Path]:
    """The tarballs that are named, or lie in the folders that are."""
    for argument in arguments:
        path = Path(argument)
        yield from sorted(path.glob("*.tgz")) if path.is_dir() else [path]


def files(archive: Path) -> Iterator[SourceFile]:
    """The files of JavaScript and TypeScript in a tarball."""
    with tarfile.open(archive) as opened:
        for member in opened:
            if not member.isfile() or member.size > LARGEST or not member.name.endswith(ENDINGS):
                continue
            if member.name.endswith(TYPES):
                continue
            content = opened.extractfile(member)
            if content is not None:
                kind = "typescript" if member.name.endswith(("ts", "tsx")) else "javascript"
                yield SourceFile(path=member.name, content=content.read(), sha256="0" * 64, kind=kind)


def main(arguments: list[str]) -> int:
    """Measure, print a table, give the exit status."""
    octets = parsed = read = 0.0
    told = refused = broken = 0
    print(f"{'archive':44} {'MB':>7} {'parse MB/s':>11} {'facts MB/s':>11} {'ratio':>6} {'facts':>7}")
    for archive in archives(arguments):
        size = parse = fact = 0.0
        number = 0
        for file in files(archive):
            start = time.process_time()
            parser(grammar_of(file)).parse(file.content)
            middle = time.process_time()
            try:
                found = list(facts(file))
            except Exception as error:  # noqa: BLE001  the benchmark tells of any failure and goes on
                print(f"{archive.name} {file.path}: {error!r}", file=sys.stderr)
                broken += 1
                found = []
            parse += middle - start
            fact += time.process_time() - middle
            size += len(file.content) / 1e6
            number += len(found)
            refused += sum(1 for one in found if isinstance(one, Refusal))
        octets, parsed, read, told = octets + size, parsed + parse, read + fact, told + number
        print(_row(archive.name, size, parse, fact, number))
    print(_row("all", octets, parsed, read, told))
    print(f"refusals: {refused}")
    return 1 if broken or not octets else 0


def _row(name: str, size: float, parse: float, fact: float, number: int) -> str:
    parse, fact = max(parse, 1e-9), max(fact, 1e-9)
    return f"{name[:44]:44} {size:7.2f} {size / parse:11.2f} {size / fact:11.2f} {fact / parse:6.2f} {number:7}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

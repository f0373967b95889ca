"""Measure the check of container images against unpacking alone, and check that it missed nothing.

    python -m benchmarks.images [--megabytes N] [--runs N] [--tree FOLDER] [--into FOLDER]

Two images are made, one of gzip and one of zstd layers: a large layer of packages as `node_modules` holds them, and a
small one that deletes a folder of the first. Their files are those of a real tree (without `--tree`, the library of
this Python) under ever new names. Bad releases lie at the start, in the middle and at the end of the large layer.

The peers do the least that anybody must: `gzip -dc LAYER | tar -t`, `zstd -dc LAYER | tar -t`. All commands run in
turns; medians of processor time and their ratios are printed. The run fails when a seeded place is not reported, or
when the peak memory with the large layer is not that with a small one.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measuring import Cost, Meter, as_json, compile_c, machine, summarise
from tests.standins.images import Layout, layer

SMALL = 32
LIMIT = 600.0
GROWTH_MB = 40
"""By so many megabytes may the peak memory with the large layer exceed that with the small one."""
SEEDS = ("a/start", "m/middle", "z/end")
BAD = b'{"name": "axios", "version": "1.14.1"}'
DROPPER = b'{"name": "plain-crypto-js", "version": "4.2.1", "scripts": {"postinstall": "node setup.js"}}'


def contents(tree: Path) -> Iterator[bytes]:
    """The files of a real tree, over and over."""
    files = [path for path in sorted(tree.rglob("*")) if path.suffix in (".py", ".js", ".json", ".ts", ".md", ".map")]
    files = [path for path in files if path.is_file() and path.stat().st_size < 1 << 19]
    while files:
        for path in files:
            yield path.read_bytes()


def write(path: Path, size: int, tree: Path, *, tampering: bool) -> None:
    """A plain layer of about so many bytes; bad releases at its start, middle and end."""
    source = contents(tree)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:

        def add(name: str, data: bytes) -> int:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1774920000
            archive.addfile(info, io.BytesIO(data))
            return 512 + len(data) + -len(data) % 512

        written, number, seeds = 0, 0, list(SEEDS)
        while written < size or seeds:
            if seeds and written >= size * (len(SEEDS) - len(seeds)) / len(SEEDS):
                folder = f"{seeds.pop(0)}/node_modules"
                written += add(f"{folder}/axios/package.json", BAD)
                if tampering:
                    written += add(f"{folder}/plain-crypto-js/package.json", DROPPER)
                    written += add(f"{folder}/plain-crypto-js/setup.js", b"// inert")
                    written += add(f"{folder}/plain-crypto-js/package.md", b"{}")
            package = f"srv/app/node_modules/package-{number // 24:05}"
            if number % 24 == 0:
                text = {"name": f"package-{number // 24:05}", "version": f"1.{number % 97}.0", "license": "MIT"}
                written += add(f"{package}/package.json", json.dumps(text, indent=2).encode())
            written += add(f"{package}/lib/file-{number:06}.js", b"// %d\n" % number + next(source))
            number += 1


def packed(plain: Path, program: str) -> Path:
    """The layer, compressed by a real program at its default level."""
    path = plain.with_suffix(".gz" if program == "gzip" else ".zst")
    with plain.open("rb") as source, path.open("wb") as target:
        subprocess.run([program, "-c"], stdin=source, stdout=target, check=True)
    return path


def image(folder: Path, blob: Path) -> Path:
    """An OCI layout of that layer and one that deletes a folder of it."""
    layout = Layout(folder)
    with blob.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    shutil.copy(blob, folder / "blobs/sha256" / digest)
    later = layout.blob(layer({f"{SEEDS[0]}/.wh.node_modules": b""}))
    rows = [{"digest": f"sha256:{digest}"}, {"digest": later}]
    layout.name("shop", layout.document({"config": {"digest": layout.document({})}, "layers": rows}))
    return folder


def seen(output: Path) -> list[str]:
    """The seeded places that a report names."""
    report = json.loads(output.read_bytes())
    found = {item["location"]["path"] for item in report["sightings"]}
    return [seed for seed in SEEDS if f"{seed}/node_modules/axios/package.json" in found]


class Bench:
    """All commands, run in turns."""

    def __init__(self, meter: Meter, folder: Path) -> None:
        self.meter = meter
        self.folder = folder
        self.failures: list[str] = []

    def check(self, path: Path, *options: str) -> Cost:
        """One check of an image; its answer is looked at."""
        output = self.folder / "report.json"
        output.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pratique", "check", f"image:{path}", "--jobs", "1", *options]
        cost = self.meter.run([*command, "--format", "json", "--output", str(output)], LIMIT)
        missed = set(SEEDS) - set(seen(output))
        if cost.status != 10 or missed:
            self.failures.append(f"{path.name}: exit code {cost.status}, missed {sorted(missed)}")
        return cost

    def peer(self, program: str, blob: Path) -> Cost:
        """Unpacking and listing alone."""
        return self.meter.run(["sh", "-c", f"{program} -dc '{blob}' | tar -t > /dev/null"], LIMIT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the images, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tree", type=Path, default=Path(sysconfig.get_paths()["stdlib"]))
    parser.add_argument("--into", type=Path)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=chosen.into) as scratch:
        folder = Path(scratch)
        bench = Bench(Meter(compile_c("measure", folder / "bin")), folder)
        rows: dict[str, list[Cost]] = {}
        images: dict[str, tuple[Path, Path]] = {}
        for name, size, tampering in (("large", chosen.megabytes, False), ("tampered", chosen.megabytes, True)):
            plain = folder / f"{name}.tar"
            write(plain, size << 20, chosen.tree, tampering=tampering)
            for program in ("gzip", "zstd"):
                blob = packed(plain, program)
                images[f"{name} {program}"] = image(folder / f"{name}-{program}", blob), blob
            images[f"{name} plain"] = image(folder / f"{name}-plain", plain), plain
        write(folder / "small.tar", SMALL << 20, chosen.tree, tampering=False)
        small = image(folder / "small", packed(folder / "small.tar", "gzip"))
        for _ in range(chosen.runs):
            for program in ("gzip", "zstd"):
                rows.setdefault(f"{program} -dc | tar -t", []).append(
                    bench.peer(program, images[f"large {program}"][1])
                )
            for name, (path, _) in images.items():
                rows.setdefault(f"check, {name}", []).append(bench.check(path, "--no-cache"))
            rows.setdefault("check, small gzip", []).append(bench.check(small, "--no-cache"))
            path = images["large gzip"][0]
            shutil.rmtree(folder / "kept", ignore_errors=True)
            bench.check(path, "--resume", str(folder / "kept"))
            rows.setdefault("check, large gzip, again", []).append(bench.check(path, "--resume", str(folder / "kept")))
        told = {name: summarise(costs) for name, costs in rows.items()}
        print(json.dumps(machine(folder)))
        print(f"layer: {images['large gzip'][1].stat().st_size:,} bytes gzip,", end=" ")
        print(f"{images['large zstd'][1].stat().st_size:,} zstd, {(folder / 'large.tar').stat().st_size:,} plain")
        for name, summary in told.items():
            program = "zstd" if "zstd" in name else "gzip"
            ratio = summary.cpu / told[f"{program} -dc | tar -t"].cpu
            peak = f"{summary.peak_mb:6.0f} MB"
            span = f"{summary.cpu_least:.2f} to {summary.cpu_most:.2f}"
            print(f"{name:26} {summary.cpu:6.2f} s CPU ({span})  {ratio:5.2f} of {program}  {peak}")
        print(json.dumps({name: as_json(summary) for name, summary in told.items()}))
        grown = told["check, large gzip"].peak_mb - told["check, small gzip"].peak_mb
        if grown > GROWTH_MB:
            bench.failures.append(f"the peak memory grew by {grown:.0f} MB with the layer")
    for failure in sorted(set(bench.failures)):
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())

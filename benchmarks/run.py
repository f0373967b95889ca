"""Measure pratique against the limit of the machine and against its peers, and check that it missed nothing.

    python -m benchmarks.run [--corpus FOLDER] [--runs N] [--cold] [--without-peers]

The corpus is the folder that ``python -m benchmarks.corpus`` and ``python -m benchmarks.seed`` made. All commands run
in turns (A B C A B C ...), so that a disturbance of the machine falls on all of them; medians and ratios of medians are
printed. Processor time is user and system time of the whole process with its children. The memory figure is that of
the largest process.

The run fails (exit status 1) when pratique's count of entries differs from that of the C walk, when a seeded place is
not reported, when a seeded release is reported where none was planted, or when one and two processes give different
sightings.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.corpus import count, default_folder
from benchmarks.measuring import (
    Cost,
    Meter,
    Summary,
    Unmeasured,
    as_json,
    compile_c,
    drop_caches,
    machine,
    summarise,
)
from benchmarks.peers import Peer, peers
from pratique.ecosystems.npm.layout import CONTENT_FOLDERS

QUIET_LOAD = 0.3
GROWTH = (50_000, 150_000, 500_000)
READ_STATUSES = frozenset({0, 3, 4, 10, 11})
"""Exit statuses of a check that wrote its report."""


@dataclass
class Line:
    """One row of the table: a command, its runs, or why there are none."""

    name: str
    command: Sequence[str]
    remark: str = ""
    output: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    statuses: frozenset[int] | None = None
    costs: list[Cost] = field(default_factory=list)
    missing: str = ""

    def run(self, meter: Meter, limit: float) -> None:
        """Run once more, unless it is known to be unmeasurable."""
        if self.missing:
            return
        try:
            cost = meter.run(self.command, limit, self.env, self.output)
        except Unmeasured as reason:
            self.missing = str(reason)
            self.costs.clear()
            return
        if self.statuses is not None and cost.status not in self.statuses:
            self.missing = f"exit status {cost.status}" + (f": {cost.complaint}" if cost.complaint else "")
            self.costs.clear()
            return
        self.costs.append(cost)

    @property
    def reason(self) -> str:
        """Why there are no figures."""
        return self.missing or "not asked for"

    @property
    def summary(self) -> Summary | None:
        return summarise(self.costs) if self.costs else None


class Bench:
    """One run of everything over one corpus."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.base: Path = options.corpus.resolve()
        self.tree: Path = self.base / "tree"
        self.work: Path = self.base / "work"
        shutil.rmtree(self.work, ignore_errors=True)  # nothing of an earlier run may be taken for a result of this one
        self.work.mkdir()
        self.options = options
        self.walk = compile_c("walk", self.work)
        self.meter = Meter(compile_c("measure", self.work))
        self.pratique: list[str] = options.pratique.split() if options.pratique else find_pratique()
        self.failures: list[str] = []

    def check_command(self, target: Path, output: Path, *more: str) -> list[str]:
        fixed = ["check", str(target), "--no-progress", "--format", "json", "--output", str(output)]
        return [*self.pratique, *fixed, *more]

    def ours(self) -> list[Line]:
        """The C walk and pratique's own modes."""
        skips = [
            part for found in CONTENT_FOLDERS.values() for marker in found for part in ("--skip", "/".join(marker))
        ]
        walk = [str(self.walk), str(self.tree)]
        lines = [
            Line("C walk", walk, "getdents64 and openat only", statuses=frozenset({0})),
            Line("C walk, less", [*walk, *skips], "without the folders pratique leaves out", statuses=frozenset({0})),
        ]
        modes: tuple[tuple[str, str, tuple[str, ...]], ...] = (
            ("pratique", "as installed", ()),
            ("pratique --jobs 1", "one process", ("--jobs", "1")),
            ("pratique --jobs 2", "two processes", ("--jobs", "2")),
            ("pratique --quick", "cannot say not affected", ("--quick",)),
        )
        for name, remark, more in modes:
            command = self.check_command(self.tree, self.report_of(name), *more)
            lines.append(Line(name, command, remark, statuses=READ_STATUSES))
        return lines

    def report_of(self, name: str) -> Path:
        return self.work / f"{name.replace(' ', '-')}.json"

    def theirs(self) -> tuple[list[Line], list[Line], dict[str, Peer]]:
        """Fast peers, slow peers, and the declarations behind them."""
        fast: list[Line] = []
        slow: list[Line] = []
        found = peers(self.base, self.tree, self.work / "peer-output")
        for peer in found:
            output = None if "peer-output" in " ".join(peer.command) else self.work / f"{peer.name}.out"
            line = Line(peer.name, peer.command, peer.remark, output, dict(peer.env), None, [], peer.missing)
            (slow if peer.slow else fast).append(line)
        return fast, slow, {peer.name: peer for peer in found}

    def turns(self, lines: Sequence[Line], rounds: int, limit: float, before: Callable[[], None] | None = None) -> None:
        """Run all lines in turns."""
        for turn in range(rounds):
            for line in lines:
                if before is not None:
                    before()
                line.run(self.meter, limit)
                took = f"{line.costs[-1].cpu:.2f} s" if line.costs else f"not measured: {line.missing}"
                say(f"  {turn + 1}/{rounds} {line.name}: {took}")

    def slow_turns(self, lines: Sequence[Line], rounds: int) -> None:
        """The same for peers that all write one file of their own: keep it under the peer's name."""
        shared = self.work / "peer-output"
        for _ in range(rounds):
            for line in lines:
                shared.unlink(missing_ok=True)
                self.turns([line], 1, self.options.limit)
                if shared.is_file():
                    shared.replace(self.kept(line))

    def kept(self, line: Line) -> Path:
        return self.work / f"{line.name}.kept"

    # checks

    def verify(self) -> dict[str, Any]:
        """Hold pratique's reports against the C walk and against what was seeded."""
        seeded: list[dict[str, Any]] = json.loads((self.base / "SEEDED.json").read_text())
        reports = {name: self.read_report(name) for name in ("pratique --jobs 1", "pratique --jobs 2")}
        if any(report is None for report in reports.values()):
            self.failures.append("there is no report of pratique to verify")
            return {}
        one, two = (report or {} for report in reports.values())
        result: dict[str, Any] = {}
        for name, report in (("1", one), ("2", two)):
            result[f"entries_{name}"] = self.verify_entries(report, name)
            result[f"seeded_{name}"] = self.verify_seeded(report, seeded, name)
        same = canonical(one["sightings"]) == canonical(two["sightings"])
        coverage = [{**r["coverage"], "refusals": canonical(r["coverage"]["refusals"])} for r in (one, two)]
        result["sightings_equal"] = same
        result["coverage_equal"] = coverage[0] == coverage[1]
        if not same:
            self.failures.append("sightings differ between one and two processes")
        if coverage[0] != coverage[1]:
            self.failures.append("coverage differs between one and two processes")
        kept = ("complete", "entries", "artifacts", "bytes", "by_reader", "skipped_by_rule")
        result["coverage"] = {key: one["coverage"][key] for key in kept}
        result["refusals"] = len(one["coverage"]["refusals"])
        return result

    def read_report(self, name: str) -> dict[str, Any] | None:
        path = self.report_of(name)
        if not path.is_file():
            return None
        report: dict[str, Any] = json.loads(path.read_text())
        return report

    def verify_entries(self, report: dict[str, Any], name: str) -> dict[str, int]:
        """The entries pratique counted, and those the C walk counts when it leaves out the same folders."""
        rules = {row["rule"] for row in report["coverage"]["skipped_by_rule"]}
        markers = [marker for rule, found in CONTENT_FOLDERS.items() if rule in rules for marker in found]
        if "other-file-system" in rules or "excluded" in rules:
            self.failures.append("the corpus holds another file system, so entries cannot be compared")
        skips = [part for marker in markers for part in ("--skip", "/".join(marker))]
        counted = walk_counts(self.walk, self.tree, skips)
        mine = int(report["coverage"]["entries"])
        if mine != counted["entries"]:
            self.failures.append(f"--jobs {name}: {mine} entries, the C walk counts {counted['entries']}")
        return {"pratique": mine, "c_walk": counted["entries"], "folders_left_out": counted["skipped"]}

    def verify_seeded(self, report: dict[str, Any], seeded: list[dict[str, Any]], name: str) -> dict[str, Any]:
        """Every seeded place must be in a sighting, and the seeded releases must be seen nowhere else."""
        seen = {(row["location"]["path"], row["purl"]) for row in report["sightings"]}
        wanted = {(row["path"], purl): row["format"] for row in seeded for purl in row["purls"]}
        planted = {purl for _, purl in wanted}
        missed = sorted(f"{wanted[key]} {key[1]}" for key in wanted if key not in seen)
        strays = sorted((path, purl) for path, purl in seen if not path.startswith("seeded/"))
        extra = [f"{path} {purl}" for path, purl in strays if purl in planted]
        if missed:
            self.failures.append(f"--jobs {name}: not reported: " + "; ".join(missed))
        if extra:
            self.failures.append(f"--jobs {name}: reported but not seeded: " + "; ".join(extra[:5]))
        return {"planted": len(wanted), "reported": len(wanted) - len(missed), "missed": missed, "not_seeded": strays}

    def places(self, lines: Sequence[Line], known: dict[str, Peer]) -> dict[str, str]:
        """How many of the seeded files each peer names."""
        seeded = {row["path"] for row in json.loads((self.base / "SEEDED.json").read_text())}
        found: dict[str, str] = {}
        for line in lines:
            peer = known[line.name]
            path = line.output or self.kept(line)
            if line.missing or peer.places is None or not path.is_file():
                continue
            try:
                named = peer.places(path.read_text())
            except (ValueError, KeyError) as error:
                found[line.name] = f"output not understood ({error})"
                continue
            found[line.name] = f"{len(named & seeded)} of {len(seeded)}"
        return found

    def own_places(self) -> dict[str, str]:
        """How many of the seeded files pratique names, in each of its modes."""
        seeded = {row["path"] for row in json.loads((self.base / "SEEDED.json").read_text())}
        found: dict[str, str] = {}
        for name in ("pratique", "pratique --jobs 1", "pratique --jobs 2", "pratique --quick"):
            report = self.read_report(name)
            if report is not None:
                named = {row["location"]["path"] for row in report["sightings"]}
                found[name] = f"{len(named & seeded)} of {len(seeded)}"
        return found

    # measurements apart from the main table

    def start_up(self) -> dict[str, Any]:
        """The cost of doing nothing."""
        empty = self.work / "empty"
        empty.mkdir(exist_ok=True)
        lines = [
            Line("python -c pass", [sys.executable, "-c", "pass"]),
            Line("pratique --version", [*self.pratique, "--version"], statuses=frozenset({0})),
            Line("pratique check EMPTY", self.check_command(empty, self.work / "empty.json"), statuses=READ_STATUSES),
        ]
        self.turns(lines, 15, 60)
        return rows(lines)

    def growth(self) -> dict[str, Any]:
        """Cost over subsets of the corpus: the same files under hard links, project after project."""
        table: dict[str, Any] = {}
        lines: list[Line] = []
        sizes: list[int] = []
        for wanted in GROWTH:
            folder = self.base / "growth" / str(wanted)
            if not folder.is_dir():
                link_subset(self.tree, folder, wanted)
            sizes.append(walk_counts(self.walk, folder, [])["entries"])
            command = self.check_command(folder, self.work / f"growth-{wanted}.json", "--jobs", "1")
            lines.append(Line(f"{wanted} files", command, statuses=READ_STATUSES))
        self.turns(lines, 1, 600)
        for line in lines:
            line.costs.clear()
        self.turns(lines, self.options.runs, 600)
        for entries, line in zip(sizes, lines, strict=True):
            if line.summary is not None:
                per_million = line.summary.cpu / entries * 1e6
                row = as_json(line.summary)
                table[line.name] = {**row, "entries": entries, "cpu_per_million_entries": round(per_million, 3)}
        return table

    def cold(self) -> dict[str, Any]:
        """The same with empty caches, if the machine lets us empty them."""
        lines = [line for line in self.ours() if line.name != "pratique --quick"]
        fast, _, _ = self.theirs()
        lines += fast
        try:
            drop_caches()
        except Unmeasured as reason:
            return {"not measured": str(reason)}
        self.turns(lines, self.options.cold_runs, self.options.limit, before=drop_caches)
        return rows(lines)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def canonical(value: object) -> str:
    items = value if isinstance(value, list) else [value]
    return "\n".join(sorted(json.dumps(item, sort_keys=True) for item in items))


def find_pratique() -> list[str]:
    """The installed command beside this Python, or the module."""
    beside = shutil.which("pratique", path=str(Path(sys.executable).parent))
    return [beside] if beside else [sys.executable, "-m", "pratique"]


def walk_counts(walk: Path, folder: Path, skips: Sequence[str]) -> dict[str, int]:
    done = subprocess.run([str(walk), str(folder), *skips], check=True, capture_output=True, text=True)
    pairs = (word.split("=") for word in done.stdout.split())
    return {key: int(value) for key, value in pairs}


def link_subset(tree: Path, folder: Path, wanted: int) -> None:
    """Fill a folder with hard links to installed projects until it holds the wanted number of files.

    The projects come in an order that does not depend on their size or client, so each subset holds the smaller ones.
    """
    source = tree / "home" / "src"
    projects = [path for kind in source.iterdir() for path in kind.iterdir()]
    have = 0
    for project in sorted(projects, key=lambda path: hashlib.sha256(str(path.relative_to(source)).encode()).digest()):
        if have >= wanted:
            return
        target = folder / project.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-al", str(project), str(target)], check=True)
        have += count(project)["files"]


def rows(lines: Sequence[Line]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for line in lines:
        summary = line.summary
        table[line.name] = {"not measured": line.reason} if summary is None else as_json(summary)
    return table


def ratio(above: Summary | None, below: Summary | None, part: str) -> str:
    if above is None or below is None:
        return "-"
    return f"{getattr(above, part) / getattr(below, part):.2f}"


def print_table(lines: Sequence[Line], found: dict[str, str]) -> None:
    limit = next((line.summary for line in lines if line.name == "C walk"), None)
    head = ("", "CPU s", "range", "wall s", "peak MB", "CPU/C", "wall/C", "seeded", "remark")
    table = [head]
    for line in lines:
        summary = line.summary
        if summary is None:
            table.append((line.name, "-", "-", "-", "-", "-", "-", "-", f"not measured: {line.reason}"))
            continue
        table.append(
            (
                line.name,
                f"{summary.cpu:.2f}",
                f"{summary.cpu_least:.2f}-{summary.cpu_most:.2f}",
                f"{summary.wall:.2f}",
                f"{summary.peak_mb:.0f}",
                ratio(summary, limit, "cpu"),
                ratio(summary, limit, "wall"),
                found.get(line.name, "-"),
                line.remark,
            )
        )
    widths = [max(len(row[index]) for row in table) for index in range(len(head))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def named_ratios(lines: Sequence[Line]) -> dict[str, str]:
    by_name = {line.name: line.summary for line in lines}
    asked = (
        ("pratique --jobs 1", "C walk", "cpu"),
        ("pratique --jobs 1", "C walk", "wall"),
        ("pratique --jobs 2", "C walk", "cpu"),
        ("pratique --jobs 2", "C walk", "wall"),
        ("pratique --jobs 1", "rg", "cpu"),
        ("pratique --jobs 2", "rg", "wall"),
        ("pratique --quick", "C walk", "cpu"),
        ("bumblebee", "pratique --jobs 1", "cpu"),
        ("bumblebee", "pratique --jobs 2", "wall"),
        ("syft 1.18.1", "pratique --jobs 1", "cpu"),
        ("syft 1.18.1", "pratique --jobs 2", "wall"),
        ("cdxgen 12.8.4", "pratique --jobs 1", "cpu"),
        ("cdxgen 12.8.4", "pratique --jobs 2", "wall"),
    )
    return {f"{a} / {b} ({part})": ratio(by_name.get(a), by_name.get(b), part) for a, b, part in asked}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=default_folder(), metavar="FOLDER", help="default: %(default)s")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slow-runs", type=int, default=3, help="runs of the peers that take minutes; 0: none")
    parser.add_argument("--cold", action="store_true", help="measure with empty caches too; slows the whole machine")
    parser.add_argument("--cold-runs", type=int, default=3)
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--limit", type=float, default=900.0, metavar="SECONDS", help="for one run of one command")
    parser.add_argument(
        "--pratique", default="", metavar="COMMAND", help="default: the one installed beside this Python"
    )
    parser.add_argument("--output", type=Path, default=None, metavar="FILE", help="default: below the corpus folder")
    options = parser.parse_args()
    if not (options.corpus / "SEEDED.json").is_file():
        parser.error(f"no corpus in {options.corpus}: run benchmarks.corpus and benchmarks.seed first")
    return options


def main() -> int:
    options = parse()
    bench = Bench(options)
    about = machine(bench.tree)
    noisy = float(str(about["load"])) > QUIET_LOAD
    say(f"load {about['load']:.2f}" + (": not a quiet machine, the times are noisy" if noisy else ""))

    lines = bench.ours()
    fast, slow, known = ([], [], {}) if options.without_peers else bench.theirs()
    warm = [*lines, *fast]
    say("warm-up")
    bench.turns(warm, 1, options.limit)
    for line in warm:
        line.costs.clear()
    say("warm caches")
    bench.turns(warm, options.runs, options.limit)
    verified = bench.verify()
    say("start-up")
    started = bench.start_up()
    say("growth")
    grown = bench.growth()
    say("slow peers")
    bench.slow_turns(slow, options.slow_runs)
    found = bench.own_places() | bench.places([*fast, *slow], known)
    cold = bench.cold() if options.cold else {"not measured": "not asked for (--cold)"}
    everything = [*warm, *slow]
    ratios = named_ratios(everything)

    counts = json.loads((bench.base / "COUNTS.json").read_text())
    result = {
        "measured": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "noisy": noisy,
        "machine": {**about, "load_after": os.getloadavg()[0]},
        "corpus": {"all": counts["all"], "copies": counts["copies"], "names": counts["names"]},
        "warm": rows(everything),
        "ratios": ratios,
        "seeded_files_named": found,
        "start_up": started,
        "growth": grown,
        "cold": cold,
        "verified": verified,
        "failures": bench.failures,
    }
    output = options.output or bench.base / "results" / f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H%M%S}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=2) + "\n")

    print(f"corpus: {counts['all']['entries']} entries, {counts['copies']['entries']} of them in copies")
    print(f"machine: {about['processors']} processors, load {about['load']:.2f}{' (noisy)' if noisy else ''}\n")
    print_table(everything, found)
    print()
    for name, value in ratios.items():
        print(f"{name}: {value}")
    print()
    for title, table in (("start-up", started), ("growth", grown), ("cold caches", cold)):
        print(title)
        for name, row in table.items():
            print(f"  {name}: {row if isinstance(row, str) else json.dumps(row)}")
    print(f"\nresult: {output}")
    for failure in bench.failures:
        print(f"FAILED: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())

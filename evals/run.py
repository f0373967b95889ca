"""The evaluation: `python -m evals.run --corpus FOLDER --out FOLDER`.

Builds the replicas, lays the corpus out, examines what was not examined yet (that is kept in OUT), judges everything
by the rules of the tree and writes `OUT/results.json` and `OUT/results.md`. `--judge-only` judges what is kept, in
seconds; `--documentation` puts the tables into docs/reference/evaluation.md. `--sample N` takes N transitions of each
world and split, picked by a hash of name and version.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from evals import build, corpus, guarddog, tables
from evals.corpus import Listed, npm_archive
from evals.describe import REPLICAS, Replica, load_all
from evals.examined import Outcome, Wanted, examine_all, kept, of_replica
from evals.statistics import rate
from pratique.releases.rules.library import bundled

PAGE = Path(__file__).parents[1] / "docs/reference/evaluation.md"
FROM, TO = "<!-- results -->", "<!-- end of results -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder that evals.corpus fetched")
    parser.add_argument("--out", type=Path, required=True, help="folder for what is kept and for the results")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=0, help="so many transitions of each world and split; 0: all")
    parser.add_argument("--judge-only", action="store_true", help="examine nothing, judge what is kept")
    parser.add_argument("--fresh", action="store_true", help="examine again what other code examined")
    parser.add_argument("--guarddog", type=int, default=0, help="so many ordinary releases for it, and all replicas")
    parser.add_argument("--guarddog-program", type=Path, help="its command, in an environment of its own")
    parser.add_argument("--documentation", action="store_true", help="put the tables into the documentation")
    options = parser.parse_args(arguments)
    replicas = load_all()
    built, view = options.out / "replicas", options.out / "view"
    rows = sampled(corpus.listed(), options.sample)
    wanted_replicas = [of_replica(one, built) for one in replicas.values()]
    wanted_rows = [of_listed(one, view) for one in rows]
    if not options.judge_only:
        for identifier, replica in replicas.items():
            if not (built / identifier).exists():
                build.build(replica, REPLICAS / identifier, options.corpus, built / identifier)
        corpus.lay_out(options.corpus, view, corpus.listed())
        examine_all(wanted_replicas, options.out, jobs=options.jobs, fresh=options.fresh, told=_told)
        first = [of_listed(one, view) for one in sorted(rows, key=lambda one: one.split)]
        examine_all(first, options.out, jobs=options.jobs, fresh=options.fresh, told=_told)
        examine_all(first_of(rows, view), options.out, jobs=options.jobs, fresh=options.fresh, told=_told)
    found = results(replicas, kept(options.out, wanted_replicas), rows, kept(options.out, wanted_rows))
    if options.guarddog:
        if options.guarddog_program is None:
            parser.error("--guarddog needs --guarddog-program")
        told = peer(options.guarddog_program, options.guarddog, replicas, built, rows, options.corpus)
        found = msgspec.structs.replace(found, guarddog=told)
    text = tables.markdown(found)
    (options.out / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    (options.out / "results.md").write_text(text, "utf-8")
    if options.documentation:
        page = PAGE.read_text("utf-8")
        before, after = page.partition(FROM)[0], page.partition(TO)[2]
        PAGE.write_text(f"{before}{FROM}\n\n{text}\n{TO}{after}", "utf-8")
    print(text)
    return 0


def sampled(rows: Sequence[Listed], size: int) -> list[Listed]:
    """All rows, or so many of each world and split, by a hash that no one chose."""
    if not size:
        return list(rows)
    ordered = sorted(rows, key=lambda one: hashlib.sha256(f"{one.name} {one.new}".encode()).hexdigest())
    taken: Counter[tuple[str, str]] = Counter()
    found = []
    for one in ordered:
        if taken[one.ecosystem, one.split] < size:
            taken[one.ecosystem, one.split] += 1
            found.append(one)
    return sorted(found, key=lambda one: (one.ecosystem, one.name, one.new))


def of_listed(one: Listed, view: Path) -> Wanted:
    """The release of a listed transition; what it newly depends on is fetched once, beside the view."""
    key = f"{one.ecosystem}/{one.name}@{one.new}"
    return Wanted(key, one.ecosystem, one.name, one.new, one.old, view, kept=view.parent / "kept")


def first_of(rows: Sequence[Listed], view: Path) -> list[Wanted]:
    """The listed releases of the measure split, to be examined as if each were a first one."""
    found = []
    for one in rows:
        if one.split == "measure":
            key = f"first/{one.ecosystem}/{one.name}@{one.new}"
            kept = view.parent / "kept"
            found.append(Wanted(key, one.ecosystem, one.name, one.new, None, view, alone=True, kept=kept))
    return found


def results(
    replicas: dict[str, Replica], outcomes: Iterable[Outcome], rows: Sequence[Listed], benign: Iterable[Outcome]
) -> tables.Results:
    """Everything that the report split and the replicas give under the rules of the tree.

    Examinations are judged one after the other and let go: those of a whole corpus are more than memory holds.
    """
    bundle = bundled()
    rules = list(bundle)
    blocked: dict[bool, list[Outcome]] = {True: [], False: []}
    judged_replicas: dict[str, tables.Judged] = {}
    for name, outcome in zip(replicas, outcomes, strict=True):
        judged_replicas[name] = tables.judged(outcome, rules)
        if replicas[name].kind != "N" and tables.reaches(judged_replicas[name], "block"):
            blocked[True].append(outcome)
    judged_rows: list[tuple[Listed, tables.Judged]] = []
    for row, outcome in zip(rows, benign, strict=True):
        if row.split == "report" and outcome.failure != "was not examined":
            judged_rows.append((row, tables.judged(outcome, rules)))
            if tables.reaches(judged_rows[-1][1], "block"):
                blocked[False].append(outcome)
    ordinary = [one for _, one in judged_rows]
    everything = [*judged_replicas.values(), *ordinary]
    attacks = sum(one.kind != "N" for one in replicas.values())
    return tables.Results(
        rules=bundle.digest,
        corpus=corpus.digest(),
        replicas=build.over_all(json.loads(build.DIGESTS.read_text("utf-8"))),
        alarms=tables.alarms(judged_rows),
        recall=tables.recall([(replicas[name], one) for name, one in judged_replicas.items()]),
        ablation=tables.ablation(blocked[True], attacks, blocked[False], len(ordinary), rules),
        cost={"ordinary": tables.cost(ordinary), "replicas": tables.cost(list(judged_replicas.values()))},
        codes=sorted({one.code for one in everything if one.code}),
        failures=[f"{one.key}: {one.failure}" for one in everything if one.failure],
        incomplete=rate(sum(not one.complete for one in ordinary), len(ordinary)),
        unresolved=rate(sum(one.unresolved > 0 for one in ordinary), len(ordinary)),
        missed=[
            f"{name}: {one.level}"
            for name, one in judged_replicas.items()
            if replicas[name].kind != "N" and not tables.reaches(one, "block")
        ],
        alarmed=[
            f"{one.key}: {one.level}: {', '.join(one.rules)}" for one in ordinary if tables.reaches(one, "review")
        ],
    )


def peer(
    program: Path, size: int, replicas: dict[str, Replica], built: Path, rows: Sequence[Listed], folder: Path
) -> dict[str, dict[str, float]]:
    """GuardDog on the replicas and on a sample of the report split, release and predecessor."""
    pairs: dict[str, list[tuple[str, Path, Path | None]]] = {"ordinary": [], "replicas": [], "benign twins": []}
    for name, replica in replicas.items():
        first = replica.package[0]
        group = "benign twins" if replica.kind == "N" else "replicas"
        new = _archives(built / name, first.name, first.new)
        old = _archives(built / name, first.name, first.old) if first.old else None
        if new is not None:
            pairs[group].append((replica.ecosystem, new, old))
    for one in sampled([row for row in rows if row.split == "report"], size):
        if one.ecosystem == "npm":
            new, old = npm_archive(folder, one.name, one.new), npm_archive(folder, one.name, one.old)
        else:
            new, old = (folder / "pypi" / "archives" / file for file in (one.new_file, one.old_file))
        pairs["ordinary"].append((one.ecosystem, new, old))
    told = {}
    for group, items in pairs.items():
        counts = {"releases": 0.0, "refused": 0.0, "high": 0.0, "new": 0.0, "cpu": 0.0, "peak": 0.0}
        for world, new, old in items:
            after = guarddog.scanned(program, world, new)
            before = guarddog.scanned(program, world, old) if old is not None and old.exists() else None
            high, fresh = guarddog.compared(after, before)
            counts["releases"] += 1
            counts["refused"] += bool(after.refused)
            counts["high"] += high
            counts["new"] += fresh
            counts["cpu"] += after.cpu
            counts["peak"] = max(counts["peak"], after.peak)
        told[group] = counts
    return told


def _archives(place: Path, name: str, version: str) -> Path | None:
    """The archive of a release in a built registry."""
    known = {f"{name.rpartition('/')[2]}-{version}.tgz", f"{name.replace('-', '_')}-{version}.tar.gz"}
    for path in sorted(place.rglob("*")):
        if path.name in known or path.name.startswith(f"{name.replace('-', '_')}-{version}-"):
            return path
    return None


def _told(done: int, of: int) -> None:
    if done % 50 == 0 or done == of:
        print(f"{done} of {of} examined", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

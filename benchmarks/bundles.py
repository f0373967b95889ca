"""What reading build outputs costs: bytes a second against ripgrep, and what the walk of an installed tree pays.

    python -m benchmarks.bundles BUILDS TREE [--runs N]

BUILDS is a folder of build outputs (`dist`, `build`, ...), TREE a folder with node_modules. The first part reads every
file that the readers of bundles claim, in one process, and lets ripgrep count the same texts in the same files on one
thread. The second walks TREE with and without the claims of bundles and of configuration, and reads nothing. All
commands run in turns; medians of processor time are printed.
"""

from __future__ import annotations

import argparse
import datetime
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pratique import api
from pratique.assess.catalogue import Catalogue
from pratique.ecosystems.npm.layout import BUILD_READERS, CONFIGURATION_READERS, CONTENT_FOLDERS
from pratique.model.ports import Claimant, Options
from pratique.readers import discovery
from pratique.targets.directory import Pending, Walk
from pratique.targets.dispatch import Dispatch
from pratique.workflow.sweep import read


def used(who: int) -> float:
    """Processor seconds of this process or its children."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def timed(work: Callable[[], object], who: int = resource.RUSAGE_SELF) -> float:
    """Processor seconds of one run."""
    before = used(who)
    work()
    return used(who) - before


def table(without: frozenset[str] = frozenset()) -> Dispatch:
    """The claims of all readers but some."""
    rows = [
        Claimant(key, claim.basenames, claim.prefixes, claim.suffixes, claim.folders, claim.limit, claim.outside)
        for key, claim in enumerate(discovery.claims())
        if "files" in claim.doors and claim.name not in without
    ]
    return Dispatch(rows, CONTENT_FOLDERS)


def walked(root: Path, dispatch: Dispatch) -> int:
    """Walk a folder and read nothing; how many files were claimed."""
    walk = Walk(root.as_uri(), str(root), dispatch, Options())
    return sum(1 for _ in walk.run([Pending("")]))


def builds(root: Path) -> tuple[list[Path], int]:
    """The files that readers of bundles claim, and their bytes."""
    claims = discovery.claims()
    walk = Walk(root.as_uri(), str(root), table(), Options())
    found = [
        root / item[1].path
        for item in walk.run([Pending("")])
        if isinstance(item, tuple) and item[0] >= 0 and claims[item[0]].name in BUILD_READERS
    ]
    return found, sum(path.stat().st_size for path in found)


def examined(root: Path, catalogue: Catalogue) -> int:
    """Read every bundle of a folder; how many records were kept."""
    claims = discovery.claims()
    walk = Walk(root.as_uri(), str(root), table(), Options())
    kept = 0
    for item in walk.run([Pending("")]):
        if isinstance(item, tuple) and item[0] >= 0 and claims[item[0]].name in BUILD_READERS:
            reader = discovery.load(claims[item[0]].module)
            kept += sum(1 for _ in read(reader, item[1], catalogue.interest))
    return kept


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", type=Path)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    catalogue = Catalogue(api.select(today=datetime.date(2026, 11, 20)).incidents)
    files, size = builds(arguments.builds.resolve())
    texts = sorted(
        {mark for signature in catalogue.interest.signatures.values() for mark in signature.marks}
        | set(catalogue.interest.fragments.get("bundle", ()))
    )
    ripgrep = shutil.which("rg")
    command = [ripgrep or "rg", "-j1", "-c", "-a", "-F"]
    for text in texts:
        command += ["-e", text]
    command += ["--", *map(str, files)]

    def counted() -> None:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)

    ours, theirs, with_claims, without_claims = [], [], [], []
    everything, fewer = table(), table(BUILD_READERS | CONFIGURATION_READERS)
    tree = arguments.tree.resolve()
    claimed = (walked(tree, everything), walked(tree, fewer))
    examined(arguments.builds.resolve(), catalogue)
    for _ in range(arguments.runs):
        ours.append(timed(lambda: examined(arguments.builds.resolve(), catalogue)))
        if ripgrep:
            theirs.append(timed(counted, resource.RUSAGE_CHILDREN))
        with_claims.append(timed(lambda: walked(tree, everything)))
        without_claims.append(timed(lambda: walked(tree, fewer)))
    mine = statistics.median(ours)
    sys.stdout.write(f"build outputs: {len(files)} files, {size / 1e6:.1f} MB, {len(texts)} texts\n")
    sys.stdout.write(f"pratique  {mine:.3f} s CPU  {size / mine / 1e6:.0f} MB/s\n")
    if theirs:
        peer = statistics.median(theirs)
        sys.stdout.write(f"ripgrep   {peer:.3f} s CPU  {size / peer / 1e6:.0f} MB/s  ratio {mine / peer:.2f}\n")
    more, less = statistics.median(with_claims), statistics.median(without_claims)
    sys.stdout.write(f"walk of the tree, files claimed: {claimed[0]} with these claims, {claimed[1]} without\n")
    sys.stdout.write(f"with {more:.3f} s CPU, without {less:.3f} s CPU, ratio {more / less:.3f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

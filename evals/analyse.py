"""Examine every transition of a corpus, and keep the facts, so that rules can be judged anew in seconds.

    python -m evals.analyse --corpus DIR [--only measure|report] [--sample N] [--jobs N]

The corpus is laid out by `evals.corpus`: `<world>/records`, `<world>/archives`, `<world>.tsv`. What a release newly
depends on is fetched once from the configured registry into `<corpus>/kept`. One file of facts is written for each
package below `<corpus>/facts`, with what each transition cost. Examined are added dependencies, to depth 2.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from pratique.adapters.packages.kept import Kept
from pratique.ecosystems.npm.release_record import Packument
from pratique.ecosystems.pypi.release_record import read_page
from pratique.ecosystems.references import World, release_purl
from pratique.model.release import Release, Transition
from pratique.targets.release import open_release
from pratique.workflow import remembered
from pratique.workflow.acquire import Acquirer, Got
from pratique.workflow.documents import NotHad
from pratique.workflow.listings import Listing
from pratique.workflow.surroundings import Surroundings
from pratique.workflow.transition import Asking, Examiner

WORLDS: tuple[World, ...] = ("npm", "PyPI")
DAY = 86400.0


class Row(msgspec.Struct, frozen=True):
    """A transition of the corpus: package, stratum, versions, and for PyPI the names of the archives."""

    world: World
    name: str
    stratum: str
    old: str
    new: str
    old_file: str = ""
    new_file: str = ""

    @property
    def split(self) -> str:
        """`measure` or `report`, by the name of the package, so that none is in both."""
        digest = hashlib.sha256(f"{self.world} {self.name}".encode()).digest()
        return "measure" if digest[0] < 256 // 3 else "report"


class Analysed(msgspec.Struct):
    """What became of a transition: the transition, or why there is none; CPU seconds, wall seconds, peak MB."""

    row: Row
    transition: Transition | None
    failure: str = ""
    cpu: float = 0.0
    wall: float = 0.0
    peak: float = 0.0


def rows(corpus: Path, world: World) -> Iterator[Row]:
    """The transitions of one package world."""
    table = corpus / f"{'npm' if world == 'npm' else 'pypi'}.tsv"
    if table.is_file():
        for line in table.read_text("utf-8").splitlines():
            name, stratum, *rest = line.split("\t")
            yield Row(world, name, stratum, *rest)


class Corpus:
    """Hands out releases of a corpus to the examiner; what it lacks is asked of the registry, and kept."""

    def __init__(self, corpus: Path) -> None:
        self.corpus = corpus
        self.files: dict[tuple[str, str], str] = {}
        around = Surroundings(kept=Kept(corpus / "kept"), home=str(corpus), environment=dict(os.environ))
        self.other = Acquirer(around)
        self._listings: dict[tuple[str, str], Listing] = {}

    def listing(self, ecosystem: World, name: str) -> Listing:
        """What the corpus's own record says, else the registry's. Raises NotHad."""
        key = (ecosystem, name)
        if key not in self._listings:
            if len(self._listings) > 40:
                self._listings.pop(next(iter(self._listings)))
            folder = "npm" if ecosystem == "npm" else "pypi"
            path = self.corpus / folder / "records" / f"{name.replace('/', '+')}.json"
            if path.is_file():
                data = path.read_bytes()
                document = Packument(data) if ecosystem == "npm" else read_page(data, f"http://localhost/{name}/")
                self._listings[key] = Listing(ecosystem, name, document, "the registry")
            else:
                self._listings[key] = self.other.listing(ecosystem, name)
        return self._listings[key]

    def open(self, ecosystem: World, name: str, version: str, listing: Listing | None) -> list[Got]:
        """The release out of the corpus, else as the examiner itself would get it. Raises NotHad."""
        folder = "npm" if ecosystem == "npm" else "pypi"
        file = self.files.get((name, version), f"{name.replace('/', '+')}-{version}.tgz")
        path = self.corpus / folder / "archives" / file
        if not path.is_file():
            return self.other.open(ecosystem, name, version, listing)
        opened = open_release(str(path), hint="tarball" if ecosystem == "npm" else None)
        known = listing or self.listing(ecosystem, name)
        record = known.record(version, file if ecosystem == "PyPI" else "")
        release = Release(release_purl(ecosystem, name, version), ecosystem, name, version, opened, record, "corpus")
        return [Got(release, published=known.published(version))]


def analyse(corpus: Path, package: list[Row]) -> list[Analysed]:
    """The transitions of one package, in order. Whatever goes wrong is told, and counts as missed."""
    hands = Corpus(corpus)
    for row in package:
        if row.old_file:
            hands.files[row.name, row.old] = row.old_file
            hands.files[row.name, row.new] = row.new_file
    kept = remembered.store(corpus / "remembered")
    found = []
    for row in package:
        began, clock = time.process_time(), time.monotonic()
        transition, failure = None, ""
        try:
            listing = hands.listing(row.world, row.name)
            at = listing.published(row.new)
            asking = Asking(at=at + DAY if at is not None else None, follow="added")
            examiner = Examiner(hands, asking, kept)  # type: ignore[arg-type]  # it gets releases in the same way
            transition = examiner.release(row.world, row.name, row.new, listing, before=row.old)[0]
        except NotHad as reason:
            failure = str(reason)
        except Exception as error:  # noqa: BLE001  # a crash is a failure of the examination, to be counted
            failure = f"{type(error).__name__}: {error}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found.append(Analysed(row, transition, failure, time.process_time() - began, time.monotonic() - clock, peak))
    return found


def place_of(corpus: Path, world: World, name: str) -> Path:
    """Where the facts of a package lie."""
    return corpus / "facts" / world / f"{name.replace('/', '+')}.msgpack"


def _one(job: tuple[Path, list[Row]]) -> tuple[str, int, int]:
    corpus, package = job
    found = analyse(corpus, package)
    path = place_of(corpus, package[0].world, package[0].name)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.msgpack.encode(found))
    part.replace(path)
    return package[0].name, len(found), sum(one.transition is None for one in found)


def packages(corpus: Path, worlds: Iterable[World] = WORLDS) -> list[list[Row]]:
    """The transitions of each package, in order of a digest of its name: any first part is a fair sample."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for world in worlds:
        for row in rows(corpus, world):
            grouped.setdefault((world, row.name), []).append(row)
    return [grouped[key] for key in sorted(grouped, key=lambda key: hashlib.sha256(" ".join(key).encode()).digest())]


def load(corpus: Path, worlds: Iterable[World] = WORLDS) -> Iterator[Analysed]:
    """Everything that was analysed, package by package."""
    decoder = msgspec.msgpack.Decoder(list[Analysed])
    for world in worlds:
        for path in sorted((corpus / "facts" / world).glob("*.msgpack")):
            yield from decoder.decode(path.read_bytes())


def main(arguments: list[str]) -> int:
    """Analyse what is asked for; packages whose facts lie there are passed over unless `--again`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--only", choices=("measure", "report"))
    parser.add_argument("--world", choices=WORLDS)
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="So many packages alone.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args(arguments)
    chosen = [
        package
        for package in packages(options.corpus, (options.world,) if options.world else WORLDS)
        if (options.only is None or package[0].split == options.only)
    ]
    chosen = chosen[: options.sample] if options.sample else chosen
    if not options.again:
        chosen = [one for one in chosen if not place_of(options.corpus, one[0].world, one[0].name).is_file()]
    done = failed = 0
    jobs = [(options.corpus, one) for one in chosen]
    with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=20) as pool:
        for number, (name, count, missed) in enumerate(pool.imap(_one, jobs), 1):
            done += count
            failed += missed
            print(f"{number}/{len(chosen)}  {name}  {done} transitions, {failed} failed", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

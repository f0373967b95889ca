"""The corpus of ordinary releases: which transitions it has, how it is fetched, and how it is laid out to be read.

`evals/benign/npm.tsv` and `pypi.tsv` list the transitions: consecutive stable releases of popular packages, with a
stratum and a split. The split is a hash of the package's name, so that no package is in both.

- `python -m evals.corpus fetch FOLDER` fetches what is listed from the registries that npm and pip are configured for:
  four at a time, tried again where that failed, nothing twice. Digests stand in `FOLDER/digests.tsv`.
- `python -m evals.corpus lay-out FOLDER VIEW` links it into a folder that `pratique inspect --from` reads.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import msgspec
from packaging.version import InvalidVersion, Version

LISTS = Path(__file__).parent / "benign"
PARALLEL = 4
ATTEMPTS = 3
LARGEST = 64 << 20

World = Literal["npm", "PyPI"]
Part = Literal["measure", "report"]


class Listed(msgspec.Struct, frozen=True):
    """One transition of the corpus. The files are the archives of a Python release."""

    ecosystem: World
    name: str
    stratum: str
    old: str
    new: str
    split: Part
    old_file: str = ""
    new_file: str = ""


def split_of(name: str) -> Part:
    """The part that a package is in: one in three is measured on, by the SHA-256 of its name."""
    return "measure" if int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3 == 0 else "report"


def listed(folder: Path = LISTS) -> list[Listed]:
    """Every transition that is listed."""
    found = []
    worlds: tuple[tuple[World, str], ...] = (("npm", "npm.tsv"), ("PyPI", "pypi.tsv"))
    for ecosystem, file in worlds:
        with open(folder / file, encoding="utf-8", newline="") as lines:
            found += [Listed(ecosystem, *row) for row in csv.reader(lines, delimiter="\t")]  # type: ignore[arg-type]  # as many texts as fields
    return found


def write_lists(rows: Iterable[Listed], reported: Reported, folder: Path = LISTS) -> None:
    """Write the lists without transitions from or to a release that was reported as malicious."""
    worlds: tuple[tuple[World, str], ...] = (("npm", "npm.tsv"), ("PyPI", "pypi.tsv"))
    rows = sorted(rows, key=lambda one: (one.name, one.stratum))
    folder.mkdir(exist_ok=True)
    for ecosystem, file in worlds:
        with open(folder / file, "w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines, delimiter="\t", lineterminator="\n")
            for one in rows:
                bad = any(reported.holds(ecosystem, one.name, version) for version in (one.old, one.new))
                if one.ecosystem == ecosystem and not bad:
                    more = (one.old_file, one.new_file) if ecosystem == "PyPI" else ()
                    writer.writerow((one.name, one.stratum, one.old, one.new, split_of(one.name), *more))


class Reported:
    """Releases that were reported as malicious. Reports that name a package without versions tell nothing of one."""

    def __init__(self, rows: Iterable[dict[str, str]]) -> None:
        self.whole: set[tuple[str, str]] = set()
        self.versions: set[tuple[str, str, str]] = set()
        self.ranges: dict[tuple[str, str], list[tuple[Version, Version]]] = {}
        for row in rows:
            world, name = row["ecosystem"].lower(), row["name"]
            if row["withdrawn"] not in ("", "0"):
                continue
            if row["kind"] == "all":
                self.whole.add((world, name))
            self.versions |= {(world, name, one) for one in row["versions"].split("|") if one}
            for low, high in re.findall(r"introduced=([^,|]+),fixed=([^,|]+)", row["ranges"]):
                bounds = _version(low), _version(high)
                if bounds[0] is not None and bounds[1] is not None:
                    self.ranges.setdefault((world, name), []).append((bounds[0], bounds[1]))

    def holds(self, ecosystem: str, name: str, version: str) -> bool:
        """Whether a release was reported."""
        key = (ecosystem.lower(), name)
        if key in self.whole or (*key, version) in self.versions:
            return True
        known = _version(version)
        return known is not None and any(low <= known < high for low, high in self.ranges.get(key, ()))


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def read_reported(path: Path) -> Reported:
    """Reports out of a table: tab-separated, packed with zstandard, a row for each report.

    Its columns are ecosystem, name, kind (`all`, `versions`, `ranges`, `unknown`), versions (with `|` between them),
    ranges (`introduced=…,fixed=…`) and withdrawn (`0` or `1`), among others.
    """
    import zstandard

    with open(path, "rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read().decode("utf-8")
    return Reported(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def npm_registry() -> str:
    """The registry that npm is configured for. Raises OSError where npm is not there."""
    command = ["npm", "config", "get", "registry"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip().rstrip("/") + "/"


def python_index() -> str:
    """The index that pip is configured for. Raises OSError where pip is not there."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    if done.returncode == 0 and done.stdout.strip():
        return done.stdout.strip().rstrip("/") + "/"
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url).rstrip("/") + "/"


class Fetching:
    """Fetches the documents and archives of what is listed into a folder."""

    def __init__(self, folder: Path, npm: str, python: str, *, pause: float = 1.0) -> None:
        self.folder, self.npm, self.python, self.pause = folder, npm, python, pause
        self.failed: list[str] = []

    def all(self, rows: Sequence[Listed]) -> None:
        """Fetch what is missing; `failed` names what could not be had."""
        by_package: dict[tuple[World, str], list[Listed]] = {}
        for row in rows:
            by_package.setdefault((row.ecosystem, row.name), []).append(row)
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(self._package, by_package.values()))
        self._digests()

    def _package(self, rows: Sequence[Listed]) -> None:
        first = rows[0]
        document = self._document(first)
        if document is None:
            self.failed.append(f"{first.ecosystem} {first.name}")
            return
        if first.ecosystem == "npm":
            for version in dict.fromkeys(one for row in rows for one in (row.old, row.new)):
                stated = document.get("versions", {}).get(version, {})
                self._archive(npm_archive(self.folder, first.name, version), (stated.get("dist") or {}).get("tarball"))
        else:
            page = urllib.parse.urljoin(self.python, f"{first.name}/")
            known = {one["filename"]: urllib.parse.urljoin(page, one["url"]) for one in document.get("files", ())}
            for file in dict.fromkeys(one for row in rows for one in (row.old_file, row.new_file)):
                self._archive(self.folder / "pypi" / "archives" / file, known.get(file))

    def _document(self, row: Listed) -> dict[str, Any] | None:
        if row.ecosystem == "npm":
            url, accept = self.npm + urllib.parse.quote(row.name, safe="@"), "application/json"
        else:
            url, accept = self.python + row.name + "/", "application/vnd.pypi.simple.v1+json"
        path = document_of(self.folder, row.ecosystem, row.name)
        if not path.exists():
            content = self._get(url, accept)
            if content is None:
                return None
            _keep(path, content)
        try:
            found = json.loads(path.read_bytes())
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _archive(self, path: Path, url: str | None) -> None:
        if path.exists():
            return
        content = self._get(url, "*/*") if url else None
        if content is None:
            self.failed.append(path.name)
        else:
            _keep(path, content)

    def _get(self, url: str, accept: str) -> bytes | None:
        for attempt in range(ATTEMPTS):
            try:
                asked = urllib.request.Request(url, headers={"Accept": accept})
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    content: bytes = answer.read(LARGEST + 1)
                    return content if len(content) <= LARGEST else None
            except urllib.error.HTTPError as error:
                if error.code in (401, 403, 404, 410, 451):
                    return None
            except OSError:
                pass
            time.sleep(self.pause * (attempt + 1))
        return None

    def _digests(self) -> None:
        lines = []
        for path in sorted(one for kind in ("npm", "pypi") for one in (self.folder / kind / "archives").glob("*")):
            with open(path, "rb") as file:
                lines.append(
                    f"{hashlib.file_digest(file, 'sha256').hexdigest()}\t{path.parent.parent.name}/{path.name}\n"
                )
        (self.folder / "digests.tsv").write_text("".join(lines), "utf-8")


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(content)
    os.replace(draft, path)


def npm_archive(folder: Path, name: str, version: str) -> Path:
    """Where the corpus has an npm archive."""
    return folder / "npm" / "archives" / f"{name.replace('/', '+')}-{version}.tgz"


def document_of(folder: Path, ecosystem: World, name: str) -> Path:
    """Where the corpus has the document of a package."""
    return folder / ("npm" if ecosystem == "npm" else "pypi") / "records" / f"{name.replace('/', '+')}.json"


def lay_out(folder: Path, view: Path, rows: Sequence[Listed]) -> int:
    """Link the corpus into folders of packages as `--from` reads them; how many archives there are.

    The page of a Python project keeps, of the versions that are listed, the archives at hand alone: what was not
    fetched is not to count as a part of the release that could not be read.
    """
    files: dict[str, set[str]] = {}
    versions: dict[str, set[str]] = {}
    count = 0
    for row in rows:
        if row.ecosystem == "PyPI":
            files.setdefault(row.name, set()).update((row.old_file, row.new_file))
        else:
            versions.setdefault(row.name, set()).update((row.old, row.new))
    for name, wanted in versions.items():
        count += _link(document_of(folder, "npm", name), view / "npm" / name / "package.json")
        for version in wanted:
            target = view / "npm" / name / f"{name.rpartition('/')[2]}-{version}.tgz"
            count += _link(npm_archive(folder, name, version), target)
    for name, kept in files.items():
        for file in kept:
            count += _link(folder / "pypi" / "archives" / file, view / "pypi" / name / file)
        page = view / "pypi" / name / "index.json"
        if not page.exists() and document_of(folder, "PyPI", name).exists():
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(json.dumps(_page(json.loads(document_of(folder, "PyPI", name).read_bytes()), kept)))
    return count


def _page(document: dict[str, Any], kept: set[str]) -> dict[str, Any]:
    from pratique.ecosystems.pypi.files import release_of

    at_hand = {found[1] for file in kept if (found := release_of(file))}
    rows = [
        one
        for one in document.get("files", ())
        if one["filename"] in kept or (found := release_of(one["filename"])) is None or found[1] not in at_hand
    ]
    return {**document, "files": rows}


def _link(source: Path, target: Path) -> int:
    if target.exists():
        return 1
    if not source.exists():
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        target.write_bytes(source.read_bytes())
    return 1


def bases() -> list[Listed]:
    """The releases that replicas are made out of, as rows to fetch: they belong to no corpus."""
    from evals.describe import load_all

    found: dict[str, Listed] = {}
    for replica in load_all().values():
        for package in replica.package:
            if not package.base:
                continue
            if replica.ecosystem == "npm":
                name, _, version = package.base.rpartition("@")
                found[package.base] = Listed("npm", name, "base", version, version, "report")
            else:
                files = (package.base, package.base)
                found[package.base] = Listed("PyPI", package.name, "base", package.old, package.old, "report", *files)
    return sorted(found.values(), key=lambda one: (one.ecosystem, one.name, one.old))


def digest() -> str:
    """SHA-256 over the lists: it names the corpus in a base rate."""
    whole = hashlib.sha256()
    for file in ("npm.tsv", "pypi.tsv"):
        whole.update((LISTS / file).read_bytes())
    return whole.hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch or lay out the corpus; 1 where something could not be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("fetch", help="fetch what is listed, and what replicas are made out of")
    one.add_argument("folder", type=Path)
    two = verbs.add_parser("lay-out", help="link it into folders of packages")
    two.add_argument("folder", type=Path)
    two.add_argument("view", type=Path)
    options = parser.parse_args(arguments)
    rows = listed()
    if options.verb == "lay-out":
        print(f"{lay_out(options.folder, options.view, rows)} files for {len(rows)} transitions")
        return 0
    fetching = Fetching(options.folder, npm_registry(), python_index())
    fetching.all([*rows, *bases()])
    for name in fetching.failed:
        print(f"could not be had: {name}", file=sys.stderr)
    return 1 if fetching.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

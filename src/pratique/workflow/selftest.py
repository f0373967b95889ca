"""Proves on this machine that detection works, with small inert workspaces that are laid out in a temporary folder.

Each file of `fixtures/` describes one workspace as readable text, and what the check must say of it: status, depth,
exit code, and the readers without which it could not know. The check that runs is the real one. Nothing is executed,
and the folder is removed afterwards.
"""

from __future__ import annotations

import datetime
import itertools
import os
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pratique.incidents import index, library
from pratique.model.depth import Depth
from pratique.model.errors import PratiqueError, UsageError
from pratique.model.incident import Incident
from pratique.model.report import Report
from pratique.readers import discovery
from pratique.report import json as json_report
from pratique.workflow.check import check
from pratique.workflow.request import CheckRequest, TargetSpec
from pratique.workflow.select import digest
from pratique.workflow.sweep import SPLIT

FIXTURES = Path(__file__).parent / "fixtures"
FOLDERS = SPLIT + 8
"""How many workspaces are laid out for the comparison of jobs: enough for the walk to be shared out."""
_MOMENT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried: what must come out, and what did."""

    name: str
    what: str
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        """Whether it came out as it must."""
        return self.expected == self.found


class _Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    status: str
    exit_code: int
    depth: str = ""


class _Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    what: str
    expected: _Expected
    files: dict[str, str]
    readers: tuple[str, ...]
    incident: str = ""
    definition: str = ""


def selftest() -> Iterator[Proof]:
    """Every proof, in a fixed order. Raises UsageError where there is no place to lay the workspaces out."""
    yield from _readers()
    yield from _incidents()
    cases = _cases()
    try:
        place = tempfile.TemporaryDirectory(prefix="pratique-selftest-")
    except OSError as error:
        raise UsageError(
            f"no temporary folder can be made: {error.strerror}", advice="Name a writable folder in TMPDIR"
        ) from None
    with place as folder:
        base = Path(os.path.realpath(folder))
        for name, case in cases.items():
            yield _workspace(name, case, base / "one" / name)
        yield _jobs(cases, base / "many")


def covered() -> frozenset[str]:
    """The readers whose work a workspace proves."""
    return frozenset(reader for case in _cases().values() for reader in case.readers)


def _cases() -> dict[str, _Case]:
    return {
        path.stem: msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Case)
        for path in sorted(FIXTURES.glob("*.toml"))
    }


def _readers() -> Iterator[Proof]:
    """Every reader of the index loads and is what the index says."""
    wrong = []
    claims = discovery.claims()
    for claim in claims:
        try:
            reader = discovery.load(claim.module)
        except Exception as error:  # noqa: BLE001 (whatever keeps a reader from loading is the finding)
            wrong.append(f"{claim.name}: {type(error).__name__}")
            continue
        said = (reader.name, reader.basenames, reader.prefixes, reader.suffixes, reader.folders, reader.limit)
        held = (claim.name, claim.basenames, claim.prefixes, claim.suffixes, claim.folders, claim.limit)
        if said != held:
            wrong.append(f"{claim.name}: differs from the index")
    total = f"{len(claims)} readers load"
    unproven = sorted({claim.name for claim in claims} - covered())
    what = f"readers of the index; loaded, not proven below: {', '.join(unproven) or 'none'}"
    yield Proof(name="readers", what=what, expected=total, found="; ".join(wrong) or total)


def _incidents() -> Iterator[Proof]:
    """Every bundled definition loads, and the index holds exactly what the definitions say."""
    names = sorted(path.stem for path in library.BUNDLED.glob("*.toml"))
    expected = f"{len(names)} definitions load and match their digests"
    try:
        parsed = {item.id: digest(item) for item in library.load_directory(library.BUNDLED)}
        held = {item.id: digest(item) for item in index.load_bundled()}
        current = index.INDEX.read_bytes() == index.build()
    except PratiqueError as error:
        found = str(error)
    except OSError as error:
        found = f"the index cannot be read: {error.strerror}"
    else:
        differing = [name for name in names if parsed.get(name) is None or parsed.get(name) != held.get(name)]
        differing += sorted(set(held) - set(names))
        found = f"differ: {', '.join(differing)}" if differing else expected
        if not current:
            found = "the index was not made from these definitions"
        if not names:
            found = "no definition is bundled"
    yield Proof(name="incidents", what="bundled incidents", expected=expected, found=found)


def _workspace(name: str, case: _Case, folder: Path) -> Proof:
    _lay_out(case, folder)
    expected = _sentence(case.expected.status, case.expected.depth, case.expected.exit_code)
    try:
        report = _check([folder], [_incident(name, case)])
        found = _answer(report)
        silent = [reader for reader in case.readers if reader not in _heard(report)]
        if silent:
            found += f"; nothing from {', '.join(silent)}"
    except Exception as error:  # noqa: BLE001 (a check that fails here is the finding)
        found = f"the check failed: {type(error).__name__}: {error}"
    return Proof(name=name, what=case.what, expected=expected, found=found)


def _jobs(cases: dict[str, _Case], folder: Path) -> Proof:
    """The same answer from one process and from several, over many folders and with every bundled incident."""
    for number, (name, case) in zip(range(FOLDERS), itertools.cycle(cases.items())):
        _lay_out(case, folder / f"{number:03}-{name}")
    incidents = list(index.load_bundled())
    one, several = (_bytes(_check([folder], incidents, jobs=jobs)) for jobs in (1, 3))
    expected = "three processes say what one says"
    return Proof(
        name="jobs",
        what=f"{FOLDERS} workspaces checked twice",
        expected=expected,
        found=expected if one == several else "three processes say something else than one",
    )


def _bytes(report: Report) -> bytes:
    return b"".join(json_report.render(report))


def _check(folders: list[Path], incidents: list[Incident], jobs: int = 1) -> Report:
    request = CheckRequest(
        targets=tuple(TargetSpec(str(folder)) for folder in folders),
        incidents=tuple(incidents),
        named=frozenset(item.id for item in incidents),
        jobs=jobs,
    )
    return check(request, now=lambda: _MOMENT, host=lambda: "self-test")


def _incident(name: str, case: _Case) -> Incident:
    if case.definition:
        return library.parse(case.definition, where=f"{name}.toml: definition")
    return library.load_file(library.BUNDLED / f"{case.incident}.toml")


def _lay_out(case: _Case, folder: Path) -> None:
    for relative, text in case.files.items():
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def _answer(report: Report) -> str:
    depths = [Depth(verdict.depth) for verdict in report.verdicts if verdict.status == "affected" and verdict.depth]
    deepest = max(depths, key=lambda depth: depth.rank, default="")
    return _sentence(report.incidents[0].worst, deepest, report.exit_code)


def _heard(report: Report) -> set[str]:
    """The readers that an affected report rests on; those that read something where nothing was sighted."""
    rested = {observation.reader for observation in report.observations}
    return rested if any(item.status == "affected" for item in report.verdicts) else set(report.coverage.by_reader)


def _sentence(status: str, depth: str, code: int) -> str:
    return f"{status}, {depth}, exit {code}" if depth else f"{status}, exit {code}"

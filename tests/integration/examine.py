"""Check a folder the way the command does, render it in every format, and hold both to a time limit."""

from __future__ import annotations

import datetime
import functools
import importlib.util
import shutil
import signal
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from pratique import api
from pratique.model.ports import Reader
from tests.golden.harness import cases, claimed, readers

TODAY = datetime.date(2026, 11, 20)
LIMIT_SECONDS = 20.0
FORMATS = tuple(name for name in api.FORMATS if importlib.util.find_spec(f"pratique.report.{name}"))
QUICK_FORMATS = tuple(name for name in FORMATS if name != "html")
"""HTML takes fifty times as long as all others together."""
LIVE = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
"""Characters that reorder or break a line where they are shown."""


class TookTooLong(BaseException):
    """A check that did not end in time; no Exception, since the sweep turns those of a reader into refusals."""


@contextmanager
def time_limit(seconds: float = LIMIT_SECONDS) -> Iterator[None]:
    """Stop what runs after so many seconds, whatever it catches."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TookTooLong(f"did not end within {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@functools.cache
def axios() -> api.Selection:
    """The incident that the stand-ins have the shape of, named."""
    return api.select(incidents=["axios-2026-03-31"], today=TODAY)


@functools.cache
def litellm() -> api.Selection:
    """The incident that the stand-ins of Python have the shape of, named."""
    return api.select(incidents=["litellm-2026-03-24"], today=TODAY)


@functools.cache
def everything() -> api.Selection:
    """Every bundled incident."""
    return api.select(today=TODAY)


def examined(
    root: Path | str,
    selection: api.Selection | None = None,
    *,
    seconds: float = LIMIT_SECONDS,
    formats: tuple[str, ...] = QUICK_FORMATS,
    **options: Any,
) -> api.Report:
    """The report about a folder, rendered to see that this works too."""
    chosen = selection or axios()
    with time_limit(seconds):
        request = api.CheckRequest(
            targets=tuple(api.specify([str(root)])), incidents=chosen.incidents, named=chosen.named, **options
        )
        report = api.check(request)
        for text in rendered(report, formats).values():
            assert text
    return report


def rendered(report: api.Report, formats: tuple[str, ...] = FORMATS) -> dict[str, str]:
    """The report in every format that there is, or in some."""
    return {name: b"".join(api.renderer(name).render(report)).decode("utf-8") for name in formats}


def live_characters(text: str) -> set[str]:
    """Characters that could steer a terminal or reorder what is shown; line feed and tab aside."""
    return {c for c in set(text) if c not in "\n\t" and (unicodedata.category(c) in ("Cc", "Cs") or c in LIVE)}


def visible(report: api.Report) -> list[str]:
    """What a report shows of what it saw or could not see: the opposite of silence."""
    return [item.explanation for item in report.sightings] + [item.reason for item in report.coverage.refusals]


class Sample:
    """A file as a manager left it, with the files that lie beside it."""

    def __init__(self, reader: Reader, case: Path, relative: str) -> None:
        self.reader = reader
        self.case = case
        self.relative = relative
        self.path = case / "input" / relative
        self.data = self.path.read_bytes()

    @property
    def id(self) -> str:
        """A name for the test's list."""
        return f"{self.reader.name}/{self.case.name}"

    def lay(self, root: Path, data: bytes | None = None) -> Path:
        """Write the file, or other bytes at its place, and copy its companions."""
        place = root / self.relative
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self.data if data is None else data)
        for other in self.path.parent.glob(f"{self.path.name}*"):
            if other != self.path and other.is_file():
                shutil.copy(other, place.parent / other.name)
        return place


def samples() -> dict[str, list[Sample]]:
    """The samples of every world but Python's, whose incident is another (`test_hostile_python`)."""
    return {name: found for name, found in all_samples().items() if readers()[name].ecosystem != "PyPI"}


@functools.cache
def all_samples() -> dict[str, list[Sample]]:
    """Every claimed file of every golden case by reader, small ones first, one of a kind."""
    known = readers()
    found: dict[str, list[Sample]] = {name: [] for name, reader in known.items() if "files" in reader.doors}
    seen: set[tuple[str, bytes]] = set()
    for name, case in cases():
        if name not in found:
            continue
        root = case / "input"
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root).as_posix()
            if path.is_file() and claimed(known[name], relative):
                sample = Sample(known[name], case, relative)
                if (relative, sample.data) not in seen:
                    seen.add((relative, sample.data))
                    found[name].append(sample)
    for items in found.values():
        items.sort(key=lambda item: (len(item.data), item.id))
    return found

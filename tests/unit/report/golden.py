"""Golden files of the report formats. `python -m tests.unit.report.golden` writes them anew; read the difference."""

from __future__ import annotations

import sys
from pathlib import Path

from pratique.report.renderer import FORMATS, renderer
from tests.unit.report.sample import REPORT

FOLDER = Path(__file__).parents[2] / "golden" / "report"


def expected(name: str) -> Path:
    """Where the golden file of a format stands."""
    suffix = {"text": ".txt", "cyclonedx": ".cdx.json", "openvex": ".vex.json"}.get(name, renderer(name).suffixes[0])
    return FOLDER / name / f"report{suffix}"


def actual(name: str) -> bytes:
    """What the format makes of the fixed report."""
    return b"".join(renderer(name).render(REPORT))


def main() -> int:
    """Write every golden file."""
    for name in FORMATS:
        expected(name).parent.mkdir(parents=True, exist_ok=True)
        expected(name).write_bytes(actual(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())

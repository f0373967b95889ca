"""The steps that each rotation provider gives, as files.

python -m tests.golden.rotation        writes tests/golden/rotation/<provider>.json anew; read the difference
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from pratique.respond.rotate import library
from pratique.respond.rotate.planner import steps
from tests.unit.respond.situations import AXIOS, credential, reach, report, situation

FOLDER = Path(__file__).parent / "rotation"


def planned(name: str) -> bytes:
    """The steps for one credential of a provider, as JSON."""
    found = reach([credential(name, tier=library.provider(name).tier)])
    made = list(steps(situation(report(AXIOS), found=found)))
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def main() -> int:
    """Write every file anew."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name in library.ids():
        (FOLDER / f"{name}.json").write_bytes(planned(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Whole installs by real clients, judged: which subject, status, depth, confidence, and which exit code.

`python -m tests.golden.test_judgement` writes `tests/golden/judgement/<install>.json` anew; read the difference.
Whether the payload really ran is known from outside: an install holds `oracle/runs.jsonl` exactly when it did.
"""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from tests.standins.installs import names, unpack

FOLDER = Path(__file__).parent / "judgement"
INSTALLS = sorted(names())


def judged(root: Path) -> dict[str, Any]:
    """Verdicts and exit code of an unpacked install, without what changes from run to run."""
    selection = api.select(incidents=["axios-2026-03-31"], today=datetime.date(2026, 11, 20))
    report = api.check(api.CheckRequest(targets=(api.TargetSpec(str(root)),), incidents=selection.incidents))
    subjects = {item.id: item for item in report.subjects}
    base = root.as_uri()
    verdicts = [
        {
            "subject": f"{subjects[verdict.subject].kind} {subjects[verdict.subject].uri.removeprefix(base)}",
            "status": verdict.status,
            "depth": verdict.depth,
            "confidence": verdict.confidence,
            "summary": verdict.summary,
        }
        for verdict in report.verdicts
    ]
    refusals = [f"{item.path}: {item.reason}" for item in report.coverage.refusals if item.relevant]
    return {"exit_code": report.exit_code, "verdicts": verdicts, "refusals": refusals}


@pytest.mark.parametrize("name", INSTALLS)
def test_install_is_judged_as_written(name: str, tmp_path: Path) -> None:
    unpack(name, tmp_path)
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert judged(tmp_path) == expected


@pytest.mark.parametrize("name", INSTALLS)
def test_judgement_never_contradicts_what_really_happened(name: str, tmp_path: Path) -> None:
    """The payload ran: exit 11. It did not: never `executed` with high confidence on this install's project."""
    unpack(name, tmp_path)
    ran = (tmp_path / "oracle" / "runs.jsonl").is_file()
    found = judged(tmp_path)
    deep = [item for item in found["verdicts"] if item["depth"] == "executed"]
    if ran:
        assert found["exit_code"] == 11
    elif "replayed" in name:
        assert found["exit_code"] == 11, "another project on the same store ran it"
        assert all(item["confidence"] == "medium" for item in deep if item["subject"].startswith("project"))
    elif "clean" in name.split("-"):
        assert found["exit_code"] == 0
    else:
        assert found["exit_code"] == 10
        assert deep == []


def main() -> int:
    """Write every expectation anew."""
    for name in INSTALLS:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "install"
            unpack(name, root)
            text = json.dumps(judged(root), indent=1, ensure_ascii=True)
            (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

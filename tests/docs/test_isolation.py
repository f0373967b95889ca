"""What the README and decision 0005 say of the entry point: current folder and environment do not steer it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PROGRAM = (
    f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r});"
    " from pratique.doors.cli.entry import main; sys.exit(main())"
)
CANARY = "import pathlib; pathlib.Path({!r}).write_text('ran'); raise SystemExit('canary')\n"


def start(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "incident", "list"],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("way", ["current folder", "PYTHONPATH"])
def test_modules_of_the_current_folder_are_not_imported(way: str, tmp_path: Path) -> None:
    here, fired = tmp_path / "here", tmp_path / "fired"
    here.mkdir()
    for module in ("click", "msgspec", "yaml", "jinja2", "packageurl", "usercustomize"):
        (here / f"{module}.py").write_text(CANARY.format(str(fired)), encoding="utf-8")
    folder, variables = (here, {}) if way == "current folder" else (tmp_path, {"PYTHONPATH": str(here)})
    result = start(folder, **variables)
    assert "axios-2026-03-31" in result.stdout, result.stderr
    assert not fired.exists()
    start(folder, PRATIQUE_ISOLATED="no", **variables)
    assert fired.exists(), "without isolation the canary fires, or this test shows nothing"

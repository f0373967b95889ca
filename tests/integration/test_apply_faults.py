"""What apply survives: a full disk at every size of what is left, another file system, one that cannot be written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.small import beside_a_small_disk

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "HOME": "/nonexistent"}


def test_a_full_another_and_a_read_only_file_system(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    done = beside_a_small_disk(tmp_path, '-m tests.faults.apply_full "$PWD/small" "$PWD/other"')
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("how", ["whole", "torn"])
def test_killed_at_every_write_beside_a_case_it_is_finished_or_undone(how: str, tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="the extra `case` is not installed")
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no C compiler to make the library that ends a process")
    library = tmp_path / "ending.so"
    command = [compiler, "-shared", "-fPIC", "-w", "-o", str(library), str(ROOT / "tests/faults/ending.c"), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    memory = Path("/dev/shm")
    folder = memory / f"pratique-apply-{os.getpid()}-{how}" if os.access(memory, os.W_OK) else tmp_path / "quick"
    folder.mkdir()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.apply_killed", str(folder), how],
            env={**ENVIRONMENT, "LD_PRELOAD": str(library)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert done.returncode == 0, done.stderr[-3000:]
    tried = json.loads(done.stdout)
    assert tried["apply"] > 80
    assert tried["undo"] > 60

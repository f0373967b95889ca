"""What apply survives: a full disk at every size of what is left, another file system, one that cannot be written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "HOME": "/nonexistent"}


def test_a_full_another_and_a_read_only_file_system(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "other").mkdir()
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    probe = "mount -t tmpfs -o size=900k none small"
    tried = subprocess.run([*namespace, "sh", "-c", probe], cwd=tmp_path, env=ENVIRONMENT, check=False)
    if tried.returncode:
        pytest.skip("this user may not mount a file system in a namespace")
    script = f'{probe} && exec "$0" -m tests.faults.apply_full "$PWD/small" "$PWD/other"'
    done = subprocess.run(
        [*namespace, "sh", "-c", script, sys.executable],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]

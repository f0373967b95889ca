"""A file system of a few hundred kilobytes, in a namespace of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "HOME": "/nonexistent"}


def beside_a_small_disk(folder: Path, arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these words of a shell where `small` in a folder is a small file system; else skip the test."""
    (folder / "small").mkdir()
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    probe = "mount -t tmpfs -o size=900k none small"
    tried = subprocess.run([*namespace, "sh", "-c", probe], cwd=folder, env=ENVIRONMENT, check=False)
    if tried.returncode:
        pytest.skip("this user may not mount a file system in a namespace")
    return subprocess.run(
        [*namespace, "sh", "-c", f'{probe} && exec "$0" {arguments}', sys.executable],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

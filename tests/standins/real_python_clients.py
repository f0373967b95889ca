"""Real package managers of the Python world for tests: installed once below `build/clients/python`, asked on loopback.

    python -m tests.standins.real_python_clients     # `make test` calls it

They come from whatever index the machine's own pip is configured for. Where they cannot be had, the command says so and
ends well, and `need` skips the test with a reason that `tests/conftest.py` allows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from .real_clients import CANNOT, FOLDER, NOWHERE

PYTHON = FOLDER / "python"
TOOLS = {
    "uv": "uv==0.13.8",
    "poetry": "poetry==2.5.1",
    "pdm": "pdm==2.28.2 hishel==1.1.8 unearth==0.17.5",
    "pipenv": "pipenv==2026.10.3",
}
"""Program to what is installed for it; each has a folder of its own."""


def need(name: str) -> Path:
    """The program; skips the test where there is none."""
    import pytest

    found = PYTHON / name / "bin" / name
    if not found.exists():
        pytest.skip(f"{CANNOT}: {name} is not in {PYTHON.name}; make clients")
    return found


def run(
    name: str, arguments: Sequence[str], project: Path, index: str, more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in a project with a home that is thrown away, one index, and no way anywhere else."""
    program = need(name) if name != "pip" else need("uv").with_name("pip")
    with tempfile.TemporaryDirectory(prefix="client-home-", ignore_cleanup_errors=True) as home:
        environment = {
            "HOME": home,
            "XDG_CACHE_HOME": f"{home}/.cache",
            "XDG_CONFIG_HOME": f"{home}/.config",
            "XDG_DATA_HOME": f"{home}/.local/share",
            "PATH": f"{program.parent}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_DEFAULT_INDEX": index,
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "PDM_CHECK_UPDATE": "0",
            "PIPENV_DONT_LOAD_ENV": "1",
            "PIPENV_VENV_IN_PROJECT": "1",
            "http_proxy": NOWHERE,
            "https_proxy": NOWHERE,
            "no_proxy": "127.0.0.1,localhost",
            **(more or {}),
        }
        return subprocess.run(
            [str(program), *arguments],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )


def main() -> None:
    """Install what is not there; say what cannot be had. Never fails."""
    for name, spec in TOOLS.items():
        place = PYTHON / name
        if (place / "bin" / name).exists():
            continue
        try:
            if name == "uv":
                venv.create(place, with_pip=True, clear=True)
                command = [
                    str(place / "bin" / "pip"),
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    *spec.split(),
                ]
            else:
                uv = str(PYTHON / "uv" / "bin" / "uv")
                made = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)]
                subprocess.run(made, check=True, timeout=60)
                command = [uv, "pip", "install", "--quiet", "--python", str(place), *spec.split()]
            subprocess.run(command, check=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(place, ignore_errors=True)
            print(f"{CANNOT}: {name}: {error}")


if __name__ == "__main__":
    main()

"""Make the golden inputs of the readers of Python's formats with the real package managers.

`python -m tests.standins.make_python_fixtures --tools DIR --extra DIR` needs, in `DIR` of tools, virtual environments
`t` (pip, uv, poetry, pipenv, pip-tools, pipx), `pdmw` (pdm 2.20, unearth 0.16), `po1.1.15`, `po1.8.5` (old Poetry) and `pipold` (pip 22); in
`DIR` of extras the wheels of setuptools, wheel, pip and packaging, which builds ask for. Every release comes from the
loopback index; no bad release is fetched from anywhere. The index is written as `registry.example` into the inputs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.standins.python_index import served
from tests.standins.python_packages import write

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "readers" / "pypi"
PORT = 8765
INDEX = f"http://127.0.0.1:{PORT}/simple/"
LARGEST = 60_000

UV = f"""[project]
name = "harbour"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["litellm>=1.82", "standin-colours"]

[dependency-groups]
dev = ["Standin.Tools==1.0"]

[[tool.uv.index]]
name = "x"
url = "{INDEX}"
default = true
"""

POETRY = f"""[project]
name = "quay"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["litellm>=1.82"]

[tool.poetry]
package-mode = false

[tool.poetry.group.dev.dependencies]
"Standin.Tools" = {{version = "~1.0", optional = true}}

[[tool.poetry.source]]
name = "x"
url = "{INDEX}"
priority = "primary"
"""

OLD_POETRY = f"""[tool.poetry]
name = "quay"
version = "0.1.0"
description = ""
authors = []

[tool.poetry.dependencies]
python = "^3.9"
litellm = "^1.82"

[tool.poetry.dev-dependencies]
standin-tools = "1.0"

[[tool.poetry.source]]
name = "x"
url = "{INDEX}"
default = true
"""

PDM = f"""[project]
name = "pier"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["litellm>=1.82", "standin-colours"]

[[tool.pdm.source]]
name = "pypi"
url = "{INDEX}"
verify_ssl = false
"""

PIPENV = f"""[[source]]
url = "{INDEX}"
verify_ssl = false
name = "x"

[packages]
litellm = ">=1.82"
standin-colours = "*"

[dev-packages]
"Standin.Tools" = {{version = "==1.1.0"}}

[requires]
"""


class Workshop:
    """A folder with projects and a home, and the tools that work in it."""

    def __init__(self, tools: Path, root: Path) -> None:
        self.tools = tools
        self.home = root / "home"
        self.projects = root / "projects"
        self.home.mkdir()
        self.projects.mkdir()

    def project(self, name: str, **files: str) -> Path:
        """A new project with some files; `__` in a name stands for a dot."""
        folder = self.projects / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file.replace("__", ".")).write_text(text, encoding="utf-8")
        return folder

    def run(self, command: str, folder: Path, tool: str = "t", **more: str) -> None:
        """Run a command of one tool; say what failed."""
        environment = {
            "PATH": f"{self.tools / tool / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.home),
            "PIP_CONFIG_FILE": os.devnull,
            "LANG": "C.UTF-8",
            **more,
        }
        done = subprocess.run(
            command, cwd=folder, env=environment, shell=True, capture_output=True, text=True, timeout=170, check=False
        )
        if done.returncode:
            sys.stderr.write(f"{command}: {done.returncode}\n{(done.stdout + done.stderr)[-900:]}\n")


def rewritten(data: bytes, root: Path) -> bytes:
    """Bytes without this machine: the index gets a name of the same length where it must, else a plain one."""
    if b"\0" in data or not data.isascii():
        return data.replace(f"127.0.0.1:{PORT}".encode(), b"registry.tests")
    text = data.replace(INDEX.encode(), b"https://registry.example/simple/")
    text = text.replace(f"http://127.0.0.1:{PORT}".encode(), b"https://registry.example")
    text = text.replace(f"127.0.0.1:{PORT}".encode(), b"registry.example").replace(b"127.0.0.1", b"registry.example")
    text = text.replace(str(root).encode(), b"/home/dev")
    return re.sub(rb"/[^\s\"']*/bin/python3?[.\d]*", b"/usr/bin/python3", text)


def take(source: Path, reader: str, case: str, place: str, root: Path) -> None:
    """Copy a file or a folder of small files into a case."""
    target = GOLDEN / reader / case / "input" / place
    for path in [source] if source.is_file() else sorted(source.rglob("*")):
        if path.is_file() and 0 < path.stat().st_size <= LARGEST and not path.is_symlink():
            to = target if source.is_file() else target / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(rewritten(path.read_bytes(), root))


def cut(reader: str, case: str, share: float = 0.6) -> None:
    """The case `truncated`: the first file of another case, cut off."""
    source = next(path for path in sorted((GOLDEN / reader / case / "input").rglob("*")) if path.is_file())
    target = GOLDEN / reader / "truncated" / "input" / source.relative_to(GOLDEN / reader / case / "input")
    target.parent.mkdir(parents=True, exist_ok=True)
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])


def make(shop: Workshop, dist: Path, root: Path) -> None:
    """Every project with its tool, and what is taken of it."""
    uv = shop.project("uv", pyproject__toml=UV)
    shop.run("uv lock && uv sync && uv export -q --format pylock.toml -o pylock.toml", uv)
    shop.run("uv export -q --format requirements.txt -o requirements.txt", uv)
    take(uv / "uv.lock", "uv-lock", "uv-0.13", "project/uv.lock", root)
    take(uv / "pylock.toml", "pylock", "uv-0.13", "project/pylock.toml", root)
    take(uv / "pyproject.toml", "pyproject", "uv", "project/pyproject.toml", root)
    take(uv / "requirements.txt", "requirements", "uv-export", "project/requirements.txt", root)
    site = next((uv / ".venv" / "lib").iterdir()) / "site-packages"
    inside = f"project/.venv/lib/{site.parent.name}/site-packages"
    info = site / "litellm-1.82.8.dist-info"
    take(info / "METADATA", "python-metadata", "uv-installed", f"{inside}/{info.name}/METADATA", root)
    take(info / "RECORD", "python-record", "uv", f"{inside}/{info.name}/RECORD", root)
    take(site / "litellm_init.pth", "python-startup", "listed", f"{inside}/litellm_init.pth", root)

    pip = shop.project("pip", requirements__in="litellm\nstandin-colours\n")
    for flags, name in (("--generate-hashes ", "requirements-hashed.txt"), ("", "requirements-plain.txt")):
        shop.run(f"uv pip compile -q --index-url {INDEX} {flags}requirements.in -o {name}", pip)
        take(pip / name, "requirements", "uv-compile", f"project/{name}", root)
    shop.run(f"pip-compile -q --index-url {INDEX} --generate-hashes requirements.in -o dev-requirements.txt", pip)
    take(pip / "dev-requirements.txt", "requirements-suffixed", "pip-tools", "project/dev-requirements.txt", root)
    trusted = f"--index-url {INDEX} --trusted-host 127.0.0.1"
    shop.run(f"python3 -m venv .venv && pip --python .venv install -q {trusted} litellm standin-colours", pip)
    shop.run("pip --python .venv freeze > requirements.txt", pip)
    take(pip / "requirements.txt", "requirements", "pip-freeze", "project/requirements.txt", root)
    take(pip / "requirements.txt", "requirements-folder", "pip-freeze", "project/requirements/base.txt", root)
    site = next((pip / ".venv" / "lib").iterdir()) / "site-packages"
    inside = f"project/.venv/lib/{site.parent.name}/site-packages"
    take(site / info.name / "METADATA", "python-metadata", "pip-installed", f"{inside}/{info.name}/METADATA", root)
    take(site / info.name / "RECORD", "python-record", "pip", f"{inside}/{info.name}/RECORD", root)
    caches = shop.home / ".cache"
    for body in sorted((caches / "pip" / "http-v2").rglob("*")):
        if body.is_file() and body.stat().st_size <= 3000:
            take(body, "pip-cache", "pip-26", str(body.relative_to(shop.home)), root)
    for built in sorted((caches / "pip" / "wheels").rglob("origin.json")):
        take(built, "pip-built", "pip-26", str(built.relative_to(shop.home)), root)
    shop.run(f"pip install -q --target {root / 'old'} {trusted} litellm standin-colours", pip, tool="pipold")
    for kept in sorted((caches / "pip" / "http").rglob("*")):
        if kept.is_file() and kept.stat().st_size <= 4000:
            take(kept, "pip-cache-old", "pip-22", str(kept.relative_to(shop.home)), root)
    take(caches / "uv" / "wheels-v8", "uv-cache", "uv-0.13", "home/.cache/uv/wheels-v8", root)
    for part in ("revision.http", "*/metadata.msgpack"):
        for path in (caches / "uv").glob(f"sdists-v*/index/*/*/*/{part}"):
            take(path, "uv-cache", "uv-0.13", f"home/{path.relative_to(shop.home)}", root)
    for path in (caches / "uv").glob("archive-v0/*/litellm-*.dist-info/METADATA"):
        take(path, "python-metadata", "uv-cache", str(path.relative_to(shop.home)), root)
    wheel = next(dist.glob("litellm-1.82.8-*.whl"))
    shop.run(f"python3 -m venv .file && pip --python .file install -q {trusted} {wheel}", pip)
    for path in pip.glob(f".file/lib/*/site-packages/{info.name}/direct_url.json"):
        take(path, "python-direct-url", "pip-archive", f"project/{path.relative_to(pip)}", root)
    link = shop.project("link", setup__py="from setuptools import setup\nsetup(name='litellm', version='1.82.8')\n")
    shop.run(f"python3 -m venv .venv && pip --python .venv install -q {trusted} -e .", link)
    for path in link.glob(".venv/lib/*/site-packages/litellm-*.dist-info/direct_url.json"):
        take(path, "python-direct-url", "pip-editable", f"project/{path.relative_to(link)}", root)
    for path in link.glob("litellm.egg-info/PKG-INFO"):
        take(path, "python-metadata", "setuptools-link", f"project/{path.relative_to(link)}", root)
    for path in link.glob(".venv/lib/*/site-packages/*.pth"):
        take(path, "python-startup", "editable", f"project/{path.relative_to(link)}", root)
    shop.run(f"pipx install --pip-args=--no-cache-dir --index-url {INDEX} litellm", pip, PIPX_DEFAULT_BACKEND="pip")
    for path in (shop.home / ".local").rglob("pipx_metadata.json"):
        take(path, "pipx-metadata", "pipx-1.18", str(path.relative_to(shop.home)), root)

    poetry = shop.project("poetry", pyproject__toml=POETRY)
    shop.run("poetry lock -n && poetry install -n --no-root", poetry)
    take(poetry / "poetry.lock", "poetry-lock", "poetry-2.5", "project/poetry.lock", root)
    take(poetry / "pyproject.toml", "pyproject", "poetry-2.5", "project/pyproject.toml", root)
    for release in ("1.1.15", "1.8.5"):
        old = shop.project(f"poetry-{release}", pyproject__toml=OLD_POETRY)
        shop.run("poetry lock -n", old, tool=f"po{release}", PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")
        if (old / "poetry.lock").is_file():
            take(old / "poetry.lock", "poetry-lock", f"poetry-{release[:3]}", "project/poetry.lock", root)
            take(old / "pyproject.toml", "pyproject", f"poetry-{release[:3]}", "project/pyproject.toml", root)

    pdm = shop.project("pdm", pyproject__toml=PDM)
    shop.run("pdm lock -q && pdm export -o requirements.txt; pdm export -f pylock -o pylock.pdm.toml", pdm, tool="pdmw")
    take(pdm / "pdm.lock", "pdm-lock", "pdm-2.20", "project/pdm.lock", root)
    if (pdm / "pylock.pdm.toml").is_file():
        take(pdm / "pylock.pdm.toml", "pylock", "pdm-2.20", "project/pylock.pdm.toml", root)
    take(pdm / "requirements.txt", "requirements", "pdm-export", "project/requirements.txt", root)

    pipenv = shop.project("pipenv", Pipfile=PIPENV)
    shop.run("pipenv lock", pipenv, PIPENV_VENV_IN_PROJECT="1")
    take(pipenv / "Pipfile.lock", "pipfile-lock", "pipenv-2026", "project/Pipfile.lock", root)
    take(pipenv / "Pipfile", "pipfile", "pipenv-2026", "project/Pipfile", root)


def main() -> int:
    """Make every input anew; `python -m tests.golden.harness` then writes the expectations."""
    options = argparse.ArgumentParser()
    options.add_argument("--tools", type=Path, required=True)
    options.add_argument("--extra", type=Path, required=True)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        dist = root / "dist"
        write(dist, sources=True)
        next(dist.glob("standin_colours-*.whl")).unlink()
        for path in chosen.extra.iterdir():
            shutil.copy(path, dist)
        with served(dist, PORT):
            make(Workshop(chosen.tools, root), dist, root)
    for reader, case in (
        ("uv-lock", "uv-0.13"),
        ("pylock", "uv-0.13"),
        ("poetry-lock", "poetry-2.5"),
        ("pdm-lock", "pdm-2.20"),
        ("pipfile-lock", "pipenv-2026"),
        ("pipfile", "pipenv-2026"),
        ("pyproject", "uv"),
        ("python-metadata", "pip-installed"),
        ("python-record", "pip"),
        ("python-direct-url", "pip-archive"),
        ("python-startup", "listed"),
        ("requirements", "uv-export"),
        ("requirements-suffixed", "pip-tools"),
        ("requirements-folder", "pip-freeze"),
        ("pip-built", "pip-26"),
        ("pip-cache", "pip-26"),
        ("pip-cache-old", "pip-22"),
        ("uv-cache", "uv-0.13"),
        ("pipx-metadata", "pipx-1.18"),
    ):
        cut(reader, case)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Make the fixtures of bills of materials with real producers, from inert installs.

Usage: `python -m tests.standins.boms --clients FOLDER --python FOLDER --output FOLDER`. `--clients` is where
`npm install @cyclonedx/cyclonedx-npm@6.0.1` was run, beside npm 11 on the PATH; `--python` is a virtual environment with
`uv` and `cyclonedx-bom`. The stand-in registry serves the npm packages, a folder the Python ones; nothing leaves the
loopback interface, and no script of a package runs. Hosts, places and serial numbers are made up afterwards.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

from .packages import IN_WINDOW
from .registry import Registry

PYTHON = {"litellm": "1.82.7", "standin-colours": "1.0.0"}


def wheel(folder: Path, name: str, version: str, needs: tuple[str, ...] = ()) -> None:
    """An inert wheel, the same bytes every time."""
    plain = name.replace("-", "_")
    info = f"{plain}-{version}.dist-info"
    files = {
        f"{plain}/__init__.py": "STAND_IN = True\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {need}\n" for need in needs),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 3, 24, 0, 0, 0)), text)
    (folder / f"{plain}-{version}-py3-none-any.whl").write_bytes(buffer.getvalue())


def run(words: list[str], cwd: Path, **more: str) -> str:
    """Run one producer; its output."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd / "home"),
        "NO_PROXY": "127.0.0.1",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "npm_config_update_notifier": "false",
        **more,
    }
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=200)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def npm(clients: Path, work: Path) -> dict[str, str]:
    """What npm's own command and cyclonedx-npm say of one install."""
    wants = {"axios": "1.14.1", "standin-bundle": "2.0.0"}
    manifest = {"name": "shop", "version": "1.0.0", "license": "MIT", "dependencies": wants}
    (work / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    with Registry(as_of=IN_WINDOW) as registry:
        run(["npm", "install", "--ignore-scripts", "--no-audit", f"--registry={registry.url}"], work)
        host = registry.url.partition("//")[2].strip("/")
        said = {
            "npm-11-cyclonedx": run(["npm", "sbom", "--sbom-format", "cyclonedx"], work),
            "npm-11-spdx": run(["npm", "sbom", "--sbom-format", "spdx"], work),
            "npm-11-cyclonedx-lock-only": run(
                ["npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], work
            ),
        }
        tool = str(clients / "node_modules/.bin/cyclonedx-npm")
        for version in ("1.4", "1.6"):
            said[f"cyclonedx-npm-6-{version}"] = run([tool, "--spec-version", version, "--output-format", "JSON"], work)
        said["cyclonedx-npm-6-xml"] = run([tool, "--output-format", "XML"], work)
    escaped = host.replace(":", "%3A")
    return {
        name: text.replace(host, "registry.example").replace(escaped, "registry.example") for name, text in said.items()
    }


def python(programs: Path, work: Path) -> dict[str, str]:
    """What uv and cyclonedx-py say of one project and one environment."""
    folder = work / "wheels"
    folder.mkdir()
    wheel(folder, "litellm", PYTHON["litellm"], ("standin-colours",))
    wheel(folder, "standin-colours", PYTHON["standin-colours"])
    (work / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1.0.0"\nrequires-python = ">=3.11"\ndependencies = ["litellm==1.82.7"]\n'
        '[tool.uv]\nno-index = true\nfind-links = ["./wheels"]\n',
        encoding="utf-8",
    )
    tool = str(programs / "bin/uv")
    run([tool, "lock"], work)
    said = {"uv-cyclonedx": run([tool, "export", "--format", "cyclonedx1.5", "--frozen"], work)}
    run([tool, "venv", "env"], work)
    run([tool, "pip", "install", "--python", "env", "--no-index", "--find-links", "wheels", "litellm==1.82.7"], work)
    bom = [str(programs / "bin/cyclonedx-py")]
    said["cyclonedx-py-environment"] = run([*bom, "environment", "env", "--spec-version", "1.6"], work)
    (work / "requirements.txt").write_text("litellm==1.82.7\nstandin-colours==1.0.0\n", encoding="utf-8")
    said["cyclonedx-py-requirements"] = run([*bom, "requirements", "requirements.txt"], work)
    return said


def main() -> int:
    """Make the fixtures."""
    parser = argparse.ArgumentParser()
    for name in ("clients", "python", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    for make, folder in ((npm, given.clients), (python, given.python)):
        with tempfile.TemporaryDirectory() as name:
            work = Path(name) / "shop"
            work.mkdir()
            said = make(folder, work)
        for case, text in said.items():
            plain = re.sub(r"urn:uuid:[0-9a-f-]{36}", "urn:uuid:00000000-0000-4000-8000-000000000000", text)
            plain = plain.replace(f"file://{name}", "file:///srv/shop").replace(name, "/srv/shop")
            plain = re.sub(r"https://[a-z.]+/(project|simple)/", r"https://index.example/\1/", plain)
            plain = re.sub(r"(spdxdocs/[\w.-]+?-)[0-9a-f-]{36}", r"\g<1>0", plain)
            (given.output / (f"{case}.xml" if case.endswith("xml") else f"{case}.json")).write_text(
                plain, encoding="utf-8"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

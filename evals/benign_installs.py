"""Ordinary installs with scripts and native builds under `pratique guard`: what its rules say of them.

    python -m evals.benign_installs --npm COMMAND --out DIR [--client NAME] [--only NAME] [--seconds N] [--block]

Installs each package of `evals/benign/installs.tsv` in a folder and a home of its own, from the registries that npm and
pip are configured for, with scripts on. `--npm` must name a client that runs scripts of dependencies by default (11 or
earlier). `--client` says what the command is where it is another one: pnpm, yarn 1, yarn 2 and later, or bun; then the
packages of npm alone are installed. What a machine's network refuses shows as an install that failed: its scripts ran
until then, so that it is told apart and counted apart. The home holds inert files at common places of credentials.

Told are, for each level, how many installs reached it, and every detection above low. `DIR/results.ndjson` keeps all.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIST = Path(__file__).parent / "benign" / "installs.tsv"
CLIENTS = {
    "npm": ["install", "--ignore-scripts=false", "--foreground-scripts", "--no-audit", "--no-fund"],
    "pnpm": ["add", "--config.dangerouslyAllowAllBuilds=true"],
    "yarn": ["add"],
    "yarn-berry": ["add"],
    "bun": ["add", "--trust"],
}
"""How each client installs a package and runs the scripts of all."""
PLACES = (".aws/credentials", ".ssh/id_ed25519", ".netrc", ".config/gh/hosts.yml", ".docker/config.json")


def main(arguments: list[str]) -> int:
    """Run the installs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--npm", default="npm")
    parser.add_argument("--client", choices=sorted(CLIENTS), default="npm")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--block", action="store_true", help="refuse what the usual policy refuses")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / "results.ndjson"
    with LIST.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if options.only in (None, row["package"])]
    if options.client != "npm":
        rows = [row for row in rows if row["ecosystem"] == "npm"]
    found = []
    with results.open("w", encoding="utf-8") as out:
        for row in rows:
            one = installed(row, options.npm, options.seconds, options.block, options.client)
            found.append(one)
            out.write(json.dumps(one) + "\n")
            out.flush()
            print(
                f"{one['level'] or 'none':<13} code {one['code']:>3}  {row['ecosystem']} {row['package']}", flush=True
            )
    print("\n".join(table(found)))
    return 0


def installed(
    row: dict[str, str], npm: str, seconds: float, block: bool = False, client: str = "npm"
) -> dict[str, Any]:
    """One install: its code, the level that was reached, its detections, and what could not be had."""
    with tempfile.TemporaryDirectory(prefix="install-", ignore_cleanup_errors=True, dir=Path.home()) as name:
        folder = Path(name)
        home, project, report = folder / "home", folder / "project", folder / "guard.json"
        project.mkdir()
        for place in PLACES:
            (home / place).parent.mkdir(parents=True, exist_ok=True)
            (home / place).write_text("# inert\n", "utf-8")
        if shutil.which("git"):
            subprocess.run(["git", "init", "-q"], cwd=project, check=True)
        given = {**os.environ, "HOME": str(home), "TMPDIR": str(folder / "temporary")}
        (folder / "temporary").mkdir()
        command = ["env", "-u", "PYTHONPATH", *_command(row, npm, project, home, client)]
        guard = [
            sys.executable,
            "-m",
            "pratique",
            "guard",
            "--time",
            str(seconds),
            "--json",
            str(report),
            "--",
            *command,
        ]
        guard[4:4] = ["--block"] if block else []
        # As root yarn 1 keeps its cache for the whole machine.
        given["YARN_CACHE_FOLDER"] = str(home / ".cache" / "yarn")
        given |= {"PRATIQUE_ISOLATED": "no", "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(guard, cwd=project, env=given, capture_output=True, text=True, check=False)
        if not report.exists():
            return {**row, "code": done.returncode, "level": None, "detections": [], "error": done.stderr[-2000:]}
        document = json.loads(report.read_text("utf-8"))
        return {
            **row,
            "code": document["code"],
            "level": document["level"],
            "timed_out": document["timed_out"],
            "events": document["events"],
            "lost": document["watch"].get("lost", 0),
            "detections": document["detections"],
            "denied": done.stderr.count("(denied)"),
            "output": (done.stdout + done.stderr)[-1500:] if document["code"] else "",
        }


def _command(row: dict[str, str], npm: str, project: Path, home: Path, client: str) -> list[str]:
    if row["ecosystem"] == "npm":
        (project / "package.json").write_text('{"name": "measured", "version": "1.0.0"}', "utf-8")
        configured = Path.home() / ".npmrc"
        if configured.exists():
            shutil.copy(configured, home / ".npmrc")
        settings = []
        if client == "yarn-berry":
            asked = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True, check=True)
            settings = ["YARN_ENABLE_SCRIPTS=1", "YARN_NODE_LINKER=node-modules", "YARN_ENABLE_GLOBAL_CACHE=0"]
            settings.append(f"YARN_NPM_REGISTRY_SERVER={asked.stdout.strip()}")
            (project / "yarn.lock").touch()
        return [*settings, *npm.split(), *CLIENTS[client], row["package"]]
    subprocess.run([sys.executable, "-m", "venv", str(project / "venv")], check=True)
    pip = [str(project / "venv/bin/python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    return [*pip, "--no-binary", row["package"], row["package"]]


def table(found: list[dict[str, Any]]) -> Iterator[str]:
    """Levels by how many installs reached them, then every detection above low."""
    for title, rows in (
        ("installs that ended well", [one for one in found if one["code"] == 0]),
        ("installs that failed", [one for one in found if one["code"]]),
    ):
        levels = Counter(one["level"] or "none" for one in rows)
        yield f"{title}: {len(rows)}; " + ", ".join(f"{level} {number}" for level, number in sorted(levels.items()))
    for one in found:
        for detection in one["detections"]:
            if detection["level"] not in ("low", "informational"):
                told = f"{detection['level']} {detection['rule']}: {detection['statement']}"
                yield f"  {one['ecosystem']} {one['package']}: {told}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

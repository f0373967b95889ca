"""Rebuild the fixtures with real package managers.

Run as root on Linux: `python -m tests.standins.make_fixtures --clients /some/folder/outside/the/repository`.
`--only npm` (repeatable) rebuilds one family. `--missing` keeps what is there and adds only what is not: every
run records new times, so a full rebuild changes nearly every file. Needs npm, unshare, mount, ip, setpriv and git.
"""

from __future__ import annotations

import argparse
import importlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .clients import CLIENTS, NODES, install
from .registry import Registry
from .sandbox import enter

FAMILIES = ("npm", "pnpm", "yarn", "bun", "deno")
REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / "tests" / "golden" / "readers" / "npm"
INSTALLS = REPOSITORY / "tests" / "fixtures" / "installs"


def main() -> None:
    parser = argparse.ArgumentParser(description="Rebuild the fixtures with real package managers.")
    parser.add_argument("--clients", type=Path, required=True, help="folder outside the repository for the clients")
    parser.add_argument("--only", action="append", choices=FAMILIES, help="rebuild this family only")
    parser.add_argument("--missing", action="store_true", help="keep what is there, add only what is not")
    parser.add_argument("--stage", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    families = tuple(options.only or FAMILIES)
    clients = options.clients.resolve()
    if options.stage:
        inside(clients, options.stage, families)
        return
    if clients.is_relative_to(REPOSITORY):
        parser.error("the folder for the clients must lie outside the repository")
    for client in NODES + CLIENTS:
        if client in NODES or client.label.partition("-")[0] in families:
            install(client, clients)
    with tempfile.TemporaryDirectory() as stage:
        again = [sys.executable, "-m", "tests.standins.make_fixtures", "--clients", str(clients), "--stage", stage]
        for family in families:
            again += ["--only", family]
        subprocess.run(["unshare", "-n", "-m", "-u", "--", "nice", *again], check=True, cwd=REPOSITORY)
        for family in families:
            replace(family, Path(stage), keep=options.missing)


def inside(clients: Path, stage: Path, families: tuple[str, ...]) -> None:
    """The part that runs in the namespaces."""
    recipes = [importlib.import_module(f".recipes.{family}", __package__) for family in families]
    enter(clients, stage)
    with Registry(port=80) as registry:
        for recipe in recipes:
            recipe.make(registry)


def replace(family: str, stage: Path, *, keep: bool) -> None:
    """Put the new results of one family in place of its old ones; expected results are left alone."""
    mine = re.compile(rf"{family}-[0-9]")
    if not keep:
        for old in GOLDEN.glob("*/*/input"):
            if mine.match(old.parent.name):
                shutil.rmtree(old)
        for old in INSTALLS.glob("*.tar.gz"):
            if mine.match(old.name):
                old.unlink()
    for made in sorted((stage / "golden").glob("*/*")):
        target = GOLDEN / made.parent.name / made.name
        if mine.match(made.name) and not (target / "input").exists():
            shutil.copytree(made, target, dirs_exist_ok=True)
    INSTALLS.mkdir(parents=True, exist_ok=True)
    for made in sorted((stage / "installs").glob("*.tar.gz")):
        target = INSTALLS / made.name
        if mine.match(made.name) and not target.exists():
            shutil.copyfile(made, target)


if __name__ == "__main__":
    main()

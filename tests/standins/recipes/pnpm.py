"""pnpm 7 to 12."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.standins.packages import BEFORE_WINDOW, PAYLOAD, release
from tests.standins.registry import Registry
from tests.standins.sandbox import HOME, PROJECT, URL, Box, client

LABELS = ("pnpm-7", "pnpm-8", "pnpm-9", "pnpm-10", "pnpm-11", "pnpm-12")
RUNS_BY_DEFAULT = {"pnpm-7", "pnpm-8", "pnpm-9"}
NPMRC = f"registry={URL}\n@jsr:registry={URL}\n"
ALLOW = {
    "pnpm-10": f"onlyBuiltDependencies:\n  - {PAYLOAD}\n",
    "pnpm-11": f"allowBuilds:\n  {PAYLOAD}: true\n",
    "pnpm-12": f"allowBuilds:\n  {PAYLOAD}: true\n",
}
WHOLE = set(LABELS) - {"pnpm-7"}
LOCK = PROJECT / "pnpm-lock.yaml"
MODULES = PROJECT / "node_modules" / ".modules.yaml"
STATE = PROJECT / "node_modules" / ".pnpm-workspace-state-v1.json"
INSTALLED = PROJECT / "node_modules" / ".pnpm" / "lock.yaml"
DROPPER = PROJECT / f"node_modules/.pnpm/{PAYLOAD}@4.2.1/node_modules/{PAYLOAD}/package.json"
STORE = HOME / ".local" / "share" / "pnpm" / "store"


def make(registry: Registry) -> None:
    for label in LABELS:
        with client(registry, label) as box:
            incident(box)
            formats(box)
            if label in {"pnpm-10", "pnpm-11", "pnpm-12"}:
                configuration(box)
            if label in {"pnpm-11", "pnpm-12"}:
                write_ahead(box)
            if label in {"pnpm-7", "pnpm-9", "pnpm-11"}:
                git(box)
            if label in {"pnpm-10", "pnpm-12"}:
                clean(box)


def start(box: Box, *, keep_home: bool = False, workspace: str = "") -> None:
    box.fresh(keep_home=keep_home)
    box.write(".npmrc", NPMRC)
    if workspace:
        box.write("pnpm-workspace.yaml", workspace)


def store_index(box: Box) -> tuple[str, list[Path]]:
    """The reader for this store generation, and the files that describe the payload in it."""
    if box.label in {"pnpm-11", "pnpm-12"}:
        return "pnpm-store-database", sorted(STORE.glob("v11/index.db*"))
    digest = base64.b64decode(release(PAYLOAD, "4.2.1").integrity.removeprefix("sha512-")).hex()
    if box.label == "pnpm-10":
        return "pnpm-store-index", [STORE / "v10" / "index" / digest[:2] / f"{digest[2:64]}-{PAYLOAD}@4.2.1.json"]
    return "pnpm-store-index", [STORE / "v3" / "files" / digest[:2] / f"{digest[2:]}-index.json"]


def keep(box: Box, case: str) -> None:
    box.keep("pnpm-lock", case, LOCK)
    box.keep("pnpm-modules", case, MODULES)
    box.keep("manifest", f"dropper-{case}", DROPPER)
    if STATE.exists():
        box.keep("pnpm-workspace-state", case, STATE)
    reader, files = store_index(box)
    box.keep(reader, case, *files)


def incident(box: Box) -> None:
    """Script allowed, replayed from the store without a run, held back, switched off, and lockfile only."""
    label = box.label
    start(box, workspace=ALLOW.get(label, ""))
    box.incident()
    box.run("pnpm", "install")
    box.expect(ran=True)
    keep(box, "ran")
    box.keep("pnpm-virtual-store-lock", "installed", INSTALLED)
    if label in WHOLE:
        box.install("ran")

    start(box, keep_home=True, workspace=ALLOW.get(label, ""))
    box.incident()
    box.run("pnpm", "install")
    box.expect(ran=False)
    box.keep("pnpm-modules", "replayed", MODULES)
    if label in WHOLE:
        box.install("replayed")

    if label not in RUNS_BY_DEFAULT:
        start(box)
        box.incident()
        box.run("pnpm", "install", check=False)
        box.expect(ran=False)
        keep(box, "blocked")
        box.install("blocked")

    start(box)
    box.incident()
    box.run("pnpm", "install", "--ignore-scripts")
    box.expect(ran=False)
    keep(box, "ignore-scripts")
    if label in WHOLE & RUNS_BY_DEFAULT:
        box.install("blocked")

    start(box)
    box.incident()
    box.run("pnpm", "install", "--lockfile-only")
    box.expect(ran=False)
    if label in WHOLE:
        box.install("lock-only")


def formats(box: Box) -> None:
    """Every kind of dependency, once as a single project and once as a workspace."""
    start(box, workspace=ALLOW.get(box.label, ""))
    box.formats(workspaces=False)
    box.run("pnpm", "install")
    box.keep("pnpm-lock", "formats", LOCK)
    box.keep("pnpm-modules", "formats", MODULES)

    start(box, workspace="packages:\n  - packages/*\n" + ALLOW.get(box.label, ""))
    box.formats()
    box.run("pnpm", "install")
    box.keep("pnpm-lock", "workspace", LOCK)
    if STATE.exists():
        box.keep("pnpm-workspace-state", "workspace", STATE)


def configuration(box: Box) -> None:
    """A configuration dependency, which pnpm 11 and 12 record in a first document of the lockfile."""
    version = "0.3.0"
    entry = f"{version}+{release('standin-config', version).integrity}" if box.label == "pnpm-10" else version
    start(box, workspace=f'configDependencies:\n  standin-config: "{entry}"\n{ALLOW[box.label]}')
    box.incident()
    box.run("pnpm", "install")
    box.expect(ran=True)
    box.keep("pnpm-lock", "configuration-dependency", LOCK)


def write_ahead(box: Box) -> None:
    """A store whose newest rows are still in the write-ahead log, because another process has it open."""
    start(box, workspace=ALLOW[box.label])
    box.incident(dependencies={"standin-colours": "4.1.2"})
    box.run("pnpm", "install")
    start(box, keep_home=True, workspace=ALLOW[box.label])
    box.incident()
    with closing(sqlite3.connect(STORE / "v11" / "index.db")) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from package_index").fetchone()
        box.run("pnpm", "install")
        box.expect(ran=True)
        files = sorted(STORE.glob("v11/index.db*"))
        if len(files) != 3:
            raise RuntimeError(f"wanted three database files, found {files}")
        box.keep("pnpm-store-database", "write-ahead", *files)


def git(box: Box) -> None:
    """A dependency from a git repository."""
    start(box)
    box.incident(dependencies={"standin-git": f"git+{box.git_dependency()}"})
    box.run("pnpm", "install")
    box.keep("pnpm-lock", "git", LOCK)


def clean(box: Box) -> None:
    """The same project installed before the window: nothing of the incident is anywhere."""
    box.fresh(BEFORE_WINDOW)
    box.write(".npmrc", NPMRC)
    box.incident()
    box.run("pnpm", "install")
    box.install("clean")

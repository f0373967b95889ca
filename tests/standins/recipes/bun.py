"""bun 0.6 to 1.4."""

from __future__ import annotations

from typing import Any

from tests.standins.packages import BEFORE_WINDOW, PAYLOAD
from tests.standins.registry import Registry
from tests.standins.sandbox import PROJECT, URL, Box, client

LABELS = ("bun-0.6", "bun-1.0", "bun-1.1", "bun-1.2", "bun-1.3", "bun-1.4")
TEXT = {"bun-1.2", "bun-1.3", "bun-1.4"}
WHOLE = {"bun-1.4"}
TRUST: dict[str, Any] = {"trustedDependencies": [PAYLOAD]}
DROPPER = PROJECT / "node_modules" / PAYLOAD / "package.json"


def make(registry: Registry) -> None:
    for label in LABELS:
        with client(registry, label) as box:
            incident(box)
            formats(box)
            if label in {"bun-1.1", "bun-1.2", "bun-1.4"}:
                git(box)


def start(box: Box, *more: str) -> None:
    box.fresh()
    box.write("bunfig.toml", "\n".join(["[install]", f'registry = "{URL}"', *more]) + "\n")


def keep_lock(box: Box, case: str) -> None:
    """The lockfile in either form; beside the binary one, what bun itself prints of it."""
    if (PROJECT / "bun.lock").exists():
        box.keep("bun-lock", case, PROJECT / "bun.lock")
    else:
        box.keep("bun-lockb", case, PROJECT / "bun.lockb")
        box.note("bun-lockb", case, "printed-by-bun.txt", box.run("bun", "bun.lockb").stdout)


def incident(box: Box) -> None:
    """Script trusted, script held back, and lockfile only."""
    label = box.label
    start(box)
    box.incident(**TRUST)
    box.run("bun", "install")
    box.expect(ran=True)
    keep_lock(box, "ran")
    box.keep("manifest", "dropper-ran", DROPPER)
    if label in WHOLE:
        box.install("ran")

    start(box)
    box.incident()
    box.run("bun", "install")
    box.expect(ran=False)
    keep_lock(box, "blocked")
    box.keep("manifest", "dropper-blocked", DROPPER)
    if label in WHOLE:
        box.install("blocked")
        start(box)
        box.incident()
        box.run("bun", "install", "--lockfile-only")
        box.expect(ran=False)
        box.install("lock-only")


def formats(box: Box) -> None:
    """Every kind of dependency, in the default lockfile and, where the default is text, in the binary one too."""
    start(box)
    box.formats(**TRUST)
    box.run("bun", "install")
    keep_lock(box, "formats")
    if box.label in TEXT:
        start(box, "saveTextLockfile = false")
        box.formats(**TRUST)
        box.run("bun", "install")
        keep_lock(box, "formats-binary")


def git(box: Box) -> None:
    """A dependency from a git repository; for the newest release also the project as it was before the window."""
    for case, more in (("git", ()), ("git-binary", ("saveTextLockfile = false",))):
        if more and box.label not in TEXT:
            continue
        start(box, *more)
        box.incident(dependencies={"standin-git": f"git+{box.git_dependency()}#main"})
        box.run("bun", "install")
        keep_lock(box, case)
    if box.label in WHOLE:
        start(box)
        box.registry.as_of = BEFORE_WINDOW
        box.incident()
        box.run("bun", "install")
        box.install("clean")

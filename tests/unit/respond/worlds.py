"""Small worlds on a disk, a plan that changes them, and what they look like."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from pratique.adapters import clock, disk
from pratique.model.plan import SCHEMA, Action, Disposition, Edit, Hunk, Manual, Phase, Plan, Quarantine, Step, patched
from pratique.report.plans import render_plan
from pratique.respond.edits import edit
from pratique.workflow.apply import Applied, ApplyRequest, apply, undo

Snapshot = dict[str, tuple[object, ...]]


def snapshot(folder: Path, *, times: bool = True) -> Snapshot:
    """Every file, link and folder below: kind, mode, bytes and time; times of folders that hold others do not count."""
    found: Snapshot = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(top) / name
            status = path.lstat()
            mode = stat.S_IMODE(status.st_mode)
            key = str(path.relative_to(folder))
            if path.is_symlink():
                found[key] = ("link", os.readlink(path))
            elif path.is_dir():
                found[key] = ("folder", mode)
            else:
                found[key] = ("file", mode, path.read_bytes(), status.st_mtime_ns if times else 0)
    return found


def change(
    name: str, action: Action, disposition: Disposition = "safe", phase: Phase = "revert", **more: object
) -> Step:
    """A step that changes something."""
    return msgspec.convert(
        {
            "id": name,
            "phase": phase,
            "title": f"Do {name}",
            "reason": "a test",
            "disposition": disposition,
            "action": msgspec.to_builtins(action),
            "owner": "responder",
            **more,
        },
        Step,
    )


def edit_of(path: Path, *hunks: tuple[int, bytes, bytes]) -> Edit:
    """An edit of a file as it is now: offset, bytes out, bytes in."""
    before = path.read_bytes() if path.exists() else None
    made = tuple(Hunk(offset=at, remove=out, insert=into) for at, out, into in hunks)
    after = patched(before or b"", made)
    return Edit(
        path=str(path),
        before=disk.of(before) if before is not None else None,
        after=disk.of(after),
        hunks=made,
        diff=edit(str(path), before, after).diff,
    )


def move_of(path: Path, what: str = "package-cache") -> Quarantine:
    """A move of what is at a path now."""
    return Quarantine(path=str(path), digest=disk.digest(str(path))[0], what=what, folder=path.is_dir())


def plan_of(*steps: Step, host: str | None = None, case: str = "") -> Plan:
    """A plan of these steps for this machine."""
    return Plan(
        schema=SCHEMA,
        tool="pratique test",
        host=host or clock.host(),
        made="2026-11-26",
        basis=(),
        case=case,
        incidents=(),
        steps=steps,
    )


def written(plan: Plan, path: Path) -> ApplyRequest:
    """The plan as a file, and the request that confirms it."""
    path.write_bytes(render_plan(plan, "json"))
    return ApplyRequest(plan=str(path), confirm=plan.digest, allow=frozenset({"unsealed"}))


def world(folder: Path) -> Plan:
    """A project, a cache and a package folder, and the plan that edits, makes and moves all kinds of things."""
    project, cache = folder / "shop", folder / "home" / ".npm" / "_cacache"
    package = project / "node_modules" / "plain-crypto-js"
    for place in (package / "lib", cache / "index-v5" / "aa"):
        place.mkdir(parents=True)
    (project / "package.json").write_bytes(b'{\n  "dependencies": {"axios": "^1.14.1"}\n}\n')
    (project / "package.json").chmod(0o640)
    (package / "package.json").write_bytes(b'{"name": "plain-crypto-js", "version": "4.2.1"}')
    (package / "lib" / "index.js").write_bytes(b"// inert\n" * 3)
    (package / "lib" / "index.js").chmod(0o755)
    (package / "again.js").symlink_to("lib/index.js")
    (package / "lib").chmod(0o750)
    (cache / "index-v5" / "aa" / "bb").write_bytes(b"entry\n")
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, ns=(10**18 + number, 10**18 + number * 1_000_003), follow_symlinks=False)
    return plan_of(
        change("preserve.look", Manual(instructions=("Look.",)), "manual", "preserve"),
        change("revert.pin", edit_of(project / "package.json", (31, b"^1.14.1", b"1.14.0"), (41, b"}\n", b"\n}\n"))),
        change("revert.settings", edit_of(project / ".npmrc", (0, b"", b"ignore-scripts=true\n"))),
        change("revert.cache", move_of(cache / "index-v5" / "aa" / "bb")),
        change("revert.folder", move_of(package, "package-folder")),
    )


def outcomes(found: Applied) -> dict[str, str]:
    """Step to outcome."""
    return {item.step: item.outcome for item in found.outcomes}


__all__ = [
    "apply",
    "change",
    "edit_of",
    "move_of",
    "outcomes",
    "plan_of",
    "snapshot",
    "undo",
    "world",
    "written",
]

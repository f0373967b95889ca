"""Lay out a harbour of workspaces and a home, check it, and say where the report is.

Everything in it was installed by real clients from a loopback registry that serves inert stand-ins; here the installs
are unpacked and their clocks are set to the morning of 31 March 2026, so that the timeline can be read. The stand-ins
have other bytes than the real releases, and the report says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from demo import elsewhere, microscope, recovery
from tests.standins.installs import unpack

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "demo"
HARBOUR = BUILD / "harbour"
ELSEWHERE = BUILD / "elsewhere"
RECOVERY = BUILD / "recovery"
MICROSCOPE = BUILD / "microscope"

FLEET = {
    "shop-web": ("npm-11-ran", "00:32:55"),
    "billing-api": ("npm-12-blocked", "00:47:10"),
    "docs-site": ("npm-10-lock-only", "01:28:46"),
    "legacy-portal": ("npm-6-lock-only", "01:53:20"),
    "mobile-app": ("pnpm-10-blocked", "02:11:03"),
    "edge-worker": ("bun-1.4-lock-only", "02:24:26"),
    "old-intranet": ("yarn-1-lock-only", "02:41:00"),
    "design-kit": ("yarn-4.18-node-modules-lock-only", "02:56:43"),
    "cron-jobs": ("deno-2.9-lock-only", "03:05:12"),
    "clean-api": ("npm-10-clean", "02:00:00"),
    "clean-site": ("pnpm-10-clean", "02:30:00"),
}
"""Workspace to the install it is made of, and the time of day (UTC, 31 March 2026) at which it is set to happen."""

DAY = datetime(2026, 3, 31, tzinfo=UTC)


def main() -> int:
    """Build the harbour, check it, print the answer."""
    shutil.rmtree(BUILD, ignore_errors=True)
    HARBOUR.mkdir(parents=True)
    for name, (install, clock) in FLEET.items():
        moor(name, install, at(clock))
    protected(HARBOUR / "projects" / "protected-app")
    report = BUILD / "report.html"
    words = ["check", str(HARBOUR.relative_to(ROOT)), "--output", str(report.relative_to(ROOT))]
    command = [sys.executable, "-m", "pratique", *words, "--no-progress"]
    print(f"$ pratique {' '.join(words)}\n", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    code = subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode
    print(f"\nexit code {code}: affected, and the payload ran (docs/reference/exit-codes.md)" if code == 11 else "")
    print(f"report     {report}")
    elsewhere.lay_out(ELSEWHERE)
    print(f"\nThe same incident where nobody looks:\n\n$ cd {ELSEWHERE.relative_to(ROOT)}")
    print(f"$ pratique check {' '.join(elsewhere.WORDS)}\n", flush=True)
    command = [sys.executable, "-m", "pratique", "check", *elsewhere.WORDS, "--no-progress", "--no-cache"]
    other = subprocess.run(command, env=environment, cwd=ELSEWHERE, check=False).returncode
    print(f"\nFrom the verdict to recovery:\n\n$ cd {RECOVERY.relative_to(ROOT)}")
    RECOVERY.mkdir(parents=True)
    recovered = recovery.main(RECOVERY, ROOT / "src")
    print("\nThe same release, judged before there was an advisory, by what it changes:\n")
    print(f"$ cd {MICROSCOPE.relative_to(ROOT)}", flush=True)
    MICROSCOPE.mkdir(parents=True)
    judged = microscope.main(MICROSCOPE, environment)
    print(f"\nexit code {judged}: do not install it\n" if judged == 13 else "")
    print("this user on this machine, for real:    .venv/bin/pratique check")
    print("a folder of repositories, for real:     .venv/bin/pratique check PATH --output report.html")
    print("a release before you take it, for real:  .venv/bin/pratique inspect npm:NAME@VERSION")
    return 0 if code == other == 11 and recovered == 0 and judged == 13 else 1


def at(clock: str) -> datetime:
    """A time of day on the day of the incident."""
    hour, minute, second = map(int, clock.split(":"))
    return DAY + timedelta(hours=hour, minutes=minute, seconds=second)


def moor(name: str, install: str, moment: datetime) -> None:
    """Unpack one install: its project under `projects/`, what its home holds under `homes/`."""
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        source = Path(folder) / "install"
        unpack(install, source)
        project = HARBOUR / "projects" / name
        project.parent.mkdir(exist_ok=True)
        shutil.move(source / "project", project)
        set_clock(project, moment)
        home = source / "home"
        if (home / ".npm").is_dir():
            target = HARBOUR / "homes" / name
            target.mkdir(parents=True)
            shutil.move(home / ".npm", target / ".npm")
            rewrite_logs(target / ".npm" / "_logs", project, moment)
            rewrite_cache(target / ".npm" / "_cacache" / "index-v5", moment)


def set_clock(folder: Path, moment: datetime) -> None:
    """Give every file and folder the time of the install; folders last, deepest first."""
    stamp = moment.timestamp()
    for parent, folders, files in os.walk(folder, topdown=False):
        for entry in (*files, *folders):
            path = Path(parent) / entry
            os.utime(path, (stamp, stamp), follow_symlinks=False)
    os.utime(folder, (stamp, stamp))


def rewrite_logs(folder: Path, project: Path, moment: datetime) -> None:
    """Name npm's logs by the time of the install and set the folder they ran in."""
    if not folder.is_dir():
        return
    for number, path in enumerate(sorted(folder.glob("*.log"))):
        start = moment - timedelta(seconds=4 - number)
        text = path.read_text(encoding="utf-8").replace("/home/dev/project", str(project))
        stem = start.strftime("%Y-%m-%dT%H_%M_%S_") + f"{number:03}Z"
        path.unlink()
        (folder / f"{stem}-debug-0.log").write_text(text, encoding="utf-8")


def rewrite_cache(folder: Path, moment: datetime) -> None:
    """Set the times inside npm's cache index, and the digest of each line anew."""
    milliseconds = int(moment.timestamp() * 1000)
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not path.is_file():
            continue
        lines = []
        for line in path.read_text(encoding="utf-8").split("\n"):
            _, tab, text = line.partition("\t")
            if tab:
                entry = json.loads(text)
                entry["time"] = milliseconds
                metadata = entry.get("metadata") or {}
                if "time" in metadata:
                    metadata["time"] = milliseconds
                if "date" in metadata.get("resHeaders", {}):
                    metadata["resHeaders"]["date"] = format_datetime(moment, usegmt=True)
                text = json.dumps(entry, separators=(",", ":"))
                line = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() + "\t" + text
            lines.append(line)
        path.write_text("\n".join(lines), encoding="utf-8")


def protected(folder: Path) -> None:
    """A workspace that names the bad releases only to forbid them."""
    folder.mkdir(parents=True)
    manifest = {
        "name": "protected-app",
        "version": "1.0.0",
        "dependencies": {"axios": "^1.14.0"},
        "overrides": {"axios@1.14.1": "1.14.0", "axios@0.30.4": "0.30.3"},
    }
    lock = {
        "name": "protected-app",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {
            "": {"name": "protected-app", "version": "1.0.0", "dependencies": {"axios": "^1.14.0"}},
            "node_modules/axios": {
                "version": "1.14.0",
                "resolved": "http://registry.example/axios/-/axios-1.14.0.tgz",
            },
        },
    }
    (folder / "package.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    (folder / "package-lock.json").write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

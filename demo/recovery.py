"""From the verdict to recovery, on one project: a case, evidence, the seal, what was in reach, the plan, the repair.

What a person does in a real response (disconnect, rebuild, replace credentials) is not done here, so the last answer
still says what is open.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.standins.installs import unpack

INCIDENT = "axios-2026-03-31"
TOKEN = "npm_" + "EXAMPLE" * 5 + "0"
"""A token that no registry ever issued."""


class Recovery:
    """The commands of a response, one after the other, on one project of the harbour and the home that installed it."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.source = source
        self.digest = ""

    def lay_out(self) -> None:
        """A project with a history, a home with a credential; no case of an earlier run."""
        for name in ("case", "home", "shop-web"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / "plan.json").unlink(missing_ok=True)
        install = self.folder / ".install"
        for name, when in (("npm-10-clean", "2026-03-30T09:00:00"), ("npm-11-ran", "2026-03-31T00:32:55")):
            shutil.rmtree(install, ignore_errors=True)
            unpack(name, install)
            shutil.rmtree(self.folder / "shop-web" / "node_modules", ignore_errors=True)
            shutil.copytree(install / "project", self.folder / "shop-web", symlinks=True, dirs_exist_ok=True)
            self.commit(when)
        shutil.move(install / "home", self.home)
        shutil.rmtree(install)
        npmrc = self.home / ".npmrc"
        npmrc.write_text(f"//registry.example/:_authToken={TOKEN}\n", encoding="utf-8")
        npmrc.chmod(0o600)

    def commit(self, when: str) -> None:
        """What a colleague committed: the manifest and the lockfile of that moment."""
        project = self.folder / "shop-web"
        (project / ".gitignore").write_text("node_modules/\n", encoding="utf-8")
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/nonexistent"}
        environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": f"{when}Z", "GIT_COMMITTER_DATE": f"{when}Z"}
        who = ("-c", "user.name=Sam", "-c", "user.email=sam@shop.example")
        for words in (
            ("init", "--quiet", "--initial-branch=main"),
            ("add", "--all"),
            (*who, "commit", "--quiet", "--message", "Install"),
        ):
            subprocess.run(["git", *words], cwd=project, env=environment, check=True, capture_output=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, with a home of its own, so that nothing of this user is looked at."""
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.home)}
        environment["PYTHONPATH"] = str(self.source)
        command = [sys.executable, "-m", "pratique", *words]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def collected(self, *where: str) -> list[tuple[str, subprocess.CompletedProcess[str]]]:
        """Open the case, check into it, list what was in reach (`where`: else that of this home), seal."""
        steps = (
            ("case", "new", "case", "--incident", INCIDENT),
            ("check", "shop-web", "home", "--case", "case", "--no-progress", "--no-cache"),
            ("reach", *(where or ("--home", "home")), "--incident", INCIDENT, "--case", "case"),
            ("case", "seal", "case"),
        )
        return [(" ".join(words), self.run(*words)) for words in steps]

    def planned(self) -> subprocess.CompletedProcess[str]:
        """The plan, on one screen and as a file that apply reads."""
        done = self.run(*PLAN)
        found = re.findall(r"sha256:[0-9a-f]{64}", done.stdout)
        self.digest = found[-1] if found else ""
        return done

    def applied(self) -> subprocess.CompletedProcess[str]:
        """The steps that apply does; the repaired lockfile was looked at by whoever allows it unproven."""
        return self.run("apply", "plan.json", "--confirm", self.digest, "--case", "case", "--allow", "unsafe")

    def verified(self) -> subprocess.CompletedProcess[str]:
        """Is it over?"""
        return self.run("verify", "case")


PLAN = ("plan", "--case", "case", "--output", "plan.json")


def main(folder: Path, source: Path) -> int:
    """Play it and print what a person would see. 0 where every command answered as it should."""
    recovery = Recovery(folder, source)
    recovery.lay_out()
    good = True
    for words, done in recovery.collected():
        print(f"$ pratique {words}")
        shown = done.stderr if words.startswith("check") else done.stdout
        print("".join(f"{line}\n" for line in shown.splitlines()[:5]), flush=True)
        good = good and done.returncode in (0, 4, 11)
    planned = recovery.planned()
    print(f"$ pratique {' '.join(PLAN)}\n{planned.stdout}", flush=True)
    applied = recovery.applied()
    print(f"$ pratique apply plan.json --confirm {recovery.digest[:15]}... --case case --allow unsafe")
    done = sum(line.startswith("DONE") for line in applied.stdout.splitlines())
    print(f"{done} steps done, with a receipt each; `pratique undo` takes them back\n", flush=True)
    verified = recovery.verified()
    print(f"$ pratique verify case\n{verified.stdout}", flush=True)
    return 0 if good and done and applied.returncode in (0, 4) and verified.returncode in (4, 10, 11) else 1

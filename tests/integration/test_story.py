"""The whole incident, from the install to the proof that it is over, with real package managers and a real registry.

The registry is a loopback one that serves inert stand-ins and is moved in time: into the window, so that four real
clients install the bad release, and past it, so that the repaired lockfiles are installed from. Nothing is asked of a
person that is not said here: a rebuild, the seal, the rotation.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_check_command import AXIOS, ROOT
from tests.standins.packages import AFTER_WINDOW, IN_WINDOW
from tests.standins.real_clients import FOLDER, need
from tests.standins.real_clients import run as client_run
from tests.standins.registry import Registry

CLIENTS = {"shop": "npm-11", "edge": "pnpm-10", "intranet": "yarn-1", "kit": "yarn-4.18", "worker": "bun-1.4"}
FROZEN = {
    "npm-11": ["ci"],
    "pnpm-10": ["install", "--frozen-lockfile"],
    "yarn-1": ["install", "--frozen-lockfile"],
    "yarn-4.18": ["install", "--immutable"],
    "bun-1.4": ["install", "--frozen-lockfile"],
}
LOCKS = {
    "shop": "package-lock.json",
    "edge": "pnpm-lock.yaml",
    "intranet": "yarn.lock",
    "kit": "yarn.lock",
    "worker": "bun.lock",
}
OLD = "".join(("npm", "_", "EXAMPLE" * 4, "0aB1cD2e"))
NEW = "".join(("npm", "_", "EXAMPLE" * 4, "9zY8xW7v"))


class Harbour:
    """One machine: its projects, its home, and the commands of the response."""

    def __init__(self, root: Path, registry: Registry) -> None:
        self.root = root
        self.registry = registry
        self.home = root / "home"
        self.home.mkdir()
        self.projects = root / "projects"

    def lay_out(self) -> None:
        """The bad release is installed by every client, with its own defaults."""
        for name, label in CLIENTS.items():
            folder = self.projects / name
            folder.mkdir(parents=True)
            manifest = {"name": name, "version": "1.0.0", "private": True, "dependencies": {"axios": "^1.14.0"}}
            (folder / "package.json").write_text(json.dumps(manifest, indent=2) + "\n")
            if label.startswith("yarn-4"):
                settings = "nodeLinker: node-modules\nenableScripts: true\nunsafeHttpWhitelist:\n  - 127.0.0.1\n"
                (folder / ".yarnrc.yml").write_text(f"{settings}npmRegistryServer: {self.registry.url.rstrip('/')}\n")
            self.client(name, ["install"])
        self.token(OLD)

    def token(self, value: str) -> None:
        npmrc = self.home / ".npmrc"
        npmrc.write_text(f"registry={self.registry.url}\n//registry.example/:_authToken={value}\n")
        npmrc.chmod(0o600)

    def client(self, name: str, words: list[str]) -> subprocess.CompletedProcess[str]:
        more = {"STANDIN_OUT": str(self.root / "runs.jsonl"), "YARN_ENABLE_IMMUTABLE_INSTALLS": "false"}
        done = client_run(need(CLIENTS[name]), words, self.projects / name, self.registry, home=self.home, more=more)
        assert done.returncode == 0, f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    def pratique(self, *words: str | Path, code: int | tuple[int, ...] = 0) -> str:
        path = os.pathsep.join([*(str(need(label).folder) for label in CLIENTS.values()), os.environ["PATH"]])
        environment = {
            "PATH": path,
            "PYTHONPATH": str(ROOT / "src"),
            "HOME": str(self.home),
            "npm_config_registry": self.registry.url,
        }
        command = [sys.executable, "-m", "pratique", *map(str, words)]
        done = subprocess.run(
            command, env=environment, cwd=self.root, capture_output=True, text=True, check=False, timeout=300
        )
        allowed = (code,) if isinstance(code, int) else code
        assert done.returncode in allowed, f"{words}: {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        assert OLD not in done.stdout + done.stderr
        return done.stdout

    def runs(self) -> int:
        """How often the payload ran."""
        path = self.root / "runs.jsonl"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def plan(self) -> tuple[dict[str, Any], str]:
        """The plan as a file, and the digest that it was shown with."""
        text = self.pratique("plan", "--case", "case", "--online", "--output", "plan.json", code=(0, 4))
        digest = re.findall(r"sha256:[0-9a-f]{64}", text)[-1]
        return json.loads((self.root / "plan.json").read_text()), digest

    def listed_in_locks(self) -> list[str]:
        """Lockfiles that still name a listed release; a rule that forbids one is no such thing."""
        text = self.pratique("check", "projects", "--incident", AXIOS, "--format", "json", code=(0, 4, 10, 11))
        found = json.loads(text)["sightings"]
        named = {item["location"]["path"] for item in found if item["status"] == "affected"}
        return sorted(path for path in named if path.rpartition("/")[2] in LOCKS.values())

    def credentials(self) -> list[dict[str, Any]]:
        """What was in reach."""
        text = self.pratique("reach", "--home", "home", "--incident", AXIOS, "--format", "json", code=(0, 4))
        found: list[dict[str, Any]] = json.loads(text)["credentials"]
        return found

    def picture(self) -> dict[str, str]:
        """Digests of every file of the projects, `node_modules` aside."""
        return {
            path.relative_to(self.projects).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.projects.rglob("*"))
            if path.is_file() and not path.is_symlink() and "node_modules" not in path.parts
        }


@pytest.fixture
def harbour(tmp_path: Path) -> Any:
    for label in CLIENTS.values():
        need(label)
    assert FOLDER.exists()
    with Registry(as_of=IN_WINDOW) as registry:
        made = Harbour(tmp_path, registry)
        made.lay_out()
        yield made


def test_from_the_install_to_the_proof_that_it_is_over(harbour: Harbour) -> None:
    ran = harbour.runs()
    assert ran >= 1

    # hit: the answer, the evidence, what was in reach, the seal
    harbour.pratique("case", "new", "case", "--incident", AXIOS)
    harbour.pratique("check", "projects", "home", "--incident", AXIOS, "--case", "case", code=11)
    harbour.pratique("reach", "--home", "home", "--incident", AXIOS, "--case", "case", code=(0, 4))
    harbour.registry.as_of = AFTER_WINDOW
    plan, digest = harbour.plan()
    assert len(harbour.listed_in_locks()) == len(LOCKS)
    before = harbour.picture()
    refused = harbour.pratique("apply", "plan.json", "--confirm", digest, "--case", "case", code=5)
    assert "seal" in refused
    assert harbour.picture() == before
    harbour.pratique("case", "seal", "case")

    # planned: every lockfile is repaired and proven, nothing is revoked before the seal
    plan, digest = harbour.plan()
    phases = [step["phase"] for step in plan["steps"]]
    assert {"preserve", "contain", "revert", "rotate", "verify", "monitor", "communicate"} <= set(phases)
    assert phases.index("preserve") < phases.index("revert") < phases.index("rotate")
    edits = {step["action"]["path"]: step for step in plan["steps"] if step["action"]["action"] == "edit"}
    for name, lock in LOCKS.items():
        step = edits[str(harbour.projects / name / lock)]
        assert step["disposition"] == "safe", step
        assert "accepts" in step["proof"], (name, step["proof"])
    wrong = "sha256:" + "0" * 64
    harbour.pratique("apply", "plan.json", "--confirm", wrong, "--case", "case", code=(2, 5))
    assert harbour.picture() == before

    # applied, undone, applied again
    harbour.pratique("apply", "plan.json", "--confirm", digest, "--case", "case", code=(0, 4))
    after = harbour.picture()
    assert harbour.listed_in_locks() == []
    words = ("plan.json", "--confirm", digest, "--case", "case")
    told = harbour.pratique("undo", *words, code=4)
    assert "--allow payload" in told
    harbour.pratique("undo", *words, "--allow", "payload")
    assert harbour.picture() == before
    harbour.pratique("apply", "plan.json", "--confirm", digest, "--case", "case", code=(0, 4))
    assert harbour.picture() == after

    # not over yet: the code ran here, and the old token is still there
    harbour.pratique("verify", "case", code=(4, 10, 11))

    # the real clients accept the repaired lockfiles as they stand; the payload does not run again
    for name, label in CLIENTS.items():
        os.rename(harbour.projects / name / "node_modules", harbour.root / f"{name}-packages")
        harbour.client(name, FROZEN[label])
    assert harbour.runs() == ran
    for name, lock in LOCKS.items():
        assert hashlib.sha256((harbour.projects / name / lock).read_bytes()).hexdigest() == after[f"{name}/{lock}"]

    # what a person did: rebuilt, replaced the token from elsewhere
    harbour.token(NEW)
    for step in plan["steps"]:
        if step["disposition"] == "manual" and step["phase"] in ("contain", "revert", "rotate", "preserve"):
            harbour.pratique("case", "done", "case", step["id"], "--words", "done from another machine")
    for credential in harbour.credentials():
        state = ("verified", "--grade", "issuer-lists-it") if credential["provider"] == "npm" else ("not-needed",)
        harbour.pratique(
            "case", "done", "case", credential["id"], "--state", *state, "--words", "replaced or no secret"
        )
    text = harbour.pratique("verify", "case", code=0)
    assert text.startswith("FIXED"), text

    # proven: the case verifies, and so does the archive for the auditor
    harbour.pratique("case", "seal", "case")
    harbour.pratique("case", "verify", "case", code=(0, 4))
    harbour.pratique("case", "export", "case", "--output", "export.tar.gz")
    harbour.pratique("case", "verify", "export.tar.gz", code=(0, 4))
    whole = b"".join(path.read_bytes() for path in (harbour.root / "case").rglob("*") if path.is_file())
    for part in (whole, (harbour.root / "export.tar.gz").read_bytes(), (harbour.root / "plan.json").read_bytes()):
        assert OLD.encode() not in part
        assert NEW.encode() not in part

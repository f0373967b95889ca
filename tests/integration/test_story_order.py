"""The order of a response to incidents with a dead man's switch, played as a person plays it, with inert stand-ins.

Nothing that could set the switch off is said by any command before its sweep is recorded. All files are inert text.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pratique import api

ROOT = Path(__file__).resolve().parents[2]
TANSTACK = "tanstack-2026-05-11"
CHAINDROP = "chaindrop-2026-08-04"
TOKEN = "".join(("npm", "_", "EXAMPLE" * 4, "0aB1cD2e"))
PASSWORD = "EXAMPLE" * 3 + "0aB1c"
STOLEN = "".join(("gh", "p_", "EXAMPLE" * 4, "0aB1cD2e"))
SETS_IT_OFF = re.compile(
    r"\brevoke\b|\bnpm token\b|\bp?kill(?:all)?\b|\bsystemctl\b[^\n]*\bstop\b|\bbootout\b|\bdisconnect|\bnft\b|\biptables\b"
    r"|etc/hosts\b|\b0\.0\.0\.0\s+\S|\bnmcli\b|\breplace it and take|\bend every session|\bunplug|\bcut\b[^\n]{0,20}\boff the",
    re.IGNORECASE,
)
WARNINGS = re.compile(r"revoke (?:and rotate )?nothing[^\n.]*|(?:end no token|before anything is)[^\n]*", re.IGNORECASE)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="units of systemd lie on Linux alone")


class Machine:
    """A home with an installed bad release, tokens and a planted switch, and the commands of the response."""

    def __init__(self, root: Path, incident: str, before: Sequence[str] = ()) -> None:
        self.root = root
        self.incident = incident
        self.before = before
        self.home = root / "home"
        self.shop = self.home / "projects" / "shop"
        known, _ = api.available(None)
        self.switch = known[incident].dead_man_switch or ""
        listed = next(item for item in known[incident].components if item.versions and item.ecosystem == "npm")
        self.name, self.version = listed.name, listed.versions[0].version
        manifest = {"name": "shop", "version": "1.0.0", "dependencies": {self.name: self.version}}
        self.put("home/projects/shop/package.json", json.dumps(manifest))
        release = json.dumps({"name": self.name, "version": self.version})
        self.put(f"home/projects/shop/node_modules/{self.name}/package.json", release)
        self.put("home/.npmrc", f"//registry.example/:_authToken={TOKEN}\n")
        self.put("home/.pgpass", f"db.test:5432:app:dev:{PASSWORD}\n").chmod(0o600)

    def put(self, path: str, text: str = "inert text of a test\n") -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def plant(self) -> list[Path]:
        """The switch: a unit, its script, and a copy of the token."""
        unit = "[Service]\nExecStart=/bin/bash %h/.local/bin/gh-token-monitor.sh\n[Install]\nWantedBy=default.target\n"
        return [
            self.put("home/.config/systemd/user/gh-token-monitor.service", unit),
            self.put("home/.local/bin/gh-token-monitor.sh"),
            self.put("home/.config/gh-token-monitor/token", STOLEN),
        ]

    def pratique(self, *words: str | Path, code: int | tuple[int, ...] = 0) -> str:
        """Both streams of a command."""
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "HOME": str(self.home)}
        command = [*self.before, sys.executable, "-m", "pratique", *map(str, words)]
        done = subprocess.run(
            command, env=environment, cwd=self.root, capture_output=True, text=True, check=False, timeout=300
        )
        allowed = (code,) if isinstance(code, int) else code
        text = done.stdout + done.stderr
        assert done.returncode in allowed, f"{words}: {done.returncode}\n{text[-4000:]}"
        for secret in (TOKEN, PASSWORD, STOLEN):
            assert secret not in text
        return text

    def host(self, *words: str | Path) -> str:
        return self.pratique("host", *words, "--incident", self.incident, "--case", "case", code=(0, 4, 10, 11))

    def plan(self) -> tuple[dict[str, Any], str]:
        """The plan, and the digest that it was shown with; all forms lie beside it."""
        forms = [
            word for form in ("json", "md", "html", "txt") for word in ("--output", f"plan.{form}") if form != "txt"
        ]
        text = self.pratique("plan", "--case", "case", *forms, code=(0, 4))
        (self.root / "plan.txt").write_text(text)
        return json.loads((self.root / "plan.json").read_text()), re.findall(r"sha256:[0-9a-f]{64}", text)[-1]

    def state(self) -> str:
        """What the case says of the switch."""
        text = self.pratique("case", "status", "case")
        found = re.search(rf"^SWEEP +{self.incident}: (\S+)$", text, re.MULTILINE)
        return found[1] if found else ""

    def everything_said(self) -> Iterator[tuple[str, str]]:
        """Every text that a responder may be shown of the case as it stands."""
        self.plan()
        for form in ("txt", "json", "md", "html"):
            yield f"plan.{form}", (self.root / f"plan.{form}").read_text()
        for form in ("brief", "text"):
            yield f"plan --format {form}", self.pratique("plan", "--case", "case", "--format", form, code=(0, 4))
        yield "verify", self.pratique("verify", "case", code=(0, 4, 10, 11))
        yield "status", self.pratique("case", "status", "case")
        yield "host", self.host()
        pages = self.root / "pages"
        self.pratique("case", "report", "case", "--output", pages)
        for page in sorted(pages.rglob("*")):
            if page.is_file():
                yield page.name, page.read_text(errors="replace")
        self.pratique("case", "export", "case", "--output", "export.tar.gz")
        with tarfile.open(self.root / "export.tar.gz") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and "raw" not in member.name:
                    yield f"export: {member.name}", content.read().decode(errors="replace")
        shutil.rmtree(pages)
        (self.root / "export.tar.gz").unlink()

    def sets_nothing_off(self) -> None:
        for name, text in self.everything_said():
            plain = WARNINGS.sub("", text.replace(self.switch, ""))
            if name.startswith("export: "):
                plain = "\n".join(line for line in plain.split("\n") if '"kind":"plan"' not in line[:200])
            found = SETS_IT_OFF.search(plain)
            assert found is None, f"{name}: {plain[max(0, found.start() - 200) : found.end() + 100]}"

    def opened(self) -> None:
        """Case, check, reach."""
        self.pratique("case", "new", "case", "--incident", self.incident)
        self.pratique("check", "home/projects", "--incident", self.incident, "--case", "case", code=(10, 11))
        self.pratique("reach", "--home", "home", "--incident", self.incident, "--case", "case", code=(0, 4))


def steps(plan: dict[str, Any], phase: str) -> list[str]:
    return [step["id"] for step in plan["steps"] if step["phase"] == phase]


def released(plan: dict[str, Any]) -> None:
    """Rotation is printed, publishing tokens first, each step resting on the sweep."""
    assert not plan["held_back"]
    rotation = steps(plan, "rotate")
    npm = next(number for number, name in enumerate(rotation) if name.startswith("rotate.npm.value."))
    database = next(number for number, name in enumerate(rotation) if name.startswith("rotate.postgres"))
    assert npm < database, rotation
    for step in plan["steps"]:
        if step["phase"] == "rotate":
            assert "swept" in {item["kind"] for item in step["preconditions"]}


def held(plan: dict[str, Any], incident: str) -> None:
    assert [item["incident"] for item in plan["held_back"]] == [incident]
    assert not steps(plan, "rotate")
    assert f"contain.sweep.{incident}" in steps(plan, "contain")


@linux
@pytest.mark.parametrize("incident", [TANSTACK, CHAINDROP])
def test_nothing_that_sets_the_switch_off_comes_before_its_sweep(incident: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path, incident)
    planted = machine.plant()
    if incident == CHAINDROP:
        hook = {"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "node .claude/setup.mjs"}]}]}}
        machine.put("home/projects/shop/.claude/settings.json", json.dumps(hook))
        machine.put("home/projects/shop/.claude/setup.mjs", "// inert text of a test\n")
        task = {"version": "2.0.0", "tasks": [{"label": "x", "command": "node .vscode/setup.mjs"}]}
        task["tasks"][0]["runOptions"] = {"runOn": "folderOpen"}
        machine.put("home/projects/shop/.vscode/tasks.json", json.dumps(task))
        machine.put("home/projects/shop/.vscode/setup.mjs", "// inert text of a test\n")
    machine.opened()

    # before any sweep, and after one that finds the switch
    held(machine.plan()[0], incident)
    told = machine.host()
    assert f"dead man's switch of {incident}: found" in told
    assert "mistralai" not in told, "a trace on a machine names no release"
    assert machine.state() == "found"
    plan, _ = machine.plan()
    held(plan, incident)
    first = next(step for step in plan["steps"] if step["phase"] == "contain")
    assert first["id"] == f"contain.sweep.{incident}"
    commands = [" ".join(item["words"]) for item in first["action"]["commands"]]
    assert f"pratique host --case <CASE> --incident {incident}" in commands
    machine.sets_nothing_off()
    shown = (machine.root / "plan.md").read_text()
    assert f"a trace of {incident}: executed" in shown
    assert "mistralai" not in shown
    said = machine.pratique("verify", "case", code=(10, 11))
    assert said.index("dead man's switch") < said.index("Leave it as it is")
    if incident == CHAINDROP:
        check = machine.pratique("check", "home/projects", "--incident", incident, "--format", "json", code=(10, 11))
        places = {item["location"]["path"] for item in json.loads(check)["sightings"]}
        assert {"shop/.claude/setup.mjs", "shop/.vscode/setup.mjs"} <= places

    # the seal alone unlocks nothing, and takes nothing away of the switch
    machine.pratique("case", "seal", "case")
    plan, digest = machine.plan()
    held(plan, incident)
    machine.pratique("apply", "plan.json", "--confirm", digest, "--case", "case", code=(0, 4, 5))
    assert all(path.exists() for path in planted)

    # by hand, as the step says
    for path in planted:
        path.unlink()
    assert f"dead man's switch of {incident}: nothing-found" in machine.host()
    assert machine.state() == "nothing-found"
    plan, digest = machine.plan()
    released(plan)
    assert "revert.rebuild" in steps(plan, "revert"), "the code ran here, though its traces were taken away"

    # said to be gone by hand, and not: the plan moves what a report saw, and no more once it is seen again
    planted = machine.plant()
    machine.host()
    machine.pratique("case", "done", "case", f"sweep:{incident}", "--outcome", "removed")
    machine.pratique("case", "seal", "case")
    plan, digest = machine.plan()
    moving = [step["id"] for step in plan["steps"] if step["action"].get("path") in map(str, planted)]
    assert moving
    machine.host()
    machine.pratique("case", "seal", "case")
    words = ("apply", "plan.json", "--confirm", digest, "--case", "case", "--allow", "unsafe", "--step", moving[0])
    assert "dead man's switch" in machine.pratique(*words, code=5)
    assert all(path.exists() for path in planted)
    assert machine.state() == "found"
    held(machine.plan()[0], incident)
    machine.sets_nothing_off()
    for path in planted:
        path.unlink()
    machine.host()
    released(machine.plan()[0])


def test_the_switch_on_the_disk_of_a_mac_is_not_answered_for_by_this_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path, CHAINDROP)
    machine.opened()
    for path in ("Applications/x", "System/x", "private/etc/hosts"):
        machine.put(f"mac/{path}")
    agent = machine.put(
        "mac/Users/dev/Library/LaunchAgents/com.user.gh-token-monitor.plist",
        '<?xml version="1.0"?><plist version="1.0"><dict><key>Label</key><string>com.user.gh-token-monitor</string>'
        "<key>ProgramArguments</key><array><string>/Users/dev/.local/bin/gh-token-monitor.sh</string></array>"
        "<key>RunAtLoad</key><true/></dict></plist>\n",
    )
    told = machine.host("--root", "mac")
    assert f"dead man's switch of {CHAINDROP}: found" in told
    held(machine.plan()[0], CHAINDROP)
    assert "nothing-found" in machine.host(), "nothing lies on this machine"
    assert machine.state() == "found", "it still lies on the other one's disk"
    held(machine.plan()[0], CHAINDROP)
    agent.unlink()
    assert "not recorded" in machine.host("--root", "mac")
    held(machine.plan()[0], CHAINDROP)
    machine.pratique(
        "case", "done", "case", f"sweep:{CHAINDROP}", "--outcome", "removed", "--words", "on the laptop and on the mac"
    )
    assert machine.state() == "removed"
    released(machine.plan()[0])


@linux
def test_a_sweep_with_a_gap_is_no_answer(tmp_path: Path) -> None:
    machine = Machine(tmp_path, TANSTACK)
    machine.opened()
    units = machine.home / ".config/systemd/user"
    units.mkdir(parents=True)
    os.mkfifo(units / "odd.service")
    told = machine.host()
    assert "not recorded: " in told
    assert "odd.service" in told
    assert machine.state() == ""
    held(machine.plan()[0], TANSTACK)
    (units / "odd.service").unlink()
    assert "nothing-found" in machine.host()
    released(machine.plan()[0])


@linux
def test_a_folder_of_units_that_is_closed_to_the_account_is_a_gap(tmp_path: Path) -> None:
    closed = "-dac_override,-dac_read_search"  # as root on a home that another machine serves
    bare = ["setpriv", f"--bounding-set={closed}", f"--inh-caps={closed}"]
    units = tmp_path / "home/.config/systemd/user"
    units.mkdir(parents=True)
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv to take rights from root")
        os.chown(units, 65534, 65534)
        units.chmod(0o700)
    else:
        bare = []
        units.chmod(0)
    if subprocess.run([*bare, "ls", str(units)], capture_output=True, check=False).returncode == 0:
        pytest.skip("nothing is closed to this account")
    machine = Machine(tmp_path, TANSTACK, bare)
    try:
        machine.opened()
        told = machine.host()
        assert "not recorded: " in told
        assert ".config/systemd/user" in told
        assert machine.state() == ""
        held(machine.plan()[0], TANSTACK)
    finally:
        units.chmod(0o700)

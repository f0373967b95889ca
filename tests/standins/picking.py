"""Which version real package managers take, asked in bulk: the oracle for picking by client.

    unshare -rn sh -c 'ip link set lo up && exec python -m tests.standins.picking --clients FOLDER [--only pnpm-12]'

writes `tests/unit/ecosystems/npm/clients_table.json`. The clients lie where `make_fixtures` puts them; only the loopback
interface exists while they run. Ages are hours before the run, so that the clients' own clocks agree with the registry.
Each request asks for a package of its own that holds the releases of its scene: no request sways another.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pratique.ecosystems.npm.picking import Request, pick
from pratique.ecosystems.releases import Gate, Package, Pick, Tag
from pratique.ecosystems.releases import Release as Listed
from tests.standins.clients import BY_LABEL, Client, install
from tests.standins.packages import Release
from tests.standins.registry import Registry

TABLE = Path(__file__).parents[1] / "unit" / "ecosystems" / "npm" / "clients_table.json"

SCENES: dict[str, tuple[tuple[str, int, str, bool], ...]] = {
    # version, hours since its publication, tag it was published under, deprecated
    "lines": (
        ("1.13.0", 2000, "latest", False),
        ("0.30.3", 900, "legacy", False),
        ("1.14.0", 400, "latest", False),
        ("2.0.0-rc.1", 300, "next", False),
        ("1.14.1", 3, "latest", False),
        ("0.30.4", 2, "legacy", False),
    ),
    "latest-low": (
        ("1.0.0", 2000, "latest", False),
        ("1.1.0", 1500, "latest", False),
        ("1.2.0", 1000, "next", False),
        ("2.0.0", 900, "next", False),
    ),
    "worn": (("1.0.0", 2000, "latest", False), ("1.1.0", 1500, "latest", False), ("1.2.0", 1000, "latest", True)),
    "worn-low": (("1.0.0", 2000, "latest", False), ("1.1.0", 1500, "latest", False), ("1.2.0", 1000, "next", True)),
    "worn-all": (("1.0.0", 2000, "latest", True), ("1.1.0", 1500, "latest", True), ("1.2.0", 1000, "next", True)),
    "pre": (("1.0.0-beta.1", 2000, "latest", False), ("1.0.0-beta.2", 1000, "latest", False)),
    "young": (("1.0.0", 100, "latest", False), ("1.1.0", 60, "latest", False), ("1.2.0", 3, "latest", False)),
    "churn": (
        ("1.0.0", 2000, "latest", False),
        ("1.1.0", 220, "latest", False),
        ("1.1.1", 200, "latest", False),
        ("1.1.2", 180, "latest", False),
        ("1.1.3", 100, "latest", False),
    ),
}
REQUESTS = (
    "*", "", "latest", "next", "legacy", "^1.0.0", "~1.1.0", ">=1.0.0", "1.1.0", "^2.0.0-rc.0", "<1.2.0", "^1.0.0-beta.1",
    "1.0.0 || ^1.1.0", ">=0.30.0 <1", "^1.14.0", "1.14.1", "x", "^9",
)  # fmt: skip
WEEK = 7 * 24
GATES: dict[str, tuple[str, ...]] = {
    "off": ("npm-6", "npm-8", "npm-9", "npm-10", "npm-11", "npm-12", "pnpm-8", "pnpm-9", "pnpm-10", "pnpm-11", "pnpm-12",
            "yarn-1", "yarn-3.8", "yarn-4.14", "yarn-4.18", "bun-1.2", "bun-1.3", "bun-1.4"),
    "week": ("npm-11", "npm-12", "pnpm-10", "pnpm-11", "pnpm-12", "yarn-4.18", "bun-1.3", "bun-1.4"),
    "week-before": ("npm-8", "npm-10", "npm-12"),
    "week-loose": ("pnpm-11", "pnpm-12"),
    "week-exempt": ("npm-12", "pnpm-10", "pnpm-12", "yarn-4.18", "bun-1.3", "bun-1.4"),
    "default": ("npm-12", "pnpm-10", "pnpm-11", "pnpm-12", "yarn-4.14", "yarn-4.18", "bun-1.3", "bun-1.4"),
}  # fmt: skip
"""Which cooldowns each client is tried with. `default`: no setting at all."""
DAY_BY_DEFAULT = {"pnpm-11", "pnpm-12", "yarn-4.18"}


def name_of(scene: str, number: int) -> str:
    """The package that a request of a scene asks for."""
    return f"standin-pick-{scene}-{number}"


def expected(label: str, gate: str, scene: str, number: int) -> Pick:
    """What our own rules pick; a moment of 0 is the time of the run."""
    manager, _, version = label.partition("-")
    span: dict[str, str] = {}
    for text, _, tag, _ in SCENES[scene]:
        span[tag] = text
    releases = tuple(Listed(text, -hours * 3600.0, deprecated=worn) for text, hours, _, worn in SCENES[scene])
    package = Package(name_of(scene, number), releases, tuple(Tag(tag, text) for tag, text in span.items()))
    cut = {"off": None, "week-exempt": None, "default": -24 * 3600.0 if label in DAY_BY_DEFAULT else None}
    held = cut.get(gate, -WEEK * 3600.0)
    strict = gate == "week" or manager != "pnpm"
    request = Request(package, REQUESTS[number])
    own = tuple(map(int, version.split(".")))
    return pick(manager, request, 0.0, None if held is None else Gate(held, strict=strict), version=own)


def releases(now: datetime) -> list[Release]:
    """Every release of every scene, once for each request."""
    found = []
    for scene, versions in SCENES.items():
        for number in range(len(REQUESTS)):
            for text, hours, tag, worn in versions:
                manifest: dict[str, Any] = {"name": name_of(scene, number), "version": text, "main": "index.js"}
                if worn:
                    manifest["deprecated"] = "worn out"
                found.append(Release(manifest, now - timedelta(hours=hours), tag=tag, files={"index.js": "\n"}))
    return found


class Bench:
    """One client with one cooldown: projects are made, resolved and thrown away."""

    def __init__(self, label: str, gate: str, clients: Path, registry: Registry, now: datetime) -> None:
        self.label, self.gate, self.clients, self.registry, self.now = label, gate, clients, registry, now
        self.client: Client = BY_LABEL[label]
        self.manager = label.partition("-")[0]

    def take(self, wanted: dict[str, str]) -> dict[str, str | None] | None:
        """The version of each package; None where the client stops."""
        with tempfile.TemporaryDirectory() as folder:
            project, home = Path(folder, "project"), Path(folder, "home")
            project.mkdir()
            home.mkdir()
            (project / "package.json").write_text(json.dumps({"name": "p", "private": True, "dependencies": wanted}))
            for name, text in self.settings(list(wanted)).items():
                (project / name).write_text(text)
            done = subprocess.run(  # noqa: PLW1510 (its exit code is the answer)
                self.command(), cwd=project, env=self.environment(home), capture_output=True, text=True, timeout=240
            )
            if done.returncode:
                if os.environ.get("SHOW"):
                    print(self.label, self.gate, wanted, done.stdout[-600:], done.stderr[-900:])
                return None
            return {name: self.locked(project, name) for name in wanted}

    def settings(self, names: list[str]) -> dict[str, str]:
        week = self.gate.startswith("week")
        exempt = self.gate == "week-exempt"
        plain = self.gate == "default"
        before = (self.now - timedelta(hours=WEEK)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        match self.manager:
            case "npm":
                lines = ["audit=false", "fund=false", "update-notifier=false"]
                if self.gate == "week-before":
                    lines.append(f"before={before}")
                elif week:
                    lines.append("min-release-age=7")
                    lines += ["min-release-age-exclude[]=standin-pick-*"] if exempt else []
                return {".npmrc": "\n".join(lines) + "\n"}
            case "pnpm":
                text = "packages: []\n"
                if not plain:
                    text += f"minimumReleaseAge: {7 * 24 * 60 if week else 0}\n"
                if self.gate == "week-loose":
                    text += "minimumReleaseAgeStrict: false\n"
                if exempt:
                    text += "minimumReleaseAgeExclude: ['standin-pick-*']\n"
                return {"pnpm-workspace.yaml": text}
            case "yarn" if self.label == "yarn-1":
                return {}
            case "yarn":
                text = "enableTelemetry: false\nnodeLinker: node-modules\n"
                if self.label == "yarn-4.18" and not plain:
                    text += f"npmMinimalAgeGate: {'7d' if week else 0}\n"
                if exempt:
                    text += "npmPreapprovedPackages: ['standin-pick-*']\n"
                return {".yarnrc.yml": text, "yarn.lock": ""}
            case _:
                text = "[install]\n" + (f"minimumReleaseAge = {7 * 86400}\n" if week else "")
                if exempt:
                    text += f"minimumReleaseAgeExcludes = {json.dumps(names)}\n"
                return {"bunfig.toml": text}

    def command(self) -> list[str]:
        place = self.clients / self.client.folder / "node_modules"
        node = (
            str(next((self.clients / BY_LABEL[self.client.node].folder).rglob("bin/node")))
            if self.client.node == "node-22"
            else "node"
        )
        url = self.registry.url
        match self.manager:
            case "npm":
                return [node, str(place / "npm/bin/npm-cli.js"), "install", "--package-lock-only", "--ignore-scripts",
                        f"--registry={url}"]  # fmt: skip
            case "pnpm" if self.label == "pnpm-12":
                return [str(place / ".bin/pnpm"), "install", "--lockfile-only", f"--registry={url}"]
            case "pnpm":
                entry = next(
                    path for path in (place / "pnpm/bin/pnpm.cjs", place / "pnpm/bin/pnpm.mjs") if path.exists()
                )
                return [
                    node,
                    str(entry),
                    "install",
                    "--lockfile-only",
                    "--config.confirm-modules-purge=false",
                    f"--registry={url}",
                ]
            case "yarn" if self.label == "yarn-1":
                return [node, str(place / "yarn/bin/yarn.js"), "install", "--ignore-scripts", "--non-interactive",
                        f"--registry={url}"]  # fmt: skip
            case "yarn":
                mode = ["--mode=update-lockfile"]
                return [node, str(place / "@yarnpkg/cli-dist/bin/yarn.js"), "install", *mode]
            case _:
                return [str(place / ".bin/bun"), "install", "--lockfile-only", "--ignore-scripts", f"--registry={url}"]

    def environment(self, home: Path) -> dict[str, str]:
        url = self.registry.url
        return {
            "PATH": os.environ["PATH"], "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data"), "CI": "true",
            "npm_config_registry": url, "PNPM_CONFIG_REGISTRY": url, "YARN_NPM_REGISTRY_SERVER": url.rstrip("/"),
            "YARN_UNSAFE_HTTP_WHITELIST": "127.0.0.1", "YARN_ENABLE_TELEMETRY": "0", "BUN_CONFIG_REGISTRY": url,
            "YARN_ENABLE_IMMUTABLE_INSTALLS": "false", "npm_config_cache": str(home / "npm"),
        }  # fmt: skip

    def locked(self, project: Path, name: str) -> str | None:
        match self.manager:
            case "npm":
                lock = json.loads((project / "package-lock.json").read_text())
                found = lock.get("packages", {}).get(f"node_modules/{name}") or lock.get("dependencies", {}).get(name)
                return found["version"] if found else None
            case "pnpm":
                text = (project / "pnpm-lock.yaml").read_text()
                match = re.search(rf"^ *'?/?{re.escape(name)}[@/]([^:'(]+)'?:$", text, re.MULTILINE)
            case "yarn" if self.label == "yarn-1":
                text = (project / "yarn.lock").read_text()
                match = re.search(rf'^"?{re.escape(name)}@[^\n]*:\n  version "([^"]+)"', text, re.MULTILINE)
            case "yarn":
                text = (project / "yarn.lock").read_text()
                match = re.search(rf'^  resolution: "{re.escape(name)}@npm:([^"]+)"', text, re.MULTILINE)
            case _:
                text = (project / "bun.lock").read_text()
                match = re.search(rf'"{re.escape(name)}": \["{re.escape(name)}@([^"]+)"', text)
        return match[1] if match else None


def ask(bench: Bench) -> dict[str, str]:
    """The answers of one client with one cooldown, by scene, in the order of REQUESTS; `-` where it stops.

    What our own rules say will be found is asked in one go; whatever they say fails is asked alone. So a rule that is
    wrong shows itself: the common run fails, and everything is asked alone.
    """
    every = [(scene, number) for scene in SCENES for number in range(len(REQUESTS))]
    found: dict[tuple[str, int], str | None] = {}
    good = [item for item in every if expected(bench.label, bench.gate, *item).version is not None]
    together = bench.take({name_of(*item): REQUESTS[item[1]] for item in good})
    for item in good if together is not None else ():
        found[item] = (together or {})[name_of(*item)]
    for item in every:
        if item in found:
            continue
        alone = bench.take({name_of(*item): REQUESTS[item[1]]})
        found[item] = alone[name_of(*item)] if alone is not None else None
    return {scene: " ".join(found[scene, number] or "-" for number in range(len(REQUESTS))) for scene in SCENES}


def unpacked(answers: str) -> list[str | None]:
    """The answers of one scene, None where the client stopped."""
    return [None if answer == "-" else answer for answer in answers.split(" ")]


def main() -> None:
    """Ask every client and write the table; rows of clients that are not asked stay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--gate", nargs="*", default=[])
    options = parser.parse_args()
    kept = json.loads(TABLE.read_text())["answers"] if TABLE.exists() else {}
    now = datetime.now(UTC).replace(microsecond=0)
    with Registry(releases(now), as_of=now) as registry:
        for gate, labels in GATES.items():
            for label in labels:
                if (options.only and label not in options.only) or (options.gate and gate not in options.gate):
                    continue
                install(BY_LABEL[label], options.clients)
                bench = Bench(label, gate, options.clients, registry, now)
                kept.setdefault(gate, {})[label] = ask(bench)
                wrong = [
                    (scene, REQUESTS[number], answer, expected(label, gate, scene, number))
                    for scene, answers in kept[gate][label].items()
                    for number, answer in enumerate(unpacked(answers))
                    if answer != expected(label, gate, scene, number).version
                ]
                print(label, gate, "agrees" if not wrong else f"{len(wrong)} differ", *wrong, sep="\n  ", flush=True)
                table = {"clients": {k: BY_LABEL[k].spec for k in sorted({k for v in kept.values() for k in v})},
                         "requests": list(REQUESTS), "answers": kept}  # fmt: skip
                TABLE.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()

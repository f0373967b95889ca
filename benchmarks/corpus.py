"""Build a large, real corpus: projects installed by npm, pnpm, yarn 1, yarn 4 and bun, with their caches and stores.

The folder that is built looks like a developer's machine::

    FOLDER/tree/home/src/<client>/<project>/     installed projects
    FOLDER/tree/home/...                         caches, stores and logs, where each client puts them by default
    FOLDER/tree/copies/<n>/<client>/<project>/   copies of installed projects, made only when --files is not reached
    FOLDER/tools/                                the clients themselves, outside the measured tree
    FOLDER/COUNTS.json                           what lies in the tree, and which part of it is copies

Every client is installed by npm, from whichever registry npm is configured for, and is pointed at that same registry.
Install scripts are never run. One step runs at a time, at low priority. A step that is done is not repeated, so a run
that was interrupted can be started again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECTS = HERE / "projects"

TOOLS: Mapping[str, str] = {
    "npm6": "npm@6.14.18",
    "npm8": "npm@8.19.4",
    "pnpm8": "pnpm@8.15.9",
    "pnpm9": "pnpm@9.15.9",
    "pnpm10": "pnpm@10.34.9",
    "pnpm12": "pnpm@12.21.0",
    "yarn1": "yarn@1.22.22",
    "yarn4": "@yarnpkg/cli-dist@4.18.1",
    "bun": "bun@1.4.5",
}


@dataclass(frozen=True)
class Client:
    """How one client installs a project without running any of its scripts."""

    tool: str | None
    command: tuple[str, ...]
    projects: tuple[str, ...]
    files: Mapping[str, str]
    cache: tuple[str, str] | None = None  # a variable that names the cache folder, and the folder below the home


YARN_4 = "nodeLinker: {linker}\nenableScripts: false\nenableTelemetry: false\nenableImmutableInstalls: false\n"

# The npm projects carry most of the files; the other clients repeat some of the same projects in their own layout.
CLIENTS: Mapping[str, Client] = {
    "npm": Client(
        None,
        ("npm", "install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"),
        tuple(sorted(path.stem for path in PROJECTS.glob("*.json"))),
        {},
    ),
    "npm6": Client(
        "npm6",
        ("node", "npm/bin/npm-cli.js", "install", "--ignore-scripts", "--no-audit"),
        ("express-api",),
        {},
    ),
    "npm8": Client(
        "npm8",
        ("node", "npm/bin/npm-cli.js", "install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit"),
        ("vue-vite",),
        {},
    ),
    "pnpm8": Client("pnpm8", ("node", "pnpm/bin/pnpm.cjs", "install", "--ignore-scripts"), ("express-api",), {}),
    "pnpm9": Client(
        "pnpm9",
        ("node", "pnpm/bin/pnpm.cjs", "install", "--ignore-scripts"),
        ("next-app", "vue-vite", "nest-api"),
        {},
    ),
    "pnpm10": Client(
        "pnpm10",
        ("node", "pnpm/bin/pnpm.cjs", "install", "--ignore-scripts"),
        ("svelte-kit", "storybook-ui", "docs-site"),
        {},
    ),
    "pnpm12": Client(
        "pnpm12", ("node_modules/.bin/pnpm", "install", "--ignore-scripts"), ("next-app", "mui-dashboard"), {}
    ),
    "yarn1": Client(
        "yarn1",
        ("node", "yarn/bin/yarn.js", "install", "--ignore-scripts", "--ignore-engines", "--non-interactive"),
        ("react-scripts-app", "vue-vite", "mui-dashboard"),
        {},
        ("YARN_CACHE_FOLDER", ".cache/yarn"),
    ),
    "yarn4": Client(
        "yarn4",
        ("node", "@yarnpkg/cli-dist/bin/yarn.js", "install"),
        ("mui-dashboard", "svelte-kit", "router-app"),
        {".yarnrc.yml": YARN_4.format(linker="node-modules"), "yarn.lock": ""},
    ),
    "yarn4-pnp": Client(
        "yarn4",
        ("node", "@yarnpkg/cli-dist/bin/yarn.js", "install"),
        ("react-scripts-app", "vue-vite"),
        {".yarnrc.yml": YARN_4.format(linker="pnp") + "enableGlobalCache: false\n", "yarn.lock": ""},
    ),
    "bun": Client(
        "bun",
        ("node_modules/.bin/bun", "install", "--ignore-scripts"),
        ("next-app", "graphql-api", "mui-dashboard"),
        {},
    ),
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def entries(folder: Path) -> Iterator[tuple[os.DirEntry[str], bool]]:
    """Every entry below a folder with whether it is a real folder; links are not followed."""
    stack = [str(folder)]
    while stack:
        with os.scandir(stack.pop()) as found:
            for entry in found:
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder:
                    stack.append(entry.path)
                yield entry, is_folder


def count(folder: Path) -> dict[str, int]:
    """How many files, folders and links lie below a folder."""
    files = folders = links = 0
    if folder.is_dir():
        for entry, is_folder in entries(folder):
            if is_folder:
                folders += 1
            elif entry.is_symlink():
                links += 1
            else:
                files += 1
    return {"files": files, "folders": folders, "links": links, "entries": files + folders + links}


def configured(key: str) -> str:
    """A setting of the machine's npm."""
    done = subprocess.run(["npm", "config", "get", key], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def environment(base: Path) -> dict[str, str]:
    """A private home below the tree, with every client pointed at the registry that npm is configured for."""
    home = base / "tree" / "home"
    registry = configured("registry")
    authorities = configured("cafile")
    env = {k: v for k, v in os.environ.items() if not k.lower().startswith(("npm_", "yarn_", "pnpm_", "bun_", "xdg_"))}
    env |= {
        "HOME": str(home),
        "CI": "1",
        "TMPDIR": str(base / "tmp"),
        "npm_config_registry": registry,
        "npm_config_userconfig": str(base / "state" / "no-user-config"),
        "npm_config_globalconfig": str(base / "state" / "no-global-config"),
        "npm_config_update_notifier": "false",
        "npm_config_logs_max": "1000",
        "PNPM_CONFIG_REGISTRY": registry,
        "PNPM_CONFIG_MINIMUM_RELEASE_AGE": "0",
        "npm_config_strict_peer_dependencies": "false",
        "npm_config_frozen_lockfile": "false",
        "YARN_REGISTRY": registry,
        "YARN_NPM_REGISTRY_SERVER": registry.rstrip("/"),
        "YARN_ENABLE_TELEMETRY": "0",
        "YARN_NPM_MINIMAL_AGE_GATE": "0",
        "BUN_CONFIG_REGISTRY": registry,
        "DO_NOT_TRACK": "1",
    }
    if authorities not in {"", "null", "undefined"}:
        env |= {
            "npm_config_cafile": authorities,
            "NODE_EXTRA_CA_CERTS": authorities,
            "YARN_HTTPS_CA_FILE_PATH": authorities,
        }
    for folder in (home, base / "tmp", base / "state"):
        folder.mkdir(parents=True, exist_ok=True)
    return env


def run(step: str, command: list[str], folder: Path, env: Mapping[str, str], base: Path, limit: float) -> bool:
    """Run one step at low priority, with its output in a log beside the tree."""
    log = base / "state" / f"{step}.log"
    started = time.monotonic()
    with log.open("wb") as out:
        try:
            done = subprocess.run(
                ["nice", "-n", "15", *command],
                cwd=folder,
                env=dict(env),
                stdout=out,
                stderr=out,
                timeout=limit,
                check=False,
            )
            code = done.returncode
        except subprocess.TimeoutExpired:
            code = -1
    say(f"{'ok    ' if code == 0 else 'FAILED'} {step} ({time.monotonic() - started:.0f} s)")
    return code == 0


def install_tool(name: str, base: Path, env: Mapping[str, str]) -> bool:
    """Install one client with npm, outside the tree and with its cache outside the tree."""
    folder = base / "tools" / name
    mark = base / "state" / f"tool-{name}.done"
    if mark.exists():
        return True
    folder.mkdir(parents=True, exist_ok=True)
    spec = TOOLS[name]
    package = spec.rpartition("@")[0]
    manifest = {"name": f"tool-{name}", "private": True, "allowScripts": {package: True}}
    (folder / "package.json").write_text(json.dumps(manifest))
    own = {**env, "HOME": str(base / "tools"), "npm_config_cache": str(base / "tools" / "cache")}
    command = ["npm", "install", "--no-audit", "--no-fund", spec]
    if not run(f"tool-{name}", command, folder, own, base, 600):
        return False
    mark.touch()
    return True


def command_of(client: Client, base: Path) -> list[str]:
    """The command line of a client, with the parts that name its own files made absolute."""
    if client.tool is None:
        return list(client.command)
    modules = base / "tools" / client.tool / "node_modules"
    first, *rest = client.command
    if first == "node":
        return ["node", str(modules / rest[0]), *rest[1:]]
    return [str(modules.parent / first), *rest]


def install(kind: str, project: str, base: Path, env: Mapping[str, str], limit: float) -> bool:
    """Install one project with one client."""
    step = f"{kind}-{project}"
    mark = base / "state" / f"{step}.done"
    if mark.exists():
        return True
    client = CLIENTS[kind]
    if client.tool is not None and not install_tool(client.tool, base, env):
        return False
    folder = base / "tree" / "home" / "src" / kind / project
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(PROJECTS / f"{project}.json", folder / "package.json")
    for name, text in client.files.items():
        (folder / name).write_text(text)
    own = dict(env)
    if client.cache is not None:
        own[client.cache[0]] = str(base / "tree" / "home" / client.cache[1])
    if not run(step, command_of(client, base), folder, own, base, limit):
        shutil.rmtree(folder)
        return False
    mark.touch()
    return True


def copy_until(base: Path, wanted: int) -> None:
    """Copy installed npm projects, whole, until the tree holds the wanted number of files."""
    tree = base / "tree"
    have = count(tree)["files"]
    sources = sorted((tree / "home" / "src" / "npm").iterdir())
    sizes = {source: count(source)["files"] for source in sources}
    turn = 0
    while have < wanted and any(sizes.values()):
        turn += 1
        for source in sources:
            target = tree / "copies" / str(turn) / "npm" / source.name
            if have >= wanted:
                return
            if sizes[source] == 0 or target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["nice", "-n", "15", "cp", "-a", str(source), str(target)], check=True)
            have += sizes[source]
            say(f"copied {source.name}, {have} files now")


def write_counts(base: Path) -> dict[str, object]:
    """Count the tree and its parts, and write COUNTS.json beside it."""
    tree = base / "tree"
    home = tree / "home"
    parts = {f"src/{folder.name}": count(folder) for folder in sorted((home / "src").iterdir())}
    for folder in sorted(home.iterdir()):
        if folder.name != "src" and folder.is_dir():
            parts[folder.name] = count(folder)
    done = sorted(path.stem for path in (base / "state").glob("*.done") if not path.stem.startswith("tool-"))
    wanted = {f"{kind}-{project}" for kind, client in CLIENTS.items() for project in client.projects}
    names: dict[str, int] = {}
    for entry, is_folder in entries(tree):
        if not is_folder and entry.name in COUNTED:
            names[entry.name] = names.get(entry.name, 0) + 1
    counts: dict[str, object] = {
        "tree": str(tree),
        "all": count(tree),
        "copies": count(tree / "copies"),
        "parts": parts,
        "names": dict(sorted(names.items())),
        "installed": done,
        "failed": sorted(wanted - set(done)),
        "clients": {"npm": npm_version(), **TOOLS},
    }
    (base / "COUNTS.json").write_text(json.dumps(counts, indent=2) + "\n")
    return counts


COUNTED = frozenset(
    {
        "package.json",
        "package-lock.json",
        "npm-shrinkwrap.json",
        ".package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "lock.yaml",
        "bun.lock",
        ".modules.yaml",
        ".yarn-integrity",
        ".yarn-state.yml",
        ".pnp.cjs",
        "install-state.gz",
    }
)


def npm_version() -> str:
    return subprocess.run(["npm", "--version"], check=True, capture_output=True, text=True).stdout.strip()


def default_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pratique" / "benchmarks"


def pin(base: Path) -> None:
    """Write the versions that npm installed back into the project files, so that the next corpus starts from them."""
    for path in sorted(PROJECTS.glob("*.json")):
        lock = base / "tree" / "home" / "src" / "npm" / path.stem / "package-lock.json"
        if not lock.exists():
            continue
        manifest = json.loads(path.read_text())
        packages = json.loads(lock.read_text())["packages"]
        for name in manifest["dependencies"]:
            manifest["dependencies"][name] = packages[f"node_modules/{name}"]["version"]
        path.write_text(json.dumps(manifest, indent=2) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=default_folder(), metavar="FOLDER", help="default: %(default)s")
    parser.add_argument("--files", type=int, default=500_000, help="copy projects until there are so many files")
    parser.add_argument("--only", default="", help="clients to install, with commas between; default: all")
    parser.add_argument("--step-limit", type=float, default=900.0, metavar="SECONDS")
    parser.add_argument("--pin", action="store_true", help="write the installed versions into benchmarks/projects")
    options = parser.parse_args()
    base: Path = options.into.resolve()
    if base.is_relative_to(HERE.parent):
        parser.error("the corpus must not lie in the repository")
    base.mkdir(parents=True, exist_ok=True)
    if options.pin:
        pin(base)
        return 0
    env = environment(base)
    only = set(filter(None, options.only.split(",")))
    failed = [
        f"{kind}-{project}"
        for kind, client in CLIENTS.items()
        if not only or kind in only
        for project in client.projects
        if not install(kind, project, base, env, options.step_limit)
    ]
    if not only:
        copy_until(base, options.files)
    counts = write_counts(base)
    say(json.dumps(counts["all"]))
    if failed:
        say("not installed: " + ", ".join(failed))
    return 0 if not failed else 1


if __name__ == "__main__":
    raise SystemExit(main())

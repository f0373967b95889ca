"""Record what clients print with `CI=true`: run as root on Linux, with the clients of `clients.py` in a folder.

    unshare -n -m -u -- python -m tests.standins.record_ci /some/clients /some/output

Each file is one command's standard output and error, interleaved as they came. `tests/fixtures/ci-output` holds those
that the cases use; those of pip and uv were recorded by hand with small harmless packages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.standins.packages import PAYLOAD
from tests.standins.registry import Registry
from tests.standins.sandbox import URL, client, enter

AGAIN = "npm install >/dev/null 2>&1; "
BUILT = {"pnpm": {"onlyBuiltDependencies": [PAYLOAD]}}
TRUSTED = {"trustedDependencies": [PAYLOAD]}
NPM: dict[str, str] = {
    "default": "npm install",
    "http": "npm install --loglevel http",
    "silly": "npm install --loglevel silly",
    "fg": "npm install --foreground-scripts",
    "info": "npm install --loglevel info",
    "cached": f"{AGAIN}rm -rf node_modules; npm ci --loglevel http",
    "add": "npm install axios@1.14.1",
    "ls": f"{AGAIN}npm ls --all",
    "failing": "npm install axios@9.9.9",
}
PNPM: dict[str, tuple[str, dict[str, Any]]] = {
    "default": ("pnpm install", {}),
    "allowed": ("pnpm install", BUILT),
    "ndjson": ("pnpm install --reporter ndjson", BUILT),
    "frozen": ("pnpm install >/dev/null 2>&1; rm -rf node_modules; pnpm install --frozen-lockfile", {}),
    "list": ("pnpm install >/dev/null 2>&1; pnpm list --depth 5", {}),
}
YARN = {
    "default": "yarn install",
    "verbose": "yarn install --verbose",
    "add": "yarn add axios@1.14.1",
    "list": "yarn install >/dev/null 2>&1; yarn list",
}
BERRY = """npmRegistryServer: "URL"
unsafeHttpWhitelist: ["*"]
nodeLinker: node-modules
enableTelemetry: false
enableScripts: true
enableImmutableInstalls: false
"""
BUN: dict[str, tuple[str, dict[str, Any]]] = {
    "trusted": ("bun install", TRUSTED),
    "verbose": ("bun install --verbose", TRUSTED),
    "add": ("bun add axios@1.14.1", {}),
}


def record(
    registry: Registry, label: str, name: str, command: str, files: dict[str, str], more: dict[str, Any], **env: str
) -> None:
    """One command in a clean project."""
    with client(registry, label) as box:
        box.fresh()
        for path, text in files.items():
            box.write(path, text)
        box.incident(**more)
        box.environment |= {"CI": "true", **env}
        done = box.run("sh", "-c", f"exec 2>&1; {command}", check=False)
        (box.stage / f"{label}.{name}.txt").write_text(done.stdout)


def main() -> None:
    """Record everything."""
    enter(Path(sys.argv[1]), Path(sys.argv[2]))
    rc = {".npmrc": f"registry={URL}\n"}
    with Registry(port=80) as registry:
        for label in ("npm-6", "npm-10", "npm-11", "npm-12"):
            for name, command in NPM.items():
                record(registry, label, name, command, rc, {})
        for label in ("pnpm-9", "pnpm-10"):
            for name, (command, more) in PNPM.items():
                record(registry, label, name, command, rc, more)
        for name, command in YARN.items():
            record(registry, "yarn-1", name, command, {**rc, ".yarnrc": f'registry "{URL}"\n'}, {})
        for label in ("yarn-3.8", "yarn-4.18"):
            files = {".yarnrc.yml": BERRY.replace("URL", URL), "yarn.lock": ""}
            record(registry, label, "default", "yarn install", files, {})
            record(registry, label, "gha", "yarn install", files, {}, GITHUB_ACTIONS="true")
            record(registry, label, "add", "yarn add axios@1.14.1", files, {})
        for name, (command, more) in BUN.items():
            record(registry, "bun-1.4", name, command, {"bunfig.toml": f'[install]\nregistry = "{URL}"\n'}, more)


if __name__ == "__main__":
    main()

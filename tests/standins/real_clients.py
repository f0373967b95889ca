"""Real package managers for tests: installed once below `build/clients`, asked on loopback alone.

    python -m tests.standins.real_clients            # the small set that the tests want; `make test` calls it
    python -m tests.standins.real_clients npm-6 ...  # others of `clients.py`, for wider runs

The clients come from whatever registry the machine's own npm is configured for. Where they cannot be had, the command
says so and ends well, and `need` skips the test with a reason that `tests/conftest.py` allows.

    client = need("npm-11")
    with Registry(as_of=BEFORE_WINDOW) as registry:
        done = run(client, ["ci", "--ignore-scripts"], project, registry)

A client that is run here has an empty home of its own, no credentials, no settings but the loopback registry, and a
proxy that refuses for every other host.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .clients import BY_LABEL, Client, install
from .registry import Registry

FOLDER = Path(os.environ.get("PRATIQUE_CLIENTS") or Path(__file__).resolve().parents[2] / "build" / "clients")
SMALL = ("npm-11", "pnpm-10", "pnpm-12", "yarn-1", "yarn-3.8", "yarn-4.18", "bun-1.4")
NODE = "node-22"
"""Every client of the small set runs on it; the older ones of a wider set name their own."""
CANNOT = "real clients cannot be had here"
"""How the reason of an allowed skip begins."""
NOWHERE = "http://127.0.0.1:9"
"""A proxy that refuses: no client gets past loopback."""


class Missing(Exception):  # noqa: N818 (a reason, not a failure)
    """A client that is not installed below `FOLDER`."""


@dataclass(frozen=True)
class Real:
    """One installed client. `folder` holds a program of the manager's own name, to be put on a path."""

    label: str
    name: str
    version: str
    command: tuple[str, ...]
    folder: Path


def _node(client: Client) -> Path:
    label = client.node if client.label not in SMALL else NODE
    return FOLDER / BY_LABEL[label].folder / "node_modules" / ".bin" / "node"


def _program(client: Client) -> Path:
    """The manager's own program: a script for Node, or an executable."""
    name = client.label.partition("-")[0]
    return (FOLDER / client.folder / "node_modules" / ".bin" / name).resolve()


@cache
def real(label: str) -> Real:
    """The installed client. Raises Missing."""
    client = BY_LABEL[label]
    name = label.partition("-")[0]
    program, node = _program(client), _node(client)
    folder = FOLDER / "bin" / label
    if not (folder / name).exists() or not program.exists():
        raise Missing(f"{CANNOT}: {label} is not in {FOLDER.name}; make clients")
    script = program.suffix in (".js", ".cjs", ".mjs")
    return Real(label, name, client.version, (str(node), str(program)) if script else (str(program),), folder)


def need(label: str) -> Real:
    """The installed client; skips the test where there is none."""
    import pytest

    try:
        return real(label)
    except Missing as reason:
        pytest.skip(str(reason))


def environment(home: Path, registry: Registry, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """All that a client is told: an empty home, one registry on loopback, and no way anywhere else."""
    node = FOLDER / BY_LABEL[NODE].folder / "node_modules" / ".bin"
    return {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "TMPDIR": str(home),
        "PATH": f"{node}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "CI": "true",
        "npm_config_registry": registry.url,
        "npm_config_update_notifier": "false",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_allow_remote": "all",
        "npm_config_minimum_release_age": "0",
        "npm_config_manage_package_manager_versions": "false",
        "pnpm_config_registry": registry.url,
        "pnpm_config_minimum_release_age": "0",
        "YARN_REGISTRY": registry.url,
        "YARN_NPM_REGISTRY_SERVER": registry.url.rstrip("/"),
        "YARN_UNSAFE_HTTP_WHITELIST": "127.0.0.1",
        "YARN_ENABLE_TELEMETRY": "0",
        "YARN_ENABLE_GLOBAL_CACHE": "0",
        "YARN_NPM_MINIMAL_AGE_GATE": "0",
        "BUN_CONFIG_REGISTRY": registry.url,
        "BUN_INSTALL_CACHE_DIR": str(home / ".bun-cache"),
        "DO_NOT_TRACK": "1",
        "http_proxy": NOWHERE,
        "https_proxy": NOWHERE,
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "no_proxy": "127.0.0.1,localhost",
        "NO_PROXY": "127.0.0.1,localhost",
        **(more or {}),
    }


def _known(client: Real, variables: dict[str, str]) -> dict[str, str]:
    """The variables without those that an older Yarn refuses because it does not know them."""
    if client.name == "yarn" and client.version.startswith(("2.", "3.", "4.0.")):
        return {key: value for key, value in variables.items() if key != "YARN_NPM_MINIMAL_AGE_GATE"}
    return variables


def run(
    client: Real,
    arguments: Sequence[str],
    project: Path,
    registry: Registry,
    *,
    home: Path | None = None,
    more: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run a client in a project against a loopback registry, in a home that is thrown away unless one is given."""
    own = Path(tempfile.mkdtemp(prefix="client-home-")) if home is None else home
    try:
        return subprocess.run(
            [*client.command, *arguments],
            cwd=project,
            env=_known(client, environment(own, registry, more)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    finally:
        if home is None:
            shutil.rmtree(own, ignore_errors=True)


def _wrap(client: Client) -> None:
    """Put a program of the manager's own name into a folder for a path."""
    name = client.label.partition("-")[0]
    program, node = _program(client), _node(client)
    words = f'"{node}" "{program}"' if program.suffix in (".js", ".cjs", ".mjs") else f'"{program}"'
    text = f'#!/bin/sh\nexec {words} "$@"\n'
    place = FOLDER / "bin" / client.label / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(0o755)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        bare = {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8"}
        done = subprocess.run(
            [str(place), "--version"], cwd=home, env=bare, capture_output=True, text=True, timeout=60, check=False
        )
    if done.stdout.strip().removeprefix("v") != client.version:
        place.unlink()
        raise RuntimeError(f"says {done.stdout.strip()[:100]!r} {done.stderr.strip()[-200:]!r}")


def main(labels: Sequence[str]) -> None:
    """Install what is wanted and not there; say what cannot be had. Never fails."""
    if shutil.which("npm") is None:
        print(f"{CANNOT}: this machine has no npm")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for label in labels or SMALL:
            client = BY_LABEL[label]
            if (FOLDER / "bin" / label).exists() and any((FOLDER / "bin" / label).iterdir()):
                continue
            try:
                install(BY_LABEL[NODE if label in SMALL else client.node], FOLDER)
                install(client, FOLDER)
                _wrap(client)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                print(f"{CANNOT}: {label}: {error}")
        shutil.rmtree(FOLDER / ".cache", ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])

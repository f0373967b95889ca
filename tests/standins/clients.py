"""The package managers that make the fixtures: exact versions, the Node each runs on, and how to install them.

The clients come from whatever registry the machine's own npm is configured for; no host is named here.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Client:
    """A package manager release. `label` is the short name that fixture cases carry."""

    label: str
    package: str
    version: str
    node: str = "node-20"

    @property
    def folder(self) -> str:
        return f"{self.package.rpartition('/')[2]}-{self.version}"

    @property
    def spec(self) -> str:
        return f"{self.package}@{self.version}"


NODES = (
    Client("node-20", "node", "20.20.2"),
    Client("node-22", "node", "22.23.3"),
)

CLIENTS = (
    Client("npm-6", "npm", "6.14.18"),
    Client("npm-7", "npm", "7.24.2"),
    Client("npm-8", "npm", "8.19.4"),
    Client("npm-9", "npm", "9.9.4"),
    Client("npm-10", "npm", "10.9.9"),
    Client("npm-11", "npm", "11.21.2", "node-22"),
    Client("npm-12", "npm", "12.2.0", "node-22"),
    Client("pnpm-7", "pnpm", "7.33.7"),
    Client("pnpm-8", "pnpm", "8.15.9"),
    Client("pnpm-9", "pnpm", "9.15.9"),
    Client("pnpm-10", "pnpm", "10.34.9"),
    Client("pnpm-11", "pnpm", "11.28.11", "node-22"),
    Client("pnpm-12", "pnpm", "12.21.0", "node-22"),
    Client("yarn-1", "yarn", "1.22.22"),
    Client("yarn-2.4", "yarn", "2.4.3"),
    Client("yarn-3.8", "@yarnpkg/cli-dist", "3.8.7"),
    Client("yarn-4.0", "@yarnpkg/cli-dist", "4.0.2"),
    Client("yarn-4.14", "@yarnpkg/cli-dist", "4.14.1"),
    Client("yarn-4.18", "@yarnpkg/cli-dist", "4.18.1"),
    Client("bun-0.6", "bun", "0.6.14"),
    Client("bun-1.0", "bun", "1.0.36"),
    Client("bun-1.1", "bun", "1.1.45"),
    Client("bun-1.2", "bun", "1.2.23"),
    Client("bun-1.3", "bun", "1.3.14"),
    Client("bun-1.4", "bun", "1.4.5"),
    Client("deno-1.46", "deno", "1.46.3"),
    Client("deno-2.0", "deno", "2.0.6"),
    Client("deno-2.3", "deno", "2.3.7"),
    Client("deno-2.9", "deno", "2.9.6"),
)

BY_LABEL = {client.label: client for client in NODES + CLIENTS}


def install(client: Client, cache: Path) -> None:
    """Install one client below the cache folder, unless it is there already."""
    place = cache / client.folder
    if (place / ".ok").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    (place / "package.json").write_text('{"private": true}\n')
    command = ["npm", "install", "--prefix", str(place), "--no-audit", "--no-fund"]
    subprocess.run([*command, "--cache", str(cache / ".cache"), client.spec], check=True, cwd=place)
    (place / ".ok").touch()

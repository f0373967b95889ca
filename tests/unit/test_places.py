"""The places of a machine, on all three platforms, out of made-up layouts; nothing is ever started."""

from __future__ import annotations

import ntpath
import os
import posixpath
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pratique.targets.places import Look, Platform, Survey, live, places, survey

CANARY = "canary5f1d"


class Machine:
    """A made-up file system: paths of files with their text, links, and folders that cannot be looked into."""

    def __init__(self, platform: Platform, files: dict[str, str], links: dict[str, str] | None = None) -> None:
        self.platform = platform
        self.paths: Any = ntpath if platform == "windows" else posixpath
        self.files = {self.paths.normcase(path): text for path, text in files.items()}
        self.links = {self.paths.normcase(path): target for path, target in (links or {}).items()}
        self.closed: tuple[str, ...] = ()
        self.exact = list(files) + list(links or {})
        self.read: list[str] = []

    def exists(self, path: str) -> bool | None:
        if path.startswith(self.closed) and self.closed:
            return None
        wanted = self.paths.normcase(path)
        inside = wanted.rstrip(self.paths.sep) + self.paths.sep
        return any(known == wanted or known.startswith(inside) for known in (*self.files, *self.links))

    def names(self, path: str) -> Sequence[str]:
        inside = self.paths.normcase(path).rstrip(self.paths.sep) + self.paths.sep
        found = {
            known[len(inside) :].split(self.paths.sep)[0]
            for known in self.exact
            if self.paths.normcase(known).startswith(inside)
        }
        return sorted(found, reverse=True)

    def text(self, path: str) -> str | None:
        self.read.append(path)
        return self.files.get(self.paths.normcase(path))

    def resolve(self, path: str) -> str:
        folded = self.paths.normcase(path)
        for link, target in self.links.items():
            if folded == link or folded.startswith(link + self.paths.sep):
                return target + path[len(link) :]
        return path

    def survey(self, environment: dict[str, str], home: str, user: int | None = 1000) -> Survey:
        look = Look(self.exists, self.names, self.text, self.resolve, user)
        return survey(environment, home, self.platform, look)

    def found(self, environment: dict[str, str], home: str, user: int | None = 1000) -> dict[str, tuple[str, str]]:
        return {item.path: (item.kind, item.manager) for item in self.survey(environment, home, user).places}


def test_linux_defaults() -> None:
    home = "/home/u"
    expected = {
        f"{home}/.npm": ("cache", "npm"),
        f"{home}/.local/share/pnpm/store": ("store", "pnpm"),
        f"{home}/.local/share/pnpm/global": ("global-root", "pnpm"),
        f"{home}/.local/share/pnpm/nodejs/20.0.0/lib/node_modules": ("global-root", "npm"),
        f"{home}/.pnpm-store": ("store", "pnpm"),
        f"{home}/.cache/pnpm": ("cache", "pnpm"),
        f"{home}/.local/state/pnpm": ("log", "pnpm"),
        f"{home}/.cache/yarn": ("cache", "yarn"),
        f"{home}/.config/yarn/global": ("global-root", "yarn"),
        f"{home}/.yarn/berry": ("cache", "yarn"),
        f"{home}/.bun/install/cache": ("cache", "bun"),
        f"{home}/.bun/install/global": ("global-root", "bun"),
        "/tmp/bunx-1000-vite@latest": ("tool", "bun"),
        f"{home}/.cache/deno": ("cache", "deno"),
        "/usr/lib/node_modules": ("global-root", "npm"),
        "/usr/local/lib/node_modules": ("global-root", "npm"),
        "/home/linuxbrew/.linuxbrew/lib/node_modules": ("global-root", "npm"),
        f"{home}/.nvm/versions/node/v20.0.0/lib/node_modules": ("global-root", "npm"),
        f"{home}/.local/share/fnm/node-versions/v22.0.0/installation/lib/node_modules": ("global-root", "npm"),
        f"{home}/.volta/tools/image/node/20.0.0/lib/node_modules": ("global-root", "npm"),
        f"{home}/.volta/tools/image/packages": ("tool", "volta"),
        "/usr/local/n/versions/node/20.0.0/lib/node_modules": ("global-root", "npm"),
        f"{home}/.asdf/installs/nodejs/20.0.0/lib/node_modules": ("global-root", "npm"),
        f"{home}/.asdf/installs/nodejs/20.0.0/.npm/lib/node_modules": ("global-root", "npm"),
        f"{home}/.local/share/mise/installs/node/20.0.0/lib/node_modules": ("global-root", "npm"),
        f"{home}/.local/share/mise/installs/npm-prettier": ("tool", "mise"),
        f"{home}/.nodenv/versions/20.0.0/lib/node_modules": ("global-root", "npm"),
        f"{home}/.bash_history": ("history", "shell"),
        f"{home}/.zsh_history": ("history", "shell"),
        f"{home}/.local/share/fish/fish_history": ("history", "shell"),
        f"{home}/.local/share/powershell/PSReadLine/ConsoleHost_history.txt": ("history", "shell"),
    }
    others = ["/tmp/bunx-1001-x/a", "/tmp/other/a", f"{home}/.node_repl_history", f"{home}/.npm/_logs/a"]
    machine = Machine("linux", dict.fromkeys([*expected, *others], ""))
    assert machine.found({"PATH": "/usr/bin"}, home) == expected
    reasons = {item.place.path: item.reason for item in machine.survey({"PATH": ""}, home).dropped}
    assert reasons[f"{home}/.npm/_logs"] == f"lies inside {home}/.npm"


def test_macos_defaults() -> None:
    home = "/Users/u"
    expected = {
        f"{home}/.npm": ("cache", "npm"),
        f"{home}/Library/pnpm/store": ("store", "pnpm"),
        f"{home}/Library/Caches/pnpm": ("cache", "pnpm"),
        f"{home}/.local/state/pnpm": ("log", "pnpm"),
        f"{home}/Library/Caches/Yarn": ("cache", "yarn"),
        f"{home}/.yarn/berry": ("cache", "yarn"),
        f"{home}/.bun/install/cache": ("cache", "bun"),
        "/var/folders/x/T/bunx-501-a": ("tool", "bun"),
        f"{home}/Library/Caches/deno": ("cache", "deno"),
        "/opt/homebrew/lib/node_modules": ("global-root", "npm"),
        f"{home}/Library/Application Support/fnm/node-versions/v1/installation/lib/node_modules": (
            "global-root",
            "npm",
        ),
        f"{home}/.zsh_history": ("history", "shell"),
    }
    machine = Machine("macos", dict.fromkeys(expected, ""))
    assert machine.found({"PATH": "/bin", "TMPDIR": "/var/folders/x/T/"}, home, 501) == expected


def test_windows_defaults() -> None:
    home = "C:\\Users\\u"
    local, roaming = f"{home}\\AppData\\Local", f"{home}\\AppData\\Roaming"
    expected = {
        f"{local}\\npm-cache": ("cache", "npm"),
        f"{roaming}\\npm-cache": ("cache", "npm"),
        f"{local}\\pnpm\\store": ("store", "pnpm"),
        f"{local}\\pnpm\\global": ("global-root", "pnpm"),
        f"{local}\\pnpm-cache": ("cache", "pnpm"),
        f"{local}\\pnpm-state": ("log", "pnpm"),
        f"{local}\\Yarn\\Cache": ("cache", "yarn"),
        f"{local}\\Yarn\\Data\\global": ("global-root", "yarn"),
        f"{local}\\Yarn\\Berry": ("cache", "yarn"),
        f"{home}\\.bun\\install\\cache": ("cache", "bun"),
        f"{local}\\Temp\\bunx-0-vite": ("tool", "bun"),
        f"{local}\\deno": ("cache", "deno"),
        "D:\\node\\node_modules": ("global-root", "npm"),
        f"{roaming}\\npm\\node_modules": ("global-root", "npm"),
        "C:\\Program Files\\nodejs\\node_modules": ("global-root", "npm"),
        f"{roaming}\\nvm\\v20.0.0\\node_modules": ("global-root", "npm"),
        f"{roaming}\\fnm\\node-versions\\v1\\installation\\node_modules": ("global-root", "npm"),
        f"{local}\\Volta\\tools\\image\\packages": ("tool", "volta"),
        f"{roaming}\\Microsoft\\Windows\\PowerShell\\PSReadLine\\ConsoleHost_history.txt": ("history", "shell"),
    }
    machine = Machine("windows", dict.fromkeys([*expected, "D:\\node\\node.exe"], ""))
    environment = {
        "Path": 'C:\\Windows;"D:\\node"',
        "LocalAppData": local,
        "AppData": roaming,
        "programfiles": "C:\\Program Files",
        "TEMP": f"{local}\\temp",
    }
    assert machine.found(environment, home, None) == {
        path.replace("\\Temp\\", "\\temp\\"): kind for path, kind in expected.items()
    }


def test_settings_and_variables_name_places_beside_the_defaults() -> None:
    home = "/home/u"
    machine = Machine(
        "linux",
        {
            f"{home}/.npmrc": f"//registry.example/:_authToken={CANARY}\ncache=${{BASE}}/npm\nprefix=~/.global\nlogs-dir=/logs\n",
            f"{home}/.global/etc/npmrc": "store-dir=/store\n",
            f"{home}/.config/pnpm/rc": "cache-dir=/pnpm-cache\n",
            f"{home}/.config/pnpm/config.yaml": "storeDir: '/store2' # why\n",
            f"{home}/.yarnrc": 'cache-folder "/yarn1"\nyarn-offline-mirror "./mirror"\n',
            f"{home}/.yarnrc.yml": "npmAuthToken: x\nglobalFolder: /yarn2\n",
            f"{home}/.bunfig.toml": '[install]\nglobalDir = "/bun-global"\n[install.cache]\ndir = "~/bun-cache"\n',
            **dict.fromkeys(
                [
                    f"{home}/.npm/x",
                    "/base/npm/x",
                    f"{home}/.global/lib/node_modules/x",
                    "/logs/x",
                    "/store/x",
                    "/store2/x",
                    "/pnpm-cache/x",
                    "/yarn1/x",
                    "/yarn2/x",
                    "/bun-global/x",
                    f"{home}/bun-cache/x",
                    "/env-cache/x",
                    "/pnpm-home/store/x",
                    "/yarn-cache/x",
                    "/deno/x",
                    "/hist",
                    "/opt/node/lib/node_modules/x",
                    "/opt/node/bin/node",
                ],
                "",
            ),
        },
        {"/usr/bin/node": "/opt/node/bin/node"},
    )
    environment = {
        "BASE": "/base",
        "PATH": ".:/usr/bin",
        "NPM_CONFIG_CACHE": "/env-cache",
        "PNPM_HOME": "/pnpm-home",
        "YARN_CACHE_FOLDER": "/yarn-cache",
        "DENO_DIR": "/deno",
        "HISTFILE": "/hist",
        "XDG_CACHE_HOME": "relative",
    }
    result = machine.survey(environment, home)
    found = [(item.manager, item.path) for item in result.places]
    assert found == [
        ("npm", "/env-cache"),
        ("npm", "/base/npm"),
        ("npm", f"{home}/.npm"),
        ("npm", "/logs"),
        ("pnpm", "/store2"),
        ("pnpm", "/store"),
        ("pnpm", "/pnpm-home/store"),
        ("pnpm", "/pnpm-cache"),
        ("yarn", "/yarn-cache"),
        ("yarn", "/yarn1"),
        ("yarn", "/yarn2"),
        ("bun", f"{home}/bun-cache"),
        ("bun", "/bun-global"),
        ("deno", "/deno"),
        ("npm", f"{home}/.global/lib/node_modules"),
        ("npm", "/opt/node/lib/node_modules"),
        ("shell", "/hist"),
    ]
    assert "is not an absolute path" in {item.reason for item in result.dropped}
    assert CANARY not in repr(result)


def test_a_link_to_a_place_is_not_examined_twice() -> None:
    machine = Machine(
        "linux", {"/data/npm/x": "", "/home/u/.npmrc": "cache=/data/npm\n"}, {"/home/u/.npm": "/data/npm"}
    )
    result = machine.survey({}, "/home/u")
    assert [item.path for item in result.places] == ["/data/npm"]
    assert ("/home/u/.npm", "is the same place as /data/npm") in {(d.place.path, d.reason) for d in result.dropped}


def test_root_of_linux_has_yarn_caches_of_its_own() -> None:
    machine = Machine("linux", {"/usr/local/share/.cache/yarn/v6/x": ""})
    assert list(machine.found({}, "/root", 0)) == ["/usr/local/share/.cache/yarn"]
    assert list(machine.found({}, "/home/u", 1000)) == []


def test_what_cannot_be_looked_at_is_kept() -> None:
    machine = Machine("linux", {})
    machine.closed = ("/home/u/.npm",)
    result = machine.survey({}, "/home/u")
    assert [item.path for item in result.places] == ["/home/u/.npm"]
    assert "/home/u/.bash_history" in {item.path for item in result.absent}


def test_order_and_result_do_not_depend_on_the_order_of_the_environment() -> None:
    machine = Machine("linux", dict.fromkeys(["/a/x", "/b/x"], ""))
    environment = {"npm_config_cache": "/a", "NPM_CONFIG_CACHE": "/b"}
    backwards = dict(reversed(environment.items()))
    assert machine.survey(environment, "/h") == machine.survey(backwards, "/h")


def test_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("node", "npm", "pnpm", "yarn", "bun", "deno", "volta", "brew", "fnm"):
        shim = folder / name
        shim.write_text(f"#!/bin/sh\ntouch {tmp_path}/fired\n")
        shim.chmod(0o755)
    (tmp_path / "lib" / "node_modules").mkdir(parents=True)
    (tmp_path / ".npm").mkdir()
    for module, name in ((subprocess, "Popen"), (os, "system"), (os, "posix_spawn"), (os, "fork"), (os, "execve")):
        monkeypatch.setattr(module, name, lambda *_a, **_k: pytest.fail("a program was started"))
    found = places({"PATH": str(folder)}, tmp_path, "linux")
    mine = [item.path for item in found if item.path.startswith(str(tmp_path))]
    assert mine == [f"{tmp_path}/.npm", f"{tmp_path}/lib/node_modules"]
    assert not (tmp_path / "fired").exists()


def test_this_machine_is_looked_at_without_following_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".npmrc")
    look = live()
    assert look.text(str(tmp_path / ".npmrc")) is None
    assert look.text(str(tmp_path)) is None
    assert look.names(str(tmp_path / "gone")) == ()
    assert look.exists("\0") is None
    assert places({"PATH": ""}, tmp_path, "linux") is not None

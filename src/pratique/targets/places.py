"""The places on a machine where package managers leave traces, for one user.

Caches, stores, global trees, logs, tools and shell histories of npm, pnpm, yarn, bun, deno, the version managers of
Node.js, and Python's (`places_python`), by the rules that each program uses itself: environment, configuration files,
platform defaults. No program is started: the prefix of npm comes from where the `node` on `PATH` lies. Both the
configured place and the default one are listed where both exist, since a setting may be younger than the trace.

A place whose existence could not be determined is kept: opening it then tells why it cannot be read. Left out: other
users, stores on other file systems (`<mount>/.pnpm-store`), folders that only a project's configuration names, and
histories at a place that only a shell's start file names.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import stat
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Literal

import msgspec

from pratique.ecosystems.npm.npmrc import Setting, expand, settings
from pratique.targets import places_python

Platform = Literal["linux", "macos", "windows"]
Kind = Literal["cache", "store", "global-root", "log", "history", "tool"]

_LARGEST_CONFIGURATION = 1 << 20


class Place(msgspec.Struct, frozen=True):
    """A folder or file to examine. `found_by` says which rule or setting names it, never a setting's value."""

    kind: Kind
    manager: str
    path: str
    found_by: str


class Dropped(msgspec.Struct, frozen=True):
    """A place that is not examined by itself, and why."""

    place: Place
    reason: str


class Survey(msgspec.Struct, frozen=True):
    """All places: those to examine, those that do not exist here, and those dropped."""

    places: tuple[Place, ...]
    absent: tuple[Place, ...]
    dropped: tuple[Dropped, ...]


class Look(msgspec.Struct, frozen=True):
    """How a machine is looked at; nothing here writes or starts anything.

    `exists` is None where that cannot be told; `names` are the entries of a folder, empty where it cannot be listed;
    `text` is the content of a small file, None where it cannot be read; `resolve` follows links; `user` is the
    number of this user, None where there is none.
    """

    exists: Callable[[str], bool | None]
    names: Callable[[str], Sequence[str]]
    text: Callable[[str], str | None]
    resolve: Callable[[str], str]
    user: int | None


def live() -> Look:
    """This machine."""
    return Look(_exists, _names, _text, os.path.realpath, os.getuid() if hasattr(os, "getuid") else None)


def _exists(path: str) -> bool | None:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return None
    return True


def _names(path: str) -> Sequence[str]:
    try:
        return sorted(os.listdir(path))
    except (OSError, ValueError):
        return ()


def _text(path: str) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return file.read(_LARGEST_CONFIGURATION).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None


def places(
    environment: Mapping[str, str], home: Path | str, platform: Platform, look: Look | None = None
) -> list[Place]:
    """The places to examine, without duplicates and without places inside others."""
    return list(survey(environment, home, platform, look).places)


def survey(environment: Mapping[str, str], home: Path | str, platform: Platform, look: Look | None = None) -> Survey:
    """Every place by every rule, each one to examine, absent or dropped with its reason."""
    machine = Machine(environment, str(home), platform, look or live())
    absent: list[Place] = []
    dropped: list[Dropped] = []
    present: list[tuple[Place, str]] = []
    seen: dict[str, Place] = {}
    for place in machine.all():
        if not machine.paths.isabs(place.path):
            dropped.append(Dropped(place, "is not an absolute path"))
            continue
        exact = msgspec.structs.replace(place, path=machine.paths.normpath(place.path))
        known = seen.get(machine.key(exact.path))
        if known is not None:
            if known.found_by != exact.found_by:
                dropped.append(Dropped(exact, f"is the same place as the one found by {known.found_by}"))
            continue
        seen[machine.key(exact.path)] = exact
        if machine.look.exists(exact.path) is False:
            absent.append(exact)
        else:
            present.append((exact, machine.key(machine.look.resolve(exact.path))))
    kept: list[Place] = []
    roots: dict[str, Place] = {}
    for place, real in sorted(present, key=lambda item: item[1].count(machine.paths.sep)):
        if real in roots:
            dropped.append(Dropped(place, f"is the same place as {roots[real].path}"))
        elif (outer := _outer(real, roots, machine.paths.sep)) is not None:
            dropped.append(Dropped(place, f"lies inside {outer.path}"))
        else:
            roots[real] = place
            kept.append(place)
    order = {place: index for index, (place, _) in enumerate(present)}
    return Survey(tuple(sorted(kept, key=order.__getitem__)), tuple(absent), tuple(dropped))


def _outer(path: str, roots: Mapping[str, Place], separator: str) -> Place | None:
    """The place that a path lies in."""
    while (cut := path.rfind(separator)) > 0:
        path = path[:cut]
        if path in roots:
            return roots[path]
    return None


class Machine:
    """One user's surroundings, and the rules of each program."""

    def __init__(self, environment: Mapping[str, str], home: str, platform: Platform, look: Look) -> None:
        self.windows = platform == "windows"
        self.macos = platform == "macos"
        self.paths: ModuleType = ntpath if self.windows else posixpath
        self.given = {key.upper(): value for key, value in environment.items()} if self.windows else dict(environment)
        self.home = home
        self.look = look
        self.npmrc = dict(self._npmrc())
        self.pnpmrc = dict(self._pnpm_settings())

    # what the rules are made of

    def place(self, kind: str, manager: str, path: str, found_by: str) -> Place:
        """A place of one of the known kinds."""
        return Place(kind, manager, path, found_by)  # type: ignore[arg-type]  # rules name kinds that exist

    def join(self, *parts: str) -> str:
        """A path of this platform."""
        joined: str = self.paths.join(*parts)
        return joined

    def key(self, path: str) -> str:
        """A path as it is compared."""
        folded: str = self.paths.normcase(path)
        return folded

    def env(self, name: str) -> str | None:
        """A variable of the environment; an empty one counts as none."""
        return self.given.get(name.upper() if self.windows else name) or None

    def at_home(self, *parts: str) -> str:
        """A path in the user's folder."""
        return self.join(self.home, *parts)

    def local(self) -> str:
        """Windows: the folder of local application data."""
        return self.env("LOCALAPPDATA") or self.at_home("AppData", "Local")

    def roaming(self) -> str:
        """Windows: the folder of roaming application data."""
        return self.env("APPDATA") or self.at_home("AppData", "Roaming")

    def xdg(self, name: str, *default: str) -> str:
        """A base folder of the XDG rules."""
        return self.env(name) or self.at_home(*default)

    def absolute(self, value: str) -> str | None:
        """A configured path with `~` and variables filled in; None where that cannot be done."""
        filled = expand(value, self.given)
        if filled is None:
            return None
        if filled == "~" or filled.startswith(("~/", "~\\")):
            return self.at_home(filled[2:]) if len(filled) > 2 else self.home
        return filled

    def below(self, folder: str, *parts: str, prefix: str = "") -> Iterator[str]:
        """A path in every entry of a folder."""
        for name in sorted(self.look.names(folder)):
            if name.startswith(prefix) and name not in (".", ".."):
                yield self.join(folder, name, *parts)

    # configuration

    def _npm_environment(self, key: str) -> str | None:
        """A setting of npm out of the environment, whose variables are written in any case."""
        wanted = "npm_config_" + key.replace("-", "_")
        for name in sorted(self.given):
            if name.lower().replace("-", "_") == wanted and self.given[name]:
                return self.given[name]
        return None

    def _npmrc(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Settings that name folders -> pairs of path and where it was found, the strongest first."""
        keys = ("cache", "logs-dir", "prefix", "store-dir", "cache-dir", "state-dir", "global-dir", "cache-folder")
        files: list[tuple[str, str]] = []
        user = self._npm_environment("userconfig")
        files.append((self.absolute(user or "") or self.at_home(".npmrc"), "the user's npmrc"))
        named = self.absolute(self._npm_environment("globalconfig") or "")
        if named:
            files.append((named, "the npmrc that npm_config_globalconfig names"))
        prefixes = [prefix for prefix, _ in self._node_prefixes()]
        typed = self._npm_environment("prefix")
        written = self._settings(files[0][0]).get("prefix")
        for value in (typed, written.value if written else None):
            if value and (path := self.absolute(value)):
                prefixes.append(path)
        for prefix in prefixes:
            files.append((self.join(prefix, "etc", "npmrc"), "the npmrc of the prefix"))
            files.append((self.join(self._modules(prefix), "npm", "npmrc"), "npm's own npmrc"))
        read = [(self._settings(path), label) for path, label in files]
        for key in keys:
            found: list[tuple[str, str]] = []
            value = self._npm_environment(key)
            if value and (path := self.absolute(value)):
                found.append((path, f"npm_config_{key.replace('-', '_')} in the environment"))
            for table, label in read:
                setting = table.get(key)
                if setting and setting.value and (path := self.absolute(setting.value)):
                    found.append((path, f"{key} in {label}"))
            yield key, found

    def _settings(self, path: str) -> dict[str, Setting]:
        text = self.look.text(path)
        return {item.key: item for item in settings(text)} if text else {}

    def _pnpm_settings(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """The folders that pnpm's own configuration names (`rc`, and `config.yaml` of pnpm 11)."""
        if self.windows:
            folders = [self.join(self.local(), "pnpm", "config")]
        elif self.macos:
            folders = [self.at_home("Library", "Preferences", "pnpm")]
        else:
            folders = [self.at_home(".config", "pnpm")]
        configured = self.env("XDG_CONFIG_HOME")
        if configured:
            folders.insert(0, self.join(configured, "pnpm"))
        tables: list[tuple[dict[str, str], str]] = []
        for folder in folders:
            rc = self._settings(self.join(folder, "rc"))
            tables.append(({key: item.value for key, item in rc.items() if item.value}, "pnpm's rc"))
            tables.append((_flat_yaml(self.look.text(self.join(folder, "config.yaml"))), "pnpm's config.yaml"))
        for key, camel in (
            ("store-dir", "storeDir"),
            ("cache-dir", "cacheDir"),
            ("state-dir", "stateDir"),
            ("global-dir", "globalDir"),
        ):
            found: list[tuple[str, str]] = []
            for table, label in tables:
                value = table.get(key) or table.get(camel)
                if value and (path := self.absolute(value)):
                    found.append((path, f"{key} in {label}"))
            yield key, found + self.npmrc[key]

    def _node_prefixes(self) -> Iterator[tuple[str, str]]:
        """npm's default prefixes: of the variable PREFIX, and of every `node` that PATH leads to."""
        prefix = self.env("PREFIX")
        if prefix:
            yield prefix, "PREFIX in the environment"
        for folder in (self.env("PATH") or "").split(";" if self.windows else ":"):
            binary = self.join(folder.strip('"'), "node.exe" if self.windows else "node")
            if not self.paths.isabs(binary) or not self.look.exists(binary):
                continue
            real = self.look.resolve(binary)
            found = self.paths.dirname(real) if self.windows else self.paths.dirname(self.paths.dirname(real))
            yield found, "the node program on PATH"

    def _modules(self, prefix: str) -> str:
        """The global packages of a prefix."""
        return self.join(prefix, "node_modules") if self.windows else self.join(prefix, "lib", "node_modules")

    # places

    def all(self) -> Iterator[Place]:
        """Every place by every rule, configured ones before defaults."""
        for rules in (self._npm, self._pnpm, self._yarn, self._bun, self._deno, self._prefixes, self._versions):
            yield from rules()
        yield from places_python.rules(self)
        yield from self._histories()

    def _npm(self) -> Iterator[Place]:
        caches = list(self.npmrc["cache"])
        if self.windows:
            caches.append((self.join(self.local(), "npm-cache"), "npm's default"))
            caches.append((self.join(self.roaming(), "npm-cache"), "npm's default before npm 7"))
        else:
            caches.append((self.at_home(".npm"), "npm's default"))
        for path, found_by in caches:
            yield Place("cache", "npm", path, found_by)
        for path, found_by in caches:
            yield Place("log", "npm", self.join(path, "_logs"), f"{found_by}, its logs")
        for path, found_by in self.npmrc["logs-dir"]:
            yield Place("log", "npm", path, found_by)

    def _pnpm(self) -> Iterator[Place]:
        data: list[tuple[str, str]] = []
        if self.env("PNPM_HOME"):
            data.append((self.env("PNPM_HOME") or "", "PNPM_HOME"))
        if self.env("XDG_DATA_HOME"):
            data.append((self.join(self.env("XDG_DATA_HOME") or "", "pnpm"), "XDG_DATA_HOME"))
        if self.windows:
            data.append((self.join(self.local(), "pnpm"), "pnpm's default"))
        elif self.macos:
            data.append((self.at_home("Library", "pnpm"), "pnpm's default"))
        else:
            data.append((self.at_home(".local", "share", "pnpm"), "pnpm's default"))
        for path, found_by in self.pnpmrc["store-dir"]:
            yield Place("store", "pnpm", path, found_by)
        for path, found_by in self.pnpmrc["global-dir"]:
            yield Place("global-root", "pnpm", path, found_by)
        for path, found_by in data:
            yield Place("store", "pnpm", self.join(path, "store"), found_by)
            yield Place("global-root", "pnpm", self.join(path, "global"), found_by)
            for modules in self.below(self.join(path, "nodejs"), *(() if self.windows else ("lib",)), "node_modules"):
                yield Place("global-root", "npm", modules, f"{found_by}, a Node.js that pnpm installed")
        yield Place("store", "pnpm", self.at_home(".pnpm-store"), "pnpm's default before pnpm 7")
        yield from self._pnpm_kept("cache-dir", "cache", "XDG_CACHE_HOME", "pnpm-cache", (".cache", "pnpm"))
        yield from self._pnpm_kept("state-dir", "log", "XDG_STATE_HOME", "pnpm-state", (".local", "state", "pnpm"))

    def _pnpm_kept(
        self, key: str, kind: Literal["cache", "log"], variable: str, windows: str, unix: tuple[str, ...]
    ) -> Iterator[Place]:
        """pnpm's cache or state folder."""
        for path, found_by in self.pnpmrc[key]:
            yield Place(kind, "pnpm", path, found_by)
        if self.env(variable):
            yield Place(kind, "pnpm", self.join(self.env(variable) or "", "pnpm"), variable)
        if self.windows:
            path = self.join(self.local(), windows)
        elif self.macos and key == "cache-dir":
            path = self.at_home("Library", "Caches", "pnpm")
        else:
            path = self.at_home(*unix)
        yield Place(kind, "pnpm", path, "pnpm's default")

    def _yarn(self) -> Iterator[Place]:
        if self.env("YARN_CACHE_FOLDER"):
            yield Place("cache", "yarn", self.env("YARN_CACHE_FOLDER") or "", "YARN_CACHE_FOLDER")
        classic = self.look.text(self.at_home(".yarnrc")) or ""
        for match in re.finditer(r'^(?:--[a-z.]*)?(cache-folder|yarn-offline-mirror)\s+"?([^"\r\n]+)', classic, re.M):
            path = self.absolute(match[2].strip())
            if path:
                yield Place("cache", "yarn", path, f"{match[1]} in the user's .yarnrc")
        for path, found_by in self.npmrc["cache-folder"]:
            yield Place("cache", "yarn", path, found_by)
        if self.windows:
            yield Place("cache", "yarn", self.join(self.local(), "Yarn", "Cache"), "yarn 1's default")
            yield Place("global-root", "yarn", self.join(self.local(), "Yarn", "Data", "global"), "yarn 1's default")
        else:
            if self.env("XDG_CACHE_HOME"):
                yield Place("cache", "yarn", self.join(self.env("XDG_CACHE_HOME") or "", "yarn"), "XDG_CACHE_HOME")
            for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
                if self.env(variable):
                    yield Place("global-root", "yarn", self.join(self.env(variable) or "", "yarn", "global"), variable)
            bases = [(self.home, "yarn 1's default")]
            if self.look.user == 0 and not self.macos:
                bases.append(("/usr/local/share", "yarn 1's default for root"))
            for base, found_by in bases:
                cache = ("Library", "Caches", "Yarn") if self.macos else (".cache", "yarn")
                yield Place("cache", "yarn", self.join(base, *cache), found_by)
                yield Place("global-root", "yarn", self.join(base, ".config", "yarn", "global"), found_by)
        if self.env("YARN_GLOBAL_FOLDER"):
            yield Place("cache", "yarn", self.env("YARN_GLOBAL_FOLDER") or "", "YARN_GLOBAL_FOLDER")
        berry = _flat_yaml(self.look.text(self.at_home(".yarnrc.yml")))
        for key in ("globalFolder", "cacheFolder"):
            path = self.absolute(berry[key]) if key in berry else None
            if path:
                yield Place("cache", "yarn", path, f"{key} in the user's .yarnrc.yml")
        if self.windows:
            yield Place("cache", "yarn", self.join(self.local(), "Yarn", "Berry"), "yarn's default from yarn 2")
        if not self.windows and self.env("XDG_DATA_HOME"):
            folder = self.join(self.env("XDG_DATA_HOME") or "", "yarn", "berry")
            yield Place("cache", "yarn", folder, "XDG_DATA_HOME, from yarn 2")
        yield Place("cache", "yarn", self.at_home(".yarn", "berry"), "yarn's default from yarn 2")

    def _bun(self) -> Iterator[Place]:
        for variable in ("BUN_INSTALL_CACHE_DIR", "BUN_INSTALL_GLOBAL_DIR"):
            kind: Kind = "cache" if "CACHE" in variable else "global-root"
            if self.env(variable):
                yield Place(kind, "bun", self.env(variable) or "", variable)
        for folder in filter(None, (self.env("XDG_CONFIG_HOME"), self.home)):
            for kind, path in self._bunfig(self.join(folder, ".bunfig.toml")):
                yield Place(kind, "bun", path, "the user's .bunfig.toml")
        roots = [(self.at_home(".bun"), "bun's default")]
        if self.env("XDG_CACHE_HOME"):
            roots.insert(0, (self.join(self.env("XDG_CACHE_HOME") or "", ".bun"), "XDG_CACHE_HOME"))
        if self.env("BUN_INSTALL"):
            roots.insert(0, (self.env("BUN_INSTALL") or "", "BUN_INSTALL"))
        for root, found_by in roots:
            yield Place("cache", "bun", self.join(root, "install", "cache"), found_by)
            yield Place("global-root", "bun", self.join(root, "install", "global"), found_by)
        prefix = "bunx-" if self.look.user is None else f"bunx-{self.look.user}-"
        for folder in self._temporary():
            for path in self.below(folder, prefix=prefix):
                yield Place("tool", "bun", path, "bunx, in the folder of temporary files")

    def _bunfig(self, path: str) -> Iterator[tuple[Kind, str]]:
        try:
            document = tomllib.loads(self.look.text(path) or "")
        except (tomllib.TOMLDecodeError, RecursionError):
            return
        install = document.get("install")
        if not isinstance(install, dict):
            return
        cache = install.get("cache")
        kinds: tuple[tuple[Kind, object], ...] = (
            ("cache", cache.get("dir") if isinstance(cache, dict) else cache),
            ("global-root", install.get("globalDir")),
        )
        for kind, value in kinds:
            found = self.absolute(value) if isinstance(value, str) else None
            if found:
                yield kind, found

    def _temporary(self) -> list[str]:
        """Folders of temporary files."""
        named = [self.env(name) for name in ("BUN_TMPDIR", "TMPDIR", "TEMP", "TMP")]
        found = [path for path in named if path]
        found += [self.join(self.local(), "Temp")] if self.windows else ["/tmp", "/var/tmp"]  # noqa: S108 (only listed)
        return list(dict.fromkeys(found))

    def _deno(self) -> Iterator[Place]:
        if self.env("DENO_DIR"):
            yield Place("cache", "deno", self.env("DENO_DIR") or "", "DENO_DIR")
        if self.env("XDG_CACHE_HOME"):
            yield Place("cache", "deno", self.join(self.env("XDG_CACHE_HOME") or "", "deno"), "XDG_CACHE_HOME")
        if self.windows:
            path = self.join(self.local(), "deno")
        elif self.macos:
            path = self.at_home("Library", "Caches", "deno")
        else:
            path = self.at_home(".cache", "deno")
        yield Place("cache", "deno", path, "deno's default")

    def _prefixes(self) -> Iterator[Place]:
        """Global trees of npm's prefixes."""
        for path, found_by in (*self.npmrc["prefix"], *self._node_prefixes()):
            yield Place("global-root", "npm", self._modules(path), found_by)
        if self.windows:
            yield Place("global-root", "npm", self.join(self.roaming(), "npm", "node_modules"), "Node.js's installer")
            for variable in ("ProgramFiles", "ProgramFiles(x86)"):
                folder = self.env(variable)
                if folder:
                    modules = self.join(folder, "nodejs", "node_modules")
                    yield Place("global-root", "npm", modules, "Node.js's installer")
            return
        roots = [(self.env("HOMEBREW_PREFIX"), "HOMEBREW_PREFIX"), ("/usr/local", "usual prefix")]
        if self.macos:
            roots.append(("/opt/homebrew", "Homebrew's default"))
        else:
            roots += [
                ("/usr", "usual prefix"),
                ("/home/linuxbrew/.linuxbrew", "Homebrew's default"),
                (self.at_home(".linuxbrew"), "Homebrew's default"),
            ]
        for root, found_by in roots:
            if root:
                yield Place("global-root", "npm", self._modules(root), found_by)

    def _roots(self, variable: str, *defaults: str) -> list[tuple[str, str]]:
        """A version manager's folders: of its variable, and its defaults."""
        named = self.env(variable)
        return [*([(named, variable)] if named else []), *((path, "default") for path in defaults)]

    def _versions(self) -> Iterator[Place]:
        """Global trees below version managers: one for each version of Node.js."""
        tree = ("node_modules",) if self.windows else ("lib", "node_modules")
        for tool, folders, tail in self._version_folders():
            for folder, found_by in folders:
                for path in self.below(folder, *tail, *tree):
                    yield Place("global-root", "npm", path, f"{tool} ({found_by})")
        volta = self.join(self.local(), "Volta") if self.windows else self.at_home(".volta")
        for root, found_by in self._roots("VOLTA_HOME", volta):
            packages = self.join(root, "tools", "image", "packages")
            yield Place("tool", "volta", packages, found_by)
        if self.windows:
            return
        for root, found_by in self._roots("N_PREFIX", "/usr/local"):
            yield Place("global-root", "npm", self._modules(root), f"n ({found_by})")
        for root, found_by in self._roots("ASDF_DATA_DIR", self.at_home(".asdf")):
            for path in self.below(self.join(root, "installs", "nodejs"), ".npm", "lib", "node_modules"):
                yield Place("global-root", "npm", path, f"asdf ({found_by})")
        for root, found_by in self._mise():
            for tool in self.below(self.join(root, "installs"), prefix="npm-"):
                yield Place("tool", "mise", tool, f"mise ({found_by})")

    def _version_folders(self) -> Iterator[tuple[str, list[tuple[str, str]], tuple[str, ...]]]:
        """Version manager, folders that hold one folder for each version, and what follows the version."""

        def inside(roots: list[tuple[str, str]], *parts: str) -> list[tuple[str, str]]:
            return [(self.join(root, *parts), found_by) for root, found_by in roots]

        if self.windows:
            yield "nvm-windows", self._roots("NVM_HOME", self.join(self.roaming(), "nvm")), ()
            fnm = [self.join(self.roaming(), "fnm"), self.at_home(".fnm")]
            volta = self.join(self.local(), "Volta")
        else:
            nvm = [self.at_home(".nvm"), self.join(self.xdg("XDG_CONFIG_HOME", ".config"), "nvm")]
            yield "nvm", inside(self._roots("NVM_DIR", *nvm), "versions", "node"), ()
            fnm = [self.join(self.xdg("XDG_DATA_HOME", ".local", "share"), "fnm"), self.at_home(".fnm")]
            if self.macos:
                fnm.insert(0, self.at_home("Library", "Application Support", "fnm"))
            volta = self.at_home(".volta")
            yield "n", inside(self._roots("N_PREFIX", "/usr/local"), "n", "versions", "node"), ()
            yield "nodenv", inside(self._roots("NODENV_ROOT", self.at_home(".nodenv")), "versions"), ()
            yield "asdf", inside(self._roots("ASDF_DATA_DIR", self.at_home(".asdf")), "installs", "nodejs"), ()
            yield "mise", inside(self._mise(), "installs", "node"), ()
        yield "fnm", inside(self._roots("FNM_DIR", *fnm), "node-versions"), ("installation",)
        yield "volta", inside(self._roots("VOLTA_HOME", volta), "tools", "image", "node"), ()

    def _mise(self) -> list[tuple[str, str]]:
        return self._roots("MISE_DATA_DIR", self.join(self.xdg("XDG_DATA_HOME", ".local", "share"), "mise"))

    def _histories(self) -> Iterator[Place]:
        """Shell histories at the places where the shells write them by default, and at HISTFILE."""
        if self.env("HISTFILE"):
            yield Place("history", "shell", self.env("HISTFILE") or "", "HISTFILE")
        names = (
            ".bash_history",
            ".histfile",
            ".history",
            ".ksh_history",
            ".sh_history",
            ".zhistory",
            ".zsh_history",
        )
        for name in names:
            yield Place("history", "shell", self.at_home(name), "the shell's default")
        if self.env("ZDOTDIR"):
            for name in (".zsh_history", ".zhistory", ".histfile"):
                yield Place("history", "shell", self.join(self.env("ZDOTDIR") or "", name), "ZDOTDIR")
        share = [self.env("XDG_DATA_HOME"), self.at_home(".local", "share")]
        for base in filter(None, share):
            found_by = "the shell's default" if base == share[1] else "XDG_DATA_HOME"
            yield Place("history", "shell", self.join(base, "fish", "fish_history"), found_by)
        console = ("ConsoleHost_history.txt", "Visual Studio Code Host_history.txt")
        if self.windows:
            folders = [
                self.join(self.roaming(), "Microsoft", "Windows", "PowerShell", "PSReadLine"),
                self.join(self.roaming(), "Microsoft", "PowerShell", "PSReadLine"),
            ]
        else:
            folders = [self.join(base, "powershell", "PSReadLine") for base in share if base]
        for folder in folders:
            for name in console:
                yield Place("history", "shell", self.join(folder, name), "PowerShell's default")


_YAML_LINE = re.compile(r"""^([A-Za-z][A-Za-z0-9-]*):[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s#"'][^#\r\n]*))""", re.M)


def _flat_yaml(text: str | None) -> dict[str, str]:
    """The plain `key: value` lines at the top level of a YAML file; the last one of a key counts."""
    found = _YAML_LINE.finditer(text or "")
    return {match[1]: (match[2] or match[3] or match[4] or "").strip() for match in found}

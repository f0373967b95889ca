"""The places on a machine where Python's package managers leave traces, for one user.

Caches of pip, uv, Poetry, PDM and Pipenv; environments of tools (uv, pipx) and of projects that are kept apart (Poetry,
PDM, Pipenv, virtualenvwrapper); packages of this user and of every Python that is found (system, Homebrew, pyenv, asdf,
mise, uv, python.org, conda). The folder above `site-packages` is named, so that files which run at a start are told by
where they lie.
"""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pratique.targets.places import Machine, Place


def rules(machine: Machine) -> Iterator[Place]:
    """Every place by every rule, configured ones before defaults."""
    for rule in (_pip, _uv, _others, _pipx, _kept_apart, _user, _pythons, _conda):
        yield from rule(machine)


def _caches(machine: Machine, name: str, windows: tuple[str, ...]) -> list[tuple[str, str]]:
    """The folder of a program's cache by the rules of the platform: XDG's and its own default."""
    found = []
    if machine.windows:
        return [(machine.join(machine.local(), *windows), f"{name}'s default")]
    if machine.macos:
        found.append((machine.at_home("Library", "Caches", name), f"{name}'s default"))
    base = machine.env("XDG_CACHE_HOME")
    if base:
        found.append((machine.join(base, name), "XDG_CACHE_HOME"))
    if not machine.macos:
        found.append((machine.at_home(".cache", name), f"{name}'s default"))
    return found


def _data(machine: Machine, *parts: str) -> list[tuple[str, str]]:
    """A folder below the user's data, by XDG's rules."""
    base = machine.env("XDG_DATA_HOME")
    found = [(machine.join(base, *parts), "XDG_DATA_HOME")] if base else []
    return [*found, (machine.at_home(".local", "share", *parts), f"{parts[0]}'s default")]


def _pip(machine: Machine) -> Iterator[Place]:
    named = machine.env("PIP_CACHE_DIR")
    if named:
        yield machine.place("cache", "pip", named, "PIP_CACHE_DIR")
    if machine.windows:
        files = [machine.join(machine.roaming(), "pip", "pip.ini"), machine.at_home("pip", "pip.ini")]
    else:
        files = [machine.join(machine.xdg("XDG_CONFIG_HOME", ".config"), "pip", "pip.conf")]
        files += ["/etc/pip.conf", "/etc/xdg/pip/pip.conf"]
        files.append(machine.at_home(".pip", "pip.conf"))
        if machine.macos:
            files.append(machine.at_home("Library", "Application Support", "pip", "pip.conf"))
            files.append("/Library/Application Support/pip/pip.conf")
    configured = machine.absolute(machine.env("PIP_CONFIG_FILE") or "")
    for file in [*([configured] if configured else []), *files]:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(machine.look.text(file) or "")
        except (configparser.Error, ValueError):
            continue
        for section in parser.sections():
            path = machine.absolute(parser.get(section, "cache-dir", fallback="") or "")
            if path:
                yield machine.place("cache", "pip", path, "cache-dir in pip's configuration")
    for path, found_by in _caches(machine, "pip", ("pip", "Cache")):
        yield machine.place("cache", "pip", path, found_by)


def _uv(machine: Machine) -> Iterator[Place]:
    if machine.env("UV_CACHE_DIR"):
        yield machine.place("cache", "uv", machine.env("UV_CACHE_DIR") or "", "UV_CACHE_DIR")
    base = machine.roaming() if machine.windows else machine.xdg("XDG_CONFIG_HOME", ".config")
    try:
        settings = tomllib.loads(machine.look.text(machine.join(base, "uv", "uv.toml")) or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        settings = {}
    named = settings.get("cache-dir")
    path = machine.absolute(named) if isinstance(named, str) else None
    if path:
        yield machine.place("cache", "uv", path, "cache-dir in the user's uv.toml")
    if machine.windows:
        yield machine.place("cache", "uv", machine.join(machine.local(), "uv", "cache"), "uv's default")
    else:
        cache = machine.env("XDG_CACHE_HOME")
        if cache:
            yield machine.place("cache", "uv", machine.join(cache, "uv"), "XDG_CACHE_HOME")
        yield machine.place("cache", "uv", machine.at_home(".cache", "uv"), "uv's default")
    for variable, folder, kind in (
        ("UV_TOOL_DIR", "tools", "tool"),
        ("UV_PYTHON_INSTALL_DIR", "python", "global-root"),
    ):
        if machine.env(variable):
            yield machine.place(kind, "uv", machine.env(variable) or "", variable)
        if machine.windows:
            for parts in (("uv", folder), ("uv", "data", folder)):
                yield machine.place(kind, "uv", machine.join(machine.roaming(), *parts), "uv's default")
        else:
            for path, found_by in _data(machine, "uv", folder):
                yield machine.place(kind, "uv", path, found_by)


def _others(machine: Machine) -> Iterator[Place]:
    """The caches of Poetry, PDM and Pipenv."""
    for manager, variable, name, windows in (
        ("poetry", "POETRY_CACHE_DIR", "pypoetry", ("pypoetry", "Cache")),
        ("pdm", "PDM_CACHE_DIR", "pdm", ("pdm", "pdm", "Cache")),
        ("pipenv", "PIPENV_CACHE_DIR", "pipenv", ("pipenv", "pipenv", "Cache")),
    ):
        if machine.env(variable):
            yield machine.place("cache", manager, machine.env(variable) or "", variable)
        for path, found_by in _caches(machine, name, windows):
            yield machine.place("cache", manager, path, found_by)


def _pipx(machine: Machine) -> Iterator[Place]:
    if machine.env("PIPX_HOME"):
        yield machine.place("tool", "pipx", machine.env("PIPX_HOME") or "", "PIPX_HOME")
    if machine.windows:
        folders = [(machine.at_home("pipx"), "pipx's default")]
        folders.append((machine.join(machine.local(), "pipx", "pipx"), "pipx's default before 1.5"))
    else:
        folders = _data(machine, "pipx")
        folders.append((machine.at_home(".local", "pipx"), "pipx's default before 1.2"))
        if machine.macos:
            folders.append((machine.at_home("Library", "Application Support", "pipx"), "pipx's default on macOS"))
    for path, found_by in folders:
        yield machine.place("tool", "pipx", path, found_by)


def _kept_apart(machine: Machine) -> Iterator[Place]:
    """Environments that lie apart from their projects."""
    if machine.env("WORKON_HOME"):
        yield machine.place("tool", "virtualenv", machine.env("WORKON_HOME") or "", "WORKON_HOME")
    yield machine.place("tool", "virtualenv", machine.at_home(".virtualenvs"), "virtualenvwrapper's default")
    if machine.windows:
        yield machine.place("tool", "pdm", machine.join(machine.local(), "pdm", "pdm", "venvs"), "pdm's default")
        return
    for path, found_by in _data(machine, "virtualenvs"):
        yield machine.place("tool", "pipenv", path, found_by)
    for path, found_by in _data(machine, "pdm", "venvs"):
        yield machine.place("tool", "pdm", path, found_by)
    if machine.macos:
        venvs = machine.at_home("Library", "Application Support", "pdm", "venvs")
        yield machine.place("tool", "pdm", venvs, "pdm's default on macOS")


def _user(machine: Machine) -> Iterator[Place]:
    """Packages that this user installed for himself."""
    base = machine.env("PYTHONUSERBASE")
    if machine.windows:
        for root, found_by in (
            (base, "PYTHONUSERBASE"),
            (machine.join(machine.roaming(), "Python"), "Python's default"),
        ):
            for path in machine.below(root or "", prefix="Python") if root else ():
                yield machine.place("global-root", "pip", path, found_by)
        return
    bases = [(base, "PYTHONUSERBASE"), (machine.at_home(".local"), "Python's default")]
    if machine.macos:
        for path in machine.below(machine.at_home("Library", "Python")):
            yield machine.place("global-root", "pip", machine.join(path, "lib"), "Python's default on macOS")
    for root, found_by in bases:
        if root:
            for path in _libraries(machine, root):
                yield machine.place("global-root", "pip", path, found_by)


def _pythons(machine: Machine) -> Iterator[Place]:
    """Packages of every Python that is found."""
    if machine.windows:
        roots = [(machine.join(machine.local(), "Programs", "Python"), "Python's installer")]
        for variable in ("ProgramFiles", "ProgramFiles(x86)"):
            folder = machine.env(variable)
            if folder:
                roots.append((folder, "Python's installer"))
        roots.append((machine.at_home(".pyenv", "pyenv-win", "versions"), "pyenv"))
        for root, found_by in roots:
            for path in machine.below(root, prefix="" if found_by == "pyenv" else "Python"):
                yield machine.place("global-root", "pip", machine.join(path, "Lib"), found_by)
        return
    prefixes = [("/usr", "usual prefix"), ("/usr/local", "usual prefix")]
    if machine.env("HOMEBREW_PREFIX"):
        prefixes.append((machine.env("HOMEBREW_PREFIX") or "", "HOMEBREW_PREFIX"))
    if machine.macos:
        prefixes.append(("/opt/homebrew", "Homebrew's default"))
        for path in machine.below("/Library/Frameworks/Python.framework/Versions"):
            prefixes.append((path, "python.org's installer"))
    else:
        prefixes.append(("/home/linuxbrew/.linuxbrew", "Homebrew's default"))
    for tool, variable, folder, tail in (
        ("pyenv", "PYENV_ROOT", machine.at_home(".pyenv"), ("versions",)),
        ("asdf", "ASDF_DATA_DIR", machine.at_home(".asdf"), ("installs", "python")),
        (
            "mise",
            "MISE_DATA_DIR",
            machine.join(machine.xdg("XDG_DATA_HOME", ".local", "share"), "mise"),
            ("installs", "python"),
        ),
    ):
        for root in dict.fromkeys([machine.env(variable) or folder, folder]):
            prefixes += [(path, tool) for path in machine.below(machine.join(root, *tail))]
    for prefix, found_by in prefixes:
        for path in _libraries(machine, prefix):
            yield machine.place("global-root", "pip", path, found_by)


def _libraries(machine: Machine, prefix: str) -> Iterator[str]:
    """The folders of each Python below a prefix; some systems keep what is compiled in `lib64`."""
    for folder in ("lib", "lib64"):
        yield from machine.below(machine.join(prefix, folder), prefix="python")


def _conda(machine: Machine) -> Iterator[Place]:
    """conda's own folders, and every environment that it lists."""
    found: list[tuple[str, str]] = []
    for variable in ("CONDA_PREFIX", "MAMBA_ROOT_PREFIX"):
        if machine.env(variable):
            found.append((machine.env(variable) or "", variable))
    listed = machine.look.text(machine.at_home(".conda", "environments.txt")) or ""
    roots = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba")
    bases = [machine.home] if machine.windows else [machine.home, "/opt"]
    if machine.windows and machine.env("ProgramData"):
        bases.append(machine.env("ProgramData") or "")
    found += [(machine.join(base, name), "conda's default") for base in bases for name in roots]
    found.append((machine.at_home(".conda"), "conda's default"))
    if machine.macos:
        found.append(("/opt/homebrew/Caskroom/miniconda/base", "Homebrew's default"))
    found += [(line.strip(), "conda's list of environments") for line in listed.splitlines() if line.strip()]
    for path, found_by in found:
        yield machine.place("global-root", "conda", path, found_by)

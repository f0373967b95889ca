"""The node, npm, python and pip of this machine's PATH: what of them a sandbox needs to see, and nothing beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import msgspec

_SECONDS = 20
_ASK_PYTHON = """
import importlib.util, json, os, sys, sysconfig
own = sys._base_executable if sys.prefix != sys.base_prefix else sys.executable
print(json.dumps({
    "program": os.path.realpath(own), "version": list(sys.version_info[:3]), "prefix": sys.base_prefix,
    "library": sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix, "base": sys.base_prefix}),
    "modules": None if sys.prefix != sys.base_prefix else
        [bool(importlib.util.find_spec(name)) for name in ("pip", "setuptools")],
}))
"""
_ASK_MODULES = """
import importlib.util, json
print(json.dumps([bool(importlib.util.find_spec(name)) for name in ("pip", "setuptools")]))
"""


class Toolchain(msgspec.Struct, frozen=True):
    """What runs packages of one kind. `programs` are paths to show in a sandbox, `links` names there.

    `version` is that of npm or of Python. `builds`: whether source archives can be built, for lack of which `reason`.
    """

    program: str
    version: tuple[int, ...]
    programs: tuple[str, ...]
    links: dict[str, str]
    builds: bool = True


class NoToolchainError(Exception):
    """There is none that can be used here, and why."""


def node() -> Toolchain:
    """The Node.js and npm that PATH names. Raises NoToolchainError."""
    found = shutil.which("node")
    if found is None:
        raise NoToolchainError("node is not on PATH")
    program = os.path.realpath(found)
    if not _is_program(program):
        program = _asked([found, "-p", "process.execPath"]).strip()
        if not os.path.isabs(program) or not _is_program(program):
            raise NoToolchainError(f"{found} does not say which program it starts")
    npm = _npm_folder(program)
    if npm is None:
        raise NoToolchainError("npm is not on PATH, and none lies beside node")
    with open(os.path.join(npm, "package.json"), "rb") as file:
        version = json.load(file).get("version", "")
    numbers = tuple(int(part) for part in re.findall(r"\d+", str(version))[:3])
    headers = os.path.join(os.path.dirname(os.path.dirname(program)), "include", "node")
    shown = (program, npm, headers) if os.path.isfile(os.path.join(headers, "node_version.h")) else (program, npm)
    links = {"/opt/bin/node": program, "/opt/bin/npm": f"{npm}/bin/npm-cli.js", "/opt/bin/npx": f"{npm}/bin/npx-cli.js"}
    if not os.path.exists("/usr/bin/python3") and shutil.which("python3"):
        # Builds of native parts want one, and so do many droppers.
        beside = python()
        shown, links = (*shown, *beside.programs), links | beside.links
    return Toolchain("/opt/bin/node", numbers, shown, links)


def _npm_folder(program: str) -> str | None:
    """The folder of npm: where PATH's npm is a link to, else beside node."""
    found = shutil.which("npm")
    script = os.path.realpath(found) if found else ""
    places = [os.path.dirname(os.path.dirname(script))] if script.endswith("/bin/npm-cli.js") else []
    places.append(os.path.join(os.path.dirname(os.path.dirname(program)), "lib", "node_modules", "npm"))
    return next((one for one in places if os.path.isfile(os.path.join(one, "bin", "npm-cli.js"))), None)


def python() -> Toolchain:
    """The Python that PATH names, that below a virtual environment where it is one, with its pip.

    Raises NoToolchainError.
    """
    found = shutil.which("python3") or shutil.which("python")
    if found is None:
        raise NoToolchainError("python3 is not on PATH")
    try:
        about = json.loads(_asked([found, "-I", "-c", _ASK_PYTHON]))
        program, prefix, library = str(about["program"]), str(about["prefix"]), str(about["library"])
        numbers = tuple(int(one) for one in about["version"])
        with_pip, builds = about["modules"] or json.loads(_asked([program, "-I", "-c", _ASK_MODULES]))
    except (ValueError, KeyError, TypeError):
        raise NoToolchainError(f"{found} does not say where it lies") from None
    if not with_pip:
        raise NoToolchainError(f"{program} has no pip: install it (python3 -m ensurepip, or the package python3-pip)")
    programs = [program, library]
    short = f"python{numbers[0]}.{numbers[1]}"
    for folder in (os.path.join(prefix, "lib"), os.path.join(prefix, "lib64")):
        if os.path.isdir(folder):
            programs += [entry.path for entry in os.scandir(folder) if entry.name.startswith(f"lib{short}")]
    links = {f"/opt/bin/{name}": program for name in ("python", "python3", short)}
    return Toolchain("/opt/bin/python3", numbers, tuple(dict.fromkeys(programs)), links, bool(builds))


def _asked(words: list[str]) -> str:
    """What a program of the user's own prints. Raises NoToolchainError."""
    try:
        done = subprocess.run(words, capture_output=True, timeout=_SECONDS, check=False, cwd="/")  # noqa: S603  their own
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoToolchainError(f"{words[0]} cannot be asked: {error}") from None
    if done.returncode:
        raise NoToolchainError(f"{words[0]} cannot be asked: it ended with {done.returncode}")
    return done.stdout.decode("utf-8", "replace")


def _is_program(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False

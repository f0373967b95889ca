"""A shell for packages' scripts from which programs start in some folders alone (Landlock, Linux 5.13 and later).

Started by a package manager as its `script-shell`, in place of `sh`, with what it would hand to that. Reads a list of
folders, lets the kernel execute files below them and nowhere else, for itself and all that it starts, and becomes the
real shell. It stands alone: it is run by its path, isolated, and imports nothing of the program.

Source of numbers and structures: linux/landlock.h; the calls have the same numbers on every machine.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import struct
import sys
from collections.abc import Iterable, Mapping

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE = 1
_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38
FAILED = 126
MANAGERS = ("npm_execpath", "npm_node_execpath", "npm_config_node_gyp")
"""Variables by which npm and pnpm tell a script where they, their Node and their node-gyp are."""


def version() -> int:
    """The version of Landlock that the kernel has switched on; 0 where it has none."""
    libc = ctypes.CDLL(None, use_errno=True)
    found: int = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    return max(found, 0)


def restrict(folders: Iterable[str]) -> None:
    """Let this process, and all that it starts, execute files below these folders alone. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    handled = ctypes.create_string_buffer(struct.pack("=Q", EXECUTE))
    ruleset = libc.syscall(CREATE_RULESET, handled, ctypes.c_size_t(8), ctypes.c_uint32(0))
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "no rules for programs can be made")
    try:
        for folder in folders:
            try:
                descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # what is not there holds no program
            try:
                rule = ctypes.create_string_buffer(struct.pack("=Qi", EXECUTE, descriptor))
                if libc.syscall(ADD_RULE, ruleset, _PATH_BENEATH, rule, ctypes.c_uint32(0)) != 0:
                    raise OSError(ctypes.get_errno(), f"{folder} cannot be ruled")
            finally:
                os.close(descriptor)
        if libc.prctl(_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "no_new_privs")
        if libc.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint32(0)) != 0 and ctypes.get_errno() != errno.E2BIG:
            # E2BIG: sixteen rules are in force already, one for each script within a script; they hold this one too.
            raise OSError(ctypes.get_errno(), "the rules cannot be put in force")
    finally:
        os.close(ruleset)


def own_folder(folder: str, never: Iterable[str], programs: Iterable[str] = ()) -> str:
    """The folder of the package or tree that a script is started in; empty where that is too wide to be one.

    `never`: folders that are none, nor any that lies above one, links followed. Within one of `programs`, where
    programs are installed for all, it is the package's folder alone.
    """
    folder = os.path.realpath(folder)
    wide = {os.path.realpath(one) for one in never}
    head, found, _ = folder.partition("/node_modules/")
    places = [head, f"{head}/node_modules"] if found else [folder]
    if found and any((head + "/").startswith(one.rstrip("/") + "/") for one in programs):
        names = folder.partition("/node_modules/")[2].split("/")
        places = ["/".join((head, "node_modules", *names[: 2 if names[0].startswith("@") else 1]))]
    for place in places:
        if place and not any(one == place or one.startswith(place.rstrip("/") + "/") for one in wide):
            return place
    return ""


def manager_folders(environment: Mapping[str, str], never: Iterable[str]) -> list[str]:
    """Where the package manager that starts a script is installed, as it tells it; none of `never`, nor above one."""
    wide = {os.path.realpath(one) for one in never}
    found = []
    for name in MANAGERS:
        program = os.path.realpath(environment.get(name) or "/")
        head, within, _ = program.partition("/node_modules/")
        place = f"{head}/node_modules" if within else os.path.dirname(program)
        if os.path.basename(place) == "bin":
            place = os.path.dirname(place)
        if not any((one + "/").startswith(place.rstrip("/") + "/") for one in wide):
            found.append(place)
    return found


def is_own(environment: Mapping[str, str], folder: str, project: str, steps: Iterable[str]) -> bool:
    """Whether a script is the user's: one of the project or its workspaces that no installation runs by itself."""
    place = environment.get("npm_package_json", "").removesuffix("/package.json") or folder
    within = (place.rstrip("/") + "/").startswith(project.rstrip("/") + "/") and "/node_modules/" not in place
    step = environment.get("npm_lifecycle_event", "")
    return bool(step) and within and step not in steps


def main() -> None:
    """Put the rules in force and become the shell: the list's path, then what the package manager hands over."""
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    try:
        if not is_own(os.environ, os.getcwd(), given["project"], given["steps"]):
            own = own_folder(os.getcwd(), given["never"])
            restrict([*given["folders"], *([own] if own else []), *manager_folders(os.environ, given["never"])])
    except OSError as error:
        sys.stderr.write(f"pratique: programs cannot be kept to folders here, so the script is not run: {error}\n")
        sys.exit(FAILED)
    shell = given["shell"]
    os.execvp(shell, [shell, *sys.argv[2:]])  # noqa: S606  the shell of the package manager


if __name__ == "__main__":
    main()

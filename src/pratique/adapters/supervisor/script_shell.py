"""A shell for lifecycle scripts from which programs start in some folders alone (Landlock, Linux 5.13 and later).

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
from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE = 1
_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38
FAILED = 126


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


def main() -> None:
    """Put the rules in force and become the shell: the list's path, then what the package manager hands over."""
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    try:
        restrict(given["folders"])
    except OSError as error:
        sys.stderr.write(f"pratique: programs cannot be kept to folders here, so the script is not run: {error}\n")
        sys.exit(FAILED)
    shell = given["shell"]
    os.execvp(shell, [shell, *sys.argv[2:]])  # noqa: S606  the shell of the package manager


if __name__ == "__main__":
    main()

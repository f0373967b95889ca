"""The unit of systemd that runs a watch: printed, never installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pratique.casefile.keys import place
from pratique.model.errors import UsageError

_SYSTEM = """\
Nice=-5
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=no
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
CapabilityBoundingSet=CAP_NET_ADMIN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH
"""
_USER = """\
NoNewPrivileges=yes
LockPersonality=yes
"""


def unit(
    arguments: Sequence[str],
    *,
    user: bool = False,
    writable: Sequence[str] = (),
    case: bool = False,
    key: Path | None = None,
) -> str:
    """The text of a service that runs `pratique watch` with these arguments, for the system or for one user.

    `writable` are folders that it must be able to write: of the case and the state. With `case`, the folder of its key
    is one too, in which the last entry is noted. Raises UsageError where a value cannot stand in a unit.
    """
    folders = [*writable, *([str(place("", key).parent)] if case else [])]
    words = [sys.executable, "-I", "-m", "pratique", "watch", *arguments]
    start = " ".join(_quoted(word) for word in words)
    places = "".join(f"ReadWritePaths={_quoted(os.path.abspath(one))}\n" for one in folders)
    return (
        "[Unit]\n"
        "Description=Watch for what comes back after a package compromise\n\n"
        "[Service]\n"
        "Type=exec\n"
        f"ExecStart={start}\n"
        "Restart=on-failure\n"
        "RestartSec=10\n"
        "MemoryMax=128M\n"
        "CPUQuota=50%\n"
        f"{_USER if user else _SYSTEM}"
        f"{'' if user else places}\n"
        "[Install]\n"
        f"WantedBy={'default.target' if user else 'multi-user.target'}\n"
    )


def _quoted(word: str) -> str:
    """A word of ExecStart as systemd.service(5) wants it: `%` and `$` doubled, quotes where they are needed."""
    if any(ord(sign) < 32 for sign in word):
        raise UsageError("a unit cannot hold this", where=repr(word)[:80], advice="Leave out line ends and tabs")
    word = word.replace("%", "%%").replace("$", "$$")
    if word and not set(word) & set(" \"'\\;"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

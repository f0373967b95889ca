"""What a watch could see here, found out by trying it: each means is used for a moment and let go."""

from __future__ import annotations

import os

from pratique.adapters.watcher.connector import Connector
from pratique.adapters.watcher.folders import Folders
from pratique.adapters.watcher.lookout import unusable
from pratique.adapters.watcher.sockets import MOST_SPACES


def means() -> list[tuple[bool, str]]:
    """Sentences on the means of a watch, each with whether it is the better of two."""
    reason = unusable()
    if reason:
        return [(False, f"nothing can be watched here: {reason}")]
    found = []
    try:
        Connector().close()
        found.append((True, "watch: the kernel tells of every process that begins"))
    except OSError as error:
        said = (error.strerror or type(error).__name__).lower()
        found.append((False, f"watch: processes are seen every 250 ms, short ones are missed: {said}"))
    try:
        folders = Folders()
        folders.want(["/"])
        told = not folders.left
        folders.close()
    except OSError:
        told = False
    words = "told by the kernel" if told else "looked for every 30 s: the kernel tells none"
    found.append((told, f"watch: changes in places of what starts by itself are {words}"))
    try:
        os.readlink("/proc/1/ns/net")
        found.append((True, f"watch: connections of all accounts are seen, in up to {MOST_SPACES} namespaces more"))
    except OSError:
        found.append((False, "watch: programs and connections of this account alone are seen whole"))
    return found

"""Whether files of installed Python distributions that a build changed are still what their RECORD says.

RECORD lists the installed files with their digests (PyPA, "Recording installed projects"). It is written by whoever
installs; a build that changes an installed file changes no RECORD, or changes two files.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator

from pratique.adapters.supervisor.reading import plain_file
from pratique.model.event import Cause, Event, EventKind

MOST_CHANGED = 1000
MOST_FILE = 64 << 20
_SITE = re.compile(r"^(.*/(?:site|dist)-packages)/(.+)$")
_KINDS = ("file.write", "file.delete", "file.rename")


class Records:
    """Files of distributions that builds of others have changed, by the folder they are installed in."""

    def __init__(self) -> None:
        self._changed: dict[str, dict[str, Cause]] = {}
        self._number = 0

    def happened(self, event: Event) -> None:
        """Note a file below `site-packages` that a build changed."""
        cause = event.cause
        if event.kind not in _KINDS or cause is None or cause.ecosystem != "PyPI" or event.outcome == "denied":
            return
        for path in {event.path, event.target}:
            found = _SITE.match(path)
            if found is not None and self._number < MOST_CHANGED:
                self._changed.setdefault(found[1], {}).setdefault(found[2], cause)
                self._number += 1

    def differences(self) -> Iterator[tuple[EventKind, str, str, str, Cause]]:
        """Each such file that is missing or other than its RECORD says: kind, path, digests before and after, cause."""
        for site, changed in self._changed.items():
            stated = _stated(site)
            for inner, cause in changed.items():
                before = stated.get(inner, "")
                if not before:
                    continue
                path = os.path.join(site, inner)
                after = _digest(path)
                if after is None:
                    yield "integrity.missing", path, before, "", cause
                elif after != before:
                    yield "integrity.changed", path, before, after, cause

    def covered(self) -> str:
        """What was compared, in words; empty where no build changed anything installed."""
        sites = [one for one in self._changed if os.path.isdir(one)]
        files = sum(len(self._changed[one]) for one in sites)
        return f"{files} installed files that builds changed compared with RECORD" if sites else ""


def _stated(site: str) -> dict[str, str]:
    """The digests that the records of a folder state, by path."""
    from pratique.readers.pypi.record import listed  # what no run needs in which no build changed anything

    found: dict[str, str] = {}
    try:
        names = sorted(one for one in os.listdir(site) if one.endswith(".dist-info"))
    except OSError:
        return found
    for name in names:
        try:
            rows, _ = listed(plain_file(os.path.join(site, name, "RECORD"), MOST_FILE).decode("utf-8", "replace"))
        except OSError:
            continue
        found.update((path, digest.removeprefix("sha256:")) for path, digest in rows if digest)
    return found


def _digest(path: str) -> str | None:
    """The SHA-256 of a file; None where it is not there, or is no plain file."""
    try:
        return hashlib.sha256(plain_file(path, MOST_FILE)).hexdigest()
    except OSError:
        return None

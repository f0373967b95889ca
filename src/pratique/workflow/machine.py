"""The places of this user on this machine: what is examined where no target is named."""

from __future__ import annotations

import os
import sys

from pratique.model.errors import TargetError
from pratique.targets.places import Platform, survey
from pratique.workflow.check import TargetSpec

_PLATFORMS: dict[str, Platform] = {"win32": "windows", "cygwin": "windows", "darwin": "macos"}


def platform() -> Platform:
    """The name of this platform as the rules of package managers know it."""
    return _PLATFORMS.get(sys.platform, "linux")


def home() -> str | None:
    """The home folder of this user; None where nothing says which it is, as in a container without accounts."""
    found = os.path.expanduser("~")
    return found if os.path.isabs(found) else None


def this_user() -> list[TargetSpec]:
    """Caches, stores, global trees, logs and shell histories of this user, as targets. Nothing is started.

    Raises TargetError where this user has no home folder.
    """
    folder = home()
    if folder is None:
        raise TargetError("this user has no home folder here", advice="Name the folders to examine")
    found = survey(dict(os.environ), folder, platform())
    specs = []
    for place in found.places:
        kind = "place" if os.path.isdir(place.path) or not os.path.lexists(place.path) else "file"
        specs.append(TargetSpec(os.path.realpath(place.path), kind, place.kind))  # type: ignore[arg-type]
    return specs

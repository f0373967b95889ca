"""The places of this user on this machine: what is examined where no target is named."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pratique.adapters import machine
from pratique.model.errors import TargetError
from pratique.workflow.request import TargetSpec

if TYPE_CHECKING:
    from pratique.targets.places import Place, Platform

_PLATFORMS: dict[str, Platform] = {"win32": "windows", "cygwin": "windows", "darwin": "macos"}


def platform_name() -> Platform:
    """The platform whose rules of places hold here."""
    return _PLATFORMS.get(sys.platform, "linux")


def places() -> tuple[Place, ...]:
    """Caches, stores, global trees, logs and shell histories of this user that exist. Nothing is started.

    Raises TargetError where this user has no home folder.
    """
    from pratique.targets.places import survey

    folder = machine.home()
    if folder is None:
        raise TargetError("this user has no home folder here", advice="Name the folders to examine")
    return survey(dict(os.environ), folder, platform_name()).places


def this_user() -> list[TargetSpec]:
    """The same as targets, and the machine itself. Raises TargetError where this user has no home folder."""
    from pratique.workflow.host import host_target

    specs = []
    for place in places():
        kind = "place" if os.path.isdir(place.path) or not os.path.lexists(place.path) else "file"
        specs.append(TargetSpec(os.path.realpath(place.path), kind, place.kind))  # type: ignore[arg-type]  # one of the two kinds
    return [*specs, host_target()]

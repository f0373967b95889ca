"""Where files of a run come from: what packages' scripts wrote, what their manager wrote, where programs start from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from pratique.adapters.supervisor.script_shell import manager_folders, own_folder
from pratique.adapters.supervisor.tree import Known
from pratique.model.supervision import Denials


class Origins:
    """The files of one run. `wrote` says whether a path was written in it; `began` when it began (seconds since 1970).

    `places` are the folders of packages whose scripts ran; `theirs` is what scripts wrote, beneath `moved` too;
    `carried` are folders that others moved, with their former names; `managers` is where package managers lie.
    """

    def __init__(self, denials: Denials, wrote: Callable[[str], bool], began: float) -> None:
        self.denials = denials
        self.wrote = wrote
        self.began = began
        self.places: set[str] = set()
        self.theirs: set[str] = set()
        self.moved: list[str] = []
        self.carried: list[tuple[str, str]] = []
        self.managers: set[str] = set()

    def is_dropped(self, real: str, found: os.stat_result) -> bool:
        """Whether a file was dropped in this run, where what is dropped may not be executed.

        A package's own folder may be built and run, and so may what the package manager wrote: pip and uv put the tools
        of a build into temporary folders. By who wrote it, not by name: a script can make a folder of any name.
        """
        if not self.denials.dropped or not self.denials.watches(real):
            return False
        if within(real, self.places):
            return False
        known = self.wrote(real)
        if not known and found.st_ctime < self.began:
            return False
        if real in self.theirs or within(real, self.moved):
            return True
        if known:
            return False
        # What lies in a folder that the manager itself has moved was written under the former name.
        former = [before + real[len(after) :] for after, before in self.carried if real.startswith(after + "/")]
        return not any(self.wrote(one) and one not in self.theirs and not within(one, self.moved) for one in former)

    def begins(self, folder: str) -> None:
        """A script of a package begins in its folder, which the package manager chose."""
        place = own_folder(folder, self.denials.never, self.denials.programs) if self.denials.dropped else ""
        if place:
            self.places.add(place)

    def holds_to(self, folder: str, environment: Mapping[str, str], project: str) -> tuple[str, ...]:
        """The folders that a script shell allows beside those of the run: of the package, and of its manager."""
        managers = manager_folders(environment, self.denials.never)
        self.managers |= {one for one in managers if not (one + "/").startswith(project.rstrip("/") + "/")}
        own = own_folder(folder, self.denials.never)
        return (*managers, *([own] if own else []))

    def is_outside(self, known: Known, real: str) -> bool:
        """Whether the kernel refuses a program, because it lies where none may start."""
        if known.held is None:
            return False
        place = real
        while place not in ("", "/"):
            if place in self.denials.granted or place in known.held:
                return False
            place = os.path.dirname(place)
        return True


def within(path: str, folders: Iterable[str]) -> bool:
    """Whether a path lies below one of some folders."""
    return any(path.startswith(one + "/") for one in folders)

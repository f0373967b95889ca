"""Who claims which file: by its name, by its suffix, by the folders above it.

A walk asks piece by piece as it meets folders; a container (an archive, a layer, a history) asks for whole paths with
`Dispatch.at`. Both give the same answer for the same path, which a test holds.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from pratique.model.ports import ARCHIVE, EVERYTHING, Claimant

ARCHIVES = Claimant(
    key=ARCHIVE,
    basenames=(),
    prefixes=(),
    suffixes=(
        ".tgz",
        ".tar",
        ".tar.gz",
        ".tar.bz2",
        ".tar.xz",
        ".tar.zst",
        ".zip",
        ".whl",
        ".egg",
        ".vsix",
        ".asar",
        ".conda",
    ),
    folders=(),
    limit=0,
)
"""Files that are opened as archives, where no reader claims them as they are."""

_REMEMBERED = 1 << 16
"""So many folders are kept in mind while whole paths are asked for."""


class Dispatch:
    """The claims of all readers, laid out so that the walk asks one dictionary for a name."""

    def __init__(
        self,
        claimants: Sequence[Claimant],
        skipped: dict[str, tuple[tuple[str, ...], ...]],
        *,
        archives: bool = True,
    ) -> None:
        self.by_name: dict[str, tuple[Claimant, ...]] = {}
        self.by_suffix: list[Claimant] = []
        self.folders: dict[str, list[tuple[tuple[str, ...], Claimant | str]]] = {}
        self.claimants: dict[int, Claimant] = {claimant.key: claimant for claimant in claimants}
        for claimant in claimants:
            for name in claimant.basenames:
                self.by_name[name] = (*self.by_name.get(name, ()), claimant)
            for marker in claimant.folders:
                self.folders.setdefault(marker[-1], []).append((marker, claimant))
            if claimant.suffixes and not claimant.folders:
                self.by_suffix.append(claimant)
            for name in claimant.outside:
                self.folders.setdefault(name, [])
        for rule, markers in skipped.items():
            for marker in markers:
                self.folders.setdefault(marker[-1], []).append((marker, rule))
        self.archives = archives
        if archives:
            self.by_suffix.append(ARCHIVES)
        self.outside = frozenset(name for claimant in claimants for name in claimant.outside)
        endings = frozenset(suffix[-3:] for claimant in self.by_suffix for suffix in claimant.suffixes)
        self.endings: Container[str] = EVERYTHING if "" in endings else endings
        self._below: dict[str, tuple[int, ...] | None] = {"": ()}

    def enter(self, path: str, name: str, inherited: tuple[int, ...]) -> tuple[int, ...] | str:
        """Claims inside the folder `name` of `path` (empty or with a trailing slash); a rule that leaves it out."""
        parents: list[str] | None = None
        if name in self.outside and inherited:
            inherited = tuple(key for key in inherited if name not in self.claimants[key].outside)
        for marker, row in self.folders[name]:
            if len(marker) > 1:
                if parents is None:
                    parents = (path + name).split("/")
                if tuple(parents[-len(marker) :]) != marker:
                    continue
            if isinstance(row, str):
                return row
            if row.outside and any(f"/{other}/" in f"/{path}" for other in row.outside):
                continue
            if row.key not in inherited:
                inherited = (*inherited, row.key)
        return inherited

    def suffixed(self, path: str, name: str, *, taken: bool = False) -> list[Claimant]:
        """Claims by suffix anywhere; an archive is opened only where nobody else takes it (`taken`).

        The empty suffix is any file that nobody else takes, archives included.
        """
        found = [
            claimant
            for claimant in self.by_suffix
            if name.endswith(claimant.suffixes)
            and name.startswith(claimant.prefixes or "")
            and not (claimant.outside and any(f"/{other}/" in f"/{path}" for other in claimant.outside))
        ]
        if len(found) > 1 or (taken and found):
            named = [claimant for claimant in found if "" not in claimant.suffixes]
            if named or taken:
                found = named
        if len(found) > 1 or (taken and found):
            found = [claimant for claimant in found if claimant is not ARCHIVES]
        return found

    def inherited(self, keys: tuple[int, ...], path: str, name: str) -> list[Claimant]:
        """Claims of a file that lies below marked folders, and claims by suffix."""
        found = []
        for key in keys:
            claimant = self.claimants[key]
            if not claimant.basenames and (not claimant.suffixes or name.endswith(claimant.suffixes)):
                found.append(claimant)
        if name[-3:] in self.endings:
            found += self.suffixed(path, name, taken=bool(found))
        return found

    def at(self, path: str) -> Sequence[Claimant]:
        """Who claims the file at a whole path; nobody below a folder that a rule leaves out."""
        cut = path.rfind("/") + 1
        folder, name = path[:cut], path[cut:]
        below = self._inherits(folder)
        if below is None:
            return ()
        if name in self.by_name:
            return [claimant for claimant in self.by_name[name] if holds(claimant, folder)]
        if below:
            return self.inherited(below, folder, name)
        return self.suffixed(folder, name) if name[-3:] in self.endings else ()

    def _inherits(self, folder: str) -> tuple[int, ...] | None:
        """What the files of a folder inherit; None where a rule leaves the folder, or one above it, out."""
        known = self._below
        if folder in known:
            return known[folder]
        parent = folder[: folder.rfind("/", 0, -1) + 1]
        above = self._inherits_iteratively(parent) if parent not in known else known[parent]
        if above is None:
            below: tuple[int, ...] | None = None
        else:
            name = folder[len(parent) : -1]
            entered = self.enter(parent, name, above) if name in self.folders else above
            below = None if isinstance(entered, str) else entered
        if len(known) >= _REMEMBERED:
            known.clear()
            known[""] = ()
        known[folder] = below
        return below

    def _inherits_iteratively(self, folder: str) -> tuple[int, ...] | None:
        """The same for a folder whose parents may be unknown: from the top down, so that depth costs no stack."""
        below: tuple[int, ...] | None = ()
        position = 0
        while True:
            cut = folder.find("/", position)
            if cut < 0:
                return below
            part = folder[: cut + 1]
            if part in self._below:
                below = self._below[part]
            elif below is not None:
                name = folder[position:cut]
                if name in self.folders:
                    entered = self.enter(folder[:position], name, below)
                    below = None if isinstance(entered, str) else entered
            position = cut + 1


def holds(claimant: Claimant, folder: str) -> bool:
    """Whether a claim by name holds in a folder (empty or with a trailing slash)."""
    if claimant.outside and any(f"/{other}/" in f"/{folder}" for other in claimant.outside):
        return False
    return not claimant.folders or lies_below(folder, claimant.folders)


def lies_below(folder: str, markers: tuple[tuple[str, ...], ...]) -> bool:
    """Whether a folder lies in or below a marked one."""
    parents = folder.rstrip("/").split("/")
    return any(
        tuple(parents[index : index + len(marker)]) == marker for marker in markers for index in range(len(parents))
    )

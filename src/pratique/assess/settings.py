"""Which package manager a project uses, which cooldown its configuration sets, and which versions it forces.

Settings count for their own folder and for those below it: the nearest file first, as package managers look for them.
They are those of now, not of the moment of an install.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from pratique.assess.exposure_by_range import Client
from pratique.assess.subjects import folder_of
from pratique.ecosystems.cooldowns import Cooldown, cooldown
from pratique.model.location import Location
from pratique.model.observation import Observation, PolicyFact, ProtectionFact

MANAGERS = {"npm": ("npm", "pnpm", "yarn", "bun"), "PyPI": ("pip", "uv")}
_OVERRIDES = {
    "npm": ("overrides",),
    "bun": ("overrides", "resolutions"),
    "pnpm": ("pnpm.overrides", "overrides", "resolutions"),
    "yarn": ("resolutions",),
}
"""Fields that each manager forces versions by. Of `overrides` pnpm reads that of pnpm-workspace.yaml alone."""
_SIGNS = {
    "pnpm-workspace": ("pnpm", "pnpm-workspace.yaml"),
    "pnpm-lock": ("pnpm", "pnpm-lock.yaml"),
    "yarn-lock": ("yarn", "yarn.lock"),
    "bun-lock": ("bun", "bun.lock"),
    "bun-lockb": ("bun", "bun.lockb"),
    "bunfig": ("bun", "bunfig.toml"),
    "package-lock": ("npm", "package-lock.json"),
}
"""Readers whose files only one manager uses."""


class Named(msgspec.Struct, frozen=True):
    """A cooldown with the observations it rests on and the file it stands in; empty for a default."""

    cooldown: Cooldown
    observations: tuple[Observation, ...]
    place: str

    @property
    def shown(self) -> str:
        """The cooldown for people, with its file."""
        return f"{self.cooldown.shown} ({self.place})" if self.place else self.cooldown.shown


class Settings:
    """The settings that were observed, by target and folder."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self._policies: dict[tuple[str, str], list[Observation]] = {}
        self._protections: dict[tuple[str, str], list[Observation]] = {}
        self._signs: dict[tuple[str, str], set[str]] = {}
        for item in observations:
            key = (item.location.target, folder_of(item.location))
            if item.reader in _SIGNS or item.reader == "uv-lock":
                self._signs.setdefault(key, set()).add(item.reader)
            if isinstance(item.facts, PolicyFact):
                self._policies.setdefault(key, []).append(item)
            elif isinstance(item.facts, ProtectionFact):
                self._protections.setdefault(key, []).append(item)

    def client(self, location: Location, ecosystem: str = "npm") -> Client:
        """The manager of a project: as its manifest names it, else as its files show, else npm (or pip), assumed."""
        if ecosystem == "PyPI":
            if any("uv-lock" in self._signs.get(key, ()) for key in _upwards(location)):
                return Client("uv", origin="uv.lock")
            for file in self._near(location):
                for item in file:
                    if isinstance(item.facts, PolicyFact) and item.facts.manager in MANAGERS["PyPI"]:
                        return Client(item.facts.manager, origin="its settings")
            return Client("pip")
        for file in self._near(location):
            for item in file:
                fact = item.facts
                if isinstance(fact, PolicyFact) and fact.setting == "packageManager" and fact.manager in _OVERRIDES:
                    version = numbers(fact.value)
                    lowest = fact.manager == "pnpm" and self._lowest(location)
                    return Client(fact.manager, version, "packageManager", lowest)
        for key in _upwards(location):
            for reader in sorted(self._signs.get(key, set()) & _SIGNS.keys()):
                manager, sign = _SIGNS[reader]
                return Client(manager, None, sign, manager == "pnpm" and self._lowest(location))
            for item in self._policies.get(key, ()):
                fact = item.facts
                if isinstance(fact, PolicyFact) and item.reader == "yarn-rc":
                    classic = item.location.path.endswith(".yarnrc")
                    return Client("yarn", (1,) if classic else None, ".yarnrc" if classic else ".yarnrc.yml")
        return Client("npm")

    def _lowest(self, location: Location) -> bool:
        """Whether pnpm takes the lowest versions of direct dependencies."""
        said = [
            item.facts.value
            for file in self._near(location)
            for item in file
            if isinstance(item.facts, PolicyFact) and item.facts.setting in ("resolutionMode", "resolution-mode")
        ]
        return bool(said) and said[0] in ("lowest-direct", "time-based")

    def cooldown(self, location: Location, client: Client) -> Named | None:
        """The cooldown that its own configuration sets for a project."""
        files = self._near(location)
        facts = [[item.facts for item in file if isinstance(item.facts, PolicyFact)] for file in files]
        found = cooldown(client.name, facts, client.version)
        if found is None:
            return None
        behind = tuple(
            item for file in files for item in file if item.facts is found.fact or item.facts in found.exemptions
        )
        place = next((item.location.path.rpartition("/")[2] for item in behind if item.facts is found.fact), "")
        return Named(found, behind, place)

    def forced(self, location: Location, name: str, client: Client) -> tuple[Observation, ProtectionFact] | None:
        """The protection that forces another version of a package on the whole project, where there is one."""
        fields = _OVERRIDES.get(client.name, ())
        for key in _upwards(location):
            for item in self._protections.get(key, ()):
                fact = item.facts
                if not isinstance(fact, ProtectionFact) or fact.name != name or fact.field not in fields:
                    continue
                if client.name == "pnpm" and fact.field == "overrides" and item.reader == "manifest":
                    continue
                if fact.selector == name and fact.forces:
                    return item, fact
        return None

    def _near(self, location: Location) -> list[list[Observation]]:
        """The policies of each file that counts for a project, the nearest file first."""
        found: list[list[Observation]] = []
        for key in _upwards(location):
            by_file: dict[str, list[Observation]] = {}
            for item in self._policies.get(key, ()):
                by_file.setdefault(item.location.path, []).append(item)
            found += [by_file[path] for path in sorted(by_file)]
        return found


def numbers(text: str) -> tuple[int, ...] | None:
    """The numbers of a manager's version; None where there are none."""
    match = re.match(r"\d{1,9}(?:\.\d{1,9}){0,2}", text)
    return tuple(map(int, match[0].split("."))) if match else None


def _upwards(location: Location) -> list[tuple[str, str]]:
    """Target and folder of a location, then of each folder above it, inside its archive where it lies in one."""
    folder = folder_of(location)
    base = folder.rpartition("!")[0] + "!" if "!" in folder else ""
    found = [(location.target, folder)]
    while folder.rstrip("/") and folder != base:
        folder = folder.rpartition("/")[0]
        if len(folder) < len(base):
            break
        found.append((location.target, folder))
    return found

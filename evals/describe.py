"""What a replica is: the words of `replica.toml`, read strictly.

A replica is data. It names a transition, and a recipe that is applied to an ordinary release: lines in a manifest, and
files made out of readable text by named steps. Nothing here runs what it describes.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

REPLICAS = Path(__file__).parent / "replicas"

Kind = Literal["A", "B", "C", "D", "E", "N"]
"""A hijacked release, B dependency that carries it, C throw-away package, D confusion, E evasion, N benign twin."""
Split = Literal["develop", "validate", "test"]
World = Literal["npm", "PyPI"]

DEVELOP_UNTIL = datetime.date(2025, 8, 31)
VALIDATE_UNTIL = datetime.date(2026, 3, 31)


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Readable text below `files/` and the steps that shape it, in order."""

    text: str
    steps: tuple[str, ...] = ()


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the new release. `inserts` fill `{{word}}` in the text before the steps are taken.

    `where`: `whole` writes the file, `start` and `end` add to the file that the base has, `before` puts the text in
    front of the first occurrence of `anchor`.
    """

    path: str
    text: str
    steps: tuple[str, ...] = ()
    inserts: dict[str, Part] = {}
    where: Literal["whole", "start", "end", "before"] = "whole"
    anchor: str = ""
    executable: bool = False


class Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of an npm manifest, at a path of keys."""

    at: tuple[str, ...]
    value: Any


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the registry states of one release; `mirror` in a package drops all of it but the time."""

    at: datetime.datetime
    publisher: str = "maintainer"
    address: str = "maintainer@project.example"
    trusted: bool = False
    provenance: bool = False
    head: bool = True


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Older releases, oldest first: the last of them at `last`, each `days` after the one before it."""

    versions: tuple[str, ...]
    last: datetime.datetime
    days: float = 30.0
    publisher: str = "maintainer"
    address: str = "maintainer@project.example"
    trusted: bool = False
    provenance: bool = False
    head: bool = True


class Sibling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another release of the same package around the time of this one, in the record alone."""

    version: str
    at: datetime.datetime


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One package of the local registry.

    `base` is `name@version` of an archive at hand, or empty: the texts below `bases/<folder>` are the base. `old` is
    the version of the base in the record (empty: there is no predecessor), `new` the version the recipe makes (empty:
    the package stands in the registry as it is).
    """

    name: str
    old: str
    new: str
    release: Published
    base: str = ""
    folder: str = ""
    history: History | None = None
    siblings: tuple[Sibling, ...] = ()
    set: tuple[Set, ...] = ()
    remove: tuple[tuple[str, ...], ...] = ()
    requires: tuple[str, ...] = ()
    write: tuple[Write, ...] = ()
    drop: tuple[str, ...] = ()
    summary: str = ""
    form: Literal["wheel", "sdist"] = "wheel"
    mirror: bool = False


class Replica(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A replica: what it stands for, and the packages of its local registry; the first is the one to inspect.

    `date` is when the real incident began. `evades` is the class that an evasion (class E) is a variant of. `must`
    marks a family whose shape has to be blocked wherever its date puts it. `axes` name what sets this one apart.
    """

    id: str
    title: str
    kind: Kind
    family: str
    date: datetime.date
    split: Split
    ecosystem: World
    recipe: str
    incident: str
    source: str
    package: tuple[Package, ...]
    evades: str = ""
    must: bool = False
    axes: tuple[str, ...] = ()


def split_of(date: datetime.date) -> Split:
    """The split that a date belongs to: develop to August 2025, validate to March 2026, test after that."""
    if date <= DEVELOP_UNTIL:
        return "develop"
    return "validate" if date <= VALIDATE_UNTIL else "test"


def load(folder: Path) -> Replica:
    """The replica in a folder. Raises msgspec.ValidationError or msgspec.DecodeError where its words are wrong."""
    return msgspec.toml.decode((folder / "replica.toml").read_bytes(), type=Replica)


def load_all(root: Path = REPLICAS) -> dict[str, Replica]:
    """Every replica below a folder, by its id, in order."""
    found = {}
    for path in sorted(root.glob("*/replica.toml")):
        replica = load(path.parent)
        if replica.id != path.parent.name:
            raise ValueError(f"{path} calls itself {replica.id}")
        found[replica.id] = replica
    return found

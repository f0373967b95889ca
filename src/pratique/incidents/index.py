"""The bundled incidents, decoded from an index instead of parsed, and looked up by package name.

    python -m pratique.incidents.index        writes data/index.msgpack

The index holds the sha256 of every definition and version list it was made from. When one of them differs, or the
index is missing or unreadable, the definitions themselves are parsed: the index saves time and decides nothing.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import TypeAlias

import msgspec

from pratique.model.incident import Incident

FORMAT = 1
BUNDLED = Path(__file__).parent / "data"
INDEX = BUNDLED / "index.msgpack"

Listing: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
"""For one package: incident id and listed versions, for every incident that lists it. No version: every release."""


class _Index(msgspec.Struct, frozen=True, array_like=True, gc=False):
    format: int
    files: dict[str, bytes]
    names: dict[str, dict[str, Listing]]
    incidents: dict[str, msgspec.Raw]


_encoder = msgspec.msgpack.Encoder()
_index_decoder = msgspec.msgpack.Decoder(_Index)
_incident_decoder = msgspec.msgpack.Decoder(Incident)


def lookup_key(ecosystem: str, name: str) -> str:
    """The spelling under which a package is looked up: PyPI normalises names (PEP 503), actions ignore case."""
    if ecosystem == "PyPI":
        return re.sub(r"[-_.]+", "-", name).lower()
    return name.lower() if ecosystem == "GitHub Actions" else name


def names_of(incidents: list[Incident]) -> dict[str, dict[str, Listing]]:
    """Ecosystem to package name to what lists it, in order of the incidents."""
    names: dict[str, dict[str, Listing]] = {}
    for incident in incidents:
        for component in incident.components:
            packages = names.setdefault(component.ecosystem, {})
            key = lookup_key(component.ecosystem, component.name)
            versions = () if component.all_versions else tuple(version.version for version in component.versions)
            packages[key] = (*packages.get(key, ()), (incident.id, versions))
    return names


class Bundle:
    """The bundled incidents. Names are there at once, an incident is decoded when it is asked for."""

    def __init__(self, names: dict[str, dict[str, Listing]], incidents: dict[str, msgspec.Raw | Incident]) -> None:
        self.names = names
        self._incidents = incidents

    def __len__(self) -> int:
        return len(self._incidents)

    def ids(self) -> list[str]:
        """Every incident id, in order."""
        return list(self._incidents)

    def listed(self, ecosystem: str, name: str) -> Listing:
        """What lists this package; empty when nothing does."""
        return self.names.get(ecosystem, {}).get(lookup_key(ecosystem, name), ())

    def incident(self, incident_id: str) -> Incident:
        """One incident. Raises KeyError when no bundled incident has this id."""
        found = self._incidents[incident_id]
        if not isinstance(found, Incident):
            found = self._incidents[incident_id] = _incident_decoder.decode(found)
        return found

    def incidents(self) -> list[Incident]:
        """All of them, in order of id."""
        return [self.incident(incident_id) for incident_id in self._incidents]


def digests(folder: Path) -> dict[str, bytes]:
    """File name to sha256 of every definition and version list of a folder, in order of name."""
    found = sorted(path for path in folder.iterdir() if path.suffix in {".toml", ".tsv"})
    return {path.name: hashlib.sha256(path.read_bytes()).digest() for path in found}


def _parse(folder: Path) -> list[Incident]:
    from pratique.incidents.library import load_directory  # the TOML parser, which a current index makes needless

    return load_directory(folder)


def build(folder: Path = BUNDLED) -> bytes:
    """The index of a folder. Raises IncidentError when a definition cannot be used."""
    incidents = _parse(folder)
    return _encoder.encode(
        _Index(
            format=FORMAT,
            files=digests(folder),
            names=names_of(incidents),
            incidents={incident.id: msgspec.Raw(_encoder.encode(incident)) for incident in incidents},
        )
    )


def load(folder: Path = BUNDLED) -> Bundle:
    """The incidents of a folder, from its index where that is current, else from the definitions.

    Raises IncidentError when the definitions must be parsed and one cannot be used.
    """
    try:
        index = _index_decoder.decode((folder / INDEX.name).read_bytes())
    except (OSError, msgspec.DecodeError):
        index = None
    if index is not None and index.format == FORMAT and index.files == digests(folder):
        return Bundle(index.names, dict(index.incidents))
    incidents = _parse(folder)
    return Bundle(names_of(incidents), {incident.id: incident for incident in incidents})


def load_bundled() -> list[Incident]:
    """Every bundled incident, in order of id."""
    return load().incidents()


def main() -> int:
    """Write the index of the bundled incidents."""
    INDEX.write_bytes(build())
    sys.stdout.write(f"{INDEX.name}: {len(load())} incidents, {INDEX.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

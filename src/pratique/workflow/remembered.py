"""Facts of files, remembered by the digest of their bytes and the version of what found them (law 12: never evidence).

They lie in one private file for each archive: what was found in its files, whichever transition asked. Another version
of any extractor, or another Python, finds nothing there.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import zlib
from pathlib import Path

import msgspec

from pratique.adapters.results import Results, default_folder
from pratique.model.observation import Refusal
from pratique.model.release import Fact, Files
from pratique.version import VERSION

MOST_BYTES = 512 << 20
LARGEST = 64 << 20
Found = tuple[Fact | Refusal, ...]


class _Row(msgspec.Struct, array_like=True):
    sha256: str
    kind: str
    found: list[tuple[Fact | None, Refusal | None]]


_DECODER = msgspec.msgpack.Decoder(list[_Row])


def store(folder: Path | None = None) -> Results | None:
    """Where facts are remembered for this user; None where this user has no home folder."""
    base = default_folder()
    place = folder or (base.parent / "facts" if base is not None else None)
    return Results(place) if place is not None else None


@functools.cache
def analyser() -> str:
    """A digest of the program that finds facts: its version, this Python's, and the text of every module of it."""
    import pratique.releases

    digest = hashlib.sha256(f"{VERSION} {sys.version_info[:3]}".encode())
    for path in sorted(Path(str(pratique.releases.__file__)).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class _Pack:
    """What is remembered of the files of one archive."""

    def __init__(self, kept: Results | None, files: Files) -> None:
        archive = files.digests.get("sha256", "")
        self._kept = kept if archive else None
        self._key = hashlib.sha256(f"{analyser()} {archive}".encode()).hexdigest()
        self.holds = frozenset(member.sha256 for member in files.members.values())
        self.known: dict[tuple[str, str], Found] = {}
        self._changed = False
        data = self._kept.get(self._key) if self._kept is not None else None
        if data is not None:
            try:
                stream = zlib.decompressobj()
                rows = _DECODER.decode(stream.decompress(data, LARGEST))
            except (zlib.error, msgspec.DecodeError):
                return
            for row in rows:
                found = (fact if fact is not None else refusal for fact, refusal in row.found)
                self.known[row.sha256, row.kind] = tuple(item for item in found if item is not None)

    def put(self, sha256: str, kind: str, found: Found) -> None:
        """Remember what was found."""
        self.known[sha256, kind] = found
        self._changed = True

    def save(self) -> None:
        """Write it down, where there is anything new."""
        if self._kept is None or not self._changed:
            return
        rows = [
            _Row(sha256, kind, [(one, None) if isinstance(one, Fact) else (None, one) for one in found])
            for (sha256, kind), found in sorted(self.known.items())
        ]
        data = msgspec.msgpack.encode(rows)
        if len(data) <= LARGEST:
            self._kept.put(self._key, zlib.compress(data, 1))


class Memory:
    """The memory of one transition: what is remembered of its release and its predecessor."""

    def __init__(self, kept: Results | None, *files: Files) -> None:
        self._packs = [_Pack(kept, one) for one in files]

    def get(self, sha256: str, kind: str) -> Found | None:
        """What is known of a file read as a kind; None where nothing is."""
        for pack in self._packs:
            found = pack.known.get((sha256, kind))
            if found is not None:
                return found
        return None

    def put(self, sha256: str, kind: str, found: Found) -> None:
        """Remember what was found in a file."""
        for pack in self._packs:
            if sha256 in pack.holds:
                pack.put(sha256, kind, found)
                return

    def save(self) -> None:
        """Write down what is new."""
        for pack in self._packs:
            pack.save()

"""What opening a release of any form shares: bounds, entries as an archive lists them, and where they would lie.

An archive lists names in any order, twice, upwards, or as links. `settled` says which file a client that installs would
find at which path, and tells each doubt in a refusal. Nothing is ever written under a name of an archive.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from posixpath import dirname, normpath

import msgspec

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Form, Member

READER = "release"
CHUNK = 1 << 20
HOPS = 8
"""So many links are followed from one name to another inside an archive."""


class Limits(msgspec.Struct, frozen=True):
    """The bounds of one release. `bytes` and `member` are of what is unpacked; `ratio` counts from `ratio_from` bytes.

    What lies past a bound is told in a refusal; what came before it stands.
    """

    bytes: int = 2 << 30
    member: int = 1 << 30
    members: int = 200_000
    ratio: int = 250
    ratio_from: int = 256 << 20


class Entry:
    """What an archive lists under one name. `link` is what it names as the place of its bytes, empty for a file."""

    __slots__ = ("executable", "link", "name", "place", "sha256", "size", "symbolic")

    def __init__(
        self,
        name: str,
        size: int,
        sha256: str,
        place: int,
        *,
        executable: bool = False,
        link: str = "",
        symbolic: bool = False,
    ) -> None:
        self.name = name
        self.size = size
        self.sha256 = sha256
        self.place = place
        self.executable = executable
        self.link = link
        self.symbolic = symbolic


def refusal(name: str, reason: str, *, relevant: bool = True) -> Refusal:
    """A gap in a release at the name that an archive gives it; undecodable bytes are kept in base64."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raw = name.encode("utf-8", "surrogatepass") if not _escaped(name) else name.encode("utf-8", "surrogateescape")
        return Refusal(printed(name), READER, reason, relevant, path_bytes=base64.b64encode(raw).decode())
    return Refusal(name, READER, reason, relevant)


def _escaped(name: str) -> bool:
    """Whether its lone surrogates all stand for undecodable bytes."""
    return all(not "\ud800" <= char <= "\udfff" or "\udc80" <= char <= "\udcff" for char in name)


def printed(name: str) -> str:
    """A name as valid Unicode: an undecodable byte becomes `\\xff`, an unpaired surrogate its escape."""
    if name.isascii():
        return name
    raw = name.encode("utf-8", "surrogateescape" if _escaped(name) else "backslashreplace")
    return raw.decode("utf-8", "backslashreplace")


class Opened:
    """The files of a release, opened: see `pratique.model.release.Files`.

    `left_out` names the folders of a directory that were not entered, as `node_modules`: no part of the release.
    """

    def __init__(
        self,
        form: Form,
        members: Mapping[str, Member],
        refusals: Sequence[Refusal],
        digests: Mapping[str, str],
        read: Callable[[str], Iterator[bytes]],
        close: Callable[[], None],
        left_out: tuple[str, ...] = (),
    ) -> None:
        self.form = form
        self.members = members
        self.refusals: Sequence[Refusal] = tuple(refusals)
        if not members and not refusals:
            self.refusals = (refusal("", "the archive holds no file: nothing was examined"),)
        self.digests = digests
        self.left_out = left_out
        self._read = read
        self._close = close
        self._closed = False

    def read(self, path: str, limit: int = 64 << 20) -> bytes:
        """The bytes of one member. Raises Unreadable where they are more than `limit`, or cannot be had."""
        member = self.members.get(path)
        if member is None:
            raise Unreadable("is no file of the release")
        if self._closed:
            raise Unreadable("was asked for after the release was closed")
        if member.size > limit:
            raise Unreadable(f"holds {member.size} bytes, more than the limit of {limit}")
        parts = list(self._read(path))
        content = parts[0] if len(parts) == 1 else b"".join(parts)
        if len(content) != member.size:
            raise Unreadable("changed since the release was opened")
        return content

    def close(self) -> None:
        """Give back what holds it open; the bytes cannot be had afterwards."""
        if not self._closed:
            self._closed = True
            self._close()

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Settled(msgspec.Struct):
    """Which entry stands at which path, as members sorted by path, and what was doubtful."""

    members: dict[str, Member]
    places: dict[str, Entry]
    refusals: list[Refusal]


def settled(entries: Sequence[Entry], strip: bool, repeats: str) -> Settled:
    """Where the entries of an archive would lie. With `strip` the first folder of each name is taken off.

    Of two entries with one path the last stands; a refusal says so (`repeats` in words), irrelevant where both hold the
    same bytes. A link to a file of the archive stands with that file's bytes: npm leaves links out, pip makes them.
    """
    refusals: list[Refusal] = []
    found: dict[str, Entry] = {}
    links: dict[str, Entry] = {}
    for entry in entries:
        path = _placed(entry.name, strip, refusals)
        if path is None:
            continue
        earlier = found.get(path) or links.get(path)
        if earlier is not None:
            same = earlier.sha256 == entry.sha256 and not earlier.link and not entry.link
            reason = f"stands {'twice with the same bytes' if same else 'more than once'} in its archive; {repeats}"
            refusals.append(refusal(path, reason, relevant=not same))
        (links if entry.link else found)[path] = entry
    resolved: dict[str, Entry] = {}
    for path, entry in links.items():
        if path in found:
            continue
        end = _followed(entry, path, found, links, strip)
        if end is None:
            reason = f"is a link to {printed(entry.link)}, which is no file of the release"
            refusals.append(refusal(path, reason))
            continue
        target = found[end]
        reason = f"is a link, read as the bytes of {end}; npm leaves links out"
        refusals.append(refusal(path, reason, relevant=False))
        resolved[path] = Entry(entry.name, target.size, target.sha256, target.place, executable=target.executable)
    found.update(resolved)
    refusals.extend(_collisions(found))
    places = {path: found[path] for path in sorted(found)}
    members = {path: Member(path, one.size, one.sha256, one.executable) for path, one in places.items()}
    return Settled(members, places, refusals)


def _placed(name: str, strip: bool, refusals: list[Refusal]) -> str | None:
    """The path of an entry below the root of its package; None, with a refusal, where it would lie outside."""
    shown = printed(name)
    if shown != name:
        refusals.append(refusal(name, "has a name that is no UTF-8; its undecodable bytes are spelled", relevant=False))
    parts = shown.split("/")
    plain = [part for part in parts if part and part != "."]
    if ".." in plain:
        refusals.append(refusal(name, "has a name that leads out of its folder; it was not examined"))
        return None
    if shown.startswith("/"):
        refusals.append(refusal(name, "has an absolute name; it was read as if it had not"))
    if "\\" in shown:
        windows = shown.replace("\\", "/").split("/")
        if ".." in windows or shown.startswith("\\"):
            refusals.append(refusal(name, "has a name that leads out of its folder on Windows"))
    if plain and len(plain[0]) > 1 and plain[0][1] == ":" and plain[0][0].isalpha():
        refusals.append(refusal(name, "has a name that is absolute on Windows"))
    if strip:
        if len(plain) < 2:
            refusals.append(refusal(name, "lies outside the folder of the package; it was not examined"))
            return None
        plain = plain[1:]
    if not plain:
        refusals.append(refusal(name, "has an empty name; it was not examined"))
        return None
    return "/".join(plain)


def _followed(
    entry: Entry, path: str, found: Mapping[str, Entry], links: Mapping[str, Entry], strip: bool
) -> str | None:
    """The path of the file that a link leads to, inside the archive alone."""
    for _ in range(HOPS):
        target = printed(entry.link)
        if entry.symbolic:
            if target.startswith("/"):
                return None
            path = normpath(f"{dirname(path)}/{target}".lstrip("/"))
            if path.startswith("..") or path == ".":
                return None
        else:
            placed = _placed(target, strip, [])
            if placed is None:
                return None
            path = placed
        if path in found:
            return path
        following = links.get(path)
        if following is None:
            return None
        entry = following
    return None


def folded(path: str) -> str:
    """A path as file systems compare it that ignore case, forms of Unicode, and dots and spaces at the end of names."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
        path = unicodedata.normalize("NFC", path.casefold())
    else:
        path = path.lower()
    if ". " in path or "./" in path or " /" in path or path.endswith((".", " ")):
        path = "/".join(part.rstrip(". ") for part in path.split("/"))
    return path


def _collisions(found: Mapping[str, Entry]) -> Iterator[Refusal]:
    """Files that overwrite one another on some file system, and files whose name is that of a folder too."""
    seen: dict[str, str] = {}
    folders: set[str] = set()
    for path in sorted(found):
        key = folded(path)
        other = seen.setdefault(key, path)
        if other != path:
            same = found[other].sha256 == found[path].sha256
            reason = f"is the same file as {other} where case or forms of Unicode do not count; both were read"
            yield refusal(path, reason, relevant=not same)
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    for path in sorted(folders & found.keys()):
        yield refusal(path, "is a file and a folder in its archive; clients differ in which they keep")


def common_folder(names: Iterable[str]) -> bool:
    """Whether all names lie below one first folder, as pip asks before it takes that off."""
    first: str | None = None
    for name in names:
        parts = [part for part in name.split("/") if part and part != "."]
        if not parts:
            continue
        if first is None:
            first = parts[0]
        elif parts[0] != first:
            return False
        if len(parts) == 1 and not name.endswith("/"):
            return False
    return first is not None

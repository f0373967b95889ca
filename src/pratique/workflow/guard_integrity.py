"""Whether packages whose scripts ran are still what was unpacked: a script gone, a manifest swapped.

A package is compared with its archive where npm has kept that; else, and under every other manager, with a picture of
its folder from before its first script (`guard_pictures`). What builds of Python change is compared with RECORD.
npm notes each package's digest in `node_modules/.package-lock.json` and keeps the archive in its cache by that digest
(docs of npm: "package-lock.json", "cacache"); an archive that was given as a file is where it was given. Files that are
missing or other are told; what was added is not, for builds add. npm writes `\\n` for `\\r\\n` into programs of `bin`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pratique.adapters.supervisor.reading import plain_file
from pratique.ecosystems.npm.layout import cached_content_path
from pratique.model.event import Cause, Event, EventKind, Watched
from pratique.targets.kept.found import digests_of
from pratique.workflow.guard_pictures import Difference, Picture, Pictures
from pratique.workflow.guard_records import Records

MOST_PACKAGES = 200
MOST_FILE = 16 << 20
MOST_LOCK = 64 << 20
_RENAMED = (".gitignore",)
"""Files that npm unpacks under another name (pacote: `.gitignore` becomes `.npmignore`)."""
_FOLDER = re.compile(r"^.*/node_modules/(?:@[^/]+/)?[^/@.][^/]*(?=/)")


class Ran(msgspec.Struct, frozen=True):
    """A package whose script ran: its cause, and its folder."""

    cause: Cause
    folder: str


class Scripts:
    """The packages to compare: those whose scripts ran, and those whose files another's script changed."""

    def __init__(self, cache: str) -> None:
        self.cache = cache
        self.pictures = Pictures()
        self.records = Records()
        self._folders: dict[str, Ran] = {}

    def ran(self, cause: Cause, environment: Mapping[str, str], place: str = "") -> None:
        """Note the package of a lifecycle script that is about to run in the folder `place`: how it is now."""
        manifest = environment.get("npm_package_json", "")
        if cause.ecosystem != "npm" or not cause.name or not cause.step:
            return
        within = _FOLDER.match(manifest if "/node_modules/" in manifest else f"{place}/")
        if within is not None and os.path.isfile(os.path.join(within[0], "package.json")):
            folder = within[0]
            if folder not in self._folders:
                self._folders[folder] = Ran(cause, folder)
                self.pictures.take(folder)
            kept = environment.get("npm_config_cache", "")
            self.cache = f"{kept.rstrip('/')}/_cacache" if kept.startswith("/") else self.cache

    def happened(self, event: Event) -> None:
        """Note a package whose file a package's script changed."""
        self.records.happened(event)
        if event.kind in _CHANGES and event.path_class in ("package", "manifest") and event.cause is not None:
            found = _FOLDER.match(event.target or event.path) if event.cause.name else None
            if found is not None:
                self._folders.setdefault(found[0], Ran(event.cause, found[0]))

    def compared(self, project: str, first: int, time_ns: int) -> tuple[tuple[Event, ...], Watched]:
        """See `compared`."""
        found, row = compared(tuple(self._folders.values()), self.cache, project, first, time_ns, self.pictures.taken)
        events = list(found)
        for kind, path, before, after, cause in self.records.differences():
            number = first + len(events)
            events.append(
                Event(
                    kind, "comparison", number, time_ns, cause=cause, outcome="done", path=path, path_class="package",
                    sha256_before=before, sha256_after=after,
                )
            )  # fmt: skip
        beside = self.records.covered()
        if beside:
            reason = f"{row.reason}; {beside}"
            row = Watched("integrity", "part", "comparison", reason=reason)
        return tuple(events), row


_CHANGES = ("file.write", "file.delete", "file.rename")


def compared(
    ran: Sequence[Ran],
    cache: str,
    project: str,
    first: int,
    time_ns: int,
    pictures: Mapping[str, Picture] | None = None,
) -> tuple[tuple[Event, ...], Watched]:
    """Events of what differs, numbered from `first`, and how much could be compared.

    `cache` is npm's cache folder, `pictures` how packages were before their scripts, by folder. Raises nothing: what
    cannot be compared is counted in the coverage with its reason.
    """
    folders = {one.folder: one for one in ran}
    events: list[Event] = []
    reasons: dict[str, int] = {}
    done = pictured = 0
    for folder in list(folders)[:MOST_PACKAGES]:
        archive = _archive(folder, cache, project)
        picture = (pictures or {}).get(folder)
        differences: Iterator[Difference]
        if isinstance(archive, _Archive):
            differences = ((*one, "") for one in _differences(folder, archive))
        elif picture is not None and os.path.isdir(folder):
            differences = picture.differences()
        else:
            reasons[archive] = reasons.get(archive, 0) + 1
            continue
        reason = ""
        for kind, path, before, after, beside in differences:
            if kind is None:
                reason = path
                break
            events.append(
                Event(
                    kind,
                    "comparison",
                    first + len(events),
                    time_ns,
                    cause=folders[folder].cause,
                    outcome="done",
                    path=os.path.join(folder, path),
                    path_class="manifest" if path == "package.json" else "package",
                    sha256_before=before,
                    sha256_after=after,
                    detail={"shared": beside} if beside else {},
                )
            )
        if reason:
            reasons[reason] = reasons.get(reason, 0) + 1
        elif isinstance(archive, _Archive):
            done += 1
        else:
            pictured += 1
    if len(folders) > MOST_PACKAGES:
        reasons[f"only {MOST_PACKAGES} are compared"] = len(folders) - MOST_PACKAGES
    return tuple(events), _covered(done, pictured, reasons)


def _covered(done: int, pictured: int, reasons: Mapping[str, int]) -> Watched:
    told = "; ".join(f"{number} not: {reason}" for reason, number in sorted(reasons.items()))
    if not done and not pictured and not reasons:
        return Watched("integrity", "none", reason="no script of a package ran")
    if not done and not pictured:
        return Watched("integrity", "none", reason=f"packages whose scripts ran: {told}")
    ways = {"the archive": done, "how it was before its script": pictured}
    parts = [
        f"{'1 package whose script' if number == 1 else f'{number} packages whose scripts'} ran compared with {what}"
        for what, number in ways.items()
        if number
    ]
    reason = "; ".join((*parts, told or "others were not"))
    return Watched("integrity", "part", "comparison", reason=reason)


class _Archive(msgspec.Struct, frozen=True):
    path: str
    digests: Mapping[str, frozenset[str]]


def _archive(folder: str, cache: str, project: str) -> _Archive | str:
    """Where the archive of an installed package lies; else why it cannot be had."""
    if not os.path.isdir(folder):
        return "is not installed any more"
    entry = _entry(folder)
    if isinstance(entry, str):
        return entry
    integrity, resolved = entry.get("integrity"), entry.get("resolved")
    if not isinstance(integrity, str) or not digests_of(integrity):
        return "npm noted no digest of it"
    if isinstance(resolved, str) and resolved.startswith("file:"):
        path: str | None = os.path.normpath(os.path.join(_root(folder) or project, resolved.removeprefix("file:")))
    else:
        path = cached_content_path(cache, integrity)
    if path is None or not os.path.isfile(path):
        return "its archive is not kept"
    return _Archive(path, digests_of(integrity))


def _root(folder: str) -> str:
    """The folder above the outermost `node_modules`."""
    return folder.partition("/node_modules/")[0]


def _entry(folder: str) -> dict[str, object] | str:
    """What npm notes of an installed package; else why nothing is known."""
    root = _root(folder)
    inner = folder[len(root) + 1 :]
    lock = os.path.join(root, "node_modules", ".package-lock.json")
    try:
        if os.path.getsize(lock) > MOST_LOCK:
            return "npm's list of what it installed is too large"
        with open(lock, "rb") as file:
            packages = json.load(file).get("packages")
        entry = packages.get(inner)
    except (OSError, ValueError, AttributeError, RecursionError):
        return "npm's list of what it installed cannot be read"
    return entry if isinstance(entry, dict) else "npm's list of what it installed does not name it"


def _differences(folder: str, archive: _Archive) -> Iterator[tuple[EventKind | None, str, str, str]]:
    """Each file that is missing or other: kind, path, digests before and after. Kind None: why it cannot be told."""
    from pratique.model.errors import TargetError
    from pratique.targets.release import open_release  # what no run needs in which no script ran

    try:
        opened = open_release(archive.path, hint="tarball")
    except TargetError as error:
        yield None, f"its archive cannot be opened ({error.what})", "", ""
        return
    with opened:
        own = opened.digests
        if not any(own.get(kind) in digests for kind, digests in archive.digests.items()):
            yield None, "the archive is not the one that npm noted", "", ""
            return
        for path, member in opened.members.items():
            place = os.path.join(folder, path)
            if os.path.basename(path) in _RENAMED:
                continue
            try:
                size = os.stat(place, follow_symlinks=False).st_size
                if size > MOST_FILE:
                    continue
                content = plain_file(place, MOST_FILE)
            except FileNotFoundError:
                yield "integrity.missing", path, member.sha256, ""
                continue
            except OSError:
                yield None, "a file of it cannot be read", "", ""
                return
            after = hashlib.sha256(content).hexdigest()
            if after != member.sha256 and not _line_ends(opened.read(path), content):
                yield "integrity.changed", path, member.sha256, after


def _line_ends(before: bytes, after: bytes) -> bool:
    """Whether a text differs in its line ends alone."""
    return b"\r\n" in before and before.replace(b"\r\n", b"\n") == after

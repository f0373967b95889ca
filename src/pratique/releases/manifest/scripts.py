"""Lifecycle scripts of an npm release: which run for whom, what they start, and how that differs from before.

Of a package from a registry npm runs `preinstall`, `install` and `postinstall`. `prepare` and what surrounds it runs
for git dependencies and in the package's own checkout; publish and version scripts run for its author. A root
`binding.gyp` without `preinstall` and `install` makes npm run `node-gyp rebuild` as `install`, unless the manifest says
`gypfile: false`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pratique.model.observation import Refusal
from pratique.model.release import Delta, Fact, Files, Release, SourceFile, Value
from pratique.releases.manifest.commands import starts
from pratique.releases.manifest.document import Manifest

FOR_USERS = ("preinstall", "install", "postinstall")
FOR_GIT = ("preprepare", "prepare", "postprepare", "prepack", "postpack")
FOR_AUTHORS = (
    "prepublish",
    "prepublishOnly",
    "publish",
    "postpublish",
    "preversion",
    "version",
    "postversion",
    "dependencies",
)
EVENTS: dict[str, str] = {
    **dict.fromkeys(FOR_USERS, "users"),
    **dict.fromkeys(FOR_GIT, "git"),
    **dict.fromkeys(FOR_AUTHORS, "author"),
}
"""Event to whom it runs for."""
IMPLICIT = "node-gyp rebuild"
GYP = "binding.gyp"
MOST_STARTED = 20
"""So many started files and pieces of code of one script are told."""


def effective(manifest: Manifest | None, files: Files | None) -> dict[str, tuple[str, bool]]:
    """Event to its command line, and whether npm adds it by itself; without a manifest nothing runs."""
    if manifest is None or files is None:
        return {}
    scripts = manifest.strings("scripts")
    found = {event: (scripts[event], False) for event in EVENTS if scripts.get(event, "").strip()}
    without = not scripts.get("install") and not scripts.get("preinstall")
    if GYP in files.members and without and manifest.plain.get("gypfile") is not False:
        found["install"] = (IMPLICIT, True)
    return found


def facts(
    release: Release, manifest: Manifest, predecessor: Release | None, before: Manifest | None
) -> Iterator[Fact | Refusal]:
    """A fact for each event that the release has or its predecessor had, and what command lines that run for users are
    able to do: an author's own scripts may publish, push and fetch."""
    new = effective(manifest, release.files)
    old = effective(before, predecessor.files if predecessor is not None else None)
    scripts = manifest.strings("scripts")
    from_git = release.source.startswith("git")
    for event, runs in EVENTS.items():
        if event not in new and event not in old:
            continue
        for_users = runs == "users" or (runs == "git" and from_git)
        known: dict[str, Value] = {"event": event, "for_users": for_users, "runs": runs}
        if event not in new:
            command, implicit = old[event]
            yield manifest.fact(
                "trigger.lifecycle",
                ("scripts",),
                f"{event}: {command}",
                "removed",
                **known,
                command=command,
                implicit=implicit,
                previous=command,
            )
            continue
        command, implicit = new[event]
        started = list(starts(command, scripts, release.files.members))[:MOST_STARTED]
        paths = list(dict.fromkeys(one.path for one in started if one.path))
        delta: Delta = "unknown"
        if predecessor is not None:
            delta = "added" if event not in old else "kept" if old[event][0] == command else "changed"
            if delta == "changed":
                known["previous"] = old[event][0]
        if paths:
            known["file"] = paths[0]
            known["file_delta"] = _delta_of(paths[0], release.files, predecessor)
        if len(paths) > 1:
            known["more_files"] = " ".join(paths[1:])
        if delta == "added" and event == "install" and implicit:
            known["previous"] = ""
        fact = manifest.fact(
            "trigger.lifecycle",
            ("scripts", event) if not implicit else (),
            f"{event}: {command}",
            delta,
            **known,
            command=command,
            implicit=implicit,
        )
        yield fact
        if for_users and not implicit:
            previous = old[event][0] if event in old else ""
            yield from of_command(fact, command, scripts, release.files.members, reach="lifecycle", previous=previous)


def _delta_of(path: str, files: Files, predecessor: Release | None) -> Delta:
    """How a file of the release stands to the predecessor's file at the same path."""
    if predecessor is None:
        return "unknown"
    earlier = predecessor.files.members.get(path)
    if earlier is None:
        return "added"
    return "kept" if earlier.sha256 == files.members[path].sha256 else "changed"


def of_command(
    place: Fact,
    command: str,
    scripts: Mapping[str, str],
    members: Mapping[str, object],
    *,
    reach: str,
    previous: str = "",
    language: str = "shell",
) -> Iterator[Fact | Refusal]:
    """What a command line and the code in it can do, as facts at the path and line of `place`, with its delta.

    What the `previous` command line could do already has the delta `kept`. `language` is that of the text itself.
    """
    before = set()
    if previous and place.delta == "changed":
        before = {_key(one) for one in _able(place, previous, scripts, members, language) if isinstance(one, Fact)}
    told = set()
    for one in _able(place, command, scripts, members, language):
        if isinstance(one, Refusal):
            yield one
            continue
        key = _key(one)
        if key in told:
            continue
        told.add(key)
        known: dict[str, Value] = {**one.attributes, "reach": reach} if reach else dict(one.attributes)
        delta: Delta = place.delta
        if delta == "changed":
            delta = "kept" if key in before else "added"
        yield Fact(one.kind, place.path, place.line, one.excerpt, place.sha256, delta, known)


def _able(
    place: Fact, command: str, scripts: Mapping[str, str], members: Mapping[str, object], language: str
) -> Iterator[Fact | Refusal]:
    """The facts of a text and of the code in it, one piece after the other."""
    from pratique.releases.extract import facts_of_file

    pieces = [(language, command)]
    if language == "shell":
        pieces += [(one.language, one.code) for one in starts(command, scripts, members) if one.code]
    for kind, text in pieces[:MOST_STARTED]:
        if kind in {"shell", "javascript", "python"}:
            yield from facts_of_file(SourceFile(place.path, text.encode("utf-8", "replace"), place.sha256, kind))


def _key(fact: Fact) -> tuple[str, str]:
    """What makes two facts of command lines the same."""
    return fact.kind, repr(sorted(fact.attributes.items()))

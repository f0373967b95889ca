"""Move what holds a listed release out of the way, list what others must purge, and say when to rebuild.

Caches and package folders are moved by `apply` into the quarantine and nothing is removed. Where code ran, copies that
a whole machine uses (global packages, those of `npx`, dropped files) are for people alone: the machine is rebuilt.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from pratique.model.plan import Command, Manual, Precondition, Quarantine, Step
from pratique.respond import preserve, seen
from pratique.respond.situation import Held, Situation

REBUILD = "revert.rebuild"
_TITLES = {
    "package-cache": "Move a cached copy of {what} into the quarantine",
    "package-folder": "Move an installed copy of {what} into the quarantine",
    "user-unit": "Move a unit that starts with the session into the quarantine",
    "persistence": "Move a file that starts code into the quarantine",
    "dropped-file": "Move a dropped file into the quarantine",
}
_DATABASE = "index.db"
_PLANTED = ("user-unit", "persistence", "dropped-file")


def steps(situation: Situation) -> Iterator[Step]:
    """Quarantine, purge lists, rebuild."""
    ran = seen.ran(situation)
    by_id = {sight.entry.id: sight for sight in seen.sights(situation)}
    for item in sorted(situation.held, key=lambda item: (item.what, item.path)):
        yield _move(item, bool(ran), by_id)
    yield from _purges(situation)
    if ran:
        yield _rebuild(situation, ran)


def machine_wide(item: Held) -> bool:
    """Whether a copy belongs to the machine and to no project: global packages, those of `npx`, dropped files."""
    parts = item.path.split("/")
    return item.what == "dropped-file" or (
        item.what == "package-folder"
        and ("_npx" in parts or any(a == "lib" and b == "node_modules" for a, b in itertools.pairwise(parts)))
    )


def _move(item: Held, ran: bool, by_id: Mapping[str, seen.Sight]) -> Step:
    found = [by_id[name] for name in item.sightings if name in by_id]
    names = sorted({seen.release(sight) for sight in found})
    what = ", ".join(names[:3]) or "what was seen"
    by_hand = ran and machine_wide(item)
    planted = item.what in _PLANTED
    whole = _DATABASE in item.path.rpartition("/")[2]
    words = f"{item.digest} is what lies there now."
    return Step(
        id=f"revert.quarantine.{item.what}.{seen.slug(item.path)}",
        phase="revert",
        title=_TITLES[item.what].format(what=what),
        reason=(
            f"Left there, it is installed or started again. {seen.because(found)}."
            + (" It is the index of a whole store: pnpm fetches again what it needs." if whole else "")
        ),
        disposition="manual" if by_hand else "unsafe" if planted or whole else "safe",
        action=Manual(
            instructions=(
                "Code ran on this machine: nothing in it can be trusted, this program and its tools included.",
                "Rebuild it. Where that must wait, copy this into the case and move it off every path that is used.",
                f"Path: {item.path}",
                f"Digest: {item.digest}",
            ),
            commands=(Command(words=("mv", "-n", "--", item.path, "<CASE>/quarantine/")),),
        )
        if by_hand
        else Quarantine(path=item.path, digest=item.digest, what=item.what, folder=item.folder),
        owner="responder",
        incidents=seen.named(found),
        preconditions=(preserve.SEALED, Precondition(kind="digest", words=words)),
        after=(preserve.SEAL,),
        undo="pratique undo puts it back, with --allow payload." if not by_hand else "Move it back.",
        check=f"Nothing is at {item.path}.",
        check_command=Command(words=("ls", "-ld", "--", item.path)),
        destroys_evidence=True,
        triggers_dead_man_switch=planted,
        sightings=tuple(item.sightings),
    )


def _rebuild(situation: Situation, ran: tuple[seen.Sight, ...]) -> Step:
    return Step(
        id=REBUILD,
        phase="revert",
        title="Rebuild the machine from a known good state; do not clean it in place",
        reason=f"Code of the incident ran here, and what it did is not known in full. {seen.because(ran)}.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Keep an image of the disk, or the disk itself, with the case.",
                "Install from media made on another machine. Restore documents and sources; no program, no cache, no"
                " settings of shells, editors or agents.",
                "Bring back no key and no token: new ones are issued to the new machine.",
                "Of a runner or image: destroy it, and build a new one without its caches.",
            ),
        ),
        owner="platform-engineer",
        incidents=seen.named(ran),
        preconditions=(preserve.SEALED,),
        after=(preserve.SEAL,),
        undo="",
        check="The new machine was checked and nothing is seen on it.",
        check_command=Command(words=("pratique", "check"), where="other-machine", note="on the rebuilt machine"),
        destroys_evidence=True,
        triggers_dead_man_switch=True,
        sightings=seen.ids(ran),
    )


def _purges(situation: Situation) -> Iterator[Step]:
    """Lists for those who own mirrors, images and the like: exactly what was seen, with digests."""
    groups: dict[str, list[seen.Sight]] = {}
    for sight in seen.sights(situation):
        kind = sight.target_kind
        if kind == "mirror":
            groups.setdefault("mirror", []).append(sight)
        elif kind == "image" or any(step.kind == "layer" for step in sight.entry.location.inside):
            groups.setdefault("image", []).append(sight)
        elif any(item.facts.get("record") == "bundle" for item in sight.observations):
            groups.setdefault("build-output", []).append(sight)
    words = {
        "mirror": (
            "Purge the listed releases from mirrors and proxies",
            "A mirror serves a release long after its registry removed it.",
            "Delete each of them, refuse them by rule, and empty what lies in front of the mirror.",
            "The mirror answers 404 for each of them.",
        ),
        "image": (
            "Take images with these layers out of use, and build them anew without cache",
            "A layer keeps what a later one deletes, and a build that uses its cache brings it back.",
            "Stop handing these images out, build with no cache from the repaired lockfile, then delete them.",
            "A check of the new image sees nothing.",
        ),
        "build-output": (
            "Withdraw build outputs that carry a listed release, and empty what caches them",
            "A bundle carries the code to every visitor.",
            "Build anew from the repaired lockfile, deploy, and purge the cache in front by path.",
            "A check of the new output sees nothing.",
        ),
    }
    for kind, found in sorted(groups.items()):
        title, why, how, check = words[kind]
        yield Step(
            id=f"revert.purge.{kind}",
            phase="revert",
            title=title,
            reason=f"{why} {seen.because(found)}.",
            disposition="manual",
            action=Manual(instructions=(how,), text="\n".join([*_rows(found), ""])),
            owner="platform-engineer",
            incidents=seen.named(found),
            preconditions=(preserve.SEALED,),
            after=(preserve.SEAL,),
            undo="",
            check=check,
            destroys_evidence=True,
            sightings=seen.ids(found),
        )


def _rows(found: list[seen.Sight]) -> list[str]:
    rows: dict[str, None] = {}
    for sight in found:
        place = sight.entry.location
        digests = dict.fromkeys(
            text
            for item in sight.observations
            for text in (*seen.listed(item.facts.get("integrity") or ()), *seen.listed([item.facts.get("digest")]))
        )
        inside = [f"{step.kind} {step.id} {step.path}" for step in place.inside]
        rows[" | ".join([sight.entry.purl, place.target, place.path, *inside, *digests])] = None
    return list(rows)

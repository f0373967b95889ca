"""Repair lockfiles and manifests, and keep the listed releases out: one ordered group of edits for each lockfile.

A lockfile is repaired by the codec of its format; manifests follow where they pin a listed release; the manager's own
rule keeps it out until a date. What the real client refuses is tried without the rule, and is never planned as an edit
where the client refuses that too. What cannot be repaired is a manual step with the reason and the commands.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pratique.ecosystems.locks import codecs_of
from pratique.ecosystems.npm.versions import parse_version
from pratique.ecosystems.repairs import line_of
from pratique.model.incident import Incident, Role
from pratique.model.plan import Command, Manual, Precondition, Step
from pratique.model.repair import Change, Correction, LockCodec, Unrepairable
from pratique.respond import preserve, seen
from pratique.respond.edits import edit
from pratique.respond.revert.overrides import Rules, pins_of, rules
from pratique.respond.situation import Project, ProjectFile, Proof, Situation

DAYS = 90
"""How long a rule that keeps a release out stands before it is looked at again."""
MANIFESTS = {"package-manifest": "", "python-manifest": "uv.lock"}
"""Codecs of manifests, and the one lockfile that they go along with; empty: any of their world."""
_WORLDS = {"PyPI": "PyPI", "npm": "npm", "GitHub Actions": "GitHub Actions"}
_UNREAD = {"bun.lockb": "bun", "deno.lock": "deno"}


class Planned(msgspec.Struct, frozen=True):
    """What is planned for one lockfile: the new bytes of every file, in order, or why there are none."""

    lock: str
    project: Project
    manager: str
    files: tuple[tuple[str, bytes | None, bytes], ...] = ()
    """Path, bytes before (None: no file) and after; the lockfile last."""
    changes: tuple[Change, ...] = ()
    proof: Proof = Proof(None, "no client was asked")
    rule: str = ""
    left_open: tuple[str, ...] = ()
    reason: str = ""
    """Why nothing is planned."""
    corrections: tuple[Correction, ...] = ()


def until(situation: Situation) -> str:
    """The date on which rules are looked at again."""
    return (situation.today + datetime.timedelta(days=DAYS)).isoformat()


def corrections(situation: Situation) -> tuple[Correction, ...]:
    """What must not stay, out of the definitions of the incidents with a sighting."""
    found: dict[tuple[str, str], Correction] = {}
    seen_versions: dict[tuple[str, str], set[str]] = {}
    from pratique.ecosystems import purl as purls

    for sight in seen.sights(situation):
        parsed = purls.parse(sight.entry.purl)
        if parsed is not None and parsed.ecosystem and parsed.version:
            seen_versions.setdefault((parsed.ecosystem, parsed.name), set()).add(parsed.version)
    for incident in seen.definitions(situation):
        for item in _of(incident, seen_versions):
            key = (item.ecosystem, item.name)
            old = found.get(key)
            good = item.good if old is None else tuple(dict.fromkeys((*old.good, *item.good)))
            bad = item.bad | (old.bad if old is not None else frozenset())
            found[key] = Correction(name=item.name, bad=bad, good=good, ecosystem=item.ecosystem)
    return tuple(found[key] for key in sorted(found))


def _of(incident: Incident, sighted: Mapping[tuple[str, str], set[str]]) -> Iterator[Correction]:
    for component in incident.components:
        if component.ecosystem not in _WORLDS or component.origin is not None:
            continue
        bad = {item.version for item in component.versions}
        if component.all_versions:
            bad |= sighted.get((component.ecosystem, component.name), set())
        if not bad:
            continue
        yield Correction(
            name=component.name, bad=frozenset(bad), good=tuple(reversed(component.safe)), ecosystem=component.ecosystem
        )


def payloads(situation: Situation) -> frozenset[tuple[str, str]]:
    """Packages that must go altogether: ecosystem and name."""
    return frozenset(
        (component.ecosystem, component.name)
        for incident in seen.definitions(situation)
        for component in incident.components
        if component.role in (Role.PAYLOAD, Role.DECOY) and not component.safe
    )


_made: list[tuple[Situation, tuple[Planned, ...]]] = []
"""The last situation and what was planned for it: several planners ask, and a client is asked once."""


def planned(situation: Situation) -> tuple[Planned, ...]:
    """What is planned for each lockfile, in order of path."""
    if not _made or _made[-1][0] is not situation:
        _made[:] = [(situation, _planned(situation))]
    return _made[-1][1]


def step_of(item: Planned, path: str) -> str:
    """The id of the step that edits a file."""
    if path == item.lock:
        return f"revert.lock.{item.project.name}.{seen.slug(path)}"
    kind = "manifest" if _name(path) in ("package.json", "pyproject.toml") else "settings"
    return f"revert.{kind}.{item.project.name}.{seen.slug(f'{path} {item.lock}')}"


def _planned(situation: Situation) -> tuple[Planned, ...]:
    files = {file.path: file for project in situation.projects for file in project.files}
    owners: dict[str, Project] = {}
    for project in situation.projects:
        for file in project.files:
            owners.setdefault(file.path, project)
    listed = corrections(situation)
    gone = payloads(situation)
    out = []
    for path in sorted(files):
        content = files[path].content
        name = path.rpartition("/")[2]
        if name in _UNREAD:
            hit = [item for item in listed if item.name.encode() in content]
            if hit and (name != "bun.lockb" or path.removesuffix("b") not in files):
                out.append(_unread(path, owners[path], _UNREAD[name], tuple(hit)))
            continue
        for codec in codecs_of(path, content):
            if codec.name not in MANIFESTS:
                found = _lock(situation, codec, files[path], files, owners[path], listed, gone)
                if found is not None:
                    out.append(found)
                    for other, _, new in found.files:
                        files[other] = ProjectFile(path=other, content=new, uncommitted=_uncommitted(files, other))
    return tuple(out)


def _uncommitted(files: Mapping[str, ProjectFile], path: str) -> bool | None:
    return files[path].uncommitted if path in files else None


def _unread(path: str, project: Project, manager: str, hit: tuple[Correction, ...]) -> Planned:
    reason = "it is bun's binary lockfile" if manager == "bun" else "no codec of this format is here"
    return Planned(path, project, manager, reason=reason, corrections=hit)


def _manager(codec: LockCodec) -> str:
    return codec.managers[0]


def _lock(
    situation: Situation,
    codec: LockCodec,
    lock: ProjectFile,
    files: Mapping[str, ProjectFile],
    project: Project,
    listed: tuple[Correction, ...],
    gone: frozenset[tuple[str, str]],
) -> Planned | None:
    manager = _manager(codec)
    concerned = tuple(item for item in listed if item.ecosystem == codec.ecosystem and _mentioned(item, lock.content))
    if not concerned:
        return None
    unknown = [item for item in concerned if not item.good and (item.ecosystem, item.name) not in gone]
    fit = tuple(_at_hand(item, situation) for item in concerned if item not in unknown)
    if unknown:
        probe = codec.repair(lock.content, tuple(unknown), lambda name, version: None)
        if isinstance(probe, Unrepairable) or probe.changes:
            names = ", ".join(item.name for item in unknown)
            reason = f"no known good release of {names} is listed: choose one by hand"
            return Planned(lock.path, project, manager, reason=reason, corrections=concerned)
    out = codec.repair(lock.content, fit, situation.releases)
    if isinstance(out, Unrepairable):
        return Planned(lock.path, project, manager, reason=out.reason, corrections=fit)
    if not out.changes:
        return None
    folder = lock.path.rpartition("/")[0]
    beside = {path: file for path, file in files.items() if path.startswith(f"{folder}/")}
    new: dict[str, bytes] = {}
    for path, file in sorted(beside.items()):
        for other in codecs_of(path, file.content):
            with_it = MANIFESTS.get(other.name)
            if with_it is not None and other.ecosystem == codec.ecosystem and with_it in ("", _name(lock.path)):
                made = other.repair(file.content, fit, situation.releases)
                if isinstance(made, Unrepairable):
                    reason = f"{path.rpartition('/')[2]}: {made.reason}"
                    return Planned(lock.path, project, manager, reason=reason, corrections=fit)
                if made.changes:
                    new[path] = made.content
    new[lock.path] = out.content
    return _proven(situation, Planned(lock.path, project, manager, changes=out.changes, corrections=fit), beside, new)


def _at_hand(item: Correction, situation: Situation) -> Correction:
    """A correction with the good releases first that a record is at hand of."""
    good = tuple(sorted(item.good, key=lambda version: situation.releases(item.name, version) is None))
    return Correction(name=item.name, bad=item.bad, good=good, ecosystem=item.ecosystem)


def _mentioned(item: Correction, content: bytes) -> bool:
    """Whether a file may name a package; names of the Python world are spelled in several ways."""
    if item.ecosystem == "npm":
        return item.name.encode() in content
    folded = content.lower().replace(b"_", b"-").replace(b".", b"-")
    return item.name.lower().replace("_", "-").replace(".", "-").encode() in folded


def _proven(
    situation: Situation, base: Planned, beside: Mapping[str, ProjectFile], new: Mapping[str, bytes]
) -> Planned:
    """The first way that the real client accepts: with a rule that keeps the release out, else without."""
    folder, _, name = base.lock.rpartition("/")
    here = {path.rpartition("/")[2]: file.content for path, file in beside.items() if path.rpartition("/")[0] == folder}
    here |= {path.rpartition("/")[2]: content for path, content in new.items() if path.rpartition("/")[0] == folder}
    left: list[str] = []
    refused = ""
    ways = [
        *rules(base.manager, name, here, pins_of(base.changes, base.corrections), until(situation), version_of(here))
    ]
    for way in [*ways, Rules({})]:
        if not way.files:
            left += way.left_open
            if way is not ways[-1] and way in ways:
                continue
        content = {**new, **{f"{folder}/{item}": data for item, data in way.files.items()}}
        proof = situation.prove(base.project, {**_moved(base.project, beside), **content})
        if proof.accepted is False:
            refused = proof.words
            continue
        content |= {path: data for path, data in proof.completed.items() if path in content}
        order = sorted(content, key=lambda path: (path == base.lock, path))
        made = tuple((path, beside[path].content if path in beside else None, content[path]) for path in order)
        open_ends = way.left_open if way.files else (*left, *((f"The rule was refused: {refused}",) if refused else ()))
        return msgspec.structs.replace(base, files=made, proof=proof, rule=way.words, left_open=tuple(open_ends))
    return msgspec.structs.replace(base, reason=f"its real client refuses the repaired file: {refused}")


def _moved(project: Project, beside: Mapping[str, ProjectFile]) -> dict[str, bytes]:
    """Manifests that the edits for another lockfile beside it have changed already."""
    first = {file.path: file.content for file in project.files}
    return {
        path: file.content
        for path, file in beside.items()
        if first.get(path) != file.content and _name(path) in ("package.json", "pnpm-workspace.yaml", "pyproject.toml")
    }


def version_of(files: Mapping[str, bytes]) -> tuple[int, ...]:
    """The version of the manager that package.json names, as far as it says."""
    import json

    try:
        named = json.loads(files.get("package.json", b"{}")).get("packageManager")
    except (ValueError, AttributeError):
        return ()
    parsed = parse_version(str(named).rpartition("@")[2].partition("+")[0]) if isinstance(named, str) else None
    return (parsed.major, parsed.minor) if parsed is not None else ()


def steps(situation: Situation) -> Iterator[Step]:
    """Edits of lockfiles with what goes along, and manual steps for what cannot be repaired."""
    earlier: dict[str, str] = {}
    for item in planned(situation):
        if item.reason:
            yield from _manual(situation, item)
        elif item.manager == "actions":
            yield from _shown(situation, item)
        else:
            yield from _edits(situation, item, earlier)
            earlier |= {path: step_of(item, path) for path, _, _ in item.files}


def _shown(situation: Situation, item: Planned) -> Iterator[Step]:
    """A change of a workflow: it runs with secrets, so a person makes it."""
    found = _sights(situation, item)
    ((path, old, new),) = item.files
    yield Step(
        id=f"revert.workflow.{item.project.name}.{seen.slug(path)}",
        phase="revert",
        title=f"Pin {_name(path)} of {item.project.name} to known good commits",
        reason=f"{'; '.join(_told(change) for change in item.changes[:6])}. {seen.because(found)}.",
        disposition="manual",
        action=Manual(
            instructions=("A workflow runs with secrets: make this change as a reviewed commit.",),
            text=edit(path, old, new).diff,
            media="text/x-diff",
        ),
        owner="repository-owner",
        incidents=seen.named(found),
        preconditions=(preserve.SEALED,),
        after=(preserve.SEAL,),
        undo="Revert the commit.",
        check="A check of the repository sees no listed reference.",
        check_command=Command(words=("pratique", "check", item.project.folder)),
        destroys_evidence=True,
        sightings=item.project.sightings,
    )


def _sights(situation: Situation, item: Planned) -> list[seen.Sight]:
    mine = {name for project in situation.projects for name in project.sightings if _holds(project, item.lock)}
    return [sight for sight in seen.sights(situation) if sight.entry.id in mine]


def _holds(project: Project, path: str) -> bool:
    return any(file.path == path for file in project.files)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _edits(situation: Situation, item: Planned, earlier: Mapping[str, str]) -> Iterator[Step]:
    found = _sights(situation, item)
    changed = "; ".join(_told(change) for change in item.changes[:6])
    more = f"; and {len(item.changes) - 6} more" if len(item.changes) > 6 else ""
    before = ""
    uncommitted = {file.path: file.uncommitted for project in situation.projects for file in project.files}
    for path, old, new in item.files:
        is_lock = path == item.lock
        conditions = [preserve.SEALED]
        if uncommitted.get(path) is not None:
            words = f"{_name(path)} has no change that nobody committed."
            conditions.append(Precondition(kind="uncommitted", words=words))
        conditions.append(
            Precondition(kind="digest", words="The file is as it was read.")
            if old is not None
            else Precondition(kind="absent", words="There is no such file.")
        )
        waits = tuple(dict.fromkeys(name for name in (earlier.get(path, ""), before) if name))
        for name in waits:
            conditions.append(Precondition(kind="done", words="The edit before it is done.", step=name))
        title = (
            f"Repair {_name(path)} of {item.project.name}"
            if is_lock
            else f"Let {_name(path)} of {item.project.name} ask for known good releases and keep the listed ones out"
        )
        reason = (
            f"{changed}{more}. {seen.because(found)}." if is_lock else f"{item.rule or 'It pinned a listed release'}."
        )
        if is_lock and item.left_open:
            reason += f" Left open: {' '.join(item.left_open)}"
        step = step_of(item, path)
        yield Step(
            id=step,
            phase="revert",
            title=title,
            reason=reason,
            disposition="safe" if item.proof.accepted else "unsafe",
            action=edit(path, old, new),
            owner="repository-owner",
            incidents=seen.named(found),
            preconditions=tuple(conditions),
            after=(preserve.SEAL, *waits),
            undo="pratique undo puts the bytes back.",
            check="The manager installs from it in its frozen mode, scripts off.",
            check_command=_frozen(item),
            proof=item.proof.words,
            destroys_evidence=True,
            sightings=seen.ids(found),
            until=until(situation) if item.rule else "",
        )
        before = step


def _told(change: Change) -> str:
    return f"{change.entry}: {change.was} becomes {change.now}" if change.now else f"{change.entry}: {change.was} goes"


_FROZEN = {
    "npm": ("npm", "ci", "--ignore-scripts"),
    "pnpm": ("pnpm", "install", "--frozen-lockfile", "--ignore-scripts"),
    "bun": ("bun", "install", "--frozen-lockfile", "--ignore-scripts"),
    "uv": ("uv", "lock", "--check"),
    "poetry": ("poetry", "check", "--lock"),
    "pdm": ("pdm", "lock", "--check"),
    "pipenv": ("pipenv", "verify"),
}


def _frozen(item: Planned) -> Command | None:
    if item.manager == "yarn":
        berry = any(path == item.lock and b"\n__metadata:" in new for path, _, new in item.files)
        words = ("yarn", "install", "--immutable", "--mode=skip-build") if berry else (
            "yarn", "install", "--frozen-lockfile", "--ignore-scripts")  # fmt: skip
        return Command(words=words, where="other-machine")
    if item.manager == "pip":
        text = b"".join(new for path, _, new in item.files if path == item.lock)
        digests = ("--require-hashes",) if b"--hash" in text else ()
        words = ("pip", "install", "--dry-run", *digests, "--no-deps", "-r", _name(item.lock))
        return Command(words=words, where="other-machine")
    found = _FROZEN.get(item.manager)
    return Command(words=found, where="other-machine") if found else None


def _manual(situation: Situation, item: Planned) -> Iterator[Step]:
    found = _sights(situation, item)
    commands = tuple(_commands(item))
    yield Step(
        id=f"revert.by-hand.{item.project.name}.{seen.slug(item.lock)}",
        phase="revert",
        title=f"Take the listed releases out of {_name(item.lock)} of {item.project.name} by hand",
        reason=f"It is not repaired here: {item.reason}. {seen.because(found)}.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Work on a machine that is not affected, with scripts off and no credentials.",
                "Run the commands, and look at the difference: nothing but the named packages may change.",
                *(("Ask for the known good release of each package.",) if not commands else ()),
            ),
            commands=commands,
        ),
        owner="repository-owner",
        incidents=seen.named(found),
        preconditions=(preserve.SEALED,),
        after=(preserve.SEAL,),
        undo="Take the file back from the repository's history.",
        check="A check of the project sees no listed release.",
        check_command=Command(words=("pratique", "check", item.project.folder)),
        destroys_evidence=True,
        sightings=item.project.sightings,
    )


def _commands(item: Planned) -> Iterator[Command]:
    """The commands that move a package to a known good release, for each manager."""
    name = _name(item.lock)
    if name == "bun.lockb":
        yield Command(
            words=("bun", "install", "--save-text-lockfile", "--frozen-lockfile", "--lockfile-only"),
            where="other-machine",
            note="Writes bun.lock from bun.lockb, which bun then removes: copy it before. Check and plan again.",
        )
        return
    for correction in item.corrections:
        for good in _bests(correction):
            words = _upgrade(item, correction.name, good)
            if words:
                yield Command(words=words, where="other-machine")


def _bests(correction: Correction) -> Iterable[str]:
    """The best good version of each line."""
    return {line_of(good): good for good in reversed(correction.good)}.values()


def _upgrade(item: Planned, name: str, good: str) -> tuple[str, ...]:
    table = {
        "npm": ("npm", "install", "--package-lock-only", "--ignore-scripts", f"{name}@{good}"),
        "pnpm": ("pnpm", "update", "--lockfile-only", "--ignore-scripts", f"{name}@{good}"),
        "yarn": ("yarn", "upgrade", "--ignore-scripts", f"{name}@{good}"),
        "bun": ("bun", "add", "--lockfile-only", "--ignore-scripts", f"{name}@{good}"),
        "deno": ("deno", "add", "--lockfile-only", f"npm:{name}@{good}"),
        "uv": ("uv", "lock", "--upgrade-package", f"{name}=={good}"),
        "poetry": ("poetry", "add", "--lock", f"{name}=={good}"),
        "pdm": ("pdm", "add", "--no-sync", f"{name}=={good}"),
        "pipenv": ("pipenv", "upgrade", f"{name}=={good}"),
        "pip": ("uv", "pip", "compile", "--upgrade-package", f"{name}=={good}", "<INPUT>", "-o", _name(item.lock)),
    }  # fmt: skip
    if (
        item.manager == "yarn"
        and item.project.files
        and any(file.path == item.lock and b"\n__metadata:" in file.content for file in item.project.files)
    ):
        return ("yarn", "set", "resolution", f"{name}@npm:<RANGE>", f"npm:{good}")
    return table.get(item.manager, ())

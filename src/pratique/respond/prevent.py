"""Settings that make the next incident miss: a cooldown, no scripts of dependencies, installs from the lockfile alone.

Each in the manager's own file and unit. A stricter setting stays. None of these edits is `safe`: they change what later
installs take or run, and a build may rest on that.

| Manager | Cooldown of a week | Scripts of dependencies |
|---|---|---|
| npm | `.npmrc`: `min-release-age=7` (days, 11.10) | `ignore-scripts=true`; npm 12 runs none unasked |
| pnpm | `pnpm-workspace.yaml`: `minimumReleaseAge: 10080` (minutes, 10.16) | before 10 `ignore-scripts=true` |
| Yarn 2 and later | `.yarnrc.yml`: `npmMinimalAgeGate: 10080` (minutes, 4.10) | `enableScripts: false` |
| Yarn classic | none | `.yarnrc`: `ignore-scripts true` |
| bun | `bunfig.toml`: `minimumReleaseAge = 604800` (seconds, 1.3) | runs only `trustedDependencies` |
| uv | by hand: `exclude-newer = "7 days"` (0.9.17), then `uv lock`, since uv.lock repeats it | |
| pip | by hand: `uploaded-prior-to = P7D` (26.1) in the user's pip.conf | |

A Yarn before 4.10 refuses to start with a setting that it does not know: it is put in where the version is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from pratique.ecosystems.cooldowns import DAY, cooldown, since
from pratique.ecosystems.edits import Span, decoded, edited, line_end, line_stop
from pratique.ecosystems.json_spans import parse as parse_json
from pratique.ecosystems.npm import npmrc
from pratique.ecosystems.npm.scripts import scripts_by_default
from pratique.ecosystems.toml_spans import parse as parse_toml
from pratique.model.observation import PolicyFact
from pratique.model.plan import Command, Manual, Precondition, Step
from pratique.respond import preserve, seen
from pratique.respond.edits import edit
from pratique.respond.revert import locks
from pratique.respond.situation import Project, Situation

DAYS = 7
"""How old a release has to be."""
_LOCKS = {
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
}
_FROZEN = {
    "npm": ("npm", "ci", "--ignore-scripts"),
    "pnpm": ("pnpm", "install", "--frozen-lockfile"),
    "yarn": ("yarn", "install", "--immutable"),
    "yarn classic": ("yarn", "install", "--frozen-lockfile", "--ignore-scripts"),
    "bun": ("bun", "install", "--frozen-lockfile"),
    "uv": ("uv", "sync", "--locked"),
    "poetry": ("poetry", "sync"),
    "pdm": ("pdm", "sync"),
    "pipenv": ("pipenv", "install", "--deploy"),
    "pip": ("pip", "install", "--require-hashes", "--only-binary", ":all:", "-r", "requirements.txt"),
}


class Wish(msgspec.Struct, frozen=True):
    """One setting that is wanted."""

    key: str
    value: str
    words: str
    """What it does, for people."""
    seconds: float = 0
    """Of a cooldown its length; 0 for others."""


class Setting(msgspec.Struct, frozen=True):
    """What a settings file gets: its new bytes, what was put in, and what was left as it is, with the reason."""

    content: bytes
    put_in: tuple[Wish, ...]
    left: tuple[str, ...] = ()


def wishes(manager: str, version: tuple[int, ...]) -> dict[str, tuple[Wish, ...]]:
    """The settings wanted of a manager, by the name of the file; `version` is empty where it is not known."""
    week = int(DAYS * DAY)
    text = ".".join(map(str, version)) or None
    blocked = scripts_by_default("yarn" if manager == "yarn classic" else manager, text) == "blocked"
    quiet = "no script of a dependency runs at install"
    aged = f"a release is taken when it is {DAYS} days old"
    if manager == "npm":
        scripts = () if blocked else (Wish("ignore-scripts", "true", quiet),)
        return {".npmrc": (Wish("min-release-age", str(DAYS), aged, week), *scripts)}
    if manager == "pnpm":
        found: dict[str, tuple[Wish, ...]] = {
            "pnpm-workspace.yaml": (Wish("minimumReleaseAge", str(week // 60), aged, week),)
        }
        if version and version < (10,):
            found = {".npmrc": (Wish("ignore-scripts", "true", quiet),)}
        return found
    if manager == "yarn":
        age = (Wish("npmMinimalAgeGate", str(week // 60), aged, week),) if version >= (4, 10) else ()
        return {".yarnrc.yml": (*age, Wish("enableScripts", "false", quiet))}
    if manager == "yarn classic":
        return {".yarnrc": (Wish("ignore-scripts", "true", quiet),)}
    if manager == "bun":
        return {"bunfig.toml": (Wish("minimumReleaseAge", str(week), aged, week),)}
    return {}


def steps(situation: Situation) -> Iterator[Step]:
    """Edits of settings for each project, and what has to be done by hand."""
    found = seen.sights(situation)
    managers: dict[str, None] = {}
    after: dict[str, tuple[bytes, str]] = {}
    for item in locks.planned(situation):
        for path, _, new in item.files:
            after[path] = (new, locks.step_of(item, path))
    edited_paths: set[str] = set()
    for project in situation.projects:
        mine = [sight for sight in found if sight.entry.id in set(project.sightings)]
        for manager, folder, files in _managers(project, after):
            managers[manager] = None
            yield from _edits(situation, project, manager, folder, files, after, edited_paths, mine)
        yield from _allowed(situation, project, mine)
    if any(project.files for project in situation.projects):
        yield from _by_hand(found, tuple(managers))


def _managers(project: Project, after: Mapping[str, tuple[bytes, str]]) -> Iterator[tuple[str, str, dict[str, bytes]]]:
    """The managers of a project by their lockfiles: name, folder, and the files of that folder by name."""
    for file in project.files:
        folder, _, name = file.path.rpartition("/")
        manager = _LOCKS.get(name)
        if manager is None and re.fullmatch(r".*requirements.*\.txt", name):
            manager = "pip"
        if manager is None:
            continue
        if name == "yarn.lock" and b"__metadata:" not in file.content:
            manager = "yarn classic"
        files = {
            item.path.rpartition("/")[2]: after[item.path][0] if item.path in after else item.content
            for item in project.files
            if item.path.rpartition("/")[0] == folder
        }
        files |= {path.rpartition("/")[2]: new for path, (new, _) in after.items() if path.rpartition("/")[0] == folder}
        yield manager, folder, files


def _yarn(files: Mapping[str, bytes]) -> tuple[int, ...]:
    """The version of Yarn 2 or later: of the program that the project names, else what its lockfile shows at least."""
    path = re.search(rb"^yarnPath:.*yarn-(\d+)\.(\d+)\.\d", files.get(".yarnrc.yml", b""), re.MULTILINE)
    if path is not None:
        return int(path[1]), int(path[2])
    form = re.search(rb"^__metadata:\r?\n  version: (\d+)", files.get("yarn.lock", b""), re.MULTILINE)
    number = int(form[1]) if form is not None and len(form[1]) < 9 else 0
    return (4, 15) if number >= 10 else (4, 14) if number == 9 else ()


def _edits(
    situation: Situation,
    project: Project,
    manager: str,
    folder: str,
    files: Mapping[str, bytes],
    after: Mapping[str, tuple[bytes, str]],
    taken: set[str],
    found: list[seen.Sight],
) -> Iterator[Step]:
    version = locks.version_of(files) or (_yarn(files) if manager == "yarn" else ())
    uncommitted = {file.path: file.uncommitted for file in project.files}
    for name, wanted in wishes(manager, version).items():
        path = f"{folder}/{name}"
        if path in taken:
            continue
        taken.add(path)
        before = files.get(name)
        made = changed(name, before, wanted, manager, version)
        if made is None or not made.put_in:
            continue
        conditions = [preserve.SEALED]
        if uncommitted.get(path) is not None:
            conditions.append(Precondition(kind="uncommitted", words=f"{name} has no change that nobody committed."))
        conditions.append(
            Precondition(kind="digest", words="The file is as it was read.")
            if before is not None
            else Precondition(kind="absent", words="There is no such file.")
        )
        earlier = after[path][1] if path in after else ""
        if earlier:
            conditions.append(Precondition(kind="done", words="The edit before it is done.", step=earlier))
        told = "; ".join(f"{wish.key}: {wish.words}" for wish in made.put_in)
        unknown = [
            f"{manager} {'.'.join(map(str, version))} does not know {wish.key}, which came with "
            f"{'.'.join(map(str, since(manager, wish.key)))}: bring it up to date"
            for wish in made.put_in
            if version and version < since(manager, wish.key)
        ]
        notes = [
            *unknown,
            *(
                f"{wish.key} needs {manager} {'.'.join(map(str, since(manager, wish.key)))} or later"
                for wish in made.put_in
                if not version and since(manager, wish.key)
            ),
            *made.left,
        ]
        yield Step(
            id=f"prevent.settings.{project.name}.{seen.slug(path)}",
            phase="prevent",
            title=f"Set {', '.join(wish.key for wish in made.put_in)} in {name} of {project.name}",
            reason=". ".join([told, *notes]) + ".",
            disposition="unsafe",
            action=edit(path, before, made.content),
            owner="repository-owner",
            incidents=seen.named(found),
            preconditions=tuple(conditions),
            after=(preserve.SEAL, *((earlier,) if earlier else ())),
            undo="pratique undo puts the bytes back.",
            check="A build from an empty cache works: packages that need their script are allowed one by one.",
            check_command=Command(words=_FROZEN[manager], where="other-machine"),
            destroys_evidence=True,
            sightings=project.sightings,
        )


def changed(
    name: str, before: bytes | None, wanted: tuple[Wish, ...], manager: str, version: tuple[int, ...] = ()
) -> Setting | None:
    """A settings file with the wanted settings; None where it is not understood. Stricter ones stay as they are."""
    text = decoded(before) if before is not None else ""
    if text is None:
        return None
    put_in: list[Wish] = []
    left: list[str] = []
    for wish in wanted:
        found = _found(name, text, wish.key)
        if found is not None and found[1] is None:
            left.append(f"{wish.key} is written in a way that is not edited here: look at it")
            continue
        value = found[1] if found is not None else None
        if name == ".npmrc" and wish.key == "min-release-age" and _found(name, text, "before") is not None:
            left.append("before is set already and wins")
            continue
        if value is not None and found is not None:
            stays = _stays(manager, wish, value, version)
            if stays is not None:
                left += [stays] if stays else []
                continue
            text = edited(text, [Span(found[0].start, found[0].end, wish.value)])
        else:
            text = _added(name, text, wish)
        put_in.append(wish)
    return Setting(text.encode(), tuple(put_in), tuple(left))


def _stays(manager: str, wish: Wish, value: str, version: tuple[int, ...]) -> str | None:
    """Whether a value that is there stays: the words for people, empty where it is the same; None: it is replaced."""
    if not wish.seconds:
        return "" if value.strip("\"'") == wish.value else None
    if "${" in value:
        return f"{wish.key} comes from the environment and stays"
    fact = PolicyFact(setting=wish.key, value=value, manager=manager)
    there = cooldown(manager, [[fact]], None)
    if there is None:
        return None
    if there.age is None:
        return f"{there.shown} stays"
    return (
        (f"{there.shown} is stricter and stays" if there.age > wish.seconds else "")
        if there.age >= wish.seconds
        else None
    )


def _found(name: str, text: str, key: str) -> tuple[Span, str | None] | None:
    """Where the value of a setting stands, and the value; a value of None is one that is not understood."""
    if name == ".npmrc":
        hits = [item for item in npmrc.settings(text) if item.key == key]
        if not hits:
            return None
        rows = text.split("\n")
        row = rows[hits[-1].line - 1] if hits[-1].line <= len(rows) else ""
        head = row.find("=")
        if hits[-1].value is None or head < 0 or "\r" in text.replace("\r\n", ""):
            return Span(0, 0), None
        start = sum(len(item) + 1 for item in rows[: hits[-1].line - 1]) + head + 1
        return Span(start, start + len(row[head + 1 :].rstrip("\r"))), hits[-1].value
    if name == "bunfig.toml":
        tables = parse_toml(text)
        if tables is None:
            return Span(0, 0), None
        for table in tables:
            for entry in table.entries:
                if (*table.path, *entry.key) == ("install", key):
                    return Span(entry.start, entry.end), text[entry.start : entry.end]
                if (*table.path, *entry.key) == ("install",):
                    return Span(0, 0), None
        return None
    sign = r"[ \t]+" if name == ".yarnrc" else r"[ \t]*:[ \t]*"
    line = re.search(rf"^\ufeff?([\"']?){re.escape(key)}\1{sign}", text, re.MULTILINE)
    if line is None:
        return None
    value = re.compile(r"[^\s#\"'{}\[\]&*!|>]+|\"[^\"\n]*\"|'[^'\n]*'").match(text, line.end())
    return (Span(value.start(), value.end()), value.group().strip("\"'")) if value else (Span(0, 0), None)


def _added(name: str, text: str, wish: Wish) -> str:
    end = line_end(text) if text else "\n"
    if name == "bunfig.toml":
        row = f"{wish.key} = {wish.value}{end}"
        tables = parse_toml(text) or []
        table = next((item for item in tables if item.path == ("install",)), None)
        if table is not None:
            at = table.entries[-1].stop if table.entries else table.body
            gap = "" if text[:at].endswith("\n") else end
            return edited(text, [Span(at, at, gap + row)])
        gap = "" if not text else end if text.endswith("\n") else end * 2
        return f"{text}{gap}[install]{end}{row}"
    sign = {".npmrc": "=", ".yarnrc": " "}.get(name, ": ")
    row = f"{wish.key}{sign}{wish.value}{end}"
    section = re.search(r"^\[[^\]\n]*\][ \t]*\r?$", text, re.MULTILINE) if name == ".npmrc" else None
    if section is not None:
        return edited(text, [Span(section.start(), section.start(), row)])
    return f"{text}{'' if not text or text.endswith(chr(10)) else end}{row}"


def _allowed(situation: Situation, project: Project, found: list[seen.Sight]) -> Iterator[Step]:
    """Listed packages that a project allows to run scripts: a person takes them off the list."""
    names = sorted({item.name for item in locks.corrections(situation) if item.ecosystem == "npm"})
    rows = []
    for file in project.files:
        base = file.path.rpartition("/")[2]
        text = decoded(file.content) or ""
        if base == "package.json":
            root = parse_json(text)
            for keys in (("pnpm", "onlyBuiltDependencies"), ("trustedDependencies",), ("allowScripts",)):
                value = root.get(*keys) if root is not None else None
                held = [item.plain for item in value.items or ()] if value is not None else []
                held += [member.key for member in value.members or ()] if value is not None else []
                rows += [f"{base}: {'.'.join(keys)} names {name}" for name in names if name in held]
        elif base == "pnpm-workspace.yaml":
            for found_list in re.finditer(r"^(onlyBuiltDependencies|allowBuilds):[ \t]*\r?\n", text, re.MULTILINE):
                block = re.compile(r"(?:[ \t]+[^\n]*\n)*").match(text, line_stop(text, found_list.start()))
                words = re.findall(r"[@\w./-]+", block.group()) if block else []
                rows += [f"{base}: {found_list[1]} names {name}" for name in names if name in words]
    if rows:
        yield Step(
            id=f"prevent.allowed.{project.name}.{seen.slug(project.folder)}",
            phase="prevent",
            title=f"Take listed packages off the lists of {project.name} that let scripts run",
            reason="; ".join(rows) + ".",
            disposition="manual",
            action=Manual(instructions=tuple(rows)),
            owner="repository-owner",
            incidents=seen.named(found),
            preconditions=(preserve.SEALED,),
            after=(preserve.SEAL,),
            undo="Take the file back from the repository's history.",
            check="None of the lists names a listed package.",
            destroys_evidence=True,
            sightings=project.sightings,
        )


def _by_hand(found: list[seen.Sight], managers: tuple[str, ...]) -> Iterator[Step]:
    texts = {
        "uv": '[tool.uv]\nexclude-newer = "7 days"  # uv 0.9.17 or later; run `uv lock` afterwards, uv.lock repeats it',
        "pip": "[install]\nuploaded-prior-to = P7D  ; pip 26.1 or later, in the user's pip.conf",
        "yarn classic": "# Yarn classic knows no cooldown: move to Yarn 4.10 or later, or put one at the mirror.",
        "poetry": "# Poetry knows no cooldown: put one at the index.",
        "pdm": "# PDM: keep young releases out at the index.",
        "pipenv": "# Pipenv knows no cooldown: put one at the index.",
    }
    rows = [texts[name] for name in managers if name in texts]
    commands = tuple(Command(words=_FROZEN[name], where="service", note=f"{name}, in every job") for name in managers)
    yield Step(
        id="prevent.jobs",
        phase="prevent",
        title="Install from the committed lockfile alone in every job, scripts off",
        reason="A job that resolves anew takes whatever is newest at that minute, and a script runs with its secrets.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Replace installs that resolve by these commands in every job and image.",
                "Give jobs that install no secret to publish or deploy with.",
                *(("Set what the text says, by hand.",) if rows else ()),
            ),
            commands=commands,
            text="\n\n".join([*rows, ""]) if rows else "",
        ),
        owner="platform-engineer",
        incidents=seen.named(found),
        undo="Bring the old commands back.",
        check="A job fails where manifest and lockfile disagree.",
        sightings=seen.ids(found),
    )

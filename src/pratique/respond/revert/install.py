"""Install anew from the repaired lockfile: in the frozen mode of its manager, with scripts off. For people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pratique.model.plan import Command, Manual, Step
from pratique.respond import preserve, seen
from pratique.respond.situation import Project, Situation

_FROZEN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("package-lock.json", ("npm", "ci", "--ignore-scripts")),
    ("npm-shrinkwrap.json", ("npm", "ci", "--ignore-scripts")),
    ("pnpm-lock.yaml", ("pnpm", "install", "--frozen-lockfile", "--ignore-scripts")),
    ("bun.lock", ("bun", "install", "--frozen-lockfile", "--ignore-scripts")),
    ("uv.lock", ("uv", "sync", "--frozen")),
    ("poetry.lock", ("poetry", "sync")),
    ("pdm.lock", ("pdm", "sync", "--clean")),
    ("Pipfile.lock", ("pipenv", "sync")),
)
_CLASSIC = ("yarn", "install", "--frozen-lockfile", "--ignore-scripts")
_BERRY = ("yarn", "install", "--immutable", "--mode=skip-build")


def steps(situation: Situation) -> Iterator[Step]:
    """One step for each project in which a listed release was installed."""
    by_id = {sight.entry.id: sight for sight in seen.sights(situation)}
    ran = bool(seen.ran(situation))
    for project in situation.projects:
        found = [by_id[name] for name in project.sightings if name in by_id]
        found = [sight for sight in found if sight.entry.depth in ("installed", *seen.RAN)]
        commands = tuple(_commands(project, ran))
        if found and commands:
            yield Step(
                id=f"revert.install.{project.name}",
                phase="revert",
                title=f"Install {project.name} anew from the repaired lockfile, scripts off",
                reason=f"Its folder of packages holds what was listed, or gaps where it lay. {seen.because(found)}.",
                disposition="manual",
                action=Manual(
                    instructions=(
                        "First see that the lockfile is repaired: nothing listed may stand in it.",
                        "Work on the rebuilt machine; install nothing on one where code of the incident ran."
                        if ran
                        else "Stop what runs out of that folder of packages.",
                        "Move the whole folder of packages aside first: a manager leaves links to what is gone.",
                        "Allow the scripts of single packages afterwards, by name.",
                    ),
                    commands=commands,
                ),
                owner="repository-owner",
                incidents=seen.named(found),
                preconditions=(preserve.SEALED,),
                after=(preserve.SEAL,),
                undo="Take the folder of packages away again.",
                check="A check of the project sees no listed release.",
                check_command=Command(
                    words=("pratique", "check", project.folder), where="other-machine" if ran else "affected-machine"
                ),
                destroys_evidence=True,
                sightings=seen.ids(found),
            )


def _commands(project: Project, ran: bool) -> Iterator[Command]:
    where: Literal["other-machine", "affected-machine"] = "other-machine" if ran else "affected-machine"
    names = {path.path.rpartition("/")[2]: path for path in project.files}
    for name, words in _FROZEN:
        if name in names:
            yield Command(words=words, where=where)
    if "yarn.lock" in names:
        words = _BERRY if b"__metadata:" in names["yarn.lock"].content else _CLASSIC
        yield Command(words=words, where=where)

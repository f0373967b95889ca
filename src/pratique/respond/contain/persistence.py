"""Keep what was planted from starting again: for people, with the commands of the mechanism that was seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.model.plan import Command, Manual, Step
from pratique.respond import preserve, seen
from pratique.respond.situation import Situation

USER_UNITS = (
    (".config/systemd/user", "systemd"),
    ("Library/LaunchAgents", "launchd"),
    (".config/autostart", "autostart"),
)


def steps(situation: Situation) -> Iterator[Step]:
    """One step for all that starts by itself and that sightings rest on."""
    rows: dict[tuple[str, str], seen.Sight] = {}
    for sight, fact in seen.facts(situation, "persistence"):
        rows.setdefault((str(fact.get("mechanism")), _name(fact)), sight)
    for sight in seen.sights(situation):
        path = sight.path or ""
        for folder, mechanism in USER_UNITS:
            parent, _, name = path.rpartition("/")
            if parent.endswith(f"/{folder}") and sight.entry.kind == "indicator":
                rows.setdefault((mechanism, name), sight)
    if not rows:
        return
    commands: list[Command] = []
    told: list[str] = []
    for mechanism, name in sorted(rows):
        told.append(f"{mechanism}: {name}")
        commands += _commands(mechanism, name)
    sights = list(rows.values())
    yield Step(
        id="contain.persistence",
        phase="contain",
        title="Keep what was planted from starting again",
        reason=f"It starts with the machine, a session or a program. {seen.because(sights)}.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Copy each file before it is changed.",
                *told,
                "Look for more of the same mechanism that is new since the install.",
            ),
            commands=tuple(commands),
        ),
        owner="responder",
        incidents=seen.named(sights),
        preconditions=(preserve.SEALED,),
        after=(preserve.SEAL,),
        undo="Enable the same names again.",
        check="After a new login none of them runs.",
        check_command=Command(words=("pratique", "host")),
        triggers_dead_man_switch=True,
        sightings=seen.ids(sights),
    )


def _name(fact: dict[str, Any]) -> str:
    return str(fact.get("name") or "?")


def _commands(mechanism: str, name: str) -> Iterator[Command]:
    if mechanism == "systemd":
        yield Command(words=("systemctl", "--user", "disable", "--now", name), note="a unit of this user")
    elif mechanism == "linger":
        yield Command(words=("loginctl", "disable-linger", name), note="units of this user end with the session again")
    elif mechanism == "launchd":
        label = name.removesuffix(".plist")
        yield Command(words=("launchctl", "bootout", f"gui/<UID>/{label}"))
        yield Command(words=("launchctl", "disable", f"gui/<UID>/{label}"))
    elif mechanism == "cron":
        yield Command(words=("crontab", "-e"), note=f"take out: {name}")
    elif mechanism == "at":
        yield Command(words=("atrm", name))
    elif mechanism == "scheduled-task":
        yield Command(words=("schtasks", "/Change", "/TN", name, "/DISABLE"))
    elif mechanism == "run-key":
        key, _, value = name.rpartition("\\")
        yield Command(words=("reg", "delete", key, "/v", value), note="export the key first: reg export")
    elif mechanism == "service":
        yield Command(words=("sc.exe", "config", name, "start=", "disabled"))

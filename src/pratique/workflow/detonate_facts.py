"""What a release did, as facts: each rests on events by their numbers and says what was seen, not what it means."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping

from pratique.model.detonation import Behaviour, Found
from pratique.model.event import Event

LONGEST = 240
ORDER = (
    "honeytoken.sent",
    "credential.read",
    "payload.sent",
    "program.dropped",
    "program.memory",
    "process.survived",
    "manifest.replaced",
    "self.deleted",
    "integrity",
    "persistence.written",
    "sandbox.tried",
    "network.reached",
    "name.asked",
    "port.opened",
    "program.started",
    "file.left",
    "gap",
)
"""Kinds of behaviour, what matters most first."""


def behaviours(events: Iterable[Event], files: Iterable[Found]) -> tuple[Behaviour, ...]:
    """The facts that events and files that were left make, in order of `ORDER`, each once."""
    rows: dict[tuple[str, str, object], list[int]] = {}
    held: dict[tuple[str, str, object], Behaviour] = {}
    for event in events:
        for kind, statement in _of(event):
            cause = event.cause if event.cause is not None and event.cause.name else None
            key = (kind, statement, (cause.name, cause.step) if cause is not None else None)
            rows.setdefault(key, []).append(event.sequence)
            held.setdefault(key, Behaviour(kind, statement, (), cause))
    made = [Behaviour(one.kind, one.statement, tuple(rows[key][:20]), one.cause) for key, one in held.items()]
    for file in files:
        where = f", a link to {file.target}" if file.target else f", {file.size} bytes, sha256 {file.sha256[:16]}"
        runs = ", can be run" if file.executable else ""
        made.append(Behaviour("file.left", _cut(f"left {file.path}{where}{runs}")))
    return tuple(sorted(made, key=lambda one: ORDER.index(one.kind)))


def _of(event: Event) -> list[tuple[str, str]]:
    tell = _TELL.get(event.kind)
    return [(kind, _cut(text)) for kind, text in tell(event)] if tell is not None else []


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _command(event: Event) -> str:
    process = event.process
    return shlex.join(process.arguments) if process is not None and process.arguments else "?"


def _where(event: Event) -> str:
    port = f" port {event.port}" if event.port is not None else ""
    return f"{event.host or event.address}{port}"


def _started(event: Event) -> list[tuple[str, str]]:
    if event.dropped and event.path_class not in ("package", "manifest", "project", "system"):
        return [("program.dropped", f"ran what it had written: {_command(event)}")]
    return [("program.started", f"ran {_command(event)}")]


def _payload(event: Event) -> list[tuple[str, str]]:
    size = f"{event.detail.get('size', '?')} bytes" if event.protocol != "dns" else "names"
    what = f"{event.detail['method']} {event.detail.get('path', '')}, " if event.detail.get("method") else ""
    if event.honeytokens:
        how = event.detail.get("encodings", ", ".join(event.honeytokens))
        return [("honeytoken.sent", f"sent planted credentials to {_where(event)} by {event.protocol}: {how}")]
    return [("payload.sent", f"sent {what}{size} to {_where(event)} by {event.protocol}")]


def _deleted(event: Event) -> list[tuple[str, str]]:
    if event.process is not None and event.path == event.process.script:
        return [("self.deleted", f"deleted its own script {event.path}")]
    return []


def _renamed(event: Event) -> list[tuple[str, str]]:
    if event.path_class == "manifest":
        return [("manifest.replaced", f"put {event.path} in the place of {event.target}")]
    if event.path_class == "persistence":
        return [("persistence.written", f"put {event.path} at {event.target}")]
    return []


def _written(event: Event) -> list[tuple[str, str]]:
    if event.path_class == "persistence":
        return [("persistence.written", f"wrote {event.path}, which runs again")]
    if event.path_class == "credential":
        return [("credential.read", f"changed credentials at {event.path}")]
    return []


def _read(event: Event) -> list[tuple[str, str]]:
    return [("credential.read", f"read credentials at {event.path}")] if event.path_class == "credential" else []


def _integrity(event: Event) -> list[tuple[str, str]]:
    what = {"integrity.changed": "is not what the archive holds", "integrity.missing": "is gone",
            "integrity.extra": "is not in the archive"}[event.kind]  # fmt: skip
    return [("integrity", f"{event.path} {what}")]


_TELL: Mapping[str, Callable[[Event], list[tuple[str, str]]]] = {
    "process.start": _started,
    "memory.program": lambda event: [("program.memory", f"ran a program out of memory: {_command(event)}")],
    "process.survived": lambda event: [
        ("process.survived", f"left running ({event.detail.get('how', 'left behind')}): {_command(event)}")
    ],
    "network.connect": lambda event: [("network.reached", f"connected to {_where(event)}")] if event.port != 53 else [],
    "network.name": lambda event: [("name.asked", f"asked for the address of {event.host}")],
    "network.listen": lambda event: [("port.opened", f"listened on {event.address} port {event.port}")],
    "network.payload": _payload,
    "file.read": _read,
    "file.write": _written,
    "file.delete": _deleted,
    "file.rename": _renamed,
    "integrity.changed": _integrity,
    "integrity.missing": _integrity,
    "integrity.extra": _integrity,
    "guard.tampering": lambda event: [("sandbox.tried", event.detail.get("what", "") + f": {_command(event)}")],
    "guard.gap": lambda event: [("gap", f"{event.detail.get('what', '')}: {event.detail.get('why', '')}")],
}

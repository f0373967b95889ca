"""Show the new bytes of lockfiles to their real clients: what a plan calls a proof."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pratique.adapters.clients.asking import SECONDS, Answer, ask
from pratique.adapters.clients.rows import ROWS, by_hand, rows
from pratique.respond.situation import Project, Proof, Prove

_OTHERS = frozenset({"poetry.lock", "pdm.lock", "Pipfile.lock"})
_BY_HAND = {
    "poetry.lock": "poetry check --lock",
    "pdm.lock": "pdm lock --check",
    "Pipfile.lock": "pipenv verify",
}


def prover(*, online: bool = True, search: str | None = None, seconds: float = SECONDS) -> Prove:
    """How repaired lockfiles are proven here. `search` stands for PATH.

    Where no network is allowed (`online` is false), clients that fetch packages are not asked.
    """

    def prove(project: Project, files: Mapping[str, bytes]) -> Proof:
        return _prove(project, files, online, search, seconds)

    return prove


def _prove(project: Project, files: Mapping[str, bytes], online: bool, search: str | None, seconds: float) -> Proof:
    known = {item.path: item.content for item in project.files} | dict(files)
    locks = [path for path in files if _is_lock(path)]
    folders = {os.path.dirname(path) for path in files}
    if not locks:  # a manifest alone: its lockfile as it is must still fit
        locks = [path for path in known if _is_lock(path) and os.path.dirname(path) in folders]
    if not locks:
        return Proof(None, "no lockfile that a client could be asked about")
    asked = {path: _answer(path, known, online, search, seconds) for path in sorted(locks)}
    answers = asked.values()
    words = "; ".join(answer.words for answer in answers)
    if any(answer.accepted is False for answer in answers):
        return Proof(False, words)
    if any(answer.accepted is None for answer in answers):
        return Proof(None, words)
    return Proof(True, words, {path: item.completed for path, item in asked.items() if item.completed is not None})


def _is_lock(path: str) -> bool:
    name = os.path.basename(path)
    return name in _OTHERS or any(name in row.lockfiles for row in ROWS)


def _answer(path: str, known: Mapping[str, bytes], online: bool, search: str | None, seconds: float) -> Answer:
    folder, name = os.path.split(path)
    if name in _OTHERS:
        return Answer(None, f"{name} is not shown to its client here; by hand, in a copy: {_BY_HAND[name]}")
    row = next(iter(rows(name, known[path])), None)
    if row is not None and row.network and not online:
        hand = f"by hand, in a copy: {by_hand(row)}"
        return Answer(None, f"{row.program} needs its registry, which is asked with --online alone; {hand}")
    below = {
        os.path.relpath(other, folder).replace(os.sep, "/"): content
        for other, content in known.items()
        if other == path or os.path.commonpath((folder, other)) == folder
    }
    return ask(folder, name, below, search=search, seconds=seconds)

"""A step, done or taken back, and how the disk stands to it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from typing import Literal

import msgspec

from pratique.adapters import disk
from pratique.adapters.apply.answers import Changed, Failed, Refused, words
from pratique.adapters.apply.drafts import draft_of, remove
from pratique.adapters.apply.edits import edit, restore
from pratique.adapters.apply.folders import known_folder, make
from pratique.adapters.apply.moves import MOVED, move, put_back
from pratique.model.plan import Edit, Quarantine
from pratique.model.ports import Unreadable

State = Literal["before", "after", "between", "changed"]


class Seen(msgspec.Struct, frozen=True):
    """How the disk stands to a step. `there` is the digest of what is at its path, None where nothing is."""

    state: State
    there: str | None


def state(action: Edit | Quarantine, place: str) -> Seen:
    """How the disk stands to a step; `place` is the step's own folder in the quarantine. Raises Refused."""
    try:
        there = _digest(action.path)
        if isinstance(action, Edit):
            if there == action.before:
                return Seen("before", there)
            return Seen("after" if there == action.after else "changed", there)
        moved = _digest(f"{place}/{MOVED}")
    except Unreadable as error:
        raise Refused(f"{action.path}: {error.reason}") from None
    if moved is None:
        return Seen("before" if there == action.digest else "changed", there)
    if moved != action.digest:
        return Seen("between" if there == action.digest else "changed", there)
    return Seen("after" if there is None else "between", there)


def carry_out(action: Edit | Quarantine, place: str) -> Changed:
    """Do a step. Raises Refused and Failed; then nothing at its path was changed."""
    make(os.path.dirname(place))
    make(place)
    return _at(action, place, edit, move)


def take_back(action: Edit | Quarantine, place: str) -> Changed:
    """Undo a step: the bytes from before stand there again. Raises Refused and Failed."""
    return _at(action, place, restore, put_back)


def _at(
    action: Edit | Quarantine,
    place: str,
    of_edit: Callable[[Edit, str, int, str], Changed],
    of_move: Callable[[Quarantine, str, int, str], Changed],
) -> Changed:
    """Act in the folder of a step's path, which is reached without following a link. Raises Refused and Failed."""
    tidy(action, place)
    try:
        with disk.parent(action.path) as (folder, name):
            if isinstance(action, Edit):
                return of_edit(action, place, known_folder(folder), name)
            return of_move(action, place, known_folder(folder), name)
    except Unreadable as error:
        raise Refused(f"{action.path}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{action.path}: {words(error)}") from None


def tidy(action: Edit | Quarantine, place: str) -> None:
    """Take away the draft that a killed run of this step left beside its path."""
    with contextlib.suppress(Unreadable, OSError), disk.parent(action.path) as (folder, _):
        draft = draft_of(place)
        if disk.look(folder, draft) is not None:
            remove(known_folder(folder), draft)


def _digest(path: str) -> str | None:
    """The digest of what is at a path; None where nothing is, the folder above included."""
    try:
        with disk.parent(path) as (folder, name):
            return None if disk.look(folder, name) is None else disk.digest_at(folder, name)[0]
    except Unreadable as error:
        if error.reason == os.strerror(errno.ENOENT).lower():
            return None
        raise

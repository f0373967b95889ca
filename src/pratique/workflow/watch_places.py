"""New persistence: the places of what starts by itself, compared with how they were, told with what they start."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from pratique.model.errors import UsageError
from pratique.model.observation import Observation, PersistenceFact
from pratique.model.ports import Artifact, Interest, Unreadable
from pratique.readers import discovery
from pratique.targets.host_snapshot import Change, Snapshot, Stamp
from pratique.workflow.sweep import dispatch

STATE_SCHEMA = "pratique.watch-state/1"
_LONGEST = 400


class State(msgspec.Struct):
    """What a watch remembers between two runs."""

    schema: str
    stamps: dict[str, Stamp]


class Persistence:
    """The places of this machine. `told` gets path, kind of change, stamps and words of every change."""

    def __init__(self, projects: Sequence[str], state: Path | None) -> None:
        """Raises UsageError where `state` is no file of this program, or a folder that it could lie in is not there."""
        table, self._modules = dispatch("host")
        self._state = state
        self.snapshot = Snapshot(table, projects, _remembered(state) if state is not None else None)
        self.unsaved = ""

    def look(self, told: Callable[[Change, dict[str, str]], None]) -> None:
        """Compare, tell what changed, remember."""
        changes = self.snapshot.look()
        for change in changes:
            told(change, self._words(change))
        if self._state is not None and (changes or not self._state.exists()):
            self._save(self._state)

    def _words(self, change: Change) -> dict[str, str]:
        """What readers say of a file that starts something: how, when, which programs and scripts."""
        detail = {"change": "new" if change.before is None else "gone" if change.after is None else "changed"}
        facts = [fact for key, artifact in change.handed for fact in self._facts(key, artifact)]
        for name, values in (
            ("mechanism", [fact.mechanism for fact in facts]),
            ("when", [fact.when for fact in facts]),
            ("starts", [word for fact in facts for word in (*fact.programs, *fact.files)]),
        ):
            said = " ".join(dict.fromkeys(value for value in values if value))
            if said:
                detail[name] = said[:_LONGEST]
        return detail

    def _facts(self, key: int, artifact: Artifact) -> list[PersistenceFact]:
        try:
            reader = discovery.load(self._modules[key])
            found = reader.read(artifact, Interest({}, everything=True))
            facts = [one.facts for one in found if isinstance(one, Observation)]
        except (Unreadable, OSError):
            return []
        return [fact for fact in facts if isinstance(fact, PersistenceFact)]

    def _save(self, path: Path) -> None:
        """Write the state whole or not at all."""
        text = msgspec.json.encode(State(STATE_SCHEMA, self.snapshot.stamps), order="sorted")
        try:
            descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(text + b"\n")
                os.replace(draft, path)
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(draft)
                raise
            self.unsaved = ""
        except OSError as error:
            self.unsaved = f"the state could not be written: {(error.strerror or type(error).__name__).lower()}"


def _remembered(path: Path) -> dict[str, Stamp] | None:
    """The stamps of an earlier run; None where there was none. Raises UsageError."""
    if not path.parent.is_dir():
        raise UsageError("the folder is not there", where=str(path), advice="Make it, or name another file")
    try:
        found = msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UsageError("is no state of a watch", where=str(path), advice="Remove it, or name another file") from None
    if found.schema != STATE_SCHEMA:
        raise UsageError(f"is a state of form {found.schema[:60]!r}", where=str(path), advice="Remove it")
    return found.stamps

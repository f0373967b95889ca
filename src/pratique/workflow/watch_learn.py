"""Learn what is normal: from what runs now, or from events that were written down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from pratique.adapters import clock
from pratique.behaviour.baseline import Baseline
from pratique.model.errors import UsageError
from pratique.readers.events import events_of
from pratique.workflow.watch import WatchRequest, watch
from pratique.workflow.watch_baseline import read_baseline, write_baseline

MOST_BYTES = 256 << 20


class Learned(msgspec.Struct, frozen=True):
    """What came of it: entries in the file, how many of them are new, events that showed something, what was left out.

    `gaps` says what could not be read or seen.
    """

    entries: int
    new: int
    events: int
    left_out: int
    gaps: tuple[str, ...]


def learn(
    out: Path,
    *,
    seconds: float | None = None,
    events: Sequence[Path] = (),
    label: str = "",
    request: WatchRequest | None = None,
) -> Learned:
    """Add what is seen to a baseline, which is made where it is not there; what it holds stays, with its notes.

    `events` are files that `pratique guard --events` or a watch wrote; else this machine is watched for `seconds`, or
    until a signal. `label` says where it was seen: by default the machine, or the file's name. Raises UsageError,
    ConfigurationError.
    """
    if events and seconds is not None:
        raise UsageError("--for belongs to a machine, and --events to files", advice="Name one of them")
    if not out.parent.is_dir():
        raise UsageError("the folder is not there", where=str(out), advice="Make it, or name another file")
    baseline = read_baseline(out) if out.exists() else Baseline()
    before = len(baseline.entries)
    gaps: list[str] = []
    shown = 0
    if events:
        for path in events:
            where = label or path.name.split(".")[0]
            try:
                if path.stat().st_size > MOST_BYTES:
                    raise UsageError(f"is larger than {MOST_BYTES} bytes", where=str(path), advice="Split it")
                content = path.read_bytes()
            except OSError as error:
                raise UsageError(f"cannot be read: {(error.strerror or '').lower()}", where=str(path)) from None
            found, refusals = events_of(content, str(path))
            gaps += [f"{one.path}: {one.reason}" for one in refusals]
            shown += sum(baseline.learn(event, where) for event in found)
    else:
        where = label or clock.host()
        counted = [0]

        def take(event: object) -> None:
            counted[0] += baseline.learn(event, where)  # type: ignore[arg-type]  # events alone come here

        asked = msgspec.structs.replace(request or WatchRequest(), seconds=seconds)
        sums = watch(asked, lambda noticed: None, take)
        shown = counted[0]
        gaps += sums.gaps
        if sums.unread:
            gaps.append(f"{sums.unread} programs ended before their arguments could be read: they are not in it")
        if sums.noticed:
            gaps.append(
                f"{sums.noticed} detections while it learned, which pratique watch tells: read the file with care"
            )
    write_baseline(baseline, out)
    return Learned(len(baseline.entries), len(baseline.entries) - before, shown, baseline.left_out, tuple(gaps))

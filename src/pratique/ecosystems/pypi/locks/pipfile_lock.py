"""Repair of Pipfile.lock. `_meta.hash` is of the Pipfile and stays."""

from __future__ import annotations

import json

from pratique.ecosystems.edits import Span, decoded, edited, line_end, line_start
from pratique.ecosystems.json_spans import Value, parse, removal
from pratique.ecosystems.pypi.locks.records import ECOSYSTEM, files
from pratique.ecosystems.repairs import Unfit, Wanted, known, sources, total
from pratique.model.repair import PYTHON, Change, Correction, LockCodec, LockedRelease, Releases, Repaired


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    text = decoded(content)
    root = parse(text) if text is not None else None
    if text is None or root is None or root.members is None or root.get("_meta") is None:
        raise Unfit("it is no Pipfile.lock")
    wanted = Wanted(corrections, ECOSYSTEM)
    changes: list[Change] = []
    used: list[LockedRelease] = []
    spans: list[Span] = []
    for group in root.members:
        if group.key == "_meta" or group.value.members is None:
            continue
        gone = []
        for index, member in enumerate(group.value.members):
            pinned = (member.value.text("version") or "").lstrip("=").strip()
            correction = wanted.of(member.key, pinned) if pinned else None
            if correction is None:
                continue
            entry = f"{group.key}: {member.key}"
            if not wanted.good(correction):
                gone.append(index)
                why = f"{correction.name} is a payload and goes altogether"
                changes.append(Change(entry=entry, was=pinned, why=why))
                continue
            version = wanted.near(correction, pinned) or wanted.chosen(correction, pinned)
            if version is None:
                raise Unfit(f"no good version of {correction.name} is known")
            record = known(releases, correction.name, version, PYTHON)
            used.append(record)
            spans += _entry(text, member.value, record)
            changes.append(Change(entry=entry, was=pinned, now=version))
        if gone and len(gone) == len(group.value.members):
            spans.append(Span(group.value.start, group.value.end, "{}"))
        else:
            spans += _removals(text, group.value, gone)
    return Repaired(
        content=edited(text, spans).encode() if spans else content,
        changes=tuple(sorted(changes)),
        release_of=sources(used),
    )


def _removals(text: str, group: Value, gone: list[int]) -> list[Span]:
    members = group.members or []
    kept = max((i for i in range(len(members)) if i not in gone), default=-1)
    spans = [removal(text, group, index) for index in gone if index < kept]
    if gone and kept < len(members) - 1:
        spans.append(Span(members[kept].value.end, members[-1].value.end))
    return spans


def _entry(text: str, value: Value, record: LockedRelease) -> list[Span]:
    version, hashes = value.get("version"), value.get("hashes")
    if version is None:
        raise Unfit(f"{record.name} has no version")
    spans = [Span(version.start, version.end, json.dumps(f"=={record.version}"))]
    if hashes is not None and hashes.items:
        digests = sorted(f"sha256:{item.sha256}" for item in files(record))
        first = hashes.items[0].start
        blanks = text[line_start(text, first) : first]
        between = f",{line_end(text)}{blanks}" if not blanks.strip() else ", "
        spans.append(Span(first, hashes.items[-1].end, between.join(json.dumps(item) for item in digests)))
    return spans


CODEC = LockCodec(
    name="pipfile-lock", basenames=("Pipfile.lock",), managers=("pipenv",), ecosystem=ECOSYSTEM, repair=total(repair)
)

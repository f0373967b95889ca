"""Repair of requirements and constraints files that pin releases, as people, pip-compile and uv write them.

A pin (`==`, `===`) of a listed release gets the good version, and the digests of its archives where it has digests.
"""

from __future__ import annotations

import itertools
import re

from pratique.ecosystems.edits import Span, decoded, edited
from pratique.ecosystems.pypi.files import file_of, release_of
from pratique.ecosystems.pypi.locks.records import ECOSYSTEM, files, needs
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.repairs import Unfit, Wanted, known, sources, total
from pratique.model.repair import PYTHON, Change, Correction, LockCodec, LockedRelease, Releases, Repaired

_LOGICAL = re.compile(r"(?:[^\n]*\\\r?\n)*[^\n]*(?:\n|\Z)")
_PIN = re.compile(
    r"\ufeff?[ \t]*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[[^\]\n]*\])?[ \t]*(?:\\\r?\n[ \t]*)?"
    r"===?[ \t]*(?P<version>[^\s;#,\\]+)(?P<rest>[ \t]*,)?"
)
_NAME = re.compile(r"\ufeff?[ \t]*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[[^\]\n]*\])?[ \t]*@[ \t]*(?P<url>\S+)")
_HASH = re.compile(r"--hash[= ][ \t]*[A-Za-z0-9_]+:[0-9a-fA-F]+")
_BETWEEN = re.compile(r"(?:[ \t]|\\\r?\n)+")
_COMMENT = re.compile(r"(?:[ \t]+#[^\n]*(?:\n|\Z))+")


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    text = decoded(content)
    if text is None:
        raise Unfit("it is not text in UTF-8")
    wanted = Wanted(corrections, ECOSYSTEM)
    changes: list[Change] = []
    used: list[LockedRelease] = []
    spans: list[Span] = []
    pinned: set[str] = set()
    at = 0
    while at < len(text):
        match = _LOGICAL.match(text, at)
        end = match.end() if match and match.end() > at else len(text)
        line, start, at = text[at:end], at, end
        direct = _NAME.match(line)
        if direct is not None:
            release = release_of(file_of(direct["url"]))
            if release is not None and wanted.of(*release) is not None:
                raise Unfit(f"{direct['name']} is asked for by its address")
        pin = _PIN.match(line)
        if pin is None:
            continue
        pinned.add(normalise(pin["name"]))
        correction = wanted.of(pin["name"], pin["version"])
        if correction is None:
            continue
        entry, was = f"{pin['name']}=={pin['version']}", pin["version"]
        if pin["rest"]:
            raise Unfit(f"{entry} stands with further specifiers")
        if not wanted.good(correction):
            comment = _COMMENT.match(text, end)
            at = comment.end() if comment else end
            spans.append(Span(start, at))
            changes.append(Change(entry=entry, was=was, why=f"{correction.name} is a payload and goes altogether"))
            continue
        version = wanted.near(correction, was) or wanted.chosen(correction, was)
        if version is None:
            raise Unfit(f"no good version of {correction.name} is known")
        changes.append(Change(entry=entry, was=was, now=version))
        spans.append(Span(start + pin.start("version"), start + pin.end("version"), version))
        digests = list(_HASH.finditer(line))
        record = releases(correction.name, version)
        if digests:
            record = known(releases, correction.name, version, PYTHON)
            spans.append(_digests(line, start, digests, record))
        if record is not None:
            used.append(record)
    if "--hash" in text:
        _all_pinned(used, pinned)
    return Repaired(
        content=edited(text, spans).encode() if spans else content,
        changes=tuple(sorted(changes)),
        release_of=sources(used),
    )


def _digests(line: str, start: int, found: list[re.Match[str]], record: LockedRelease) -> Span:
    """The digests of the good release in the place of those of the listed one, written the same way."""
    gaps = [line[a.end() : b.start()] for a, b in itertools.pairwise(found)]
    if any(not _BETWEEN.fullmatch(gap) for gap in gaps):
        raise Unfit(f"something stands between the digests of {record.name}")
    before = re.search(r"(?:[ \t]|\\\r?\n)+\Z", line[: found[0].start()])
    gap = gaps[0] if gaps else before.group() if before else " "
    sign = found[0].group()[6]
    rows = sorted(item.sha256 for item in files(record))
    text = gap.join(f"--hash{sign}sha256:{digest}" for digest in rows)
    return Span(start + found[0].start(), start + found[-1].end(), text)


def _all_pinned(used: list[LockedRelease], pinned: set[str]) -> None:
    """With digests pip wants every dependency in the file. Raises Unfit where one of a good release is missing."""
    for record in used:
        more = sorted(need.name for need in (needs(record) or {}).values() if need.plain and need.name not in pinned)
        if more:
            raise Unfit(f"{record.name} {record.version} needs {', '.join(more)}, which the file does not pin")


CODEC = LockCodec(
    name="requirements",
    basenames=("requirements.txt", "constraints.txt"),
    managers=("pip", "uv"),
    ecosystem=ECOSYSTEM,
    repair=total(repair),
    pattern=r"(?:[\w.-]*[-_.])?(?:requirements|constraints)(?:[-_.][\w.-]*)?\.txt",
)

"""Golden cases of readers: an input as a manager left it, and the records that reading it must give.

A case is `tests/golden/readers/<ecosystem>/<reader>/<case>/` with `input/` (files at the paths they had, relative to
the folder that was examined) and `expected.json`. `python -m tests.golden.harness` writes every expectation anew; the
difference is then read by a person.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pratique.model.location import shown
from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers import discovery

ROOT = Path(__file__).parent / "readers"
ALL = Interest({}, everything=True)


def readers() -> dict[str, Reader]:
    """Every reader by name."""
    return {claim.name: discovery.load(claim.module) for claim in discovery.claims()}


def artifact(root: Path, relative: str, *, limit: int = 64 << 20) -> Artifact:
    """A file of a case as an artifact, without a modification time (checkouts do not keep it)."""
    path = root / relative

    def content() -> bytes:
        data = path.read_bytes()
        if len(data) > limit:
            raise Unreadable(f"is larger than {limit} bytes")
        return data

    def companion(suffix: str) -> bytes | None:
        other = path.with_name(path.name + suffix)
        return other.read_bytes() if other.is_file() else None

    return Artifact("case:", relative, content, lambda: None, companion)


def in_memory(data: bytes, relative: str, companions: dict[str, bytes] | None = None) -> Artifact:
    """An artifact out of bytes."""
    return Artifact("case:", relative, lambda: data, lambda: None, (companions or {}).get)


def claimed(reader: Reader, relative: str) -> bool:
    """Whether a reader claims a path, by the rules of `Reader`."""
    *parents, name = relative.split("/")
    if name in reader.basenames:
        return True
    if reader.folders:
        inside = any(
            tuple(parents[i : i + len(marker)]) == marker for marker in reader.folders for i in range(len(parents))
        )
        return inside and (not reader.suffixes or name.endswith(reader.suffixes))
    return bool(reader.suffixes) and name.endswith(reader.suffixes) and name.startswith(reader.prefixes or "")


def records(reader: Reader, case: Path) -> list[dict[str, Any]]:
    """What a reader says of a case's input, as plain data."""
    root = case / "input"
    found: list[dict[str, Any]] = []
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root).as_posix()
        if path.is_file() and claimed(reader, relative):
            found += plain(reader, artifact(root, relative))
    return found


def plain(reader: Reader, item: Artifact, interest: Interest = ALL) -> list[dict[str, Any]]:
    """Records of one artifact as plain data."""
    try:
        out: list[Observation | Refusal] = list(reader.read(item, interest))
    except Unreadable as error:
        out = [Refusal(shown(item.path), reader.name, error.reason, True)]
    builtins: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(out))
    return builtins


def cases() -> Iterator[tuple[str, Path]]:
    """Reader name and folder of every case."""
    for case in sorted(ROOT.glob("*/*/*")):
        if (case / "input").is_dir():
            yield case.parent.name, case


def main() -> int:
    """Write every expected.json anew."""
    known = readers()
    for name, case in cases():
        if name in known and (len(sys.argv) < 2 or name in sys.argv[1:]):
            text = json.dumps(records(known[name], case), indent=1, ensure_ascii=True, sort_keys=True)
            (case / "expected.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

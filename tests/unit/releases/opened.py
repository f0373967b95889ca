"""Releases for tests, held in memory, and an extractor whose facts stand in the files themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Fact, Form, Member, RegistryRecord, Release, SourceFile


class InMemory:
    """The files of a release, out of a dictionary; counts what is read."""

    def __init__(self, files: Mapping[str, bytes], refusals: tuple[Refusal, ...] = ()) -> None:
        self.form: Form = "tarball"
        self.content = dict(files)
        self.members = {
            path: Member(path, len(content), hashlib.sha256(content).hexdigest())
            for path, content in sorted(files.items())
        }
        self.refusals = refusals
        self.digests: Mapping[str, str] = {"sha256": "0" * 64}
        self.asked: list[str] = []

    def read(self, path: str, limit: int = 64 << 20) -> bytes:
        content = self.content.get(path)
        if content is None or len(content) > limit:
            raise Unreadable(f"holds more than the limit of {limit} bytes")
        self.asked.append(path)
        return content

    def close(self) -> None:
        self.content.clear()


def release(files: Mapping[str, bytes], *, ecosystem: str = "npm", refusals: tuple[Refusal, ...] = ()) -> Release:
    """A release that holds these files."""
    world = "pypi" if ecosystem == "PyPI" else "npm"
    return Release(
        f"pkg:{world}/sample@1.0.0",
        "PyPI" if ecosystem == "PyPI" else "npm",
        *("sample", "1.0.0", InMemory(files, refusals), RegistryRecord(), "memory"),
    )


def stated(file: SourceFile) -> Iterator[Fact | Refusal]:
    """An extractor: a line `FACT kind {attributes}` is a fact, a line `REFUSE reason` a refusal, `RAISE` an error."""
    for number, line in enumerate(file.content.decode("utf-8", "replace").splitlines(), 1):
        mark, _, rest = line.partition(" ")
        if mark == "FACT":
            kind, _, attributes = rest.partition(" ")
            yield Fact(kind, file.path, number, line, file.sha256, attributes=json.loads(attributes or "{}"))
        elif mark == "REFUSE":
            yield Refusal(file.path, "stated", rest, True)
        elif mark == "RAISE":
            raise ValueError(rest)


def fact(kind: str, **attributes: str | int | bool) -> bytes:
    """A line that the extractor above reads as a fact."""
    return f"FACT {kind} {json.dumps(attributes)}\n".encode()


def relative(module: str) -> bytes:
    """A line that is an import for both the extractor above and the cheap look."""
    return fact("import.module", module=module, form="relative") + f"require('{module}')\n".encode()

"""Releases made in memory for tests: their files are bytes in a dictionary."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Fact, Form, Member, RegistryRecord, Release


class MadeFiles:
    """The files of a release that was made in memory."""

    form: Form = "tarball"

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents
        self.refusals: Sequence[Refusal] = ()
        self.digests: Mapping[str, str] = {}
        self.members: Mapping[str, Member] = {
            path: Member(path, len(content), hashlib.sha256(content).hexdigest())
            for path, content in sorted(contents.items())
        }

    def read(self, path: str, limit: int = 64 << 20) -> bytes:
        content = self.contents[path]
        if len(content) > limit:
            raise Unreadable("is larger than the limit")
        return content

    def close(self) -> None:
        """Nothing is held open."""


def release(
    manifest: Mapping[str, Any] | bytes | None,
    files: Mapping[str, str | bytes] | None = None,
    *,
    name: str = "harbour",
    version: str = "1.0.1",
    ecosystem: Literal["npm", "PyPI"] = "npm",
    record: RegistryRecord | None = None,
    source: str = "registry",
) -> Release:
    """A release with a manifest (an object, or its bytes) and other files."""
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in (files or {}).items()}
    if isinstance(manifest, bytes):
        contents["package.json"] = manifest
    elif manifest is not None:
        stated = {"name": name, "version": version, **manifest}
        contents["package.json"] = json.dumps(stated, indent=2).encode()
    return Release(
        purl=f"pkg:{ecosystem.lower()}/{name}@{version}",
        ecosystem=ecosystem,
        name=name,
        version=version,
        files=MadeFiles(contents),
        record=record or RegistryRecord(),
        source=source,
    )


def imports(path: str, *packages: str) -> dict[str, tuple[Fact, ...]]:
    """The facts of a file that imports packages."""
    return {
        path: tuple(
            Fact("import.module", path, 1, attributes={"module": one, "package": one, "form": "package"})
            for one in packages
        )
    }

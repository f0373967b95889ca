"""What the tests of lockfile repair share: the incident's corrections, stand-in releases, and projects to lock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pratique.model.repair import Correction, LockedRelease, Repaired, Unrepairable
from tests.standins.packages import ALL, Release
from tests.standins.sandbox import FORMATS_PROJECT, INCIDENT_PROJECT, LOCAL_DEP, WORKSPACE_TOOL

READERS = Path(__file__).parents[4] / "golden" / "readers" / "npm"

CORRECTIONS = (
    Correction(name="axios", bad=frozenset({"1.14.1", "0.30.4"}), good=("1.14.0", "0.30.3")),
    Correction(name="plain-crypto-js", bad=frozenset({"4.2.1", "4.2.0"})),
)


def locked(item: Release, base: str = "http://registry.example/") -> LockedRelease:
    """A stand-in release as a registry describes it."""
    return LockedRelease(
        name=item.name,
        version=item.version,
        manifest={**item.manifest, **({"hasInstallScript": True} if item.has_install_script else {})},
        integrity=item.integrity,
        sha1=item.shasum,
        tarball=f"{base}{item.name}/-/{item.file_name}",
    )


def releases(name: str, version: str) -> LockedRelease | None:
    """Every stand-in release."""
    return next((locked(item) for item in ALL if (item.name, item.version) == (name, version)), None)


def nothing(name: str, version: str) -> LockedRelease | None:
    """A machine that knows no release."""
    return None


def good(outcome: Repaired | Unrepairable) -> Repaired:
    """The repaired lockfile; fails the test with the reason where there is none."""
    assert isinstance(outcome, Repaired), outcome
    return outcome


def reason(outcome: Repaired | Unrepairable) -> str:
    """Why it was not repaired."""
    assert isinstance(outcome, Unrepairable), outcome
    return outcome.reason


def write(folder: Path, name: str, document: Mapping[str, Any] | str) -> None:
    """Write a project's file."""
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(document if isinstance(document, str) else json.dumps(document, indent=2) + "\n")


def incident(folder: Path, **more: Any) -> None:
    """The project of the incident."""
    write(folder, "package.json", {**INCIDENT_PROJECT, **more})


def formats(folder: Path, url: str, *, workspaces: bool = True) -> None:
    """The project with every form of request."""
    text = json.dumps(FORMATS_PROJECT).replace("http://registry.example/", url)
    document = json.loads(text)
    if workspaces:
        document["workspaces"] = ["packages/*"]
    write(folder, "package.json", document)
    write(folder, "packages/tool/package.json", WORKSPACE_TOOL)
    write(folder, "local-dep/package.json", LOCAL_DEP)
    write(folder, "local-dep/index.js", "'use strict';\n")

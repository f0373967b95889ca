"""Deterministic, inert npm packages that stand in for the releases of the axios incident of March 2026.

Every tarball is built from the readable text below and is the same, byte for byte, on every machine:
ustar headers, one fixed member time, and a gzip wrapper made of stored blocks with no time in it.
The only install script of the set notes that it ran and then tidies up the way the real one did.
It opens no connection and touches nothing outside its own package folder and the folder it reports to.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

MEMBER_TIME = 499162500
"""1985-10-26 08:15 UTC, the time that `npm pack` gives to every member."""

CARRIER = "axios"
PAYLOAD = "plain-crypto-js"


def moment(text: str) -> datetime:
    """Read `YYYY-MM-DDTHH:MM:SS` as a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BEFORE_WINDOW = moment("2026-03-30T12:00:00")
IN_WINDOW = moment("2026-03-31T02:00:00")
AFTER_WINDOW = moment("2026-04-02T00:00:00")


def stored_gzip(data: bytes) -> bytes:
    """Wrap data as gzip without compressing it, so that the result does not depend on the zlib in use."""
    out = bytearray(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
    for start in range(0, len(data), 65535):
        block = data[start : start + 65535]
        last = start + 65535 >= len(data)
        out += struct.pack("<BHH", int(last), len(block), len(block) ^ 0xFFFF) + block
    return bytes(out + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF))


def pack(files: Mapping[str, str]) -> bytes:
    """Build an npm tarball: every file below `package/`, in the given order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, text in files.items():
            data = text.encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            member.mode = 0o755 if text.startswith("#!") else 0o644
            member.mtime = MEMBER_TIME
            archive.addfile(member, io.BytesIO(data))
    content = buffer.getvalue().rstrip(b"\0")
    return stored_gzip(content + bytes(-len(content) % 512 + 1024))


@dataclass(frozen=True)
class Release:
    """One published version: its files, when it appeared, and when (if ever) the registry removed it."""

    manifest: Mapping[str, Any]
    published: datetime
    leaves: datetime | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    tag: str = "latest"

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @property
    def has_install_script(self) -> bool:
        scripts = self.manifest.get("scripts", {})
        return any(event in scripts for event in ("preinstall", "install", "postinstall"))

    @property
    def file_name(self) -> str:
        return f"{self.name.rpartition('/')[2]}-{self.version}.tgz"

    @cached_property
    def tarball(self) -> bytes:
        return pack({"package.json": manifest_text(self.manifest), **self.files})

    @property
    def integrity(self) -> str:
        return "sha512-" + base64.b64encode(hashlib.sha512(self.tarball).digest()).decode()

    @property
    def shasum(self) -> str:
        return hashlib.sha1(self.tarball, usedforsecurity=False).hexdigest()

    def live(self, as_of: datetime) -> bool:
        return self.published <= as_of and (self.leaves is None or as_of < self.leaves)


def manifest_text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=2) + "\n"


def _manifest(name: str, version: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "description": "Inert stand-in made for tests.",
        "main": "index.js",
        "license": "MIT",
        **more,
    }


INDEX = "'use strict';\n\nmodule.exports = { standIn: true };\n"

CLI = "#!/usr/bin/env node\n'use strict';\n\nconsole.log('stand-in command');\n"

SETUP = """\
'use strict';

// Inert stand-in for an install script. It notes that it ran, then removes its own traces.
const fs = require('fs');
const path = require('path');

const initial = process.env.INIT_CWD || process.cwd();
const target = process.env.STANDIN_OUT || path.join(initial, 'standin-out', 'runs.jsonl');

const line = JSON.stringify({
  ran: 'plain-crypto-js@4.2.1',
  at: new Date().toISOString(),
  event: process.env.npm_lifecycle_event || null,
  agent: process.env.npm_config_user_agent || null,
});

fs.mkdirSync(path.dirname(target), { recursive: true });
fs.appendFileSync(target, line + '\\n');

fs.unlinkSync(path.join(__dirname, 'setup.js'));
fs.unlinkSync(path.join(__dirname, 'package.json'));
fs.renameSync(path.join(__dirname, 'package.md'), path.join(__dirname, 'package.json'));
"""

DECOY_MANIFEST = _manifest(PAYLOAD, "4.2.0", keywords=["crypto"])

INCIDENT: tuple[Release, ...] = (
    Release(
        _manifest("@standin/redirects", "1.2.0"),
        moment("2025-11-02T10:00:00"),
        files={"index.js": INDEX},
    ),
    Release(
        _manifest(CARRIER, "0.30.3", dependencies={"@standin/redirects": "^1.2.0"}),
        moment("2026-02-18T17:19:20"),
        files={"index.js": INDEX},
        tag="legacy",
    ),
    Release(
        _manifest(
            CARRIER,
            "1.14.0",
            scripts={"prepare": "husky"},
            dependencies={"@standin/redirects": "^1.2.0"},
        ),
        moment("2026-03-27T19:01:40"),
        files={"index.js": INDEX},
    ),
    Release(
        DECOY_MANIFEST,
        moment("2026-03-30T05:57:32"),
        leaves=moment("2026-03-31T03:25:00"),
        files={"index.js": INDEX},
    ),
    Release(
        _manifest(PAYLOAD, "4.2.1", keywords=["crypto"], scripts={"postinstall": "node setup.js"}),
        moment("2026-03-30T23:59:12"),
        leaves=moment("2026-03-31T03:25:00"),
        files={"index.js": INDEX, "package.md": manifest_text(DECOY_MANIFEST), "setup.js": SETUP},
    ),
    Release(
        _manifest(CARRIER, "1.14.1", dependencies={"@standin/redirects": "^1.2.0", PAYLOAD: "^4.2.1"}),
        moment("2026-03-31T00:21:58"),
        leaves=moment("2026-03-31T03:15:30"),
        files={"index.js": INDEX},
    ),
    Release(
        _manifest(CARRIER, "0.30.4", dependencies={"@standin/redirects": "^1.2.0", PAYLOAD: "^4.2.1"}),
        moment("2026-03-31T01:00:57"),
        leaves=moment("2026-03-31T03:15:30"),
        files={"index.js": INDEX},
        tag="legacy",
    ),
)
"""The releases of the incident, under their real names and times. They only ever exist on loopback."""

_OLD = moment("2025-10-01T09:00:00")

CLEAN: tuple[Release, ...] = (
    Release(_manifest("standin-colours", "4.1.2"), _OLD, files={"index.js": INDEX}),
    Release(_manifest("standin-colours", "5.0.0-beta.3"), _OLD, files={"index.js": INDEX}, tag="next"),
    Release(_manifest("standin-colours", "5.0.1"), _OLD, files={"index.js": INDEX}),
    Release(
        _manifest("@standin/peer", "3.0.0", peerDependencies={"standin-colours": ">=5.0.0-beta.1"}),
        _OLD,
        files={"index.js": INDEX},
    ),
    Release(
        _manifest(
            "standin-bundle",
            "2.0.0",
            dependencies={"standin-inner": "1.0.0"},
            bundleDependencies=["standin-inner"],
        ),
        _OLD,
        files={
            "index.js": INDEX,
            "node_modules/standin-inner/package.json": manifest_text(_manifest("standin-inner", "1.0.0")),
            "node_modules/standin-inner/index.js": INDEX,
        },
    ),
    Release(_manifest("standin-inner", "1.0.0"), _OLD, files={"index.js": INDEX}),
    Release(_manifest("standin-mac", "1.0.0", os=["darwin"]), _OLD, files={"index.js": INDEX}),
    Release(
        _manifest(
            "standin-cli",
            "1.0.3",
            bin={"standin-cli": "cli.js"},
            dependencies={CARRIER: "^1.14.0"},
        ),
        _OLD,
        files={"index.js": INDEX, "cli.js": CLI},
    ),
    Release(_manifest("standin-config", "0.3.0"), _OLD, files={"index.js": INDEX}),
    Release(
        _manifest("standin-fails", "1.0.0", scripts={"postinstall": "node fail.js"}),
        _OLD,
        files={"index.js": INDEX, "fail.js": "'use strict';\n\nconsole.error('stand-in failure');\nprocess.exit(3);\n"},
    ),
)
"""Harmless packages for lockfile forms: alias, pre-release, peer, bundle, platform, command, failing script."""

ALL: tuple[Release, ...] = INCIDENT + CLEAN


def release(name: str, version: str) -> Release:
    """The release with this name and version; KeyError when the set has none."""
    for candidate in ALL:
        if (candidate.name, candidate.version) == (name, version):
            return candidate
    raise KeyError(f"{name}@{version}")

"""What npm's lockfile says of one release: the fields of its manifest as npm keeps them, its address and its digest.

References: npm 11.21.2, `@npmcli/arborist` lib/shrinkwrap.js.
"""

from __future__ import annotations

import base64
import posixpath
import re
from typing import Any
from urllib.parse import urlsplit

from pratique.ecosystems.npm.urls import tarball_release
from pratique.model.repair import LockedRelease

KEPT = ("name", "inBundle", "extraneous", "peer", "dev", "optional", "devOptional")
"""What an entry says of its place in the project; it stays when the release changes."""
FROM_MANIFEST = (
    "dependencies", "peerDependencies", "peerDependenciesMeta", "optionalDependencies", "acceptDependencies", "funding",
    "engines", "os", "cpu", "libc", "license", "bin", "deprecated",
)  # fmt: skip
"""What an entry repeats from the manifest of its release."""
LATER = frozenset({"license", "libc"})
"""Fields that some npm does not write: put in only where this file has them."""


def derived(address: str, name: str, bad: str, release: LockedRelease) -> str | None:
    """The address of a release from that of another of the same package: same host, same form."""
    base, mark, fragment = address.partition("#")
    plain = base.partition("?")[0]
    if tarball_release(plain) is not None and plain.endswith("gz"):
        at = plain.find(name.rpartition("/")[2])
        made = plain[:at] + re.sub(rf"(?<![\w.]){re.escape(bad)}(?![\w-])", release.version, plain[at:])
        if tarball_release(made) == (tarball_release(plain)[0], release.version):  # type: ignore[index]  # tested above
            return made + (
                f"#{release.sha1}" if mark and release.sha1 and re.fullmatch("[0-9a-f]{40}", fragment) else ""
            )
    if release.tarball and urlsplit(release.tarball).netloc == urlsplit(address).netloc:
        return release.tarball
    return None


def of_sha1(digest: str | None) -> str | None:
    """The integrity that a SHA-1 in hexadecimal digits means."""
    if not digest or not re.fullmatch("[0-9a-f]{40}", digest):
        return None
    return "sha1-" + base64.b64encode(bytes.fromhex(digest)).decode()


def has_script(release: LockedRelease) -> bool:
    """Whether npm runs something when it installs a release."""
    scripts = release.manifest.get("scripts")
    named = isinstance(scripts, dict) and any(event in scripts for event in ("preinstall", "install", "postinstall"))
    return bool(named or release.manifest.get("hasInstallScript") or release.manifest.get("gypfile"))


def normal(manifest: Any) -> dict[str, Any]:
    """The fields of a manifest as npm keeps them in a lockfile."""
    made = {key: value for key, value in manifest.items() if key in FROM_MANIFEST and value}
    optional = made.get("optionalDependencies")
    if isinstance(optional, dict) and isinstance(made.get("dependencies"), dict):
        made["dependencies"] = {key: value for key, value in made["dependencies"].items() if key not in optional}
    for group in ("dependencies", "optionalDependencies", "peerDependencies"):
        if not isinstance(made.get(group, {}), dict) or not made.get(group, True):
            made.pop(group)
    if isinstance(made.get("license"), dict):
        made["license"] = made["license"].get("type") or made["license"]
    if isinstance(made.get("funding"), str):
        made["funding"] = {"url": made["funding"]}
    if isinstance(made.get("bin"), str):
        made["bin"] = {str(manifest.get("name", "")).rpartition("/")[2]: made["bin"]}
    if isinstance(made.get("bin"), dict):
        made["bin"] = {
            posixpath.basename(key): posixpath.join("/", value).replace("/./", "/").lstrip("/")
            for key, value in made["bin"].items()
            if isinstance(value, str)
        }
    for key in ("os", "cpu", "libc"):
        if isinstance(made.get(key), str):
            made[key] = [made[key]]
    if not isinstance(made.get("deprecated", ""), str):
        made.pop("deprecated")
    return made

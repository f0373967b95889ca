"""Dependency paths: how pnpm names one package release in its lockfile, its records and its virtual store.

Forms: `/@scope/name/1.2.3_peers` (lockfile 5.x), `/@scope/name@1.2.3(peers)` (6.x), `@scope/name@1.2.3(peers)` (9.0),
`name@registry:1.2.3` (a named registry), `name@<url or file: path>` (9.0), and without a name in it
`host/owner/repository/commit`, `@host/path` and `file:path` (5.x, 6.x), `host/name/1.2.3` (5.x, another registry).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

_VERSION = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
_NAME = r"(?P<name>(?:@[^/@\s]+/)?[^/@\s]+)"
_SLASHED = re.compile(rf"/{_NAME}[/@](?P<version>{_VERSION})(?=[_/(]|$)")
_NAMED = re.compile(rf"{_NAME}@(?P<reference>.+)", re.DOTALL)
_QUALIFIED = re.compile(rf"(?P<registry>[A-Za-z][\w.-]*):(?P<version>{_VERSION})")
_HOSTED = re.compile(rf"[^/@\s]+\.[^/@\s]+/{_NAME}[/@](?P<version>{_VERSION})(?=[_/(]|$)")
_PLAIN = re.compile(_VERSION)
_RESERVED = re.compile(r"bitbucket|catalog|custom|file|git|github|gitlab|https?|jsr|link|npm|runtime|ssh|workspace")
_MAX_PLAIN_FOLDER = 60
"""pnpm's shortest limit (on Windows); longer names may end in a hash that differs between versions of pnpm."""


class DependencyPath(msgspec.Struct, frozen=True):
    """What a dependency path says by itself.

    `name` and `version` are None where the path does not hold them; `reference` is what stands in place of a version:
    a URL, a git or file specifier. `kind` is `registry` where the path names a release of a registry.
    """

    name: str | None
    version: str | None
    reference: str | None
    kind: Literal["registry", "other"]


def without_suffix(path: str) -> str:
    """The path without its peers and patch suffix in parentheses."""
    if not path.endswith(")"):
        return path
    depth = 0
    for index in range(len(path) - 1, -1, -1):
        if path[index] == ")":
            depth += 1
        elif path[index] == "(":
            depth -= 1
            if depth == 0 and (index == 0 or path[index - 1] != ")"):
                return path[:index]
    return path


def parse_path(path: str) -> DependencyPath:
    """Take a dependency path of any lockfile version apart."""
    if path.startswith("/"):
        match = _SLASHED.match(path)
        if match:
            return DependencyPath(match["name"], match["version"], None, "registry")
        return DependencyPath(None, None, path, "other")
    plain = without_suffix(path)
    match = _NAMED.fullmatch(plain)
    if match and not match["name"].endswith(":") and ":" not in match["name"]:
        reference = match["reference"]
        if _PLAIN.fullmatch(reference):
            return DependencyPath(match["name"], reference, None, "registry")
        qualified = _QUALIFIED.fullmatch(reference)
        if qualified and not _RESERVED.fullmatch(qualified["registry"]):
            return DependencyPath(match["name"], qualified["version"], None, "registry")
        return DependencyPath(match["name"], None, reference, "other")
    match = _HOSTED.match(plain)
    if match:
        return DependencyPath(match["name"], match["version"], None, "registry")
    return DependencyPath(None, None, plain, "other")


def folder_of(path: str, name: str) -> str | None:
    """The package's folder below node_modules, in pnpm's virtual store; None where pnpm puts a hash in its name."""
    if path.startswith("/"):
        path = path[1:]
        if not path.startswith(f"{name}@"):
            path = path.replace(f"{name}/", f"{name}@", 1)
    folder = re.sub(r'[\\/:*?"<>|#]', "+", path)
    if "(" in folder:
        folder = re.sub(r"\)\(|\(|\)", "_", folder.removesuffix(")"))
    if len(folder) > _MAX_PLAIN_FOLDER or (folder != folder.lower() and not folder.startswith("file+")):
        return None
    return f".pnpm/{folder}/node_modules/{name}"

"""What a path says: the layouts in which JavaScript package managers unpack packages.

Layouts (measured; see docs/reference/readers.md for the versions): `node_modules/<name>`; pnpm's virtual store
`node_modules/.pnpm/<name>@<version>.../node_modules/<name>`; npm's linked strategy `.store/<name>@<version>-<hash>`;
bun's `.bun/<name>@<version>`; deno's `.deno/<name>@<version>`; Yarn's `.yarn/unplugged/<slug>-npm-<version>-<hash>`;
the caches of Yarn classic (`v6/npm-<name>-<version>-<sha1>-integrity/node_modules/<name>`), bun
(`install/cache/<name>@<version>@@@1`) and deno (`npm/<host>/<name>/<version>`).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Layout = Literal["project", "tree", "pnpm", "npm-linked", "bun", "deno", "unplugged", "yarn-cache", "bun-cache"]

CACHE_LAYOUTS = frozenset({"yarn-cache", "bun-cache"})

_VIRTUAL = {".pnpm": "pnpm", ".store": "npm-linked", ".bun": "bun", ".deno": "deno"}
_YARN_CACHE = re.compile(
    r"npm-(?P<name>.+)-(?P<version>\d+\.\d+\.\d+.*?)-(?:[0-9a-f]{40}|[0-9a-f-]{36}-\d+)(?:-integrity)?"
)
_UNPLUGGED = re.compile(r"(?P<slug>.+)-npm-(?P<version>\d+\.\d+\.\d+.*?)-[0-9a-f]{10}(?:-[0-9a-f]{10}|-\d+c?\d*)?")
_BUN_CACHE = re.compile(r"(?P<name>[^@/]+)@(?P<version>[^@]+)(?:@@.*)?")
_SEMVER = re.compile(r"\d+\.\d+\.\d+")


class Place(msgspec.Struct, frozen=True):
    """What the path of a file says.

    `project` is the folder (with a trailing slash, empty for the target itself) that owns the tree or cache; `package`
    the name of the package whose folder holds the file, None in a project; `folder` that package's folder; `at_root`
    whether the file lies directly in it; `version` the version that a folder name records.
    """

    layout: Layout
    project: str
    package: str | None
    folder: str
    at_root: bool
    version: str | None


def split_virtual(name: str) -> tuple[str, str] | None:
    """Name and version out of a virtual store's folder name, None where it has none.

    pnpm writes `@scope+name@1.2.3_peer@4...` or `@scope+name@1.2.3(peer...)`, bun and deno `@scope+name@1.2.3`.
    """
    at = name.find("@", 1)
    if at < 0:
        return None
    package, version = name[:at], name[at + 1 :]
    match = re.match(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", version)
    return (package.replace("+", "/", 1), match.group()) if match else None


def place_of(path: str) -> Place:
    """Classify the path of a file, relative to its target, with `/` between its parts."""
    last = path.rfind("node_modules/")
    while last > 0 and path[last - 1] != "/":
        last = path.rfind("node_modules/", 0, last)
    if last < 0:
        return _outside(path)
    rest = path[last + 13 :].split("/")
    if rest[0].startswith("@") and len(rest) > 2:
        package, deeper = f"{rest[0]}/{rest[1]}", len(rest) - 3
    else:
        package, deeper = rest[0], len(rest) - 2
    if deeper < 0:
        project = path[: _first_tree(path)]
        return Place("project", project, None, path[:last], False, None)
    folder = path[: last + 13] + package
    above = path[:last].rstrip("/").rsplit("/", 2)
    holder = above[-1]
    project = path[: _first_tree(path)]
    if len(above) >= 2 and above[-2] in _VIRTUAL:
        split = split_virtual(holder)
        version = split[1] if split and split[0] == package else None
        layout: Layout = _VIRTUAL[above[-2]]  # type: ignore[assignment]  # the values are layouts
        return Place(layout, project, package, folder, deeper == 0, version)
    if holder.startswith("npm-"):
        match = _YARN_CACHE.fullmatch(holder)
        if match:
            root = "/".join(above[:-1])
            return Place("yarn-cache", f"{root}/" if root else "", package, folder, deeper == 0, match["version"])
    if ".yarn/unplugged/" in path:
        match = _UNPLUGGED.fullmatch(holder)
        if match:
            project = path[: path.index(".yarn/unplugged/")]
            return Place("unplugged", project, package, folder, deeper == 0, match["version"])
    return Place("tree", project, package, folder, deeper == 0, None)


def _first_tree(path: str) -> int:
    """Where the outermost node_modules starts."""
    first = path.find("node_modules/")
    while first > 0 and path[first - 1] != "/":
        first = path.find("node_modules/", first + 1)
    return max(first, 0)


def _outside(path: str) -> Place:
    """Classify a file that lies in no node_modules folder."""
    parts = path.split("/")
    if "install" in parts and "cache" in parts:
        index = next((i for i in range(1, len(parts) - 2) if parts[i] == "cache" and parts[i - 1] == "install"), None)
        if index is not None:
            inner = parts[index + 1 :]
            name = f"{inner[0]}/{inner[1]}" if inner[0].startswith("@") and len(inner) > 2 else inner[0]
            scope, _, base = name.rpartition("/")
            match = _BUN_CACHE.fullmatch(base)
            if match:
                package = f"{scope}/{match['name']}" if scope else match["name"]
                version = match["version"] if _SEMVER.match(match["version"]) else None
                root = "/".join(parts[: index + 1]) + "/"
                depth = len(inner) - (2 if scope else 1)
                return Place("bun-cache", root, package, root + name, depth == 1, version)
    cut = path.rfind("/") + 1
    return Place("project", path[:cut], None, path[:cut].rstrip("/"), False, None)


def project_of(path: str) -> str:
    """The folder that owns a file: what stands before the outermost node_modules, else the file's own folder."""
    return place_of(path).project

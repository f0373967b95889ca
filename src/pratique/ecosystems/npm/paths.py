"""What a path says: the layouts in which JavaScript package managers unpack packages.

Layouts (measured; see docs/reference/readers.md for the versions): `node_modules/<name>`; pnpm's virtual store
`node_modules/.pnpm/<name>@<version>.../node_modules/<name>`, and the one that projects share,
`links/<scope, or @>/<name>/<version>/<hash>/node_modules/<name>`; npm's linked strategy
`.store/<name>@<version>-<hash>`; bun's `.bun/<name>@<version>`; deno's `.deno/<name>@<version>`; Yarn's
`.yarn/unplugged/<slug>-npm-<version>-<hash>`; the caches of Yarn classic
(`v6/npm-<name>-<version>-<sha1>-integrity/node_modules/<name>`), bun (`install/cache/<name>@<version>@@@1`,
`<name>@<version>@@<host>@@@1`; `@T@<hash>`, `@G@<commit>` and `@GH@<repository>-<commit>` tell no name) and deno
(`npm/<host>/<name>/<version>`). What is bundled inside a package of bun's or deno's cache belongs to the cache too.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Literal

import msgspec

Layout = Literal[
    "project", "tree", "pnpm", "npm-linked", "bun", "deno", "unplugged", "yarn-cache", "bun-cache", "deno-cache"
]

CACHE_LAYOUTS = frozenset({"yarn-cache", "bun-cache", "deno-cache"})

_VIRTUAL = {".pnpm": "pnpm", ".store": "npm-linked", ".bun": "bun", ".deno": "deno"}
_YARN_CACHE = re.compile(
    r"npm-(?P<name>.+)-(?P<version>\d+\.\d+\.\d+.*?)-(?:[0-9a-f]{40}|[0-9a-f-]{36}-\d+)(?:-integrity)?"
)
_UNPLUGGED = re.compile(r"(?P<slug>.+)-npm-(?P<version>\d+\.\d+\.\d+.*?)-[0-9a-f]{10}(?:-[0-9a-f]{10}|-\d+c?\d*)?")
_BUN_CACHE = re.compile(r"(?P<name>[^@/]+)@(?P<version>[^@]+)(?:@@.*)?")
_BUN_LINK = re.compile(r"(?P<version>\d+\.\d+\.\d+[^@]*)@@.*@@?\d+")
_BUN_UNNAMED = re.compile(r"@(?:T|G|GH)@[^@]+(?:@@.*)?")
_BUN_HASHED = re.compile(r"\d+\.\d+\.\d+(?:-[0-9a-f]{16}(?:\+.*)?|.*\+[0-9A-F]{16})")
_DENO_CACHE = re.compile(
    r"(?P<root>(?:.*/)?npm/)(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:_\d+)?|localhost(?:_\d+)?|\d+)/(?:[^/@]+/)*?"
    r"(?P<name>(?:@[^/@]+/)?[^/@]+)/(?P<version>\d+\.\d+\.\d+[^/]*)/"
)
_DENO_COPY = re.compile(r"(?:_\d+)?(?:\.build_[0-9A-Za-z]+)?$")
_PNPM_LINKS = re.compile(
    r"(?P<root>(?:.*/)?links/)(?P<scope>@[^/]*)/(?P<name>[^/]+)/(?P<version>\d+\.\d+\.\d+[^/]*)/[0-9a-f]{32,64}/"
)
_SEMVER = re.compile(r"\d+\.\d+\.\d+")


class Place(msgspec.Struct, frozen=True):
    """What the path of a file says.

    `project` is the folder (with a trailing slash, empty for the target itself) that owns the tree or cache; `package`
    the name of the package whose folder holds the file, None in a project, empty where a cache does not tell it;
    `folder` that package's folder; `at_root` whether the file lies directly in it; `version` the version that a folder
    name records.
    """

    layout: Layout
    project: str
    package: str | None
    folder: str
    at_root: bool
    version: str | None


def split_virtual(name: str) -> tuple[str, str] | None:
    """Name and version out of a virtual store's folder name, None where it has none.

    pnpm writes `@scope+name@1.2.3_peer@4...` or `@scope+name@1.2.3(peer...)`, bun and deno `@scope+name@1.2.3`; deno
    writes a name with capital letters as `_` and its base32.
    """
    at = name.find("@", 1)
    if at < 0:
        return None
    package, version = name[:at], name[at + 1 :]
    match = re.match(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", version)
    if not match:
        return None
    if package.startswith("_"):
        return decoded_name(package), match.group()
    return package.replace("+", "/", 1), match.group()


def decoded_name(folder: str) -> str:
    """The name behind a folder's name as deno writes it: base32 in small letters after `_` if it has capitals."""
    text = folder[1:].upper()
    if not folder.startswith("_") or not text.isascii():
        return folder
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return folder


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
    if "/cache/" in path or "/npm/" in path or "links/" in path or "@@@" in path or path.startswith("npm/"):
        return _shared(path, last, project, package, folder, deeper == 0)
    return Place("tree", project, package, folder, deeper == 0, None)


def _shared(path: str, last: int, project: str, package: str, folder: str, at_root: bool) -> Place:
    """A package below node_modules in a cache or a store that projects share; a plain tree where it is neither."""
    link = _PNPM_LINKS.fullmatch(path, 0, last)
    if link:
        name = link["name"] if link["scope"] == "@" else f"{link['scope']}/{link['name']}"
        return Place("pnpm", link["root"], package, folder, at_root, link["version"] if name == package else None)
    holder = _outside(path[: len(project)] + "package.json") if project else None
    if holder is not None and holder.layout in CACHE_LAYOUTS:
        return Place(holder.layout, holder.project, package, folder, at_root, None)
    return Place("tree", project, package, folder, at_root, None)


def _first_tree(path: str) -> int:
    """Where the outermost node_modules starts."""
    first = path.find("node_modules/")
    while first > 0 and path[first - 1] != "/":
        first = path.find("node_modules/", first + 1)
    return max(first, 0)


_FORGES = (".github", ".gitea", ".forgejo", ".gitlab")
"""Folders of a repository in which its forge looks for workflows."""


def _outside(path: str) -> Place:
    """Classify a file that lies in no node_modules folder."""
    if "install/cache/" in path or "@@@" in path:
        place = _bun_cache(path)
        if place is not None:
            return place
    if "/npm/" in path or path.startswith("npm/"):
        match = _DENO_CACHE.match(path)
        if match:
            version = _DENO_COPY.sub("", match["version"])
            at_root = "/" not in path[match.end() :]
            name = decoded_name(match["name"])
            return Place("deno-cache", match["root"], name, path[: match.end() - 1], at_root, version)
    cut = path.rfind("/") + 1
    own = f"/{path}".find("/.yarn/")
    if own >= 0:
        cut = own  # Yarn's own folder belongs to its project
    elif path.endswith((".yml", ".yaml")):
        starts = [start for name in _FORGES if (start := f"/{path}".find(f"/{name}/")) >= 0]
        cut = min(starts, default=cut)  # so do the folders of a forge
    return Place("project", path[:cut], None, path[:cut].rstrip("/"), False, None)


def _bun_cache(path: str) -> Place | None:
    """The package of bun's cache that holds a file: below `install/cache`, or elsewhere in a folder marked `@@@`."""
    parts = path.split("/")
    for index, part in enumerate(parts[:-1]):
        if "@" not in part:
            continue
        scope = parts[index - 1] if index and re.fullmatch("@[^@]+", parts[index - 1]) else None
        first = index - 1 if scope else index
        if "@@@" not in part and parts[max(first - 2, 0) : first] != ["install", "cache"]:
            continue
        name: str | None = None
        version: str | None = None
        if match := _BUN_CACHE.fullmatch(part):
            name, version = match["name"], match["version"]
        elif _BUN_UNNAMED.fullmatch(part):
            name = ""
        elif index and (match := _BUN_LINK.fullmatch(part)):
            name, version = parts[index - 1], match["version"]
            scope = parts[index - 2] if index > 1 and re.fullmatch("@[^@]+", parts[index - 2]) else None
            first = index - 2 if scope else index - 1
        if name is None:
            continue
        if version is not None and (_BUN_HASHED.fullmatch(version) or not _SEMVER.match(version)):
            version = None  # bun writes pre-release and build as hashes
        package = f"{scope}/{name}" if scope and name else name
        root = "".join(f"{parent}/" for parent in parts[:first])
        return Place("bun-cache", root, package, "/".join(parts[: index + 1]), index == len(parts) - 2, version)
    return None


def project_of(path: str) -> str:
    """The folder that owns a file: what stands before the outermost node_modules, else the file's own folder."""
    return place_of(path).project

"""Folders of JavaScript package managers that a walk treats in a special way, and what they stand for."""

from __future__ import annotations

import re

CONTENT_FOLDERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "npm-cache-content": (("_cacache", "content-v2"), ("_cacache", "tmp")),
    "pnpm-store-content": (
        ("store", "v10", "files"),
        ("store", "v11", "files"),
        (".pnpm-store", "v10", "files"),
        (".pnpm-store", "v11", "files"),
    ),
    "git-directory": ((".git",),),
}
"""Rule name to folders that hold nothing a reader claims: content addressed by digest, and git's own database.

Whether a listed archive lies in npm's content folder is asked by its digest; git history is a target of its own.
"""

BUILD_FOLDERS = (
    "dist",
    "build",
    "out",
    ".next",
    ".nuxt",
    ".output",
    ".vite",
    ".svelte-kit",
    ".parcel-cache",
    "public",
    "static",
    "assets",
    "www",
    "wwwroot",
)
"""Folders that builds write to."""
BUILD_READERS = frozenset({"bundle", "source-map", "bundle-statistics"})
"""Readers of what lies there: it belongs to the project that it was built from."""


CONFIGURATION_FOLDERS = (
    ".claude",
    ".cursor",
    ".gemini",
    ".vscode",
    ".github",
    ".devcontainer",
    ".idea",
    ".git",
    ".husky",
)
"""Folders of editors, agents and git in a project."""
CONFIGURATION_READERS = frozenset(
    {
        "editor-tasks",
        "editor-workspace",
        "editor-settings",
        "editor-files",
        "agent-configuration",
        "agent-servers",
        "devcontainer",
        "jetbrains-startup",
        "git-hooks",
        "git-configuration",
        "direnv",
    }
)
"""Readers of what lies there, or beside: it belongs to the project that it is opened with."""


def owned_by(reader: str, path: str) -> str | None:
    """The folder, with a trailing slash, of the project that a file belongs to; None where its own folder says it."""
    if reader in BUILD_READERS:
        return built_from(path)
    if reader in CONFIGURATION_READERS:
        return _above(path, CONFIGURATION_FOLDERS)
    return None


def built_from(path: str) -> str:
    """The folder, with a trailing slash, whose build output a file is: what stands above the first such folder."""
    return _above(path, BUILD_FOLDERS)


def _above(path: str, names: tuple[str, ...]) -> str:
    parts = path.split("/")[:-1]
    first = next((index for index, part in enumerate(parts) if part in names), len(parts))
    return "".join(f"{part}/" for part in parts[:first])


_CACHE_ROOTS = re.compile(
    r"^(?P<root>(?:.*/)?(?:_cacache|(?:\.pnpm-store|store)/v\d+|\.yarn/cache|berry/cache|install/cache|deno/npm"
    r"|v\d+(?=/npm-[^/]+/)))(?:/|$)"
)


def cache_root(path: str) -> str:
    """The cache or store that a file belongs to; its own folder where no known layout matches."""
    match = _CACHE_ROOTS.match(path)
    return match["root"] if match else path.rpartition("/")[0]


def sha512_of(integrity: str) -> str | None:
    """The digest of a sha512 integrity in hexadecimal; None where it is not one."""
    import base64
    import binascii

    algorithm, _, text = integrity.partition("-")
    if algorithm != "sha512":
        return None
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return None


def cached_content_path(cache: str, integrity: str) -> str | None:
    """Where npm's cache folder `_cacache` keeps the archive with this sha512 integrity; None where it is not one."""
    digest = sha512_of(integrity)
    return f"{cache}/content-v2/sha512/{digest[:2]}/{digest[2:4]}/{digest[4:]}" if digest else None

"""The kinds of places that a step may touch. Paths are judged as words; the disk is not looked at."""

from __future__ import annotations

import fnmatch

from pratique.adapters import disk
from pratique.model.plan import Edit, Quarantine

EDITABLE = (
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    ".npmrc",
    "yarn.lock",
    ".yarnrc",
    ".yarnrc.yml",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bun.lock",
    "bunfig.toml",
    "deno.json",
    "deno.jsonc",
    "deno.lock",
    "pyproject.toml",
    "poetry.lock",
    "poetry.toml",
    "uv.lock",
    "uv.toml",
    "pdm.lock",
    "pdm.toml",
    "Pipfile",
    "Pipfile.lock",
    "pylock*.toml",
    "*requirements*.txt",
    "requirements*.in",
    "*constraints*.txt",
    "pip.conf",
    "action.yml",
    "action.yaml",
)
"""Names of project files that an edit may change."""
FOLDERS = tuple((f"{name}/workflows", ("*.yml", "*.yaml")) for name in (".github", ".gitea", ".forgejo"))
"""Folders of a project and names in them that an edit may change."""
UNITS = (".config/systemd/user", "Library/LaunchAgents", ".config/autostart")
"""Folders in a home that hold units of a user."""
_UNIT_NAMES = ("*.service", "*.timer", "*.socket", "*.path", "*.plist", "*.desktop")
_CACHES = frozenset(
    ("_cacache", "store", ".pnpm-store", "pnpm", "yarn", "Yarn", ".yarn", "berry", ".bun", "deno", "pip", "uv", "npm")
)
_TREES = frozenset(("node_modules", "_npx", ".yarn", "site-packages", "dist-packages"))
_CONFIGURED = frozenset(
    (".vscode", ".claude", ".cursor", ".gemini", ".github", ".devcontainer", ".idea", ".husky", "hooks")
)
_SYSTEM = ("etc", "usr", "bin", "sbin", "lib", "lib64", "boot", "dev", "proc", "sys", "run", "System", "private/etc")
_FOR_USERS = ("dev/shm", "run/user")


def allowed(action: Edit | Quarantine) -> str | None:
    """Why a step may not touch its path; None where its kind of place allows it. The disk is not looked at."""
    reason = disk.plain(action.path)
    if reason is not None:
        return reason
    parts = action.path.split("/")[1:]
    above, name = parts[:-1], parts[-1]
    start = "/".join(parts[:2])
    system = (parts[0] in _SYSTEM or start in _SYSTEM) and start not in _FOR_USERS
    if isinstance(action, Edit):
        if system:
            return "lies in a folder of the system"
        if ".git" in above or _TREES & set(above):
            return "lies inside a repository's database or a package folder"
        patterns = [
            *EDITABLE,
            *(
                item
                for folder, items in FOLDERS
                if action.path.rpartition("/")[0].endswith(f"/{folder}")
                for item in items
            ),
        ]
        return None if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) else "is no file of a project"
    if action.what == "package-folder":
        if system and parts[0] != "usr":
            return "lies in a folder of the system"
        return None if _TREES & set(above) else "lies in no folder of packages"
    if system:
        return "lies in a folder of the system"
    if action.what == "package-cache":
        cached = _CACHES & set(above) or any("cache" in part.lower() for part in above)
        return None if cached else "lies in no cache of packages"
    if action.what == "user-unit":
        unit = any("/".join(above).endswith(folder) for folder in UNITS)
        named = any(fnmatch.fnmatchcase(name, pattern) for pattern in _UNIT_NAMES)
        return None if unit and named and not action.folder else "is no unit of a user"
    if action.what == "persistence":
        return None if _CONFIGURED & set(above) and not action.folder else "lies in no folder of such configuration"
    return None if not action.folder and len(above) > 0 else "is no file"

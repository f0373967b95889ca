"""Which package and step a process belongs to, by what package managers tell the scripts that they start.

npm, pnpm, yarn and bun set `npm_package_name`, `npm_package_version` and `npm_lifecycle_event` (npm documentation,
"scripts"). pip and uv start the hooks of build backends (PEP 517) with `PEP517_BUILD_BACKEND` or
`_PYPROJECT_HOOKS_BUILD_BACKEND`, in folders that pip names `pip-install-…/NAME_HASH`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pratique.model.event import Cause

_PACKAGE = re.compile(r"(?:^|/)node_modules/((?:@[^/]+/)?[^/@.][^/]*)(?=/|$)")
_PIP = re.compile(r"/pip-(?:install|req-build|wheel)-[^/]+(?:/([A-Za-z0-9][\w.-]*?)_[0-9a-f]{16,64})?(?=/|$)")
_HOOK = re.compile(r"_in_process\.py$")
STEPS = frozenset(
    (
        "preinstall",
        "install",
        "postinstall",
        "prepare",
        "preprepare",
        "postprepare",
        "prepack",
        "postpack",
        "prepublish",
    )
)
"""Steps that an installation runs by itself; others are what the user asked for (`npm run build`)."""


def cause(
    arguments: tuple[str, ...], folder: str, environment: Mapping[str, str], project: str, above: Cause | None
) -> Cause | None:
    """The cause of a process that begins a program; None where nothing tells one.

    `project` is the folder of the command, whose own scripts are the user's, as are those of its workspaces. `above` is
    the cause of its parent.
    """
    name = environment.get("npm_package_name", "")
    step = environment.get("npm_lifecycle_event", "")
    if step:
        place = environment.get("npm_package_json", "").removesuffix("/package.json") or folder
        inside = (place.rstrip("/") + "/").startswith(project.rstrip("/") + "/") and "/node_modules/" not in place
        own = inside and step not in STEPS
        if own and above is not None and above.name:
            return _below(above)  # what a package starts does not become the user's own by what it says
        version = environment.get("npm_package_version", "")
        told = name or _named(place)
        return Cause("npm", "" if own else told, "" if own else version, step, "command" if own else "environment")
    hook = next((words for words in arguments if _HOOK.search(words)), "")
    if hook or "_PYPROJECT_HOOKS_BUILD_BACKEND" in environment or "PEP517_BUILD_BACKEND" in environment:
        found = _PIP.search(folder)
        at = arguments.index(hook) if hook else -1
        step = arguments[at + 1] if hook and at + 1 < len(arguments) else "build"
        return Cause("PyPI", (found[1] if found else "") or _last(folder), "", step, "environment")
    if above is not None:
        return _below(above)
    within = _named(folder)
    if within:
        return Cause("npm", within, "", "", "folder")
    found = _PIP.search(folder)
    return Cause("PyPI", found[1] or _last(folder), "", "", "folder") if found else None


def _below(above: Cause) -> Cause:
    return above if above.known_by != "environment" else Cause(*_fields(above), "ancestor")


def _fields(one: Cause) -> tuple[str, str, str, str]:
    return one.ecosystem, one.name, one.version, one.step


def _named(folder: str) -> str:
    """The package whose folder a path lies in, the innermost; empty where none is."""
    found = _PACKAGE.findall(folder)
    return str(found[-1]) if found else ""


def _last(folder: str) -> str:
    return folder.rstrip("/").rpartition("/")[2]

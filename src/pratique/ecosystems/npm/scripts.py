"""Whether a package manager runs the lifecycle scripts of dependencies when nothing is configured."""

from __future__ import annotations

import re
from typing import Literal

Default = Literal["run", "blocked", "unknown"]

_VERSION = re.compile(
    r"[v=]?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?P<before>-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
)

_BLOCKED_FROM: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "npm": ((12, 0, 0), (12, 0, 0)),
    "pnpm": ((10, 0, 0), (10, 0, 0)),
    "yarn": ((4, 14, 0), (4, 14, 1)),
}
"""Manager -> the first version that is not known to run scripts, the first that is known to block them."""


def scripts_by_default(manager: str, version: str | None) -> Default:
    """What a manager does with install scripts of registry packages without any setting of its user.

    | manager | runs them | blocks them |
    |---|---|---|
    | npm | up to 11; from 11.16 it warns and runs them all the same | from 12.0 |
    | pnpm | up to 9 | from 10.0 |
    | yarn | 1, and 2 to 4.13 | from 4.14.1; 4.14.0 was not tried |
    | bun | never, but for `trustedDependencies` and, without it, a list of well-known packages of its own | always |
    | deno | never without `--allow-scripts` or an approval | always |

    Measured with harmless packages from a loopback registry: npm 6.14.18, 7.24.2, 8.19.4, 9.9.4, 10.9.9, 11.21.2 and
    12.2.0; pnpm 7.33.7, 8.15.9, 9.15.9, 10.34.9, 11.28.11 and 12.21.0; yarn 1.22.22, 2.4.3, 3.8.7 and 4.0 to 4.18.1;
    bun 0.6.14 to 1.4.5; deno 1.46.3 to 2.9.6. `unknown` for another manager, a version that is missing or no version,
    a pre-release of the version in which the default changed, and releases between two tried ones that differ.
    Scripts of the project itself, of git and of local dependencies follow other rules.
    """
    if manager in ("bun", "deno"):
        return "blocked"
    bounds = _BLOCKED_FROM.get(manager)
    match = _VERSION.fullmatch(version) if version is not None and len(version) <= 256 else None
    if bounds is None or match is None:
        return "unknown"
    parts = [int(part) if part is not None else None for part in match.groups()[:3]]
    lowest = (parts[0] or 0, parts[1] or 0, parts[2] or 0)
    highest = (parts[0] or 0, *(part if part is not None else 1_000_000_000 for part in parts[1:]))
    first_unsure, first_blocked = bounds
    if highest < first_unsure:
        return "run"
    if lowest > first_blocked or (lowest == first_blocked and not match["before"]):
        return "blocked"
    return "unknown"

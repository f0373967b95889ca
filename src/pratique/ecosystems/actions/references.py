"""References to actions: a full commit is fixed, a tag or branch may point anywhere at any time."""

from __future__ import annotations

import re

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_commit(reference: str) -> bool:
    """Whether a reference is a full commit, which cannot be moved."""
    return COMMIT.fullmatch(reference) is not None


def admits(version: str, asked: str) -> bool:
    """Whether a reference may have led to a listed release.

    A full commit leads to itself alone; a tag or branch may have led to any listed commit, and to a listed tag only
    where it is that tag.
    """
    if is_commit(asked):
        return version == asked
    return is_commit(version) or version == asked

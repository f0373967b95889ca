"""Names of Python projects (packaging.python.org, "Names and normalization")."""

from __future__ import annotations

import re

_RUNS = re.compile(r"[-_.]+")


def normalise(name: str) -> str:
    """The normalised name: lower case, runs of `-`, `_` and `.` as one `-`."""
    return _RUNS.sub("-", name).lower()

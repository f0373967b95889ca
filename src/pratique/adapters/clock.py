"""The time of day and the name of this machine; everything else is handed them."""

from __future__ import annotations

import datetime
import platform


def now() -> datetime.datetime:
    """This moment in UTC."""
    return datetime.datetime.now(datetime.UTC)


def iso(moment: datetime.datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def host() -> str:
    """The name of this machine."""
    return platform.node() or "unknown"

"""Turn words of the command line and of a configuration file into values."""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from pratique import api

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def window(text: str) -> tuple[datetime.datetime, datetime.datetime | None]:
    """`START..END`, END may be left out. Raises UsageError."""
    start, dots, end = text.partition("..")
    if not dots:
        raise api.UsageError("needs the form START..END", where=f"--window {text}")
    first = _moment(start, text)
    last = _moment(end, text) if end else None
    if last is not None and last < first:
        raise api.UsageError("its end is before its start", where=f"--window {text}")
    return first, last


def moment(text: str, option: str) -> datetime.datetime:
    """A moment in ISO 8601, in UTC where it names no zone. Raises UsageError."""
    return _moment(text, text, option)


def _moment(text: str, whole: str, option: str = "--window") -> datetime.datetime:
    try:
        value = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise api.UsageError(
            f"{text!r} is no ISO 8601 time", where=f"{option} {whole}", advice="Write 2026-03-31T00:21:58Z"
        ) from None
    return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)


def size(text: str) -> int:
    """A size such as `256M` in bytes. Raises UsageError."""
    match = re.fullmatch(r"(\d+)\s*([KMG]?)i?B?", text.strip(), re.IGNORECASE)
    if not match or int(match[1]) == 0:
        raise api.UsageError("is no size", where=f"--max-file {text}", advice="Write 256M or 2G")
    return int(match[1]) * _UNITS[match[2].upper()]


def acceptance(text: str) -> api.Acceptance:
    """`PATH=REASON[;until=DATE]`. Raises UsageError."""
    path, equals, rest = text.partition("=")
    reason, _, until = rest.partition(";until=")
    if not equals or not path or not reason.strip():
        raise api.UsageError(
            "needs a path and a reason",
            where=f"--accept-refusal {text}",
            advice="Write PATH=REASON or PATH=REASON;until=2026-12-31",
        )
    return api.Acceptance(path, reason.strip(), _date(until, f"--accept-refusal {text}") if until else None)


def _date(text: str, where: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise api.UsageError(f"{text!r} is no date", where=where, advice="Write 2026-12-31") from None


class Settings(msgspec.Struct, frozen=True):
    """What a reviewed pratique.toml sets."""

    accepted: tuple[api.Acceptance, ...] = ()
    exclude: tuple[str, ...] = ()


class _Accept(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    reason: str
    until: datetime.date | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    accept: list[_Accept] = []
    exclude: list[str] = []


def configuration(path: Path) -> Settings:
    """Read a pratique.toml that the user named. Raises ConfigurationError with file, key and reason."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        parsed = msgspec.convert(document, _File)
    except OSError as error:
        raise api.ConfigurationError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError:
        raise api.ConfigurationError("is not UTF-8", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise api.ConfigurationError(f"is not TOML: {error}", where=str(path)) from None
    except msgspec.ValidationError as error:
        raise api.ConfigurationError(
            str(error), where=str(path), advice="Known keys: exclude, accept.path, accept.reason, accept.until"
        ) from None
    accepted = tuple(api.Acceptance(item.path, item.reason, item.until) for item in parsed.accept)
    return Settings(accepted, tuple(parsed.exclude))


def scope(targets: tuple[str, ...], excludes: tuple[str, ...]) -> tuple[list[api.TargetSpec], str, tuple[str, ...]]:
    """What is examined, in words, and what was not asked. Raises TargetError, UsageError."""
    outside = "other users and disks were not asked"
    if targets:
        specs = api.specify(targets)
        names = ", ".join(targets[:3]) + (f" and {len(targets) - 3} more" if len(targets) > 3 else "")
        statement = f"{names}; caches, logs and global roots elsewhere were not asked"
    else:
        specs = api.this_user()
        places = len(specs) - 1
        statement = (
            f"this user's caches, stores, logs and global roots ({places} places), and what runs here and starts"
        )
        statement += " by itself; projects were not asked"
    if excludes:
        statement = f"left out: {', '.join(excludes)}; {statement}"
    return specs, f"{statement}; {outside}" if not targets else statement, (outside,)


def shown(**options: Any) -> dict[str, Any]:
    """Options as the report shows them: those that were given."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in options.items() if value}

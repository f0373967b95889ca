"""Cooldowns: settings that keep a package manager from taking a release before it has a certain age.

| Manager | Setting | Value | Understood from |
|---|---|---|---|
| npm | `min-release-age` | days | 11.10 |
| npm | `before` | a date | 6 |
| pnpm | `minimumReleaseAge`, `minimum-release-age` | minutes | 10.16; 1440 without a setting from 11 on |
| yarn | `npmMinimalAgeGate` | minutes, or a number with a unit | 4.10; 1 day without a setting from 4.15 on |
| bun | `install.minimumReleaseAge` | seconds | 1.3 |
| uv | `exclude-newer` | a time, or a duration (`7 days`, `P7D`) | any; durations from 0.9.17 |
| pip | `uploaded-prior-to` | a time, or days (`P7D`) | 26.0; days from 26.1 |

The nearest file that sets one is in force. In one file npm's `before` wins over `min-release-age`.

## Left out
Settings of the environment and the command line, of single scopes (yarn's `npmScopes`), uv's `exclude-newer-package`.
Dates without a zone are taken as UTC where the manager would take the zone of its machine.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

import msgspec

from pratique.ecosystems.npm.versions import satisfies
from pratique.ecosystems.releases import Gate
from pratique.model.observation import PolicyFact

DAY = 86400.0
FROM_ENVIRONMENT = "from the environment"
Numbers = tuple[int, ...]

_SINCE: dict[tuple[str, str], Numbers] = {
    ("npm", "min-release-age"): (11, 10),
    ("pnpm", "minimumReleaseAge"): (10, 16),
    ("yarn", "npmMinimalAgeGate"): (4, 10),
    ("bun", "minimumReleaseAge"): (1, 3),
    ("pip", "uploaded-prior-to"): (26,),
}
_DEFAULTS: dict[str, tuple[Numbers, str, float]] = {
    "pnpm": ((11,), "minimumReleaseAge of 1440 minutes", DAY),
    "yarn": ((4, 15), "npmMinimalAgeGate of 1 day", DAY),
}
_SPELLINGS = {"minimum-release-age": "minimumReleaseAge", "minimum-release-age-exclude": "minimumReleaseAgeExclude"}
_EXEMPTIONS = (
    "min-release-age-exclude",
    "minimumReleaseAgeExclude",
    "minimumReleaseAgeExcludes",
    "npmPreapprovedPackages",
)
_KEYS = {
    "npm": ("before", "min-release-age"),
    "pnpm": ("minimumReleaseAge",),
    "yarn": ("npmMinimalAgeGate",),
    "bun": ("minimumReleaseAge",),
    "uv": ("exclude-newer",),
    "pip": ("uploaded-prior-to",),
}
_NUMBER_UNITS = {"npm": (DAY, "day"), "pnpm": (60.0, "minute"), "yarn": (60.0, "minute"), "bun": (1.0, "second")}
_YARN = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d|w)?")
_YARN_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY}
_WORDS = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?:\s+ago)?"
)
_WORD_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY}
_ISO = re.compile(
    r"P(?=.)(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?=.)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Cooldown(msgspec.Struct, frozen=True):
    """A cooldown in force. `age` in seconds, or `cut` as a moment; both None where its value cannot be told.

    `shown` names it for people; `fact` is the setting it was read from, None for a manager's default.
    """

    manager: str
    shown: str
    age: float | None = None
    cut: float | None = None
    exempt: tuple[str, ...] = ()
    strict: bool = True
    ignore_missing: bool = False
    since: Numbers = ()
    fact: PolicyFact | None = None
    exemptions: tuple[PolicyFact, ...] = ()

    @property
    def told(self) -> bool:
        """Whether its value can be told."""
        return self.age is not None or self.cut is not None

    def gate(self, name: str, at: float, versions: Sequence[str] = ()) -> Gate | None:
        """What it keeps out of one package at a moment; None where it exempts the package, or cannot be told."""
        if not self.told:
            return None
        free: frozenset[str] = frozenset()
        for pattern in self.exempt:
            whole, some = _exempts(self.manager, pattern, name, versions)
            if whole:
                return None
            free |= some
            if some and self.manager == "pnpm":
                break
        cut = self.cut if self.cut is not None else at - (self.age or 0.0)
        if self.manager in ("uv", "pip"):
            cut -= 1e-6  # both want releases from before the moment itself
        return Gate(cut, free, self.strict, self.ignore_missing)


def cooldown(
    manager: str, files: Sequence[Sequence[PolicyFact]], version: Numbers | None = None, *, new_lock: bool = True
) -> Cooldown | None:
    """The cooldown in force, from the settings of each file, the nearest first; None where there is none.

    `version` is the manager's own, None where it is not known: then no default counts, and a setting is taken as
    understood. `new_lock`: no lockfile of an older version keeps yarn's default from counting.
    """
    rc = manager == "pnpm" and version is not None and version >= (11,)  # from there on .npmrc holds no such settings
    settings = [
        [(key_of(fact), fact) for fact in file if fact.manager == manager and not (rc and fact.setting in _SPELLINGS)]
        for file in files
    ]
    chosen = next(
        ((key, fact) for file in settings for key in _KEYS.get(manager, ()) for name, fact in file if name == key),
        None,
    )
    exemptions = [fact for file in settings for name, fact in file if name in _EXEMPTIONS][:1]
    exempt = tuple(name for fact in exemptions for name in fact.names)
    if chosen is None:
        return _default(manager, version, exempt, tuple(exemptions)) if new_lock else None
    key, fact = chosen
    since = _SINCE.get((manager, key), ())
    if version is not None and since and version < since:
        return None
    amount = _value(manager, key, fact.value)
    shown = _shown(manager, key, fact.value)
    if amount is None:
        return Cooldown(manager, shown, since=since, fact=fact)
    age, cut = amount
    if age == 0:
        return None
    strict, ignore = True, False
    if manager == "pnpm":
        major = version[0] if version else 12
        said = {name: f.value for file in reversed(settings) for name, f in file}
        strict = said.get("minimumReleaseAgeStrict", "true") != "false" or major < 11
        ignore = said.get("minimumReleaseAgeIgnoreMissingTime", "true") != "false" and major >= 11
    return Cooldown(manager, shown, age, cut, exempt, strict, ignore, since, fact, tuple(exemptions))


def since(manager: str, setting: str) -> Numbers:
    """The first version of a manager that knows a setting; empty where every version does, or that is not known."""
    return _SINCE.get((manager, setting), ())


def key_of(fact: PolicyFact) -> str:
    """The one name of a setting, whatever table or spelling it stands in."""
    last = fact.setting.rpartition(".")[2]
    return _SPELLINGS.get(last, last)


def _default(
    manager: str, version: Numbers | None, exempt: tuple[str, ...], exemptions: tuple[PolicyFact, ...]
) -> Cooldown | None:
    default = _DEFAULTS.get(manager)
    if default is None or version is None or version < default[0]:
        return None
    shown = f"{default[1]}, the default of {manager} {version[0]}"
    strict = manager != "pnpm"
    return Cooldown(manager, shown, default[2], None, exempt, strict, manager == "pnpm", exemptions=exemptions)


def _value(manager: str, key: str, text: str) -> tuple[float | None, float | None] | None:
    """Age in seconds or a moment; None where the value cannot be told; an age of 0 where it is switched off."""
    text = text.strip().strip("\"'")
    if text in ("null", "false"):
        return 0.0, None
    if key == "before":
        return _moment(text)
    if manager == "yarn":
        match = _YARN.fullmatch(text)
        return (float(match["number"]) * _YARN_UNITS[match["unit"] or "m"], None) if match else None
    if manager in _NUMBER_UNITS:
        try:
            return float(text) * _NUMBER_UNITS[manager][0], None
        except ValueError:
            return None
    return _duration(text) or _moment(text, end_of_day=manager == "uv")


def _duration(text: str) -> tuple[float, None] | None:
    words = _WORDS.fullmatch(text.lower())
    if words:
        return float(words["number"]) * _WORD_UNITS[words["unit"][0]], None
    iso = _ISO.fullmatch(text)
    if iso:
        units = {"w": 7 * DAY, "d": DAY, "h": 3600.0, "m": 60.0, "s": 1.0}
        return sum(float(iso[unit] or 0) * seconds for unit, seconds in units.items()), None
    return None


def _moment(text: str, *, end_of_day: bool = False) -> tuple[None, float] | None:
    try:
        value = datetime.datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        return None
    value = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    if end_of_day and _DATE.fullmatch(text):
        value += datetime.timedelta(days=1)
    return None, value.timestamp()


def _shown(manager: str, key: str, text: str) -> str:
    """A setting for people, with its unit."""
    if text == FROM_ENVIRONMENT:
        return f"{key}, whose value comes from the environment"
    amount = _value(manager, key, text)
    if amount is None or amount[0] is None:
        return f"{key} of {text}"
    unit = _NUMBER_UNITS.get(manager, (0.0, ""))[1]
    plain = text if not unit or not re.fullmatch(r"[\d.]+", text) else f"{text} {unit}{'' if text == '1' else 's'}"
    days = amount[0] / DAY
    long = "" if unit in ("day", "") or days < 1 else f" ({days:.3g} day{'' if days == 1 else 's'})"
    return f"{key} of {plain}{long}"


def _exempts(manager: str, pattern: str, name: str, versions: Sequence[str]) -> tuple[bool, frozenset[str]]:
    """Whether a pattern exempts a package as a whole, or which of its versions."""
    nothing: frozenset[str] = frozenset()
    if manager == "npm":
        return _glob(pattern, name, "[^/]"), nothing
    if manager == "bun":
        return pattern == name, nothing
    at = pattern.find("@", 1)
    base, asked = (pattern, "") if at < 0 else (pattern[:at], pattern[at + 1 :])
    if not _glob(base, name, "." if manager == "pnpm" else "[^/]"):
        return False, nothing
    if not asked:
        return True, nothing
    if manager == "pnpm":
        return False, frozenset(part.strip() for part in asked.split("||"))
    return False, frozenset(version for version in versions if satisfies(version, asked))


def _glob(pattern: str, name: str, any_sign: str) -> bool:
    """Whether a name matches a pattern with `*`."""
    if "*" not in pattern or len(pattern) > 214:
        return pattern == name
    parts = re.split(r"\*+", pattern)
    return re.fullmatch(f"{any_sign}*".join(map(re.escape, parts)), name) is not None

"""The paths that indicators name, as a machine spells them: homes, system folders, variables of Windows."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pratique.assess.catalogue import Catalogue
from pratique.model.incident import Incident, Indicator
from pratique.model.observation import HostFact

_VARIABLES = {
    "%programdata%": ("/ProgramData",),
    "%localappdata%": ("~/AppData/Local",),
    "%appdata%": ("~/AppData/Roaming",),
    "%temp%": ("~/AppData/Local/Temp", "/Windows/Temp"),
    "%tmp%": ("~/AppData/Local/Temp", "/Windows/Temp"),
    "%userprofile%": ("~",),
    "%windir%": ("/Windows",),
    "%systemroot%": ("/Windows",),
    "%public%": ("/Users/Public",),
    "$tmpdir": ("/private/var/folders/*/*/T", "/private/tmp", "/tmp", "/var/tmp"),  # noqa: S108 (of other machines)
    "$home": ("~",),
}


class Named(msgspec.Struct, frozen=True):
    """A path that an indicator names, as a machine spells it: from the root on, or from a home on (`~`)."""

    incident: Incident
    indicator: Indicator
    path: str
    anchored: bool
    """Whether the whole path is named, and not its end alone."""


@functools.lru_cache(maxsize=4096)
def spelled(value: str) -> tuple[tuple[str, bool], ...]:
    """The paths that an indicator's value stands for, each with whether it is a whole one."""
    text = value.replace("\\", "/")
    for variable, folders in _VARIABLES.items():
        if text.lower().startswith(variable):
            return tuple((folder + text[len(variable) :], True) for folder in folders)
    drive = re.match(r"[A-Za-z]:/", text)
    if drive:
        return ((text[2:], True),)
    if text.startswith("**/~/"):
        text = text[3:]
    if text.startswith(("/", "~/")):
        return ((text, "**" not in text),)
    end = text.removeprefix("**/")
    found: list[tuple[str, bool]] = [(f"**/{end}", False)]
    if end.startswith("."):
        found.append((f"~/{end}", False))
    return tuple(found)


def named_paths(incidents: Iterable[Incident], platforms: Sequence[str]) -> list[Named]:
    """Every path that indicators name for one of these systems."""
    found = []
    for incident in incidents:
        for indicator in incident.indicators:
            if indicator.type != "file-path" or indicator.match == "regex":
                continue
            if indicator.platforms and not set(platforms).intersection(indicator.platforms):
                continue
            found += [Named(incident, indicator, path, anchored) for path, anchored in spelled(indicator.value)]
    return found


def places(path: str, fact: HostFact) -> Iterator[str]:
    """A named path on one machine, relative to its root; nothing for one that could lie anywhere."""
    if path.startswith("~"):
        for home in fact.homes:
            yield f"{home}{path[1:]}".strip("/")
    elif path.startswith("/"):
        for base in fact.bases or ("",):
            yield f"{base}{path}".strip("/")
        if path.startswith(_VARIABLES["$tmpdir"][2] + "/"):
            for folder in fact.temporary:
                yield f"{folder}{path[4:]}".strip("/")


@functools.lru_cache(maxsize=8192)
def _test(path: str, homes: tuple[str, ...], bases: tuple[str, ...], folded: bool) -> re.Pattern[str]:
    """A test of whole paths, with `/` at the start and between parts."""
    if path.startswith("~/"):
        known = "|".join(re.escape(home) for home in homes) or "(?!)"
        head, rest = rf"(?:{known}|/home/[^/]+|/root|(?:[A-Za-z]:)?/Users/[^/]+|/(?:private/)?var/root)/", path[2:]
    elif path.startswith("**/"):
        head, rest = r"(?:[A-Za-z]:)?/(?:.*/)?", path[3:]
    else:
        inner = "|".join(re.escape(f"/{base}") for base in bases)
        head, rest = rf"(?:[A-Za-z]:)?(?:{inner})?/" if inner else r"(?:[A-Za-z]:)?/", path.lstrip("/")
    parts = [
        {"**/": r"(?:.*/)?", "*": r"[^/]*", "?": r"[^/]"}.get(part, re.escape(part))
        for part in re.split(r"(\*\*/|\*|\?)", rest)
    ]
    return re.compile(head + "".join(parts), re.DOTALL | (re.IGNORECASE if folded else 0))


class Machine:
    """What is known of one machine, and the paths that indicators name there."""

    def __init__(self, catalogue: Catalogue, facts: Sequence[HostFact]) -> None:
        platforms = tuple(sorted({platform for fact in facts for platform in fact.platforms}))
        self.platforms = platforms or ("linux", "macos", "windows")
        self.homes = tuple(dict.fromkeys(home for fact in facts for home in fact.homes))
        self.temporary = tuple(dict.fromkeys(path for fact in facts for path in fact.temporary))
        self.bases = tuple(dict.fromkeys(base for fact in facts for base in fact.bases))
        self.paths = named_paths(catalogue.incidents, self.platforms)
        self.folded = "windows" in self.platforms or "macos" in self.platforms
        self._by_name: dict[str, list[Named]] = {}
        self._patterns: list[Named] = []
        for named in self.paths:
            name = named.path.rpartition("/")[2]
            if any(sign in name for sign in "*?"):
                self._patterns.append(named)
            else:
                self._by_name.setdefault(name.casefold(), []).append(named)

    def named(self, path: str) -> Iterator[Named]:
        """What names a path, absolute or a bare name."""
        plain = path.replace("\\", "/")
        name = plain.rpartition("/")[2].casefold()
        seen = set()
        for named in (*self._by_name.get(name, ()), *self._patterns):
            key = (named.incident.id, named.indicator.id)
            if key not in seen and self._is(named, plain):
                seen.add(key)
                yield named

    def _is(self, named: Named, path: str) -> bool:
        test = _test(named.path, self.homes, self.bases, self.folded)
        if test.fullmatch(path):
            return True
        start = _VARIABLES["$tmpdir"][2] + "/"
        if named.path.startswith(start) and path.startswith("/private/tmp/"):
            return test.fullmatch(path[len("/private") :]) is not None
        return False

    def home_of(self, path: str) -> str | None:
        """The home that a path of an artifact, from the root on, lies in."""
        inside = [home for home in self.homes if f"{path}/".startswith(f"{home}/")]
        return max(inside, key=len, default=None)


def others_use(named: Named) -> bool:
    """Whether others use such a name too.

    Of a whole path with high confidence look-alikes lie elsewhere: the comparison has kept them out.
    """
    basename = named.path.rpartition("/")[2]
    if any(sign in basename for sign in "*?"):
        return not named.anchored
    return bool(named.indicator.look_alikes) and not (named.anchored and named.indicator.confidence == "high")


def full(path: str, home: str | None) -> str:
    """A path that a command names, with `~`, `$HOME` and Windows' variables filled in where they are known."""
    plain = path.replace("\\", "/").strip("\"'")
    for start in ("~/", "$HOME/", "${HOME}/", "%h/", "%USERPROFILE%/"):
        if plain.startswith(start) and home is not None:
            return f"{home}/{plain[len(start) :]}"
    for variable, folders in _VARIABLES.items():
        if plain.lower().startswith(f"{variable}/"):
            folder = folders[0]
            if folder.startswith("~"):
                folder = f"{home or '/home/?'}{folder[1:]}"
            return folder + plain[len(variable) :]
    return plain

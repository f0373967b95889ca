"""What a path is to a guard: a place of credentials, of what runs again, of a package, of the project, a temporary one.

The places are those that `pratique reach` and `pratique host` know.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from fnmatch import translate
from functools import cache, lru_cache

from msgspec import structs

from pratique.model.event import Cause, PathClass
from pratique.readers.credentials.paths import paths
from pratique.targets.host_places import PER_HOME, PER_SYSTEM

_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/")  # noqa: S108  names of places, nothing is put there
_SYSTEM = ("/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/etc/", "/proc/", "/sys/", "/dev/", "/nix/", "/opt/")
_PACKAGES = re.compile(r"/(?:node_modules/(?:@[^/]+/)?[^/]+|site-packages|dist-packages)(?:/|$)")
_MANIFEST = re.compile(r"/node_modules/(?:@[^/]+/)?[^/]+/package\.json$")
_START = re.compile(r"/(?:site|dist)-packages/[^/]+\.pth$")
"""Files whose lines Python executes whenever it starts (Python documentation, module `site`)."""
_OWN = ("/.vscode/", "/.claude/", "/.cursor/", "/.gemini/", "/.github/workflows/", "/.git/hooks/", "/.git/config")
"""Places of a project that editors, agents, forges and git start things from."""


@cache
def templates() -> tuple[str, ...]:
    """The places of credentials that the table knows, as patterns."""
    return paths()


class Places:
    """The places of one account and one project."""

    def __init__(self, home: str, project: str, environment: Mapping[str, str]) -> None:
        self.home, self.project = home.rstrip("/"), project.rstrip("/")
        self.temporary = (*_TEMPORARY, environment.get("TMPDIR", "/tmp").rstrip("/") + "/")  # noqa: S108  as above
        credentials = [found for one in templates() if (found := self._expanded(one))]
        persistence = [self.home + "/" + one for one, _ in PER_HOME["linux"] if "site-packages" not in one]
        persistence += ["/" + one for one, _ in PER_SYSTEM["linux"]]
        self.patterns = tuple(dict.fromkeys(credentials))
        """The places of credentials, as absolute patterns of shells."""
        self._credential = _Patterns(credentials)
        self._persistence = _Patterns(persistence)
        self.classify = lru_cache(maxsize=65536)(self._class)

    def _expanded(self, template: str) -> str:
        """A place of the table as an absolute pattern; empty where it hangs on a variable that is no folder here."""
        head, _, rest = template.partition("/")
        if not head:
            return template
        known = {"$HOME": self.home, "$PROJECT": self.project, "$XDG_CONFIG_HOME": f"{self.home}/.config"}
        return f"{known[head]}/{rest}" if head in known else ""

    def _class(self, path: str) -> PathClass:
        if _MANIFEST.search(path):
            return "manifest"
        if _PACKAGES.search(path):
            return "persistence" if _START.search(path) else "package"
        inside = path.startswith(self.project + "/")
        if self._persistence.match(path) or (inside and any(one in path for one in _OWN)):
            return "persistence"
        if self._credential.match(path):
            return "credential"
        if inside:
            return "project"
        if path.startswith(self.temporary):
            return "temporary"
        return "system" if path.startswith(_SYSTEM) else "other"


_STATED = re.compile(rb"^(Name|Version):[ \t]*([A-Za-z0-9][A-Za-z0-9._+!-]*)[ \t]*\r?$", re.M)
_MOST_METADATA = 1 << 16


def named(found: Cause, folder: str) -> Cause:
    """The cause of a build with name and version as its source's `PKG-INFO` states them, where that can be read.

    pip builds what is given as a file in folders that do not bear its name (`pip-req-build-...`).
    """
    unnamed = found.name.startswith("pip-req-build-")
    if found.version and not unnamed:
        return found
    try:
        with open(os.path.join(folder, "PKG-INFO"), "rb") as file:
            head = file.read(_MOST_METADATA).partition(b"\n\n")[0]
    except OSError:
        return found
    stated = {key: value.decode("ascii") for key, value in reversed(_STATED.findall(head))}
    name, version = stated.get(b"Name", found.name) if unnamed else found.name, stated.get(b"Version", "")
    return structs.replace(found, name=name, version=version)


class _Patterns:
    """Whether a path is one of many patterns: most have no wildcard, and are looked up; `**` stands for any depth.

    Those with a wildcard are kept by the folder before it, and made ready when something there is asked for.
    """

    def __init__(self, patterns: list[str]) -> None:
        named = [os.path.normpath(one) for one in dict.fromkeys(patterns)]
        self._plain = frozenset(one for one in named if not any(char in one for char in "*?["))
        self._wild: dict[str, list[str]] = {}
        for one in named:
            if one not in self._plain:
                fixed = re.split(r"[*?\[]", one, maxsplit=1)[0]
                self._wild.setdefault(fixed.rpartition("/")[0], []).append(one)
        self._ready: dict[str, re.Pattern[str]] = {}

    def match(self, path: str) -> bool:
        """Whether one of them is the path."""
        if path in self._plain:
            return True
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self._wild:
                ready = self._ready.get(folder)
                if ready is None:
                    ready = self._ready[folder] = re.compile("|".join(map(translate, self._wild[folder])))
                if ready.match(path):
                    return True
        return False

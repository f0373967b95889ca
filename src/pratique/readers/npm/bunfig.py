"""bun's configuration file: the settings that decide what is installed, from where, and whether scripts run.

## Reads
`bunfig.toml` of a project and `.bunfig.toml` of a user, table `[install]`: the hosts of `registry` and of each of
`scopes`, `minimumReleaseAge` (seconds) and its `minimumReleaseAgeExcludes`, `ignoreScripts`, `saveTextLockfile`,
`frozenLockfile`, `linker`, the folders `globalDir` and `cache`, and the name of a `security.scanner`.

## Leaves out
Credentials, whether in a table of a registry or in its URL; everything of the runtime, such as `preload`. bun also
reads `.npmrc`, which has its own reader. The trusted names stand in package.json. What cannot be read is refused as
not relevant: no setting shows a release.

## References
bun documentation "bunfig.toml".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pratique.model.observation import Observation, PolicyFact, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.text import decode_text, refuse

LIMIT = 65_536
FROM_ENVIRONMENT = "from the environment"

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_SCOPE = re.compile(r"@?[A-Za-z0-9~][A-Za-z0-9._~-]{0,213}")
_NAME = re.compile(r"(?:@[A-Za-z0-9~*-][A-Za-z0-9._~*-]{0,213}/)?[A-Za-z0-9~*-][A-Za-z0-9._~*-]{0,213}")
_PATH = re.compile(r"(?:[/\\~.]|[A-Za-z]:[/\\]|\$)[^\x00-\x1f]{0,4095}")
_LONG_KEY = re.compile(
    r"(?:(?:[A-Za-z0-9_-]{1,200}+|\"[^\"\n]{0,200}+\"|'[^'\n]{0,200}+')[ \t]{0,9}+\.[ \t]{0,9}+){100}"
)
_SWITCHES = ("ignoreScripts", "saveTextLockfile", "frozenLockfile")
_LINKERS = ("hoisted", "isolated")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one policy fact for each setting that is understood; a refusal, not relevant, for what is not."""
    document = _document(artifact.content())
    if isinstance(document, str):
        yield _refusal(artifact, document)
        return
    install = document.get("install", {})
    if not isinstance(install, dict):
        yield _refusal(artifact, "install: is no table")
        return
    times = artifact.modified_time("the configuration file was last written")
    for setting, value, names in _settings(install):
        if value is None:
            yield _refusal(artifact, f"install.{setting}: its value is not of the kind that bun takes")
            continue
        fact = PolicyFact(setting=f"install.{setting}", value=value, names=names, manager="bun")
        yield Observation(READER.name, artifact.location(), fact, times)


def _refusal(artifact: Artifact, reason: str) -> Refusal:
    return msgspec.structs.replace(refuse(artifact, READER, reason), relevant=False)


def _document(data: bytes) -> dict[str, Any] | str:
    """The tables of the file; else why not. The parser's own words are not repeated: they may quote a value."""
    import tomllib

    if len(data) > LIMIT:
        return f"is larger than {LIMIT} bytes"
    text = decode_text(data)
    if text is None:
        return "is not text in UTF-8 or UTF-16"
    if _LONG_KEY.search(text):
        return "has a key of a hundred parts"  # the parser's time grows with the square of their number
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at (?:line \d+, column \d+|end of document)\)$", str(error))
        return f"is no TOML {place[0]}" if place else "is no TOML"
    except (ValueError, OverflowError, RecursionError):
        return "is nested too deeply or holds an absurd number"


def _settings(install: dict[str, Any]) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    """Name, value and names of each known setting; a value of None is not understood."""
    if "registry" in install:
        yield "registry", _host(install["registry"]), ()
    scopes = install.get("scopes")
    if isinstance(scopes, dict):
        for scope in sorted(scopes):
            if _SCOPE.fullmatch(scope):
                yield f"scopes.@{scope.removeprefix('@')}", _host(scopes[scope]), ()
    age = install.get("minimumReleaseAge")
    if age is not None:
        known = isinstance(age, int | float) and not isinstance(age, bool) and 0 <= age < 1e12
        yield "minimumReleaseAge", f"{age:.15g}" if known else None, ()
    excluded = install.get("minimumReleaseAgeExcludes")
    if isinstance(excluded, list):
        names = {name for name in excluded if isinstance(name, str) and _NAME.fullmatch(name)}
        yield "minimumReleaseAgeExcludes", "allow", tuple(sorted(names))
    for switch in _SWITCHES:
        if switch in install:
            value = install[switch]
            yield switch, str(value).lower() if isinstance(value, bool) else None, ()
    if "linker" in install:
        yield "linker", install["linker"] if install["linker"] in _LINKERS else None, ()
    if "globalDir" in install:
        yield "globalDir", _path(install["globalDir"]), ()
    cache = install.get("cache")
    folder = cache.get("dir") if isinstance(cache, dict) else cache
    if cache is False or (isinstance(cache, dict) and cache.get("disable") is True):
        yield "cache", "false", ()
    elif isinstance(folder, str):
        yield "cache", _path(folder), ()
    security = install.get("security")
    scanner = security.get("scanner") if isinstance(security, dict) else None
    if scanner is not None:
        yield "security.scanner", scanner if isinstance(scanner, str) and _NAME.fullmatch(scanner) else None, ()


def _host(registry: object) -> str | None:
    """The host of a registry, given as a URL or as a table with one; never port, path, user or token."""
    url = registry.get("url") if isinstance(registry, dict) else registry
    if not isinstance(url, str):
        return None
    if url.startswith("$"):
        return FROM_ENVIRONMENT
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    if host and "$" in host:
        return FROM_ENVIRONMENT
    return host if host and _HOST.fullmatch(host) else None


def _path(value: object) -> str | None:
    return value if isinstance(value, str) and "//" not in value and _PATH.fullmatch(value) else None


READER = Reader(
    name="bunfig",
    ecosystem="npm",
    read=read,
    basenames=("bunfig.toml", ".bunfig.toml"),
    subject="project",
    relevance="never",
    limit=LIMIT,
)

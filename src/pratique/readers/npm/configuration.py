"""npm's configuration files: the settings that decide what is installed, from where, and whether scripts run.

## Reads
`.npmrc` of a project or user, `npmrc` of a prefix or of npm itself. Switches for scripts, their allow-list, the age a
release must have, lockfile and registry settings, the folders of cache, logs, store and prefix, and pnpm's settings of
the same file. Of a registry only its host is kept; of `script-shell` and `node-options` only that they are set. The
last line of a key is in force; lines below a `[section]` and files in UTF-16 hold no settings for npm.

## Leaves out
Every credential, whether a key of its own or one of a host, with its line; certificates, keys, user names, proxies, and
the contents of environment variables that a value names. Settings from the environment or the command line, and which
of several files is in force, are not seen here. What cannot be read is refused as not relevant: no setting shows a
release.

## References
npm documentation "npmrc" and "config"; pnpm documentation "Settings (.npmrc)"; npm 11.19.1 as tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from pratique.ecosystems.npm.npmrc import Setting, has_variable, settings
from pratique.ecosystems.npm.urls import strip_url
from pratique.model.observation import Observation, PolicyFact, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.text import refuse

_SWITCHES = frozenset(
    {
        "ignore-scripts",
        "strict-allow-scripts",
        "dangerously-allow-all-scripts",
        "package-lock",
        "save-exact",
        "omit-lockfile-registry-resolved",
        "enable-pre-post-scripts",
        "side-effects-cache",
    }
)
_NUMBERS = frozenset({"min-release-age", "minimum-release-age", "logs-max"})
_NAMES = frozenset({"allow-scripts", "min-release-age-exclude", "minimum-release-age-exclude"})
_PATHS = frozenset({"prefix", "cache", "logs-dir", "store-dir"})
_PRESENCE = frozenset({"script-shell", "node-options"})
_OTHERS = frozenset({"before", "registry", "replace-registry-host"})
_KNOWN = _SWITCHES | _NUMBERS | _NAMES | _PATHS | _PRESENCE | _OTHERS
_PNPM = frozenset(
    {
        "minimum-release-age",
        "minimum-release-age-exclude",
        "enable-pre-post-scripts",
        "side-effects-cache",
        "store-dir",
    }
)

_SCOPED_REGISTRY = re.compile(r"@[A-Za-z0-9~][A-Za-z0-9._~-]{0,213}:registry")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_PATH = re.compile(r"(?:[/\\~.]|[A-Za-z]:[/\\]|\$\{)[^\x00-\x1f]{0,4095}")
_SPECIFIER = re.compile(
    r"(?:@[a-z0-9~*-][a-z0-9._~*-]{0,213}/)?[A-Za-z0-9~*-][A-Za-z0-9._~*-]{0,213}(?:@[0-9A-Za-z.+| *-]{1,200})?"
)
_VARIABLE_DEFAULT = re.compile(r"\$\{([^${}?:-]+)(?:\?|:?-[^{}]*)?\}")
_LONGEST = 16_384

FROM_ENVIRONMENT = "from the environment"
IS_SET = "set"


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one policy fact for each setting that is understood; a refusal, not relevant, for what is not."""
    data = artifact.content()
    if b"\0" in data:
        yield _refusal(artifact, "holds zero bytes (UTF-16 or no text): npm finds no settings in it")
        return
    found: dict[str, Setting] = {}
    lists: dict[str, list[str]] = {}
    for setting in settings(data.decode("utf-8", "replace")):
        if setting.key in _KNOWN or _SCOPED_REGISTRY.fullmatch(setting.key):
            found.pop(setting.key, None)
            found[setting.key] = setting
            if setting.key in _NAMES:
                before = lists.get(setting.key, []) if setting.listed else []
                lists[setting.key] = [*before, *(part.strip() for part in (setting.value or "").split(","))]
    for setting in sorted(found.values(), key=lambda item: item.line):
        fact = _fact(setting, lists.get(setting.key, []))
        if isinstance(fact, str):
            yield _refusal(artifact, f"line {setting.line}: {setting.key} {fact}")
        else:
            yield Observation(
                READER.name,
                artifact.location(line=setting.line),
                fact,
                artifact.modified_time("the configuration file was last written"),
            )


def _refusal(artifact: Artifact, reason: str) -> Refusal:
    return msgspec.structs.replace(refuse(artifact, READER, reason), relevant=False)


def _fact(setting: Setting, listed: list[str]) -> PolicyFact | str:
    """The fact of a setting, or what is wrong with its value. A value that is not understood is never repeated."""
    key = setting.key
    manager = "pnpm" if key in _PNPM else "npm"
    value = setting.value
    if value is not None and len(value) > _LONGEST:
        return "has a value of more than 16384 characters"
    if key in _PRESENCE:
        return PolicyFact(setting=key, value=IS_SET, manager=manager)
    if key in _NAMES:
        names = {strip_url(name) if "//" in name else name for name in listed if name and not has_variable(name)}
        known = tuple(sorted(name for name in names if _SPECIFIER.fullmatch(name)))
        if not known and any(has_variable(name) for name in listed):
            return PolicyFact(setting=key, value=FROM_ENVIRONMENT, manager=manager)
        return PolicyFact(setting=key, value="allow", names=known, manager=manager)
    if key in _PATHS:
        if not value or value.startswith("//") or not _PATH.fullmatch(value):
            return "is no path"
        return PolicyFact(setting=key, value=_VARIABLE_DEFAULT.sub(r"${\1}", value), manager=manager)
    if (
        value is not None
        and has_variable(value)
        and not (key.endswith("registry") and value.lower().startswith("http"))
    ):
        return PolicyFact(setting=key, value=FROM_ENVIRONMENT, manager=manager)
    if key in _SWITCHES:
        word = {None: "true", "": "true", "null": "false"}.get(value, value)
        if word not in ("true", "false"):
            return "is neither true nor false"
        return PolicyFact(setting=key, value=word, manager=manager)
    if value is None:
        return "has no value"
    if key in _NUMBERS:
        if value == "null":
            return PolicyFact(setting=key, value="null", manager=manager)
        return PolicyFact(setting=key, value=value, manager=manager) if _NUMBER.fullmatch(value) else "is no number"
    if key == "before":
        if value == "null":
            return PolicyFact(setting=key, value="null", manager=manager)
        return PolicyFact(setting=key, value=value, manager=manager) if _DATE.fullmatch(value) else "is no date"
    if key == "replace-registry-host":
        host: str | None = value if _HOST.fullmatch(value) else None
    else:
        host = _host(value)
    return PolicyFact(setting=key, value=host, manager=manager) if host else "names no host"


def _host(url: str) -> str | None:
    """The host of a registry URL, without port, path and user info."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    if not host:
        return None
    if has_variable(host) or "${" in host:
        return FROM_ENVIRONMENT
    return host if _HOST.fullmatch(host) else None


READER = Reader(
    name="npm-configuration",
    ecosystem="npm",
    read=read,
    basenames=(".npmrc", "npmrc"),
    subject="project",
    relevance="never",
    limit=MEBIBYTE,
)

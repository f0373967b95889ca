"""Yarn's settings that decide whether scripts run and how old a release must be: .yarnrc.yml and .yarnrc.

## Reads
Yarn 2 and later: `enableScripts`, `npmMinimalAgeGate`, `npmPreapprovedPackages` (names that the gate lets pass),
`nodeLinker`, `enableHardenedMode`, `checksumBehavior`, `enableGlobalCache`, and of `npmRegistryServer` the host alone.
Yarn classic: `ignore-scripts`, `--install.ignore-scripts`, `yarn-offline-mirror`, and of `registry` the host alone.
Only these are looked at, so no token, password or certificate can come out.

## Leaves out
Every other setting, settings of single scopes and registries, and the environment (`YARN_ENABLE_SCRIPTS`). A value
that holds a variable (`${NAME}`) is not resolved and not reported. The settings are those of now, not of the install.

## References
Yarn documentation "Settings (.yarnrc.yml)"; Yarn classic documentation ".yarnrc".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pratique.ecosystems.npm.urls import strip_url
from pratique.model.observation import Observation, PolicyFact, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.syml import LARGEST_YAML, NotPlain, plain_events, sound, unquote
from pratique.readers.text import decode_text, refuse

_WORDS = {
    "enableScripts": re.compile(r"true|false"),
    "enableHardenedMode": re.compile(r"true|false"),
    "enableGlobalCache": re.compile(r"true|false"),
    "nodeLinker": re.compile(r"pnp|pnpm|node-modules"),
    "checksumBehavior": re.compile(r"throw|update|ignore|reset"),
    "npmMinimalAgeGate": re.compile(r"\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d|w)?"),
}
_CLASSIC = re.compile(
    r'^"?(?:--(?:install|add|global)\.)?(?P<key>--ignore-scripts|ignore-scripts|yarn-offline-mirror|registry)"?'
    r"[ \t]+(?P<value>.+?)[ \t]*$"
)
_NAME = re.compile(r"[@A-Za-z0-9._/*^~<>= |-]{1,214}")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one policy fact for each setting that is looked at."""
    text = decode_text(artifact.content())
    if text is None:
        yield _irrelevant(artifact, "is not text in UTF-8 or UTF-16")
        return
    if artifact.path.endswith(".yml"):
        yield from _modern(artifact, text)
    else:
        yield from _classic(artifact, text)


def _irrelevant(artifact: Artifact, reason: str) -> Refusal:
    """No settings file can carry a release: not reading it only leaves a protection unknown."""
    return msgspec.structs.replace(refuse(artifact, READER, reason), relevant=False)


def _modern(artifact: Artifact, text: str) -> Iterator[Observation | Refusal]:
    if len(text) > LARGEST_YAML:
        yield _irrelevant(artifact, f"is larger than {LARGEST_YAML} characters")
        return
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    values: list[tuple[str, str, int]] = []
    names: list[str] = []
    key = ""
    reason = None
    try:
        for depth, role, value, line in plain_events(yaml.parse(text, Loader=loader)):
            if depth == 1 and role == "key":
                key = value
            elif depth == 1 and role == "value":
                values.append((key, value, line))
            elif depth == 2 and role == "item" and key == "npmPreapprovedPackages" and _NAME.fullmatch(value):
                names.append(value)
    except NotPlain as error:
        reason = str(error)
    except (yaml.YAMLError, ValueError, RecursionError):
        reason = "is not valid YAML"
    for setting, value, line in values:
        shown = _shown(setting, value)
        if shown is not None:
            yield _policy(artifact, setting, shown, line)
    if names:
        fact = PolicyFact(setting="npmPreapprovedPackages", value="allow", names=tuple(sorted(names)), manager="yarn")
        yield Observation(READER.name, artifact.location(), fact)
    if reason is not None:
        yield _irrelevant(artifact, reason)


def _shown(setting: str, value: str) -> str | None:
    """The value as far as it may be shown; None where the setting is not looked at."""
    words = _WORDS.get(setting)
    if words is not None:
        return value if words.fullmatch(value) else None
    return _host(value) if setting == "npmRegistryServer" else None


def _host(url: str) -> str | None:
    match = re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/.*)?", strip_url(url))
    return match[1] if match and "$" not in url else None


def _classic(artifact: Artifact, text: str) -> Iterator[Observation | Refusal]:
    for number, line in enumerate(text.split("\n"), start=1):
        match = _CLASSIC.match(line.rstrip("\r")) if len(line) < 4096 else None
        if match is None or match["value"].startswith("#"):
            continue
        key, value = match["key"].removeprefix("--"), unquote(match["value"])
        if key == "ignore-scripts" and value in ("true", "false"):
            yield _policy(artifact, key, value, number)
        elif key == "registry" and (host := _host(value)) is not None:
            yield _policy(artifact, key, host, number)
        elif key == "yarn-offline-mirror" and "$" not in value:
            yield _policy(artifact, key, sound(strip_url(value)), number)


def _policy(artifact: Artifact, setting: str, value: str, line: int) -> Observation:
    fact = PolicyFact(setting=setting, value=value, manager="yarn")
    return Observation(READER.name, artifact.location(line=line), fact)


READER = Reader(
    name="yarn-rc",
    ecosystem="npm",
    read=read,
    basenames=(".yarnrc.yml", ".yarnrc"),
    subject="project",
    relevance="never",
)

"""Settings of uv and pip that keep young releases out: uv.toml, pip.conf and pip.ini.

## Reads
uv's `exclude-newer`, at the top level (of `pyproject.toml`, in `[tool.uv]`, by its own reader). pip's
`uploaded-prior-to` in any section. A value is a time or a duration, as written.

## Leaves out
Every other setting: indexes, credentials, proxies. `exclude-newer-package`. Settings of the environment. What cannot be
read is refused as not relevant: no setting shows a release.

## References
uv 0.13.9 documentation "Settings"; pip 26.3 documentation "Configuration".
"""

from __future__ import annotations

import configparser
import datetime
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pratique.model.observation import Observation, PolicyFact, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.text import decode_text, refuse

_AMOUNT = re.compile(r"[0-9A-Za-z][0-9A-Za-z :.+-]{0,39}")
_PIP = "uploaded-prior-to"


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one policy fact for each setting that is looked at. Raises Unreadable."""
    text = decode_text(artifact.content())
    if text is None:
        yield _irrelevant(artifact, "is not text in UTF-8 or UTF-16")
        return
    times = artifact.modified_time("the configuration file was last written")
    if artifact.path.endswith(".toml"):
        try:
            found = list(uv_settings(tomllib.loads(text.replace("\r\n", "\n"))))
        except (ValueError, RecursionError):
            yield _irrelevant(artifact, "is not whole TOML")
            return
    else:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except (configparser.Error, ValueError):
            yield _irrelevant(artifact, "is no configuration file of pip")
            return
        found = [
            PolicyFact(setting=f"{section}.{_PIP}", value=value, manager="pip")
            for section in parser.sections()
            if (value := parser[section].get(_PIP)) is not None and _AMOUNT.fullmatch(value)
        ]
    for fact in found:
        yield Observation(READER.name, artifact.location(), fact, times)


def uv_settings(table: Mapping[str, Any]) -> Iterator[PolicyFact]:
    """What a table of uv's settings says about the age of releases."""
    value = table.get("exclude-newer")
    shown = value.isoformat() if isinstance(value, datetime.date | datetime.time) else value
    if isinstance(shown, str) and _AMOUNT.fullmatch(shown):
        yield PolicyFact(setting="exclude-newer", value=shown, manager="uv")


def _irrelevant(artifact: Artifact, reason: str) -> Refusal:
    return msgspec.structs.replace(refuse(artifact, READER, reason), relevant=False)


READER = Reader(
    name="python-settings",
    ecosystem="PyPI",
    read=read,
    basenames=("uv.toml", "pip.conf", "pip.ini"),
    subject="project",
    relevance="never",
    resolves=False,
    limit=MEBIBYTE,
)

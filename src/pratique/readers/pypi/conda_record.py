"""conda's records of an environment: conda-meta/<name>-<version>-<build>.json.

## Reads
Name, version, channel address and digest of each package that conda, mamba or pixi installed, and those that conda saw
pip install (channel `pypi`). A package of conda is another build than the index's release: its own digests are not
those of the index, so they are not compared.

## Leaves out
Files and their digests. A package whose name differs between conda and the index is known under conda's name alone.

## References
conda 24, `conda/models/records.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.npm.urls import strip_url
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.pypi.direct_url import whole_json

_TOKEN = re.compile(r"/t/[^/]+/")
"""How conda writes a token into the address of a channel."""
_FILE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+)\.json")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the installed package of interest."""
    match = _FILE.fullmatch(artifact.path.rpartition("/")[2])
    if match is None or normalise(match["name"]) not in interest.wanted("PyPI"):
        return
    name, version = normalise(match["name"]), match["version"]
    document: Any = None
    reason: str | None = None
    try:
        document, reason = whole_json(artifact.content())
    except Unreadable as error:
        reason = error.reason
    url = None
    if isinstance(document, dict):
        if isinstance(document.get("version"), str):
            version = document["version"]
        if isinstance(document.get("url"), str):
            url = _TOKEN.sub("/", strip_url(document["url"]))
    elif reason is None:
        reason = "is no record of a package"
    fact = ComponentFact(
        name=name,
        version=version,
        depth="installed",
        record="installed-record",
        ecosystem="PyPI",
        resolved=url,
        folder=artifact.path.rpartition("/")[0],
    )
    yield Observation(READER.name, artifact.location(), fact, artifact.modified_time("conda recorded the install"))
    if reason is not None:
        yield artifact.refusal(READER.name, reason, names=(name,))


READER = Reader(
    name="conda-record",
    ecosystem="PyPI",
    read=read,
    suffixes=(".json",),
    folders=(("conda-meta",),),
    relevance="named-folder",
    resolves=False,
    content="name",
)

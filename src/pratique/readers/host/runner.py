"""Registrations of self-hosted runners: .runner of GitHub Actions, config.toml of GitLab.

## Reads
The name of each runner, and the host that it is registered with.

## Leaves out
Tokens, addresses beyond the host, labels, and `.credentials`.

## References
actions/runner `src/Runner.Common/ConfigurationStore.cs` (RunnerSettings); GitLab documentation
"Advanced configuration".
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal, RunnerFact
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import text_of
from pratique.readers.text import refuse

_HOST = re.compile(r"[a-z][a-z0-9+.-]{1,15}://(?:[^/?#@\s]*@)?([\w.-]{1,253})(?::\d{1,5})?", re.IGNORECASE)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield every registration. Raises Unreadable."""
    text = text_of(artifact.content())
    times = artifact.modified_time("the runner was registered")
    if artifact.path.endswith(".runner"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield refuse(artifact, READER, f"is not whole JSON: {str(error)[:80]}")
            return
        name = found.get("agentName") if isinstance(found, dict) else None
        if not isinstance(name, str):
            yield refuse(artifact, READER, "names no runner")
            return
        server = found.get("gitHubUrl") or found.get("serverUrl")
        fact = RunnerFact(system="github-actions", name=name[:200], server=_host(server))
        yield Observation(READER.name, artifact.location(), fact, times)
        return
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        yield refuse(artifact, READER, f"is not whole TOML: {str(error)[:80]}")
        return
    runners = table.get("runners")
    for item in runners if isinstance(runners, list) else []:
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            fact = RunnerFact(system="gitlab", name=item["name"][:200], server=_host(item.get("url")))
            yield Observation(READER.name, artifact.location(), fact, times)


def _host(value: object) -> str | None:
    match = _HOST.match(value) if isinstance(value, str) else None
    return match[1].lower() if match else None


READER = Reader(
    name="runner",
    ecosystem="host",
    read=read,
    basenames=(".runner", "config.toml"),
    limit=4 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)

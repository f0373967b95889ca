"""What pipx wrote down of a program: pipx_metadata.json in the folder of its environment.

## Reads
The main package and each injected one, with the version that was installed.

## Leaves out
Their dependencies: the environment beside it tells these.

## References
pipx 1.18.4, `pipx_metadata_version` 0.1 to 0.12.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.direct_url import whole_json
from pratique.readers.text import refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield each package of interest that was installed by name. Raises Unreadable."""
    wanted = interest.wanted("PyPI")
    document, reason = whole_json(artifact.content())
    main = document.get("main_package") if isinstance(document, dict) else None
    if reason is not None or not isinstance(main, dict):
        yield refuse(artifact, READER, reason or "is no record of pipx")
    if not isinstance(main, dict):
        return
    injected = document.get("injected_packages")
    packages = [main, *(injected.values() if isinstance(injected, dict) else ())]
    for item in packages:
        name = item.get("package") if isinstance(item, dict) else None
        version = item.get("package_version") if isinstance(item, dict) else None
        if not isinstance(name, str) or normalise(name) not in wanted:
            continue
        if not isinstance(version, str) or not version:
            yield refuse(artifact, READER, "names a package without its version", names=(normalise(name),))
            continue
        fact = ComponentFact(
            name=normalise(name), version=version, depth="installed", record="installed-record", ecosystem="PyPI"
        )
        yield Observation(READER.name, artifact.location(), fact, artifact.modified_time("pipx recorded the install"))


READER = Reader(
    name="pipx-metadata",
    ecosystem="PyPI",
    read=read,
    basenames=("pipx_metadata.json",),
    subject="install",
    resolves=False,
)

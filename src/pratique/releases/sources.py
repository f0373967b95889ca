"""Where facts of a release come from that do not lie in one file: its manifest and the registry's record."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping

from pratique.model.observation import Refusal
from pratique.model.release import Fact, Release

Source = Callable[[Release, Release | None, Mapping[str, tuple[Fact, ...]]], Iterable[Fact | Refusal]]
"""Facts of a release against its predecessor; given are the facts of its files, by path."""


def sources_of(ecosystem: str, at: float | None = None) -> tuple[Source, ...]:
    """The sources for releases of a package world. `at`: seconds since the epoch, the moment of the examination."""
    from pratique.releases import registry_facts

    found: list[Source] = [functools.partial(registry_facts.facts, at=at)]
    if ecosystem == "npm":
        from pratique.releases import manifest

        found.append(manifest.facts)
    elif ecosystem == "PyPI":
        from pratique.releases.python import manifest as python_manifest

        found.append(python_manifest.facts)
    return tuple(found)

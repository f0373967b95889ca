"""The rotation providers of this package, parsed from its own `providers/*.toml` when they are asked for."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable

import msgspec

from pratique.respond.rotate.provider import Provider, Source

FALLBACK = "other"
"""The provider whose steps hold for an issuer that nobody described."""


def _folder() -> Traversable:
    return resources.files(__package__).joinpath("providers")


@functools.cache
def ids() -> tuple[str, ...]:
    """The ids of all providers, in order."""
    return tuple(sorted(item.name.removesuffix(".toml") for item in _folder().iterdir() if item.name.endswith(".toml")))


@functools.cache
def provider(name: str) -> Provider:
    """One provider by its id; the fallback where no provider has it."""
    chosen = name if name in ids() else FALLBACK
    text = _folder().joinpath(f"{chosen}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Provider)


@functools.cache
def providers() -> tuple[Provider, ...]:
    """All of them, in order of id."""
    return tuple(provider(name) for name in ids())


@functools.cache
def sources() -> dict[str, Source]:
    """Where their statements stand, by key."""
    text = resources.files(__package__).joinpath("sources.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Source])

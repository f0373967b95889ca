"""Which project, install or cache a path belongs to, by the layouts of every package world."""

from __future__ import annotations

from pratique.ecosystems.npm import layout as npm_layout
from pratique.ecosystems.npm import paths as npm_paths
from pratique.ecosystems.pypi import layout as pypi_layout


def owner_of(path: str) -> tuple[str, bool]:
    """The folder (with a trailing slash, empty for the target) that owns a file, and whether it is an install."""
    owner = pypi_layout.owner_of(path)
    if owner is not None:
        return owner.folder, owner.install
    return npm_paths.project_of(path), False


def project_of(path: str) -> str:
    """The folder that owns a file."""
    return owner_of(path)[0]


def cache_root(path: str) -> str:
    """The cache or store that a file belongs to; its own folder where no known layout matches."""
    root = pypi_layout.cache_root(path)
    return npm_layout.cache_root(path) if root is None else root


def in_cache(path: str) -> bool:
    """Whether a file lies in a cache whose packages can be opened."""
    return npm_paths.place_of(path).layout in npm_paths.CACHE_LAYOUTS or pypi_layout.cache_root(path) is not None

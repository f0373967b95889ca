"""What a path says: environments, metadata folders, caches of Python's package managers.

An environment is the folder that holds `lib/python3.11/site-packages` (`Lib/site-packages` on Windows) or `conda-meta`.
One that is named as tools name it inside a project (`.venv`, `venv`, below `.tox` and `.nox`, `__pypackages__`) belongs
to the folder above; any other is an install of its own. A metadata folder outside `site-packages` belongs to the folder
that holds it: `pip install --target`, unpacked functions and layers.
"""

from __future__ import annotations

import re

import msgspec

_SITE = re.compile(
    r"(?P<env>(?:.*?/)??)(?:(?:lib|lib64|Lib)/)?(?:(?:python|pypy)\d[\w.]*/)?(?P<site>(?:site|dist)-packages/)",
    re.DOTALL,
)
_OWN = re.compile(
    r"(?P<folder>(?:.*/)?)(?P<info>[^/]+(?:\.dist-info|\.egg-info|/EGG-INFO)/[^/]+|[^/]+\.egg-info|EGG-INFO/[^/]+)",
    re.DOTALL,
)
_CONDA = re.compile(r"(?P<env>(?:.*/)?)conda-meta/[^/]+", re.DOTALL)
_PACKAGES = re.compile(r"(?P<project>(?:.*/)?)__pypackages__/[^/]+/lib/", re.DOTALL)
_AUTOMATED = re.compile(r"(?P<project>(?:.*/)?)\.(?:tox|nox)/[^/]+/", re.DOTALL)
_IN_PROJECT = re.compile(r"(?:\.?v?env|\.?virtualenv|ENV|\.?venv[-_.0-9][^/]*|\.conda|\.pixi)")
_START = re.compile(r"[^/]*\.(?:pth|start)|(?:site|user)customize\.py")
_UNPACKED = re.compile(r"(?:.*/)?archive-v\d+/[^/]+/", re.DOTALL)
_BUILT = re.compile(r"(?:.*/)?sdists-v\d+/", re.DOTALL)
_CACHES = re.compile(
    r"(?P<root>(?:.*/)?)(?:(?:archive|wheels|sdists|simple|builds)-v\d+|http-v2|_http_|http/(?=[0-9a-f]/)"
    r"|wheels/(?=[0-9a-f]{2}/[0-9a-f]{2}/)|artifacts/(?=[0-9a-f]{2}/[0-9a-f]{2}/))(?:/|$|(?<=/))",
    re.DOTALL,
)


class Owner(msgspec.Struct, frozen=True):
    """The folder (with a trailing slash, empty for the target itself) that owns a record, and whether as an install."""

    folder: str
    install: bool


def owner_of(path: str) -> Owner | None:
    """Who owns a record of an environment; None for any other file."""
    if "conda-meta/" in path and (conda := _CONDA.fullmatch(path)):
        return _environment(conda["env"])
    site = _SITE.match(path) if "-packages/" in path else None
    own = _OWN.fullmatch(path) if "-info" in path or "EGG-INFO" in path else None
    if own is None and (site is None or not _START.fullmatch(path, site.end())):
        return None
    if site is not None:
        return _environment(site["env"])
    if own is None:
        return None
    packages = _PACKAGES.match(own["folder"])
    return Owner(packages["project"] if packages else own["folder"], False)


def _environment(path: str) -> Owner:
    automated = _AUTOMATED.match(path)
    if automated:
        return Owner(automated["project"], False)
    if path.endswith(".pixi/envs/") or "/.pixi/envs/" in f"/{path}":
        return Owner(path[: f"/{path}".index("/.pixi/envs/")], False)
    above, _, name = path.rstrip("/").rpartition("/")
    if _IN_PROJECT.fullmatch(name):
        return Owner(f"{above}/" if above else "", False)
    return Owner(path, True)


def shipped_in(path: str) -> str | None:
    """The folder directly below `site-packages` that holds a file: its package ships it. None outside."""
    last = max(path.rfind("site-packages/"), path.rfind("dist-packages/"))
    if last < 0:
        return None
    rest = path[last + 14 :]
    return rest.partition("/")[0] if "/" in rest else None


def unpacked_in_cache(path: str) -> bool:
    """Whether a file lies in a wheel that uv unpacked into its cache."""
    return _UNPACKED.match(path) is not None


def built_in_cache(path: str) -> bool:
    """Whether a file lies among the source archives that uv keeps."""
    return _BUILT.match(path) is not None


def cache_root(path: str) -> str | None:
    """The cache of pip, uv, Poetry or Pipenv that a file belongs to (no trailing slash); None where it is in none."""
    match = _CACHES.match(path)
    return match["root"].rstrip("/") if match else None


def starts_here(path: str) -> bool:
    """Whether Python looks at this file when it starts: `.pth` and `.start` files lie directly in `site-packages`."""
    last = max(path.rfind("site-packages/"), path.rfind("dist-packages/"))
    if last < 0 or (last and path[last - 1] != "/"):
        return False
    return _START.fullmatch(path, last + 14) is not None

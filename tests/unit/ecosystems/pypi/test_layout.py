"""Who owns a record of an environment, and which folders are caches."""

from __future__ import annotations

import pytest

from pratique.ecosystems.places import cache_root as any_cache_root
from pratique.ecosystems.places import in_cache, project_of
from pratique.ecosystems.pypi.layout import Owner, cache_root, owner_of, shipped_in, starts_here

SITE = "lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"p/.venv/{SITE}/a-1.dist-info/METADATA", Owner("p/", False)),
        (f"p/venv/{SITE}/x.pth", Owner("p/", False)),
        ("p/env/Lib/site-packages/a-1.dist-info/RECORD", Owner("p/", False)),
        (f"p/.tox/py311/{SITE}/a-1.dist-info/METADATA", Owner("p/", False)),
        (f"p/.pixi/envs/default/{SITE}/a.pth", Owner("p/", False)),
        ("p/.pixi/envs/default/conda-meta/history", Owner("p/", False)),
        ("p/__pypackages__/3.11/lib/a-1.dist-info/METADATA", Owner("p/", False)),
        (f"{SITE}/a-1.dist-info/METADATA", Owner("", True)),
        ("site-packages/a-1.dist-info/METADATA", Owner("", True)),
        ("usr/lib/python3/dist-packages/a-1.egg-info", Owner("usr/", True)),
        (f"uv/tools/litellm/{SITE}/a-1.dist-info/METADATA", Owner("uv/tools/litellm/", True)),
        ("opt/conda/envs/ml/conda-meta/a-1-0.json", Owner("opt/conda/envs/ml/", True)),
        ("layer/python/a-1.dist-info/METADATA", Owner("layer/python/", False)),
        ("a-1.dist-info/METADATA", Owner("", False)),
        (f"p/.venv/{SITE}/jupyterlab/staging/yarn.lock", None),
        (f"p/.venv/{SITE}/torch/weights.pth", None),
        ("p/package.json", None),
    ],
)
def test_owner(path: str, expected: Owner | None) -> None:
    assert owner_of(path) == expected


def test_other_worlds_keep_their_owner() -> None:
    assert project_of("p/node_modules/axios/package.json") == "p/"
    assert project_of(f"p/.venv/{SITE}/a-1.dist-info/METADATA") == "p/"
    assert any_cache_root("home/.npm/_cacache/index-v5/00/x") == "home/.npm/_cacache"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("home/.cache/uv/wheels-v8/pypi/a/1.http", "home/.cache/uv"),
        ("archive-v0/x/a-1.dist-info/METADATA", ""),
        ("pip/http-v2/8/6/3/6/4/x.body", "pip"),
        ("pip/http/8/6/3/6/4/x", "pip"),
        ("pip/wheels/11/32/d9/x/a.whl", "pip"),
        ("pypoetry/artifacts/16/6f/5a/x/a.whl", "pypoetry"),
        ("project/wheels/a.whl", None),
        ("project/http/client.py", None),
    ],
)
def test_cache_root(path: str, expected: str | None) -> None:
    assert cache_root(path) == expected
    assert in_cache(path) is (expected is not None)


def test_shipped_in_and_start() -> None:
    assert shipped_in(f"v/{SITE}/setuptools/_vendor/x.toml") == "setuptools"
    assert shipped_in("p/pyproject.toml") is None
    assert starts_here(f"v/{SITE}/a.pth")
    assert starts_here(f"v/{SITE}/usercustomize.py")
    assert not starts_here(f"v/{SITE}/torch/a.pth")
    assert not starts_here("models/a.pth")
    assert not starts_here("my-site-packages/a.pth")

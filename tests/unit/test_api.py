"""The public surface: every name that is promised exists, and nothing is promised twice."""

from __future__ import annotations

import pytest

from pratique import api


def test_every_public_name_exists() -> None:
    assert len(api.__all__) == len(set(api.__all__))
    assert set(api.__all__) == set(api._HOMES)
    for name in api.__all__:
        assert getattr(api, name) is not None


def test_other_names_do_not() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = api.no_such_name

"""A Python that was built without TLS: that https cannot be asked is told at once."""

from __future__ import annotations

import sys

import pytest

from pratique.adapters.packages.access import Access
from pratique.adapters.packages.client import Client
from pratique.adapters.registry import NotFetched


def test_a_registry_over_https_is_not_asked_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ssl", None)
    client = Client(Access("https://registry.example/", "a test"), seconds=5)
    with pytest.raises(NotFetched, match="holds no TLS; fetch archives elsewhere and name them by --from"):
        client.document("harbour", "application/json")

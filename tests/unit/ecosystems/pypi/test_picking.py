"""The rules of pip and uv, against what they took of a loopback index."""

from __future__ import annotations

import json

import pytest

from pratique.ecosystems.pypi.picking import Request, pick
from pratique.ecosystems.releases import Gate, Package, Release
from tests.standins.picking_python import GATES, REQUESTS, SCENES, TABLE, WEEK

_ANSWERS = json.loads(TABLE.read_text(encoding="utf-8"))["answers"]


@pytest.mark.parametrize("client", ["pip", "uv"])
@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("scene", sorted(SCENES))
def test_picks_what_the_client_took(client: str, gate: str, scene: str) -> None:
    releases = tuple(Release(text, -hours * 3600.0, yanked=yanked) for text, hours, yanked in SCENES[scene])
    package = Package(f"standin-{scene}", releases)
    held = Gate(-WEEK * 3600.0) if gate == "week" else None
    ours = {wanted: pick(client, Request(package, wanted), 0.0, held).version for wanted in REQUESTS}
    assert ours == dict(zip(REQUESTS, _ANSWERS[gate][client][scene], strict=True))


def test_another_python_is_passed_over_where_it_is_given() -> None:
    package = Package("thing", (Release("1.0"), Release("2.0", python=">=3.13")))
    assert pick("pip", Request(package, ""), 0.0).version == "2.0"
    assert pick("pip", Request(package, "", python="3.11"), 0.0).version == "1.0"


@pytest.mark.parametrize("wanted", ["nonsense", ">=", "== ==", "@ https://registry.example/x.whl"])
def test_what_is_no_specifier_picks_nothing(wanted: str) -> None:
    package = Package("thing", (Release("1.0"), Release("no version")))
    assert pick("uv", Request(package, wanted), 0.0).version is None


def test_what_was_held_back_is_named() -> None:
    package = Package("thing", (Release("1.0", -1000.0), Release("1.1", -10.0)))
    picked = pick("uv", Request(package, ">=1"), 0.0, Gate(-100.0))
    assert (picked.version, picked.held_back) == ("1.0", "1.1")
    picked = pick("pip", Request(package, "==1.1"), 0.0, Gate(-100.0))
    assert (picked.version, picked.rule, picked.held_back) == (None, "refused", "1.1")

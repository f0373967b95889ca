"""Which tree a location lies in, which folder owns it, and under which name it is settled."""

from __future__ import annotations

import datetime

from pratique import api
from pratique.assess.catalogue import Catalogue
from pratique.assess.declared import declared_only
from pratique.assess.evidence import Evidence
from pratique.assess.subjects import folder_of, scope_of, settled_name
from pratique.model.location import Inside, locate
from pratique.model.observation import Observation, RangeFact


def test_a_package_of_another_world_settles_nothing() -> None:
    chosen = api.select(bad=["npm:requests@1.0.1"], today=datetime.date(2026, 11, 20))
    catalogue = Catalogue(chosen.incidents, chosen.named)
    asked = Observation(
        "manifest",
        locate("file:///x", "app/package.json"),
        RangeFact(name="requests", range="^1.0.0", field="dependencies"),
    )
    evidence = Evidence([asked], {}, {})
    for ecosystem, gaps in (("PyPI", 1), ("npm", 0)):
        settled = frozenset({("file:///x/app", settled_name(ecosystem, "requests"))})
        assert len(list(declared_only(catalogue, evidence, settled))) == gaps


def test_what_lies_in_an_archive_is_owned_by_a_folder_in_there() -> None:
    member = Inside("member", "", "app/node_modules/axios/package.json")
    inside = locate("t", "old/x.zip", inside=(member,))
    assert folder_of(inside) == "old/x.zip!/app"
    nested = locate("t", "x.zip", inside=(Inside("member", "", "y.tgz"), Inside("member", "", "package.json")))
    assert folder_of(nested) == "x.zip!/y.tgz!"
    assert folder_of(locate("t", "app/package-lock.json")) == "app"
    layer = locate("t", "app/package-lock.json", inside=(Inside("layer", "sha256:aa", "app/package-lock.json"),))
    assert folder_of(layer) == "app"


def test_scopes() -> None:
    assert scope_of(locate("t", "a")) == ("", ())
    assert scope_of(locate("t", "a", inside=(Inside("commit", "aa", "a"),))) is None
    one = scope_of(locate("t", "a/b", inside=(Inside("layer", "sha256:aa", "a/b"),)))
    assert one == scope_of(locate("t", "c", inside=(Inside("layer", "sha256:aa", "c"),)))
    assert one != scope_of(locate("t", "c", inside=(Inside("layer", "sha256:bb", "c"),)))
    first = scope_of(locate("t", "x.zip", inside=(Inside("member", "", "a"),)))
    assert first == scope_of(locate("t", "x.zip", inside=(Inside("member", "", "b"),)))
    assert first != scope_of(locate("t", "y.zip", inside=(Inside("member", "", "b"),)))

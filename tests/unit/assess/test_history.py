"""Questions about what became of a place, and the answers in a sighting's words."""

from __future__ import annotations

import datetime

from pratique import api
from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.assess.history import history_questions
from pratique.assess.match import match, questions
from pratique.model.location import Inside, locate
from pratique.model.observation import ComponentFact, Observation


def seen(target: str, path: str, *steps: Inside) -> Observation:
    fact = ComponentFact(name="axios", version="1.14.1", depth="resolved", record="lock")
    return Observation("package-lock", locate(target, path, inside=steps), fact)


def test_every_place_in_time_is_asked_about_once_and_in_order() -> None:
    chosen = api.select(incidents=["axios-2026-03-31"], today=datetime.date(2026, 11, 20))
    catalogue = Catalogue(chosen.incidents, chosen.named)
    commits = [seen("t", "package-lock.json", Inside("commit", blob, "package-lock.json")) for blob in ("b", "a", "b")]
    layer = seen("t", "app/package-lock.json", Inside("layer", "sha256:aa", "app/package-lock.json"))
    plain = seen("t", "x/package-lock.json")
    member = seen("t", "x.zip", Inside("member", "", "package-lock.json"))
    evidence = Evidence([*commits, layer, plain, member], {}, {})
    asked = [item for item in questions(catalogue, evidence) if item.kind == "history"]
    assert [(item.path, item.inside[0].id) for item in asked] == [
        ("app/package-lock.json", "sha256:aa"),
        ("package-lock.json", "a"),
        ("package-lock.json", "b"),
    ]
    assert all(item.windows for item in asked)
    assert history_questions(match(catalogue, Evidence([plain, member], {}, {})), catalogue.incidents) == []

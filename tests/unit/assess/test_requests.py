"""What a mirror's storage shows: held, gone, or not answered."""

from __future__ import annotations

from pratique.assess.catalogue import Catalogue
from pratique.assess.match import Evidence, match
from pratique.incidents import library
from pratique.model.location import Location
from pratique.model.observation import AnyFact, ComponentFact, Observation, PresenceFact
from pratique.model.verdict import Sighting, Status

AXIOS = library.load_file(library.BUNDLED / "axios-2026-03-31.toml")
TARGET = "mirror+file:///m"


def seen(fact: AnyFact, path: str) -> Observation:
    return Observation("verdaccio-storage", Location(TARGET, path), fact)


def held(path: str) -> Observation:
    fact = ComponentFact(name="axios", version="1.14.1", depth="fetched", record="mirror", files=(path,))
    return seen(fact, "package.json")


def answer(path: str, *, exists: bool) -> Observation:
    return seen(PresenceFact(path=path, exists=exists), path)


def judged(*observations: Observation) -> Sighting:
    evidence = Evidence(observations, {}, {TARGET: "/m"})
    (found,) = match(Catalogue([AXIOS]), evidence)
    assert found.status is Status.AFFECTED
    return found


def test_gone_is_only_what_was_looked_for_everywhere() -> None:
    assert not judged(held("a.tgz"), answer("a.tgz", exists=False)).current
    assert judged(held("a.tgz"), answer("a.tgz", exists=True)).current
    half = judged(held("a.tgz"), held("b.tgz"), answer("a.tgz", exists=False))
    assert half.current
    assert half.explanation.startswith("the mirror fetched its archive")
    assert not judged(
        held("a.tgz"), held("b.tgz"), answer("a.tgz", exists=False), answer("b.tgz", exists=False)
    ).current

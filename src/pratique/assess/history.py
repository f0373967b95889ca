"""What became of what was seen in a git history or an image: asked only of what was sighted, and told in its words."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import msgspec

from pratique.assess import layers
from pratique.model.incident import Incident
from pratique.model.location import Inside, Location
from pratique.model.observation import Commit, HistoryFact, LayerFact, Observation, Question, Time
from pratique.model.verdict import Sighting

Place = tuple[str, str, tuple[Inside, ...]]
_DATED = ("commit", "layer")


def place_in_time(location: Location) -> Place | None:
    """Target, path and the step that says when; None for what is only there now."""
    if location.inside and location.inside[0].kind in _DATED:
        return location.target, location.path, location.inside[:1]
    return None


def history_questions(sightings: Iterable[Sighting], incidents: Iterable[Incident]) -> list[Question]:
    """What became of each place that a sighting rests on."""
    windows = {incident.id: windows_of(incident) for incident in incidents}
    asked: dict[Place, set[tuple[str, str]]] = {}
    for sighting in sightings:
        for observation in sighting.observations:
            place = place_in_time(observation.location)
            if place is not None:
                asked.setdefault(place, set()).update(windows.get(sighting.incident, ()))
    return [
        Question("history", target, path, inside=inside, windows=tuple(sorted(asked[target, path, inside])))
        for target, path, inside in sorted(asked)
    ]


def windows_of(incident: Incident) -> tuple[tuple[str, str], ...]:
    """Start and end (empty: none known) of each window of an incident."""
    return tuple((_iso(window.start), _iso(window.end) if window.end else "") for window in incident.windows)


def _iso(moment: datetime.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def answers(observations: Iterable[Observation]) -> dict[Place, Observation]:
    """The answers by place."""
    found: dict[Place, Observation] = {}
    for observation in observations:
        if isinstance(observation.facts, HistoryFact | LayerFact):
            place = place_in_time(observation.location)
            if place is not None:
                found[place] = observation
    return found


def dated(sighting: Sighting, known: dict[Place, Observation]) -> Sighting:
    """The sighting with the answer about its own place: whether it is still there, since when, in which commits."""
    if any(step.kind == "member" for step in sighting.location.inside) and not _of_archive(sighting):
        where = sighting.location.path.rpartition("/")[2]
        sighting = msgspec.structs.replace(sighting, explanation=f"{sighting.explanation}; inside the archive {where}")
    place = place_in_time(sighting.location)
    answer = known.get(place) if place is not None else None
    if answer is None:
        return sighting
    fact = answer.facts
    if isinstance(fact, HistoryFact):
        current, words = bool(fact.tips), _history(fact)
    elif isinstance(fact, LayerFact):
        current, words = fact.gone_in is None and fact.referenced, layers.words(fact)
    else:
        return sighting
    return msgspec.structs.replace(
        sighting,
        observations=(*sighting.observations, answer),
        current=current,
        explanation=f"{sighting.explanation}; {words}",
        times=tuple(sorted({*sighting.times, *answer.times, *_times(fact)})),
    )


def _of_archive(sighting: Sighting) -> bool:
    """Whether the sighting is about the archive itself."""
    return all(getattr(item.facts, "record", "") == "archive" for item in sighting.observations)


def _times(fact: HistoryFact | LayerFact) -> list[Time]:
    if isinstance(fact, LayerFact):
        return [Time("the layer was made", fact.created, "image history")] if fact.created else []
    times = [Time("the commit that introduced it was made", item.committed, "git commit") for item in fact.introduced]
    return times + [Time("the commit that removed it was made", item.committed, "git commit") for item in fact.removed]


def _history(fact: HistoryFact) -> str:
    refs = [_ref(name) for name in fact.tips if name != "index"]
    if refs:
        words = [f"at the tip of {_some(refs)}"]
    elif fact.tips:
        words = ["staged in the index"]
    else:
        words = ["in history only"]
    if fact.introduced:
        words.append(f"since commit {_some([_commit(item) for item in fact.introduced])}")
    if fact.removed:
        words.append(f"until commit {_some([_commit(item) for item in fact.removed])}")
    if fact.commits:
        words.append(f"{fact.commits} commit{'' if fact.commits == 1 else 's'} hold{'s' * (fact.commits == 1)} it")
    if fact.commits_in_window:
        words.append(f"{fact.commits_in_window} made inside the window ({_some([i[:12] for i in fact.in_window])})")
    if fact.contained_in:
        words.append(f"reached from {_some([_ref(name) for name in fact.contained_in])}")
    elif fact.commits:
        words.append("reached from no ref or reflog")
    if not fact.whole:
        words.append("the history here is not whole")
    return "; ".join(words)


_REFS = (("refs/heads/", ""), ("refs/remotes/", ""), ("refs/tags/", "tag "), ("refs/stash", "the stash"))


def _ref(name: str) -> str:
    """A ref for people."""
    reflog = "reflog of " if name.startswith("reflog of ") else ""
    name = name.removeprefix("reflog of ")
    for start, word in _REFS:
        if name.startswith(start):
            return reflog + word + name.removeprefix(start)
    return reflog + name


def _commit(item: Commit) -> str:
    return f"{item.id[:12]} ({item.committed})"


def _some(items: Iterable[str], most: int = 3) -> str:
    listed = list(items)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more

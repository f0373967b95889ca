"""What a check says more about a declared range that nothing resolved: inferred sightings beside the gap.

They are under investigation, at depth declared, and marked as inferred. A cooldown that stands in the project's
configuration today would have refused the release; it is named and does not lift the gap: nothing shows that it stood
there at that moment, that the client of that moment understood it, or that no option overrode it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pratique.assess.catalogue import Catalogue
from pratique.assess.declared import DeclaredOnly
from pratique.assess.evidence import Evidence
from pratique.assess.exposure_by_range import Found, Question, admitted_life, answer, lay_out
from pratique.assess.settings import MANAGERS, Settings
from pratique.assess.words import purl_of
from pratique.model.depth import Confidence, Depth
from pratique.model.observation import Observation, RangeFact, Time
from pratique.model.verdict import Sighting, Status


class Inference:
    """Settings and times of a whole run, asked for one declared range after another."""

    def __init__(self, catalogue: Catalogue, observations: Iterable[Observation]) -> None:
        self.catalogue = catalogue
        self.observations = list(observations)
        self.settings = Settings(self.observations)
        self._times: dict[tuple[str, str], list[tuple[float, Observation, Time]]] | None = None

    def sightings(self, item: DeclaredOnly, evidence: Evidence) -> Iterator[Sighting]:
        """What the range would have resolved to; nothing where that cannot be told or is no listed release."""
        fact = item.observation.facts
        if not isinstance(fact, RangeFact) or fact.ecosystem not in MANAGERS:
            return
        listings = [
            listing
            for listing in self.catalogue.listings.get((fact.ecosystem, fact.name), ())
            if listing.incident.id == item.incident.id
        ]
        laid = lay_out(fact.name, listings)
        life = admitted_life(laid, item.admitted)
        if life is None:
            return
        location = item.observation.location
        client = self.settings.client(location, fact.ecosystem)
        named = self.settings.cooldown(location, client)
        forced = self.settings.forced(location, fact.name, client)
        wanted = forced[1].forces or fact.range if forced is not None else fact.range
        if wanted.startswith(("$", "npm:")):
            wanted = fact.range
        held = named.cooldown if named is not None else None
        found = answer(Question(fact.ecosystem, laid, wanted, client, held, *life))
        if found.outcome not in ("listed", "refused"):
            return
        support: tuple[Observation, ...] = (item.observation,)
        lowered: tuple[Observation, ...] = ()
        text = found.text
        if found.outcome == "refused" and named is not None:
            support += named.observations
            lowered = named.observations
            text = text.replace(named.cooldown.shown, named.shown, 1) + ", as it is set now"
        if client.origin == "assumed":
            text += f"; that {client.name} is used here is assumed"
        inside = self._inside(item, evidence, found)
        if inside is not None:
            support += (inside[0],) if inside[0] not in support else ()
            text += f"; a file here is of that time: {inside[0].location.path} ({inside[1].meaning}, {inside[1].value})"
        for version in found.versions:
            release = next((v for listing in listings if (v := listing.version(version)) is not None), None)
            if release is None:
                continue
            yield Sighting(
                incident=item.incident.id,
                subject=item.subject,
                kind="component",
                status=Status.UNDER_INVESTIGATION,
                purl=purl_of(fact.ecosystem, fact.name, version),
                depth=Depth.DECLARED,
                confidence=Confidence.LOW,
                role=release.role or listings[0].component.role,
                location=location,
                explanation=text,
                observations=support,
                inferred=True,
                times=(inside[1],) if inside is not None else (),
                lowered_by=lowered,
            )

    def _inside(self, item: DeclaredOnly, evidence: Evidence, found: Found) -> tuple[Observation, Time] | None:
        """The first observation of the same project whose time lies in a period of the answer."""
        if self._times is None:
            self._times = {}
            for observation in self.observations:
                for time in observation.times:
                    seconds = _seconds(time.value)
                    if seconds is not None:
                        subject = evidence.subject(observation)
                        self._times.setdefault((subject.kind, subject.uri), []).append((seconds, observation, time))
        for seconds, observation, time in self._times.get((item.subject.kind, item.subject.uri), ()):
            if any(start <= seconds < end for start, end in found.periods):
                return observation, time
        return None


def _seconds(text: str) -> float | None:
    import datetime

    try:
        value = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).timestamp()

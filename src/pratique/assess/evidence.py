"""Everything observed in one run, and what each observation is about."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pratique.assess.subjects import subject_of, subject_of_refusal
from pratique.assess.unlocked import Locks
from pratique.ecosystems.npm.layout import owned_by
from pratique.model.observation import (
    Observation,
    Refusal,
)
from pratique.model.verdict import Subject, SubjectKind


class Evidence:
    """Everything observed in one run, with what is needed to say what it is about."""

    def __init__(
        self,
        observations: Iterable[Observation],
        kinds: dict[str, SubjectKind],
        targets: dict[str, str],
        caches: Iterable[tuple[str, str]] = (),
        installs: Iterable[str] = (),
        subjects: dict[str, SubjectKind] | None = None,
        locks: Locks = Locks(),  # noqa: B008 (it is frozen)
    ) -> None:
        self.observations = list(observations)
        self.kinds = kinds
        self.targets = targets
        self.caches = sorted(caches)
        """Target and path of each npm cache folder (`_cacache`) that was met."""
        self.installs = frozenset(installs)
        """Targets and folders that are global roots: what is unpacked there is an install, not a project."""
        self.subjects = subjects or {}
        """Targets that are one subject as a whole, and its kind: a repository, an image."""
        self.locks = locks

    def sort(self) -> None:
        """Order the observations by place and content."""
        encode = msgspec.json.Encoder(order="deterministic").encode
        self.observations.sort(key=lambda item: (item.location.target, item.location.path, encode(item)))

    def subject(self, observation: Observation) -> Subject:
        """What an observation is about."""
        whole = self.subjects.get(observation.location.target)
        if whole is not None:
            return Subject(whole, observation.location.target)
        return self._in_place(subject_of(observation, self.kinds, self.targets), observation.location.target)

    def projects(self) -> dict[Observation, str]:
        """The URI of the project of each bundle and each configuration that runs something."""
        return {item: self.subject(item).uri for item in self.observations if owned_by(item.reader, "") is not None}

    def owner(self, observation: Observation) -> Subject:
        """The project or cache that an observation is about, also within a target that is one subject as a whole."""
        return subject_of(observation, self.kinds, self.targets)

    def subject_of_refusal(self, refusal: Refusal) -> Subject:
        """What a refusal is about."""
        whole = self.subjects.get(refusal.target)
        if whole is not None:
            return Subject(whole, refusal.target)
        return self._in_place(subject_of_refusal(refusal, self.kinds), refusal.target)

    def _in_place(self, subject: Subject, target: str) -> Subject:
        if subject.kind == "project" and (target in self.installs or subject.uri in self.installs):
            return Subject("install", subject.uri)
        return subject

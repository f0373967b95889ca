"""What would have been installed: declared ranges, answered at a moment or over a window."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Sequence

import msgspec

from pratique.adapters import registry as registries
from pratique.assess.catalogue import Catalogue
from pratique.assess.exposure_by_range import (
    NOT_UNDERSTOOD,
    Client,
    Found,
    Laid,
    Question,
    admitted_life,
    answer,
    lay_out,
    moment,
    understood,
)
from pratique.assess.settings import MANAGERS, Settings, numbers
from pratique.assess.subjects import folder_of, uri_of
from pratique.ecosystems.grammar import admits, canonical_name
from pratique.ecosystems.npm.documents import read_document as read_npm
from pratique.ecosystems.pypi.documents import read_document as read_pypi
from pratique.ecosystems.releases import Document
from pratique.model.errors import TargetError, UsageError
from pratique.model.incident import Incident
from pratique.model.location import Location
from pratique.model.observation import Observation, PolicyFact, ProtectionFact, RangeFact
from pratique.model.ports import Interest, Options
from pratique.model.resolution import SCHEMA, Answer, Resolutions, Unread
from pratique.workflow.request import TargetSpec
from pratique.workflow.sweep import sweep

LARGEST_DOCUMENT = registries.LARGEST
DEEPEST_CHAIN = 20
MANIFESTS = {
    "npm": ("manifest", "pnpm-workspace"),
    "PyPI": ("pipfile", "pyproject", "requirements", "requirements-folder", "requirements-suffixed", "setup-cfg"),
}
"""The readers of files in which a project asks for packages."""
SETTINGS = ("bunfig", "npm-configuration", "python-settings", "yarn-rc")
"""The readers of files that hold settings alone. A check needs neither kind; here each may decide an answer."""
_SPEC = re.compile(
    r"(?:(?P<world>npm|pypi):)?(?P<name>(?:@[^/@\s]+/)?[^/@\s:]+)@(?P<range>.+)", re.IGNORECASE | re.DOTALL
)
_ELSEWHERE = re.compile(
    r"(?:git|github|gitlab|bitbucket|file|link|portal|workspace|patch|exec|https?|ssh)[+:]|[^/@]+/[^/]+$"
)

Key = tuple[str, str]
"""Ecosystem and package name."""


class Asked(msgspec.Struct, frozen=True):
    """A package and range named on the command line."""

    ecosystem: str
    name: str
    range: str


class ResolveRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. Times are seconds since the epoch; without any, each answer is about the life of what is listed.

    `documents` are paths of registry documents; `registry` is asked only where it is named. Requests that a lockfile or
    tree resolves are left to it; with `ignore_locks` they are answered for a build that ignores it.
    """

    targets: tuple[TargetSpec, ...] = ()
    asked: tuple[Asked, ...] = ()
    incidents: tuple[Incident, ...] = ()
    named: frozenset[str] = frozenset()
    start: float | None = None
    end: float | None = None
    documents: tuple[str, ...] = ()
    registry: str | None = None
    manager: str | None = None
    node: str | None = None
    exclude: tuple[str, ...] = ()
    ignore_locks: bool = False


def asked_for(text: str, manager: str | None = None) -> Asked | None:
    """What a word such as `axios@^1.14.0` or `pypi:name@>=1` asks for; None where it is no such word."""
    match = _SPEC.fullmatch(text)
    if match is None:
        return None
    python = (match["world"] or "").lower() == "pypi" or (manager or "").partition("@")[0] in MANAGERS["PyPI"]
    world = "PyPI" if python else "npm"
    return Asked(world, canonical_name(world, match["name"]), match["range"])


def resolve(request: ResolveRequest) -> Resolutions:
    """Answer for every request. Raises TargetError and UsageError."""
    return _Run(request).answers()


class _Declared(msgspec.Struct, frozen=True):
    observation: Observation | None
    asked: Asked
    field: str | None = None
    chain: tuple[str, ...] = ()
    locked: bool = False


class _Run:
    def __init__(self, request: ResolveRequest) -> None:
        self.request = request
        self.catalogue = Catalogue(request.incidents, request.named)
        self.unread: list[Unread] = []
        self.documents: dict[Key, Document] = {}
        self.fetched: set[Key] = set()
        self.laid: dict[Key, Laid] = {}
        self.examined = len(request.asked)
        self.settled: set[tuple[str, str]] = set()
        self.resolved: set[str] = set()
        self.observations: list[Observation] = []
        self.edges: dict[str, set[tuple[str, str, str]]] = {}
        self.registry = registries.rooted(request.registry) if request.registry is not None else None
        self._manager = request.manager.partition("@")[0] if request.manager is not None else None
        if self._manager is not None and self._manager not in _EVERY_MANAGER:
            raise UsageError("is no package manager known here", where=f"--manager {request.manager}")
        for path in request.documents:
            self._read(path)

    def answers(self) -> Resolutions:
        """Look at the targets, collect the requests and answer each."""
        seen = [self._look(target) for target in self.request.targets]
        if self.examined:
            places = [target.path for target, found in zip(self.request.targets, seen, strict=True) if not found]
            reason = f"holds no manifest that {self.request.manager or 'a package manager'} reads"
            self.unread += [Unread(place, reason) for place in places]
        settings = Settings(self.observations)
        every = [*(_Declared(None, asked) for asked in self.request.asked), *self._declared()]
        wanted = [item for item in every if self.request.ignore_locks or not item.locked]
        found = [self._answer(item, settings) for item in wanted]
        source = "the registry" if self.registry else "registry documents" if self.documents else "incident data alone"
        start, end = self.request.start, self.request.end
        return Resolutions(
            schema=SCHEMA,
            moment=moment(start) if start is not None and end is None else None,
            window=(moment(start), moment(end)) if start is not None and end is not None else None,
            source=source,
            examined=self.examined,
            answers=tuple(dict.fromkeys(found)),
            unread=tuple(dict.fromkeys(self.unread)),
            locked=len(every) - len(wanted),
        )

    def _look(self, target: TargetSpec) -> bool:
        """Sweep one target; whether it holds a manifest that the manager asked about reads."""
        if not os.path.lexists(target.path):
            raise TargetError("does not exist", where=target.path, advice="Name a folder, or PACKAGE@RANGE")

        root = os.path.basename(target.path.rstrip("/"))

        def keep(item: Observation) -> bool:
            fact = item.facts
            if isinstance(fact, RangeFact):
                asking.setdefault(fact.ecosystem, set()).add(item.location.path)
                if fact.asked_by is not None:
                    place = f"{root}/{item.location.path}".lstrip("/")
                    self.edges.setdefault(fact.asked_by, set()).add((fact.name, fact.range, place))
                    return False
                return fact.field != "peerDependencies"
            return isinstance(fact, PolicyFact | ProtectionFact)

        asking: dict[str, set[str]] = {}
        interest = Interest({}, everything=True, requests=True)
        part = sweep(target.uri, target.path, interest, keep, Options(exclude=self.request.exclude, quick=True), jobs=1)
        self.observations += part.observations
        self.resolved.update(uri_of(target.uri, folder) for folder in part.resolved)
        self.settled.update((uri_of(target.uri, folder), name) for folder, name in part.settled)
        deciding = {*SETTINGS, *(reader for readers in MANIFESTS.values() for reader in readers)}
        refused = [item for item in part.refusals if item.relevant or item.reader in deciding]
        self.unread += [Unread(item.path, item.reason) for item in refused]
        if part.interrupted:
            raise KeyboardInterrupt
        counts = {world: len(paths) for world, paths in asking.items()}
        for world, readers in MANIFESTS.items():
            counts[world] = max(counts.get(world, 0), sum(part.by_reader.get(reader, 0) for reader in readers))
        self.examined += sum(counts.values())
        return any(count for world, count in counts.items() if self._manager in (None, *MANAGERS.get(world, ())))

    def _declared(self) -> list[_Declared]:
        """The declared ranges of interest; then what a project without a lockfile would pull in through others."""
        found: list[_Declared] = []
        projects: dict[tuple[str, str], list[Observation]] = {}
        for item in self.observations:
            fact = item.facts
            if not isinstance(fact, RangeFact):
                continue
            place = uri_of(item.location.target, folder_of(item.location))
            projects.setdefault((item.location.target, place), []).append(item)
            name = canonical_name(fact.ecosystem, fact.name)
            if self._of_interest((fact.ecosystem, name)):
                asked = Asked(fact.ecosystem, name, fact.range)
                found.append(
                    _Declared(item, asked, fact.field, locked=self._locked(item.location.target, place, fact.name))
                )
        for (target, place), items in projects.items():
            if self.request.ignore_locks or not self._above(target, place, lambda uri: uri in self.resolved):
                found += self._pulled_in(items)
        return found

    def _of_interest(self, key: Key) -> bool:
        return key in self.catalogue.listings or key in self.documents

    def _locked(self, target: str, place: str, name: str) -> bool:
        return self._above(target, place, lambda uri: (uri, name) in self.settled)

    @staticmethod
    def _above(target: str, place: str, holds) -> bool:  # type: ignore[no-untyped-def]  # a test of a URI
        base = target.rstrip("/")
        while True:
            if holds(place):
                return True
            if len(place) <= len(base) or place.endswith("!"):
                return False
            place = place.rpartition("/")[0]

    def _pulled_in(self, items: Sequence[Observation]) -> list[_Declared]:
        """Requests for packages of interest along the chains that lockfiles nearby record, the shortest one each."""
        by_name: dict[str, list[str]] = {}
        for dependant in self.edges:
            by_name.setdefault(dependant.rpartition("@")[0], []).append(dependant)
        found: dict[tuple[str, str], _Declared] = {}
        seen: set[str] = set()
        queue: deque[tuple[str, Observation, tuple[str, ...]]] = deque()
        for item in items:
            fact = item.facts
            if isinstance(fact, RangeFact) and fact.ecosystem == "npm":
                queue.append((fact.name, item, ()))
        while queue:
            name, item, chain = queue.popleft()
            if name in seen:
                continue
            if len(chain) >= DEEPEST_CHAIN:
                reason = f"who asks for whom is followed over {DEEPEST_CHAIN} steps, and no further"
                self.unread.append(Unread(item.location.path, reason))
                return list(found.values())
            seen.add(name)
            for dependant in sorted(by_name.get(name, ())):
                for asked, wanted, place in sorted(self.edges[dependant]):
                    longer = (*chain, f"{dependant} ({place})")
                    if self._of_interest(("npm", asked)):
                        found.setdefault((asked, wanted), _Declared(item, Asked("npm", asked, wanted), None, longer))
                    queue.append((asked, item, longer))
        return list(found.values())

    def _answer(self, item: _Declared, settings: Settings) -> Answer:
        asked = item.asked
        location = item.observation.location if item.observation is not None else None
        client = self._client(asked, location, settings)
        notes: list[str] = []
        protections: list[str] = []
        wanted = asked.range
        forced = settings.forced(location, asked.name, client) if location is not None else None
        if forced is not None and forced[1].forces and not forced[1].forces.startswith(("$", "npm:")):
            wanted = forced[1].forces
            protections.append(f"{forced[1].field} forces {asked.name} to {wanted}")
        named = settings.cooldown(location, client) if location is not None else None
        if named is not None:
            protections.append(f"{named.shown}, as it is set now")
            if named.cooldown.since and client.version is None:
                since = ".".join(map(str, named.cooldown.since))
                notes.append(f"{client.name} understands it from {since} on; which one runs here is not recorded")
        if client.origin == "assumed":
            notes.append(f"that {client.name} is used is assumed")
        if item.locked:
            notes.append("a lockfile or tree here resolves it; this is what a build that ignores it would take")
        plain = Answer(
            ecosystem=asked.ecosystem,
            name=asked.name,
            range=asked.range,
            manager=client.name,
            outcome="unknown",
            text="",
            inferred=True,
            field=item.field,
            location=location,
            asked_by=item.chain,
            protections=tuple(protections),
            notes=tuple(notes),
            known_client=client.version is not None,
        )
        replace = msgspec.structs.replace
        if _ELSEWHERE.match(wanted) and asked.ecosystem == "npm":
            text = "comes from elsewhere, not from a registry"
            return replace(plain, outcome="other", text=text, inferred=False)
        if asked.ecosystem not in MANAGERS:
            text = "cannot be told: no package manager picks it; pratique check judges what is asked for"
            return replace(plain, manager="none", text=text, notes=())
        if not understood(asked.ecosystem, wanted):
            return replace(plain, text=NOT_UNDERSTOOD)
        laid = self._laid(asked)
        if not laid.package.releases:
            return replace(plain, text="cannot be told: no incident lists it, and no registry document was given")
        start, end = self.request.start, self.request.end
        if start is None:
            listed = [text for text in laid.listed if admits(asked.ecosystem, text, wanted)]
            life = admitted_life(laid, listed)
            if not laid.listed:
                return replace(plain, text="cannot be told without a moment: no incident lists it; ask with --at")
            if not listed:
                return replace(plain, outcome="other", text="admits no listed release", inferred=False)
            if life is None:
                names = ", ".join(listed[:3])
                return replace(plain, text=f"cannot be told: no time of {names} is known; ask with --at")
            start, end = life
        held = named.cooldown if named is not None else None
        open_ended = self.request.start is None and end is None
        found: Found = answer(Question(asked.ecosystem, laid, wanted, client, held, start, end))
        text = found.text
        if named is not None and named.place:
            text = text.replace(named.cooldown.shown, named.shown, 1)
        outcome = found.outcome
        if open_ended and outcome in ("refused", "other"):
            outcome = "unknown"
            notes.append("that is its first moment; until when it could be had is not known: ask with --at or --window")
        return replace(
            plain,
            outcome=outcome,
            text=text,
            inferred=found.inferred,
            spans=found.spans,
            notes=tuple(dict.fromkeys([*found.notes, *notes])),
        )

    def _client(self, asked: Asked, location: Location | None, settings: Settings) -> Client:
        found = settings.client(location, asked.ecosystem) if location is not None else None
        if self.request.manager is not None:
            name, _, version = self.request.manager.partition("@")
            if name in MANAGERS.get(asked.ecosystem, ()):
                same = found if found is not None and found.name == name else None
                own = numbers(version) if version else same.version if same is not None else None
                return Client(name, own, "--manager", same.lowest if same is not None else False, self.request.node)
        if found is None:
            found = Client("pip" if asked.ecosystem == "PyPI" else "npm")
        return msgspec.structs.replace(found, node=self.request.node)

    def _laid(self, asked: Asked) -> Laid:
        key = (asked.ecosystem, asked.name)
        if key not in self.laid:
            if self.registry is not None and key not in self.documents and key not in self.fetched:
                self.fetched.add(key)
                self._fetch(self.registry, key)
            self.laid[key] = lay_out(asked.name, self.catalogue.listings.get(key, ()), self.documents.get(key))
        return self.laid[key]

    def _fetch(self, registry: str, key: Key) -> None:
        try:
            data = registries.fetch(registry, *key)
            document = read_npm(data) if key[0] == "npm" else read_pypi(data)
        except (registries.NotFetched, ValueError) as error:
            self.unread.append(Unread(f"{key[1]} in the registry", str(error)))
            return
        if canonical_name(key[0], document.package.name) != key[1]:
            self.unread.append(Unread(f"{key[1]} in the registry", "the registry answers with another package"))
            return
        self.documents[key] = document

    def _read(self, path: str) -> None:
        """One registry document from a file. Raises UsageError where it cannot be used."""
        try:
            with open(path, "rb") as file:
                data = file.read(LARGEST_DOCUMENT + 1)
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=path) from None
        if len(data) > LARGEST_DOCUMENT:
            raise UsageError(f"is larger than {LARGEST_DOCUMENT} bytes", where=path)
        try:
            document, world = read_npm(data), "npm"
            if not document.package.releases:
                document, world = read_pypi(data), "PyPI"
        except ValueError as error:
            try:
                document, world = read_pypi(data), "PyPI"
            except ValueError:
                raise UsageError(str(error), where=path, advice="Name a registry document in JSON") from None
        key = world, canonical_name(world, document.package.name)
        if key in self.documents:
            raise UsageError(f"is a second document of {key[1]}", where=path, advice="Name one document a package")
        self.documents[key] = document


_EVERY_MANAGER = tuple(name for names in MANAGERS.values() for name in names)

"""What an npm registry's document of a package (packument) states of one release: `RegistryRecord`, in three states.

A field counts as absent only where the same document shows it for another release: mirrors drop fields everywhere, and
what was dropped is not absent. Documents of 20 MB are common: each version is decoded by itself, when it is asked for,
and of the others only the few fields that a history needs.
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pratique.ecosystems.npm.documents import seconds
from pratique.ecosystems.npm.urls import strip_url
from pratique.ecosystems.npm.versions import parse_version
from pratique.ecosystems.releases import Package, Release, Tag
from pratique.model.release import Dated, Publisher, RegistryRecord, State, Stated

MOST_VERSIONS = 100_000
_MOST_TEXT = 4096


class _Version(msgspec.Struct, gc=False):
    dist: Any = None
    npm_user: Any = msgspec.field(name="_npmUser", default=None)
    git_head: Any = msgspec.field(name="gitHead", default=None)
    deprecated: Any = None
    engines: Any = None
    dependencies: Any = None
    optional: Any = msgspec.field(name="optionalDependencies", default=None)
    repository: Any = None
    license: Any = None
    maintainers: Any = None


class _Envelope(msgspec.Struct, gc=False):
    name: str
    versions: dict[str, msgspec.Raw] = {}


_OUTER = msgspec.json.Decoder(_Envelope)
_REST = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ONE = msgspec.json.Decoder(_Version)


class Packument:
    """A registry's document, decoded as far as it is asked about. Versions that are no objects are left out."""

    def __init__(self, data: bytes) -> None:
        """Raises ValueError with the reason where the bytes are no document of a package."""
        try:
            outer = _OUTER.decode(data)
            fields = _REST.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if data.lstrip()[:1] == b"<":
                raise ValueError("is a page in HTML, no registry document") from None
            raise ValueError(f"is no registry document: {str(error)[:160]}") from None
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        if len(outer.versions) > MOST_VERSIONS:
            raise ValueError(f"holds more than {MOST_VERSIONS} versions")
        self.name = outer.name
        self.size = len(data)
        self.raw: Mapping[str, msgspec.Raw] = outer.versions
        self.tags = {key: value for key, value in _object(fields.get("dist-tags")).items() if isinstance(value, str)}
        self.times: dict[str, float | None] | None = None
        if "time" in fields:
            times = _object(fields["time"])
            self.times = {key: seconds(value) for key, value in times.items()} if times else None
        self.modified = _known((self.times or {}).get("modified"))
        self.created = _known((self.times or {}).get("created"))
        self._fields = fields

    def field(self, name: str) -> Any:
        """A field of the document itself; None where it has none, or one that cannot be decoded."""
        raw = self._fields.get(name)
        return None if raw is None else _any(raw)

    @functools.cached_property
    def versions(self) -> Mapping[str, _Version]:
        """The fields of every version that are read here."""
        found = {}
        for text, raw in self.raw.items():
            try:
                found[text] = _ONE.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
        return found

    def manifest(self, version: str) -> dict[str, Any] | None:
        """The whole manifest of a version; None where there is none."""
        raw = self.raw.get(version)
        found = None if raw is None else _any(raw)
        return found if isinstance(found, dict) else None

    def published(self, version: str) -> float | None:
        """When a version was published, in seconds since the epoch; None where the document does not say."""
        return _known((self.times or {}).get(version))

    def archive(self, version: str) -> tuple[str | None, str | None, str | None]:
        """Address, integrity (Subresource Integrity) and SHA-1 of a version's archive, as far as they are stated."""
        one = self.versions.get(version)
        dist = one.dist if one is not None and isinstance(one.dist, dict) else {}
        url, integrity, sha1 = (dist.get(key) for key in ("tarball", "integrity", "shasum"))
        return (
            url if isinstance(url, str) and len(url) <= _MOST_TEXT else None,
            integrity if isinstance(integrity, str) and integrity.strip() else None,
            sha1.lower() if isinstance(sha1, str) and re.fullmatch("[0-9a-fA-F]{40}", sha1) else None,
        )

    def package(self) -> Package:
        """The package as the rules of picking want it."""
        releases = tuple(
            Release(
                text,
                published=(self.times or {}).get(text),
                deprecated=bool(one.deprecated),
                node=_engine(one.engines, "node"),
                npm=_engine(one.engines, "npm"),
            )
            for text, one in self.versions.items()
        )
        tags = tuple(Tag(name, version) for name, version in self.tags.items())
        return Package(self.name, releases, tags, timed=self.times is not None)

    def record(self, version: str, registry_says: str = "the registry's document") -> RegistryRecord:
        """What the document states of one version. `registry_says` names the document in reasons."""
        one = self.versions.get(version)
        if one is None:
            reason = f"{registry_says} does not hold the version"
            return _unavailable(reason, self, version)
        dropped = f"{registry_says} states it for no release"
        return RegistryRecord(
            published=self._time(version, registry_says),
            publisher=self._field("npm_user", publisher(one.npm_user), dropped),
            maintainers=self._maintainers(one, dropped),
            trusted_publisher=self._field("trusted", _trusted(one.npm_user), dropped),
            approver=self._field("approver", _approver(one), dropped),
            provenance=self._field("provenance", _provenance(one.dist), dropped),
            signatures=self._field("signatures", _signatures(one.dist), dropped),
            integrity=self._field("integrity", self.archive(version)[1], dropped),
            git_head=self._field("git_head", _head(one.git_head), dropped),
            repository=self._field("repository", repository(one.repository), dropped),
            license=self._field("license", _license(one.license), dropped),
            yanked=self._field("yanked", _deprecated(one.deprecated), "", always=True),
            tags=Stated("present", self.tags)
            if self.tags
            else Stated("unavailable", reason=f"{registry_says} has no tags"),
            history=Stated("present", tuple(item for item in self.history if item.version != version)),
            first_published=self._first(registry_says),
        )

    @functools.cached_property
    def shown(self) -> frozenset[str]:
        """The fields that at least one version of the document has."""
        found: set[str] = set()
        for text, one in self.versions.items():
            for name, value in (
                ("npm_user", publisher(one.npm_user)),
                ("trusted", _trusted(one.npm_user)),
                ("approver", _approver(one)),
                ("provenance", _provenance(one.dist)),
                ("signatures", _signatures(one.dist)),
                ("integrity", self.archive(text)[1]),
                ("git_head", _head(one.git_head)),
                ("repository", repository(one.repository)),
                ("license", _license(one.license)),
                ("maintainers", _people(one.maintainers)),
            ):
                if name not in found and value:
                    found.add(name)
        return frozenset(found)

    @functools.cached_property
    def history(self) -> tuple[Dated, ...]:
        """Every version, oldest first: by time where times are stated, else in the order of versions.

        Versions that only `time` still names (removed ones) stand among them, without dependencies.
        """
        found = []
        for text, one in self.versions.items():
            who = publisher(one.npm_user)
            found.append(
                Dated(
                    text,
                    self.published(text),
                    provenance=self._state("provenance", _provenance(one.dist)),
                    trusted_publisher=self._state("trusted", _trusted(one.npm_user)),
                    publisher=who.name if who is not None else "",
                    dependencies=_dependencies(one),
                )
            )
        gone = [
            Dated(text, _known(moment))
            for text, moment in (self.times or {}).items()
            if text not in self.versions and text not in ("created", "modified", "unpublished")
        ]
        return tuple(sorted([*found, *gone], key=_order))

    def _state(self, name: str, value: object) -> State:
        return "present" if value else "absent" if name in self.shown else "unavailable"

    def _field(self, name: str, value: Any, dropped: str, *, always: bool = False) -> Stated[Any]:
        if value:
            return Stated("present", value)
        return Stated("absent") if always or name in self.shown else Stated("unavailable", reason=dropped)

    def _time(self, version: str, registry_says: str) -> Stated[float]:
        if self.times is None:
            return Stated("unavailable", reason=f"{registry_says} states no times")
        known = self.published(version)
        if known is None:
            return Stated("unavailable", reason=f"{registry_says} states no readable time of the version")
        return Stated("present", known)

    def _first(self, registry_says: str) -> Stated[float]:
        known = [moment for item in self.history if (moment := item.published) is not None]
        if self.created is not None:
            known.append(self.created)
        return (
            Stated("present", min(known)) if known else Stated("unavailable", reason=f"{registry_says} states no times")
        )

    def _maintainers(self, one: _Version, dropped: str) -> Stated[tuple[Publisher, ...]]:
        found = _people(one.maintainers)
        return self._field("maintainers", found, dropped)


def publisher(value: object) -> Publisher | None:
    """An account out of a document: its name, and the digest of its e-mail address."""
    if not isinstance(value, dict):
        return None
    name, address = value.get("name"), value.get("email")
    if not isinstance(name, str) or not name:
        return None
    return Publisher(name[:200], digest_of(address) if isinstance(address, str) and address else "")


def digest_of(address: str) -> str:
    """The digest that stands for an e-mail address: the first 16 hexadecimal digits of its SHA-256 in small letters."""
    return hashlib.sha256(address.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()[:16]


def repository(value: object) -> str | None:
    """The address of a repository, without secrets, as a manifest states it."""
    text = value.get("url") if isinstance(value, dict) else value
    if not isinstance(text, str) or not text.strip() or len(text) > _MOST_TEXT:
        return None
    return strip_url(text.strip()) or None


def _trusted(user: object) -> str | None:
    found = user.get("trustedPublisher") if isinstance(user, dict) else None
    if isinstance(found, dict):
        name = found.get("id") or found.get("name")
        return name[:200] if isinstance(name, str) and name else "stated"
    return found[:200] if isinstance(found, str) and found else None


def _approver(one: _Version) -> str | None:
    """Who let a staged release out (`_npmUser.approver`)."""
    value = _inner(one.npm_user, "approver")
    if isinstance(value, str) and value:
        return value[:200]
    found = publisher(value)
    return found.name if found is not None else None


def _inner(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _provenance(dist: object) -> str | None:
    found = _inner(dist, "attestations")
    if not isinstance(found, dict) or not found:
        return None
    url, provenance = found.get("url"), found.get("provenance")
    if isinstance(url, str) and url:
        return strip_url(url)[:_MOST_TEXT]
    kind = _inner(provenance, "predicateType")
    return kind[:_MOST_TEXT] if isinstance(kind, str) and kind else "stated"


def _signatures(dist: object) -> tuple[str, ...]:
    found = _inner(dist, "signatures")
    keys = [_inner(item, "keyid") for item in found] if isinstance(found, list) else []
    return tuple(key[:200] for key in keys if isinstance(key, str) and key)


def _head(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{7,64}", value) else None


def _license(value: object) -> str | None:
    text = value.get("type") if isinstance(value, dict) else value
    return text[:200] if isinstance(text, str) and text else None


def _deprecated(value: object) -> str | None:
    return None if not value else f"deprecated: {value[:500]}" if isinstance(value, str) else "deprecated"


def _people(value: object) -> tuple[Publisher, ...]:
    found = [publisher(item) for item in value] if isinstance(value, list) else []
    return tuple(sorted((item for item in found if item is not None), key=lambda item: (item.name, item.address)))


def _dependencies(one: _Version) -> tuple[str, ...]:
    names: set[str] = set()
    for group in (one.dependencies, one.optional):
        if isinstance(group, dict):
            names.update(str(name)[:214] for name in group)
    return tuple(sorted(names))


def _engine(engines: object, name: str) -> str | None:
    value = _inner(engines, name)
    return value if isinstance(value, str) else None


def _known(moment: float | None) -> float | None:
    return None if moment is None or math.isnan(moment) else moment


def _order(item: Dated) -> tuple[bool, float, bool, Any, str]:
    version = parse_version(item.version)
    rank = version.rank if version is not None else ()
    return item.published is None, item.published or 0.0, version is None, rank, item.version


def _object(raw: msgspec.Raw | None) -> dict[str, Any]:
    found = None if raw is None else _any(raw)
    return found if isinstance(found, dict) else {}


def _any(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _unavailable(reason: str, packument: Packument, version: str) -> RegistryRecord:
    """The record of a version that the document no longer holds: of the package, what there is."""
    gone: Stated[Any] = Stated("unavailable", reason=reason)
    known = packument.published(version)
    return RegistryRecord(
        published=Stated("present", known) if known is not None else gone,
        publisher=gone,
        maintainers=gone,
        trusted_publisher=gone,
        approver=gone,
        provenance=gone,
        signatures=gone,
        integrity=gone,
        git_head=gone,
        repository=gone,
        license=gone,
        yanked=gone,
        tags=Stated("present", packument.tags) if packument.tags else gone,
        history=Stated("present", tuple(item for item in packument.history if item.version != version)),
        first_published=gone,
    )

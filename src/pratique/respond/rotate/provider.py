"""A rotation provider: how the credentials of one issuer are replaced after a theft.

Each statement names the source that it stands in (`sources.toml`). One without a source is general knowledge, of low
confidence: it is looked up again before anything that cannot be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from pratique.model.credential import Tier
from pratique.model.plan import Owner

Group = Literal["identity", "mint", "code", "cloud", "pipeline", "service", "low"]
GROUPS: tuple[Group, ...] = ("identity", "mint", "code", "cloud", "pipeline", "service", "low")
"""In the order of the work: roots of identity; what mints or publishes; what gives code to others; clouds and clusters;
secrets of a run; databases and services; the rest."""

Confidence = Literal["low", "medium", "high"]
EFFECTS = ("package-release", "image-push", "cloud-session")
"""What a thief may have made that is no credential."""

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z-]*>")
_SECRET_FORMS = re.compile(
    r"^(?:-p|--?pass(?:word|phrase)?|--?token|--?secret|--?api-key|--?auth|--?key|-u)(?:=|$)|://[^/\s]*@", re.IGNORECASE
)
_ASSIGNED = re.compile(r"(?:pass(?:word)?|token|secret)=(?!<)", re.IGNORECASE)


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the structures: closed, so that a misspelt key is an error."""


class Source(Record, frozen=True, kw_only=True):
    """Where statements stand."""

    title: str
    kind: Literal["issuer", "report"]


class Words(Record, frozen=True, kw_only=True):
    """A statement for people."""

    words: str
    source: str = ""


class Act(Record, frozen=True, kw_only=True):
    """Something that a person does: in words, or as a command whose placeholders (`<ID>`) stand for what is known."""

    words: str = ""
    run: tuple[str, ...] = ()
    source: str = ""


class Effective(Record, frozen=True, kw_only=True):
    """When a revocation works everywhere."""

    minutes: int
    words: str
    source: str = ""


class SecondLook(Record, frozen=True, kw_only=True):
    """How long something that was made with the old credential may live: then the logs are read again."""

    days: int
    words: str
    source: str = ""


class Death(Record, frozen=True, kw_only=True):
    """How it is seen, without the value, that the old credential is dead.

    V0 asked, V1 the issuer lists it as revoked or not at all, V2 an audit event shows it, V3 its last use stopped, V4 a
    harmless probe was refused.
    """

    grade: Literal["V0", "V1", "V2", "V3", "V4"]
    words: str
    source: str = ""


class Mint(Record, frozen=True, kw_only=True):
    """What a thief may have made with it: another provider's credential, its own kind, or one of EFFECTS."""

    of: str
    words: str
    source: str = ""


class Provider(Record, frozen=True, kw_only=True):
    """One issuer."""

    id: str
    name: str
    tier: Tier
    group: Group
    order: Literal["new-first", "revoke-first"]
    """`revoke-first` where the exposure is worse than the outage: what publishes, administers, mints or pays."""
    owner: Owner = "credential-owner"
    page: Words
    """The name of the page in the issuer's console."""
    effective: Effective
    second_look: SecondLook
    contain: tuple[Act, ...] = ()
    audit: tuple[Act, ...] = ()
    """Where use by a thief would show; exported before anything is revoked."""
    listing: tuple[Act, ...] = ()
    new: tuple[Act, ...]
    revoke: tuple[Act, ...]
    side_effects: tuple[Words, ...]
    dependants: tuple[Words, ...]
    verify: tuple[Death, ...]
    short_lived: tuple[Words, ...]
    mints: tuple[Mint, ...] = ()
    also: tuple[Words, ...] = ()
    """What else the issuer holds that goes with it."""
    cautions: tuple[Words, ...] = ()

    def statements(self) -> Iterator[Words | Act | Effective | SecondLook | Death | Mint]:
        """Every statement, in the order of the fields."""
        yield self.page
        yield self.effective
        yield self.second_look
        for field in (
            self.contain,
            self.audit,
            self.listing,
            self.new,
            self.revoke,
            self.side_effects,
            self.dependants,
            self.verify,
            self.short_lived,
            self.mints,
            self.also,
            self.cautions,
        ):
            yield from field


def confidence(source: str, sources: dict[str, Source]) -> Confidence:
    """How sure a statement is: high from the issuer itself, medium from somebody else, low without a source."""
    if not source:
        return "low"
    return "high" if sources[source].kind == "issuer" else "medium"


def problems(provider: Provider, sources: dict[str, Source], known: frozenset[str]) -> list[str]:
    """Every reason why a provider must not be used. Empty when it is sound. `known` are the ids of all providers."""
    found: list[str] = []
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", provider.id):
        found.append(f"id: {provider.id!r} may hold only small letters, digits and single hyphens")
    for statement in provider.statements():
        if statement.source and statement.source not in sources:
            found.append(f"source: {statement.source!r} stands in no list of sources")
        if isinstance(statement, Act):
            found += _act(statement)
        elif not statement.words.strip():
            found.append("a statement is empty")
    found += [
        f"mints: {mint.of!r} is neither a provider nor an effect"
        for mint in provider.mints
        if mint.of not in known and mint.of not in EFFECTS
    ]
    if not any(death.grade in ("V1", "V2") for death in provider.verify):
        found.append("verify: needs a way to see it at the issuer (V1 or V2)")
    if provider.effective.minutes < 0 or provider.second_look.days < 1:
        found.append("effective and second_look: minutes from 0, days from 1 on")
    for name in ("new", "revoke", "side_effects", "dependants", "verify", "short_lived"):
        if not getattr(provider, name):
            found.append(f"{name}: says nothing")
    return found


def _act(act: Act) -> list[str]:
    if bool(act.words) == bool(act.run):
        return [f"an act has either words or a command: {act.words or act.run}"]
    found = []
    for word in act.run:
        if _SECRET_FORMS.search(word) or _ASSIGNED.search(word):
            found.append(f"command {act.run[0]}: {word!r} would carry a secret")
        if ("<" in word or ">" in word) and not _PLACEHOLDER.search(word):
            found.append(f"command {act.run[0]}: {word!r} is no placeholder of capital letters")
    return found

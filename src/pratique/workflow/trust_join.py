"""What proves where a release came from, joined to its examination: signatures at hand, attestations where asked for.

A signature that a record states is verified without a request, with `cryptography` alone. What verifies proves nothing
about what a release does, so that only what is rejected, or changed, becomes a fact. Where a record states no
signature, or the extra `trust` is missing, nothing is claimed, and it is said what was not examined.
"""

from __future__ import annotations

import importlib.util

import msgspec

from pratique.ecosystems.npm.release_record import Packument
from pratique.model.errors import ConfigurationError, UsageError
from pratique.model.observation import Refusal
from pratique.model.release import Fact, Release
from pratique.model.trust import TrustResult
from pratique.workflow.acquire import Got
from pratique.workflow.listings import Listing
from pratique.workflow.surroundings import Surroundings

READER = "trust"
_NOT = "not-examined"


def extra_is_there() -> bool:
    """Whether what verifies signatures is installed."""
    return importlib.util.find_spec("cryptography") is not None


def trusted(got: Got, listing: Listing | None, around: Surroundings, *, attestations: bool) -> Got:
    """The same release with the facts of its signatures, and with `attestations` of those, which are fetched once.

    An archive that was given as a file is held to be the one of the record only where its digest is the one stated.
    """
    if listing is None or listing.document is None:
        return got
    release = got.release
    stated = _signatures(listing, release.version)
    wanted = attestations and release.record.provenance.state == "present"
    if not stated and not wanted:
        if release.ecosystem == "npm" and release.record.signatures.state == "unavailable":
            reason = f"no signature was verified: {release.record.signatures.reason}; the registry itself states them"
            return _with(got, (), (_told(release, reason, relevant=False),))
        return got
    if not _is_the_one(release, listing):
        return got
    if not extra_is_there():
        reason = "its signature was not verified; with the extra it is: pip install 'pratique[trust]'"
        return _with(got, (), (_told(release, reason, relevant=False),))
    try:
        roots = around.roots
    except (ConfigurationError, UsageError) as error:
        reason = f"its signature was not verified: the trust roots cannot be used ({error})"
        return _with(got, (), (_told(release, reason, relevant=attestations),))
    if wanted:
        return _attested(got, listing, around)
    from pratique.releases.attestations.facts import trust_facts
    from pratique.releases.attestations.signatures import verify_signatures

    name, version = release.name, release.version
    integrity = _dist(listing, version).get("integrity")
    found = verify_signatures(name, version, integrity, stated, listing.published(version), roots)
    sources = (listing.source,)
    facts = trust_facts(TrustResult(release.purl, release.ecosystem, name, version, sources, signatures=found))
    reasons = [one.reason for one in found if one.outcome == _NOT]
    advice = "newer keys come with: pratique trust update"
    notes = [_told(release, f"its signature was not verified: {why}; {advice}", relevant=False) for why in reasons]
    return _with(got, facts, tuple(notes))


def _attested(got: Got, listing: Listing, around: Surroundings) -> Got:
    """With signatures and attestations, verified as `pratique trust` does."""
    from pratique.releases.attestations.facts import trust_facts
    from pratique.workflow.trust_release import Inputs, Verifying

    release = got.release
    inputs = Inputs(artifact_name=_file(release, listing))
    result = Verifying(around, around.roots, {}, inputs).listed(listing, release.version)
    reasons = [f"a signature was not verified: {one.reason}" for one in result.signatures if one.outcome == _NOT]
    reasons += [f"an attestation was not verified: {one.reason}" for one in result.attestations if one.outcome == _NOT]
    gaps = [_told(release, reason, relevant=True) for reason in reasons]
    return _with(got, trust_facts(result), (*result.refusals, *gaps))


def _with(got: Got, facts: tuple[Fact, ...], refusals: tuple[Refusal, ...]) -> Got:
    return msgspec.structs.replace(
        got, facts=(*got.facts, *facts), refusals=tuple(dict.fromkeys((*got.refusals, *refusals)))
    )


def _dist(listing: Listing, version: str) -> dict[str, object]:
    """The `dist` of one version as an npm document states it; empty where it states none."""
    manifest = listing.document.manifest(version) if isinstance(listing.document, Packument) else None
    dist = manifest.get("dist") if manifest is not None else None
    return dist if isinstance(dist, dict) else {}


def _signatures(listing: Listing, version: str) -> object:
    """What the record states as signatures of one version; nothing where it states none."""
    return _dist(listing, version).get("signatures")


def _is_the_one(release: Release, listing: Listing) -> bool:
    """Whether the record is about this archive: of one that was given as a file, by its digest."""
    if not release.source.startswith(("file ", "folder ")):
        return True
    if listing.ecosystem == "PyPI":
        return bool(_file(release, listing))
    from pratique.releases.attestations.statement import sha512_of

    stated = sha512_of(_dist(listing, release.version).get("integrity"))
    return bool(stated) and release.files.digests.get("sha512") == stated


def _file(release: Release, listing: Listing) -> str:
    """The name of the archive that is examined, as an index of Python names it; empty where no digest tells."""
    digest = release.files.digests.get("sha256")
    files = listing.files(release.version)
    return next((one.name for one in files if digest and one.hashes.get("sha256") == digest), "")


def _told(release: Release, reason: str, *, relevant: bool) -> Refusal:
    return Refusal(f"{release.name}@{release.version}", READER, reason[:500], relevant, names=(release.name,))

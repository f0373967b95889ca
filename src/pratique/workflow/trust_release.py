"""One release: its record, signatures and attestations, and those of the release before it, gathered and verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urljoin

import msgspec

from pratique.adapters import clock
from pratique.adapters.registry import NotFetched
from pratique.ecosystems.npm.release_record import Packument
from pratique.ecosystems.pypi.release_record import IndexFile, Project, read_page
from pratique.ecosystems.references import Reference, release_purl
from pratique.model.errors import UsageError
from pratique.model.observation import Refusal
from pratique.model.release import Dated, RegistryRecord, State
from pratique.model.trust import AttestationResult, Claims, Difference, PublisherChange, SignatureResult, TrustResult
from pratique.releases.attestations.npm import verify_npm
from pratique.releases.attestations.policy import against_earlier, against_policy
from pratique.releases.attestations.python import file_of, verify_python
from pratique.releases.attestations.roots import Roots
from pratique.releases.attestations.signatures import verify_signatures
from pratique.releases.attestations.statement import PROVENANCE, release_of, sha512_of
from pratique.releases.lines import lower
from pratique.workflow.documents import Documents, NotHad
from pratique.workflow.listings import Listing
from pratique.workflow.surroundings import Surroundings

READER = "trust"
SHOWN = 8
"""So many changes in the way of publishing are kept, the newest."""
EARLIER = 3
"""So many earlier versions are asked for attestations to compare with, the nearest first, until one verifies."""
_NPM = "application/json"
_PYPI = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"


class Inputs(msgspec.Struct, frozen=True):
    """Bytes that stand in for asking: documents of a registry, an archive and its name, earlier attestations."""

    record: bytes | None = None
    attestations: bytes | None = None
    artifact: bytes | None = None
    artifact_name: str = ""
    earlier: tuple[bytes, ...] = ()


class Verifying:
    """Verifies releases, one after the other."""

    def __init__(self, around: Surroundings, roots: Roots, expected: Mapping[str, str], inputs: Inputs) -> None:
        self.around = around
        self.roots = roots
        self.expected = expected
        self.inputs = inputs
        self._documents = Documents(around)

    def release(self, reference: Reference) -> TrustResult:
        """Verify a release. Raises NotHad where nothing is known of it, UsageError for a record that is none."""
        listing = self._listing(reference)
        version, _ = listing.picked(reference.wanted, None, clock.now().timestamp())
        if version is None:
            raise NotHad(f"{reference.name} has no version that {reference.wanted or 'a plain request'} admits")
        return self.listed(listing, version)

    def listed(self, listing: Listing, version: str) -> TrustResult:
        """Verify a version of a package whose listing is at hand."""
        if listing.ecosystem == "npm":
            return self._npm(listing, version)
        return self._python(listing, version)

    def _listing(self, reference: Reference) -> Listing:
        world, name = reference.ecosystem, reference.name
        if world is None:
            raise NotHad("a path is not looked up")
        if self.inputs.record is None:
            return self._documents.listing(world, name)
        document: Packument | Project
        try:
            if world == "npm":
                document = Packument(self.inputs.record)
            else:
                document = read_page(self.inputs.record, "http://localhost/")
        except ValueError as error:
            raise UsageError(str(error), where="--record") from None
        if document.name != name:
            raise UsageError(f"is about {document.name[:80]}, not {name}", where="--record")
        return Listing(world, name, document, "the record that was named")

    # npm

    def _npm(self, listing: Listing, version: str) -> TrustResult:
        document = listing.document
        refusals: list[Refusal] = list(listing.refusals)
        dist = dist_of(document, version)
        if not dist:
            refusals.append(_told(listing.name, version, "no document of the registry states signatures of it"))
        integrity = dist.get("integrity")
        published = listing.published(version)
        signatures = verify_signatures(listing.name, version, integrity, dist.get("signatures"), published, self.roots)
        if dist and not signatures and listing.record(version).signatures.state == "unavailable":
            refusals.append(
                _told(listing.name, version, "the record states no signature for any version, as mirrors drop them")
            )
        expected = _npm_expected(integrity, self.inputs.artifact)
        if self.inputs.artifact is not None and "integrity" in expected and len(set(expected.values())) > 1:
            refusals.append(_told(listing.name, version, "the archive at hand is not the one that the record states"))
        data = self._npm_attestations(listing, version, dist, refusals, given=self.inputs.attestations)
        attestations = verify_npm(data, listing.name, version, expected, self.roots) if data is not None else ()
        stated = dist.get("attestations")
        if data is not None and isinstance(stated, dict) and stated.get("provenance"):
            if not any(item.predicate in PROVENANCE for item in attestations):
                refusals.append(
                    _told(listing.name, version, "the record states provenance, and no attestation at hand is one")
                )
        elif data is not None and stated and not attestations:
            refusals.append(_told(listing.name, version, "the record states attestations, and the answer holds none"))
        earlier, before = self._earlier_npm(listing, version, attestations)
        return self._result(listing, version, signatures, attestations, refusals, integrity, earlier, before)

    def _npm_attestations(
        self, listing: Listing, version: str, dist: Mapping[str, object], refusals: list[Refusal], given: bytes | None
    ) -> bytes | None:
        """The registry's answer; None, with a refusal where the record states some that cannot be had."""
        if given is not None:
            return given
        if not dist.get("attestations"):
            return None
        access = self.around.npm_access(listing.name)
        if access is None:
            refusals.append(_told(listing.name, version, "it has attestations, and no registry is configured to ask"))
            return None
        path = f"-/npm/v1/attestations/{quote(listing.name, safe='@')}@{quote(version, safe='+')}"
        return self._asked(access.url, path, _NPM, listing.name, version, refusals)

    def _asked(
        self, base: str, path: str, accept: str, name: str, version: str, refusals: list[Refusal]
    ) -> bytes | None:
        """A document of a registry: kept from before, for attestations never change, or asked for."""
        url = urljoin(base, path)
        kept = self.around.kept.document(url)
        if kept is not None:
            return kept[0]
        if not self.around.online:
            refusals.append(_told(name, version, "it has attestations, which are not at hand, and none may be asked"))
            return None
        access = next(
            (
                one
                for one in (self.around.npm_access(name), *self.around.python_accesses)
                if one is not None and one.url == base
            ),
            None,
        )
        if access is None:
            refusals.append(_told(name, version, "it has attestations, and no registry is configured to ask"))
            return None
        try:
            data, _ = self.around.client(access).document(path, accept, largest=16 << 20)
        except NotFetched as error:
            refusals.append(_told(name, version, f"its attestations cannot be had: {error}"))
            return None
        self.around.kept.keep_document(url, data)
        return data

    def _earlier_npm(
        self, listing: Listing, version: str, attestations: Sequence[AttestationResult]
    ) -> tuple[Claims | None, str]:
        """What the certificate of the nearest earlier version claims that verifies, and which version that is."""
        if not any(item.claims is not None for item in attestations):
            return None, ""
        for data in self.inputs.earlier:
            subject = release_of(data)
            if subject is None or subject[0] != listing.name or subject[1] == version:
                continue
            claims = self._claims_npm(listing, subject[1], data)
            if claims is not None:
                return claims, subject[1]
        if self.inputs.record is not None or self.inputs.earlier:
            return None, ""
        for item in [one for one in _lower(listing, version) if one.provenance == "present"][:EARLIER]:
            found = self._npm_attestations(listing, item.version, dist_of(listing.document, item.version), [], None)
            claims = self._claims_npm(listing, item.version, found) if found is not None else None
            if claims is not None:
                return claims, item.version
        return None, ""

    def _claims_npm(self, listing: Listing, version: str, data: bytes) -> Claims | None:
        expected = _npm_expected(dist_of(listing.document, version).get("integrity"), None)
        found = verify_npm(data, listing.name, version, expected, self.roots)
        return next((item.claims for item in found if item.claims is not None), None)

    # Python

    def _python(self, listing: Listing, version: str) -> TrustResult:
        refusals: list[Refusal] = list(listing.refusals)
        files = listing.files(version)
        attestations: list[AttestationResult] = []
        if self.inputs.attestations is not None:
            name = self.inputs.artifact_name or file_of(self.inputs.attestations)
            stated = next((file for file in files if file.name == name), None)
            attestations += verify_python(self.inputs.attestations, name, self._digests(stated), self.roots)
        else:
            for file in files:
                if file.provenance and (not self.inputs.artifact_name or file.name == self.inputs.artifact_name):
                    data = self._python_attestations(listing, version, file, refusals)
                    if data is not None:
                        attestations += verify_python(data, file.name, self._digests(file), self.roots)
        attested = {item.subject for item in attestations}
        bare = [file.name for file in files if file.name not in attested and not file.provenance]
        if attestations and bare and self.inputs.attestations is None:
            refusals.append(
                _told(
                    listing.name,
                    version,
                    f"of {len(files)} files these have no attestation: {', '.join(bare[:5])}",
                    relevant=False,
                )
            )
        return self._result(listing, version, (), attestations, refusals, None, None, "")

    def _digests(self, file: IndexFile | None) -> dict[str, str]:
        found = {"integrity": file.hashes["sha256"]} if file is not None and "sha256" in file.hashes else {}
        if self.inputs.artifact is not None and (file is None or file.name == self.inputs.artifact_name):
            found["archive"] = hashlib.sha256(self.inputs.artifact).hexdigest()
        return found

    def _python_attestations(
        self, listing: Listing, version: str, file: IndexFile, refusals: list[Refusal]
    ) -> bytes | None:
        base = next((one.url for one in self.around.python_accesses if listing.page.startswith(one.url)), "")
        return self._asked(base, file.provenance or "", _PYPI, listing.name, version, refusals)

    # both

    def _result(
        self,
        listing: Listing,
        version: str,
        signatures: Sequence[SignatureResult],
        attestations: Sequence[AttestationResult],
        refusals: Sequence[Refusal],
        integrity: object,
        earlier: Claims | None,
        earlier_version: str,
    ) -> TrustResult:
        file = next((item.subject for item in attestations if item.subject), "")
        record = listing.record(version, file)
        differences: list[Difference] = list(against_policy(self.expected, attestations))
        if earlier is not None:
            for item in attestations:
                if item.claims is not None:
                    differences += against_earlier(item.claims, earlier, earlier_version)
        before, lost = _lost(listing, version, record)
        return TrustResult(
            purl=release_purl(listing.ecosystem, listing.name, version),
            ecosystem=listing.ecosystem,
            name=listing.name,
            version=version,
            sources=(listing.source,) if listing.source else (),
            published=listing.published(version),
            integrity=integrity if isinstance(integrity, str) else "",
            states={
                "signatures": record.signatures.state,
                "provenance": record.provenance.state,
                "trusted_publisher": record.trusted_publisher.state,
            },
            publisher=record.publisher.value.name if record.publisher.value is not None else "",
            signatures=tuple(signatures),
            attestations=tuple(attestations),
            differences=tuple(dict.fromkeys(differences)),
            compared_with=earlier_version,
            predecessor=before,
            lost=lost,
            history=_changes(listing),
            refusals=tuple(refusals),
        )


def dist_of(document: object, version: str) -> Mapping[str, object]:
    """The `dist` of one version as the document states it; empty where it states none."""
    manifest = document.manifest(version) if isinstance(document, Packument) else None
    dist = manifest.get("dist") if manifest is not None else None
    return dist if isinstance(dist, dict) else {}


def _npm_expected(integrity: object, artifact: bytes | None) -> dict[str, str]:
    digest = sha512_of(integrity)
    expected = {"integrity": digest} if digest else {}
    if artifact is not None:
        expected["archive"] = hashlib.sha512(artifact).hexdigest()
    return expected


def _lower(listing: Listing, version: str) -> tuple[Dated, ...]:
    return lower(listing.ecosystem, listing.history, version, published=listing.published(version))


def _lost(listing: Listing, version: str, record: RegistryRecord) -> tuple[str, tuple[str, ...]]:
    """The nearest lower version, and what it had that this one has not, as far as both records say."""
    states: dict[str, State] = {
        "provenance": record.provenance.state,
        "trusted_publisher": record.trusted_publisher.state,
    }
    before = next(iter(_lower(listing, version)), None)
    if before is None:
        return "", ()
    had: dict[str, State] = {"provenance": before.provenance, "trusted_publisher": before.trusted_publisher}
    lost = [what for what, state in states.items() if state == "absent" and had[what] == "present"]
    if record.signatures.state == "absent" and listing.ecosystem == "npm":
        lost.append("signatures")
    return before.version, tuple(lost)


def _changes(listing: Listing) -> tuple[PublisherChange, ...]:
    """The versions at which the way of publishing changed, oldest first; the last eight."""
    found: list[PublisherChange] = []
    for item in listing.history:
        now = (item.publisher, item.provenance, item.trusted_publisher)
        last = found[-1] if found else None
        if last is None or now != (last.publisher, last.provenance, last.trusted_publisher):
            found.append(PublisherChange(item.version, item.published, *now))
    return tuple(found[-SHOWN:])


def _told(name: str, version: str, reason: str, *, relevant: bool = True) -> Refusal:
    return Refusal(f"{name}@{version}", READER, reason[:500], relevant, names=(name,))

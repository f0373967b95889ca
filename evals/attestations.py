"""Verify genuine attestations and registry signatures of a folder, and hold that every mutation of them is refused.

    python -m evals.attestations --data DIR [--json]

DIR holds published documents, in any folders: answers of npm about attestations, provenance of an index, bundles of
Sigstore, packuments; Python archives beside them, whose names may begin with `pypi-`, are compared with what is signed.
A file whose name holds `--` is a mutation and must be refused. Further mutations are made here of every genuine
attestation. With `trusted_root.json` and `npm-keys.json` in DIR these roots are used, else those that come with the
program. Ends with 1 where a genuine one did not verify or a mutation did; with 2 where there was nothing to verify.
"""

from __future__ import annotations

import argparse
import base64
import copy
import datetime
import hashlib
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pratique.model.trust import AttestationResult
from pratique.releases.attestations.bundle import GENERATIONS, bundle_of
from pratique.releases.attestations.npm import verify_npm
from pratique.releases.attestations.python import file_of, verify_python
from pratique.releases.attestations.reasons import NotExamined, Rejected
from pratique.releases.attestations.roots import Roots
from pratique.releases.attestations.signatures import verify_signatures
from pratique.releases.attestations.statement import release_of, sha512_of
from pratique.releases.attestations.verify import by_certificate
from pratique.workflow.trust_roots import roots_in_force

ROUNDS = 15
Verify = Callable[[bytes], tuple[AttestationResult, ...]]


class Case:
    """One attestation: its document, how it is verified, and where its bundle's parts lie."""

    def __init__(self, file: Path, label: str, document: Any, verify: Verify) -> None:
        self.file = file
        self.label = label
        self.document = document
        self.verify = verify

    def result(self, document: Any = None) -> AttestationResult:
        """The outcome for a document; every outcome of a document that holds several counts, the worst first."""
        found = self.verify(json.dumps(self.document if document is None else document).encode())
        order = ("rejected", "not-examined", "verified")
        return min(found, key=lambda one: order.index(one.outcome))


def gathered(folder: Path) -> tuple[list[Case], list[Case], list[tuple[str, dict[str, Any]]], Roots]:
    """Genuine attestations, mutations, packuments with their names, and the roots."""
    named = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file()}
    root, keys = named.get("trusted_root.json"), named.get("npm-keys.json")
    roots = roots_in_force(root, keys) if root is not None and keys is not None else roots_in_force()
    documents: list[tuple[Path, Any]] = []
    for path in sorted(folder.rglob("*.json")):
        try:
            documents.append((path, json.loads(path.read_bytes())))
        except ValueError:
            print(f"not JSON: {path.relative_to(folder)}", file=sys.stderr)
    packuments = [
        (document["name"], document)
        for _, document in documents
        if isinstance(document, dict) and "versions" in document and "time" in document and "name" in document
    ]
    stated = {
        (name, version): sha512_of(manifest.get("dist", {}).get("integrity"))
        for name, document in packuments
        for version, manifest in document["versions"].items()
    }
    archives = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in named.values()
        if path.name.endswith((".whl", ".tar.gz", ".tgz"))
    }
    genuine: list[Case] = []
    mutated: list[Case] = []
    for path, document in documents:
        for case in cases(path, document, stated, archives, roots):
            (mutated if "--" in path.name else genuine).append(case)
    return genuine, mutated, packuments, roots


def cases(
    path: Path, document: Any, stated: dict[tuple[str, str], str], archives: dict[str, str], roots: Roots
) -> Iterator[Case]:
    """The attestations in one document."""
    if not isinstance(document, dict):
        return
    parts: list[Any] = []
    if "attestation_bundles" in document:
        for bundle in document["attestation_bundles"]:
            for one in bundle["attestations"]:
                inner = {"publisher": bundle.get("publisher"), "attestations": [one]}
                parts.append({"version": 1, "attestation_bundles": [inner]})
    elif "attestations" in document:
        parts = [{"attestations": [one]} for one in document["attestations"]]
    elif document.get("mediaType") in GENERATIONS:
        parts = [document]
    for part in parts:
        data = json.dumps(part).encode()
        subject = release_of(data) if "attestation_bundles" not in part else None
        if subject is not None and subject[1]:
            name, version = subject
            digest = stated.get((name, version)) or signed_digest(part)

            def npm(
                body: bytes, name: str = name, version: str = version, digest: str = digest
            ) -> tuple[AttestationResult, ...]:
                return verify_npm(body, name, version, {"integrity": digest}, roots)

            yield Case(path, f"npm {name} {version}", part, npm)
        else:
            stated_file = file_of(data)
            lying = next((name for name in archives if name.endswith(stated_file or ".whl")), "")
            file = stated_file if stated_file and lying else lying.rpartition("pypi-")[2]

            def python(body: bytes, file: str = file, lying: str = lying) -> tuple[AttestationResult, ...]:
                expected = {"archive": archives[lying]} if lying else {}
                return verify_python(body, file, expected, roots)

            yield Case(path, f"PyPI {file}", part, python)


def signed_digest(part: Any) -> str:
    """The digest that a statement states itself, where no packument of the package is at hand."""
    bundle = part["attestations"][0]["bundle"] if "attestations" in part else part
    payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    return str(payload["subject"][0]["digest"].get("sha512", ""))


def mutations(document: Any) -> Iterator[tuple[str, Any]]:
    """Documents that differ in one thing that counts, each with what was done."""
    if "attestation_bundles" in document:
        path: tuple[Any, ...] = ("attestation_bundles", 0, "attestations", 0)
        payload, signature = (*path, "envelope", "statement"), (*path, "envelope", "signature")
        entry = (*path, "verification_material", "transparency_entries", 0)
        signer: tuple[Any, ...] = (*path, "verification_material", "certificate")
    else:
        path = ("attestations", 0, "bundle") if "attestations" in document else ()
        payload, signature = (*path, "dsseEnvelope", "payload"), (*path, "dsseEnvelope", "signatures", 0, "sig")
        material = (*path, "verificationMaterial")
        entry = (*material, "tlogEntries", 0)
        found = at(document, material)
        if "certificate" in found:
            signer = (*material, "certificate", "rawBytes")
        elif "x509CertificateChain" in found:
            signer = (*material, "x509CertificateChain", "certificates", 0, "rawBytes")
        else:
            signer = (*material, "publicKey", "hint")
        yield "two signatures", changed(document, signature[:-2], lambda items: [*items, *items])
        yield "a key id", changed(document, (*signature[:-1], "keyid"), lambda _: "SHA256:other")
        yield "another bundle version", changed(document, (*path, "mediaType"), lambda text: f"{text}.9")
        if path:
            yield (
                "another kind outside",
                changed(document, ("attestations", 0, "predicateType"), lambda text: f"{text}x"),
            )
    yield "a bit of the payload", changed(document, payload, flipped)
    yield "a bit of the signature", changed(document, signature, flipped)
    yield "a bit of the log's body", changed(document, (*entry, "canonicalizedBody"), flipped)
    yield "the log's time", changed(document, (*entry, "integratedTime"), lambda text: str(int(text) + 1))
    yield "a far time", changed(document, (*entry, "integratedTime"), lambda text: str(int(text) + 10**8))
    yield "the log's number", changed(document, (*entry, "logIndex"), lambda text: str(int(text) + 1))
    yield "no promise", changed(document, (*entry, "inclusionPromise"), lambda _: None)
    yield "a bit of the promise", changed(document, (*entry, "inclusionPromise", "signedEntryTimestamp"), flipped)
    yield "another log", changed(document, (*entry, "logId", "keyId"), flipped)
    yield "another kind of entry", changed(document, (*entry, "kindVersion", "kind"), lambda _: "hashedrekord")
    if at(document, entry).get("inclusionProof"):
        proof = (*entry, "inclusionProof")
        yield "another tree", changed(document, (*proof, "treeSize"), lambda text: str(int(text) + 1))
        yield "another root", changed(document, (*proof, "rootHash"), flipped)
        yield "another way", changed(document, (*proof, "hashes", 0), flipped)
        yield (
            "another checkpoint",
            changed(document, (*proof, "checkpoint", "envelope"), lambda text: text.replace("\n", "\n1", 1)),
        )
    if "publicKey" in signer:
        yield "another key", changed(document, signer, lambda text: text[::-1])
    else:
        yield "a bit of the certificate", changed(document, signer, flipped)


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def changed(document: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    made = copy.deepcopy(document)
    place = at(made, path[:-1])
    place[path[-1]] = change(place[path[-1]] if isinstance(place, list) else place.get(path[-1]))
    return made


def flipped(text: str) -> str:
    """The base64 of bytes with one bit in their middle turned."""
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return base64.b64encode(bytes(data)).decode()


def own_path(case: Case, roots: Roots) -> str:
    """What our own layer says of a bundle that sigstore verified."""
    document = case.document
    bundle = document["attestations"][0]["bundle"] if "attestations" in document else document
    if not isinstance(bundle, dict) or "mediaType" not in bundle:
        return ""
    try:
        parts = bundle_of(bundle)
        return "" if parts.hint else by_certificate(parts, roots, own=True).verified_by
    except (Rejected, NotExamined) as reason:
        return f"no: {reason}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="Print the numbers as JSON.")
    options = parser.parse_args()
    genuine, mutated, packuments, roots = gathered(options.data)
    rows: list[dict[str, Any]] = []
    failures: list[str] = []
    refused = Counter[str]()
    for case in genuine:
        found = case.result()
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            case.result()
            times.append(time.perf_counter() - start)
        verdicts = []
        for what, document in mutations(case.document):
            outcome = case.result(document).outcome
            verdicts.append(outcome != "verified")
            refused[outcome] += 1
            if outcome == "verified":
                failures.append(f"{case.file.name}, {case.label}: verified with {what} changed")
        if found.outcome != "verified":
            failures.append(f"{case.file.name}, {case.label}: {found.outcome}: {found.reason}")
        rows.append(
            {
                "what": case.label,
                "kind": found.predicate.rpartition("//")[2],
                "bundle": found.bundle,
                "entry": found.entry,
                "outcome": found.outcome,
                "by": found.verified_by,
                "own": own_path(case, roots) if found.verified_by == "sigstore" else "",
                "ms": round(1000 * statistics.median(times), 2),
                "refused": f"{sum(verdicts)}/{len(verdicts)}",
            }
        )
    for case in mutated:
        outcome = case.result().outcome
        refused[outcome] += 1
        if outcome == "verified":
            failures.append(f"{case.file.name}: verified")
    signatures = Counter[tuple[str, str]]()
    for name, document in packuments:
        for version, manifest in document["versions"].items():
            dist = manifest.get("dist", {})
            stated = document["time"].get(version)
            published = datetime.datetime.fromisoformat(stated).timestamp() if stated else None
            for one in verify_signatures(
                name, version, dist.get("integrity"), dist.get("signatures"), published, roots
            ):
                signatures[(one.keyid[:15], one.outcome)] += 1
                if one.outcome != "verified":
                    failures.append(f"signature of {name} {version}: {one.reason}")
    report(rows, refused, len(mutated), signatures, failures, options.json)
    if not rows and not signatures:
        print("nothing to verify was found", file=sys.stderr)
        return 2
    return 1 if failures else 0


def report(
    rows: list[dict[str, Any]],
    refused: Counter[str],
    files: int,
    signatures: Counter[tuple[str, str]],
    failures: list[str],
    as_json: bool,
) -> None:
    total = sum(refused.values())
    stopped = total - refused["verified"]
    if as_json:
        print(
            json.dumps(
                {
                    "genuine": rows,
                    "mutations": dict(refused),
                    "signatures": {" ".join(key): count for key, count in sorted(signatures.items())},
                    "failures": failures,
                },
                indent=2,
            )
        )
        return
    print("| genuine attestation | bundle | log entry | outcome | verified by | own layer | ms | mutations refused |")
    print("|---|---|---|---|---|---|---:|---:|")
    for row in rows:
        print("| {what} | {bundle} | {entry} | {outcome} | {by} | {own} | {ms} | {refused} |".format(**row))
    good = sum(row["outcome"] == "verified" for row in rows)
    print(f"\nGenuine attestations verified: {good}/{len(rows)}.")
    print(f"Mutations refused: {stopped}/{total} ({files} of them files), {refused['rejected']} rejected,", end=" ")
    print(f"{refused['not-examined']} not examined.")
    for (key, outcome), count in sorted(signatures.items()):
        print(f"Registry signatures by {key}: {count} {outcome}.")
    for failure in failures:
        print(f"FAILURE  {failure}")


if __name__ == "__main__":
    sys.exit(main())

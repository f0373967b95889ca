"""Laws of verification: any bytes give results, and nothing verifies but what was signed."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique.releases.attestations.bundle import bundle_of
from pratique.releases.attestations.npm import verify_npm
from pratique.releases.attestations.python import verify_python
from pratique.releases.attestations.reasons import NotExamined, Rejected
from pratique.releases.attestations.signatures import verify_signatures
from pratique.releases.attestations.statement import release_of
from tests.standins import authority as own

NAME, VERSION, ARCHIVE = "crate", "1.2.3", b"the bytes of an archive"
DIGEST = hashlib.sha512(ARCHIVE).hexdigest()
FILE = "crate-1.2.3.tar.gz"
ROOTS = own.roots()
BUILT = own.statement(NAME, VERSION, ARCHIVE)
PUBLISHED = own.statement(NAME, VERSION, ARCHIVE, own.PUBLISH)
GENUINE = {
    "stock": json.loads(own.answer((own.PROVENANCE, own.by_certificate(BUILT)))),
    "old": json.loads(own.answer((own.PROVENANCE, own.by_certificate(BUILT, "0.1", "intoto 0.0.2", proof=False)))),
    "middle": json.loads(own.answer((own.PROVENANCE, own.by_certificate(BUILT, "0.2", "intoto 0.0.2")))),
    "registry": json.loads(own.answer((own.PUBLISH, own.by_registry(PUBLISHED)))),
}
PYTHON = json.loads(own.python_answer(own.python_attestation(own.python_statement(FILE, ARCHIVE))))
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["", "0", "-1", "AA==", "SHA256:x", "9" * 40, "application/vnd.dev.sigstore.bundle+json;version=0.2"]
    )
    | st.lists(st.integers(), max_size=3)
    | st.dictionaries(st.text(max_size=5), st.integers(), max_size=3)
)
UNHURRIED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, the inner ones too."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(document)
    at = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return made


def parts(document: Any) -> Any:
    """The parts of a bundle that are proven; None where it is none. The generation and a bare proof are not."""
    try:
        found = bundle_of(document["attestations"][0]["bundle"])
    except (Rejected, NotExamined, KeyError, TypeError, IndexError):
        return None
    entry = found.entry
    return found.certificate, found.hint, found.payload, found.signature, found.keyid, entry.body, entry.time, entry.log


@UNHURRIED
@given(st.data())
def test_what_verifies_is_what_was_signed(data: st.DataObject) -> None:
    """A document with one place replaced verifies only where everything that is proven is as it was."""
    genuine = GENUINE[data.draw(st.sampled_from(sorted(GENUINE)))]
    path = data.draw(st.sampled_from(places(genuine)))
    made = replaced(genuine, path, data.draw(VALUES))
    results = verify_npm(json.dumps(made).encode(), NAME, VERSION, {"integrity": DIGEST}, ROOTS)
    for result in results:
        assert (result.outcome == "verified") == (result.reason == "")
        if result.outcome == "verified":
            assert parts(made) == parts(genuine)


@UNHURRIED
@given(st.data())
def test_one_byte_of_what_is_signed_is_enough(data: st.DataObject) -> None:
    """One byte of any proven part turned, and nothing verifies."""
    genuine = GENUINE[data.draw(st.sampled_from(sorted(GENUINE)))]
    bundle = ("attestations", 0, "bundle")
    entry = (*bundle, "verificationMaterial", "tlogEntries", 0)
    path = data.draw(
        st.sampled_from(
            [
                (*bundle, "dsseEnvelope", "payload"),
                (*bundle, "dsseEnvelope", "signatures", 0, "sig"),
                (*entry, "canonicalizedBody"),
                (*entry, "inclusionPromise", "signedEntryTimestamp"),
                (*entry, "logId", "keyId"),
            ]
        )
    )
    import base64

    at = genuine
    for step in path:
        at = at[step]
    content = bytearray(base64.b64decode(at))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    made = replaced(genuine, path, base64.b64encode(bytes(content)).decode())
    (result,) = verify_npm(json.dumps(made).encode(), NAME, VERSION, {"integrity": DIGEST}, ROOTS)
    assert result.outcome != "verified"
    assert result.claims is None


@UNHURRIED
@given(st.data())
def test_python_answers_of_any_shape_give_results(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(places(PYTHON)))
    made = replaced(PYTHON, path, data.draw(VALUES))
    digest = hashlib.sha256(ARCHIVE).hexdigest()
    for result in verify_python(json.dumps(made).encode(), FILE, {"archive": digest}, ROOTS):
        assert (result.outcome == "verified") == (result.reason == "")
        if result.outcome == "verified" and "attestations" in path:
            was = PYTHON["attestation_bundles"][0]["attestations"][0]
            now = made["attestation_bundles"][0]["attestations"][0]
            assert now["envelope"] == was["envelope"]
            assert now["verification_material"]["certificate"] == was["verification_material"]["certificate"]


@UNHURRIED
@given(st.binary(max_size=400) | st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3)).map(own.compact))
def test_any_bytes_give_results(data: bytes) -> None:
    for result in (
        *verify_npm(data, NAME, VERSION, {"integrity": DIGEST}, ROOTS),
        *verify_python(data, FILE, {}, ROOTS),
    ):
        assert result.outcome != "verified"
        assert result.reason
    found = release_of(data)
    assert found is None or all(isinstance(part, str) for part in found)


@UNHURRIED
@given(VALUES, VALUES, st.text(max_size=10), st.floats() | st.none())
def test_any_record_gives_results(integrity: Any, signatures: Any, version: str, published: float | None) -> None:
    for result in verify_signatures(NAME, version, integrity, signatures, published, ROOTS):
        assert result.outcome != "verified"
        assert result.reason

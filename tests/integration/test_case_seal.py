"""Seals: with a key of our own, through ssh-keygen and its agent, and out of a bundle of Sigstore's form."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from pratique.adapters import signing
from pratique.casefile import seal as seals
from pratique.casefile.case import Author, Case, create
from pratique.model.case import EvidenceItem
from pratique.model.errors import CaseError, ConfigurationError, UsageError
from pratique.workflow.case_proof import verify_case
from pratique.workflow.case_seal import attach_bundle, case_statement, seal_case

NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    author = Author("dev@laptop", "pratique 0", lambda: NOON)
    with create(tmp_path / "case", author, incidents={"axios-2026-03-31": "sha256:0"}, key=tmp_path / "key") as made:
        made.append("report", {"verdicts": []})
        made.keep(EvidenceItem(what="lock", source="/x", digest="", size=0), b"a lockfile")
        made.keep(EvidenceItem(what="same", source="/y", digest="", size=0), b"a lockfile")
        yield made


def ssh_keygen() -> str:
    program = shutil.which("ssh-keygen")
    if program is None:
        pytest.skip("ssh-keygen is not installed")
    return program


def ssh_key(folder: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    path = folder / f"id_{kind}"
    command = [ssh_keygen(), "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


def test_the_statement_names_the_head_each_report_and_each_piece_once(case: Case) -> None:
    document = json.loads(case_statement(case))
    rows = list(case.journal.rows())
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "urn:pratique:case-seal:1"
    assert [item["name"] for item in document["subject"]] == ["entry/4", "report/2", "evidence/3"]
    assert document["subject"][0]["digest"]["sha256"] == rows[-1].digest == document["predicate"]["head"]
    assert document["predicate"]["case"] == case.id


def test_a_key_of_our_own_is_made_once_and_is_known_again(case: Case, tmp_path: Path) -> None:
    assert not case.sealed
    sealed = seal_case(case)
    assert case.sealed
    assert (tmp_path / "signing.key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "signing.key.pub").read_text().strip() == sealed.public
    case.append("note", {"text": "words change no report and no evidence"})
    assert case.sealed
    case.append("report", {"verdicts": []})
    assert not case.sealed
    assert seal_case(case).public == sealed.public
    assert case.sealed
    proof = verify_case(case)
    assert proof.exit_code == 0
    assert [(item.kind, item.covers, item.trusted) for item in proof.seals] == [
        ("ed25519", 4, True),
        ("ed25519", 7, True),
    ]
    (tmp_path / "signing.key").unlink()
    proof = verify_case(case)
    assert proof.exit_code == 4, "a key that nobody named proves nothing about who it was"
    assert verify_case(case, trusted=[tmp_path / "signing.key.pub"]).exit_code == 0


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_key_of_ssh_and_ssh_keygen_says_the_same(case: Case, tmp_path: Path, kind: str) -> None:
    key = ssh_key(tmp_path, kind)
    sealed = seal_case(case, ssh_key=key)
    said = subprocess.run([ssh_keygen(), "-l", "-f", f"{key}.pub"], capture_output=True, text=True, check=True)
    assert sealed.signer in said.stdout
    assert verify_case(case).exit_code == 4
    assert verify_case(case, trusted=[Path(f"{key}.pub")]).exit_code == 0
    seal = seals.parsed(next(iter(case.journal.rows("seal"))).body)
    assert seal is not None
    message = seals.encoded(seal.envelope.payloadType, seal.envelope.content())
    armour = base64.encodebytes(seals.unbase64(seal.envelope.signatures[0].sig)).decode()
    (tmp_path / "sig").write_text(f"-----BEGIN SSH SIGNATURE-----\n{armour}-----END SSH SIGNATURE-----\n")
    (tmp_path / "allowed").write_text(f'dev@example.test namespaces="{signing.NAMESPACE}" {sealed.public}\n')
    words = ["-f", "allowed", "-I", "dev@example.test", "-n", signing.NAMESPACE, "-s", "sig"]
    done = subprocess.run([ssh_keygen(), "-Y", "verify", *words], input=message, cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert verify_case(case, trusted=[tmp_path / "allowed"]).exit_code == 0


def test_a_key_in_an_agent(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ssh_key(tmp_path)
    agent = shutil.which("ssh-agent")
    if agent is None:
        pytest.skip("ssh-agent is not installed")
    socket = tmp_path / "agent"
    process = subprocess.Popen([agent, "-D", "-a", str(socket)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if socket.exists():
                break
            subprocess.run(["sleep", "0.05"], check=True)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", str(key)], check=True, timeout=20)
        key.unlink()
        seal_case(case, ssh_key=Path(f"{key}.pub"))
    finally:
        process.terminate()
        process.wait(10)
    assert verify_case(case, trusted=[Path(f"{key}.pub")]).exit_code == 0
    with pytest.raises(CaseError, match=r"ssh-keygen did not sign.*ssh-add"):
        seal_case(case, ssh_key=Path(f"{key}.pub"))


def test_a_passphrase_that_cannot_be_asked_for_is_said(case: Case, tmp_path: Path) -> None:
    key = ssh_key(tmp_path, passphrase="of a test")
    if os.isatty(0):
        pytest.skip("a terminal is here, so it would be asked for")
    with pytest.raises(CaseError, match=r"ssh-keygen did not sign.*ssh-add"):
        seal_case(case, ssh_key=key)
    assert [entry.kind for entry in case.entries("seal")] == []


def test_trusted_files(case: Case, tmp_path: Path) -> None:
    sealed = seal_case(case)
    for text, code in (
        (sealed.public, 0),
        (f"{sealed.public} a comment", 0),
        (f"# words\n\na@b.test {sealed.public}", 0),
        (f'a@b.test,c@d.test namespaces="git,{signing.NAMESPACE}" {sealed.public}', 0),
    ):
        (tmp_path / "trusted").write_text(text + "\n")
        assert verify_case(case, trusted=[tmp_path / "trusted"]).exit_code == code, text
    for text in ("", "words", f'a@b.test namespaces="git" {sealed.public}', f"* cert-authority {sealed.public}"):
        (tmp_path / "trusted").write_text(text + "\n")
        with pytest.raises(ConfigurationError, match="names no public key"):
            verify_case(case, trusted=[tmp_path / "trusted"])
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    line = other.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    (tmp_path / "trusted").write_bytes(line)
    proof = verify_case(case, trusted=[tmp_path / "trusted"])
    assert proof.exit_code == 5
    assert proof.disagreements[0].words == "there is no good seal of a signer that was named"


@pytest.mark.parametrize("kind", ["ed25519", "ssh"])
def test_no_changed_signature_key_or_message_is_good(tmp_path: Path, kind: str) -> None:
    message = b"a message"
    if kind == "ssh":
        signed = signing.sign_with_ssh(ssh_key(tmp_path), message)
    else:
        signed = signing.sign(tmp_path / "own", message)
    assert signing.verify(kind, signed.public, message, signed.signature) == ""
    assert signing.verify(kind, signed.public, message + b".", signed.signature) != ""
    for place in range(len(signed.signature)):
        changed = bytearray(signed.signature)
        changed[place] ^= 1
        assert signing.verify(kind, signed.public, message, bytes(changed)) != "", place
        assert signing.verify(kind, signed.public, message, signed.signature[:place]) != "", place
    for public in ("", "ssh-ed25519", "ssh-ed25519 AAAA", signed.public[:-4], "ssh-rsa " + signed.public.split()[1]):
        if kind == "ed25519" and public.startswith("ssh-rsa"):
            continue
        assert signing.verify(kind, public, message, signed.signature) != "" or public.startswith("ssh-rsa"), public
    assert signing.verify("other", signed.public, message, signed.signature) != ""


def hardware(kind: str, message: bytes, *, touched: bool = True) -> tuple[str, bytes]:
    """What a FIDO key would sign, in the published form: its public key, and the signature."""
    application = b"ssh:"
    name = f"sk-{kind}@openssh.com".encode()
    if kind == "ssh-ed25519":
        edwards = ed25519.Ed25519PrivateKey.generate()
        public = signing._encoded(name, edwards.public_key().public_bytes_raw(), application)
    else:
        curve = ec.generate_private_key(ec.SECP256R1())
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        public = signing._encoded(name, b"nistp256", curve.public_key().public_bytes(*form), application)
    hashed = hashlib.sha512(message).digest()
    wrapped = b"SSHSIG" + signing._encoded(signing.NAMESPACE.encode(), b"", b"sha512", hashed)
    flags = bytes([touched, 0, 0, 0, 9])
    signed = hashlib.sha256(application).digest() + flags + hashlib.sha256(wrapped).digest()
    if kind == "ssh-ed25519":
        inner = edwards.sign(signed)
    else:
        pair = decode_dss_signature(curve.sign(signed, ec.ECDSA(hashes.SHA256())))
        inner = signing._encoded(*(number.to_bytes(33, "big") for number in pair))
    signature = signing._encoded(name, inner) + flags
    blob = b"SSHSIG\x00\x00\x00\x01" + signing._encoded(public, signing.NAMESPACE.encode(), b"", b"sha512", signature)
    return f"{name.decode()} {base64.b64encode(public).decode()}", blob


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_a_hardware_key_in_its_published_form_and_ssh_keygen_says_the_same(tmp_path: Path, kind: str) -> None:
    message = b"a message"
    public, blob = hardware(kind, message)
    assert signing.verify("ssh", public, message, blob) == ""
    assert signing.verify("ssh", public, message + b".", blob) != ""
    assert signing.verify("ssh", *hardware(kind, message, touched=False)[:1], message, blob) != ""
    untouched = hardware(kind, message, touched=False)
    assert signing.verify("ssh", untouched[0], message, untouched[1]) == "nobody touched the hardware key"
    (tmp_path / "sig").write_text(
        f"-----BEGIN SSH SIGNATURE-----\n{base64.encodebytes(blob).decode()}-----END SSH SIGNATURE-----\n"
    )
    (tmp_path / "allowed").write_text(f"dev@example.test {public}\n")
    words = ["-f", "allowed", "-I", "dev@example.test", "-n", signing.NAMESPACE, "-s", "sig"]
    done = subprocess.run([ssh_keygen(), "-Y", "verify", *words], input=message, cwd=tmp_path, check=False)
    assert done.returncode == 0


def certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOON)
        .not_valid_after(NOON + datetime.timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name("dev@example.test")]), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def bundle(statement: bytes, *, envelope: bool, key: ec.EllipticCurvePrivateKey | None = None) -> dict[str, Any]:
    """A bundle in the published form 0.3, signed by a certificate of our own: no log entry, no authority."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    raw = base64.b64encode(certificate(key)).decode()
    document: dict[str, Any] = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": {"rawBytes": raw}, "tlogEntries": []},
    }
    if envelope:
        signature = key.sign(seals.encoded(seals.PAYLOAD, statement), ec.ECDSA(hashes.SHA256()))
        document["dsseEnvelope"] = {
            "payload": base64.b64encode(statement).decode(),
            "payloadType": seals.PAYLOAD,
            "signatures": [{"sig": base64.b64encode(signature).decode()}],
        }
    else:
        signature = key.sign(statement, ec.ECDSA(hashes.SHA256()))
        document["messageSignature"] = {"signature": base64.b64encode(signature).decode()}
    return document


@pytest.mark.parametrize("envelope", [True, False])
def test_a_bundle_of_sigstore_is_taken_in_and_never_called_proven(case: Case, tmp_path: Path, envelope: bool) -> None:
    statement = case_statement(case)
    (tmp_path / "statement").write_bytes(statement)
    (tmp_path / "bundle").write_text(json.dumps(bundle(statement, envelope=envelope)))
    if not envelope:
        with pytest.raises(UsageError, match="--statement FILE"):
            attach_bundle(case, tmp_path / "bundle")
    case.append("note", {"text": "between the statement and the bundle"})
    taken = attach_bundle(case, tmp_path / "bundle", tmp_path / "statement")
    assert (taken.covers, taken.signer, case.sealed) == (4, "dev@example.test", True)
    proof = verify_case(case)
    assert (proof.exit_code, proof.seals[0].signature, proof.seals[0].trusted) == (4, "good", False)
    assert "ask cosign" in proof.not_verified[0]


def test_bundles_that_are_not_about_this_case_are_refused(case: Case, tmp_path: Path) -> None:
    statement = case_statement(case)
    wrong = bundle(statement, envelope=True)
    wrong["dsseEnvelope"]["payload"] = base64.b64encode(statement.replace(b"report/2", b"report/3")).decode()
    other = statement.replace(case.id.encode(), b"0" * 32)
    fewer = json.loads(statement)
    fewer["subject"].pop()
    for document, words in (
        ({}, "neither an envelope nor a signature"),
        ([], "is no bundle of Sigstore"),
        (wrong, "not the certificate's"),
        (bundle(b"{}", envelope=True), "no in-toto statement"),
        (bundle(other, envelope=True), "about another case"),
        (bundle(json.dumps(fewer).encode(), envelope=True), "other reports or evidence"),
        ({**bundle(statement, envelope=True), "verificationMaterial": {}}, "no certificate"),
    ):
        (tmp_path / "bundle").write_text(json.dumps(document))
        with pytest.raises(CaseError, match=words):
            attach_bundle(case, tmp_path / "bundle")
    (tmp_path / "bundle").write_text("words")
    with pytest.raises(CaseError, match="is no JSON"):
        attach_bundle(case, tmp_path / "bundle")
    assert list(case.entries("seal")) == []

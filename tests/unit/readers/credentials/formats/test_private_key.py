"""Private keys that ssh-keygen and openssl make."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Secret
from pratique.readers.credentials.formats import private_key, ssh_certificate
from pratique.readers.credentials.table import table

ROW = table().row("ssh-private")
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def facts(content: bytes) -> list[object]:
    return list(private_key.read(content, ROW, lambda _class, _secret: None))


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def make(folder: Path, *options: str, passphrase: str = "") -> Path:
    path = folder / "key"
    run("ssh-keygen", "-q", "-f", str(path), "-N", passphrase, "-C", "dev@laptop", *options)
    return path


@needs_ssh
@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_a_key_of_ssh_keygen(tmp_path: Path, kind: str, passphrase: str) -> None:
    path = make(tmp_path, "-t", kind, passphrase=passphrase)
    printed = run("ssh-keygen", "-l", "-f", f"{path}.pub").split()[1]
    (fact,) = facts(path.read_bytes())
    assert isinstance(fact, CredentialFact)
    identity = dict(fact.identity)
    assert identity["fingerprint"] == printed
    assert fact.protection == ("passphrase" if passphrase else "plaintext")
    assert identity.get("comment") == (None if passphrase else "dev@laptop")


@needs_ssh
@pytest.mark.parametrize(("form", "protection"), [("PEM", "plaintext"), ("PKCS8", "plaintext")])
def test_a_key_in_other_forms(tmp_path: Path, form: str, protection: str) -> None:
    path = make(tmp_path, "-t", "rsa", "-b", "2048", "-m", form)
    (fact,) = facts(path.read_bytes())
    assert isinstance(fact, CredentialFact)
    assert fact.protection == protection
    if form == "PEM":
        assert dict(fact.identity)["fingerprint"] == run("ssh-keygen", "-l", "-f", f"{path}.pub").split()[1]


@needs_ssh
@pytest.mark.parametrize("form", ["PEM", "PKCS8"])
def test_a_passphrase_in_other_forms(tmp_path: Path, form: str) -> None:
    path = make(tmp_path, "-t", "rsa", "-b", "2048", "-m", form, passphrase="correct horse")
    (fact,) = facts(path.read_bytes())
    assert isinstance(fact, CredentialFact)
    assert fact.protection == "passphrase"


@needs_ssh
def test_a_key_cut_anywhere_is_told_or_refused(tmp_path: Path) -> None:
    whole = make(tmp_path, "-t", "ed25519").read_bytes()
    for size in range(len(whole) - 30):
        found = facts(whole[:size])
        assert found[-1:] in ([], ["half understood"], ["not understood"])
        assert bool(found) == (b"PRIVATE KEY-----" in whole[:size])


@needs_ssh
def test_a_key_with_windows_line_ends_and_in_one_variable(tmp_path: Path) -> None:
    whole = make(tmp_path, "-t", "ed25519").read_bytes()
    for spelled in (whole.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + whole, whole.decode().encode("utf-16")):
        (fact,) = facts(spelled)
        assert isinstance(fact, CredentialFact)
        assert dict(fact.identity)["type"] == "ssh-ed25519"


@needs_ssh
def test_a_certificate_of_ssh_keygen(tmp_path: Path) -> None:
    path = make(tmp_path, "-t", "ed25519")
    (tmp_path / "ca").mkdir()
    authority = make(tmp_path / "ca", "-t", "ed25519")
    run(
        "ssh-keygen",
        "-q",
        "-s",
        str(authority),
        "-I",
        "dev",
        "-n",
        "deploy,root",
        "-V",
        "+1d",
        "-z",
        "42",
        f"{path}.pub",
    )
    content = (tmp_path / "key-cert.pub").read_bytes()
    row = table().row("ssh-certificate")
    (fact,) = ssh_certificate.read(content, row, lambda _class, _secret: None)
    assert isinstance(fact, CredentialFact)
    assert dict(fact.identity) == {"type": "ssh-ed25519", "serial": "42", "key id": "dev", "for": "user"}
    assert fact.scopes == ("deploy", "root")
    assert fact.expires is not None
    for size in range(0, 400, 7):
        list(ssh_certificate.read(content[:size], row, lambda _class, _secret: None))


def test_a_key_of_putty() -> None:
    content = (
        b"PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: aes256-cbc\r\nComment: dev\r\nPublic-Lines: 1\r\nQUJD\r\n"
        b"Private-Lines: 1\r\nQUJDREVG\r\nPrivate-MAC: 00\r\n"
    )
    (fact,) = facts(content)
    assert isinstance(fact, CredentialFact)
    assert fact.protection == "passphrase"
    assert dict(fact.identity)["comment"] == "dev"
    (fact,) = facts(content.replace(b"aes256-cbc", b"none"))
    assert isinstance(fact, CredentialFact)
    assert fact.protection == "plaintext"


def test_other_files_are_no_keys() -> None:
    assert facts(b"ssh-ed25519 AAAA dev@laptop\n") == []
    assert facts(b"") == []
    assert facts(bytes(range(256))) == []


def test_a_fingerprint_is_of_the_whole_key() -> None:
    seen: list[int] = []

    def mark(_class: str, secret: Secret) -> str:
        seen.append(secret.use(len))
        return "1" * 20

    body = "QUJD" * 40
    mark_word = "RSA PRIVATE KEY"
    content = f"-----BEGIN {mark_word}-----\n{body}\n-----END {mark_word}-----\n".encode()
    (fact,) = private_key.read(content, ROW, mark)
    assert isinstance(fact, CredentialFact)
    assert fact.fingerprint == "1" * 20
    assert seen == [len(body)]
    (fact,) = private_key.read(content, msgspec.structs.replace(ROW, guessable=True), mark)
    assert isinstance(fact, CredentialFact)
    assert fact.fingerprint is None

"""Signatures: with an Ed25519 key of our own, with a key of SSH through ssh-keygen; and whether one is good.

ssh-keygen is started by its absolute path, to sign and for nothing else: it asks for the passphrase, and asks the agent
or the hardware key. A signature is checked here, without any program.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from pratique.adapters import machine
from pratique.adapters.naming import name_once
from pratique.model.errors import CaseError, ConfigurationError, UsageError

NAMESPACE = "pratique-case"
"""The namespace of a signature of SSH: one made for another purpose is no seal."""
PATIENCE = 300.0
"""So many seconds ssh-keygen may take: a person types a passphrase or touches a key."""
_KEY_TYPE = re.compile(r"(?:ssh|ecdsa|sk)-[\w@.-]+")
_ARMOUR = re.compile(rb"-----BEGIN SSH SIGNATURE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END SSH SIGNATURE-----")


class Signed(msgspec.Struct, frozen=True):
    """A signature and who made it."""

    kind: str
    public: str
    """The public key, as OpenSSH writes it, without a comment."""
    signature: bytes

    @property
    def keyid(self) -> str:
        """The fingerprint of the key."""
        return fingerprint(self.public)


def fingerprint(public: str) -> str:
    """The fingerprint of a public key, as OpenSSH writes it."""
    digest = hashlib.sha256(_blob(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _blob(public: str) -> bytes:
    words = public.split()
    try:
        return base64.b64decode(words[1], validate=True) if len(words) > 1 else b""
    except (binascii.Error, ValueError):
        return b""


def own_key(path: Path) -> tuple[Any, str, bool]:
    """Our own Ed25519 key, its public half, and whether it was made now. Raises CaseError.

    It is written in OpenSSH's form, readable for this user alone, its public half beside it.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise UsageError(
            "a seal needs the package cryptography, which is not installed", advice="Run: pip install 'pratique[case]'"
        ) from None
    made = not path.exists()
    try:
        if made:
            fresh = Ed25519PrivateKey.generate()
            private = fresh.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
            )
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_private(path, private)
            with contextlib.suppress(OSError):
                path.with_name(f"{path.name}.pub").write_text(f"{_public(fresh.public_key())}\n", encoding="ascii")
        data = path.read_bytes()
    except OSError as error:
        raise CaseError(f"the signing key cannot be written or read: {error.strerror}", where=str(path)) from None
    try:
        key = serialization.load_ssh_private_key(data, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise CaseError(
            "is no Ed25519 key without a passphrase", where=str(path), advice="Sign with a key of SSH: --ssh-key FILE"
        )
    return key, _public(key.public_key()), made


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that this user alone may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        name_once(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _public(key: Any) -> str:
    from cryptography.hazmat.primitives import serialization

    line: bytes = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return line.decode()


def public_of(path: Path) -> str | None:
    """The public half of our own key, None where there is none."""
    if not path.exists():
        return None
    try:
        return own_key(path)[1]
    except (CaseError, UsageError):
        return None


def sign(path: Path, message: bytes) -> Signed:
    """Sign with our own key; it is made where there is none. Raises CaseError."""
    key, public, _ = own_key(path)
    return Signed("ed25519", public, key.sign(message))


def sign_with_ssh(path: Path, message: bytes) -> Signed:
    """Sign with a key of SSH: a private key's file, or a public one whose private half an agent holds.

    Raises CaseError where ssh-keygen does not sign.
    """
    program = machine.ssh_keygen()
    if program is None:
        raise CaseError(
            "ssh-keygen is not installed here", advice="Seal without --ssh-key: with a key of pratique's own"
        )
    if not path.is_file():
        raise CaseError("does not exist", where=f"--ssh-key {path}", advice="Name a key of SSH")
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    environment |= {name: os.environ[name] for name in ("HOME", "SSH_AUTH_SOCK", "SSH_TTY") if name in os.environ}
    command = [program, "-Y", "sign", "-n", NAMESPACE, "-f", str(path.absolute())]
    try:
        done = subprocess.run(  # noqa: S603 (ssh-keygen alone, by absolute path)
            command, input=message, capture_output=True, check=False, timeout=PATIENCE, env=environment, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise CaseError(f"ssh-keygen did not sign within {PATIENCE:.0f} seconds", where=f"--ssh-key {path}") from None
    found = _ARMOUR.search(done.stdout)
    if done.returncode != 0 or found is None:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CaseError(
            f"ssh-keygen did not sign: {said[-1][:200] if said else f'status {done.returncode}'}",
            where=f"--ssh-key {path}",
            advice="Add the key to your agent with ssh-add, or run this where its passphrase can be typed",
        )
    blob = base64.b64decode(found[1])
    signature = _SshSignature.parsed(blob)
    if signature is None:
        raise CaseError("ssh-keygen gave something that is no signature", where=f"--ssh-key {path}")
    public = f"{_string(signature.public)[0].decode('ascii', 'replace')} {base64.b64encode(signature.public).decode()}"
    signed = Signed("ssh", public, blob)
    wrong = verify("ssh", public, message, blob)
    if wrong:
        raise CaseError(f"the signature of ssh-keygen does not hold: {wrong}", where=f"--ssh-key {path}")
    return signed


def verify(kind: str, public: str, message: bytes, signature: bytes) -> str:
    """Why a signature is not good; empty where it is. Nothing is started."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        if kind == "ssh":
            return _verify_ssh(public, message, signature)
        if kind == "ed25519":
            return _verified(_blob(public), b"ssh-ed25519", message, signature)
    except (ValueError, TypeError, struct.error, IndexError, KeyError, UnsupportedAlgorithm):
        return "its key or signature is malformed"
    return f"signatures of kind {kind[:40]} are not known"


class _SshSignature(msgspec.Struct, frozen=True):
    """The parts of a signature of SSH (PROTOCOL.sshsig)."""

    public: bytes
    namespace: bytes
    reserved: bytes
    algorithm: bytes
    signature: bytes

    @classmethod
    def parsed(cls, blob: bytes) -> _SshSignature | None:
        """The parts of a blob; None where it is no such signature."""
        if blob[:10] != b"SSHSIG\x00\x00\x00\x01":
            return None
        parts, rest = [], blob[10:]
        try:
            for _ in range(5):
                part, rest = _string(rest)
                parts.append(part)
        except struct.error:
            return None
        return cls(*parts) if not rest else None


def _string(data: bytes) -> tuple[bytes, bytes]:
    """The first string of SSH's encoding, and the rest. Raises struct.error."""
    (size,) = struct.unpack(">I", data[:4])
    if len(data) < 4 + size:
        raise struct.error("cut off")
    return data[4 : 4 + size], data[4 + size :]


def _encoded(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _verify_ssh(public: str, message: bytes, blob: bytes) -> str:
    signature = _SshSignature.parsed(blob)
    if signature is None:
        return "it is no signature of SSH"
    if signature.public != _blob(public):
        return "it was made with another key than the entry says"
    if signature.namespace != NAMESPACE.encode():
        return "it was made for another purpose"
    if signature.algorithm not in (b"sha256", b"sha512"):
        return "its digest is of an unknown kind"
    digest = hashlib.new(signature.algorithm.decode(), message).digest()
    signed = b"SSHSIG" + _encoded(signature.namespace, signature.reserved, signature.algorithm, digest)
    kind, rest = _string(signature.signature)
    inner, rest = _string(rest)
    if kind in (b"sk-ssh-ed25519@openssh.com", b"sk-ecdsa-sha2-nistp256@openssh.com"):
        if len(rest) != 5:
            return "it is malformed"
        name, after = _string(signature.public)
        if name.startswith(b"sk-ecdsa"):
            _, after = _string(after)
        _, after = _string(after)
        application, _ = _string(after)
        if not rest[0] & 1:
            return "nobody touched the hardware key"
        signed = hashlib.sha256(application).digest() + rest + hashlib.sha256(signed).digest()
    elif rest:
        return "it is malformed"
    return _verified(signature.public, kind, signed, inner)


def _verified(blob: bytes, kind: bytes, message: bytes, signature: bytes) -> str:
    """Whether a bare signature under a public key of SSH is good."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    name, rest = _string(blob)
    key: Any
    if name == b"sk-ssh-ed25519@openssh.com":
        key = ed25519.Ed25519PublicKey.from_public_bytes(_string(rest)[0])
    elif name == b"sk-ecdsa-sha2-nistp256@openssh.com":
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _string(_string(rest)[1])[0])
    else:
        key = load_ssh_public_key(name + b" " + base64.b64encode(blob))
    try:
        if isinstance(key, ed25519.Ed25519PublicKey) and kind in (b"ssh-ed25519", b"sk-ssh-ed25519@openssh.com"):
            key.verify(signature, message)
        elif isinstance(key, rsa.RSAPublicKey) and kind in (b"rsa-sha2-256", b"rsa-sha2-512"):
            chosen = hashes.SHA256() if kind.endswith(b"256") else hashes.SHA512()
            key.verify(signature, message, padding.PKCS1v15(), chosen)
        elif isinstance(key, ec.EllipticCurvePublicKey) and kind == name:
            first, after = _string(signature)
            second, _ = _string(after)
            pair = utils.encode_dss_signature(int.from_bytes(first, "big"), int.from_bytes(second, "big"))
            hashed = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[key.curve.key_size]
            key.verify(pair, message, ec.ECDSA(hashed))
        else:
            return "its kind does not fit its key"
    except InvalidSignature:
        return "the signature is not the key's over these bytes"
    return ""


def verify_with_certificate(certificate: bytes, message: bytes, signature: bytes) -> tuple[str, str]:
    """Why a signature under an X.509 certificate (DER) is not good, empty where it is; and whom the certificate names.

    The certificate itself is not checked.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    try:
        found = x509.load_der_x509_certificate(certificate)
        key = found.public_key()
    except (ValueError, TypeError):
        return "its certificate is malformed", ""
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        who = ", ".join(str(name.value) for name in names)[:200]
    except (x509.ExtensionNotFound, ValueError):
        who = ""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            hashed = {256: hashes.SHA256(), 384: hashes.SHA384()}.get(key.curve.key_size, hashes.SHA512())
            key.verify(signature, message, ec.ECDSA(hashed))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            return "its key is of a kind that is not known", who
    except InvalidSignature:
        return "the signature is not the certificate's over these bytes", who
    return "", who


def trusted(path: Path) -> tuple[frozenset[bytes], list[str]]:
    """The public keys that a file names, and a note for each line that is not used.

    Public keys as OpenSSH writes them, or an allowed signers file. Raises ConfigurationError where there is no key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8"
        raise ConfigurationError(f"cannot be read: {reason}", where=str(path)) from None
    found: set[bytes] = set()
    notes = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.split()
        at = next((i for i, word in enumerate(words) if _KEY_TYPE.fullmatch(word) and i + 1 < len(words)), None)
        blob = _blob(" ".join(words[at : at + 2])) if at is not None else b""
        options = " ".join(words[1:at]) if at else ""
        if not blob:
            notes.append(f"{path}, line {number}: names no key")
        elif "cert-authority" in options or "valid-" in options:
            notes.append(f"{path}, line {number}: not used, certificates and validity are not understood")
        elif (spaces := re.search(r'namespaces="?([^"\s]*)', options)) and NAMESPACE not in spaces[1].split(","):
            notes.append(f"{path}, line {number}: not used, it is for other namespaces than {NAMESPACE}")
        else:
            found.add(blob)
    if not found:
        raise ConfigurationError(
            "names no public key that can be used",
            where=str(path),
            advice="Name a .pub file, or an allowed signers file with a line for the namespace " + NAMESPACE,
        )
    return frozenset(found), notes


def is_trusted(public: str, keys: frozenset[bytes]) -> bool:
    """Whether a public key is among those."""
    return _blob(public) in keys and _blob(public) != b""

"""A certificate authority that lives for one run: it signs a certificate for each name that a suspect asks for by TLS.

By the package `cryptography` where it is installed, else by the program openssl; where there is neither, TLS is
recorded by the name that it asks for and gets no answer.
"""

from __future__ import annotations

import datetime
import importlib.util
import ipaddress
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Literal

from pratique.model.detonation import Authority

_NAME = "Harbour Root R1"
_DAYS = 30
_MOST = 500
_SECONDS = 20


def means() -> Literal["cryptography", "openssl", ""]:
    """What can sign here; empty where nothing can."""
    if importlib.util.find_spec("cryptography") is not None:
        return "cryptography"
    return "openssl" if shutil.which("openssl") else ""


def make() -> Authority | None:
    """A new authority; None where nothing can sign here."""
    found = means()
    if found == "cryptography":
        return _by_package()
    if found == "openssl":
        with tempfile.TemporaryDirectory(prefix="pratique-authority-") as folder:
            key, certificate = Path(folder, "key"), Path(folder, "certificate")
            extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
            _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
            _openssl("req", "-x509", "-new", "-key", str(key), "-subj", f"/CN={_NAME}", "-days", str(_DAYS),
                     *extensions, "-out", str(certificate))  # fmt: skip
            return Authority(certificate.read_bytes(), key.read_bytes(), "openssl")
    return None


def _openssl(*arguments: str) -> None:
    program = shutil.which("openssl")
    assert program is not None
    subprocess.run([program, *arguments], check=True, capture_output=True, timeout=_SECONDS)  # noqa: S603  our own words


def _by_package() -> Authority:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Authority(certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(*form), "cryptography")


class Signer:
    """Contexts of TLS servers by the name that is asked for. `folder` holds keys and certificates, for this process."""

    def __init__(self, authority: Authority, folder: str) -> None:
        self.authority = authority
        self.folder = folder
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def context(self, name: str) -> ssl.SSLContext:
        """A server's context for a name or address. Raises OSError, ValueError, where none can be made for it."""
        with self._lock:
            found = self._contexts.get(name)
            if found is None:
                if len(self._contexts) >= _MOST:
                    raise OSError("more names than certificates are made for")
                found = self._contexts[name] = self._made(name, len(self._contexts))
            return found

    def server(self, address: str) -> ssl.SSLContext:
        """A server's context that takes the certificate of the name that is asked for, else of its address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])

        def named(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> int | None:
            try:
                connection.context = self.context(name or address)
            except (OSError, ValueError, subprocess.SubprocessError):
                return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
            return None

        context.sni_callback = named
        return context

    def _made(self, name: str, number: int) -> ssl.SSLContext:
        path = os.path.join(self.folder, f"{number}.pem")
        if self.authority.means == "cryptography":
            content = self._signed_by_package(name)
        else:
            content = self._signed_by_program(name, number)
        Path(path).write_bytes(content)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(path)
        return context

    def _signed_by_package(self, name: str) -> bytes:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        authority = x509.load_pem_x509_certificate(self.authority.certificate)
        signs = serialization.load_pem_private_key(self.authority.key, None)
        assert isinstance(signs, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        other: x509.GeneralName
        try:
            other = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            other = x509.DNSName(name)
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]))
            .issuer_name(authority.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=_DAYS))
            .add_extension(x509.SubjectAlternativeName([other]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signs.public_key()), critical=False)
            .sign(signs, hashes.SHA256())
        )
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM)

    def _signed_by_program(self, name: str, number: int) -> bytes:
        try:
            other = f"IP:{ipaddress.ip_address(name)}"
        except ValueError:
            if not name.replace("-", "").replace(".", "").replace("_", "").isalnum():
                raise
            other = f"DNS:{name}"
        folder = Path(self.folder)
        key, asked, made, extra = (folder / f"{number}.{end}" for end in ("key", "csr", "crt", "ext"))
        (folder / "authority.pem").write_bytes(self.authority.certificate)
        (folder / "authority.key").write_bytes(self.authority.key)
        extra.write_text(f"subjectAltName={other}\n", "utf-8")
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
        _openssl("req", "-new", "-key", str(key), "-subj", f"/CN={name[:64]}", "-out", str(asked))
        _openssl("x509", "-req", "-in", str(asked), "-CA", str(folder / "authority.pem"), "-CAkey",
                 str(folder / "authority.key"), "-set_serial", str(1000 + number), "-days", str(_DAYS),
                 "-extfile", str(extra), "-out", str(made))  # fmt: skip
        return key.read_bytes() + made.read_bytes()

"""Certificates: for whom, and until when. Read where the library `cryptography` is installed, else left out."""

from __future__ import annotations

_MOST = 262_144


def certified(data: bytes) -> tuple[str | None, str | None]:
    """Subject and end of the first certificate in PEM or DER; nothing where it cannot be read."""
    if not data or len(data) > _MOST:
        return None, None
    try:
        from cryptography import x509
    except ImportError:
        return None, None
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            certificate = (
                x509.load_pem_x509_certificate(data) if b"-----BEGIN" in data else x509.load_der_x509_certificate(data)
            )
            subject = certificate.subject.rfc4514_string()
            end = certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    except Exception:  # noqa: BLE001 (a library in another language: whatever it finds wrong, nothing is told)
        return None, None
    return subject or None, end

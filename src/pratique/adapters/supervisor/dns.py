"""The name that a DNS query asks for (RFC 1035, section 4)."""

from __future__ import annotations

PORT = 53
_HEADER = 12


def question(message: bytes) -> str:
    """The name in the first question of a query; empty where it is none. Bytes beyond ASCII are escaped."""
    if len(message) < _HEADER + 5 or message[2] & 0x80 or not int.from_bytes(message[4:6], "big"):
        return ""
    labels: list[str] = []
    at = _HEADER
    while at < len(message):
        length = message[at]
        if not length:
            return ".".join(labels)
        if length > 63 or at + 1 + length > len(message):
            return ""
        labels.append(message[at + 1 : at + 1 + length].decode("ascii", "backslashreplace"))
        at += 1 + length
    return ""

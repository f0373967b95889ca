"""Answers of a name server that knows every name: one address of 198.18.0.0/15 a name (RFC 1035, RFC 2544)."""

from __future__ import annotations

import ipaddress
import threading

from pratique.adapters.supervisor.dns import question

_FIRST, _MOST = int(ipaddress.IPv4Address("198.18.0.10")), 100_000
KINDS = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 65: "HTTPS"}
_LIVES = 60


class Names:
    """The names that were asked for, with the addresses given out for them."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    def address(self, name: str) -> str:
        """The address of a name, the same each time."""
        key = name.rstrip(".").lower()
        with self._lock:
            found = self._addresses.get(key)
            if found is None:
                number = _FIRST + min(len(self._addresses), _MOST)
                found = self._addresses[key] = str(ipaddress.IPv4Address(number))
                self._names.setdefault(found, key)
            return found

    def name(self, address: str) -> str:
        """The name that an address was given out for; empty where none was."""
        return self._names.get(address, "")


def answer(query: bytes, names: Names) -> tuple[bytes, str, str, str]:
    """The answer to a query with the name, kind and address that it is about; all empty where it is no query.

    A gets an address, TXT a short text, PTR the name of an address; anything else an empty answer without error.
    """
    name = question(query)
    if not name:
        return b"", "", "", ""
    end = 12
    while end < len(query) and query[end]:
        end += 1 + query[end]
    asked = query[12 : end + 5]
    kind = int.from_bytes(query[end + 1 : end + 3], "big")
    record, address = b"", ""
    if kind == 1:
        address = names.address(name)
        record = ipaddress.IPv4Address(address).packed
    elif kind == 16:
        record = b"\x02ok"
    elif kind == 12 and name.lower().endswith(".in-addr.arpa"):
        known = names.name(".".join(reversed(name.lower().removesuffix(".in-addr.arpa").split("."))))
        record = b"".join(bytes((len(part),)) + part for part in known.encode().split(b".")) + b"\0" if known else b""
    flags = (0x8180 | (query[2] & 0x01) << 8).to_bytes(2, "big")
    body = query[:2] + flags + b"\0\1" + (b"\0\1" if record else b"\0\0") + b"\0\0\0\0" + asked
    if record:
        body += b"\xc0\x0c" + asked[-4:] + _LIVES.to_bytes(4, "big") + len(record).to_bytes(2, "big") + record
    return body, name, KINDS.get(kind, str(kind)), address

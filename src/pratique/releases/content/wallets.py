"""Addresses of wallets, held to their checksums, and counted by currency."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.release import Fact, SourceFile
from pratique.releases.content.checksums import base58, base58check, bech32, cash_address, mixed_case, monero
from pratique.releases.content.excerpts import printable
from pratique.releases.content.runs import long_lines

_FORM = re.compile(
    rb"[13LMT][1-9A-HJ-NP-Za-km-z]{32,34}|0x[0-9A-Fa-f]{40}|(?:bc|ltc)1[02-9ac-hj-np-z]{38,60}"
    rb"|[qp][02-9ac-hj-np-z]{41}|[48][1-9A-HJ-NP-Za-km-z]{94}|[1-9A-HJ-NP-Za-km-z]{43,44}"
)
_BEFORE = (b'"', b"'", b"`", b",", b"|", b";", b"=", b":", b"")
_AFTER = (b'"', b"'", b"`", b",", b"|", b";", b"&", b" ", b"\n", b"\r", b"")
_SHORTEST = 33
_LONGEST = 96
_TO_RUNS = bytes(97 if chr(byte).isalnum() and byte < 128 else 10 for byte in range(256))
MOST = 4096
"""The texts of a file that are held to a checksum."""
_VERSIONS = {0x00: "BTC", 0x05: "BTC", 0x30: "LTC", 0x32: "LTC", 0x41: "TRX"}
"""Version bytes of base58check; 0x05 is also Litecoin's older one."""
_SEVERAL = 3
"""How many addresses without a checksum must stand in one file: a constant looks like one of them."""
_NOBODY = re.compile(r"0x(?:0{30,}|(.)\1{39}|e{6,})", re.IGNORECASE)


def wallets(file: SourceFile) -> Iterator[Fact]:
    """One fact for each currency whose addresses stand in a file, with the number of distinct ones.

    Bitcoin, Litecoin and Tron by base58check or bech32, Bitcoin Cash by its own sum, Monero by Keccak, Ethereum by the
    case of its letters (EIP-55). Addresses without a checksum (Ethereum in one case, Solana) count from three on.
    Bitcoin's of fewer than 33 signs, one in a thousand, are left out.
    """
    content = file.content
    found: dict[str, dict[str, int]] = {}
    held = 0
    for at, length in long_lines(content.translate(_TO_RUNS), _SHORTEST):
        end = at + length
        if length > _LONGEST or content[end : end + 1] not in _AFTER or content[max(at - 1, 0) : at] not in _BEFORE:
            continue
        if not _FORM.fullmatch(content, at, end):
            continue
        held += 1
        if held > MOST:
            break
        text = content[at:end].decode("ascii")
        currency = currency_of(text)
        if currency:
            found.setdefault(currency, {}).setdefault(text, at)
    for currency, places in sorted(found.items()):
        name = currency.removesuffix("?")
        if currency != name and (len(places) < _SEVERAL or name in found):
            continue
        total = len(places) + (len(found.get(name + "?", ())) if currency == name else 0)
        first, at = min(places.items(), key=lambda place: place[1])
        yield Fact(
            "content.wallet",
            file.path,
            content.count(b"\n", 0, at) + 1,
            printable(first.encode()),
            file.sha256,
            attributes={"currency": name, "count": total, "checked": currency == name},
        )


def currency_of(text: str) -> str:
    """The currency of an address; with `?` where it carries no checksum; empty where it is no address."""
    if text.startswith("0x") and len(text) == 42:
        if _NOBODY.match(text):
            return ""
        digits = text[2:]
        if digits in (digits.lower(), digits.upper()):
            return "ETH?" if any(sign.isalpha() for sign in digits) else ""
        return "ETH" if mixed_case(digits) else ""
    if text.startswith(("bc1", "ltc1")):
        return {"bc": "BTC", "ltc": "LTC"}.get(bech32(text) or "", "")
    if len(text) == 42 and text[0] in "qp":
        return "BCH" if cash_address(text) else ""
    if len(text) == 95:
        return "XMR" if monero(text) else ""
    if len(text) in (43, 44):
        raw = base58(text)
        return "SOL?" if raw is not None and len(raw) == 32 and _is_mixed(text) else ""
    body = base58check(text)
    return _VERSIONS.get(body[0], "") if body is not None and len(body) == 21 else ""


def _is_mixed(text: str) -> bool:
    return any(map(str.isdigit, text)) and any(map(str.isupper, text)) and any(map(str.islower, text))

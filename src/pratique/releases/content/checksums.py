"""The checksums that addresses of wallets carry: base58check, bech32, that of cash addresses, and Keccak."""

from __future__ import annotations

import hashlib

_BASE58 = {sign: value for value, sign in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32 = {sign: value for value, sign in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_MASK = (1 << 64) - 1


def base58(text: str) -> bytes | None:
    """The bytes of base58 with Bitcoin's alphabet; None where a sign is none of it."""
    number = 0
    for sign in text:
        value = _BASE58.get(sign)
        if value is None:
            return None
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58check(text: str) -> bytes | None:
    """The version byte and payload of base58check; None where the checksum is wrong."""
    raw = base58(text)
    if raw is None or len(raw) < 5:
        return None
    body, check = raw[:-4], raw[-4:]
    return body if hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == check else None


def bech32(text: str) -> str | None:
    """The prefix of a bech32 (BIP 173) or bech32m (BIP 350) text; None where the checksum is wrong."""
    if text != text.lower() and text != text.upper():
        return None
    prefix, one, rest = text.lower().rpartition("1")
    if not one or len(rest) < 6 or any(sign not in _BECH32 for sign in rest):
        return None
    values = [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]
    remainder = 1
    for value in [*values, *(_BECH32[sign] for sign in rest)]:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            remainder ^= generator if top >> at & 1 else 0
    return prefix if remainder in (1, 0x2BC830A3) else None


def cash_address(text: str, prefix: str = "bitcoincash") -> bool:
    """Whether a cash address (without its prefix) has the checksum that its specification asks for."""
    if any(sign not in _BECH32 for sign in text):
        return False
    remainder = 1
    for value in [*(ord(sign) & 31 for sign in prefix), 0, *(_BECH32[sign] for sign in text)]:
        top = remainder >> 35
        remainder = (remainder & 0x07FFFFFFFF) << 5 ^ value
        for at, generator in enumerate((0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)):
            remainder ^= generator if top >> at & 1 else 0
    return remainder == 1


def keccak256(content: bytes) -> bytes:
    """Keccak-256 as Ethereum and Monero use it: the padding of before the standard, so not `hashlib.sha3_256`."""
    rate = 136
    padded = bytearray(content + b"\x01")
    padded += b"\0" * (-len(padded) % rate)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for begin in range(0, len(padded), rate):
        for at in range(rate // 8):
            lanes[at] ^= int.from_bytes(padded[begin + 8 * at : begin + 8 * at + 8], "little")
        lanes = _keccak(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _turned(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK if by else value


def _keccak(lanes: list[int]) -> list[int]:
    """The permutation Keccak-f[1600] (FIPS 202, section 3), lanes as x + 5y."""
    state = 1
    for _ in range(24):
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        lanes = [lanes[at] ^ columns[(at - 1) % 5] ^ _turned(columns[(at + 1) % 5], 1) for at in range(25)]
        x, y, current = 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x + 5 * y] = lanes[x + 5 * y], _turned(current, (step + 1) * (step + 2) // 2 % 64)
        for row in range(0, 25, 5):
            old = lanes[row : row + 5]
            for at in range(5):
                lanes[row + at] = old[at] ^ (~old[(at + 1) % 5] & old[(at + 2) % 5] & _MASK)
        for power in range(7):
            state = (state << 1) ^ (0x171 if state >> 7 else 0)
            if state & 2:
                lanes[0] ^= 1 << ((1 << power) - 1)
    return lanes


def mixed_case(text: str) -> bool:
    """Whether the case of an Ethereum address (40 hexadecimal signs) is its checksum (EIP-55)."""
    digest = keccak256(text.lower().encode("ascii")).hex()
    return all(
        not sign.isalpha() or sign.isupper() == (int(nibble, 16) >= 8)
        for sign, nibble in zip(text, digest[: len(text)], strict=True)
    )


def monero(text: str) -> bool:
    """Whether 95 signs of Monero's base58 (blocks of eleven for eight bytes) end in their checksum."""
    raw = b""
    for at in range(0, len(text), 11):
        block = text[at : at + 11]
        size = {11: 8, 7: 5, 6: 4, 5: 3, 3: 2, 2: 1, 9: 6, 10: 7}.get(len(block))
        number = 0
        for sign in block:
            value = _BASE58.get(sign)
            if value is None:
                return False
            number = number * 58 + value
        if size is None or number >> (8 * size):
            return False
        raw += number.to_bytes(size, "big")
    return len(raw) > 4 and keccak256(raw[:-4])[:4] == raw[-4:]

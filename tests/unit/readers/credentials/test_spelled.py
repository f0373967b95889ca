"""What is shown is judged by what it means, however it is spelled."""

from __future__ import annotations

import pytest

from pratique.readers.credentials.held import public
from pratique.readers.credentials.material import shown
from pratique.readers.credentials.spelled import in_pieces, meant

TOKEN = "aB3dE5gH7jK9mN1pQ3sT5vW7xY9z"


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"%{ord(letter):02x}" for letter in TOKEN),
        "".join(f"%25{ord(letter):02x}" for letter in TOKEN),
        "".join(f"\\u{ord(letter):04x}" for letter in TOKEN),
        "".join(f"\\x{ord(letter):02x}" for letter in TOKEN),
        "".join(f"\\{ord(letter):03o}" for letter in TOKEN),
        "".join(f"&#{ord(letter)};" for letter in TOKEN),
        f"{TOKEN[:10]}%6D{TOKEN[11:]}",
        f"{TOKEN[:14]} {TOKEN[14:]}",
        f"{TOKEN[:14]}\\\n    {TOKEN[14:]}",
    ],
)
def test_a_token_that_is_spelled_in_another_way_is_not_shown(text: str) -> None:
    assert public(text) == "(not shown)"
    assert shown(text, loose=True) is None


def test_a_url_is_shown_without_a_token_in_its_path() -> None:
    assert public(f"https://h.example/{TOKEN}/simple/") == "https://h.example/(not shown)"
    assert public("https://h.example/%61%42" + TOKEN) == "https://h.example/(not shown)"
    assert public(f"https://{TOKEN.lower()}9abc.example/x") == "(not shown)"
    assert public("https://dev%3Apw%40h.example/x") == "(not shown)"
    assert public("https://dev:pw@h.example/org/a%20b?x#y") == "https://h.example/org/a%20b"


@pytest.mark.parametrize("text", ["My Company Production 2024", "dev@shop.example", "arn:aws:iam::123456789012:role/x"])
def test_a_name_is_shown(text: str) -> None:
    assert public(text) == shown(text, loose=True) == text
    assert not in_pieces(text)
    assert list(meant(text)) == []


def test_a_long_run_in_hexadecimal_is_no_id() -> None:
    assert shown(TOKEN.encode().hex(), loose=True) is None
    assert shown("0a1b2c3d4e5f60718293a4b5c6d7e8f9", loose=True) is not None

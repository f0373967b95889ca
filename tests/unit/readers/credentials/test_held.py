"""Values: what is material, what points elsewhere, what is nothing, and what may be told beside them."""

from __future__ import annotations

import pytest

from pratique.readers.credentials import held
from pratique.readers.credentials.contract import Row, Secret
from pratique.readers.credentials.judgement import judge, text_of

ROW = Row(id="x", provider="npm", tier=0, secret="npm-token", rotation="npm", paths=("$HOME/x",), format="ini")


def mark(_class: str, _secret: Secret) -> str:
    return "0" * 20


REFERENCES = """
${X}
${X?}
"${X}"
${X:-}
${X:-${Y}}
$TOKEN
%TOKEN%
%(token)s
{{ token }}
${{ secrets.T }}
op://vault/item/field
vault:secret/data/x#y
arn:aws:secretsmanager:eu-west-1:1:secret:x
$(pass npm)
"""


@pytest.mark.parametrize("value", REFERENCES.strip().splitlines())
def test_a_whole_reference_is_one(value: str) -> None:
    assert judge(value) == "reference"


@pytest.mark.parametrize(
    "value",
    ["", "  ", '""', "changeme", "<your-key>", "YOUR_API_KEY", "xxxxxxxx", "***", "example", "null", "your token here"],
)
def test_a_placeholder_is_nothing(value: str) -> None:
    assert judge(value) == "nothing"


@pytest.mark.parametrize(
    "value",
    ["a${X}", "${X}b", "${X:-fallback1}", "changeme2", "password", "hunter2", "npm_EXAMPLE1", "$ecret", "tr<x>ue", "0"],
)
def test_what_contains_one_is_material(value: str) -> None:
    assert judge(value) == "material"


def test_fingerprints_are_made_of_what_nobody_chose() -> None:
    def made(value: str, row: Row = ROW) -> str | None:
        fact = held.told("f", value, row, mark)
        assert fact is not None
        return fact.fingerprint

    assert made("npm_" + "a" * 36) == mark("", Secret(""))
    assert made("aB3" * 10) is not None
    assert made("0123456789abcdef" * 2) is not None
    assert made("correct horse battery staple") is None
    assert made("Summer2026!") is None
    import msgspec

    assert made("npm_" + "a" * 36, msgspec.structs.replace(ROW, guessable=True)) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://dev:pw1@h.example/x", [(("host", "h.example"), ("user", "dev"))]),
        ("https://tokenvalue@h.example:8443", [(("host", "h.example:8443"),)]),
        ("https://tokenvalue:x-oauth-basic@h.example", [(("host", "h.example"),)]),
        ("https://x-access-token:tokenvalue@h.example", [(("host", "h.example"),)]),
        ("https://dev%40shop:p%21w@h.example", [(("host", "h.example"), ("user", "dev@shop"))]),
        ("a,https://h.example;https://u:p9@i.example|direct", [(("host", "i.example"), ("user", "u"))]),
        ("https://dev:p#w?d@h.example/x", [(("host", "h.example"), ("user", "dev"))]),
        ("https://h.example?mail=dev@shop.example", []),
        ("https://h.example/a@b", []),
        ("ssh://git@h.example/x", []),
        ("https://dev:${PASSWORD}@h.example", [(("host", "h.example"), ("user", "dev"))]),
        ("https://dev:changeme@h.example", []),
    ],
)
def test_secrets_in_urls(url: str, expected: list[object]) -> None:
    assert [fact.identity for fact in held.in_url("url", url, ROW, mark)] == expected


def test_what_is_shown_is_no_secret() -> None:
    assert held.public("https://dev:secret@h.example/path?token=1#x") == "https://h.example/path"
    assert held.public("ghp_0123456789abcdefghij") == "(not shown)"
    assert held.public("aB3dE5gH7jK9mN1pQ3sT5vW7") == "(not shown)"
    assert held.public("dev@shop.example") == "dev@shop.example"
    assert held.public("//dev:secret1@h.example/x") == "//h.example/x"
    assert held.public("dev:secret1@h.example") == "(not shown)"
    assert held.public("a\x1b[31m\u009b\n") == "a?[31m??"


def test_names_are_compared_as_the_row_says() -> None:
    assert held.matches("npmAuthToken", ("npmauthtoken",))
    assert held.matches("X_TOKEN_Y", ("x_*_y",))
    assert not held.matches("X_TOKEN", ())
    assert not held.matches("a.b", ("a?b",))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xef\xbb\xbfa", "a"),
        ("ä".encode("utf-16"), "ä"),
        ("ä".encode("utf-32"), "ä"),
        (b"a\0b", None),
        (b"\xff\xfea", None),
        (b"p\xe4ss", "p\udce4ss"),
    ],
)
def test_text_out_of_bytes(content: bytes, text: str | None) -> None:
    assert text_of(content) == text

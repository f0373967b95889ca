"""One judgement for every format: what may be a secret is one, and one encoding rule for every file."""

from __future__ import annotations

import codecs

import pytest

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Row
from pratique.readers.credentials.judgement import judge
from pratique.readers.credentials.table import reader_of, table
from tests.fixtures_reach import lay_all, recipes

TEXTS = sorted(
    row.id
    for row in table().rows
    if row.look == "content" and row.format not in ("", "machine") and row.id in recipes()
)


@pytest.mark.parametrize(
    "value",
    [
        "${X:=hunter2hunter2}",
        "${X=hunter2hunter2}",
        "${a}hunter2${b}",
        "$(a)hunter2$(b)",
        "`a`hunter2`b`",
        "${{ a }}hunter2${{ b }}",
        "aaaaaaaa",
        "11111111",
        "my-secret-password",
        "[hunter2!]",
        "$ecret",
        "op: hunter2 hunter2",
        "<a>hunter2<b>",
        "\ud800hunter2",
    ],
)
def test_what_may_be_a_secret_is_material(value: str) -> None:
    assert judge(value) == "material"


@pytest.mark.parametrize(
    ("value", "judgement"),
    [
        ("'${X}'", "reference"),
        ("$(pass show $(cat name))", "reference"),
        ("${{ format('{0}', secrets.X) }}", "reference"),
        ("keychain:shop", "reference"),
        ("ref+vault://secret/x", "reference"),
        ('"ENC[AES256_GCM,data:x]"', "encrypted"),
        ("${X:-ENC[x]}", "material"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "nothing"),
        ("yes", "nothing"),
        ("~", "nothing"),
    ],
)
def test_what_is_none(value: str, judgement: str) -> None:
    assert judge(value) == judgement


def test_a_sealed_value_is_told_as_encrypted_by_every_kind_of_format() -> None:
    row = Row(id="x", provider="x", tier=1, secret="x", rotation="other", fields=("token",))
    for name, content in (
        ("ini", b"token = ENC[AES256_GCM,data:x]"),
        ("ini_fields", b"token = ENC[AES256_GCM,data:x]"),
        ("yaml_fields", b"token: ENC[AES256_GCM,data:x]"),
        ("yaml_named", b"token: ENC[AES256_GCM,data:x]"),
        ("dotenv", b"token=ENC[AES256_GCM,data:x]"),
        ("environment_file", b"token=ENC[AES256_GCM,data:x]"),
    ):
        (fact,) = reader_of(name)(content, row, lambda _class, _secret: None)
        assert isinstance(fact, CredentialFact)
        assert (name, fact.state, fact.protection) == (name, "present", "encrypted")


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_says_the_same_in_every_encoding_that_its_mark_names(name: str) -> None:
    row = table().row(name)
    for content in lay_all(9, only=name).files.values():
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            continue
        said = list(reader_of(row.format)(content, row, lambda _class, _secret: None))
        for mark, encoding in (
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
            (codecs.BOM_UTF32_LE, "utf-32-le"),
        ):
            marked = mark + text.encode(encoding)
            if len(marked) > row.limit:
                continue
            again = list(reader_of(row.format)(marked, row, lambda _class, _secret: None))
            assert again == said, encoding


@pytest.mark.parametrize("name", TEXTS)
def test_bytes_of_another_encoding_hide_no_file(name: str) -> None:
    """A comment in Latin-1 leaves what was told before."""
    row = table().row(name)
    for content in lay_all(9, only=name).files.values():
        if row.format not in ("environment_file", "ini", "ini_fields", "dotenv", "shell", "yaml_named", "yaml_fields"):
            continue
        said = list(reader_of(row.format)(content, row, lambda _class, _secret: None))
        again = list(reader_of(row.format)(b"# gr\xfc\xdfe\n" + content, row, lambda _class, _secret: None))
        assert again == said

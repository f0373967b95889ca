"""Named fields in trees: JSON, TOML, YAML, INI and XML."""

from __future__ import annotations

import pytest

from pratique.readers.credentials.contract import Row
from pratique.readers.credentials.fields import json_tree, matches, toml_tree, yaml_tree
from pratique.readers.credentials.held import matches as alike
from pratique.readers.credentials.lines import settings
from tests.unit.readers.credentials.told import fields, secret, told

ROW = Row(
    id="any",
    provider="any",
    tier=1,
    secret="any",
    rotation="other",
    fields=("token", "users.*.auth.key", "*secret*", "!public_secret"),
    show=("email", "account=userId", "profile=^"),
    references=("key_file",),
)


def test_patterns() -> None:
    assert alike("x", ("*",))
    assert alike("ABC", ("a*",))
    assert alike("abc", ("*c",))
    assert alike("abc", ("*b*",))
    assert not alike("abc", ("b",))
    assert matches(("token",), ("a", "b", "token"))
    assert matches(("a.*.token",), ("x", "a", "anything.with.dots", "token"))
    assert not matches(("a.*.token",), ("b", "c", "token"))
    assert matches(("sasl.password",), ("sasl.password",))
    assert matches(("users.token",), ("users", "[0]", "token"))
    assert not matches(("*secret*", "!public_secret"), ("public_secret",))


def test_whose_a_field_is_stands_beside_it_or_above() -> None:
    text = f"""{{"email": "dev@shop.test", "users": {{"work": {{"userId": "7", "auth": {{"key": "{secret()}"}},
      "expires_at": 1770003600, "scopes": ["read", "write"]}}}}}}"""
    found = told(ROW, text, "json_fields")[0]
    assert isinstance(found, dict)
    assert found["field"] == "users.work.auth.key"
    assert ("account", "7") in found["identity"]
    assert found["scopes"] == ("read", "write")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"token": "%s"}', ["token"]),
        ('{"token": "%s", // why\n "b": 1,}', ["token"]),
        ('{"token": "%s", "b": ', ["token", "half understood"]),
        ('{"a": 1, "token": "%s', ["not understood"]),
        ('{"token": ""}%.0s', []),
        ('{"token": null, "other": "%s"}', []),
        ('{"key_file": "/a", "x": "%s"}', ["key_file"]),
        ("nonsense %s", ["not understood"]),
        ("", []),
    ],
    ids=range(9),
)
def test_json(text: str, expected: list[str]) -> None:
    assert fields(ROW, text % secret() if "%" in text else text, "json_fields") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('token = "%s"\n', ["token"]),
        ('[[a]]\ntoken = "%s"\n', ["a.[0].token"]),
        ('[a]\ntoken = "%s"\nbroken\n', ["a.token", "half understood"]),
        ("just words %s", ["not understood"]),
    ],
    ids=range(4),
)
def test_toml(text: str, expected: list[str]) -> None:
    assert fields(ROW, text % secret(), "toml_fields") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n  token: %s\n", ["a.token"]),
        ("a: &x {token: %s}\nb: *x\n", ["a.token", "b.token"]),
        ("token: %s\nb: [\n", ["token", "half understood"]),
        ("# nothing\n", []),
        ("just words %s", ["not understood"]),
    ],
    ids=range(5),
)
def test_yaml(text: str, expected: list[str]) -> None:
    assert fields(ROW, text % secret() if "%" in text else text, "yaml_named") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a]\ntoken = %s\n", ["a.token"]),
        ("token: '%s' ; note\n", ["token"]),
        ("[a]\ntoken = %s\nwords alone\n", ["a.token", "half understood"]),
        ("words alone %s\n", ["not understood"]),
        ("RCLONE_ENCRYPT_V0:\n%s\n", ["whole file"]),
    ],
    ids=range(5),
)
def test_ini(text: str, expected: list[str]) -> None:
    assert fields(ROW, text % secret(), "ini_fields") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a><token>%s</token></a>", ["a.token"]),
        ('<a><token encoding="base64">%s</token></a>', ["a.token"]),
        ('<a><add key="ApiSecret" value="%s"/></a>', ["a.ApiSecret"]),
        ("<a><token>%s</token><b>", ["a.token", "half understood"]),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a><token>%s</token></a>', ["not understood"]),
        ("words %s", ["not understood"]),
    ],
    ids=range(6),
)
def test_xml(text: str, expected: list[str]) -> None:
    assert fields(ROW, text % secret(), "xml") == expected


def test_tokens_and_passwords_of_urls_in_other_fields() -> None:
    text = f'{{"x": "{secret("ghp_")}", "y": "postgres://dev:{secret()}@db.test/shop", "z": "{secret()}"}}'
    found = told(ROW, text, "json_fields")
    assert [(item["field"], item["kind"]) for item in found if isinstance(item, dict)] == [
        ("x", "github-classic-token"),
        ("y", "url-password"),
    ]


def test_a_name_that_may_be_a_secret_is_not_shown() -> None:
    text = f'{{"{secret("ghp_")}": {{"token": "{secret()}"}}}}'
    assert fields(ROW, text, "json_fields") == ["?.token"]


def test_bounds() -> None:
    many = "{" + ",".join(f'"token": "{secret(length=8)}"' for _ in range(500)) + "}"
    assert fields(ROW, many, "json_fields")[-1] == "too many entries"
    deep = '{"a":' * 100 + '{"token": "x1y2z3w4"}' + "}" * 100
    assert fields(ROW, deep, "json_fields") == ["half understood"]
    dotted = "a" + ".a" * 5000 + ' = "x"\n[b]\ntoken = "x1y2z3w4"\n'
    assert fields(ROW, dotted, "toml_fields") == ["b.token", "half understood"]


def test_trees_of_what_is_none() -> None:
    assert json_tree("no") is None
    assert toml_tree("no") is None
    assert yaml_tree("no") is None


def test_lines() -> None:
    text = "# a\n; b\n[s]\nk = 'v' # c\nlong = a ; b\nparent =\n  child = x\nodd\n"
    found = [(item.section, item.key, item.value) for item in settings(text, nested=True)]
    assert found == [
        ("s", "k", "v"),
        ("s", "long", "a"),
        ("s", "parent", ""),
        ("s", "parent.child", "x"),
        ("s", "", "odd"),
    ]

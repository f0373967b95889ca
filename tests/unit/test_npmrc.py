"""npm's configuration grammar, and that no secret of a configuration file becomes part of a record."""

from __future__ import annotations

import msgspec
import pytest

from pratique.ecosystems.npm.npmrc import Setting, expand, has_variable, settings, unquote
from pratique.model.ports import Interest
from pratique.readers.npm import configuration
from tests.golden.harness import in_memory

CANARY = "canary5f1d"
KEYS = (
    "_auth",
    "_authToken",
    "_password",
    "username",
    "email",
    "otp",
    "cert",
    "key",
    "ca",
    "ca[]",
    "cafile",
    "certfile",
    "keyfile",
    "proxy",
    "https-proxy",
    "//registry.example/:_authToken",
    "//registry.example/:_password",
    "//registry.example/:username",
    "@standin://registry.example/:_authToken",
    "unheard-of",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", Setting("a", "b", 1)),
        ("\ufeffa = b ", Setting("a", "b", 1)),
        ("a", Setting("a", None, 1)),
        ("a=", Setting("a", "", 1)),
        ("\r\n# c\r\na[]=b", Setting("a", "b", 3, True)),
        ("a=b ; c", Setting("a", "b", 1)),
        (r"a=b\;c\#d\\e\f", Setting("a", r"b;c#d\e\f", 1)),
        ("a='b'", Setting("a", "b", 1)),
        ('a="b=c"', Setting("a", "b=c", 1)),
        ('"a"=b', Setting("a", "b", 1)),
        ('a="', Setting("a", '"', 1)),
    ],
)
def test_a_line_is_read_as_npm_reads_it(text: str, expected: Setting) -> None:
    assert list(settings(text)) == [expected]


def test_lines_below_a_section_are_no_settings() -> None:
    assert [item.key for item in settings("a=1\n[b]\nc=2\n")] == ["a"]


def test_variables_are_filled_in_and_a_missing_one_gives_nothing() -> None:
    assert expand("${HOME}/x", {"HOME": "/home/a"}) == "/home/a/x"
    assert expand("${GONE}/x", {}) is None
    assert expand("${GONE?}x", {}) == "x"
    assert expand("${GONE:-y}/x", {}) == "y/x"
    assert has_variable("a${B}")
    assert not has_variable("a$B")


def records(text: str) -> str:
    item = in_memory(text.encode(), ".npmrc")
    return msgspec.json.encode(list(configuration.read(item, Interest({})))).decode()


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", ["{key}={value}", '{key} = "{value}"', "{key}={value} ; {value}", "{key}[]={value}"])
def test_no_credential_becomes_part_of_a_record(key: str, form: str) -> None:
    line = form.format(key=key, value=CANARY)
    assert records(f"{line}\nignore-scripts=true\n").count('"policy"') == 1
    assert CANARY not in records(f"{line}\nignore-scripts=true\n")


@pytest.mark.parametrize("key", sorted(configuration._KNOWN - configuration._PATHS - configuration._NAMES))
def test_a_value_that_is_not_understood_is_not_repeated(key: str) -> None:
    for value in (f"{CANARY} x", f"https://{CANARY}:{CANARY}@registry.example/{CANARY}?{CANARY}", f"${{X:-{CANARY}}}"):
        assert CANARY not in records(f"{key}={value}\n")


@pytest.mark.parametrize("key", sorted(configuration._PATHS))
def test_a_folder_loses_defaults_of_variables_and_is_no_url(key: str) -> None:
    for value in (f"https://{CANARY}@registry.example/", f"//{CANARY}@registry.example/x", f"${{X:-{CANARY}}}/y"):
        assert CANARY not in records(f"{key}={value}\n")


@pytest.mark.parametrize("key", sorted(configuration._NAMES))
def test_a_list_keeps_names_alone(key: str) -> None:
    url = f"https://{CANARY}:x@registry.example/a.tgz?{CANARY}"
    found = records(f"{key}=esbuild@1.0.0,{url},${{X:-{CANARY}}}\n")
    assert "esbuild@1.0.0" in found
    assert CANARY not in found


def test_long_hostile_lines_end() -> None:
    for line in (
        "cache=${" + "-" * 900_000,
        "registry=" + "${a-" * 200_000,
        '"' * 900_000,
        "\\" * 900_000,
        "[" * 900_000,
    ):
        records(line)
        unquote(line)

"""bunfig.toml beyond the golden cases: secrets, strange values, damage."""

from __future__ import annotations

import time

import pytest

from pratique.model.observation import Observation, PolicyFact, Refusal
from pratique.readers.npm.bunfig import READER
from tests.golden.harness import ALL, ROOT, in_memory


def read(text: str | bytes) -> list[Observation | Refusal]:
    data = text.encode() if isinstance(text, str) else text
    return list(READER.read(in_memory(data, "bunfig.toml"), ALL))


def settings(text: str) -> dict[str, str]:
    found = [item.facts for item in read(text) if isinstance(item, Observation)]
    return {fact.setting: fact.value for fact in found if isinstance(fact, PolicyFact)}


def test_no_secret_of_the_cases_is_told() -> None:
    expected = "".join(path.read_text() for path in (ROOT / "npm" / "bunfig").glob("*/expected.json"))
    assert "not-a-real-secret" not in expected
    assert "TOKEN" not in expected
    assert "4873" not in expected


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ('"https://u:secret@h.example:4873/a?b=secret"', "h.example"),
        ('{ url = "https://h.example", token = "secret" }', "h.example"),
        ('"https://$SECRET_HOST/a"', "from the environment"),
        ('"$REGISTRY"', "from the environment"),
    ],
)
def test_a_registry_is_told_by_its_host(value: str, host: str) -> None:
    assert settings(f"[install]\nregistry = {value}\n") == {"install.registry": host}


@pytest.mark.parametrize(
    "line",
    [
        'registry = "secret"',
        'registry = "https://[secret"',
        "registry = 7",
        'registry = { token = "secret" }',
        'ignoreScripts = "secret"',
        'linker = "secret"',
        'minimumReleaseAge = "secret"',
        "minimumReleaseAge = -1",
        "minimumReleaseAge = true",
        "minimumReleaseAge = nan",
        'globalDir = "secret"',
        'cache = "https://u:secret@h"',
        'security.scanner = "se cret"',
    ],
)
def test_a_value_that_is_not_understood_is_refused_and_not_repeated(line: str) -> None:
    (item,) = read(f"[install]\n{line}\n")
    assert isinstance(item, Refusal)
    assert not item.relevant
    assert "secret" not in item.reason
    assert line.partition(" ")[0] in item.reason


@pytest.mark.parametrize("text", ["", "[test]\ncoverage = true\n", "[install]\nproduction = true\n"])
def test_files_without_these_settings_say_nothing(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[install\nsecret",
        "install = 1",
        'secret = "secret',
        "a = secret",
        "a = 1\na = 1",
        b"\xff",
        b"\0",
        "a = " + "[" * 20_000,
        "a = " + "9" * 10_000,
        "a = 1\n" * 20_000,
    ],
)
def test_damage_is_one_refusal_that_quotes_nothing(text: str | bytes) -> None:
    (item,) = read(text)
    assert isinstance(item, Refusal)
    assert not item.relevant
    assert "secret" not in item.reason


def test_long_keys_take_no_time() -> None:
    start = time.monotonic()
    read("a." * 30_000 + "a = 1")
    read("[" + "a." * 30_000 + "a]")
    read('"a" . ' * 10_000 + "a = 1")
    read("[" + "a." * 98 + "a]\n" * 300)
    read("a" * 60_000)
    assert time.monotonic() - start < 5

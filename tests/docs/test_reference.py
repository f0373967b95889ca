"""The reference is whole: each command, option, reader, error, public name, status and exit code is documented."""

from __future__ import annotations

import datetime
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import msgspec
import pytest

from pratique import api
from pratique.doors.cli import entry
from pratique.doors.cli.commands import pratique
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Role
from pratique.model.observation import Record
from pratique.model.ports import Reader
from pratique.model.report import VerdictEntry
from pratique.model.verdict import Status
from pratique.readers import discovery
from scripts import make_reference
from tests.docs.pages import ROOT, pages

REFERENCE = ROOT / "docs" / "reference"


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(make_reference.PAGES))
def test_generated_page_is_current(page: str) -> None:
    path = make_reference.ROOT / "docs" / page
    assert path.read_text(encoding="utf-8") == make_reference.PAGES[page](), "run: python scripts/make_reference.py"


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from commands(inner, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(commands(pratique, "pratique")))
def test_every_command_and_option_is_documented(path: str, command: click.Command) -> None:
    page = text("docs/reference/cli.md")
    section = page.partition(f"\n## {path}\n")[2].partition("\n## ")[0]
    assert section, path
    for item in command.params:
        if isinstance(item, click.Option) and not item.hidden:
            row = next((line for line in section.splitlines() if line.startswith(f"| `{item.opts[0]}`")), "")
            assert row, f"{path} {item.opts[0]}"
            assert row.split("|")[-2].strip(), f"{path} {item.opts[0]} has no meaning"


def test_options_that_pages_name_exist() -> None:
    known = {name for _, command in commands(pratique, "") for item in command.params for name in item.opts}
    known |= {"--help", "--version"}
    for page in pages():
        plain = page.read_text(encoding="utf-8")
        for line in plain.splitlines():
            for found in re.findall(r"pratique [a-z]+[^`|;\n]*", line):
                for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", found.partition(" | ")[0]):
                    assert option in known, f"{page.name}: {option}"


def readers() -> list[tuple[Reader, str]]:
    return [(discovery.load(claim.module), claim.module) for claim in discovery.claims()]


@pytest.mark.parametrize(("reader", "module"), readers(), ids=lambda item: getattr(item, "name", ""))
def test_every_reader_is_documented(reader: Reader, module: str) -> None:
    import sys

    assert f"\n## {reader.name}\n" in text("docs/reference/readers.md")
    assert f"`{reader.name}`" in text("README.md"), "name it in the table of the README"
    document = inspect.cleandoc(sys.modules[module].__doc__ or "")
    for heading in ("## Reads", "## Leaves out", "## References"):
        assert f"\n{heading}\n" in document, f"{module}: {heading}"


def test_the_readme_names_no_reader_that_does_not_exist() -> None:
    section = text("README.md").partition("## What it reads")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z][a-z-]+)`", section))
    assert named == {reader.name for reader, _ in readers()}


@pytest.mark.parametrize("name", api.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    page = text("docs/reference/api.md")
    assert f"\n## {name}\n" in page
    body = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert len(body.split()) >= 3


def errors(error: type[BaseException]) -> Iterator[type[BaseException]]:
    yield error
    for inner in error.__subclasses__():
        if inner.__module__.startswith("pratique."):
            yield from errors(inner)


def test_every_error_is_documented_and_public() -> None:
    page = text("docs/reference/api.md").partition("\n## Errors\n")[2]
    for error in errors(api.PratiqueError):
        assert error.__name__ in page
        assert error.__name__ in api.__all__


@pytest.mark.parametrize(
    "word", [*map(str, Status), *map(str, Depth), *map(str, Confidence), *map(str, Role), *get_args(Record)]
)
def test_every_word_of_a_verdict_is_documented(word: str) -> None:
    assert f"| `{word}` |" in text("docs/reference/verdicts.md")


@pytest.mark.parametrize("name", api.FORMATS)
def test_every_report_format_is_documented(name: str) -> None:
    assert f"`{name}`" in text("docs/reference/cli.md")


# --- exit codes


def table(path: str) -> dict[int, str]:
    """The table of exit codes of a page."""
    return {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| (.+?) \|$", text(path), re.M)}


def codes_of_check() -> dict[int, str]:
    """The codes that the command's own help lists."""
    help_text = " ".join((pratique.commands["check"].help or "").split())
    sentence = help_text.partition("Exit codes: ")[2]
    return {int(code): meaning for code, meaning in re.findall(r"(\d+) ([^;]+?)(?:;|\.$|\. )", sentence + " ")}


def verdict(status: str, depth: str | None) -> VerdictEntry:
    return VerdictEntry(
        incident="i", subject="s", status=status, depth=depth, current=True, confidence="medium", summary=""
    )


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> api.Report:
    folder: Path = tmp_path_factory.mktemp("quiet")
    (folder / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {}}', encoding="utf-8")
    selection = api.select(incidents=["axios-2026-03-31"], today=datetime.date(2026, 11, 20))
    return api.check(api.CheckRequest(targets=(api.TargetSpec(str(folder)),), incidents=selection.incidents))


def test_the_tables_and_the_help_list_the_same_exit_codes() -> None:
    page = table("docs/reference/exit-codes.md")
    assert table("README.md") == page
    assert set(codes_of_check()) == set(page)
    assert {entry.INTERNAL_ERROR, entry.USAGE, entry.INTERRUPTED} <= set(page)
    assert "Internal error" in page[entry.INTERNAL_ERROR]
    assert "Usage" in page[entry.USAGE]
    assert "Interrupted" in page[entry.INTERRUPTED]


@pytest.mark.parametrize(
    ("status", "depth", "code"),
    [
        ("not_affected", None, 0),
        ("under_investigation", None, 4),
        ("affected", "declared", 10),
        ("affected", "resolved", 10),
        ("affected", "fetched", 10),
        ("affected", "installed", 10),
        ("affected", "executed", 11),
        ("affected", "active", 11),
    ],
)
def test_the_page_says_what_a_verdict_gives(quiet: api.Report, status: str, depth: str | None, code: int) -> None:
    report = msgspec.structs.replace(quiet, verdicts=(verdict(status, depth),))
    assert report.exit_code == code
    said = table("docs/reference/exit-codes.md")[code].lower()
    assert (depth or {"not_affected": "nothing listed was seen"}.get(status, "under investigation")) in said


def test_the_page_says_what_nothing_examined_gives(quiet: api.Report) -> None:
    coverage = msgspec.structs.replace(quiet.coverage, artifacts=0)
    report = msgspec.structs.replace(quiet, coverage=coverage)
    assert "Nothing examined" in table("docs/reference/exit-codes.md")[report.exit_code]


def test_sentences_about_exit_codes_name_codes_that_exist() -> None:
    known = set(table("docs/reference/exit-codes.md"))
    for page in pages():
        for found in re.findall(r"exit(?: code|s with)? (\d+)", page.read_text(encoding="utf-8"), re.I):
            assert int(found) in known, f"{page.name}: exit code {found}"


# --- the house


def test_the_house_shows_every_room() -> None:
    page = text("docs/explanation/house.md")
    rooms = {path.name for path in (ROOT / "src" / "pratique").iterdir() if (path / "__init__.py").is_file()}
    listed = set(re.findall(r"^\| `(\w+)` \|", page.partition("## The rooms")[2].partition("\n## ")[0], re.M))
    assert listed == rooms


def test_the_tests_that_hold_the_laws_exist() -> None:
    section = text("docs/explanation/house.md").partition("## The laws")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \|", section, re.M)
    assert [int(row) for row in rows] == list(range(1, 13))
    named = re.findall(r"`(tests/[\w/.-]+?)(?:::(\w+))?`", section)
    assert named
    for path, test in named:
        assert (ROOT / path).exists(), path
        if test:
            assert f"def {test}" in text(path), f"{path}::{test}"


def test_the_runtime_dependencies_are_those_of_the_decision() -> None:
    import tomllib

    project = tomllib.loads(text("pyproject.toml"))["project"]
    names = {re.split(r"[<>=!~ ]", item)[0] for item in project["dependencies"]}
    listed = set(re.findall(r"^\| ([a-z0-9-]+) \|", text("docs/decisions/0001-runtime-dependencies.md"), re.M))
    assert names <= listed
    assert len(listed) <= 9

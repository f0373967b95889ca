"""Hostile names are inert in every format, and huge reports stay bounded."""

from __future__ import annotations

import json
import time
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings

from pratique.model.location import Location
from pratique.model.report import RefusalEntry, Report, SubjectEntry
from pratique.report.markdown import code, words
from pratique.report.renderer import FORMATS, renderer
from pratique.report.words import inert_json
from tests.unit.report.sample import REPORT, TARGET
from tests.unit.report.strategies import HOSTILE, reports, text


def rendered(name: str, report: Report) -> str:
    return b"".join(renderer(name).render(report)).decode("utf-8")


@pytest.mark.parametrize("name", FORMATS)
@given(report=reports())
@settings(max_examples=25)
def test_no_raw_control_format_or_bidirectional_character(name: str, report: Report) -> None:
    assert "".join(rendered(name, report).split("\n")).isprintable()


@pytest.mark.parametrize("name", ["json", "sarif", "cyclonedx"])
@given(report=reports())
@settings(max_examples=15)
def test_json_forms_are_json(name: str, report: Report) -> None:
    assert isinstance(json.loads(rendered(name, report)), dict)


@given(value=text)
def test_escaping_json_keeps_its_meaning(value: str) -> None:
    assert json.loads(inert_json(msgspec.json.encode([value]))) == [value]


class Page(HTMLParser):
    """Collects the tags and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {key for key, _ in attrs}
        self.targets += [value or "" for key, value in attrs if key in ("href", "src", "action", "xlink:href", "data")]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(report: Report) -> Page:
    found = Page()
    found.feed(rendered("html", report))
    found.close()
    assert found.open == []
    return found


def test_names_cannot_add_elements_attributes_or_addresses_to_the_page() -> None:
    known = page(REPORT)

    @given(report=reports())
    @settings(max_examples=40)
    def check(report: Report) -> None:
        found = page(report)
        assert found.tags <= known.tags | {"br"}
        assert found.attributes <= known.attributes
        assert all(target.startswith("#") for target in found.targets)
        assert not any(key.startswith("on") or key == "style" for key in found.attributes)

    check()


@given(value=text)
@settings(max_examples=300)
def test_markdown_of_any_text_is_one_span_of_code_or_plain_words(value: str) -> None:
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed").MarkdownIt
    parser = markdown("commonmark").enable(["table", "strikethrough"])
    for maker, allowed in ((words, {"text", "code_inline"}), (code, {"code_inline"})):
        made = maker(value)
        assert "\n" not in made
        assert "|" not in made
        tokens = parser.parse(f"x {made} x")
        assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
        kinds = {token.type for token in tokens[1].children or []} - {"text"}
        assert kinds <= allowed
        for token in tokens[1].children or []:
            if token.type == "text":
                assert not any(sign in token.content for sign in "@#<[]*_`~&|\\/")
                assert "www" not in token.content.lower()
                assert "://" not in token.content


@given(report=reports())
@settings(max_examples=25)
def test_a_markdown_report_holds_no_link_image_or_markup_from_outside(report: Report) -> None:
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed").MarkdownIt
    parser = markdown("commonmark").enable(["table", "strikethrough"])
    for token in parser.parse(rendered("markdown", report)):
        assert token.type not in ("fence", "code_block", "blockquote_open", "hr")
        if token.type == "html_block":
            assert token.content.startswith(("<details>", "</details>"))
        for child in token.children or []:
            assert child.type in ("text", "code_inline", "softbreak", "strong_open", "strong_close", "html_inline")
            assert child.type != "html_inline" or child.content == "<br>"


def huge(number: int) -> Report:
    subjects = tuple(SubjectEntry(id=f"s{n}", kind="project", uri=f"{TARGET}/p{n}") for n in range(number))
    sightings = tuple(
        msgspec.structs.replace(
            REPORT.sightings[0], id=f"{n:016x}", subject=f"s{n}", location=Location(TARGET, f"p{n}/{HOSTILE[n % 20]}")
        )
        for n in range(number)
    )
    verdicts = tuple(
        msgspec.structs.replace(REPORT.verdicts[1], subject=f"s{n}", sightings=(f"{n:016x}",)) for n in range(number)
    )
    refusals = tuple(
        RefusalEntry(id=f"r{n}", path=f"p{n}", reader="directory", reason="permission denied", relevant=True)
        for n in range(number)
    )
    coverage = msgspec.structs.replace(REPORT.coverage, refusals=refusals)
    return msgspec.structs.replace(REPORT, subjects=subjects, sightings=sightings, verdicts=verdicts, coverage=coverage)


@pytest.mark.parametrize(("name", "most"), [("text", 4_000), ("html", 600_000), ("markdown", 60_000)])
def test_ten_thousand_sightings_stay_bounded(name: str, most: int) -> None:
    report = huge(10_000)
    start = time.process_time()
    made = rendered(name, report)
    assert time.process_time() - start < 5
    assert len(made) < most
    assert "9,7" in made or "9,9" in made or "9997" in made or name == "text", "says how many are left out"

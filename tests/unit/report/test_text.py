"""The first screen: its size whatever the input, its order, its words."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings

from pratique.model.location import Inside, Location
from pratique.model.report import Report, SubjectEntry
from pratique.report.evidence import inside
from pratique.report.text import RENDERER
from pratique.report.words import columns, count, printable
from tests.unit.report.sample import REPORT
from tests.unit.report.strategies import reports


def lines(report: Report) -> list[str]:
    return b"".join(RENDERER.render(report)).decode().split("\n")[:-1]


@given(reports())
@settings(max_examples=60)
def test_at_most_24_lines_of_100_columns_and_6_where_nothing_was_seen(report: Report) -> None:
    shown = lines(report)
    assert all(columns(line) <= 100 for line in shown)
    seen = any(v.status == "affected" or (v.status == "under_investigation" and v.sightings) for v in report.verdicts)
    assert len(shown) <= (24 if seen else 6)
    assert any(line.startswith("NOT EXAMINED") for line in shown)
    assert "".join(shown).isprintable()


@given(reports())
@settings(max_examples=60)
def test_the_first_word_is_the_worst_status(report: Report) -> None:
    first = lines(report)[0]
    statuses = {verdict.status for verdict in report.verdicts}
    assert first.startswith("AFFECTED") == ("affected" in statuses)
    if first.startswith("NOT AFFECTED"):
        assert report.coverage.complete
        assert report.coverage.artifacts
        assert not report.coverage.interrupted
        assert "under_investigation" not in statuses


def test_every_relevant_refusal_is_counted() -> None:
    assert any(
        "1 relevant: old/yarn.lock (truncated at line 801); 1 accepted by name" in line for line in lines(REPORT)
    )


def test_projects_stand_before_logs_and_the_telling_words_fit() -> None:
    shown = lines(REPORT)
    assert shown[0] == (
        "AFFECTED  axios 2026-03-31: the payload RAN in 1 of 212 projects here (11 min after publication)"
    )
    assert shown[1].split()[0] == "shop-web"
    assert "plain-crypto-js 4.2.1 -> 4.2.0 (state B): install record and folder" in shown[1]
    assert shown[2].strip().startswith("disagree"), "what does not fit goes on in a second line"
    assert shown[3].split()[0] == "home/.npm/_logs"


def test_an_incident_with_undecided_places_is_not_counted_as_quiet() -> None:
    assert any(line.startswith("UNDER INVESTIGATION  example-2026-06") for line in lines(REPORT))
    assert "  1 other incident: no listed version seen" in lines(REPORT)


def test_many_subjects_are_tallied() -> None:
    subjects = tuple(SubjectEntry(id=f"s{n}", kind="project", uri=f"file:///x/{n}") for n in range(500))
    verdicts = tuple(msgspec.structs.replace(REPORT.verdicts[0], subject=item.id) for item in subjects)
    shown = lines(msgspec.structs.replace(REPORT, subjects=subjects, verdicts=verdicts))
    assert any("and 495 projects executed" in line for line in shown)


def test_words_that_show_nothing_are_spelled() -> None:
    assert printable("a\u3164b\u202e\x1b\U000e0041") == "a\\u3164b\\u202e\\x1b\\U000e0041"
    assert count(2, "repository") == "2 repositories"


def test_what_ran_elsewhere_is_not_said_of_this_machine() -> None:
    for subject, words in (
        (SubjectEntry(id="s", kind="image", uri="image+file:///x/shop.tar"), "the payload RAN in 1 image"),
        (SubjectEntry(id="s", kind="log", uri="ci-log+file:///x/run.zip"), "the payload RAN in 1 log"),
        (SubjectEntry(id="s", kind="log", uri="file:///x/_logs"), "the payload RAN on this machine"),
    ):
        verdict = msgspec.structs.replace(REPORT.verdicts[0], subject=subject.id)
        shown = lines(msgspec.structs.replace(REPORT, subjects=(subject,), verdicts=(verdict,)))
        assert words in shown[0]


def test_the_way_into_a_container_is_told() -> None:
    steps = (Inside("layer", "sha256:" + "ab" * 32, "app/x.zip"), Inside("member", "", "y/package.json"))
    assert inside(Location("t", "app/x.zip", inside=steps)) == " » layer abababababab » member y/package.json"
    assert inside(Location("t", "a", inside=(Inside("commit", "cd" * 20, "a"),))) == " » blob cdcdcdcdcdcd"
    assert inside(Location("t", "a", inside=(Inside("store", "key", ""),))) == " » store key"

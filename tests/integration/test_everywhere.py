"""One incident in every kind of place at once: each is found, at its own depth, and says how."""

from __future__ import annotations

import pytest

from demo.elsewhere import WORDS, lay_out
from pratique import api
from tests.integration.examine import axios, rendered


def parted(word: str) -> tuple[str, str, str]:
    """The kind, the colon and the path of a target as it is named on the command line."""
    kind, colon, path = word.rpartition(":")
    return kind, colon, path


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> api.Report:
    chosen = axios()
    folder = tmp_path_factory.mktemp("elsewhere")
    lay_out(folder)
    words = [f"{kind}{colon}{folder / path}" for kind, colon, path in (parted(word) for word in WORDS)]
    targets = tuple(api.specify(words))
    found = api.check(api.CheckRequest(targets=targets, incidents=chosen.incidents, named=chosen.named))
    for text in rendered(found).values():
        assert text
    return found


def told(report: api.Report, scheme: str) -> dict[str, api.Report]:
    """Depth of each release that was sighted in one kind of target."""
    return {
        item.purl.removeprefix("pkg:npm/"): item
        for item in reversed(report.sightings)
        if item.location.target.startswith(scheme) and item.status == "affected"
    }


def test_every_place_is_found_and_nothing_is_left_unexamined(report: api.Report) -> None:
    assert report.exit_code == 11
    assert [item.reason for item in report.coverage.refusals if item.relevant] == []
    kinds = {item.id: item.kind for item in report.subjects}
    found = {(kinds[item.subject], item.depth) for item in report.verdicts if item.status == "affected"}
    assert found >= {
        ("repository", "resolved"),
        ("image", "executed"),
        ("cache", "fetched"),
        ("project", "installed"),
    }
    assert any(kind == "log" for kind, _ in found)


def test_the_history_holds_one_in_a_merge_and_one_in_a_stash(report: api.Report) -> None:
    found = told(report, "git+file:")
    assert set(found) == {"axios@1.14.1", "axios@0.30.4"}
    assert all(item.depth == "resolved" for item in found.values())
    assert "in history only" in found["axios@1.14.1"].explanation
    assert found["axios@1.14.1"].current is False


def test_the_image_ran_it_in_a_layer_whose_tree_was_deleted_later(report: api.Report) -> None:
    found = told(report, "image+file:")
    ran = found["plain-crypto-js@4.2.1"]
    assert (ran.depth, ran.current) == ("executed", False)
    assert "still pullable" in ran.explanation
    layers = [item.facts for item in report.observations if item.kind == "layer"]
    assert any("NPM_TOKEN" in item["environment"] for item in layers)
    assert not any("placeholder" in str(item) for item in layers)


def test_the_log_says_what_the_job_held(report: api.Report) -> None:
    found = told(report, "ci-log+file:")
    assert {"axios@1.14.1", "plain-crypto-js@4.2.1"} <= set(found)
    jobs = [item.facts for item in report.observations if item.kind == "job"]
    assert any("NPM_TOKEN" in item.get("secrets", ()) for item in jobs)
    assert any("contents: write" in str(item.get("permissions", ())).lower() for item in jobs)


def test_the_mirror_and_the_bundle(report: api.Report) -> None:
    assert "5 clients pulled it" in told(report, "mirror+file:")["axios@1.14.1"].explanation
    assert "a bundle carries it" in told(report, "file:")["axios@1.14.1"].explanation

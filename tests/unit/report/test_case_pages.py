"""The pages and the timeline of a case: true to the dossier, quiet about fingerprints, inert."""

from __future__ import annotations

import csv
import io
import json
import re

import msgspec
import pytest

from pratique.model.case import Rotation
from pratique.model.dossier import Happening, JournalRow
from pratique.model.errors import UsageError
from pratique.model.plan import Manual, Plan, Step
from pratique.report.case_pages import armed, as_json, pages, status
from pratique.report.case_timeline import COLUMNS, microseconds, rendered
from pratique.workflow.dossier import together
from tests.unit.report.case_sample import EVERYTHING, dossier
from tests.unit.report.sample import REPORT


def shown(name: str, **changes: object) -> str:
    return re.sub(r"\s+", " ", pages(dossier(**changes))[name].decode("utf-8"))


def test_the_summary_says_how_far_it_got_what_is_done_and_what_is_open() -> None:
    page = shown("index.html")
    assert "3 places affected by axios-2026-03-31; the code ran in 2 of them" in page
    assert "1 of 8" in page
    assert "contain: 1 step open, first: contain shop-web" in page
    assert "preserve: 1 step open" not in page
    assert "0 of 1" in page


def test_a_settled_credential_is_counted_and_ticked() -> None:
    done = {"c0": Rotation(credential="c0", state="verified", grade="issuer-lists-it")}
    assert "1 of 1" in shown("index.html", rotations=done)
    assert "☑ verified (issuer-lists-it)" in shown("rotation.html", rotations=done)
    assert "☐ deployed" in shown("rotation.html")


def test_every_subject_with_a_sighting_has_a_page_that_the_summary_links() -> None:
    found = pages(dossier())
    subjects = {item.subject for item in REPORT.verdicts if item.sightings}
    names = {name for name in found if name.startswith("subject-")}
    assert names == {f"subject-{key}.html" for key in subjects}
    links = set(re.findall(r'href="(subject-[^"]+)"', found["index.html"].decode()))
    assert links == names


def test_no_page_shows_a_fingerprint_and_the_json_has_none() -> None:
    whole = dossier()
    assert "f1f2f3f4f5f6f7f8f9f0" not in "".join(page.decode() for page in pages(whole).values())
    assert "f1f2f3f4f5f6f7f8f9f0" not in json.dumps(as_json(whole))


def test_a_dead_mans_switch_stands_on_every_page_until_its_last_sweep_found_nothing() -> None:
    incident = next(item for item in REPORT.incidents if item.id == "axios-2026-03-31")
    assert incident.guidance is not None
    switch = msgspec.structs.replace(incident.guidance, dead_man_switch="A service watches the token.")
    others = tuple(item for item in REPORT.incidents if item is not incident)
    report = msgspec.structs.replace(REPORT, incidents=(msgspec.structs.replace(incident, guidance=switch), *others))

    def swept(*names: str) -> dict[str, str]:
        whole = dossier(reports=(report,), swept=names)
        told = {b"A service watches the token." in page for page in pages(whole).values()}
        own = "axios-2026-03-31" in armed(whole)
        assert told == {own}
        return armed(whole)

    assert "axios-2026-03-31" in swept()
    assert "axios-2026-03-31" in swept("tanstack-2026-05-11")
    assert "axios-2026-03-31" not in swept("axios-2026-03-31")


def test_a_plan_from_before_a_switch_was_seen_again_names_no_step_that_sets_it_off() -> None:
    incident = next(item for item in REPORT.incidents if item.id == "axios-2026-03-31")
    assert incident.guidance is not None
    switch = msgspec.structs.replace(incident.guidance, dead_man_switch="A service watches the token.")
    report = msgspec.structs.replace(REPORT, incidents=(msgspec.structs.replace(incident, guidance=switch),))
    step = Step(
        id="contain.block", phase="contain", title="Block the hosts in the hosts file", reason="", owner="responder",
        disposition="manual", action=Manual(), triggers_dead_man_switch=True,
    )  # fmt: skip
    plan = Plan(schema="", tool="", host="", made="", basis=(), case="", incidents=(), steps=(step,))
    before = pages(dossier(reports=(report,), plan=plan))["index.html"].decode()
    assert "Block the hosts" not in before
    assert "contain: 1 step open; make the plan anew after that" in before
    after = pages(dossier(reports=(report,), plan=plan, swept=("axios-2026-03-31",)))["index.html"].decode()
    assert "first: Block the hosts" in after


def test_the_status_is_that_of_the_verification_else_of_the_worst_report() -> None:
    assert status(dossier()) == "affected"
    assert status(dossier(verification={"status": "fixed"})) == "fixed"
    assert status(dossier(reports=())) == "under_investigation"
    nothing = msgspec.structs.replace(REPORT.coverage, artifacts=0, complete=True)
    assert status(dossier(reports=(msgspec.structs.replace(REPORT, verdicts=(), coverage=nothing),))) == (
        "under_investigation"
    )


def test_twice_the_same_bytes() -> None:
    assert pages(dossier()) == pages(dossier())


def test_hostile_text_is_inert_on_every_page() -> None:
    for page in pages(dossier(EVERYTHING)).values():
        text = page.decode("utf-8")
        assert "<script" not in text
        assert "<img" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_the_timeline_has_the_columns_of_timesketch_and_no_formula() -> None:
    hostile = Happening(time="2026-03-31T00:21:58.000Z", kind="file", meaning="=1+1", message='=HYPERLINK("x")')
    whole = dossier(timeline=(hostile,))
    rows = list(csv.DictReader(io.StringIO(b"".join(rendered(whole, "csv")).decode("utf-8"))))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["timestamp"] == str(microseconds("2026-03-31T00:21:58.000Z")) == "1774916518000000"
    assert rows[0]["message"].startswith("'=")
    assert rows[0]["timestamp_desc"].startswith("'=")


def test_the_timeline_holds_window_sightings_files_and_response_in_order() -> None:
    happenings = dossier().timeline
    assert [item.time for item in happenings] == sorted(item.time for item in happenings)
    assert {item.kind for item in happenings} == {"window", "sighting", "file", "response"}
    text = b"".join(rendered(dossier(), "text")).decode()
    assert "window opens" in text
    assert "evidence sealed" in text
    assert len(json.loads(b"".join(rendered(dossier(), "json")))) == len(happenings)
    assert b"What happened when" in b"".join(rendered(dossier(), "html"))
    with pytest.raises(UsageError):
        list(rendered(dossier(), "pdf"))


def test_what_a_verification_leaves_open_stands_in_words_and_its_answer_in_the_headline() -> None:
    still = [{"what": "npm: the same value still stands there", "advice": "Replace it"}, {"what": "shop: still there"}]
    page = shown("index.html", verification={"status": "affected", "open": still})
    assert "npm: the same value still stands there. Replace it" in page
    assert "{&#39;" not in page
    assert "Recovered: " in shown("index.html", verification={"status": "fixed", "open": []})
    assert "Not proven to be over: " in shown("index.html", verification={"status": "under_investigation", "open": []})


def test_inventories_of_several_accounts_are_shown_together_each_as_it_was_last() -> None:
    first = dossier().reach
    assert first is not None
    one = first.credentials[0]
    other = msgspec.structs.replace(one, id="other-1", place="$HOME/.pypirc")
    again = msgspec.structs.replace(one, tier=2)
    second = msgspec.structs.replace(first, identity="ci job", credentials=(other, again))
    merged = together([first, second, msgspec.structs.replace(second, credentials=())])
    assert merged is not None
    assert {item.id: item.tier for item in merged.credentials} == {one.id: 2, "other-1": other.tier}
    assert merged.identity == f"{first.identity}, ci job"
    assert together([]) is None


def test_a_long_timeline_leaves_out_times_of_files_before_what_people_did() -> None:
    files = [
        Happening(time=f"2026-03-31T00:{n // 60 % 60:02}:{n % 60:02}.000Z", kind="file", meaning=str(n), message="x")
        for n in range(600)
    ]
    last = Happening(time="2026-04-02T10:00:00.000Z", kind="response", meaning="note", message="unplugged by Ada")
    page = shown("timeline.html", timeline=(*files, last))
    assert "unplugged by Ada" in page
    assert "2026-04-02 10:00:00" in page
    assert "600 more left out here" in page


def test_the_evidence_page_says_who_copied_when_and_with_what() -> None:
    row = JournalRow(
        number=4, kind="evidence", time="2026-04-01T08:09:00.000Z", who="dev@laptop", words="", digest="4" * 64
    )
    page = shown("evidence.html", journal=(*dossier().journal, row))
    assert f"Copied by dev@laptop with {dossier().tool}, 2026-04-01 08:09:00 to 2026-04-01 08:09:00 UTC." in page

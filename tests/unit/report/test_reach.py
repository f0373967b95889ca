"""The inventory for people: hostile names are inert, nothing found is no all-clear."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from pratique.model.credential import SCHEMA, Credential, CredentialFact, ReachRefusal, ReachReport
from pratique.report import reach, reach_schema

HOSTILE = "\x1b[31m`|<b>*\u202e\n# x"


def report(
    *credentials: Credential, refusals: tuple[ReachRefusal, ...] = (), notes: tuple[str, ...] = ()
) -> ReachReport:
    return ReachReport(
        schema=SCHEMA,
        tool="pratique 0",
        host="laptop",
        made="2026-04-01T00:00:00.000Z",
        identity="dev (uid 1000)",
        catalogue="0" * 16,
        looked_at=3,
        windows=(("2026-03-31T00:00:00Z", None),),
        credentials=credentials,
        refusals=refusals,
        notes=notes,
    )


def credential(**more: object) -> Credential:
    base: dict[str, object] = {
        "id": "1" * 16,
        "location": "npm-rc",
        "provider": "npm",
        "tier": 0,
        "place": "$HOME/.npmrc",
        "fact": CredentialFact(field="_authToken", identity=(("host", "h.example"),), scopes=("read",), expires="2027"),
        "reach": "readable",
        "in_window": True,
        "taken": "in-reach",
        "modified": "2026-03-01T00:00:00Z",
        "mode": "0644",
        "others_can_read": True,
        "tracked": True,
        "same_as": ("2" * 16,),
        "secret": "npm-token",
    }
    return Credential(**{**base, **more})


def test_a_credential_for_people() -> None:
    text = " ".join(" ".join(reach.reach_lines(report(credential()))).split())
    assert (
        "TIER 0 Mints, publishes or controls an identity npm npm-token $HOME/.npmrc _authToken host h.example; may read; "
        "plaintext; mode 0644, others can read it; recorded in a git checkout; file changed 2026-03-01T00:00:00Z; "
        "expires 2027; readable, and there in the window; in reach of the incident's code; the same value as "
        f"{'2' * 16}; id {'1' * 16}" in text
    )


def test_hostile_names_are_inert() -> None:
    fact = CredentialFact(field=HOSTILE, identity=((HOSTILE, HOSTILE),), scopes=(HOSTILE,))
    refusal = ReachRefusal(location="x", place=HOSTILE, reason="not understood")
    found = report(credential(fact=fact, place=HOSTILE), refusals=(refusal,), notes=(HOSTILE,))
    for lines in (list(reach.reach_lines(found)), list(reach.reach_markdown(found))):
        text = "\n".join(lines)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\n# x" not in text
    markdown = "\n".join(reach.reach_markdown(found))
    assert "<b>" not in markdown
    assert all(line.count("|") in (0, 6) for line in markdown.splitlines() if line.startswith("|"))
    data = reach.reach_json(found)
    assert b"\x1b" not in data
    assert "\u202e".encode() not in data
    assert json.loads(data)["notes"] == [HOSTILE]


def test_nothing_found_and_not_all_looked_at_is_no_all_clear() -> None:
    assert reach.headline(report()) == "nothing in reach of dev (uid 1000) in the places of the table"
    refusal = ReachRefusal(location="x", place="$HOME/x", reason="took too long")
    text = "\n".join(reach.reach_lines(report(refusals=(refusal,))))
    assert "0 CREDENTIALS IN REACH OF DEV (UID 1000); 1 COULD NOT BE LOOKED AT" in text
    assert "$HOME/x: took too long (x)" in text


def test_what_was_made_later_says_so() -> None:
    text = " ".join(" ".join(reach.reach_lines(report(credential(in_window=False, reach="unknown-time")))).split())
    assert "made after the window" in text


def test_the_published_schema_is_that_of_the_model() -> None:
    assert reach_schema.PATH.read_text("utf-8") == reach_schema.text()


def test_an_inventory_keeps_to_the_schema() -> None:
    whole = Draft202012Validator(reach_schema.schema())
    refusal = ReachRefusal(location="x", place="y", reason="not understood")
    found = json.loads(reach.reach_json(report(credential(), refusals=(refusal,))))
    whole.validate(found)
    found["credentials"][0]["tier"] = 9
    assert not whole.is_valid(found)

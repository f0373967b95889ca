"""The answer of `pratique verify` as text: what is closed, what is open in order, hostile names harmless."""

from __future__ import annotations

from pratique.model.verification import CredentialAnswer, Open, SubjectAnswer, Verification
from pratique.report.verification import verification_json, verification_lines


def answer(**values: object) -> Verification:
    known: dict[str, object] = {
        "schema": "pratique.verification/1",
        "tool": "pratique 0",
        "host": "laptop",
        "made": "2026-11-26T08:00:00Z",
        "case": "ab" * 16,
        "status": "fixed",
        "subjects": (),
        "credentials": (),
        "open": (),
    }
    return Verification(**{**known, **values})


def subject(status: str, **values: object) -> SubjectAnswer:
    known: dict[str, object] = {
        "incident": "axios-2026-03-31",
        "subject": "file:///home/dev/shop",
        "kind": "project",
        "host": "laptop",
        "before": "executed",
        "now": None,
        "status": status,
        "reason": "the code ran there",
    }
    return SubjectAnswer(**{**known, **values})


def credential(age: int | None, closed: bool) -> CredentialAnswer:
    return CredentialAnswer(
        credential="c",
        provider="npm",
        tier=0,
        place="$HOME/.npmrc",
        field="_authToken",
        comparison="unchanged",
        recorded="",
        closed=closed,
        age=age,
        reason="not rotated",
    )


def text(found: Verification) -> str:
    return "\n".join(verification_lines(found))


def test_nothing_was_affected() -> None:
    assert text(answer()).startswith("FIXED  nothing was affected")
    assert answer().exit_code == 0


def test_a_run_that_is_not_recovered_gives_11_and_what_is_open_stands_in_order() -> None:
    found = answer(
        status="affected",
        subjects=(subject("affected"),),
        credentials=(credential(1, False), credential(240, False), credential(None, True)),
        open=(Open(what="first", advice="do it"), Open(what="second"), Open(what="third", blocks=False)),
    )
    said = text(found)
    assert found.exit_code == 11
    assert said.startswith("AFFECTED  1 of 1 place not recovered; 2 still open")
    assert "unchanged, 1 day old" in said
    assert "unchanged, 240 days old" in said
    assert said.index("1. first") < said.index("do it") < said.index("2. second") < said.index("- third")
    assert "1 of 3 closed" in said


def test_codes() -> None:
    installed = subject("affected", before="installed")
    assert answer(status="affected", subjects=(installed,)).exit_code == 10
    assert answer(status="affected", subjects=(installed, subject("fixed"))).exit_code == 10
    assert answer(status="under_investigation").exit_code == 4


def test_hostile_names_are_harmless() -> None:
    found = answer(subjects=(subject("fixed", subject="file:///\x1b[2J\u202eevil\n# x"),), notes=("a\x07b",))
    said = text(found)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "\x07" not in said
    assert b"\xe2\x80\xae" not in verification_json(found)

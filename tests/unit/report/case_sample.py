"""A dossier with something of everything, plain or with hostile text wherever text from outside can stand."""

from __future__ import annotations

from typing import Any

import msgspec

from pratique.model.case import EvidenceItem, MissingEvidence, Rotation, Sweep
from pratique.model.credential import Credential, CredentialFact, ReachRefusal, ReachReport
from pratique.model.dossier import Dossier, JournalRow
from pratique.model.plan import PHASES, Manual, Plan, Receipt, Step
from pratique.workflow.dossier import timeline
from tests.unit.report.sample import REPORT
from tests.unit.report.strategies import HOSTILE

EVERYTHING = " ".join(HOSTILE)


def dossier(text: str = "shop-web", **changes: Any) -> Dossier:
    """The dossier, with `text` in every place that text from outside can take."""
    evidence = (
        EvidenceItem(
            what=f"hidden lockfile of {text}",
            source=f"/srv/{text}/node_modules/.package-lock.json",
            digest="sha256:" + "ab" * 32,
            size=1135,
            kind="hidden-lockfile",
            order=4,
            incident="axios-2026-03-31",
            modified="2026-03-31T00:32:55.000Z",
            mode="0644",
            owner="1000:1000",
        ),
    )
    rows = (
        JournalRow(number=1, kind="opened", time="2026-04-01T08:00:00.000Z", who=text, words="", digest="1" * 64),
        JournalRow(number=2, kind="note", time="2026-04-01T08:05:00.000Z", who=text, words=text, digest="2" * 64),
        JournalRow(number=3, kind="seal", time="2026-04-01T08:10:00.000Z", who=text, words="", digest="3" * 64),
    )
    reach = ReachReport(
        schema="pratique.reach/1",
        tool="pratique 0.0.0",
        host=text,
        made="2026-04-01T08:06:00.000Z",
        identity="uid 1000",
        catalogue="1",
        looked_at=2,
        credentials=(
            Credential(
                id="c0",
                location="npm-rc",
                provider="npm",
                tier=0,
                place=f"$HOME/{text}",
                fact=CredentialFact(field="_authToken", identity=(("host", text),), fingerprint="f1f2f3f4f5f6f7f8f9f0"),
                reach="readable",
                in_window=True,
                taken="in-reach",
            ),
        ),
        refusals=(ReachRefusal(location="aws-static", place="$HOME/.aws", reason="permission denied"),),
    )
    steps = tuple(
        Step(
            id=f"{phase}.one",
            phase=phase,
            title=f"{phase} {text}",
            reason=text,
            disposition="manual",
            action=Manual(instructions=(text,)),
            owner="responder",
        )
        for phase in PHASES
    )
    plan = Plan(
        schema="pratique.plan/1",
        tool="pratique 0.0.0",
        host=text,
        made="2026-04-01T08:07:00.000Z",
        basis=(),
        case="0" * 32,
        incidents=("axios-2026-03-31",),
        steps=steps,
    )
    receipt = Receipt(
        schema="pratique.receipt/1",
        plan=plan.digest,
        step="preserve.one",
        outcome="by-hand",
        started="2026-04-01T08:08:00.000Z",
        finished="2026-04-01T08:08:00.000Z",
        who=text,
        message=text,
    )
    whole = Dossier(
        id="0" * 32,
        opened="2026-04-01T08:00:00.000Z",
        by=text,
        tool="pratique 0.0.0",
        head="3" * 64,
        host=text,
        incidents=("axios-2026-03-31",),
        reports=(REPORT,),
        report_digests=("4" * 64,),
        evidence=evidence,
        missing=(MissingEvidence(what=text, source=text, reason="lies with a service", incident="axios-2026-03-31"),),
        reach=reach,
        rotations={"c0": Rotation(credential="c0", state="deployed", words=text)},
        plan=plan,
        receipts=(receipt,),
        sweeps=(Sweep(incident="axios-2026-03-31", outcome="found", basis="by-hand", words=text),),
        notes=(("2026-04-01T08:05:00.000Z", text, text),),
        sealed=True,
        seals=1,
        journal=rows,
        timeline=tuple(timeline((REPORT,), evidence, rows)),
    )
    return msgspec.structs.replace(whole, **changes)

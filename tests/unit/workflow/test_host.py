"""What a case may record of a sweep, and what is said of a machine's gaps."""

from __future__ import annotations

import msgspec
import pytest

from pratique.model.report import RefusalEntry, Report
from pratique.workflow import host
from pratique.workflow.select import available
from tests.property.test_plan_laws import report_of

KNOWN, _ = available(None)


@pytest.mark.parametrize("incident", ["tanstack-2026-05-11", "chaindrop-2026-08-04"])
def test_a_switch_is_looked_for_where_its_definition_names_a_place(incident: str) -> None:
    assert host.names_a_place(KNOWN[incident], "linux")
    assert host.names_a_place(KNOWN[incident], "macos")
    assert not host.names_a_place(KNOWN[incident], "windows")


def with_gaps(*gaps: tuple[str, str]) -> Report:
    report = report_of(["tanstack-2026-05-11"])
    own = host.host_target().uri
    refusals = tuple(
        RefusalEntry(id="", target=own, path=path, reader="host", reason=reason, relevant=True) for path, reason in gaps
    )
    return msgspec.structs.replace(report, coverage=msgspec.structs.replace(report.coverage, refusals=refusals))


def test_gaps_come_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = ("pratique-processes.json", "the executable of 1 process could not be seen by this account: 1 init")
    assert host.gap_advice(with_gaps()) == []
    monkeypatch.setattr(host.machine, "is_root", lambda: False)
    assert host.gap_advice(with_gaps(hidden)) == ["gaps: 1 on this machine; run it as root, which opens most of them"]
    monkeypatch.setattr(host.machine, "is_root", lambda: True)
    said = host.gap_advice(with_gaps(hidden, ("etc/a", "permission denied"), ("etc/b", "permission denied")))
    assert len(said) == 2
    assert "1 init; look there by hand, then --accept-refusal pratique-processes.json=WHY" in said[0]
    assert said[1].startswith("gap: etc/a: permission denied and 1 more; look there by hand")

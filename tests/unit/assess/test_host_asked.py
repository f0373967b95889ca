"""What is asked of a machine: places of indicators, and gaps of the incidents that it can show."""

from __future__ import annotations

import msgspec

from pratique.assess import host_asked
from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.model.location import locate
from pratique.model.observation import HostFact, Observation, Refusal
from tests.unit.assess.machine import URI, incident


def test_questions_name_every_home_and_no_place_that_could_be_anywhere() -> None:
    one = incident(
        {"type": "file-path", "value": "~/.x/run.sh"},
        {"type": "file-path", "value": "**/y.js", "match": "glob"},
        {"type": "file-path", "value": "/tmp/z"},
        {"type": "file-path", "value": "%PROGRAMDATA%\\w.exe", "platforms": ["windows"]},
    )
    machine = HostFact(platforms=("linux",), live=False, homes=("/home/dev", "/root"))
    evidence = Evidence([Observation("host", locate(URI, "."), machine)], {}, {})
    asked = [item.path for item in host_asked.questions(Catalogue([one]), evidence)]
    assert asked == ["home/dev/.x/run.sh", "root/.x/run.sh", "tmp/z"]


def test_gaps_are_of_incidents_that_a_machine_can_show() -> None:
    shown = incident({"type": "file-path", "value": "/opt/x"})
    hidden = msgspec.structs.replace(incident({"type": "file-hash", "value": f"sha256:{'0' * 64}"}), id="hidden")
    refusals = [Refusal("x", "cron", "permission denied", True, URI), Refusal("x", "npm", "cut", True, "file:///x")]
    markers = {"standin": "incident:standin", "hidden": "incident:hidden"}
    found = list(host_asked.narrowed(refusals, Catalogue([shown, hidden]), markers, frozenset()))
    assert [item.names for item in found] == [("incident:standin",), ()]
    (only,) = host_asked.narrowed(refusals[:1], Catalogue([hidden]), markers, frozenset())
    assert not only.relevant

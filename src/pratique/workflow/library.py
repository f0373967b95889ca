"""Verbs on the incident library: a skeleton for a new definition."""

from __future__ import annotations

import datetime

from pratique.adapters import clock

_SKELETON = """# A definition of one package compromise. Check it with: pratique incident lint {identifier}.toml
# docs/how-to/write-an-incident.md explains every key; unknown keys are errors.
id = "{identifier}"
revision = 1
updated = {today}
title = "One line: what was compromised, and when"
summary = "What happened, in two or three sentences."
status = "active"              # active | contained | closed
completeness = "growing"       # fixed: the list is final | growing: more may be added | partial: known to lack some
listed_on = {today}
next_steps = ["Disconnect; do not delete or reinstall anything"]

[[references]]
id = "advisory"
title = "Who said so"
kind = "advisory"              # advisory | vendor-report | post-mortem | government | database | issue | list
retrieved = {today}

[[components]]
ecosystem = "npm"              # npm | PyPI | GitHub Actions
name = "example"
role = "payload"               # carrier | payload | vendored | decoy | downstream
trigger = "postinstall"
source = "advisory"

[[components.versions]]
version = "1.2.3"
# published = 2026-01-01T00:00:00Z
# removed = 2026-01-01T03:00:00Z
# sha512 = "sha512-..."        # the integrity that lockfiles hold
source = "advisory"

[[triggers]]
id = "postinstall"
kind = "install-script"        # install-script | import | interpreter-start | app-runtime | browser | build | action
script = "postinstall"
blocked_by = ["ignore-scripts"]
"""


def incident_skeleton(identifier: str, today: datetime.date | None = None) -> str:
    """The text of a definition with every required key and the reasons to fill the others. It passes the loader."""
    return _SKELETON.format(identifier=identifier, today=today or clock.now().date())

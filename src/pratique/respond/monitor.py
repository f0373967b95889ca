"""Monitor: what to watch after the recovery, and until when."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from pratique.model.plan import Command, Manual, Step
from pratique.respond import preserve, seen
from pratique.respond.situation import Situation

INDICATORS = 90
"""Days for which contact with the incident's hosts is watched for."""
ACCOUNTS = 90
"""Days for which audit logs are read: about as long as hosted services keep them."""
DEFINITION = 30
"""Days after which an incident that is still growing is looked up again."""


def steps(situation: Situation) -> Iterator[Step]:
    """Indicators, accounts, and the definition itself."""
    found = seen.sights(situation)
    if not found:
        return
    for incident in seen.definitions(situation):
        sights = [sight for sight in found if sight.entry.incident == incident.id]
        watched = [
            f"{item.type}: {item.value} ({item.confidence})"
            for item in incident.indicators
            if item.type in ("domain", "ip", "url", "user-agent", "http-body", "file-path", "repository-description")
        ]
        if watched:
            yield Step(
                id=f"monitor.indicators.{incident.id}",
                phase="monitor",
                title=f"Watch for the traces of {incident.id}",
                reason="A machine that nobody knows of may still talk to its hosts.",
                disposition="manual",
                action=Manual(
                    instructions=(
                        "Alert on these in resolver, proxy, firewall and endpoint logs, back to the first listed"
                        " release as well.",
                        *watched,
                    ),
                ),
                owner="platform-engineer",
                incidents=(incident.id,),
                after=(preserve.COLLECT,),
                undo="Take the alert out again.",
                check="A test event of each kind raises the alert.",
                until=_later(situation, INDICATORS),
                sightings=seen.ids(sights),
            )
        if incident.completeness != "fixed" or incident.status == "active":
            yield Step(
                id=f"monitor.definition.{incident.id}",
                phase="monitor",
                title=f"Check again with a newer list of {incident.id}",
                reason=f"Its list is {incident.completeness} and the incident {incident.status}: more may be added.",
                disposition="manual",
                action=Manual(
                    instructions=("Update this program or its definitions, and check the same places.",),
                    commands=(Command(words=("pratique", "check", "--incident", incident.id)),),
                ),
                owner="responder",
                incidents=(incident.id,),
                after=(preserve.COLLECT,),
                undo="Nothing is changed.",
                check="The revision of the definition is newer, and the answer still holds.",
                until=_later(situation, DEFINITION),
                sightings=seen.ids(sights),
            )
    yield Step(
        id="monitor.accounts",
        phase="monitor",
        title="Read the audit logs of source hosting, registries, clouds and identity",
        reason="Access that was taken is used later, and leaves other keys behind.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Export them now: hosted services keep them for a limited time.",
                "Look for deploy keys, SSH keys, tokens, applications, webhooks and runners made since the first listed"
                " release.",
                "Look for repositories, branches and workflows that nobody made, and releases without a tag.",
                "Look for sign-ins and calls of the affected identities from unknown addresses.",
                "Read them again weekly until the date of this step.",
            ),
            commands=(
                Command(words=("gh", "api", "repos/<OWNER/REPO>/keys"), where="other-machine", note="deploy keys"),
                Command(
                    words=("gh", "api", "orgs/<ORG>/audit-log?phrase=created:>=<DATE>", "--paginate"),
                    where="other-machine",
                ),
                Command(words=("gh", "api", "repos/<OWNER/REPO>/hooks"), where="other-machine", note="webhooks"),
                Command(words=("gh", "api", "repos/<OWNER/REPO>/actions/runners"), where="other-machine"),
            ),
        ),
        owner="credential-owner",
        incidents=seen.named(found),
        after=(preserve.COLLECT,),
        undo="Nothing is changed.",
        check="Somebody who knows the account explains every entry.",
        until=_later(situation, ACCOUNTS),
        sightings=seen.ids(found),
    )


def _later(situation: Situation, days: int) -> str:
    return (situation.today + datetime.timedelta(days=days)).isoformat()

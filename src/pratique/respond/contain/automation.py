"""Pause what installs, updates and publishes by itself: pipelines, update bots, releases. For people."""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems import purl as purls
from pratique.model.plan import Command, Manual, Step
from pratique.respond import preserve, seen
from pratique.respond.situation import Situation

DEPENDABOT = """\
version: 2
updates:
  - package-ecosystem: {world}
    directory: "/"
    schedule:
      interval: "weekly"
    ignore:
{ignored}
    open-pull-requests-limit: 0   # no new version updates; security updates are switched off in the settings
"""
RENOVATE = """\
{{
  "packageRules": [
    {{
      "description": "{incident}: held until the response is over",
      "matchPackageNames": [{names}],
      "enabled": false
    }}
  ]
}}
"""


def steps(situation: Situation) -> Iterator[Step]:
    """Pipelines, update bots and publishing, where a listed release was seen."""
    found = [sight for sight in seen.sights(situation) if sight.entry.purl]
    if not found:
        return
    yield Step(
        id="contain.pipelines",
        phase="contain",
        title="Pause pipelines that build or deploy what was seen",
        reason=f"Each run may fetch, run or ship a listed release again. {seen.because(found)}.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Pause scheduled runs first, then those of pushes and merges, then deployments.",
                "Leave runs that have ended where they are: their logs are evidence.",
                "Empty no cache of pipelines yet: copy its list first.",
            ),
            commands=(
                Command(words=("gh", "workflow", "list", "--all", "-R", "<OWNER/REPO>"), where="other-machine"),
                Command(words=("gh", "workflow", "disable", "<WORKFLOW>", "-R", "<OWNER/REPO>"), where="other-machine"),
                Command(words=("gh", "cache", "list", "-R", "<OWNER/REPO>"), where="other-machine"),
            ),
        ),
        owner="platform-engineer",
        incidents=seen.named(found),
        after=(preserve.COLLECT,),
        undo="gh workflow enable <WORKFLOW> -R <OWNER/REPO>",
        check="No new run starts in an affected repository.",
        sightings=seen.ids(found),
    )
    yield from _bots(found)
    yield Step(
        id="contain.publishing",
        phase="contain",
        title="Freeze publishing of your own packages and images",
        reason="A build with a listed release in it must not become somebody else's incident.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Take the approval of release environments back to named people, or hold it there.",
                "Ask every maintainer to publish nothing by hand.",
                "List releases since the first listed one, and compare each with its tag and its run.",
            ),
            commands=(
                Command(words=("npm", "view", "<YOUR PACKAGE>", "time", "--json"), where="other-machine"),
                Command(words=("gh", "release", "list", "-R", "<OWNER/REPO>", "--limit", "50"), where="other-machine"),
            ),
        ),
        owner="repository-owner",
        incidents=seen.named(found),
        after=(preserve.COLLECT,),
        undo="Publish again after the verification.",
        check="Every release since then has a tag and a run that somebody knows.",
        sightings=seen.ids(found),
    )


def _bots(found: list[seen.Sight]) -> Iterator[Step]:
    by_world: dict[str, set[str]] = {}
    for sight in found:
        parsed = purls.parse(sight.entry.purl)
        if parsed is not None and parsed.ecosystem and (sight.entry.kind, sight.target_kind) != ("indicator", "host"):
            by_world.setdefault(parsed.ecosystem, set()).add(parsed.name)
    if not by_world:
        return
    worlds = {"npm": "npm", "PyPI": "pip", "GitHub Actions": "github-actions"}
    parts: list[str] = []
    names = sorted({name for group in by_world.values() for name in group})
    for world, group in sorted(by_world.items()):
        ignored = "\n".join(f'      - dependency-name: "{_quoted(name)}"' for name in sorted(group))
        parts.append("# .github/dependabot.yml\n" + DEPENDABOT.format(world=worlds.get(world, world), ignored=ignored))
    parts.append(
        "# renovate.json\n"
        + RENOVATE.format(
            incident=", ".join(seen.named(found)), names=", ".join(f'"{_quoted(name)}"' for name in names)
        )
    )
    yield Step(
        id="contain.update-bots",
        phase="contain",
        title="Hold update bots back from the listed packages",
        reason="A bot raises the version again, and a merge or its own run installs it.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Merge these entries into the configuration that is there; close open requests of the bots by hand.",
                "Security updates of Dependabot ignore that limit: switch them off in the repository's settings.",
                'All of Renovate is off with `"enabled": false` at the top of its configuration.',
            ),
            commands=(
                Command(
                    words=("gh", "pr", "list", "-R", "<OWNER/REPO>", "--author", "app/dependabot"),
                    where="other-machine",
                ),
                Command(
                    words=("gh", "api", "-X", "DELETE", "repos/<OWNER/REPO>/automated-security-fixes"),
                    where="other-machine",
                    note="security updates off",
                ),
            ),
            text="\n".join(parts),
        ),
        owner="repository-owner",
        incidents=seen.named(found),
        after=(preserve.COLLECT,),
        undo="Take the entries out again; gh api -X PUT repos/<OWNER/REPO>/automated-security-fixes",
        check="No bot opens a request for these names.",
        sightings=seen.ids(found),
    )


def _quoted(name: str) -> str:
    """A name as it may stand between double quotes of YAML and JSON."""
    return "".join(char for char in name if char.isprintable() and char not in '"\\')

"""Verify: the looks that show that it is over, by somebody who did not do the work."""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.plan import Command, Manual, Step
from pratique.respond import preserve, seen
from pratique.respond.situation import Situation


def steps(situation: Situation) -> Iterator[Step]:
    """Every place again, then the machine, then what was built since."""
    found = seen.sights(situation)
    if not found:
        return
    places = sorted({sight.entry.location.target for sight in found})
    yield Step(
        id="verify.places",
        phase="verify",
        title="Look at every place of the case again",
        reason="A step that was done is no proof that nothing is left.",
        disposition="manual",
        action=Manual(
            instructions=("Examine the same places with the same options:", *places),
            commands=(Command(words=("pratique", "verify", "<CASE>")),),
        ),
        owner="responder",
        incidents=seen.named(found),
        after=(preserve.COLLECT,),
        undo="Nothing is changed.",
        check="The answer is fixed for every subject, and no relevant place was left unread.",
        check_command=Command(words=("pratique", "verify", "<CASE>")),
        sightings=seen.ids(found),
    )
    yield Step(
        id="verify.host",
        phase="verify",
        title="Look at the machines again: processes, connections, start-up entries",
        reason="What was planted outside packages is not seen in lockfiles.",
        disposition="manual",
        action=Manual(
            instructions=("On every affected machine, before and after a new login.",),
            commands=(Command(words=("pratique", "host", "--case", "<CASE>")),),
        ),
        owner="responder",
        incidents=seen.named(found),
        after=(preserve.COLLECT,),
        undo="Nothing is changed.",
        check="No indicator is seen, and nothing could not be looked at.",
        check_command=Command(words=("pratique", "host", "--case", "<CASE>")),
        sightings=seen.ids(found),
    )
    yield Step(
        id="verify.builds",
        phase="verify",
        title="Build anew from the repaired lockfiles and look at what comes out",
        reason="Caches of pipelines and layers of images bring old bytes back.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Build without any cache, with scripts of packages off, and in the frozen mode of the package manager.",
                "Check the output, the image and the log of the run.",
            ),
            commands=(
                Command(words=("pratique", "check", "ci-log:<LOG>"), where="other-machine"),
                Command(words=("pratique", "check", "image:<IMAGE>"), where="other-machine"),
            ),
        ),
        owner="platform-engineer",
        incidents=seen.named(found),
        after=("verify.places",),
        undo="Nothing is changed.",
        check="Neither names a listed release.",
        sightings=seen.ids(found),
    )

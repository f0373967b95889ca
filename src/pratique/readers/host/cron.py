"""Tables of cron: of the system, of users, and the scripts of its daily and other folders.

## Reads
`etc/crontab`, `etc/anacrontab`, `cron.d`, the spools of users (`crontabs`, `tabs`, `spool/cron`), and the scripts of
`cron.hourly`, `cron.daily`, `cron.weekly`, `cron.monthly` and `periodic`. Of each line the account, programs and script
files.

## Leaves out
Values of variables, arguments, what a line hands to its command as input.

## References
crontab(5) of cronie and of Debian's cron; anacrontab(5); periodic(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import MOST_LINES, entry, merged, text_of
from pratique.readers.text import refuse

_ASSIGNMENT = re.compile(r"\s*[\"']?\w+[\"']?\s*=")
_NICK = re.compile(r"@[a-z]{3,20}\s+(.*)")
_FIELDS = re.compile(r"(?:[\w*/,~-]+\s+){5}(.*)")
_ANACRON = re.compile(r"(?:@?\w+)\s+\d+\s+[\w.-]+\s+(.*)")
_SCRIPTS = re.compile(r"(?:^|/)(?:cron\.(?:hourly|daily|weekly|monthly)|periodic/\w+)/[^/]+$")
_SYSTEM = re.compile(r"(?:^|/)etc/(?:crontab|cron\.d/[^/]+)$")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield every entry. Raises Unreadable."""
    data = artifact.content()
    path = artifact.path
    name = path.rpartition("/")[2]
    if b"\0" in data:
        yield refuse(artifact, READER, "holds bytes that are no text")
    text = text_of(data)
    if _SCRIPTS.search(path):
        if name.startswith(".") or name == "0anacron":
            return
        yield from entry(artifact, READER, merged([text], interest), mechanism="cron", name=name, when="timer")
        return
    owner = None if _SYSTEM.search(path) or name == "anacrontab" else name
    odd = 0
    for number, raw in enumerate(text.split("\n")[:MOST_LINES], start=1):
        line = raw.strip()
        if not line or line.startswith("#") or _ASSIGNMENT.match(line):
            continue
        match = _ANACRON.fullmatch(line) if name == "anacrontab" else _NICK.fullmatch(line) or _FIELDS.fullmatch(line)
        if match is None:
            odd += 1
            continue
        rest, user = match[1], owner
        if owner is None and name != "anacrontab":
            user, _, rest = re.sub(r"\s+", " ", rest, count=1).partition(" ")
        command = re.split(r"(?<!\\)%", rest, maxsplit=1)[0]
        when = line.split()[0] if line.startswith("@") else "timer"
        found = merged([command], interest)
        label = f"{name}:{number}"
        yield from entry(
            artifact, READER, found, line=number, user=_plain(user), mechanism="cron", name=label, when=when
        )
    if odd:
        yield refuse(artifact, READER, f"{odd} lines are no entries that are understood")
    if text.count("\n") > MOST_LINES:
        yield refuse(artifact, READER, f"has more than {MOST_LINES} lines")


def _plain(user: str | None) -> str | None:
    return user if user is not None and re.fullmatch(r"[\w.$-]{1,64}", user) else None


READER = Reader(
    name="cron",
    ecosystem="host",
    read=read,
    folders=(
        ("etc", "cron.d"),
        ("etc", "cron.hourly"),
        ("etc", "cron.daily"),
        ("etc", "cron.weekly"),
        ("etc", "cron.monthly"),
        ("etc", "crontabs"),
        ("etc", "periodic"),
        ("spool", "cron"),
        ("cron", "tabs"),
        ("at", "tabs"),
    ),
    limit=MEBIBYTE,
    subject="machine",
    doors=("host",),
)

"""What shells run when they start: .bashrc, .profile, .zshrc, fish and PowerShell, of users and of the system.

## Reads
The programs and script files that the commands name, and the texts that indicators look for in such files (`where` is
`shell-start`). Comments are left out.

## Leaves out
The lines themselves, and values of variables. Functions and conditions are not followed: a file that is named counts
as started. Files that `source` brings in, unless they stand in a place that is looked at.

## References
bash(1) "INVOCATION"; zsh(1) "STARTUP/SHUTDOWN FILES"; fish documentation "Configuration files"; Microsoft,
"about_Profiles".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import ContentFact, Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import entry, merged, text_of
from pratique.readers.text import refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what the file starts. Raises Unreadable."""
    data = artifact.content()
    name = artifact.path.rpartition("/")[2]
    if b"\0" in data and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        yield refuse(artifact, READER, "holds bytes that are no text")
    text = text_of(data)
    code = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    found = merged([code], interest, windows=name.endswith(".ps1"))
    yield from entry(artifact, READER, found, mechanism="shell-start", name=name, when="shell")
    for value in interest.fragments.get("shell-start", ()):
        if value in code:
            yield Observation(READER.name, artifact.location(), ContentFact(value=value, kind_of_file="shell-start"))


READER = Reader(
    name="shell-start",
    ecosystem="host",
    read=read,
    basenames=(
        ".bash_login",
        ".bash_logout",
        ".bash_profile",
        ".bashrc",
        ".kshrc",
        ".profile",
        ".zlogin",
        ".zlogout",
        ".zprofile",
        ".zshenv",
        ".zshrc",
        "Microsoft.PowerShell_profile.ps1",
        "bash.bashrc",
        "bashrc",
        "config.fish",
        "init.sh",
        "profile",
        "profile.ps1",
        "rc.local",
        "zlogin",
        "zprofile",
        "zshenv",
        "zshrc",
    ),
    limit=8 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)

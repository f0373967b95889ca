"""deno's marks in node_modules/.deno: which releases it set up, and whether their install scripts ran.

## Reads
`node_modules/.deno/<name>@<version>/` of deno 1.46 to 2.9: `.initialized` (the package's folder is complete),
`.scripts-run` (its install scripts were run) and `.scripts-warned` (they were held back). The files are empty: the
folder's name says which release, the modification time says when. Names with capital letters, which deno writes in
base32, are decoded.

## Leaves out
Which of preinstall, install and postinstall ran, and how they ended: deno sets the mark after a failure too, so the
facts name the phase `install` and leave the exit code open. `.deno.lock` and `.setup-cache.bin` hold nothing more.

## References
denoland/deno, libs/npm_installer/local.rs and lifecycle_scripts.rs.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems.npm.paths import split_virtual
from pratique.model.location import shown
from pratique.model.observation import ComponentFact, Observation, Refusal, ScriptFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.text import refuse

MARKS = (".initialized", ".scripts-run", ".scripts-warned")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what a mark says of a release of interest; marks elsewhere than in a package's folder say nothing."""
    parts = artifact.path.rsplit("/", 3)
    if len(parts) < 3 or parts[-1] not in MARKS or parts[-3] != ".deno":
        return
    folder, mark = parts[-2], parts[-1]
    release = release_of(folder)
    if release is None:
        yield refuse(artifact, READER, "lies in a folder whose name tells no release")
        return
    name, version = release
    if name not in interest.wanted("npm"):
        return
    where = artifact.location()
    if mark == ".initialized":
        component = ComponentFact(
            name=name,
            version=version,
            depth="installed",
            record="installed-record",
            folder=f"{shown(artifact.path.rpartition('/')[0])}/node_modules/{name}",
        )
        times = artifact.modified_time("deno had set the package's folder up")
        yield Observation(READER.name, where, component, times)
        return
    ran = mark == ".scripts-run"
    script = ScriptFact(name=name, version=version, script="install", outcome="finished" if ran else "blocked")
    meaning = "the install scripts had run" if ran else "deno held the install scripts back"
    yield Observation(READER.name, where, script, artifact.modified_time(meaning))


def release_of(folder: str) -> tuple[str, str] | None:
    """Name and version out of a folder's name; a copy's number and a build's hash behind the version are dropped."""
    try:
        folder.encode()
    except UnicodeEncodeError:
        return None
    release = split_virtual(folder)
    return None if release is None or release[0].startswith("_") else release


READER = Reader(
    name="deno-state",
    ecosystem="npm",
    read=read,
    suffixes=MARKS,
    folders=((".deno",),),
    subject="project",
    content="name",
)

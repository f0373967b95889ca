"""Yarn classic's record of an install: node_modules/.yarn-integrity.

## Reads
The JSON that Yarn 1 writes at the end of each full install. `lockfileEntries` holds every release as it was installed,
so the record stands when the lockfile is changed afterwards. `flags` says whether scripts were off (`ignoreScripts`);
`artifacts` lists, for releases with install scripts, the files that these scripts made or changed: they ran to their
end. The file's modification time is the end of the install.

## Leaves out
Where each package was put. An absent entry in `artifacts` says nothing: a script may leave no new file, and one that
swaps files by renaming does not show. Which of a release's install scripts ran is not recorded; `postinstall` stands
for them. Entries without a version (links, folders, git sources) are left out.

## References
Yarn 1.22.22, lib/cli.js (integrity checker, package install scripts).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.npm.urls import origin_of, strip_url, tarball_release
from pratique.ecosystems.npm.yarn import is_version, origin_of_range, real_name, split_ident
from pratique.model.observation import ComponentFact, Observation, PolicyFact, Refusal, ScriptFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.syml import sound
from pratique.readers.text import decode_text, load_json, refuse

_IN_URL = re.compile(r"[/-](\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+?)?)(?:\.t(?:ar\.)?gz)?(?:[/?#]|$)")

_LINE = re.compile(r'^ +"([^"\\\n]+)": "([^"\\\n]*)",?\r?$', re.MULTILINE)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one installed component for each entry of a name of interest, script runs, and the scripts' switch."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    reason = None
    try:
        document: Any
        document, twice = load_json(text)
        if twice is not None:
            reason = f"the key {sound(twice)[:80]!r} stands twice"
    except (ValueError, RecursionError):
        reason = "is not whole JSON"
        document = {"lockfileEntries": dict(_LINE.findall(text[max(text.find('"lockfileEntries"'), 0) :]))}
    entries = document.get("lockfileEntries") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        yield refuse(artifact, READER, "has no lockfileEntries")
        return
    wanted = interest.wanted("npm")
    times = artifact.modified_time("the install that wrote this record ended")
    location = artifact.location()
    unknown: set[str] = set()
    seen: set[ComponentFact] = set()
    for pattern, resolved in entries.items():
        parts = real_name(sound(pattern))
        if parts is None or not isinstance(resolved, str):
            continue
        name, alias, asked = parts
        resolved = sound(resolved)
        origin = origin_of(resolved) if origin_of_range(asked) == "registry" and resolved else origin_of_range(asked)
        release = tarball_release(resolved) if origin == "registry" else None
        if release is not None and release[0] != name:
            alias, name = alias or name, release[0]
        if name not in wanted:
            continue
        version = release[1] if release else _version(asked, resolved)
        if version is None:
            if origin in ("registry", "unknown", "remote-tarball"):
                unknown.add(name)
            continue
        fact = ComponentFact(
            name=name,
            version=version,
            depth="installed",
            record="installed-record",
            origin=origin,
            resolved=strip_url(resolved) if resolved else None,
            alias=alias if alias != name else None,
        )
        if fact not in seen:
            seen.add(fact)
            yield Observation(READER.name, location, fact, times)
    artifacts = document.get("artifacts")
    for release_text in artifacts if isinstance(artifacts, dict) else ():
        ident = split_ident(sound(release_text))
        if ident is not None and ident[1] and ident[0] in wanted and artifacts[release_text]:
            script = ScriptFact(name=ident[0], version=ident[1], script="postinstall", outcome="finished")
            yield Observation(READER.name, location, script, times)
    flags = document.get("flags")
    if isinstance(flags, list) and "ignoreScripts" in flags:
        policy = PolicyFact(setting="ignore-scripts", value="true", manager="yarn")
        yield Observation(READER.name, location, policy, times)
    if reason is not None:
        yield refuse(artifact, READER, reason)
    if unknown:
        names = tuple(sorted(unknown))
        yield refuse(artifact, READER, "names packages without saying their version", names=names)


def _version(asked: str, resolved: str) -> str | None:
    """The version where the URL has not the form of a registry's: an exact range, else what the URL holds."""
    if is_version(asked):
        return asked
    match = _IN_URL.search(resolved) if "://" in resolved and origin_of(resolved) != "git" else None
    return match[1] if match else None


READER = Reader(
    name="yarn-integrity",
    ecosystem="npm",
    read=read,
    basenames=(".yarn-integrity",),
    subject="project",
)

"""pnpm's state of a workspace: node_modules/.pnpm-workspace-state-v1.json.

## Reads
The file that pnpm 10 to 12 write after an install: when the tree was last found to agree with the lockfile, the
settings in force then (script allow-lists, the least age of a release, overrides, catalogs), and in pnpm 12 what every
manifest of the workspace asked for at that time, which the manifest itself may no longer say.

## Leaves out
The paths, patterns and digests that pnpm compares to see whether anything changed. pnpm 11 writes no such file when it
stopped because of blocked scripts.

## References
pnpm 12.21.0, workspace state package; files of pnpm 10 to 12 as recorded in this project's fixtures.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Fact, Observation, PolicyFact, Refusal, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader, iso_time
from pratique.readers.npm.package_lock import Pairs
from pratique.readers.npm.pnpm_settings import catalog_ranges, is_asked, policies, protections, ranges
from pratique.readers.npm.pnpm_yaml import Parsed, read_either
from pratique.readers.text import decode_text, refuse

_FIELDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the policies in force at the last validation, and what was asked for among names of interest."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    parsed: Parsed = read_either(text)
    document = parsed.documents[0] if parsed.documents else None
    if parsed.damage is not None:
        yield refuse(artifact, READER, parsed.damage)
    elif not isinstance(document, Pairs):
        yield refuse(artifact, READER, "is not a mapping" if text.strip() else "is empty")
    elif document.get("lastValidatedTimestamp") is None:
        yield refuse(artifact, READER, "has no lastValidatedTimestamp")
    if not isinstance(document, Pairs):
        return
    times: tuple[Time, ...] = ()
    moment = document.get("lastValidatedTimestamp")
    if isinstance(moment, int | float) and 0 < moment < 1e14:
        value = iso_time(moment / 1000)
        times = (Time("pnpm last found the tree in agreement with the lockfile", value, "lastValidatedTimestamp"),)
        validated = PolicyFact(setting="lastValidatedTimestamp", value=value, manager="pnpm")
        yield Observation(READER.name, artifact.location(), validated, times)
    for fact in _facts(document, interest.wanted("npm")):
        yield Observation(READER.name, artifact.location(), fact, times)  # type: ignore[arg-type]  # each fact is of the union


def _facts(document: Pairs, wanted: frozenset[str] | Everything) -> Iterator[Fact]:
    settings = document.get("settings")
    if isinstance(settings, Pairs):
        yield from (policy for policy in policies(settings) if is_asked(policy.names, wanted))
        yield from (fact for fact in protections(settings.get("overrides"), "overrides") if fact.name in wanted)
        yield from (asked for asked in catalog_ranges(settings.get("catalogs"), "catalogs") if asked.name in wanted)
    validation = document.get("validation")
    manifests = validation.get("manifestFiles") if isinstance(validation, Pairs) else None
    for folder, manifest in manifests.pairs if isinstance(manifests, Pairs) else []:
        fields = manifest.get("fields") if isinstance(manifest, Pairs) else None
        if not isinstance(fields, Pairs):
            continue
        for field in _FIELDS:
            where = field if folder == "." else f"{field} of {folder}"
            yield from (asked for asked in ranges(fields.get(field), where) if asked.name in wanted)


READER = Reader(
    name="pnpm-workspace-state",
    ecosystem="npm",
    read=read,
    basenames=(".pnpm-workspace-state-v1.json",),
    subject="project",
)

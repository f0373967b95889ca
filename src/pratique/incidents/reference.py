"""The reference page of the bundled incidents.

python -m pratique.incidents.reference    prints docs/reference/incidents.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from pratique.incidents.index import load_bundled
from pratique.model.incident import Incident

_HEAD = """\
# Bundled incidents

<!-- Generated: python -m pratique.incidents.reference -->

Every release listed here is exact: name and version as a source gives them, never a range. What a source does not
give (a time, a digest, a version) is left out rather than guessed.

The column "list" says what "not listed" means: `fixed`, the list is final; `growing`, releases were still being
added when it was made; `partial`, it is known to lack some. Only `fixed` supports an unqualified negative.

"Order" marks incidents whose code destroys data, or watches a stolen token and destroys data when it is revoked:
read `remediation` of such an incident before you revoke anything.
"""

_TAIL = """\
## What is left out, and why

- Other ecosystems. A definition can name npm and PyPI packages and GitHub Actions. The sources also list Composer
  packages (laravel-lang, May 2026), Go modules (August 2026), Rust crates, RubyGems, editor extensions (Nx Console,
  May 2026) and release archives (xz, 2024). They are not bundled.
- Names without versions, and ranges. Advisories that call every version of a package bad have flagged clean releases;
  only exact versions are taken.
- Placeholders. `0.0.1-security` and the like are put in place by a registry after a removal and are harmless.
- Indicators with a single secondary source carry confidence `low`; those read through a report that cites the
  original carry at most `medium`.
- What rests on general knowledge alone names the source `general` and carries confidence `low`.

The version lists (`<id>.versions.tsv`) are written by `scripts/make_version_lists.py` from a public list of
compromised releases; `scripts/campaigns.toml` says which release belongs to which campaign. `NOTICE` names the
sources and their licences.
"""


def page(incidents: Iterable[Incident]) -> str:
    """The page for these incidents, newest first."""
    rows = []
    releases = packages = 0
    for incident in sorted(incidents, key=_newest, reverse=True):
        listed = sum(len(component.versions) for component in incident.components)
        releases += listed
        packages += len(incident.components)
        ecosystems = ", ".join(sorted({component.ecosystem for component in incident.components}, key=str.lower))
        order = "token watcher" if incident.dead_man_switch else "destructive" if incident.destructive else ""
        rows.append(
            f"| `{incident.id}` | {incident.title} | {ecosystems} | {len(incident.components):,} | {listed:,} "
            f"| {incident.status} | {incident.completeness} | {order} |"
        )
    table = [
        "| Id | Incident | Ecosystem | Packages | Releases | Status | List | Order |",
        "|---|---|---|---:|---:|---|---|---|",
        *rows,
    ]
    total = f"{len(rows)} incidents, {packages:,} entries for packages, {releases:,} exact releases."
    return "\n".join([_HEAD, total, "", *table, "", _TAIL])


def _newest(incident: Incident) -> tuple[str, str]:
    starts = [window.start.isoformat() for window in incident.windows]
    return (min(starts) if starts else _year(incident.id), incident.id)


def _year(incident_id: str) -> str:
    parts = [part for part in incident_id.split("-") if part.isdigit() and len(part) == 4]
    return incident_id[incident_id.index(parts[0]) :] if parts else ""


if __name__ == "__main__":
    sys.stdout.write(page(load_bundled()))

"""pyproject.toml: pins (`==`) of a listed release in the project's own requirements become pins of the good one.

Only lists of requirements are read: `project.dependencies`, `project.optional-dependencies`, `dependency-groups` and
uv's `dev-dependencies`. Poetry's and PDM's own tables stay: their lockfiles hold a digest of them.
"""

from __future__ import annotations

import re

from pratique.ecosystems.edits import Span, decoded, edited
from pratique.ecosystems.pypi.locks.records import ECOSYSTEM
from pratique.ecosystems.repairs import Unfit, Wanted, total
from pratique.ecosystems.toml_spans import items, parse
from pratique.model.repair import Change, Correction, LockCodec, Releases, Repaired

_PIN = re.compile(
    r"[\"'][ \t]*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[[^\]]*\])?[ \t]*\(?===?[ \t]*(?P<version>[^\s;,)\"']+)"
    r"(?P<more>[ \t]*,)?"
)
_LISTS = (("project", "dependencies"), ("tool", "uv", "dev-dependencies"))
_TABLES = (("project", "optional-dependencies"), ("dependency-groups",))


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every pin of a listed release; `releases` is not asked. Raises Unfit."""
    text = decoded(content)
    tables = parse(text) if text is not None else None
    if text is None or tables is None:
        raise Unfit("it is not TOML in UTF-8")
    wanted = Wanted(corrections, ECOSYSTEM)
    spans: list[Span] = []
    changes: list[Change] = []
    for table in tables:
        for entry in table.entries:
            path = (*table.path, *entry.key)
            if path not in _LISTS and path[:-1] not in _TABLES:
                continue
            for start, end in items(text, entry.start) if text[entry.start] == "[" else ():
                pin = _PIN.match(text, start, end)
                found = wanted.of(pin["name"], pin["version"]) if pin is not None else None
                if pin is None or found is None:
                    continue
                good = wanted.near(found, pin["version"])
                if good is None or pin["more"]:
                    raise Unfit(f"{'.'.join(path)} pins {pin['name']} {pin['version']}: change it by hand")
                spans.append(Span(pin.start("version"), pin.end("version"), good))
                why = "it pins a listed release"
                name = f"{'.'.join(path)}: {pin['name']}"
                changes.append(Change(entry=name, was=pin["version"], now=good, why=why))
    return Repaired(content=edited(text, spans).encode() if spans else content, changes=tuple(sorted(changes)))


CODEC = LockCodec(
    name="python-manifest", basenames=("pyproject.toml",), managers=("uv",), ecosystem=ECOSYSTEM, repair=total(repair)
)

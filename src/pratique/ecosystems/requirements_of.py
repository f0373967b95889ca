"""What a release asks for when it is installed or built, out of its manifest alone."""

from __future__ import annotations

from collections.abc import Mapping
from email.parser import HeaderParser
from typing import Any

import msgspec

from pratique.ecosystems.pypi.names import normalise

MOST = 2000
_GROUPS = ("dependencies", "optionalDependencies", "peerDependencies")


class Wanted(msgspec.Struct, frozen=True):
    """A request for one package: `name` is what is fetched, of an alias too; `elsewhere`: it comes from no registry."""

    name: str
    range: str
    group: str
    elsewhere: bool = False


def of_npm(manifest: Mapping[str, Any]) -> dict[str, Wanted]:
    """The requests of a `package.json`, by the name they are known under; what npm would not install is left out."""
    found: dict[str, Wanted] = {}
    optional = manifest.get("peerDependenciesMeta")
    optional = optional if isinstance(optional, dict) else {}
    for group in _GROUPS:
        table = manifest.get(group)
        for name, wanted in table.items() if isinstance(table, dict) else ():
            if not isinstance(wanted, str) or len(found) >= MOST:
                continue
            meta = optional.get(name)
            if group == "peerDependencies" and (isinstance(meta, dict) and meta.get("optional")):
                continue
            if group == "peerDependencies" and name in found:
                continue
            found[name] = _npm(name, wanted.strip(), group)
    return found


def _npm(name: str, wanted: str, group: str) -> Wanted:
    if wanted.startswith("npm:"):
        alias = wanted[4:]
        at = alias.find("@", 1)
        return Wanted(alias[:at] if at > 0 else alias, alias[at + 1 :] if at > 0 else "", group)
    elsewhere = ":" in wanted or wanted.startswith(("/", "./", "../", "~/")) or "/" in wanted
    return Wanted(name, wanted, group, elsewhere)


def of_python(metadata: str, build: Mapping[str, Any] | None = None) -> dict[str, Wanted]:
    """The requests of a METADATA or PKG-INFO, extras aside, and those of the build where a `pyproject.toml` is given.

    A marker is asked about this interpreter and machine: what it keeps out is not installed here.
    """
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.requirements import InvalidRequirement, Requirement

    texts = [(text, "requires") for text in HeaderParser().parsestr(metadata).get_all("Requires-Dist") or []]
    system = (build or {}).get("build-system")
    requires = system.get("requires") if isinstance(system, dict) else None
    texts += [(text, "build") for text in requires if isinstance(text, str)] if isinstance(requires, list) else []
    found: dict[str, Wanted] = {}
    for text, group in texts[:MOST]:
        try:
            asked = Requirement(str(text))
            if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
                continue
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
            continue
        name = normalise(asked.name)
        found.setdefault(name, Wanted(name, str(asked.specifier), group, asked.url is not None))
    return found

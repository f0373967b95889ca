"""What a person names a release by: `npm:axios@1.14.1`, `pypi:name==1.0`, a package URL, or a path.

Anything that begins with `npm:`, `pypi:` or `pkg:` asks a registry or what is kept of one; anything else is a path.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from pratique.ecosystems import purl
from pratique.ecosystems.pypi.names import normalise
from pratique.model.errors import UsageError

World = Literal["npm", "PyPI"]

_NPM_NAME = re.compile(r"(?:@[^/\s@%:\\]+/)?[^/\s@%:\\]+")
_PYPI = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?P<rest>.*)", re.DOTALL
)
_LONGEST = 512
_FORMS = "Write npm:axios@1.14.1, pypi:name==1.0, pkg:npm/axios@1.14.1, or the path of an archive or folder"


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release as it was asked for. `ecosystem` None: a path.

    `wanted` is a version, a range or a tag for npm, a specifier for Python; empty: the latest.
    """

    text: str
    ecosystem: World | None
    name: str = ""
    wanted: str = ""
    path: str = ""


def parse(text: str) -> Reference:
    """The reference that a text is. Raises UsageError, which says what is wrong and what to write."""
    plain = text.strip()
    if not plain or "\0" in plain or len(plain) > 4096:
        raise UsageError("names no release", where=text[:80] or "REF", advice=_FORMS)
    scheme, separator, rest = plain.partition(":")
    match scheme.lower() if separator else "":
        case "npm":
            return _npm(plain, rest)
        case "pypi":
            return _pypi(plain, rest)
        case "pkg":
            return _purl(plain)
        case "http" | "https" | "git" | "git+https" | "git+ssh":
            advice = "Fetch the archive and name its path, or write npm:NAME@VERSION"
            raise UsageError("is an address, which is not fetched", where=plain[:80], advice=advice)
        case "file":
            return Reference(plain, None, path=rest.removeprefix("//") or ".")
        case _:
            return Reference(plain, None, path=plain)


def npm_name(name: str) -> bool:
    """Whether npm could have a package of this name: one part, or a scope and one part; none leaves a folder."""
    parts = name.split("/")
    return (
        0 < len(name) <= _LONGEST
        and name.isprintable()
        and _NPM_NAME.fullmatch(name) is not None
        and not any(part.strip("@") in ("", ".", "..") for part in parts)
    )


def _npm(text: str, rest: str) -> Reference:
    at = rest.find("@", 1)
    name, wanted = (rest[:at], rest[at + 1 :]) if at > 0 else (rest, "")
    if not npm_name(name):
        raise UsageError("holds no name of an npm package", where=text[:80], advice="Write npm:NAME@VERSION")
    if len(wanted) > _LONGEST or not wanted.isprintable():
        raise UsageError("holds no version, range or tag", where=text[:80], advice="Write npm:NAME@VERSION")
    if re.match(r"[a-z+]+:|[./~]", wanted):
        raise UsageError("asks for something that no registry has", where=text[:80], advice="Write npm:NAME@VERSION")
    return Reference(text, "npm", name, wanted.strip())


def _pypi(text: str, rest: str) -> Reference:
    match = _PYPI.fullmatch(rest)
    if match is None or len(rest) > _LONGEST:
        raise UsageError("holds no name of a Python project", where=text[:80], advice="Write pypi:NAME==VERSION")
    wanted = match["rest"].strip()
    if wanted.startswith("@"):
        wanted = f"=={wanted[1:].strip()}"
    if wanted:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            SpecifierSet(wanted)
        except InvalidSpecifier:
            raise UsageError("holds no version specifier", where=text[:80], advice="Write pypi:NAME==VERSION") from None
    return Reference(text, "PyPI", normalise(match["name"]), wanted)


def _purl(text: str) -> Reference:
    found = purl.parse(text)
    if found is None or found.ecosystem not in ("npm", "PyPI"):
        advice = "Write pkg:npm/NAME@VERSION or pkg:pypi/NAME@VERSION"
        raise UsageError("is no package URL of npm or PyPI", where=text[:80], advice=advice)
    if found.ecosystem == "npm":
        if not npm_name(found.name):
            raise UsageError("holds no name of an npm package", where=text[:80], advice="Write pkg:npm/NAME@VERSION")
        return Reference(text, "npm", found.name, found.version)
    return _pypi(text, f"{found.name}=={found.version}" if found.version else found.name)


def release_purl(ecosystem: str, name: str, version: str) -> str:
    """The package URL of a release: `pkg:npm/%40scope/name@1.0.0`, `pkg:pypi/name@1.0`."""
    from urllib.parse import quote

    at = f"@{quote(version, safe='.-_~+!')}" if version else ""
    if ecosystem == "PyPI":
        return f"pkg:pypi/{quote(normalise(name), safe='')}{at}"
    return f"pkg:npm/{quote(name, safe='/')}{at}"

"""Package URLs (purl): a release in one line, as bills of materials write it."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from pratique.ecosystems.pypi.names import normalise

_ECOSYSTEMS = {"npm": "npm", "pypi": "PyPI", "github": "GitHub Actions", "githubactions": "GitHub Actions"}


class Purl(msgspec.Struct, frozen=True, gc=False):
    """A package URL taken apart. `ecosystem` is empty for package worlds that are not known here."""

    ecosystem: str
    name: str
    version: str
    qualifiers: dict[str, str]


def parse(text: str) -> Purl | None:
    """The parts of a package URL, decoded once; None where it is none.

    Names come in the spelling of their package world: those of Python normalised, those of GitHub in small letters.
    """
    scheme, _, rest = text.strip().partition(":")
    if scheme.lower() != "pkg" or not rest:
        return None
    rest = rest.partition("#")[0]
    rest, _, query = rest.partition("?")
    world, _, path = rest.strip("/").partition("/")
    at = path.rfind("@")
    version = ""
    if at > path.rfind("/") and at > 0:
        path, version = path[:at], unquote(path[at + 1 :])
    name = "/".join(unquote(part) for part in path.split("/") if part)
    if not name:
        return None
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    qualifiers = {key.lower(): unquote(value) for key, _, value in pairs}
    ecosystem = _ECOSYSTEMS.get(world.lower(), "")
    if ecosystem == "PyPI":
        name = normalise(name)
    elif ecosystem == "GitHub Actions":
        name = name.lower()
    return Purl(ecosystem, name, version, qualifiers)


def ranges(text: str) -> tuple[str, list[str]]:
    """The package world and the alternatives of a version range (`vers:npm/>=1.0.0|<2.0.0`), in that world's spelling.

    A `!=` narrows a range and is left out: what remains admits more, never less. Empty where it cannot be understood.
    """
    scheme, _, rest = text.strip().partition(":")
    world, separator, constraints = rest.partition("/")
    if scheme.lower() != "vers" or not separator:
        return "", []
    ecosystem = _ECOSYSTEMS.get(world.lower(), "")
    joint, equal = (",", "==") if ecosystem == "PyPI" else (" ", "")
    found: list[str] = []
    lower = ""
    for part in constraints.split("|"):
        plain = unquote(part.replace(" ", ""))
        sign = next((sign for sign in (">=", "<=", "!=", ">", "<", "=") if plain.startswith(sign)), "")
        version = plain[len(sign) :]
        if plain == "*":
            return ecosystem, [">=0" if ecosystem == "PyPI" else "*"]
        if sign in (">", ">="):
            lower = f"{sign}{version}"
        elif sign in ("<", "<="):
            found.append(f"{lower}{joint}{sign}{version}" if lower else f"{sign}{version}")
            lower = ""
        elif sign != "!=" and version:
            found.append(f"{equal}{version}")
    if lower:
        found.append(lower)
    return ecosystem, found

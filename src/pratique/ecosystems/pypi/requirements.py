"""Requirements of Python projects (PEP 508), and the ranges that Poetry writes."""

from __future__ import annotations

import re

import msgspec

from pratique.ecosystems.pypi.names import normalise

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(
    rf"\s*({_NAME})\s*(\[[^\]]*\])?\s*(?:@\s*(\S+)|\(([^()]*)\)|([^;@()]*))?\s*(?:;(.*))?", re.DOTALL
)
_CLAUSE = re.compile(r"\s*(===|~=|==|!=|<=|>=|<|>)\s*([^\s,;]+)\s*")
_CARET = re.compile(r"\s*\^\s*v?([0-9][0-9A-Za-z.+!-]*)\s*")
_TILDE = re.compile(r"\s*~\s*v?([0-9][0-9A-Za-z.+!-]*)\s*")
_BARE = re.compile(r"\s*v?[0-9][0-9A-Za-z.+!*-]*\s*")


class Requirement(msgspec.Struct, frozen=True):
    """One requirement: the normalised name, the specifier without spaces, a direct reference, the marker."""

    name: str
    specifier: str
    url: str | None = None
    marker: str | None = None


def parse(text: str) -> Requirement | None:
    """The requirement that a text states; None where it is none."""
    match = _REQUIREMENT.fullmatch(text)
    if match is None:
        return None
    name, _, url, bracketed, plain, marker = match.groups()
    said = (bracketed if bracketed is not None else plain) or ""
    specifier = spelled(said)
    if specifier is None:
        return None
    return Requirement(normalise(name), specifier, url, marker.strip() if marker and marker.strip() else None)


def spelled(specifier: str) -> str | None:
    """A specifier set without spaces; None where it is none. Empty text admits everything."""
    clauses = []
    for part in specifier.split(","):
        if not part.strip():
            continue
        match = _CLAUSE.fullmatch(part)
        if match is None:
            return None
        clauses.append(match[1] + match[2])
    return ",".join(clauses)


def exact(specifier: str) -> str | None:
    """The version that a specifier set admits alone; None where it admits others or none."""
    for clause in specifier.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match and match[1] in ("==", "===") and "*" not in match[2]:
            return match[2]
    return None


def excluded(specifier: str) -> list[str]:
    """The versions that a specifier set forbids by name."""
    found = []
    for clause in specifier.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match and match[1] == "!=" and "*" not in match[2]:
            found.append(match[2])
    return found


def of_poetry(constraint: str) -> str | None:
    """A constraint as Poetry writes it (`^1.2`, `~1.2`, `1.2`, `*`, `>=1,<2`), as a specifier set.

    None for what has no such form: alternatives (`||`), and what is no constraint.
    """
    clauses = []
    for part in re.split(r",|\s+(?=[<>=!^~])", constraint.strip()):
        text = part.strip()
        if not text or text == "*":
            continue
        if match := _CARET.fullmatch(text):
            clauses += _between(match[1], caret=True)
        elif (match := _TILDE.fullmatch(text)) and not text.startswith("~="):
            clauses += _between(match[1], caret=False)
        elif _BARE.fullmatch(text):
            clauses.append(f"=={text}")
        elif match := _CLAUSE.fullmatch(text):
            clauses.append(match[1] + match[2])
        elif match := re.fullmatch(r"=\s*([0-9]\S*)", text):
            clauses.append(f"=={match[1]}")
        else:
            return None
    return ",".join(clauses)


def _between(version: str, *, caret: bool) -> list[str]:
    """The two bounds of `^version` or `~version`."""
    numbers = [int(part) for part in re.match(r"\d+(?:\.\d+)*", version)[0].split(".")]  # type: ignore[index]  # begins with a digit
    place = 0 if len(numbers) == 1 else 1
    if caret:
        place = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    upper = [*numbers[:place], numbers[place] + 1]
    return [f">={version}", f"<{'.'.join(map(str, upper))}"]

"""The rules of every package world behind one set of names: how a name is spelled, a version, a range."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z][\w.-]*")


def canonical_name(ecosystem: str, name: str) -> str:
    """The one spelling under which a package is looked up."""
    if ecosystem == "PyPI":
        from pratique.ecosystems.pypi.names import normalise

        return normalise(name)
    return name.lower() if ecosystem == "GitHub Actions" else name


def canonical_version(ecosystem: str, version: str) -> str:
    """The one spelling under which a release is looked up; the text itself where it is no version."""
    if ecosystem == "PyPI":
        from pratique.ecosystems.pypi.versions import canonical

        return canonical(version)
    return version


def admits(ecosystem: str, version: str, asked: str) -> bool:
    """Whether a declared range admits a version; one that cannot be told may: a tag may have pointed at any."""
    if ecosystem == "PyPI":
        from pratique.ecosystems.pypi.versions import satisfies as pypi_satisfies

        answer = pypi_satisfies(version, asked)
        return True if answer is None else answer
    if ecosystem == "GitHub Actions":
        from pratique.ecosystems.actions.references import admits as action_admits

        return action_admits(version, asked)
    from pratique.ecosystems.npm.versions import satisfies

    answer = satisfies(version, asked)
    return bool(answer) if answer is not None else _TAG.fullmatch(asked) is not None

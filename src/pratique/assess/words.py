"""Names of things in verdicts."""

from __future__ import annotations


def purl_of(ecosystem: str, name: str, version: str) -> str:
    """The package URL of a release."""
    from packageurl import PackageURL

    kinds = {"npm": "npm", "PyPI": "pypi", "GitHub Actions": "github"}
    namespace, _, base = name.rpartition("/")
    return PackageURL(kinds.get(ecosystem, "generic"), namespace or None, base, version or None).to_string()

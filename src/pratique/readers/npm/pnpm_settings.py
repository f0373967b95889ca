"""pnpm's settings that decide which releases may be installed and whose scripts may run.

They stand in pnpm-workspace.yaml (values are text) and in the workspace state (values have JSON types); lockfiles hold
`overrides` and `catalogs` in the same form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.npm.urls import strip_url
from pratique.model.observation import PolicyFact, ProtectionFact, RangeFact
from pratique.model.ports import Everything
from pratique.readers.npm.package_lock import Pairs

_EXACT = re.compile(r"[=v\s]*(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?\s*")
_LISTS = {
    "onlyBuiltDependencies": "allow",
    "neverBuiltDependencies": "deny",
    "ignoredBuiltDependencies": "deny",
    "minimumReleaseAgeExclude": "exclude",
    "trustPolicyExclude": "exclude",
}
_VALUES = (
    "minimumReleaseAge",
    "minimumReleaseAgeStrict",
    "minimumReleaseAgeIgnoreMissingTime",
    "resolutionMode",
    "dangerouslyAllowAllBuilds",
    "strictDepBuilds",
    "ignoreScripts",
    "ignoreDepScripts",
    "sideEffectsCache",
    "trustPolicy",
    "blockExoticSubdeps",
)


def text_of(node: object) -> str | None:
    """The node where it is text."""
    return node if isinstance(node, str) else None


def is_true(node: object) -> bool:
    """Whether a node of YAML or JSON means true."""
    return node is True or node == "true"


def _shown(node: object) -> str | None:
    """A scalar as text; None for anything else."""
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, int | float):
        return str(node)
    return node if isinstance(node, str) else None


def package_of(selector: str) -> str:
    """The package name of a selector such as `@scope/name@1.2.3` or `parent>name@^2`."""
    last = re.split(r"(?<=[^ |@])>", selector)[-1].strip()
    at = last.find("@", 1)
    return last if at < 0 else last[:at]


def range_text(text: str) -> str:
    """A range as evidence: URLs lose their secrets."""
    return strip_url(text) if "//" in text or "@" in text else text


def is_asked(names: tuple[str, ...], wanted: frozenset[str] | Everything) -> bool:
    """Whether a setting is of interest: it names nobody, or somebody of interest."""
    return not names or isinstance(wanted, Everything) or any(package_of(name) in wanted for name in names)


def policies(settings: Pairs) -> Iterator[PolicyFact]:
    """The policies among settings."""
    for setting, value in _LISTS.items():
        for node in settings.all(setting):
            if isinstance(node, list):
                names = tuple(sorted({range_text(item) for item in node if isinstance(item, str)}))
                yield PolicyFact(setting=setting, value=value, names=names, manager="pnpm")
    for node in settings.all("allowBuilds"):
        yield from allow_builds(node)
    for setting in _VALUES:
        for node in settings.all(setting):
            shown = _shown(node)
            if shown is not None and re.fullmatch(r"[\w .:-]{1,40}", shown):
                yield PolicyFact(setting=setting, value=shown, manager="pnpm")


def allow_builds(node: object) -> Iterator[PolicyFact]:
    """`allowBuilds`: names whose scripts may run, and names whose scripts may not."""
    if not isinstance(node, Pairs):
        return
    for value, chosen in (("allow", (True, "true")), ("deny", (False, "false"))):
        names = tuple(sorted({range_text(key) for key, item in node.pairs if item in chosen}))
        if names:
            yield PolicyFact(setting="allowBuilds", value=value, names=names, manager="pnpm")


def protections(node: object, field: str) -> Iterator[ProtectionFact]:
    """`overrides`: which version a package is forced to; `-` takes the dependency away."""
    if not isinstance(node, Pairs):
        return
    for key, value in node.pairs:
        if isinstance(value, str):
            forces = None if value == "-" else range_text(value)
            yield ProtectionFact(name=package_of(key), field=field, selector=range_text(key), forces=forces)


def asked_range(key: str, asked: str, field: str) -> RangeFact:
    """What `key: asked` asks for, behind an alias such as `npm:chalk@^4.1.2` under its real name."""
    name, text = key, asked
    if asked.startswith("npm:"):
        target = asked[4:]
        at = target.find("@", 1)
        name, text = (target, "*") if at < 0 else (target[:at], target[at + 1 :])
    exact = _EXACT.fullmatch(text)
    return RangeFact(name=name, range=range_text(text), field=field, exact=exact[1] if exact else None)


def catalog_ranges(node: object, field: str) -> Iterator[RangeFact]:
    """`catalogs`: named groups of ranges, as text (settings) or with the version they stood for (lockfiles)."""
    if not isinstance(node, Pairs):
        return
    for group, entries in node.pairs:
        yield from ranges(entries, f"{field}.{group}")


def ranges(node: object, field: str) -> Iterator[RangeFact]:
    """A mapping of names to ranges."""
    if not isinstance(node, Pairs):
        return
    for key, value in node.pairs:
        asked = value.get("specifier") if isinstance(value, Pairs) else value
        if isinstance(asked, str):
            yield asked_range(key, asked, field)

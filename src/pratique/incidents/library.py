"""Load incident definitions: one TOML file each, long version lists beside it as `<id>.versions.tsv`.

Format references: TOML 1.0; the columns of the version list are `name`, `version`, `published`, `removed`, `sha1`,
`sha512`, `source`, separated by tabs, with a header line; empty cells are unknown. Role and trigger of listed
versions come from the component of the same name in the TOML file, else from its `[versions]` table.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from pratique.model.errors import IncidentError
from pratique.model.incident import Component, Incident, Role, Version
from pratique.model.signature import Signature

COLUMNS = ("name", "version", "published", "removed", "sha1", "sha512", "source")
_HEX_LENGTHS = {"sha1": 40, "sha256": 64}
_HEX = re.compile(r"[0-9a-f]+")
BUNDLED = Path(__file__).parent / "data"


def load_file(path: Path) -> Incident:
    """Load one definition and its version list, validated.

    Raises IncidentError naming file, key and reason.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise IncidentError(
            f"cannot be read: {error.strerror}", where=str(path), advice="Check the path and its permissions"
        ) from None
    except UnicodeDecodeError as error:
        raise IncidentError(f"is not UTF-8 at byte {error.start}", where=str(path)) from None
    versions_path = path.with_name(f"{path.stem}.versions.tsv")
    versions = None
    if versions_path.is_file():
        try:
            versions = versions_path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise IncidentError(f"cannot be read: {error}", where=str(versions_path)) from None
    return parse(text, versions, where=str(path), expected_id=path.stem)


def parse(text: str, versions: str | None = None, *, where: str, expected_id: str | None = None) -> Incident:
    """Parse a TOML definition and, where there is one, the text of its version list.

    Raises IncidentError naming file, key and reason.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise IncidentError(f"is not TOML: {error}", where=where) from None
    defaults = document.pop("versions", None)
    if versions is not None:
        _merge_versions(document, versions, defaults, where=f"{where.removesuffix('.toml')}.versions.tsv")
    elif defaults is not None:
        raise IncidentError("[versions] is given but there is no version list beside the file", where=where)
    try:
        incident = msgspec.convert(document, Incident)
    except msgspec.ValidationError as error:
        raise IncidentError(str(error), where=where) from None
    problems = check(incident)
    if expected_id is not None and incident.id != expected_id:
        problems.insert(0, f"id: {incident.id!r} differs from the file name {expected_id!r}")
    if problems:
        raise IncidentError("; ".join(problems), where=where)
    return incident


def _merge_versions(document: dict[str, Any], versions: str, defaults: object, *, where: str) -> None:
    """Add the rows of a version list to the document's components."""
    if not isinstance(defaults, dict) or not {"ecosystem", "role"} <= set(defaults):
        raise IncidentError(
            "[versions] with ecosystem and role is required beside a version list",
            where=where.replace(".versions.tsv", ".toml"),
        )
    unknown = set(defaults) - {"ecosystem", "role", "trigger", "source"}
    if unknown:
        raise IncidentError(
            f"versions: unknown key {sorted(unknown)[0]!r}", where=where.replace(".versions.tsv", ".toml")
        )
    lines = versions.splitlines()
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise IncidentError(f"line 1 must name the columns {', '.join(COLUMNS)}", where=where)
    components = document.setdefault("components", [])
    if not isinstance(components, list):
        raise IncidentError("components: must be an array of tables", where=where)
    by_name = {str(item.get("name")): item for item in components if isinstance(item, dict)}
    for number, line in enumerate(lines[1:], start=2):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != len(COLUMNS):
            raise IncidentError(f"line {number}: {len(cells)} columns instead of {len(COLUMNS)}", where=where)
        row: dict[str, Any] = {key: value for key, value in zip(COLUMNS, cells, strict=True) if value}
        if "name" not in row or "version" not in row:
            raise IncidentError(f"line {number}: name and version are required", where=where)
        name = row.pop("name")
        for key in ("published", "removed"):
            if key in row:
                try:
                    row[key] = datetime.datetime.fromisoformat(row[key])
                except ValueError:
                    raise IncidentError(
                        f"line {number}: {key} {row[key]!r} is not an ISO 8601 time", where=where
                    ) from None
        if name not in by_name:
            by_name[name] = {"name": name, **defaults}
            components.append(by_name[name])
        by_name[name].setdefault("versions", []).append(row)


def _is_utc(moment: datetime.datetime | None) -> bool:
    return moment is None or moment.utcoffset() == datetime.timedelta(0)


def _check_version(component: Component, version: Version, sources: set[str], names: set[str]) -> list[str]:
    problems = []
    key = f"components[{component.name}].versions[{version.version}]"
    for field, length in _HEX_LENGTHS.items():
        value = getattr(version, field)
        if value is not None and (len(value) != length or not _HEX.fullmatch(value)):
            problems.append(f"{key}.{field}: needs {length} hexadecimal digits, has {len(value)} characters")
    if version.sha512 is not None:
        problems += [f"{key}.sha512: {reason}" for reason in check_sri(version.sha512)]
    if not (_is_utc(version.published) and _is_utc(version.removed)):
        problems.append(f"{key}: times must be in UTC")
    elif version.published and version.removed and version.removed < version.published:
        problems.append(f"{key}: removed before it was published")
    if version.source is not None and version.source not in sources:
        problems.append(f"{key}.source: {version.source!r} is not a reference id")
    if version.trigger is not None and version.trigger not in names:
        problems.append(f"{key}.trigger: {version.trigger!r} is not a trigger id")
    return problems


def check_sri(value: str) -> list[str]:
    """Reasons why `value` is not one Subresource Integrity string of sha512; empty when it is one."""
    algorithm, _, digest = value.partition("-")
    if algorithm != "sha512":
        return ["needs the prefix sha512-"]
    try:
        raw = base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError):
        return ["is not decodable base64"]
    return [] if len(raw) == 64 else [f"decodes to {len(raw)} bytes instead of 64"]


def check_signature(signature: Signature) -> list[str]:
    """Reasons why a signature of bundles cannot be used; empty when it can."""
    problems = []
    if not 1 <= signature.least <= len(signature.marks):
        problems.append(f"least: must lie between 1 and the number of marks, {len(signature.marks)}")
    if any(len(mark) < 5 for mark in signature.marks):
        problems.append("marks: each needs five characters at least")
    for pattern in (*signature.direct, *signature.named, *signature.constants):
        try:
            groups = re.compile(pattern.encode()).groups
        except re.error as error:
            problems.append(f"{pattern!r} is no regular expression: {error}")
            continue
        if groups != 1:
            problems.append(f"{pattern!r} needs exactly one group, has {groups}")
    return problems


def check(incident: Incident) -> list[str]:
    """Every reason why a parsed definition must not be used. Empty when it is sound."""
    problems: list[str] = []
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", incident.id):
        problems.append(f"id: {incident.id!r} may hold only small letters, digits, dots and hyphens")
    ids = [reference.id for reference in incident.references]
    sources = set(ids)
    problems += [f"references[{item}]: listed twice" for item in sorted({item for item in ids if ids.count(item) > 1})]
    triggers = {trigger.id for trigger in incident.triggers}
    names = {component.name for component in incident.components}
    if not incident.components:
        problems.append("components: none is listed")
    if incident.actor is not None:
        problems += [
            f"actor.sources: {item!r} is not a reference id" for item in incident.actor.sources if item not in sources
        ]
    seen: set[tuple[str, str]] = set()
    for component in incident.components:
        key = f"components[{component.name}]"
        if (component.ecosystem, component.name) in seen:
            problems.append(f"{key}: listed twice")
        seen.add((component.ecosystem, component.name))
        if not component.versions and not component.all_versions:
            problems.append(f"{key}: lists no version; say all_versions = true if every release is bad")
        if component.trigger is not None and component.trigger not in triggers:
            problems.append(f"{key}.trigger: {component.trigger!r} is not a trigger id")
        if component.source is not None and component.source not in sources:
            problems.append(f"{key}.source: {component.source!r} is not a reference id")
        if component.bundle is not None:
            problems += [f"{key}.bundle: {reason}" for reason in check_signature(component.bundle)]
        versions: set[str] = set()
        for version in component.versions:
            if version.version in versions:
                problems.append(f"{key}.versions[{version.version}]: listed twice")
            versions.add(version.version)
            problems += _check_version(component, version, sources, triggers)
    for number, window in enumerate(incident.windows):
        if not (_is_utc(window.start) and _is_utc(window.end)):
            problems.append(f"windows[{number}]: times must be in UTC")
        elif window.end is not None and window.end < window.start:
            problems.append(f"windows[{number}]: end is before start")
        if window.component is not None and window.component not in names:
            problems.append(f"windows[{number}].component: {window.component!r} is not a component")
        if window.source not in sources:
            problems.append(f"windows[{number}].source: {window.source!r} is not a reference id")
    for rule in incident.tampering:
        if rule.component not in names:
            problems.append(f"tampering[{rule.id}].component: {rule.component!r} is not a component")
        if rule.source not in sources:
            problems.append(f"tampering[{rule.id}].source: {rule.source!r} is not a reference id")
        if rule.decoy_integrity is not None:
            problems += [
                f"tampering[{rule.id}].decoy_integrity: {reason}" for reason in check_sri(rule.decoy_integrity)
            ]
    indicators: set[str] = set()
    for indicator in incident.indicators:
        key = f"indicators[{indicator.id}]"
        if indicator.id in indicators:
            problems.append(f"{key}: listed twice")
        indicators.add(indicator.id)
        if not indicator.sources:
            problems.append(f"{key}.sources: at least one source is required")
        problems += [
            f"{key}.sources: {item!r} is not a reference id" for item in indicator.sources if item not in sources
        ]
        if len(set(indicator.sources)) < 2 and indicator.confidence != "low":
            problems.append(f"{key}.confidence: {indicator.confidence} needs two sources; one allows low")
        if indicator.match == "regex":
            try:
                re.compile(indicator.value)
            except re.error as error:
                problems.append(f"{key}.value: is no regular expression: {error}")
        if indicator.type in ("domain", "ip", "url") and not re.search(r"\[[.:]", indicator.value):
            problems.append(f"{key}.value: must be stored defanged, as in example[.]test")
        if indicator.where and indicator.type != "file-content":
            problems.append(f"{key}.where: stands with the type file-content alone")
        if indicator.type == "file-content" and indicator.match == "exact" and len(indicator.value) < 5:
            problems.append(f"{key}.value: a text to look for needs five characters at least")
        if re.search(r"https?://", indicator.value):
            problems.append(f"{key}.value: must not hold a live URL; write hxxp")
        if indicator.type == "file-hash" and not re.fullmatch(r"sha256:[0-9a-f]{64}", indicator.value):
            problems.append(f"{key}.value: must be sha256: and 64 hexadecimal digits")
    steps: set[str] = set()
    for step in incident.remediation:
        problems += [
            f"remediation[{step.id}].after: {item!r} is no earlier step" for item in step.after if item not in steps
        ]
        steps.add(step.id)
    orders = [item.order for item in incident.evidence]
    if orders != sorted(set(orders)):
        problems.append("evidence: order must rise, each number once")
    if incident.dead_man_switch is not None and not any(step.after for step in incident.remediation):
        problems.append("remediation: a dead man's switch needs ordered steps")
    if len(incident.next_steps) > 3:
        problems.append("next_steps: at most three")
    return problems


def role_of(component: Component, version: Version) -> Role:
    """The role of one listed version: its own, else its component's."""
    return version.role or component.role


def load_directory(folder: Path) -> list[Incident]:
    """Every definition of a folder, in order of file name. Raises IncidentError for the first that is unusable."""
    return [load_file(path) for path in sorted(folder.glob("*.toml"))]

"""Releases given in one line or in a flat list, made into an incident.

One line (`--bad`): `axios@1.14.1,0.30.4`, `npm:@scope/name@1.0.0`, `PyPI:litellm@1.82.7`, `litellm==1.82.7`,
`pkg:npm/%40scope/name@1.0.0`; `name@*` lists every release. Without a prefix npm is meant, with `==` PyPI.

A list (`--bad-list`), recognised by its content:

- lines of the forms above, `name:version`, `ecosystem:name:version`, `name: version, version` or `name version`;
  empty lines and everything after `#` are comments, a leading `-` or `*` is a bullet
- CSV or tab separated values, `name,version[,digest...]` without a header, or with a header that names the columns
- JSON: a bumblebee catalogue (`entries`), OSV records (one, an array, or `vulns`), or an object of name to versions

Digests are sha1 or sha256 in hexadecimal, or sha512 as Subresource Integrity or hexadecimal. A line that cannot be
understood is an error that names file, line and reason. What is understood but cannot be used (ranges, other
ecosystems, withdrawn records, placeholders of a registry) is counted in the summary.
"""

from __future__ import annotations

import base64
import binascii
import csv
import datetime
import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from pratique.incidents.library import check, check_sri
from pratique.model.errors import IncidentError
from pratique.model.incident import Component, Ecosystem, Incident, IncidentReference, Role, Version
from pratique.model.incident import Window as IncidentWindow

Window: TypeAlias = tuple[datetime.datetime, datetime.datetime | None]

ECOSYSTEMS: dict[str, Ecosystem] = {
    "npm": "npm",
    "pypi": "PyPI",
    "github actions": "GitHub Actions",
    "github-actions": "GitHub Actions",
    "githubactions": "GitHub Actions",
}
OTHER_ECOSYSTEMS = {
    "go", "golang", "composer", "packagist", "crates", "crates.io", "cargo", "rubygems", "gem", "hex", "nuget", "maven",
    "mcp", "editor-extension", "browser-extension", "homebrew", "conda", "vscode", "hackage", "pub",
}  # fmt: skip
MAX_REASONS = 10
_ALL = "*"
_PLACEHOLDER = re.compile(r"0\.0\.1-security(?:\.\d+)?")
_NAMES: dict[Ecosystem, re.Pattern[str]] = {
    "npm": re.compile(r"(?:@[A-Za-z0-9_.~!'()*-]+/)?[A-Za-z0-9_.~!'()*-]+"),
    "PyPI": re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"),
    "GitHub Actions": re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+"),
}
_VERSIONS: dict[Ecosystem, tuple[re.Pattern[str], str]] = {
    "npm": (re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"), "an exact npm version"),
    "PyPI": (re.compile(r"v?(?:\d+!)?\d+(?:[0-9A-Za-z.+_-]*[0-9A-Za-z])?"), "an exact PyPI version"),
    "GitHub Actions": (re.compile(r"[0-9a-f]{40}"), "a full commit"),
}
_COLUMNS = {
    "ecosystem": {"ecosystem", "registry", "type"},
    "name": {"name", "package", "package name", "package_name", "packagename", "module", "component"},
    "version": {
        "version", "versions", "affected version", "affected versions", "malicious version", "malicious versions",
        "compromised version", "compromised versions", "package version", "package_version",
    },
    "sha1": {"sha1", "shasum", "sha-1"},
    "sha256": {"sha256", "sha-256"},
    "sha512": {"sha512", "sha-512", "integrity"},
    "hash": {"hash", "digest", "checksum"},
}  # fmt: skip


class _Entry(msgspec.Struct, frozen=True):
    """One release of a list; no version stands for every release."""

    ecosystem: Ecosystem
    name: str
    version: str | None
    sha1: str | None = None
    sha256: str | None = None
    sha512: str | None = None


class _ProblemError(Exception):
    """Why one line or entry cannot be used."""


class _Unused(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """One entry is understood, and is nothing that can be looked for."""


Parser: TypeAlias = Callable[[str], list[_Entry]]
EntryReader: TypeAlias = "Callable[[Any, _Gathered], Iterator[list[_Entry]]]"


class _Gathered:
    """What was read so far: releases, what was not used, and what could not be understood."""

    def __init__(self) -> None:
        self.entries: dict[tuple[Ecosystem, str, str | None], _Entry] = {}
        self.unused: Counter[str] = Counter()
        self.problems: list[str] = []
        self.aliases: list[str] = []

    def read(self, place: str, parse: Parser, text: str) -> None:
        """Parse one text and keep what it gives; `place` says where it stands."""
        try:
            self.add(parse(text))
        except _Unused as reason:
            self.unused[str(reason)] += 1
        except _ProblemError as reason:
            self.problems.append(f"{place}: {reason}")

    def add(self, entries: Iterable[_Entry]) -> None:
        """Keep releases; a release given twice must not contradict itself."""
        for entry in entries:
            if entry.version is not None and _PLACEHOLDER.fullmatch(entry.version):
                self.unused["placeholder of the registry"] += 1
                continue
            key = (entry.ecosystem, entry.name, entry.version)
            before = self.entries.get(key, entry)
            for field in ("sha1", "sha256", "sha512"):
                old, new = getattr(before, field), getattr(entry, field)
                if old and new and old != new:
                    raise _ProblemError(f"{entry.name} {entry.version} is given with two different {field}")
            self.entries[key] = msgspec.structs.replace(
                before,
                sha1=before.sha1 or entry.sha1,
                sha256=before.sha256 or entry.sha256,
                sha512=before.sha512 or entry.sha512,
            )


def from_bad(texts: Sequence[str], *, window: Window | None, today: datetime.date) -> Incident:
    """An incident from releases given one by one. Raises IncidentError naming the text and the reason."""
    gathered = _Gathered()
    for text in texts:
        gathered.read(repr(text), _parse_release, text.strip())
    return _incident(gathered, title=f"--bad {' '.join(texts)}", where="--bad", window=window, today=today)


def from_list(path: Path, *, window: Window | None, today: datetime.date) -> Incident:
    """An incident from a list. Raises IncidentError naming file, line and reason."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise IncidentError(
            f"cannot be read: {error.strerror}", where=str(path), advice="Check the path and its permissions"
        ) from None
    except UnicodeDecodeError as error:
        raise IncidentError(f"is not UTF-8 at byte {error.start}", where=str(path)) from None
    gathered = _Gathered()
    if text.lstrip()[:1] in ("{", "["):
        _read_json(text, gathered, where=str(path))
    else:
        _read_lines(text, gathered)
    return _incident(gathered, title=f"Releases listed in {path.name}", where=str(path), window=window, today=today)


# --- one release -----------------------------------------------------------------------------------------------


def _parse_release(text: str) -> list[_Entry]:
    """`[ecosystem:]name@version[,version...]`, `name==version` or a package URL."""
    if not text:
        raise _ProblemError("is empty")
    if text.startswith("pkg:"):
        return [_parse_purl(text)]
    if "==" in text:
        name, versions = text.split("==", 1)
        ecosystem, name = _split_ecosystem(name.strip(), default="PyPI")
        return _entries(ecosystem, name, versions)
    ecosystem, rest = _split_ecosystem(text)
    at = rest.rfind("@")
    if at <= 0:
        raise _ProblemError("has no version; write NAME@VERSION, or NAME@* for every release")
    return _entries(ecosystem, rest[:at], rest[at + 1 :])


def _split_ecosystem(text: str, default: Ecosystem = "npm") -> tuple[Ecosystem, str]:
    prefix, colon, rest = text.partition(":")
    if not colon:
        return default, text
    return _ecosystem(prefix), rest.strip()


def _ecosystem(text: str) -> Ecosystem:
    known = ECOSYSTEMS.get(text.strip().lower())
    if known:
        return known
    if text.strip().lower() in OTHER_ECOSYSTEMS:
        raise _Unused(f"ecosystem {text.strip().lower()}")
    raise _ProblemError(f"ecosystem {text.strip()!r} is not known; npm, PyPI and GitHub Actions are")


def _parse_purl(text: str) -> _Entry:
    from packageurl import PackageURL

    try:
        purl = PackageURL.from_string(text)
    except ValueError as error:
        raise _ProblemError(f"is no package URL: {error}") from None
    ecosystem = _ecosystem(purl.type)
    if purl.qualifiers or purl.subpath:
        raise _ProblemError("qualifiers and subpaths are not used; remove what follows ? or #")
    if not purl.version:
        raise _ProblemError("has no version")
    name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
    return _entries(ecosystem, name, purl.version)[0]


def _entries(
    ecosystem: Ecosystem, name: str, versions: str | Sequence[str], digests: dict[str, str] | None = None
) -> list[_Entry]:
    """Checked releases of one package. `versions` may be a text of several, as lists and tables write them."""
    name = name.strip().strip("\"'`")
    if not _NAMES[ecosystem].fullmatch(name):
        raise _ProblemError(f"{name!r} is no {ecosystem} package name")
    if isinstance(versions, str):
        versions = re.sub(r"(^|[\s,;|])=+\s*", r"\1", versions.strip())
        versions = [part for part in re.split(r"\s*(?:,|;|\|\|?)\s*|\s+", versions) if part]
    found = []
    for version in versions:
        version = re.sub(r"^=+\s*", "", version.strip().strip("\"'`"))
        if version == _ALL:
            found.append(_Entry(ecosystem, name, None))
            continue
        pattern, what = _VERSIONS[ecosystem]
        if not pattern.fullmatch(version):
            raise _ProblemError(f"{version!r} is not {what}")
        found.append(_Entry(ecosystem, name, version))
    if not found:
        raise _ProblemError(f"{name} has no version")
    if digests:
        if len(found) > 1:
            raise _ProblemError(f"a digest belongs to one version, {name} has {len(found)} in this line")
        found[0] = msgspec.structs.replace(found[0], **digests)
    return found


def _digest(text: str, column: str | None = None) -> dict[str, str]:
    """A digest by its form, as the field it fills. Raises _Problem when it is none, or not of the column's kind."""
    value = text.strip().strip("\"'`")
    algorithm, _, rest = value.partition(":")
    if algorithm.lower() in ("sha1", "sha256", "sha512") and rest:
        value = rest
    found: dict[str, str] = {}
    if value.startswith(("sha512-", "sha1-")):
        try:
            raw = base64.b64decode(value.partition("-")[2], validate=True)
        except (binascii.Error, ValueError):
            raise _ProblemError(f"{value[:24]!r} is not decodable base64") from None
        if value.startswith("sha512-"):
            reasons = check_sri(value)
            if reasons:
                raise _ProblemError(f"{value[:24]!r} {reasons[0]}")
            found = {"sha512": value}
        elif len(raw) == 20:
            found = {"sha1": raw.hex()}
    elif re.fullmatch(r"[0-9A-Fa-f]+", value):
        value = value.lower()
        if len(value) == 128:
            found = {"sha512": "sha512-" + base64.b64encode(bytes.fromhex(value)).decode()}
        elif len(value) in (40, 64):
            found = {"sha1" if len(value) == 40 else "sha256": value}
        else:
            raise _ProblemError(f"a digest of {len(value)} hexadecimal digits is of no known kind")
    if not found:
        raise _ProblemError(f"{value[:24]!r} is no digest")
    if column not in (None, "hash", *found):
        raise _ProblemError(f"the column {column} holds a digest of another kind")
    return found


def _is_digest(text: str) -> bool:
    return bool(re.fullmatch(r"(?:sha(?:1|256|512)[-:].+|[0-9A-Fa-f]{32,})", text.strip().strip("\"'`")))


# --- lines -----------------------------------------------------------------------------------------------------


def _read_lines(text: str, gathered: _Gathered) -> None:
    header: list[str | None] | None = None
    first = True
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.sub(r"(?:^|\s)#.*$", "", raw).strip()
        if not line:
            continue
        if first:
            first = False
            header = _header(line, gathered)
            if header:
                continue
        if header:
            gathered.read(f"line {number}", functools.partial(_parse_row, header=header), line)
        else:
            gathered.read(f"line {number}", _parse_line, re.sub(r"^[-*•]\s+", "", line).strip())


def _cells(line: str) -> list[str]:
    delimiter = "\t" if "\t" in line else ","
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
    except (csv.Error, StopIteration) as error:
        raise _ProblemError(f"cannot be split into columns: {error}") from None


def _header(line: str, gathered: _Gathered) -> list[str | None] | None:
    """What each column holds, where the line is a header; None for a column that is not used."""
    try:
        titles = [cell.lower() for cell in _cells(line)]
    except _ProblemError:
        return None
    columns = [next((kind for kind, known in _COLUMNS.items() if title in known), None) for title in titles]
    if "name" not in columns or "version" not in columns:
        return None
    for title, kind in zip(titles, columns, strict=True):
        if kind is None:
            gathered.unused[f"column {title or 'without a title'}"] += 1
    return columns


def _parse_row(line: str, header: list[str | None]) -> list[_Entry]:
    cells = _cells(line)
    if len(cells) != len(header):
        raise _ProblemError(f"has {len(cells)} columns, the header has {len(header)}")
    values: dict[str, str] = {kind: cell for kind, cell in zip(header, cells, strict=True) if kind and cell}
    if "name" not in values:
        raise _ProblemError("has no package name")
    if "version" not in values:
        raise _ProblemError(f"{values['name']} has no version")
    digests: dict[str, str] = {}
    for column in ("sha1", "sha256", "sha512", "hash"):
        if column in values:
            digests |= _digest(values[column], column)
    if "ecosystem" in values:
        ecosystem, name = _ecosystem(values["ecosystem"]), values["name"]
    else:
        ecosystem, name = _split_ecosystem(values["name"])
    return _entries(ecosystem, name, values["version"], digests)


def _parse_line(line: str) -> list[_Entry]:
    """One line without a header, in any of the forms that circulate."""
    line = line.strip("\"'`").strip()
    if not line:
        raise _ProblemError("holds no release")
    if line.startswith("pkg:"):
        return [_parse_purl(line)]
    cells = _cells(line)
    digests: dict[str, str] = {}
    commits = ECOSYSTEMS.get(cells[0].lower()) == "GitHub Actions"  # their versions look like digests
    while len(cells) > 1 and not commits and (_is_digest(cells[-1]) or not cells[-1]):
        digests |= _digest(cells[-1]) if cells[-1] else {}
        cells.pop()
    if "==" in cells[0] or cells[0].rfind("@") > 0:
        found = _parse_release(",".join(cells))
    elif len(cells) > 1 and ":" not in cells[0]:
        ecosystem, name, versions = _three(cells)
        found = _entries(ecosystem, name, versions)
    else:
        found = _parse_colons(",".join(cells))
    if digests and len(found) > 1:
        raise _ProblemError(f"a digest belongs to one version, {found[0].name} has {len(found)} in this line")
    return [msgspec.structs.replace(entry, **digests) for entry in found]


def _three(cells: list[str]) -> tuple[Ecosystem, str, list[str]]:
    """`ecosystem,name,version...` or `name,version...`."""
    known = cells[0].lower() in ECOSYSTEMS or cells[0].lower() in OTHER_ECOSYSTEMS
    if len(cells) > 2 and known and not _VERSIONS["npm"][0].fullmatch(cells[1]):
        return _ecosystem(cells[0]), cells[1], cells[2:]
    return "npm", cells[0], cells[1:]


def _parse_colons(line: str) -> list[_Entry]:
    """`[ecosystem:]name:version`, `ecosystem:name,version` or `name version`."""
    prefix, colon, rest = line.partition(":")
    lowered = prefix.strip().lower()
    ecosystem: Ecosystem = "npm"
    if colon and (lowered in ECOSYSTEMS or lowered in OTHER_ECOSYSTEMS) and re.search(r"[:,\s]", rest.strip()):
        ecosystem, line = _ecosystem(prefix), rest.strip()
    match = re.fullmatch(r"(\S+?)\s*[:,\s]\s*(\S.*)", line)
    if not match:
        raise _ProblemError(f"{line[:60]!r} has no version")
    return _entries(ecosystem, match[1], match[2])


# --- JSON ------------------------------------------------------------------------------------------------------


def _read_json(text: str, gathered: _Gathered, *, where: str) -> None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise IncidentError(f"is not JSON: {error}", where=where) from None
    items, read, label = _form(document, where=where)
    if isinstance(document, dict) and document.get("allowlist"):
        gathered.unused["allowlist"] += 1
    for number, item in enumerate(items):
        place = f"{label}[{number}]"
        try:
            for found in read(item, gathered):
                gathered.add(found)
        except _Unused as reason:
            gathered.unused[str(reason)] += 1
        except _ProblemError as reason:
            gathered.problems.append(f"{place}: {reason}")


def _form(document: Any, *, where: str) -> tuple[list[Any], EntryReader, str]:
    """The entries of a document, what reads one, and what one is called."""
    if isinstance(document, list):
        return document, _osv_record, "record"
    if isinstance(document, dict) and isinstance(document.get("entries"), list):
        return document["entries"], _catalogue_entry, "entries"
    if isinstance(document, dict) and isinstance(document.get("vulns"), list):
        return document["vulns"], _osv_record, "vulns"
    if isinstance(document, dict) and "affected" in document:
        return [document], _osv_record, "record"
    if isinstance(document, dict) and document and all(isinstance(value, list) for value in document.values()):
        return list(document.items()), _named_versions, "object"
    raise IncidentError(
        "is JSON of no known form",
        where=where,
        advice="Known are OSV records, a catalogue with entries, and an object of name to versions",
    )


def _texts(value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _ProblemError(f"{what} must be an array of strings")
    return value


def _catalogue_entry(item: Any, _: _Gathered) -> Iterator[list[_Entry]]:
    if not isinstance(item, dict) or not isinstance(item.get("package"), str):
        raise _ProblemError("package must be a string")
    ecosystem = _ecosystem(str(item.get("ecosystem", "")))
    yield _entries(ecosystem, item["package"], _texts(item.get("versions"), "versions"))


def _named_versions(item: Any, _: _Gathered) -> Iterator[list[_Entry]]:
    name, versions = item
    ecosystem, name = _split_ecosystem(name)
    yield _entries(ecosystem, name, _texts(versions, f"versions of {name}"))


def _osv_record(item: Any, gathered: _Gathered) -> Iterator[list[_Entry]]:
    if not isinstance(item, dict) or not isinstance(item.get("affected"), list):
        raise _ProblemError("is no OSV record: affected must be an array")
    if item.get("withdrawn"):
        raise _Unused("withdrawn record")
    aliases = item.get("aliases")
    gathered.aliases += [
        name for name in (item.get("id"), *(aliases if isinstance(aliases, list) else ())) if isinstance(name, str)
    ]
    for affected in item["affected"]:
        package = affected.get("package") if isinstance(affected, dict) else None
        if not isinstance(package, dict) or not isinstance(package.get("name"), str):
            raise _ProblemError("affected must name a package")
        try:
            ecosystem = _ecosystem(str(package.get("ecosystem", "")))
        except _Unused as reason:
            gathered.unused[str(reason)] += 1
            continue
        if isinstance(affected.get("ranges"), list):
            gathered.unused["range"] += len(affected["ranges"])
        if affected.get("versions"):
            yield _entries(ecosystem, package["name"], _texts(affected["versions"], "versions"))


# --- the incident ----------------------------------------------------------------------------------------------


def _incident(gathered: _Gathered, *, title: str, where: str, window: Window | None, today: datetime.date) -> Incident:
    if gathered.problems:
        more = len(gathered.problems) - MAX_REASONS
        reasons = gathered.problems[:MAX_REASONS] + ([f"and {more} more"] if more > 0 else [])
        raise IncidentError("; ".join(reasons), where=where)
    unused = ", ".join(f"{reason} ({count})" for reason, count in sorted(gathered.unused.items()))
    if not gathered.entries:
        raise IncidentError(
            f"names no release that can be looked for{f'; not used: {unused}' if unused else ''}",
            where=where,
            advice="Exact versions of npm and PyPI packages, or full commits of actions, are needed",
        )
    components = _components(gathered.entries.values())
    listed = sum(len(component.versions) for component in components)
    whole = sum(component.all_versions for component in components)
    every = f", every release of {whole}" if whole else ""
    summary = f"Packages: {len(components)}, exact releases: {listed}{every}. Nothing else is known about them."
    incident = Incident(
        id=f"bad-{_fingerprint(components, window)}",
        revision=1,
        updated=today,
        title=title,
        summary=f"{summary} Not used: {unused}." if unused else summary,
        status="active",
        completeness="partial",
        aliases=tuple(dict.fromkeys(gathered.aliases))[:20],
        references=(IncidentReference(id="given", title=title, kind="list", retrieved=today),),
        components=components,
        windows=(IncidentWindow(start=window[0], end=window[1], basis="observed", source="given"),) if window else (),
        next_steps=(
            "Disconnect affected machines and leave them switched on",
            "Delete and reinstall nothing; collect the evidence first",
            "Rotate what the machine could read, from another machine",
        ),
    )
    problems = check(incident)
    if problems:
        raise IncidentError("; ".join(problems), where=where)
    return incident


def _components(entries: Iterable[_Entry]) -> tuple[Component, ...]:
    grouped: dict[tuple[Ecosystem, str], list[_Entry]] = {}
    for entry in entries:
        grouped.setdefault((entry.ecosystem, entry.name), []).append(entry)
    return tuple(
        Component(
            ecosystem=ecosystem,
            name=name,
            role=Role.CARRIER,
            versions=tuple(
                Version(version=entry.version, sha1=entry.sha1, sha256=entry.sha256, sha512=entry.sha512)
                for entry in sorted(found, key=lambda item: item.version or "")
                if entry.version is not None
            ),
            all_versions=any(entry.version is None for entry in found),
            source="given",
        )
        for (ecosystem, name), found in sorted(grouped.items())
    )


def _fingerprint(components: tuple[Component, ...], window: Window | None) -> str:
    """Same releases and window, same id; order and format of the source do not matter."""
    return hashlib.sha256(msgspec.json.encode((components, window))).hexdigest()[:8]

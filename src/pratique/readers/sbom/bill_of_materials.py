"""Bills of materials: every component of interest that one lists, with its hashes and where its producer found it.

## Reads
CycloneDX 1.2 to 1.7 in JSON and XML, nested components included; SPDX 2.2, 2.3 and 3.0 in JSON; each also inside an
in-toto statement, a signed envelope or the answer of a service (`sbom`). A component is told by its package URL, else
by group and name; `versionRange` without a version is a range. Hashes of the component and of its distributions.
Depth is resolved; installed only where the producer says so: syft's and trivy's finds of unpacked packages, and
`npm sbom` of a tree (phase `build`). The time of the bill is told; it is no time of a download.

## Leaves out
The component that a CycloneDX bill is about: it is one's own. Vulnerabilities, licences, relations. SPDX as tag and
value, RDF, YAML, CycloneDX as protocol buffers: refused by name. A JSON file that is no bill is a refusal that says
what it looks like; other files say nothing.

## References
CycloneDX specification 1.7 (ECMA-424); SPDX 2.3 and 3.0.1; package-url specification; VERS specification.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Literal, cast

import msgspec

from pratique.ecosystems.npm.urls import origin_of, strip_url
from pratique.ecosystems.purl import Purl, parse, ranges
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import ComponentFact, Observation, Origin, RangeFact, Refusal, Time
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.text import decode_text, refuse

_PYTHON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOST_PLACES = 5
_DEEPEST = 3
_ALGORITHMS = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
_HEX = re.compile(r"[0-9A-Fa-f]{40,128}")
_PLACES = (
    "cdx:npm:package:path",
    "aquasecurity:trivy:FilePath",
    "SrcFile",
    "syft:location:0:path",
    "syft:location:1:path",
    "syft:location:2:path",
)
_INSTALLED = {
    "syft:package:foundBy": frozenset(
        {"javascript-package-cataloger", "python-installed-package-cataloger", "conda-meta-cataloger"}
    ),
    "aquasecurity:trivy:PkgType": frozenset({"node-pkg", "python-pkg", "conda-pkg"}),
}
Depth = Literal["resolved", "installed"]


class _Part(msgspec.Struct, gc=False):
    """One component of any form, as far as it is read."""

    type: Any = None
    name: Any = None
    group: Any = None
    version: Any = None
    purl: Any = None
    hashes: Any = None
    properties: Any = None
    evidence: Any = None
    components: Any = None
    range: Any = msgspec.field(default=None, name="versionRange")
    references: Any = msgspec.field(default=None, name="externalReferences")


class _Package(msgspec.Struct, gc=False):
    """One package of SPDX 2."""

    name: Any = None
    version: Any = msgspec.field(default=None, name="versionInfo")
    references: Any = msgspec.field(default=None, name="externalRefs")
    checksums: Any = None
    location: Any = msgspec.field(default=None, name="downloadLocation")
    file: Any = msgspec.field(default=None, name="packageFileName")
    source: Any = msgspec.field(default=None, name="sourceInfo")


class _Document(msgspec.Struct, gc=False):
    """The outermost fields of all forms; what is not of them is skipped without being kept."""

    form: Any = msgspec.field(default=None, name="bomFormat")
    number: Any = msgspec.field(default=None, name="specVersion")
    spdx: Any = msgspec.field(default=None, name="spdxVersion")
    metadata: Any = None
    components: list[_Part] | None = None
    packages: list[_Package] | dict[str, Any] | None = None
    creation: Any = msgspec.field(default=None, name="creationInfo")
    graph: Any = msgspec.field(default=None, name="@graph")
    sbom: Any = None
    predicate: Any = None
    payload: Any = None
    lockfile: Any = msgspec.field(default=None, name="lockfileVersion")
    runs: Any = None
    artifacts: Any = None
    results: Any = msgspec.field(default=None, name="Results")
    schema: Any = msgspec.field(default=None, name="schema")
    dependencies: Any = None
    document: Any = None


_DECODER = msgspec.json.Decoder(_Document)


class _Bill:
    """One bill as it is read."""

    def __init__(self, artifact: Artifact, interest: Interest) -> None:
        self.artifact = artifact
        self.npm = interest.wanted("npm")
        self.pypi = interest.wanted("PyPI")
        self.actions = interest.wanted("GitHub Actions")
        self.wanted = {"npm": self.npm, "PyPI": self.pypi, "GitHub Actions": self.actions}
        self.times: tuple[Time, ...] = ()
        self.tree = False
        self.wrong = 0

    def dated(self, when: Any) -> None:
        """Take the bill's time in."""
        if isinstance(when, str):
            from pratique.readers.mirror.lines import plain_time

            value = plain_time(when)[0]
            if value is not None:
                self.times = (Time("the bill of materials was made", value, "bill of materials"),)

    def releases(self, purl: Any, group: Any, name: Any) -> list[Purl]:
        """What a component may be, of what is asked about: by its package URL, else by its names."""
        if isinstance(purl, str) and purl.strip():
            found = parse(purl)
            if found is None:
                self.wrong += 1
            elif found.ecosystem:
                spelled = self._spelled(found.ecosystem, found.name)
                return [msgspec.structs.replace(found, name=spelled)] if spelled is not None else []
            if found is not None:
                return []
        if not isinstance(name, str) or not name:
            if not isinstance(purl, str) or not purl.strip():  # a purl that is none was counted above
                self.wrong += 1
            return []
        group = group if isinstance(group, str) else ""
        found_names = []
        for ecosystem, text in (
            ("npm", f"{group}/{name}" if group else name if name[0] == "@" or "/" not in name else ""),
            ("npm", f"@{group}/{name}" if group and not group.startswith("@") else ""),
            ("PyPI", normalise(name) if not group and _PYTHON.fullmatch(name) else ""),
            ("GitHub Actions", f"{group}/{name}".lower() if group else name.lower() if "/" in name else ""),
        ):
            spelled = self._spelled(ecosystem, text) if text else None
            if spelled is not None:
                found_names.append(Purl(ecosystem, spelled, "", {}))
        return found_names

    def _spelled(self, ecosystem: str, name: str) -> str | None:
        """The name as it is asked about; None where it is not."""
        wanted = self.wanted[ecosystem]
        if name in wanted:
            return name
        return name.lower() if name.lower() in wanted else None

    def told(
        self,
        release: Purl,
        version: Any,
        *,
        integrity: tuple[str, ...],
        url: Any,
        places: tuple[str, ...],
        depth: Depth,
    ) -> Iterator[Observation | Refusal]:
        """One component of interest."""
        number = release.version or (version if isinstance(version, str) else "")
        if not number:
            reason = f"lists {release.name} without a version"
            yield refuse(self.artifact, READER, reason, names=(release.name,))
            return
        resolved = strip_url(url) if isinstance(url, str) and ":" in url else None
        origin: Origin = origin_of(url) if resolved else "unknown"
        if "vcs_url" in release.qualifiers and release.ecosystem != "GitHub Actions":
            origin = "git"
        yield Observation(
            READER.name,
            self.artifact.location(),
            ComponentFact(
                name=release.name,
                version=number,
                ecosystem=release.ecosystem,
                depth=depth,
                record="sbom",
                origin=origin,
                integrity=integrity,
                resolved=resolved,
                files=places,
            ),
            self.times,
        )

    # CycloneDX

    def cyclonedx(self, parts: list[_Part]) -> Iterator[Observation | Refusal]:
        """Every component of interest, nested ones too."""
        stack = list(reversed(parts))
        while stack:
            part = stack.pop()
            if isinstance(part.components, list):
                stack += reversed(self.converted(part.components))
            elif part.components is not None:
                self.wrong += 1
            for release in self.releases(part.purl, part.group, part.name):
                if part.purl is None and part.version is None and part.type not in (None, "library", "framework"):
                    continue  # a lockfile, a folder, a system: named, not released
                if not release.version and part.version is None and isinstance(part.range, str):
                    yield from self._range(release, part.range)
                    continue
                references = _mappings(part.references)
                sources = [item for item in references if item.get("type") in ("distribution", "distribution-intake")]
                hashes = _mappings(part.hashes)
                for item in sources:
                    hashes += _mappings(item.get("hashes"))
                properties = {
                    item["name"]: item.get("value")
                    for item in _mappings(part.properties)
                    if isinstance(item.get("name"), str)
                }
                installed = self.tree or any(properties.get(key) in values for key, values in _INSTALLED.items())
                url = next((item["url"] for item in sources if isinstance(item.get("url"), str)), None)
                yield from self.told(
                    release,
                    part.version,
                    integrity=_digests((item.get("alg"), item.get("content")) for item in hashes),
                    url=url or release.qualifiers.get("download_url"),
                    places=_places(properties, part.evidence),
                    depth="installed" if installed else "resolved",
                )

    def _range(self, release: Purl, text: str) -> Iterator[Observation | Refusal]:
        """A component that may be of any version of a range."""
        _, alternatives = ranges(text)
        if not alternatives:
            reason = f"lists {release.name} with a range that is not understood"
            yield refuse(self.artifact, READER, reason, names=(release.name,))
        for alternative in alternatives:
            exact = re.fullmatch(r"(?:==)?(\d[^\s,<>=]*)", alternative)
            fact = RangeFact(
                name=release.name,
                range=alternative,
                field="versionRange",
                exact=exact[1] if exact else None,
                ecosystem=release.ecosystem,
            )
            yield Observation(READER.name, self.artifact.location(), fact, self.times)

    def converted(self, items: list[Any]) -> list[_Part]:
        """Plain data as components; what is none is counted."""
        found = []
        for item in items:
            if isinstance(item, dict):
                found.append(msgspec.convert(item, _Part))
            else:
                self.wrong += 1
        return found

    # SPDX

    def spdx(self, packages: list[_Package]) -> Iterator[Observation | Refusal]:
        """Every package of interest of SPDX 2."""
        for package in packages:
            locators = [
                item["referenceLocator"]
                for item in _mappings(package.references)
                if item.get("referenceType") == "purl" and isinstance(item.get("referenceLocator"), str)
            ]
            for locator in locators or [None]:
                for release in self.releases(locator, None, package.name):
                    url = package.location if package.location not in ("NOASSERTION", "NONE", "") else None
                    sums = _mappings(package.checksums)
                    source = package.source if isinstance(package.source, str) else ""
                    yield from self.told(
                        release,
                        package.version,
                        integrity=_digests((item.get("algorithm"), item.get("checksumValue")) for item in sums),
                        url=url,
                        places=(package.file[:200],) if isinstance(package.file, str) and package.file else (),
                        depth="installed" if "acquired package info from installed" in source else "resolved",
                    )

    def graph(self, elements: list[Any]) -> Iterator[Observation | Refusal]:
        """Every package of interest of SPDX 3."""
        for element in _mappings(elements):
            kind = element.get("type") or element.get("@type")
            if kind == "CreationInfo":
                self.dated(element.get("created"))
        self.wrong += len(elements) - len(_mappings(elements))
        for element in _mappings(elements):
            kind = element.get("type") or element.get("@type")
            if not isinstance(kind, str):
                self.wrong += 1
                continue
            if not kind.lower().endswith("package"):
                continue
            purl = _spdx3(element, "packageUrl") or next(
                (
                    item.get("identifier")
                    for item in _mappings(element.get("externalIdentifier"))
                    if str(item.get("externalIdentifierType", "")).lower() in ("packageurl", "purl")
                ),
                None,
            )
            for release in self.releases(purl, None, element.get("name")):
                sums = _mappings(element.get("verifiedUsing"))
                yield from self.told(
                    release,
                    _spdx3(element, "packageVersion"),
                    integrity=_digests((item.get("algorithm"), item.get("hashValue")) for item in sums),
                    url=_spdx3(element, "downloadLocation"),
                    places=(),
                    depth="resolved",
                )


def _spdx3(element: dict[str, Any], field: str) -> Any:
    """A field of an SPDX 3 package, with the prefix of its profile or without."""
    return element.get(f"software_{field}", element.get(field))


def _mappings(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; nothing of anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _digests(pairs: Iterator[tuple[Any, Any]]) -> tuple[str, ...]:
    """Hashes in hexadecimal, as `algorithm:<hexadecimal>`."""
    found = []
    for algorithm, digest in pairs:
        if not isinstance(algorithm, str) or not isinstance(digest, str) or not _HEX.fullmatch(digest):
            continue
        plain = re.sub(r"^SHA-?(\d)", r"SHA-\1", algorithm.upper())
        if plain in _ALGORITHMS:
            found.append(f"{_ALGORITHMS[plain]}:{digest.lower()}")
    return tuple(dict.fromkeys(found))


def _places(properties: dict[str, Any], evidence: Any) -> tuple[str, ...]:
    """Where the producer found a component."""
    found = [properties[key] for key in _PLACES if isinstance(properties.get(key), str) and properties[key]]
    if isinstance(evidence, dict):
        found += [
            item["location"] for item in _mappings(evidence.get("occurrences")) if isinstance(item.get("location"), str)
        ]
    return tuple(dict.fromkeys(place[:200] for place in found))[:_MOST_PLACES]


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield every component of interest. Raises Unreadable."""
    data = artifact.content()
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[1:2] == b"\0":
        text = (decode_text(data) or "").encode().lstrip()
    if text[:1] in (b"{", b"["):
        yield from _json(artifact, _Bill(artifact, interest), text, 0)
    elif text[:1] == b"<":
        yield from _xml(artifact, _Bill(artifact, interest), data)
    elif artifact.path.lower().endswith(".json"):
        yield refuse(artifact, READER, "is not JSON" if text else "is empty")
    elif text[:12] == b"SPDXVersion:" or b"\nSPDXVersion:" in text[:4096] or artifact.path.lower().endswith(".spdx"):
        yield refuse(artifact, READER, "is SPDX as tag and value, which is not read: convert it to JSON")
    elif re.match(rb"(?:---\s*)?(?:\S+:.*\n)*?spdxVersion:", text[:4096]):
        yield refuse(artifact, READER, "is SPDX in YAML, which is not read: convert it to JSON")
    elif artifact.path.lower().endswith((".cdx", ".bom", ".pb", ".proto", ".cdx.bin", ".sbom")):
        yield refuse(artifact, READER, "is a bill of materials in a form that is not read: convert it to JSON")
    else:
        yield artifact.refusal(READER.name, "is no bill of materials", relevant=False)


def _json(artifact: Artifact, bill: _Bill, data: bytes, depth: int) -> Iterator[Observation | Refusal]:
    """A document in JSON, or one that another wraps."""
    try:
        document = _DECODER.decode(data)
    except msgspec.ValidationError:
        yield from _loose(artifact, bill, data, depth)
        return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield refuse(artifact, READER, f"is not whole JSON: {error}" if str(error) else "is nested too deeply")
        return
    yield from _document(artifact, bill, document, depth)


def _loose(artifact: Artifact, bill: _Bill, data: bytes, depth: int) -> Iterator[Observation | Refusal]:
    """A document some of whose parts are not of their types: what is understood is told, and the rest said."""
    try:
        plain = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        yield refuse(artifact, READER, "is no bill of materials but a list or a plain value")
        return
    for key, kind in (("components", _Part), ("packages", _Package)):
        items = plain.get(key)
        if isinstance(items, list):
            plain[key] = [item for item in items if isinstance(item, dict)]
            bill.wrong += len(items) - len(plain[key])
        elif items is not None and not (kind is _Package and isinstance(items, dict)):
            plain[key] = None
            bill.wrong += 1
    try:
        document = msgspec.convert(plain, _Document)
    except msgspec.ValidationError as error:
        yield refuse(artifact, READER, f"is not what its form prescribes: {error}")
        return
    yield from _document(artifact, bill, document, depth)


def _document(artifact: Artifact, bill: _Bill, document: _Document, depth: int) -> Iterator[Observation | Refusal]:
    """The components of a document of any form."""
    if document.form == "CycloneDX" or (document.components is not None and document.number is not None):
        metadata = document.metadata if isinstance(document.metadata, dict) else {}
        bill.dated(metadata.get("timestamp"))
        bill.tree = _of_tree(metadata)
        if isinstance(document.number, str) and not document.number.startswith("1."):
            yield refuse(artifact, READER, f"is CycloneDX {document.number[:20]}: only what 1.7 prescribes is read")
        if document.components is None and not bill.wrong:
            yield refuse(artifact, READER, "has no list of components")
        yield from bill.cyclonedx(document.components or [])
    elif isinstance(document.spdx, str):
        creation = document.creation if isinstance(document.creation, dict) else {}
        bill.dated(creation.get("created"))
        if not document.spdx.startswith("SPDX-2."):
            yield refuse(artifact, READER, f"is {document.spdx[:20]}: only what SPDX 2.3 prescribes is read")
        if not isinstance(document.packages, list) and not bill.wrong:
            yield refuse(artifact, READER, "has no list of packages")
        yield from bill.spdx(document.packages if isinstance(document.packages, list) else [])
    elif isinstance(document.graph, list):
        yield from bill.graph(document.graph)
    else:
        inner = _inner(document)
        if inner is not None and depth < _DEEPEST:
            yield from _json(artifact, bill, inner, depth + 1)
        else:
            yield refuse(artifact, READER, f"is no bill of materials; {_looks_like(document)}")
        return
    if bill.wrong:
        yield refuse(artifact, READER, f"holds {bill.wrong} components that are not understood")


def _of_tree(metadata: dict[str, Any]) -> bool:
    """Whether npm wrote the bill of an installed tree: `build` it says then, `pre-build` of a lockfile."""
    phases = [item.get("phase") for item in _mappings(metadata.get("lifecycles"))]
    tools = _mappings(metadata.get("tools"))
    return phases == ["build"] and any(tool.get("vendor") == "npm" and tool.get("name") == "cli" for tool in tools)


def _inner(document: _Document) -> bytes | None:
    """The document that a statement, an envelope or a service's answer wraps."""
    for value in (document.sbom, document.predicate):
        if isinstance(value, dict):
            return msgspec.json.encode(value.get("Data", value) if isinstance(value.get("Data"), dict) else value)
    if isinstance(document.payload, str):
        try:
            return base64.b64decode(document.payload, validate=True)
        except (binascii.Error, ValueError):
            return None
    return None


def _looks_like(document: _Document) -> str:
    """What a JSON document that is no bill looks like."""
    for value, words in (
        (document.lockfile, "it looks like a lockfile of npm: check its folder instead"),
        (document.runs, "it looks like SARIF"),
        (document.artifacts, "it looks like syft's own form: let syft write CycloneDX or SPDX"),
        (document.results, "it looks like trivy's own form: let trivy write CycloneDX or SPDX"),
        (document.document, "it looks like CSAF"),
        (document.schema, "it looks like a report, perhaps of pratique itself"),
        (document.dependencies, "it looks like a manifest of a package: check its folder instead"),
    ):
        if value is not None:
            return words
    return "it looks like nothing that is known"


_NAMESPACE = re.compile(r"\{http://cyclonedx\.org/schema/bom/[\d.]+\}")


def _xml(artifact: Artifact, bill: _Bill, data: bytes) -> Iterator[Observation | Refusal]:
    """CycloneDX in XML. Declarations of types and entities are refused unread."""
    from xml.etree import ElementTree  # entities are refused before it sees them
    from xml.sax import SAXException

    if b"cyclonedx.org/schema/bom" not in data[:65536] and b"c\0y\0c\0l\0o\0n\0e" not in data[:65536]:
        if b"spdx.org/rdf" in data[:65536]:
            yield refuse(artifact, READER, "is SPDX in RDF, which is not read: convert it to JSON")
        elif artifact.path.lower().endswith((".xml", ".cdx", ".bom", ".rdf")):
            yield refuse(artifact, READER, "is XML, but no bill of materials of CycloneDX")
        else:
            yield artifact.refusal(READER.name, "is no bill of materials", relevant=False)
        return
    if re.search(rb"<\0?!\0?(?:D\0?O\0?C\0?T|E\0?N\0?T)", data):
        yield refuse(artifact, READER, "declares types or entities, which no bill of materials needs")
        return
    stack: list[dict[str, Any]] = []
    inside: list[str] = []
    try:
        parser: Any = ElementTree.XMLPullParser(("start", "end"))
        for start in range(0, len(data), MEBIBYTE):
            parser.feed(data[start : start + MEBIBYTE])
            for event, element in cast(Iterator[tuple[str, ElementTree.Element]], parser.read_events()):
                tag = _NAMESPACE.sub("", element.tag)
                if event == "start":
                    if not inside and tag != "bom":
                        yield refuse(artifact, READER, f"is XML whose outermost element is no bill: {tag[:80]}")
                        return
                    inside.append(tag)
                    if tag == "component":
                        stack.append({"own": "metadata" in inside[:3], "type": element.get("type")})
                    continue
                inside.pop()
                text = (element.text or "").strip()
                if tag == "timestamp" and inside[-1:] == ["metadata"]:
                    bill.dated(text)
                elif stack and tag in ("name", "group", "version", "purl") and inside[-1:] == ["component"]:
                    stack[-1][tag] = text
                elif stack and tag == "versionRange" and inside[-1:] == ["component"]:
                    stack[-1]["versionRange"] = text
                elif stack and tag == "hash" and inside[-1:] == ["hashes"]:
                    stack[-1].setdefault("hashes", []).append({"alg": element.get("alg"), "content": text})
                elif stack and tag == "property" and inside[-2:] == ["component", "properties"]:
                    stack[-1].setdefault("properties", []).append({"name": element.get("name"), "value": text})
                elif tag == "component":
                    plain = stack.pop()
                    if not plain.pop("own"):
                        yield from bill.cyclonedx(bill.converted([plain]))
                element.clear()
        parser.close()
    except (ElementTree.ParseError, SAXException, ValueError, LookupError) as error:
        yield refuse(artifact, READER, f"is not whole XML: {error}")
        return
    if inside:
        yield refuse(artifact, READER, "is not whole XML: it ends early")
    if bill.wrong:
        yield refuse(artifact, READER, f"holds {bill.wrong} components that are not understood")


READER = Reader(
    name="bill-of-materials",
    ecosystem="npm",
    read=read,
    suffixes=("",),
    limit=256 * MEBIBYTE,
    resolves=False,
    doors=("sbom",),
)

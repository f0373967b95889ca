"""The inventory as lines of JSON, and as a CycloneDX 1.6 bill of materials.

## Holds
One line for each occurrence and one with the coverage at the end; in the bill of materials one component for each
release, with every place it occurs at as evidence. It carries no time and no serial number: the same tree gives the
same bytes.

## Leaves out
Relations between components: `requested_by` stands in the lines alone. The lines hold nothing back in memory; the bill
of materials holds all occurrences. References: CycloneDX 1.6 (ECMA-424), JSON.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from pratique.model.inventory import InventoryCoverage, Occurrence
from pratique.report.evidence import full_path
from pratique.report.words import inert_json, printable
from pratique.version import VERSION

_ALGORITHMS = {
    "md5": ("MD5", 16),
    "sha1": ("SHA-1", 20),
    "sha256": ("SHA-256", 32),
    "sha384": ("SHA-384", 48),
    "sha512": ("SHA-512", 64),
}


def lines(occurrences: Iterable[Occurrence], coverage: Callable[[], InventoryCoverage]) -> Iterator[bytes]:
    """One line for each occurrence, and one with the coverage, which is asked for when all have been seen."""
    encode = msgspec.json.Encoder().encode
    for occurrence in occurrences:
        yield inert_json(encode(occurrence)) + b"\n"
    yield inert_json(encode(coverage())) + b"\n"


def bill(occurrences: Iterable[Occurrence], coverage: Callable[[], InventoryCoverage]) -> Iterator[bytes]:
    """The bill of materials, in one part."""
    releases: dict[str, list[Occurrence]] = {}
    for occurrence in occurrences:
        releases.setdefault(occurrence.purl, []).append(occurrence)
    looked = coverage()
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "pratique", "version": VERSION}]},
            "properties": [
                *_property("complete", looked.complete),
                *_property("interrupted", looked.interrupted),
                *_property("exit-code", looked.exit_code),
                *_property("entries", looked.entries),
                *_property("files-read", looked.artifacts),
                *_property("not-examined", [f"{item.target}/{item.path}: {item.reason}" for item in looked.refusals]),
                *_property("skipped-by-rule", [f"{item.rule}: {item.count}" for item in looked.skipped_by_rule]),
            ],
        },
        "components": [_component(purl, places) for purl, places in sorted(releases.items())],
        "compositions": [{"aggregate": "unknown" if looked.complete else "incomplete"}],
    }
    yield inert_json(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"


def _component(purl: str, places: list[Occurrence]) -> dict[str, Any]:
    from packageurl import PackageURL

    release = PackageURL.from_string(purl)
    found: dict[str, Any] = {"type": "library", "bom-ref": purl}
    if release.namespace:
        found["group"] = printable(release.namespace)
    found |= {"name": printable(release.name), "version": printable(release.version or ""), "purl": purl}
    if hashes := _hashes(item for place in places for item in place.integrity):
        found["hashes"] = hashes
    found["evidence"] = {"occurrences": _places(places)}
    found["properties"] = [
        *_property("depth", sorted({place.depth for place in places})),
        *_property("reader", sorted({place.reader for place in places})),
        *_property("install-script", any(place.install_script for place in places)),
        *_property("dev", all(place.dev for place in places)),
        *_property("bundled", any(place.bundled for place in places)),
        *_property("resolved", sorted({place.resolved for place in places if place.resolved})),
    ]
    return found


def _places(places: list[Occurrence]) -> list[dict[str, Any]]:
    """Each place once, in order."""
    seen: dict[tuple[str, int, str], dict[str, Any]] = {}
    for place in places:
        address = printable(full_path(place.location))
        entry: dict[str, Any] = {"location": address}
        if place.location.line is not None:
            entry["line"] = place.location.line
        entry["additionalContext"] = f"{place.depth}, {place.reader}"
        seen.setdefault((address, place.location.line or 0, entry["additionalContext"]), entry)
    return [seen[key] for key in sorted(seen)]


def _hashes(integrity: Iterable[str]) -> list[dict[str, str]]:
    """Digests as CycloneDX writes them. Those that are not whole are left out; the lines hold them."""
    found = set()
    for item in integrity:
        algorithm, _, text = item.partition("-" if "-" in item else ":")
        name, length = _ALGORITHMS.get(algorithm, ("", 0))
        try:
            hexadecimal = len(text) == 2 * length
            raw = bytes.fromhex(text) if hexadecimal else base64.b64decode(text.split("?")[0], validate=True)
        except (ValueError, binascii.Error):
            continue
        if length and len(raw) == length:
            found.add((name, raw.hex()))
    return [{"alg": name, "content": content} for name, content in sorted(found)]


def _property(name: str, value: object) -> list[dict[str, str]]:
    """One pair, or one for each item of a list."""
    items = value if isinstance(value, list) else [str(value).lower() if isinstance(value, bool) else value]
    return [{"name": f"pratique:{name}", "value": printable(str(item))} for item in items]

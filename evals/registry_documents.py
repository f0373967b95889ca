"""The documents of a local registry: what npm's registry and a Python index would state of a replica's packages."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from evals.describe import History, Package, Published

ORIGIN = "https://registry.invalid"


def stamp(moment: datetime.datetime) -> str:
    """A moment as registries write it."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Entry(msgspec.Struct, frozen=True):
    """One version in a document: when and by whom; `made` is its archive with the archive's name, where there is one.

    `manifest` is of npm alone.
    """

    version: str
    published: Published
    manifest: Mapping[str, Any] = {}
    made: tuple[str, bytes] | None = None


def earlier(history: History) -> list[tuple[str, Published]]:
    """The releases of a history with their moments."""
    found = []
    for at, version in enumerate(reversed(history.versions)):
        moment = history.last - datetime.timedelta(days=history.days * at)
        published = Published(
            moment, history.publisher, history.address, history.trusted, history.provenance, history.head
        )
        found.append((version, published))
    return found[::-1]


def file_name(name: str, version: str) -> str:
    """The name of an npm archive."""
    return f"{name.rpartition('/')[2]}-{version}.tgz"


def packument(package: Package, entries: Sequence[Entry]) -> dict[str, Any]:
    """npm's document of a package. `mirror` leaves out what mirrors leave out: people, attestations, commits."""
    versions = {one.version: _version(package, one) for one in entries}
    times = {one.version: stamp(one.published.at) for one in entries}
    ordered = sorted(entries, key=lambda one: one.published.at)
    latest = package.new or package.old
    return {
        "_id": package.name,
        "name": package.name,
        "dist-tags": {"latest": latest},
        "time": {"created": stamp(ordered[0].published.at), "modified": stamp(ordered[-1].published.at), **times},
        "versions": versions,
    }


def _version(package: Package, one: Entry) -> dict[str, Any]:
    name, version, told = package.name, one.version, one.published
    file, content = one.made or (file_name(name, version), f"{name}@{version}".encode())
    dist: dict[str, Any] = {
        "integrity": "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode(),
        "shasum": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "tarball": f"{ORIGIN}/{name}/-/{file}",
    }
    entry: dict[str, Any] = {**one.manifest, "name": name, "version": version, "_id": f"{name}@{version}", "dist": dist}
    if {"preinstall", "install", "postinstall"} & set(entry.get("scripts") or {}):
        entry["hasInstallScript"] = True
    if package.mirror:
        return entry
    dist["signatures"] = [{"keyid": "SHA256:replica", "sig": ""}]
    user: dict[str, Any] = {"name": told.publisher, "email": told.address}
    if told.trusted:
        user["trustedPublisher"] = {"id": "github", "oidcConfigId": "oidc:replica"}
    if told.provenance:
        dist["attestations"] = {
            "url": f"{ORIGIN}/-/npm/v1/attestations/{name}@{version}",
            "provenance": {"predicateType": "https://slsa.dev/provenance/v1"},
        }
    if told.head:
        entry["gitHead"] = hashlib.sha1(f"{name} {version}".encode(), usedforsecurity=False).hexdigest()
    entry["_npmUser"] = user
    entry["maintainers"] = [{"name": told.publisher, "email": told.address}]
    return entry


def index_page(package: Package, entries: Sequence[Entry]) -> dict[str, Any]:
    """The page of a Python index about a project, as JSON."""
    files = []
    for one in sorted(entries, key=lambda one: one.published.at):
        stem = package.name.replace("-", "_")
        file, content = one.made or (f"{stem}-{one.version}-py3-none-any.whl", f"{stem} {one.version}".encode())
        row: dict[str, Any] = {
            "filename": file,
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            "size": len(content),
            "upload-time": stamp(one.published.at),
            "url": f"{ORIGIN}/files/{file}",
            "yanked": False,
        }
        if one.published.provenance and not package.mirror:
            row["provenance"] = f"{ORIGIN}/integrity/{package.name}/{one.version}/{file}/provenance"
        files.append(row)
    versions = [one.version for one in sorted(entries, key=lambda one: one.published.at)]
    return {"meta": {"api-version": "1.3"}, "name": package.name, "versions": versions, "files": files}

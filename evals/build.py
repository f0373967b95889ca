"""Build the replicas: `python -m evals.build --bases FOLDER --out FOLDER`.

Each replica becomes a local registry of its own, `OUT/<id>/npm/<name>/…` or `OUT/<id>/pypi/<name>/…`, that
`pratique inspect --from` reads. Bases come from FOLDER: archives of the corpus (`npm/archives`, `pypi/archives`), and
texts of the replica itself where it names none. The same bytes everywhere: a digest for each replica is printed, and
compared with `evals/replicas/digests.json`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals import archives
from evals.describe import REPLICAS, Package, Part, Replica, Write, load_all
from evals.registry_documents import Entry, earlier, file_name, index_page, packument
from evals.shapes import shaped

DIGESTS = REPLICAS / "digests.json"
_INFO = re.compile(r"[^/]+\.dist-info")


class MissingBaseError(Exception):
    """The archive that a replica is made out of is not at hand."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build all replicas, or those named; 1 where a digest differs or a base is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bases", type=Path, required=True, help="folder of the corpus, which holds the base archives")
    parser.add_argument("--out", type=Path, required=True, help="folder to build into")
    parser.add_argument("--write-digests", action="store_true", help="write digests.json instead of comparing with it")
    parser.add_argument("names", nargs="*", help="ids of replicas; all where none is named")
    options = parser.parse_args(arguments)
    known: dict[str, str] = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    bad = 0
    built: dict[str, str] = {}
    for identifier, replica in load_all().items():
        if options.names and identifier not in options.names:
            continue
        try:
            built[identifier] = build(replica, REPLICAS / identifier, options.bases, options.out / identifier)
        except MissingBaseError as error:
            print(f"{identifier}: {error}", file=sys.stderr)
            bad += 1
            continue
        differs = not options.write_digests and known.get(identifier) != built[identifier]
        bad += differs
        print(f"{built[identifier]}  {identifier}{'  DIFFERS' if differs else ''}")
    if options.write_digests:
        DIGESTS.write_text(json.dumps({**known, **built}, indent=1, sort_keys=True) + "\n")
    print(f"{over_all(built)}  all {len(built)}")
    return 1 if bad else 0


def over_all(digests: dict[str, str]) -> str:
    """One digest over the digests of all replicas."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def build(replica: Replica, folder: Path, bases: Path, out: Path) -> str:
    """Build one replica into a folder and give its digest. Raises MissingBaseError where a base is not at hand."""
    for package in replica.package:
        if replica.ecosystem == "npm":
            _npm(package, folder, bases, out)
        else:
            _python(package, folder, bases, out)
    return digest_of(out)


def digest_of(out: Path) -> str:
    """SHA-256 over what was built: contents of archives, and documents without the digests of packed archives."""
    whole = hashlib.sha256()
    for path in sorted(one for one in out.rglob("*") if one.is_file()):
        relative = path.relative_to(out).as_posix()
        if path.suffix == ".json":
            digest = hashlib.sha256(_without_digests(path.read_text()).encode()).hexdigest()
        else:
            digest = archives.unpacked_digest(path)
        whole.update(f"{digest}  {relative}\n".encode())
    return whole.hexdigest()


def _without_digests(text: str) -> str:
    return re.sub(r'"(integrity|shasum|sha256|size)": ?("[^"]*"|\d+)', r'"\1": ""', text)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _text(folder: Path, part: Part | Write) -> bytes:
    content = (folder / "files" / part.text).read_bytes()
    if isinstance(part, Write):
        for word, inner in part.inserts.items():
            content = content.replace(b"{{" + word.encode() + b"}}", _text(folder, inner))
    return shaped(content, part.steps)


def _apply(package: Package, folder: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """The base's files with what the recipe writes and drops. Raises ValueError where an anchor is not there."""
    made = {path: content for path, content in files.items() if path not in package.drop}
    for write in package.write:
        content = _text(folder, write)
        if write.where == "whole":
            made[write.path] = content
            continue
        before = made[write.path]
        if write.where == "start":
            made[write.path] = content + b"\n" + before
        elif write.where == "end":
            made[write.path] = before + b"\n" + content
        else:
            anchor = write.anchor.encode()
            if anchor not in before:
                raise ValueError(f"{write.path} of {package.name} has no {write.anchor!r}")
            made[write.path] = before.replace(anchor, content + anchor, 1)
    return made


def _base_texts(package: Package, folder: Path) -> dict[str, bytes]:
    root = folder / "bases" / package.folder
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _npm(package: Package, folder: Path, bases: Path, out: Path) -> None:
    place = out / "npm" / package.name
    made: dict[str, tuple[str, bytes]] = {}
    manifests: dict[str, dict[str, Any]] = {}
    if package.base:
        name, _, version = package.base.rpartition("@")
        archive = bases / "npm" / "archives" / f"{name.replace('/', '+')}-{version}.tgz"
        if not archive.exists():
            raise MissingBaseError(f"{package.base} is not in {archive.parent}")
        files = archives.opened(archive)
    else:
        files = _base_texts(package, folder)
    base_manifest: dict[str, Any] = json.loads(files.get("package.json", b"{}"))
    base_manifest["name"] = package.name
    if package.old:
        base_manifest["version"] = package.old
        manifests[package.old] = base_manifest
        old = {**files, "package.json": (json.dumps(base_manifest, indent=2, ensure_ascii=False) + "\n").encode()}
        made[package.old] = (file_name(package.name, package.old), archives.tarball(old, "package"))
    if package.new:
        manifest = _manifest(package, base_manifest)
        new = {**files, "package.json": (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()}
        new = _apply(package, folder, new)
        manifests[package.new] = manifest
        executable = frozenset(one.path for one in package.write if one.executable)
        made[package.new] = (file_name(package.name, package.new), archives.tarball(new, "package", executable))
    entries = [
        Entry(version, published, manifests.get(version, base_manifest), made.get(version))
        for version, published in _releases(package)
    ]
    for name, content in made.values():
        _write(place / name, content)
    _write(place / "package.json", (json.dumps(packument(package, entries), indent=1) + "\n").encode())


def _releases(package: Package) -> list[tuple[str, Any]]:
    """Every version of the record with what is stated of it, oldest first."""
    found: dict[str, Any] = dict(earlier(package.history)) if package.history else {}
    if package.old and package.old not in found:
        raise ValueError(f"{package.name}: the history does not hold {package.old}")
    for sibling in package.siblings:
        told = package.release
        found[sibling.version] = type(told)(
            sibling.at, told.publisher, told.address, told.trusted, told.provenance, told.head
        )
    if package.new:
        found[package.new] = package.release
    return sorted(found.items(), key=lambda item: item[1].at)


def _manifest(package: Package, base: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(base))
    made["version"] = package.new
    for keys in package.remove:
        inner = made
        for key in keys[:-1]:
            inner = inner.get(key, {})
        inner.pop(keys[-1], None)
    for one in package.set:
        inner = made
        for key in one.at[:-1]:
            inner = inner.setdefault(key, {})
        inner[one.at[-1]] = one.value
    return made


def _python(package: Package, folder: Path, bases: Path, out: Path) -> None:
    place = out / "pypi" / package.name
    stem = package.name.replace("-", "_")
    made: dict[str, tuple[str, bytes]] = {}
    if package.base:
        archive = bases / "pypi" / "archives" / package.base
        if not archive.exists():
            raise MissingBaseError(f"{package.base} is not in {archive.parent}")
        files = archives.opened(archive)
    else:
        files = _base_texts(package, folder)
    for version, new in ((package.old, False), (package.new, True)):
        if not version:
            continue
        inner = _apply(package, folder, files) if new else dict(files)
        requires = package.requires if new else ()
        if package.form == "sdist":
            inner["PKG-INFO"] = _metadata(package, inner.pop("PKG-INFO", b""), version, requires)
            made[version] = (f"{stem}-{version}.tar.gz", archives.tarball(inner, f"{stem}-{version}"))
        else:
            made[version] = (f"{stem}-{version}-py3-none-any.whl", _wheel(package, inner, version, requires))
    entries = [Entry(version, published, {}, made.get(version)) for version, published in _releases(package)]
    for name, content in made.values():
        _write(place / name, content)
    _write(place / "index.json", (json.dumps(index_page(package, entries), indent=1) + "\n").encode())


def _wheel(package: Package, files: dict[str, bytes], version: str, requires: tuple[str, ...]) -> bytes:
    info = f"{package.name.replace('-', '_')}-{version}.dist-info"
    moved: dict[str, bytes] = {}
    for path, content in files.items():
        first, _, rest = path.partition("/")
        moved[f"{info}/{rest}" if _INFO.fullmatch(first) else path] = content
    moved.pop(f"{info}/RECORD", None)
    moved[f"{info}/METADATA"] = _metadata(package, moved.get(f"{info}/METADATA", b""), version, requires)
    moved.setdefault(
        f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: replica\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    return archives.wheel(moved, info)


def _metadata(package: Package, base: bytes, version: str, requires: tuple[str, ...]) -> bytes:
    text = base.decode() or f"Metadata-Version: 2.1\nName: {package.name}\nVersion: 0\nSummary: {package.summary}\n\n"
    head, gap, body = text.partition("\n\n")
    lines = [f"Version: {version}" if line.startswith("Version:") else line for line in head.split("\n")]
    lines += [f"Requires-Dist: {one}" for one in requires]
    return ("\n".join(line for line in lines if line) + (gap or "\n\n") + body).encode()


if __name__ == "__main__":
    raise SystemExit(main())

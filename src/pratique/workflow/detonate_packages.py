"""What a sandbox's registry serves: the archives at hand, and empty stand-ins for dependencies that are not."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Collection, Iterable, Mapping
from email.parser import HeaderParser
from typing import Any, Literal

import msgspec

from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.requirements_of import Wanted, of_npm, of_python
from pratique.model.detonation import Served
from pratique.model.errors import TargetError
from pratique.model.ports import Unreadable
from pratique.targets.release import Opened, open_bytes, open_release
from pratique.workflow.detonate_home import REGISTRY

World = Literal["npm", "PyPI"]
_NO_STANDIN = ("optionalDependencies", "build")
EMPTY = "harbour-blank"
"""The package of the run that shows what an empty package does."""
_BACKEND = """\
import zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = "NAME-VERSION-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as made:
        made.write("NAME.py")
        about = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        made.writestr("NAME-VERSION.dist-info/WHEEL", about)
        made.writestr("NAME-VERSION.dist-info/RECORD", "")
        made.writestr("NAME-VERSION.dist-info/METADATA", INFORMATION)
    return name
"""
"""A build of its own for the empty source archive, which needs nothing."""
_FIRST = re.compile(r"\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?")


class Package(msgspec.Struct, frozen=True):
    """An archive with what it calls itself. `members` are its files with their digests, `modules` what can be imported.

    `wants` are the requests for dependencies, by the names they are known under.
    """

    ecosystem: World
    name: str
    version: str
    file: str
    content: bytes
    members: dict[str, str]
    wants: dict[str, Wanted]
    modules: tuple[str, ...]
    form: str
    manifest: dict[str, Any]
    standin: bool = False

    @property
    def importable(self) -> bool:
        """Whether it names something that can be imported."""
        if self.ecosystem == "PyPI":
            return bool(self.modules)
        named = any(self.manifest.get(key) for key in ("main", "module", "exports"))
        return named or bool({"index.js", "index.json", "index.node", "index.mjs"} & self.members.keys())

    @property
    def sha256(self) -> str:
        """The digest of the archive."""
        return hashlib.sha256(self.content).hexdigest()


def package(path: str, shown: str = "", copy: bool = False) -> Package:
    """The release that lies at a path, packed where it is a folder. Raises TargetError where it is none."""
    with open_release(path) as opened:
        if opened.form == "directory" or copy:
            return _package(opened, None, shown or path)
        with open(path, "rb") as file:
            return _package(opened, file.read(), shown or path)


def _package(opened: Opened, content: bytes | None, shown: str) -> Package:
    members = {path: member.sha256 for path, member in opened.members.items()}
    manifest: dict[str, Any] = {}
    if "package.json" in members:
        manifest = _json(opened, shown)
        name, version = str(manifest.get("name") or ""), str(manifest.get("version") or "")
        if not name or not version:
            raise TargetError("its package.json names no package and version", where=shown)
        packed = content if content is not None else _packed(opened, "package")
        wants = of_npm(manifest)
        bundled = manifest.get("bundleDependencies") or manifest.get("bundledDependencies") or ()
        kept = () if not isinstance(bundled, list) else bundled
        wants = {key: value for key, value in wants.items() if key not in kept}
        file = f"{name.rpartition('/')[2]}-{version}.tgz"
        return Package("npm", name, version, file, packed, members, wants, (name,), "tarball", manifest)
    about = next((one for one in sorted(members, key=len) if one.endswith((".dist-info/METADATA", "PKG-INFO"))), "")
    if not about:
        raise TargetError("holds neither a package.json nor a PKG-INFO or METADATA", where=shown)
    wheel = about.endswith("/METADATA")
    metadata = opened.read(about).decode("utf-8", "replace")
    headers = HeaderParser().parsestr(metadata)
    name, version = str(headers.get("Name", "")), str(headers.get("Version", ""))
    if not name or not version:
        raise TargetError("its metadata names no project and version", where=shown)
    if content is None:
        if wheel:
            raise TargetError("is an installed copy, of which no archive can be made", where=shown)
        top = f"{normalise(name).replace('-', '_')}-{version}"
        content = _packed(opened, top)
    wants = of_python(metadata, None if wheel else _build(opened))
    label = normalise(name).replace("-", "_")
    file = shown.rpartition("/")[2] if wheel and shown.endswith(".whl") else f"{label}-{version}.tar.gz"
    if wheel and not shown.endswith(".whl"):
        tags = re.search(rb"(?m)^Tag: (\S+)", opened.read(about.removesuffix("METADATA") + "WHEEL"))
        file = f"{label}-{version}-{tags[1].decode() if tags else 'py3-none-any'}.whl"
    modules = _modules(members, wheel, label)
    form = "wheel" if wheel else "sdist"
    return Package("PyPI", normalise(name), version, file, content, members, wants, modules, form, {})


def _build(opened: Opened) -> dict[str, Any]:
    """The `pyproject.toml` of a source archive; empty where there is none, or none that can be read."""
    try:
        return tomllib.loads(opened.read("pyproject.toml").decode("utf-8"))
    except (Unreadable, ValueError):
        return {}


def _json(opened: Opened, shown: str) -> dict[str, Any]:
    try:
        found = json.loads(opened.read("package.json"))
    except (ValueError, Unreadable):
        raise TargetError("its package.json cannot be read", where=shown) from None
    if not isinstance(found, dict):
        raise TargetError("its package.json is no object", where=shown)
    return found


def _mapping(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _modules(members: Iterable[str], wheel: bool, label: str) -> tuple[str, ...]:
    """The names that an importer would use: top-level packages and modules."""
    found: dict[str, None] = {}
    for path in sorted(members):
        parts = path.split("/")
        if not wheel and parts[0] == "src":
            parts = parts[1:]
        if not parts or parts[0].endswith((".dist-info", ".data", ".egg-info")):
            continue
        if len(parts) == 2 and parts[1] == "__init__.py" and parts[0].isidentifier():
            found[parts[0]] = None
        elif len(parts) == 1 and parts[0].endswith(".py") and parts[0] not in ("setup.py", "conftest.py"):
            found[parts[0].removesuffix(".py")] = None
    if not wheel:
        near = [one for one in found if one.lower() == label.lower()]
        return tuple(near or [one for one in found if one not in ("tests", "test", "docs", "examples")])
    return tuple(found)


def _packed(opened: Opened, top: str) -> bytes:
    """An archive of what lies in a folder."""
    runs = {f"{top}/{path}" for path, member in opened.members.items() if member.executable}
    return tarball({f"{top}/{one}": opened.read(one) for one in opened.members}, runs)


def tarball(files: Mapping[str, bytes], executables: Collection[str] = ()) -> bytes:
    """A tar.gz of some files, the same bytes for the same files."""
    held = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=held, mode="wb", mtime=0, compresslevel=1) as outer,
        tarfile.open(fileobj=outer, mode="w", format=tarfile.PAX_FORMAT) as tape,
    ):
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name in executables else 0o644
            tape.addfile(entry, io.BytesIO(content))
    return held.getvalue()


def empty(world: World, form: str, name: str = EMPTY, version: str = "1.0.0") -> Package:
    """A package without content, of the same kind as another: what is seen of it is what the client itself does."""
    label = normalise(name).replace("-", "_")
    if world == "npm":
        text = json.dumps({"name": name, "version": version, "main": "index.js"}).encode()
        content, file = tarball({"package/package.json": text, "package/index.js": b"'use strict';\n"}), f"{label}.tgz"
    elif form == "sdist":
        top = f"{label}-{version}"
        information = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        backend = _BACKEND.replace("NAME", label).replace("VERSION", version).replace("INFORMATION", repr(information))
        project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        content = tarball({f"{top}/pyproject.toml": project.encode(), f"{top}/backend.py": backend.encode(),
                           f"{top}/{label}.py": b"\n", f"{top}/PKG-INFO": information.encode()})  # fmt: skip
        file = f"{top}.tar.gz"
    else:
        content, file = wheel(name, version, {f"{label}.py": b"\n"}), f"{label}-{version}-py3-none-any.whl"
    with open_bytes(content, where=file) as opened:
        return msgspec.structs.replace(_package(opened, content, file), standin=True)


def wheel(name: str, version: str, files: Mapping[str, bytes]) -> bytes:
    """A wheel of some files for any Python 3."""
    folder = f"{normalise(name).replace('-', '_')}-{version}.dist-info"
    whole = {
        **files,
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: empty\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip('=')},{len(content)}"
        for path, content in whole.items()
    ]
    whole[f"{folder}/RECORD"] = "\n".join([*rows, f"{folder}/RECORD,,", ""]).encode()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in whole.items():
            archive.writestr(zipfile.ZipInfo(path), content)
    return held.getvalue()


def standins(packages: Iterable[Package]) -> list[Package]:
    """Empty packages for every dependency that is asked for and not at hand, in a version that suits.

    Optional ones are left out, as npm leaves them out where they cannot be had; so is what builds a source archive.
    """
    packages = list(packages)
    have = {(one.ecosystem, one.name) for one in packages}
    made: list[Package] = []
    for one in packages:
        for wanted in sorted(one.wants.values(), key=lambda asked: asked.name):
            absent = (one.ecosystem, wanted.name) not in have
            if absent and not wanted.elsewhere and wanted.group not in _NO_STANDIN:
                have.add((one.ecosystem, wanted.name))
                made.append(empty(one.ecosystem, "wheel", wanted.name, _version(one.ecosystem, wanted.range)))
    return made


def _version(world: World, wanted: str) -> str:
    """A version that a range most probably allows: the first that it names, filled up."""
    allowed = re.sub(r"[<!]=?\s*[\w.*-]+", "", wanted)
    found = _FIRST.search(allowed)
    if found is None:
        return "1.0.0"
    number, _, rest = found[0].partition("-")
    if re.search(r">(?!=)\s*" + re.escape(found[0]), wanted):
        parts = [*number.split("."), "0", "0"][:3]
        return ".".join([*parts[:2], str(int(parts[2]) + 1)])
    if world == "npm":
        number = ".".join([*number.split("."), "0", "0"][:3])
    return f"{number}-{rest}" if rest and world == "npm" else number


def served(packages: Iterable[Package]) -> dict[str, Served]:
    """What npm's registry answers: a document for each name, and the archives."""
    found: dict[str, Served] = {}
    documents: dict[str, dict[str, Any]] = {}
    for one in packages:
        if one.ecosystem != "npm":
            continue
        place = f"/{one.name}/-/{one.file}"
        digest = base64.b64encode(hashlib.sha512(one.content).digest()).decode()
        scripts = _mapping(one.manifest.get("scripts"))
        gyp = "binding.gyp" in one.members and not {"install", "preinstall"} & scripts.keys()
        runs = gyp or bool({"preinstall", "install", "postinstall"} & scripts.keys())
        entry = {
            **one.manifest,
            "_id": f"{one.name}@{one.version}",
            "hasInstallScript": runs,
            "dist": {
                "tarball": f"http://{REGISTRY}{place}",
                "integrity": f"sha512-{digest}",
                "shasum": hashlib.sha1(one.content, usedforsecurity=False).hexdigest(),
            },
        }
        if gyp:
            entry["gypfile"] = True
            entry["scripts"] = {**scripts, "install": "node-gyp rebuild"}
        document = documents.setdefault(one.name, {"name": one.name, "dist-tags": {}, "versions": {}, "time": {}})
        document["versions"][one.version] = entry
        document["dist-tags"]["latest"] = one.version
        document["time"][one.version] = "2020-01-01T00:00:00.000Z"
        found[place] = Served(one.content, "application/octet-stream")
    for name, document in documents.items():
        found[f"/{name}"] = Served(json.dumps(document).encode(), "application/json")
    return found

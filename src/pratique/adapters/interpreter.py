"""What lies in the folders that this Python loads code from, read as data: nothing found there is imported.

A poisoned package can plant code that runs whenever Python starts: a `.pth` file with an `import` line, a
`sitecustomize` or `usercustomize` module, or a changed file of a package that is trusted. Installers record what they
put down in each distribution's RECORD; what is not recorded, or differs from its digest, came from elsewhere.

References: the documentation of the `site` module; the specification "Recording installed projects".
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import site
import sys
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

import msgspec

STARTUP_MODULES = ("sitecustomize", "usercustomize")
KNOWN_STARTUP_CODE = {
    "2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224": "setuptools",
    "43d81125d92376b1a69d53a71126a041cc9a18d8080e92dea0a2ae23be138b1e": "Debian",
}
"""SHA-256 of start-up files that come with common software, and with which."""
_MODULE = re.compile(r"\.(?:py|pyc|so|pyd|abi3\.so)$|\.cpython-[\w-]+\.so$")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")


class Distribution(msgspec.Struct):
    """One installed distribution, from its `.dist-info` folder. `files` maps each recorded path to its digest.

    `requires` leaves extras out; `conditional` are those of them that some platform or version does not need.
    """

    name: str
    version: str
    folder: str
    requires: tuple[str, ...]
    conditional: tuple[str, ...]
    files: dict[str, str]
    recorded: bool
    editable: bool


class StartupFile(msgspec.Struct, frozen=True):
    """A file that runs code when Python starts. `known` names the software it is known from, by its digest."""

    path: str
    lines: tuple[int, ...]
    owner: str
    known: str


class SiteFolder(msgspec.Struct):
    """One folder that Python loads packages from."""

    path: str
    distributions: dict[str, Distribution] = {}
    startup: list[StartupFile] = []
    path_files: list[str] = []
    unrecorded: list[str] = []
    unreadable: list[tuple[str, str]] = []


def canonical(name: str) -> str:
    """A distribution's name as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def folders() -> list[str]:
    """The folders of this interpreter that hold packages, standard library aside, in the order Python searches them."""
    found = [*(item for item in sys.path if item), *site.getsitepackages()]
    real = dict.fromkeys(os.path.realpath(item) for item in found if os.path.isdir(item))
    return [item for item in real if item != library_folder() and not item.endswith("lib-dynload")]


def library_folder() -> str:
    """The folder of the standard library."""
    return os.path.dirname(os.path.realpath(os.__file__))


def read_folder(path: str) -> SiteFolder:
    """Look at one folder: its distributions, what runs at start, and what no RECORD names. Imports nothing."""
    found = SiteFolder(path)
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        found.unreadable.append((path, error.strerror or "cannot be listed"))
        return found
    for name in names:
        if name.endswith(".dist-info"):
            try:
                distribution = _distribution(Path(path), name)
            except (OSError, ValueError, csv.Error) as error:
                reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else "is damaged"
                found.unreadable.append((f"{path}/{name}", reason))
            else:
                found.distributions[canonical(distribution.name)] = distribution
    owners = {file: item.name for item in found.distributions.values() for file in item.files}
    tops = {file.partition("/")[0] for file in owners}
    for name in names:
        if name.endswith(".pth"):
            _path_file(found, name, owners.get(name, ""))
        elif name.partition(".")[0] in STARTUP_MODULES and (os.path.isdir(f"{path}/{name}") or _MODULE.search(name)):
            found.startup.append(_startup(path, name, (), owners.get(name, "")))
        elif name not in tops and _loadable(path, name):
            found.unrecorded.append(name)
    return found


def startup_modules(path: str) -> list[StartupFile]:
    """The start-up modules of a folder whose other content is not looked at, such as the standard library."""
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return []
    return [
        _startup(path, name, (), "")
        for name in names
        if name.partition(".")[0] in STARTUP_MODULES and (_MODULE.search(name) or os.path.isdir(f"{path}/{name}"))
    ]


def _loadable(path: str, name: str) -> bool:
    """Whether `import` could find this entry: a module, or a folder with a name that a module can have."""
    if name == "__pycache__" or name.endswith((".dist-info", ".egg-info", ".data")):
        return False
    return bool(_MODULE.search(name)) or (name.isidentifier() and os.path.isdir(f"{path}/{name}"))


def _distribution(folder: Path, name: str) -> Distribution:
    """Read METADATA and RECORD of one `.dist-info` folder. Raises OSError, ValueError or csv.Error."""
    head = HeaderParser().parsestr((folder / name / "METADATA").read_text(encoding="utf-8", errors="replace"))
    requires = []
    conditional = []
    for text in head.get_all("Requires-Dist", []):
        match = _REQUIREMENT.match(str(text))
        if match and not re.search(r";.*\bextra\b", str(text)):
            requires.append(canonical(match[1]))
            if ";" in str(text):
                conditional.append(canonical(match[1]))
    record = folder / name / "RECORD"
    files: dict[str, str] = {}
    if record.is_file():
        for row in csv.reader(io.StringIO(record.read_text(encoding="utf-8", errors="replace"))):
            if row:
                files[row[0].replace("\\", "/")] = row[1] if len(row) > 1 else ""
    source = folder / name / "direct_url.json"
    editable = source.is_file() and b'"editable": true' in source.read_bytes()
    stem = name.removesuffix(".dist-info")
    title = str(head.get("Name") or stem.rpartition("-")[0] or stem)
    return Distribution(
        name=title,
        version=str(head.get("Version") or stem.rpartition("-")[2]),
        folder=name,
        requires=tuple(requires),
        conditional=tuple(conditional),
        files=files,
        recorded=record.is_file(),
        editable=editable,
    )


def _path_file(found: SiteFolder, name: str, owner: str) -> None:
    """Sort a `.pth` file: `site` executes lines that start with `import`, and adds the others to the search path."""
    try:
        data = Path(found.path, name).read_bytes()
    except OSError as error:
        found.unreadable.append((f"{found.path}/{name}", error.strerror or "cannot be read"))
        return
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = tuple(
        number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(("import ", "import\t"))
    )
    if lines:
        found.startup.append(_startup(found.path, name, lines, owner))
    else:
        found.path_files.append(name)


def _startup(path: str, name: str, lines: tuple[int, ...], owner: str) -> StartupFile:
    try:
        digest = hashlib.sha256(Path(path, name).read_bytes()).hexdigest()
    except OSError:
        digest = ""
    return StartupFile(f"{path}/{name}", lines, owner, KNOWN_STARTUP_CODE.get(digest, ""))


def needed(found: dict[str, Distribution], root: str) -> frozenset[str]:
    """The canonical names of a distribution and of everything that it requires, extras aside."""
    names: set[str] = set()
    waiting = [canonical(root)]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += found[name].requires if name in found else ()
    return frozenset(names)


def verify(folder: str, distribution: Distribution) -> Iterator[tuple[str, str]]:
    """Yield path and reason for every file that differs from the RECORD, is missing, or is not in it.

    Compiled files below `__pycache__` are not recorded and not compared.
    """
    tops = set()
    for path, digest in sorted(distribution.files.items()):
        if path.startswith(("..", "/")) or "__pycache__/" in path:
            continue
        tops.add(path.partition("/")[0])
        if not digest:
            continue
        algorithm, _, value = digest.partition("=")
        try:
            data = Path(folder, path).read_bytes()
        except FileNotFoundError:
            yield path, "is missing"
            continue
        except OSError as error:
            yield path, error.strerror or "cannot be read"
            continue
        if algorithm not in ("sha256", "sha384", "sha512"):
            yield path, f"is recorded by {algorithm or 'nothing'}, which proves nothing"
        elif base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode() != value:
            yield path, "differs from its recorded digest"
    for top in sorted(tops):
        for at, names, entries in os.walk(Path(folder, top)):
            names[:] = sorted(name for name in names if name != "__pycache__")
            for entry in sorted(entries):
                path = os.path.relpath(os.path.join(at, entry), folder).replace(os.sep, "/")
                if path not in distribution.files and _MODULE.search(entry):
                    yield path, "is not in the RECORD"

"""Inert stand-ins of Python releases as readable text, packed into wheels and source archives that never change.

`litellm` 1.82.7 and 1.82.8 are replicas in name and shape alone. What their code does: it appends one line to the file
that `STANDIN_OUT` names, and nothing where that is not set.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

MOMENT = (2026, 3, 24, 10, 0, 0)
_SECONDS = 1774346400

_RUN = """import os

if "STANDIN_OUT" in os.environ:
    with open(os.environ["STANDIN_OUT"], "a", encoding="utf-8") as out:
        out.write("{what} ran\\n")
"""

START = (
    "import os; out = os.environ.get('STANDIN_OUT'); "
    "out and open(out, 'a', encoding='utf-8').write('litellm_init.pth ran\\n')\n"
)

Release = tuple[str, str, tuple[str, ...], dict[str, str]]

RELEASES: tuple[Release, ...] = (
    ("litellm", "1.82.6", ("standin.tools>=1",), {"litellm/__init__.py": "", "litellm/proxy/__init__.py": ""}),
    (
        "litellm",
        "1.82.7",
        ("standin.tools>=1",),
        {"litellm/__init__.py": "", "litellm/proxy/__init__.py": _RUN.format(what="litellm.proxy")},
    ),
    (
        "litellm",
        "1.82.8",
        ("standin.tools>=1",),
        {"litellm/__init__.py": "", "litellm/proxy/__init__.py": "", "litellm_init.pth": START},
    ),
    ("Standin.Tools", "1.0", (), {"standin_tools/__init__.py": "VALUE = 1\n"}),
    ("Standin.Tools", "1.1.0", ("standin-colours; sys_platform == 'win32'",), {"standin_tools/__init__.py": ""}),
    ("standin-colours", "2.0.post1", (), {"standin_colours.py": "RED = 1\n"}),
)


def folder_name(name: str) -> str:
    """The name as it stands in file names."""
    return name.lower().replace("-", "_").replace(".", "_")


def metadata(name: str, version: str, requires: tuple[str, ...]) -> str:
    """METADATA or PKG-INFO of a release."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Summary: An inert stand-in"]
    lines += ["Requires-Python: >=3.8", *(f"Requires-Dist: {item}" for item in requires)]
    return "\n".join(lines) + "\n\nAn inert stand-in. Version: 0.0.0 of this text means nothing.\n"


def wheel(release: Release) -> tuple[str, bytes]:
    """File name and bytes of the wheel."""
    name, version, requires, files = release
    base = f"{folder_name(name)}-{version}"
    info = f"{base}.dist-info"
    members = {
        **files,
        f"{info}/entry_points.txt": f"[console_scripts]\n{folder_name(name)} = {folder_name(name)}:main\n",
        f"{info}/METADATA": metadata(name, version, requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: standin\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        rows.append(f"{path},sha256={digest},{len(text.encode())}")
    members[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in members.items():
            entry = zipfile.ZipInfo(path, MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, text)
    return f"{base}-py3-none-any.whl", out.getvalue()


def sdist(release: Release) -> tuple[str, bytes]:
    """File name and bytes of the source archive, built by setuptools."""
    name, version, requires, files = release
    base = f"{folder_name(name)}-{version}"
    code = {path: text for path, text in files.items() if path.endswith(".py")}
    modules = sorted({path.removesuffix(".py") for path in code if "/" not in path})
    packages = sorted({path.rpartition("/")[0].replace("/", ".") for path in code if "/" in path})
    setup = (
        "from setuptools import setup\n\n"
        f"setup(name={name!r}, version={version!r}, packages={packages!r}, py_modules={modules!r},"
        f" install_requires={list(requires)!r})\n"
    )
    members = {"PKG-INFO": metadata(name, version, requires), "setup.py": setup, **code}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, text in members.items():
            entry = tarfile.TarInfo(f"{base}/{path}")
            entry.size = len(text.encode())
            entry.mtime = _SECONDS
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return f"{base}.tar.gz", gzip.compress(out.getvalue(), mtime=_SECONDS)


def write(folder: Path, *, sources: bool = False) -> list[Path]:
    """Write every wheel, and every source archive where asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for release in RELEASES:
        for make in (wheel, *((sdist,) if sources else ())):
            name, data = make(release)
            (folder / name).write_bytes(data)
            written.append(folder / name)
    return written

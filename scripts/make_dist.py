"""Build one archive with its own interpreter, for Linux on x86-64: python -m scripts.make_dist [--output dist]

The archive holds the interpreter that runs this script, the shared libraries that it needs with their loader, this
program as its own wheel, and what it depends on, copied file by file as their RECORD lists them and verified against
it. Nothing is needed on the machine where it is unpacked but the kernel. The same inputs give the same bytes.

Left out of the standard library: tests, editors, documentation, installers, and the modules that would bring further
libraries (OpenSSL, curses, readline, Tk, ...): nothing here speaks to a network.
"""

from __future__ import annotations

import argparse
import compileall
import csv
import gzip
import hashlib
import io
import itertools
import os
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from pratique.adapters import interpreter  # noqa: E402 (the path to it is set above) (found through the line above)
from pratique.version import VERSION  # noqa: E402 (the path to it is set above)

NAME = f"pratique-{VERSION}-linux-x86_64"
EXTRAS = (
    *("cryptography", "pyrage"),
    *("tree-sitter", "tree-sitter-javascript", "tree-sitter-python", "tree-sitter-typescript"),
)
"""What the extras `case` and `inspect` need: whoever takes this build into an incident can fetch nothing more."""
LEFT_OUT = ("zstandard/_cffi", "zstandard/backend_cffi")
"""Second halves of packages for other interpreters."""
MOMENT = 1_000_000_000 - 1
"""The time of every file: before 2001-09-09, which no reader takes for evidence."""
LIBRARY_FOLDERS_LEFT_OUT = {
    "__pycache__", "ctypes", "curses", "dbm", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data",
    "site-packages", "dist-packages", "test", "tests", "tkinter", "turtledemo", "unittest", "venv", "wsgiref", "xmlrpc",
}  # fmt: skip
LIBRARY_FILES_LEFT_OUT = re.compile(
    r"(?:sitecustomize|usercustomize|antigravity|this|turtle|pdb|doctest|pydoc|ssl|_sysconfigdata\w*[-\w]*)\.py"
)
EXTENSIONS_LEFT_OUT = re.compile(
    r"(?:_test\w*|_ctypes\w*|xx\w*|_xx\w*|_curses\w*|_crypt|_dbm|_gdbm|_hashlib|_ssl|_tkinter|_uuid|nis|ossaudiodev|readline"
    r"|spwd)\."
)
START = '''"""Starts the program from this folder alone."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "packages"))

from pratique.doors.cli.entry import main

sys.exit(main())
'''
READ_ME = """pratique {version} for Linux on x86-64, with its own interpreter (Python {python}).

Run ./pratique --help. The folder can lie anywhere, read-only too. It uses nothing of this machine but the kernel.

SHA256SUMS lists every file: sha256sum --check SHA256SUMS
licences/ holds the licences of what is bundled and says where each part comes from.
"""


class CannotBuild(Exception):  # noqa: N818 (it says what happened)
    """Something that the archive needs is not here."""


def main() -> int:
    """Build the archive and its checksum; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build one archive with its own interpreter.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="FOLDER")
    options = parser.parse_args()
    try:
        archive = build(options.output)
    except CannotBuild as error:
        sys.stderr.write(f"make dist: {error}\n")
        return 1
    sys.stdout.write(f"{archive}  {archive.stat().st_size / (1 << 20):.1f} MiB\n")
    return 0


def build(output: Path) -> Path:
    """Build into a folder; returns the archive. Raises CannotBuild."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise CannotBuild("this recipe is for Linux on x86-64")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pratique-dist-") as work:
        stage = Path(work) / NAME
        stage.mkdir()
        licences = Licences(stage / "licences")
        _launcher(stage)
        _standard_library(stage, licences)
        _packages(stage, Path(work), licences)
        _shared_libraries(stage, licences)
        (stage / "start.py").write_text(START, encoding="utf-8")
        (stage / "README").write_text(
            READ_ME.format(version=VERSION, python=platform.python_version()), encoding="utf-8"
        )
        licences.write()
        _compile(stage)
        _sums(stage)
        archive = output / f"{NAME}.tar.gz"
        _pack(stage, archive)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (output / "SHA256SUMS").write_text(f"{digest}  {archive.name}\n", encoding="ascii")
    return archive


class Licences:
    """The licence files of everything bundled, and where each part comes from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: dict[str, str] = {}
        folder.mkdir()

    def add(self, part: str, source: str, text: str) -> None:
        """One part of the bundle with its licence text."""
        self.parts[part] = source
        (self.folder / f"{part}.txt").write_text(text, encoding="utf-8")
        for name in sorted(set(re.findall(r"/usr/share/common-licenses/([\w.+-]+\w)", text))):
            common = Path("/usr/share/common-licenses", name)
            if common.is_file():
                (self.folder / f"common-{name}.txt").write_text(common.read_text(encoding="utf-8"), encoding="utf-8")

    def write(self) -> None:
        """The list of parts."""
        lines = ["Part, where it comes from; its licence is in the file of the same name.", ""]
        lines += [f"{part}: {source}" for part, source in sorted(self.parts.items())]
        (self.folder / "PARTS").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _launcher(stage: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        raise CannotBuild("needs a C compiler (cc)")
    flags = "-std=c11 -Os -Wall -Wextra -Werror -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie"
    flags += " -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -fcf-protection=none"
    flags += " -Wl,--build-id=none -Wl,-z,noexecstack -s"
    source = ROOT / "scripts" / "launcher.c"
    subprocess.run([compiler, *flags.split(), "-o", str(stage / "pratique"), str(source)], check=True, cwd=stage)


def _standard_library(stage: Path, licences: Licences) -> None:
    """The interpreter and the parts of its library that a program without network and terminal interface needs."""
    python = stage / "python"
    program = python / "bin" / "python3"
    program.parent.mkdir(parents=True)
    _copy(Path(os.path.realpath(sys.executable)), program, executable=True)
    source = Path(sysconfig.get_path("stdlib"))
    target = python / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    for at, folders, files in os.walk(source):
        folders[:] = sorted(
            name for name in folders if name not in LIBRARY_FOLDERS_LEFT_OUT and not name.startswith("config-")
        )
        inside = Path(at).relative_to(source)
        for name in sorted(files):
            extension = inside.parts[:1] == ("lib-dynload",)
            if extension and EXTENSIONS_LEFT_OUT.match(name):
                continue
            if not extension and (not name.endswith((".py", ".txt")) or LIBRARY_FILES_LEFT_OUT.fullmatch(name)):
                continue
            _copy(Path(at, name), target / inside / name)
    text = next((p for p in _python_licences(source) if p.is_file()), None)
    if text is None:
        raise CannotBuild("the licence of this Python is not where installers put it")
    licences.add("python", f"CPython {platform.python_version()}", text.read_text(encoding="utf-8"))


def _python_licences(library: Path) -> Iterator[Path]:
    yield library / "LICENSE.txt"
    for package in (library.name, f"{library.name}-minimal"):
        yield Path("/usr/share/doc", package, "copyright")


def _packages(stage: Path, work: Path, licences: Licences) -> None:
    """This program as its own wheel, and its dependencies as they were installed with verified hashes."""
    packages = stage / "packages"
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(MOMENT), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment.pop("PYTHONPATH", None)
    subprocess.run([*command, "--wheel-dir", str(work), str(ROOT)], check=True, env=environment)
    (wheel,) = work.glob("pratique-*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(packages)
    site = Path(sysconfig.get_path("purelib"))
    installed = interpreter.read_folder(str(site)).distributions
    own = interpreter.read_folder(str(packages)).distributions["pratique"]
    wanted = interpreter.needed({**installed, "pratique": own}, "pratique") - {"pratique"}
    for extra in EXTRAS:
        wanted |= interpreter.needed(installed, extra)
    for name in sorted(wanted):
        if name not in installed:
            if any(name in item.conditional for item in (own, *installed.values())):
                continue
            raise CannotBuild(f"{name} is not installed in {site}")
        _distribution(site, installed[name], packages, licences)
    licences.add("pratique", f"pratique {VERSION}", (ROOT / "LICENSE").read_text(encoding="utf-8"))


def _distribution(site: Path, item: interpreter.Distribution, packages: Path, licences: Licences) -> None:
    wrong = list(interpreter.verify(str(site), item))
    if wrong:
        raise CannotBuild(f"{item.name}: {wrong[0][0]} {wrong[0][1]}")
    kept: dict[str, str] = {}
    texts = []
    for path, digest in sorted(item.files.items()):
        name = path.rpartition("/")[2]
        if path.startswith(("..", "/")) or "__pycache__/" in path or name in ("INSTALLER", "REQUESTED", "RECORD"):
            continue
        if path.startswith(LEFT_OUT):
            continue
        if not digest or name.endswith((".pyi", ".pyx", ".c", ".h")) or "/tests/" in f"/{path}":
            continue
        kept[path] = digest
        _copy(site / path, packages / path)
        if ".dist-info/" in path and re.match(r"(?:LICEN[CS]E|COPYING|NOTICE|apache|mit)", name, re.IGNORECASE):
            texts.append((site / path).read_text(encoding="utf-8"))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for path, digest in kept.items():
        rows.writerow((path, digest, (packages / path).stat().st_size))
    rows.writerow((f"{item.folder}/RECORD", "", ""))
    (packages / item.folder / "RECORD").write_text(text.getvalue(), encoding="utf-8")
    texts = texts or [text for path in kept if (text := _notice(packages / path))][:1]
    if not texts:
        raise CannotBuild(f"{item.name} carries no licence file")
    licences.add(interpreter.canonical(item.name), f"{item.name} {item.version}", "\n\n".join(texts))


def _notice(path: Path) -> str:
    """The licence that stands in the comment at the head of a module; empty where none does."""
    if path.suffix != ".py":
        return ""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = list(itertools.takewhile(lambda line: line.startswith("#"), lines))
    text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in head)
    return text if "Permission is hereby granted" in text else ""


def _shared_libraries(stage: Path, licences: Licences) -> None:
    """The loader and every library that the interpreter and the extension modules name, with theirs."""
    folder = stage / "lib"
    folder.mkdir()
    loader = Path("/lib64/ld-linux-x86-64.so.2")
    if not loader.is_file():
        raise CannotBuild("needs a system with the GNU C library")
    found: dict[str, Path] = {loader.name: loader}
    private = Path(sysconfig.get_config_var("LIBDIR") or "/nowhere")
    binaries = [stage / "python" / "bin" / "python3", *stage.rglob("*.so")]
    for binary in sorted(binaries):
        for name, path in _needed(loader, binary, private):
            found.setdefault(name, path)
    strip = shutil.which("strip")
    for name, path in sorted(found.items()):
        real = Path(os.path.realpath(path))
        _copy(real, folder / name, executable=name == loader.name)
        if real.is_relative_to(os.path.realpath(private)) and name.startswith("libpython"):
            if strip:
                subprocess.run([strip, "--strip-unneeded", str(folder / name)], check=True)
            continue
        package, source, text = _origin(real)
        if package not in licences.parts:
            licences.add(package, source, text)
        else:
            licences.parts[package] = source
    for binary in stage.glob("python/**/*.so"):
        if strip:
            subprocess.run([strip, "--strip-unneeded", str(binary)], check=True)


def _needed(loader: Path, binary: Path, private: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of each library that the loader would map for a binary."""
    environment = {"LD_LIBRARY_PATH": str(private)}
    done = subprocess.run(
        [str(loader), "--list", str(binary)], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode != 0:
        raise CannotBuild(f"{binary.name}: {done.stderr.strip()}")
    for line in done.stdout.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and rest.startswith("/"):
            yield name, Path(rest.rpartition(" (")[0])
        elif arrow:
            raise CannotBuild(f"{binary.name}: {name} is {rest}")


def _origin(library: Path) -> tuple[str, str, str]:
    """The system package of a library: its name, name with version, and licence text."""
    for path in (str(library), str(library).removeprefix("/usr")):
        asked = subprocess.run(["dpkg-query", "--search", path], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            name = asked.stdout.split(":")[0].split(",")[0]
            version = subprocess.run(
                ["dpkg-query", "--show", "--showformat=${source:Package} ${Version} (package ${Package})", name],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            text = Path("/usr/share/doc", name, "copyright")
            if text.is_file():
                return name, f"Debian {version}", text.read_text(encoding="utf-8")
    raise CannotBuild(f"{library}: no package with a licence file holds this library")


def _copy(source: Path, target: Path, *, executable: bool = False) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(os.path.realpath(source), target)
    target.chmod(0o755 if executable else 0o644)


def _compile(stage: Path) -> None:
    """Compile everything, in one order, for a folder that nobody will write to."""
    for folder in (stage / "python" / "lib", stage / "packages"):
        done = compileall.compile_dir(
            folder,
            maxlevels=30,
            quiet=2,
            stripdir=str(stage),
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            workers=1,
        )
        if not done:
            raise CannotBuild(f"{folder.name}: does not compile")


def _files(stage: Path) -> list[Path]:
    return sorted((path for path in stage.rglob("*") if path.is_file()), key=lambda path: str(path.relative_to(stage)))


def _sums(stage: Path) -> None:
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(stage)}" for path in _files(stage)]
    (stage / "SHA256SUMS").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _pack(stage: Path, archive: Path) -> None:
    """Write the archive: sorted, without owners, one time for all."""
    draft = archive.with_name(f".{archive.name}.draft")
    with (
        open(draft, "wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=MOMENT) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for path in _files(stage):
            entry = tarfile.TarInfo(f"{stage.name}/{path.relative_to(stage)}")
            data = path.read_bytes()
            entry.size = len(data)
            entry.mtime = MOMENT
            entry.mode = 0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644
            tar.addfile(entry, io.BytesIO(data))
    draft.replace(archive)


if __name__ == "__main__":
    sys.exit(main())

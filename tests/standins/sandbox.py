"""Run a package manager where it can reach nothing but the loopback registry, and take what it leaves behind.

The code here runs as root inside new network, mount and host name namespaces. In there `registry.example`
is 127.0.0.1, the home directory is `/home/dev`, the project is `/home/dev/project`, the client is at
`/opt/client` and Node at `/opt/node`, so no file can carry a path or a host of the machine that made it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from .clients import BY_LABEL
from .packages import IN_WINDOW, INDEX, manifest_text
from .registry import Registry

HOST = "registry.example"
URL = f"http://{HOST}/"
HOME = Path("/home/dev")
PROJECT = HOME / "project"
ORACLE = Path("/home/oracle")
TEMPORARY = Path("/home/tmp")
USER = 1000

INCIDENT_PROJECT: dict[str, Any] = {
    "name": "incident-project",
    "version": "1.0.0",
    "private": True,
    "dependencies": {"axios": "^1.14.0"},
}

FORMATS_PROJECT: dict[str, Any] = {
    "name": "formats-project",
    "version": "1.0.0",
    "private": True,
    "dependencies": {
        "@standin/peer": "^3.0.0",
        "@standin/redirects": "^1.2.0",
        "axios": "^1.14.0",
        "colours4": "npm:standin-colours@^4.1.2",
        "local-dep": "file:local-dep",
        "remote-inner": f"{URL}standin-inner/-/standin-inner-1.0.0.tgz",
        "standin-bundle": "^2.0.0",
        "standin-colours": "5.0.0-beta.3",
    },
    "devDependencies": {"axios-legacy": "npm:axios@^0.30.0"},
    "optionalDependencies": {"standin-mac": "^1.0.0"},
}

WORKSPACE_TOOL: dict[str, Any] = {
    "name": "@formats/tool",
    "version": "0.1.0",
    "dependencies": {"axios": "^1.14.0", "local-dep": "file:../../local-dep"},
}

LOCAL_DEP: dict[str, Any] = {"name": "local-dep", "version": "0.0.1", "main": "index.js"}


def enter(cache: Path, stage: Path) -> None:
    """Prepare the mounts and the network of the namespace this process was started in."""

    def mount(*arguments: str) -> None:
        subprocess.run(["mount", *arguments], check=True)

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["hostname", "dev"], check=True)
    mount("-t", "tmpfs", "tmpfs", "/mnt")
    for name, source in (("clients", cache), ("stage", stage)):
        Path("/mnt", name).mkdir()
        mount("--bind", str(source), f"/mnt/{name}")
    texts = {
        "hosts": f"127.0.0.1 localhost {HOST} dev\n",
        "resolv.conf": "",
        "passwd": f"root:x:0:0::/root:/bin/sh\ndev:x:{USER}:{USER}::{HOME}:/bin/sh\n",
        "group": f"root:x:0:\ndev:x:{USER}:\n",
    }
    for name, text in texts.items():
        source = Path("/mnt", name)
        source.write_text(text)
        mount("--bind", str(source), f"/etc/{name}")
    for place in ("/home", "/opt", "/tmp"):
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    Path("/tmp").chmod(0o1777)
    for place in ("/opt/client", "/opt/node", "/opt/global/lib"):
        Path(place).mkdir(parents=True)


class Box:
    """One clean home and project for one client, and the folder that takes the results."""

    def __init__(self, registry: Registry, label: str) -> None:
        self.registry = registry
        self.label = label
        self.stage = Path("/mnt/stage")
        self.environment: dict[str, str] = {}

    def fresh(self, as_of: datetime = IN_WINDOW, *, keep_home: bool = False) -> None:
        """Start over with an empty project, and an empty home unless asked to keep it."""
        self.registry.as_of = as_of
        doomed = (PROJECT, ORACLE, TEMPORARY) if keep_home else (HOME, ORACLE, TEMPORARY)
        for place in doomed:
            shutil.rmtree(place, ignore_errors=True)
        for place in (HOME, PROJECT, ORACLE, TEMPORARY):
            place.mkdir(parents=True, exist_ok=True)
            os.chown(place, USER, USER)
        self.environment = {}

    def write(self, name: str, content: str | Mapping[str, Any]) -> None:
        """Write a project file; a mapping is written as JSON."""
        path = PROJECT / name
        missing = [parent for parent in path.parents if not parent.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2) + "\n")
        for item in (path, *missing):
            os.chown(item, USER, USER)

    def incident(self, **more: Any) -> None:
        self.write("package.json", {**INCIDENT_PROJECT, **more})

    def formats(self, *, workspaces: bool = True, **more: Any) -> None:
        """The project that shows alias, scope, bundle, platform, folder, remote tarball, peer and workspace forms."""
        document = {**FORMATS_PROJECT, **more}
        if workspaces:
            document["workspaces"] = ["packages/*"]
            self.write("packages/tool/package.json", WORKSPACE_TOOL)
        self.write("package.json", document)
        self.write("local-dep/package.json", LOCAL_DEP)
        self.write("local-dep/index.js", "'use strict';\n")

    def git_dependency(self) -> str:
        """Serve a git repository that holds a package, always with the same commit; returns its address."""
        for name, value in (("user.name", "dev"), ("user.email", "dev@host.example"), ("init.defaultBranch", "main")):
            self.run("git", "config", "--global", name, value)
        folder = HOME / "sources" / "standin-git"
        self.run("git", "init", "--quiet", str(folder))
        for name, text in (("package.json", manifest_text({**LOCAL_DEP, "name": "standin-git"})), ("index.js", INDEX)):
            (folder / name).write_text(text)
            os.chown(folder / name, USER, USER)
        moment = "2025-10-01T09:00:00Z"
        self.environment |= {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        self.run("git", "-C", str(folder), "add", ".")
        self.run("git", "-C", str(folder), "commit", "--quiet", "-m", "Add an inert package")
        bare = HOME / "sources" / "standin-git.git"
        self.run("git", "clone", "--quiet", "--bare", str(folder), str(bare))
        self.run("git", "-C", str(bare), "update-server-info")
        for path in bare.rglob("*"):
            if path.is_file():
                self.registry.files[f"sources/{path.relative_to(bare.parent).as_posix()}"] = path.read_bytes()
        shutil.rmtree(HOME / "sources")
        return f"{URL}sources/standin-git.git"

    def run(self, *arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the client as an ordinary user with a bare environment."""
        environment = {
            "HOME": str(HOME),
            "LANG": "C.UTF-8",
            "PATH": "/opt/client/node_modules/.bin:/opt/node/node_modules/.bin:/usr/bin:/bin",
            "STANDIN_OUT": str(ORACLE / "runs.jsonl"),
            "TMPDIR": str(TEMPORARY),
            "USER": "dev",
            **self.environment,
        }
        command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--", *arguments]
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        print(f"{self.label}: {' '.join(arguments)} -> {done.returncode}", flush=True)
        if check and done.returncode:
            raise RuntimeError(f"{self.label}: {arguments}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done

    def ran(self) -> bool:
        """Whether the stand-in install script reported a run since the last fresh start."""
        return (ORACLE / "runs.jsonl").exists()

    def expect(self, ran: bool) -> None:
        if self.ran() != ran:
            raise RuntimeError(f"{self.label}: script ran: {self.ran()}, wanted {ran}")

    def keep(self, reader: str, case: str, *paths: Path, below: Path | None = None) -> None:
        """Keep files as the input of one golden case, under their path in the project or in the home."""
        target = self.stage / "golden" / reader / f"{self.label}-{case}" / "input"
        for path in paths:
            base = below or (PROJECT if path.is_relative_to(PROJECT) else HOME)
            place = target / path.relative_to(base)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content(path))

    def note(self, reader: str, case: str, name: str, text: str) -> None:
        """Keep what the client itself says of a case, beside its input."""
        place = self.stage / "golden" / reader / f"{self.label}-{case}" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def install(self, state: str, leave_out: Callable[[str], bool] = lambda name: False) -> None:
        """Keep the whole project and home as one archive: `project/`, `home/` and what the script said, `oracle/`."""
        place = self.stage / "installs" / f"{self.label}-{state}.tar.gz"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(archive(leave_out))

    def only(self, pattern: str, below: Path = HOME) -> Path:
        """The single path that matches a pattern."""
        found = sorted(below.glob(pattern))
        if len(found) != 1:
            raise RuntimeError(f"{self.label}: {pattern} matches {[str(item) for item in found]}")
        return found[0]


def content(path: Path) -> bytes:
    """The bytes of a file, less what proves nothing.

    Logs name the running kernel, which is replaced by a plain one. The loader that yarn writes for Plug'n'Play
    carries half a megabyte of program behind the map of packages; only the map is kept.
    """
    data = path.read_bytes()
    if path.suffix == ".log":
        return data.replace(os.uname().release.encode(), b"6.1.0")
    if path.name in {".pnp.js", ".pnp.cjs"}:
        after = data.index(b"function $$SETUP_STATE")
        ends = (data.find(mark, after) for mark in (b"\n}\n", b"\n(function webpack"))
        return data[: min(end for end in ends if end > 0)].rstrip(b"}\n") + b"\n}\n"
    return data


def archive(leave_out: Callable[[str], bool]) -> bytes:
    """One tar of project, home and oracle in sorted order, with real times, links and modes, and no owner names."""
    buffer = io.BytesIO()
    seen: dict[tuple[int, int], str] = {}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as target:
        for prefix, base, skipped in (
            ("project", PROJECT, None),
            ("home", HOME, PROJECT),
            ("oracle", ORACLE, None),
        ):
            for path in _walk(base, skipped):
                relative = path.relative_to(base).as_posix()
                name = prefix if relative == "." else f"{prefix}/{relative}"
                if leave_out(name):
                    continue
                about = path.lstat()
                member = tarfile.TarInfo(name)
                member.mode = stat.S_IMODE(about.st_mode)
                member.mtime = about.st_mtime
                if stat.S_ISLNK(about.st_mode):
                    member.type, member.linkname = tarfile.SYMTYPE, os.readlink(path)
                    target.addfile(member)
                elif stat.S_ISDIR(about.st_mode):
                    member.type = tarfile.DIRTYPE
                    target.addfile(member)
                elif (about.st_dev, about.st_ino) in seen:
                    member.type, member.linkname = tarfile.LNKTYPE, seen[about.st_dev, about.st_ino]
                    target.addfile(member)
                elif stat.S_ISREG(about.st_mode):
                    seen[about.st_dev, about.st_ino] = name
                    data = content(path)
                    member.size = len(data)
                    target.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), 9, mtime=0)


def _walk(base: Path, skipped: Path | None) -> Iterator[Path]:
    yield base
    for entry in sorted(base.iterdir()):
        if entry == skipped:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry, skipped)
        else:
            yield entry


@contextmanager
def client(registry: Registry, label: str) -> Iterator[Box]:
    """Put one client and its Node in place for the length of a block."""
    chosen = BY_LABEL[label]
    mounts = (("/opt/client", chosen.folder), ("/opt/node", BY_LABEL[chosen.node].folder))
    for place, folder in mounts:
        subprocess.run(["mount", "--bind", f"/mnt/clients/{folder}", place], check=True)
    try:
        yield Box(registry, label)
    finally:
        for place, _ in mounts:
            for _attempt in range(20):
                if subprocess.run(["umount", place], check=False, capture_output=True).returncode == 0:
                    break
                time.sleep(0.1)
            else:
                subprocess.run(["umount", "-l", place], check=True)


def npm_cache_entry(key: str) -> Path:
    """Where npm's cache keeps the index lines of a key."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return HOME / ".npm" / "_cacache" / "index-v5" / digest[:2] / digest[2:4] / digest[4:]


def tarball_key(name: str, version: str) -> str:
    return f"make-fetch-happen:request-cache:{URL}{name}/-/{name.rpartition('/')[2]}-{version}.tgz"


def packument_key(name: str) -> str:
    return f"make-fetch-happen:request-cache:{URL}{name.replace('/', '%2f')}"

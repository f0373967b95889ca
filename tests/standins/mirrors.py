"""Make the mirror fixtures with a real Verdaccio: its storage, its log, and the pulls of real clients through it.

Usage: `python -m tests.standins.mirrors --verdaccio FOLDER --clients FOLDER --output FOLDER`. The folders are those where
`npm install verdaccio@6.8.0` (with `"overrides": {"node-fetch": "2.7.0"}`) and `npm install pnpm@10 yarn@1` were run.
With `--python FOLDER`, a virtual environment with `devpi-server`, it makes devpi's files and log instead.
The stand-in registry is its uplink, everything stays on the loopback interface, and no script of a package runs.

What is changed of what Verdaccio wrote: hosts and ports (`mirror.example`, `registry.example`), the dates (each phase is
moved so that the first begins inside the window of the incident, the second two days later), the secret of its database
(replaced by one that the tests look for), and fields of the log that name the machine.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .packages import AFTER_WINDOW, IN_WINDOW, moment
from .registry import Registry

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "readers" / "mirror"
SECRET = "not-to-be-told-0123456789abcdefg"
FIRST = moment("2026-03-31T01:10:00")
SECOND = AFTER_WINDOW

CONFIGURATION = """\
storage: ./storage
auth: {{ htpasswd: {{ file: ./htpasswd, max_users: 100 }} }}
uplinks: {{ up: {{ url: "{uplink}", maxage: 2s, cache: true }} }}
packages:
  '@acme/*': {{ access: $all, publish: $authenticated }}
  '**': {{ access: $all, publish: $authenticated, proxy: up }}
web: {{ enable: false }}
log: {{ type: {type}, {path} format: {format}, level: http }}
"""


@contextmanager
def verdaccio(program: Path, folder: Path, uplink: str, log: str) -> Iterator[str]:
    """A Verdaccio on loopback with its storage in a folder; yields its URL. `log` is `json` or `pretty`."""
    folder.mkdir(parents=True, exist_ok=True)
    kind, path = ("file", "path: ./verdaccio.log,") if log == "json" else ("stdout", "")
    (folder / "config.yaml").write_text(
        CONFIGURATION.format(uplink=uplink, type=kind, path=path, format=log), encoding="utf-8"
    )
    port = 18473
    url = f"http://127.0.0.1:{port}/"
    with (folder / "printed.log").open("ab") as printed:
        started = subprocess.Popen(
            ["node", str(program), "-c", "config.yaml", "-l", f"0.0.0.0:{port}"],
            cwd=folder,
            stdout=printed,
            stderr=printed,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "127.0.0.1"},
        )
        try:
            for _ in range(100):
                try:
                    with urllib.request.urlopen(url + "-/ping", timeout=2):
                        break
                except OSError:
                    time.sleep(0.1)
            yield url
        finally:
            started.terminate()
            started.wait(20)


def token(url: str, name: str, address: str) -> str:
    """A new user of the mirror, who comes from an address, and a token for it."""
    body = json.dumps({"name": name, "password": "stand-in-password"}).encode()
    asking = http.client.HTTPConnection(url.partition("//")[2].strip("/"), timeout=10, source_address=(address, 0))
    asking.request("PUT", f"/-/user/org.couchdb.user:{name}", body, {"Content-Type": "application/json"})
    with asking.getresponse() as answer:
        return str(json.load(answer)["token"])


class Clients:
    """Real clients, each run in a project and a home of its own."""

    def __init__(self, folder: Path, work: Path, url: str) -> None:
        self.folder = folder
        self.work = work
        self.url = url
        self.count = 0

    def run(
        self,
        words: list[str],
        wants: Mapping[str, str],
        *,
        secret: str = "",
        address: str = "",
        home: Path | None = None,
        lock: Path | None = None,
        works: bool = True,
    ) -> Path:
        """Run one client in a new project; returns the project."""
        self.count += 1
        project = self.work / f"project-{self.count}"
        project.mkdir(parents=True)
        home = home or self.work / f"home-{self.count}"
        home.mkdir(parents=True, exist_ok=True)
        manifest = {"name": "shop", "version": "1.0.0", "private": True, "dependencies": dict(wants)}
        (project / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        if lock is not None:
            shutil.copy(lock, project / lock.name)
        lines = [f"registry={self.url}"]
        if secret:
            lines.append(f"//{self.url.partition('//')[2]}:_authToken={secret}")
        if address:
            lines.append(f"local-address={address}")
        (project / ".npmrc").write_text("\n".join(lines) + "\n", encoding="utf-8")
        environment = {
            "PATH": f"{self.folder / 'node_modules/.bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "NO_PROXY": "127.0.0.1",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "YARN_REGISTRY": self.url,
            "npm_config_update_notifier": "false",
            "npm_config_fetch_retries": "0",
        }
        done = subprocess.run(
            words, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        if (done.returncode == 0) is not works:
            raise RuntimeError(f"{words}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        time.sleep(0.2)
        return project


NPM = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
NPM_CI = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
PNPM = ["pnpm", "install", "--ignore-scripts"]
YARN = ["yarn", "install", "--ignore-scripts", "--no-progress", "--non-interactive"]
BAD = {"axios": "1.14.1"}


def story(program: Path, clients: Path, work: Path, log: str) -> tuple[Path, list[int], str]:
    """The pulls of the story. Returns the mirror's folder, where its log's phases end, and the host it was asked at."""
    folder = work / "mirror"
    with Registry(as_of=IN_WINDOW) as registry:
        with verdaccio(program, folder, registry.url, log) as url:
            written = folder / ("verdaccio.log" if log == "json" else "printed.log")
            alice, build = token(url, "alice", "127.0.0.31"), token(url, "ci", "127.0.0.21")
            told = Clients(clients, work, url)
            first = told.run(NPM, BAD, address="127.0.0.11")
            told.run(NPM, BAD, address="127.0.0.21", secret=build)
            told.run(NPM, BAD, address="127.0.0.22", secret=build)
            told.run(PNPM, BAD, address="127.0.0.31", secret=alice)
            told.run(YARN, {"axios": "1.14.0"})
            told.run(["npm", "view", "axios", "version"], {}, address="127.0.0.41")
            time.sleep(0.5)
            ends = [written.stat().st_size]
            registry.as_of = AFTER_WINDOW
            time.sleep(2.5)
            told.run(NPM_CI, BAD, address="127.0.0.51", lock=first / "package-lock.json")
            told.run(YARN, {"axios": "0.30.4"}, works=False)
            gone = urllib.request.Request(url + "axios/-/axios-0.30.4.tgz", headers={"User-Agent": "yarn/1.22.22"})
            with suppress(OSError):
                urllib.request.urlopen(gone, timeout=10).close()
            head = urllib.request.Request(url + "axios/-/axios-1.14.1.tgz", method="HEAD")
            urllib.request.urlopen(head, timeout=10).close()
            publish(url, build)
            time.sleep(0.5)
        ends.append(written.stat().st_size)
        uplink = registry.url.partition("//")[2].strip("/")
    return folder, ends, uplink


def publish(url: str, secret: str) -> None:
    """Publish a package of one's own."""
    from .packages import pack

    name, version = "@acme/hello", "1.0.0"
    manifest = {"name": name, "version": version, "description": "Inert stand-in made for tests."}
    tarball = pack({"package.json": json.dumps(manifest) + "\n"})
    file = "@acme/hello-1.0.0.tgz"
    body = {
        "_id": name,
        "name": name,
        "dist-tags": {"latest": version},
        "versions": {version: {**manifest, "dist": {"tarball": f"{url}@acme/hello/-/hello-1.0.0.tgz"}}},
        "_attachments": {
            file: {
                "content_type": "application/octet-stream",
                "data": base64.b64encode(tarball).decode(),
                "length": len(tarball),
            }
        },
    }
    request = urllib.request.Request(
        f"{url}@acme%2fhello",
        data=json.dumps(body).encode(),
        method="PUT",
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {secret}"},
    )
    urllib.request.urlopen(request, timeout=10).close()


class Rewriting:
    """What is changed of the text that a mirror wrote."""

    def __init__(self, mirror: str, uplink: str, work: Path) -> None:
        self.swaps = ((mirror, "mirror.example"), (uplink, "registry.example"), (str(work), "/srv"))

    def text(self, text: str) -> str:
        """The text with made-up hosts."""
        for old, new in self.swaps:
            text = text.replace(old, new)
        return text

    def lines(self, data: bytes, ends: list[int]) -> str:
        """A JSON log with the times of each phase moved."""
        out, place = [], 0
        starts = [FIRST, SECOND]
        shifts: dict[int, timedelta] = {}
        for raw in data.splitlines(keepends=True):
            phase = 0 if place < ends[0] else 1
            place += len(raw)
            entry: dict[str, Any] = json.loads(self.text(raw.decode()))
            when = datetime.fromtimestamp(entry["time"] / 1000, FIRST.tzinfo)
            shift = shifts.setdefault(phase, starts[phase] - when)
            entry["time"] = round((when + shift).timestamp() * 1000)
            for field in ("hostname", "pid"):
                entry.pop(field, None)
            out.append(json.dumps(entry, separators=(",", ":")) + "\n")
        return "".join(out)


def keep_storage(folder: Path, target: Path, change: Rewriting) -> None:
    """The storage as a fixture: its documents with made-up hosts and a made-up secret, its archives as they are."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or (path.name.startswith(".") and path.name != ".verdaccio-db.json"):
            continue
        place = target / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".tgz":
            shutil.copyfile(path, place)
            continue
        text = change.text(path.read_text(encoding="utf-8"))
        if path.name == ".verdaccio-db.json":
            text = re.sub(r'"secret":"[^"]*"', f'"secret":"{SECRET}"', text)
        place.write_text(text, encoding="utf-8")


def python_mirrors(programs: Path, work: Path) -> dict[str, str]:
    """devpi in front of a folder of inert wheels, and a pull through it; its log, and where its files lie."""
    from .boms import wheel

    site = work / "site"
    (site / "simple/litellm").mkdir(parents=True)
    wheel(site / "simple/litellm", "litellm", "1.82.7")
    (file,) = (site / "simple/litellm").iterdir()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (site / "simple/litellm/index.html").write_text(f'<a href="{file.name}#sha256={digest}">{file.name}</a>')
    (site / "simple/index.html").write_text('<a href="litellm/">litellm</a>')
    environment = {"PATH": os.environ["PATH"], "HOME": str(work), "NO_PROXY": "127.0.0.1"}
    tool = programs / "bin"
    server = [str(tool / "devpi-server"), "--serverdir", str(work / "devpi"), "--port", "18474", "--host", "127.0.0.1"]
    index = [str(tool / "python"), "-m", "http.server", "18475", "--bind", "127.0.0.1", "--directory", str(site)]
    init = [str(tool / "devpi-init"), "--serverdir", str(work / "devpi"), "--no-root-pypi", "--root-passwd", "stand-in"]
    subprocess.run(init, env=environment, check=True, timeout=60, capture_output=True)
    quiet = subprocess.DEVNULL
    with subprocess.Popen(index, env=environment, stdout=quiet, stderr=quiet) as upstream:
        with (work / "devpi.log").open("wb") as printed:
            started = subprocess.Popen(server, env=environment, stdout=printed, stderr=printed, cwd=work)
        try:
            _until("http://127.0.0.1:18474/+api")
            login = _send("POST", "/+login", {"user": "root", "password": "stand-in"}, {})
            mark = base64.b64encode(f"root:{login['result']['password']}".encode()).decode()
            settings = {"type": "mirror", "mirror_url": "http://127.0.0.1:18475/simple/", "volatile": False}
            _send("PUT", "/root/mirror", settings, {"X-Devpi-Auth": mark})
            pull = ["-m", "pip", "download", "--no-deps", "--no-cache-dir", "-d", str(work / "got"), "litellm==1.82.7"]
            where = ["-i", "http://127.0.0.1:18474/root/mirror/+simple/"]
            subprocess.run(
                [str(tool / "python"), *pull, *where], env=environment, check=True, timeout=120, capture_output=True
            )
        finally:
            started.terminate()
            started.wait(20)
            upstream.terminate()
    found = {"log": (work / "devpi.log").read_text(encoding="utf-8")}
    for path in (work / "devpi").rglob("*.whl"):
        found[path.relative_to(work / "devpi").as_posix()] = digest
    return found


def _until(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)


def _send(method: str, path: str, body: object, headers: Mapping[str, str]) -> Any:
    asking = http.client.HTTPConnection("127.0.0.1", 18474, timeout=30)
    asking.request(method, path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    with asking.getresponse() as answer:
        return json.load(answer)


def main() -> int:
    """Make the fixtures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--verdaccio", type=Path, required=True)
    parser.add_argument("--clients", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--python", type=Path)
    given = parser.parse_args()
    if given.python is not None:
        with tempfile.TemporaryDirectory() as name:
            for place, text in python_mirrors(given.python, Path(name)).items():
                target = given.output / ("devpi.log" if place == "log" else place)
                target.parent.mkdir(parents=True, exist_ok=True)
                plain = text.replace("127.0.0.1:18474", "mirror.example").replace("127.0.0.1:18475", "registry.example")
                target.write_text(
                    plain.replace(name, "/srv") if place == "log" else "inert stand-in\n", encoding="utf-8"
                )
        return 0
    program = given.verdaccio / "node_modules/verdaccio/bin/verdaccio"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        folder, ends, uplink = story(program, given.clients, work, "json")
        change = Rewriting("127.0.0.1:18473", uplink, work)
        keep_storage(folder / "storage", given.output / "storage", change)
        log = change.lines((folder / "verdaccio.log").read_bytes(), ends)
        (given.output / "verdaccio.log").write_text(log, encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        folder, _, uplink = story(program, given.clients, work, "pretty")
        change = Rewriting("127.0.0.1:18473", uplink, work)
        text = change.text((folder / "printed.log").read_text(encoding="utf-8"))
        (given.output / "printed.log").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

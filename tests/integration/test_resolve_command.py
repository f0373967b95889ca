"""The resolve command as a person runs it: exit codes, forms, a loopback registry, hostile documents."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters import registry as registries
from tests.standins.packages import AFTER_WINDOW, IN_WINDOW
from tests.standins.registry import Registry

ROOT = Path(__file__).parent.parent.parent
AXIOS = "axios-2026-03-31"


def run(*arguments: str | Path, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "HOME": "/nonexistent", **environment}
    command = [sys.executable, "-m", "pratique", "resolve", *map(str, arguments)]
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=60, check=False, cwd=folder or ROOT
    )


def answered(*arguments: str | Path, **environment: str) -> tuple[int, dict[str, Any]]:
    done = run(*arguments, "--format", "json", "--incident", AXIOS, **environment)
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode
    return done.returncode, document


def project(folder: Path, **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"name": "app", "dependencies": {"axios": "^1.13.0"}, **more}))
    return folder


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry(as_of=AFTER_WINDOW) as server:
        yield server


def test_a_registry_is_asked_only_where_it_is_named(registry: Registry, tmp_path: Path) -> None:
    answered(project(tmp_path), npm_config_registry=registry.url)
    assert registry.requests == []
    code, document = answered(project(tmp_path), "--registry", registry.url)
    assert [(item.method, item.path) for item in registry.requests] == [("GET", "/axios")]
    assert code == 4
    (answer,) = document["answers"]
    assert document["source"] == "the registry"
    assert [span["version"] for span in answer["spans"]] == ["1.14.1"]


def test_what_the_registry_removed_comes_back_from_the_incident(registry: Registry) -> None:
    arguments = ("axios@^1.13.0", "--registry", registry.url, "--window", "2026-03-30..2026-04-01")
    code, document = answered(*arguments)
    (answer,) = document["answers"]
    assert code == 4
    assert [span["version"] for span in answer["spans"]] == ["1.14.0", "1.14.1", "1.14.0"]
    assert answer["inferred"]


@pytest.mark.parametrize("moment", [IN_WINDOW, AFTER_WINDOW])
def test_the_registry_as_it_stands_needs_no_incident(registry: Registry, moment: datetime) -> None:
    registry.as_of = moment
    _, document = answered("axios@^1.13.0", "--registry", registry.url, "--at", moment.isoformat())
    (answer,) = document["answers"]
    assert answer["spans"][0]["version"] == ("1.14.1" if moment == IN_WINDOW else "1.14.0")


def test_a_scoped_package(registry: Registry) -> None:
    at = "2026-03-31T02:00Z"
    code, document = answered("@standin/redirects@^1.0.0", "--registry", registry.url, "--at", at)
    assert (code, document["answers"][0]["spans"][0]["version"]) == (0, "1.2.0")


def test_a_package_that_the_registry_does_not_have_is_no_negative(registry: Registry) -> None:
    code, document = answered("nosuch@^1.0.0", "--registry", registry.url, "--at", "2026-03-31T02:00Z")
    assert code == 4
    assert document["unread"] == [{"place": "nosuch in the registry", "reason": "the registry answers 404"}]


@pytest.fixture
def hostile() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("name", ["drip", "slow-head"])
def test_a_registry_that_answers_byte_by_byte_is_left_in_time(name: str, hostile: str) -> None:
    begin = time.monotonic()
    with pytest.raises(registries.NotFetched, match="took longer than"):
        registries.fetch(hostile, "npm", name, seconds=0.5)
    assert time.monotonic() - begin < 3


class _Hostile(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind = self.path.strip("/").partition("%")[0]
        if kind == "moved":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.2:1/axios")
            self.end_headers()
            return
        if kind == "scheme":
            self.send_response(302)
            self.send_header("Location", f"ftp://{self.headers['Host']}/axios")
            self.end_headers()
            return
        if kind == "babble":
            self.wfile.write(b"HTTP/1.1 nonsense\r\n\r\n")
            return
        if kind in ("drip", "slow-head"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if kind == "drip" else b""))
            with contextlib.suppress(OSError):
                for _ in range(40):
                    self.wfile.write(b"x")
                    time.sleep(0.1)
            return
        body = {"cut": b'{"name": "cut", "versi', "other": b'{"name": "evil", "versions": {}}', "deep": b"[" * 100_000}
        data = body.get(kind, b"")
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """Nothing is printed."""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("moved", "the registry sends to another host, which is not followed"),
        ("scheme", "the registry sends to another host, which is not followed"),
        ("babble", "the registry cannot be asked: BadStatusLine"),
        ("cut", "is no registry document"),
        ("other", "the registry answers with another package"),
        ("deep", "is n"),
        ("empty", "is no registry document"),
    ],
)
def test_hostile_answers_are_told(name: str, reason: str, hostile: str) -> None:
    code, document = answered(f"{name}@^1", "--registry", hostile, "--at", "2026-03-31T02:00Z")
    assert code == 4
    assert document["unread"][0]["reason"].startswith(reason)


@pytest.mark.parametrize(
    "url", ["ftp://registry.example/", "registry.example", "http://user:secret@registry.example/", "file:///etc/passwd"]
)
def test_a_url_that_is_none_or_holds_credentials_is_refused(url: str) -> None:
    done = run("axios@^1", "--registry", url)
    assert done.returncode == 2
    assert "secret" not in done.stdout + done.stderr


def test_nothing_that_listens_is_no_negative() -> None:
    code, document = answered("left@^1", "--registry", "http://127.0.0.1:1/", "--at", "2026-03-31T02:00Z")
    assert code == 4
    assert document["unread"][0]["reason"].startswith("the registry cannot be asked")


@pytest.mark.parametrize(
    "arguments",
    [
        ("axios@^1", "--at", "yesterday"),
        ("axios@^1", "--window", "2026-03-31"),
        ("axios@^1", "--window", "2026-03-31.."),
        ("axios@^1", "--window", "2026-04-01..2026-03-31"),
        ("axios@^1", "--at", "2026-03-31", "--window", "2026-03-30..2026-03-31"),
        ("axios@^1", "--manager", "cargo"),
        ("axios@^1", "--packument", "/nonexistent"),
        ("axios@^1", "--incident", "nosuch"),
        ("nosuchfolder",),
    ],
)
def test_usage(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_without_an_argument_this_folder_is_asked(tmp_path: Path) -> None:
    done = run("--incident", AXIOS, folder=tmp_path)
    assert done.returncode == 3
    assert done.stdout.startswith("NOTHING EXAMINED")
    project(tmp_path)
    done = run("--incident", AXIOS, folder=tmp_path)
    assert done.returncode == 4
    assert "axios 1.14.1" in done.stdout


def test_a_name_that_would_steer_a_terminal_is_spelled(tmp_path: Path) -> None:
    done = run("\x1b[31mred@^1", "--at", "2026-03-31")
    assert "\x1b" not in done.stdout


def test_ten_thousand_versions_in_a_file(tmp_path: Path) -> None:
    versions = {f"{n // 1000}.{n // 10 % 100}.{n % 10}": f"2026-03-{1 + n % 28:02}T00:00:00Z" for n in range(10_000)}
    document = {"name": "axios", "dist-tags": {}, "time": versions, "versions": {text: {} for text in versions}}
    (tmp_path / "axios.json").write_text(json.dumps(document))
    code, found = answered("axios@^1.0.0", "--packument", tmp_path / "axios.json")
    assert code == 4
    assert found["answers"][0]["outcome"] == "listed"

"""A loopback npm registry with a clock: it serves the stand-in releases as they stood at `as_of`.

Use it as a context manager. Setting `as_of` moves the whole registry to another moment at once.
A release is served while `published <= as_of < leaves`; a removed one keeps only its entry in `time`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from .packages import ALL, IN_WINDOW, Release


@dataclass(frozen=True)
class Request:
    """One request as the registry saw it."""

    method: str
    path: str
    status: int
    accept: str
    user_agent: str


def stamp(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def packument(releases: Iterable[Release], name: str, as_of: datetime, base: str) -> dict[str, Any] | None:
    """The full registry document of one package at one moment, or None when nothing of it is live."""
    known = sorted((r for r in releases if r.name == name and r.published <= as_of), key=lambda r: r.published)
    live = [r for r in known if r.live(as_of)]
    if not live:
        return None
    versions: dict[str, Any] = {}
    tags: dict[str, str] = {}
    for item in live:
        tags[item.tag] = item.version
        versions[item.version] = {
            **item.manifest,
            "_id": f"{name}@{item.version}",
            **({"hasInstallScript": True} if item.has_install_script else {}),
            "dist": {
                "integrity": item.integrity,
                "shasum": item.shasum,
                "tarball": f"{base}/{name}/-/{item.file_name}",
            },
        }
    tags.setdefault("latest", live[-1].version)
    changes = [r.published for r in known] + [r.leaves for r in known if r.leaves and r.leaves <= as_of]
    return {
        "_id": name,
        "name": name,
        "dist-tags": tags,
        "modified": stamp(max(changes)),
        "time": {
            "created": stamp(known[0].published),
            "modified": stamp(max(changes)),
            **{r.version: stamp(r.published) for r in known},
        },
        "versions": versions,
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients drop connections as they please; that is not an error here."""


class Registry:
    """Serve releases on loopback; `requests` lists what was asked for."""

    def __init__(
        self,
        releases: Iterable[Release] = ALL,
        as_of: datetime = IN_WINDOW,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.releases = tuple(releases)
        self.as_of = as_of
        self.requests: list[Request] = []
        self.files: dict[str, bytes] = {}
        """Further paths to serve as they are, such as those of a git repository."""
        self._server = _Server((host, port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def reply(self, method: str, path: str, base: str) -> tuple[int, str, bytes]:
        """Status, content type and body for one request; the path is still escaped."""
        plain = unquote(urlsplit(path).path).strip("/")
        if plain in self.files:
            return 200, "application/octet-stream", self.files[plain]
        if plain == "-/ping":
            return 200, "application/json", b"{}"
        if plain == "-/npm/v1/security/advisories/bulk":
            return 200, "application/json", b"{}"
        if method not in ("GET", "HEAD"):
            return 405, "application/json", b'{"error":"method not allowed"}'
        name, separator, file_name = plain.partition("/-/")
        if separator:
            for item in self.releases:
                if item.name == name and item.file_name == file_name and item.live(self.as_of):
                    return 200, "application/octet-stream", item.tarball
            return 404, "application/json", b'{"error":"not found"}'
        document = packument(self.releases, name, self.as_of, base)
        if document is None:
            return 404, "application/json", b'{"error":"not found"}'
        return 200, "application/json", json.dumps(document, separators=(",", ":")).encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "standin-registry"
        sys_version = ""
        disable_nagle_algorithm = True
        wbufsize = 65536

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length:
                self.rfile.read(length)
            host = self.headers.get("Host") or f"127.0.0.1:{registry.port}"
            status, kind, body = registry.reply(self.command, self.path, f"http://{host}")
            etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            if status == 200 and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            registry.requests.append(
                Request(
                    self.command,
                    self.path,
                    status,
                    self.headers.get("Accept") or "",
                    self.headers.get("User-Agent") or "",
                )
            )
            self.send_response(status)
            if status != 304:
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
            if status in (200, 304):
                self.send_header("ETag", etag)
                self.send_header("Cache-Control", "public, max-age=300")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 (the names that the base class asks for)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
            """Requests are kept in `Registry.requests`, not printed."""

    return Handler

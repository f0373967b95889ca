"""A package index on the loopback interface that serves a folder of wheels and source archives (PEP 503 pages)."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path


def _project(file: str) -> str:
    stem = re.split(r"-\d", file, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", stem).lower()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Pages `/simple/`, `/simple/<project>/` and files `/files/<name>`."""

    folder: Path

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        files = sorted(path.name for path in self.folder.iterdir())
        if parts[0] == "files" and parts[-1] in files:
            self._answer((self.folder / parts[-1]).read_bytes(), "application/octet-stream")
        elif parts[0] == "simple" and len(parts) == 2:
            rows = []
            for name in files:
                if _project(name) == parts[1]:
                    digest = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
                    rows.append(f'<a href="/files/{name}#sha256={digest}">{name}</a>')
            if rows:
                self._answer(f"<!DOCTYPE html><html><body>{''.join(rows)}</body></html>".encode(), "text/html")
            else:
                self.send_error(404)
        else:
            self.send_error(404)

    do_HEAD = do_GET  # noqa: N815 (the name that the base class asks for)

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path, port: int = 0) -> Iterator[str]:
    """The URL of an index over the folder, while the context lasts."""
    kind = type("Index", (_Handler,), {"folder": folder})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

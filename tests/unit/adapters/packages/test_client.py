"""The client against registries that are slow, huge, cut off, or lead elsewhere; all on loopback."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pratique.adapters.packages.access import Access, Credential
from pratique.adapters.packages.client import Absent, Client
from pratique.adapters.registry import NotFetched

Reply = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def served(reply: Reply) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server on loopback; its address, and paths with the credential that each request carried."""
    seen: list[tuple[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers.get("Authorization") or ""))
            with contextlib.suppress(OSError):
                reply(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", seen
    finally:
        server.shutdown()
        server.server_close()


def answer(body: bytes, kind: str = "application/json", status: int = 200, **headers: str) -> Reply:
    def reply(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return reply


def client(url: str, token: str = "", seconds: float = 5.0) -> Client:
    credentials = [Credential(url.removeprefix("http:"), f"Bearer {token}")] if token else []
    return Client(Access(url, "a test", credentials=credentials), seconds=seconds)


def test_a_document_and_a_packed_one() -> None:
    with served(answer(b'{"a":1}')) as (url, seen):
        asked = client(url, "t0ken")
        assert asked.document("@scope%2fname", "application/json") == (b'{"a":1}', "application/json")
        assert seen == [("/@scope%2fname", "Bearer t0ken")]
        assert asked.asked == 1
    with served(answer(gzip.compress(b"x" * 100_000), Content_Encoding="gzip")) as (url, _):
        assert client(url).document("a", "*/*")[0] == b"x" * 100_000


@pytest.mark.parametrize(("status", "word"), [(401, "credential"), (403, "credential"), (500, "500"), (429, "429")])
def test_refusals_of_the_registry(status: int, word: str) -> None:
    with served(answer(b"", status=status)) as (url, _), pytest.raises(NotFetched, match=word):
        client(url).document("a", "*/*")
    with served(answer(b"", status=404)) as (url, _), pytest.raises(Absent):
        client(url).document("a", "*/*")


def test_huge_packed_cut_and_slow_answers_end() -> None:
    with served(answer(b"x" * 5000)) as (url, _), pytest.raises(NotFetched, match="larger"):
        client(url).document("a", "*/*", largest=1000)
    bomb = gzip.compress(b"0" * 50_000_000)
    with served(answer(bomb, Content_Encoding="gzip")) as (url, _), pytest.raises(NotFetched, match="larger"):
        client(url).document("a", "*/*", largest=1_000_000)
    with served(answer(b"short", Content_Length="500")) as (url, _), pytest.raises(NotFetched):
        client(url).document("a", "*/*")
    with served(answer(b"not gzip", Content_Encoding="gzip")) as (url, _), pytest.raises(NotFetched, match="damaged"):
        client(url).document("a", "*/*")

    def drip(request: http.server.BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            request.wfile.write(b"X-A: b\r\n")
            time.sleep(0.1)

    started = time.monotonic()
    with served(drip) as (url, _), pytest.raises(NotFetched, match="longer"):
        client(url, seconds=0.5).document("a", "*/*")
    assert time.monotonic() - started < 4


def test_no_redirect_leads_elsewhere_and_none_takes_the_credential_along() -> None:
    with served(answer(b"secret place")) as (other, seen):
        away = answer(b"", status=302, Location=f"{other}stolen")
        with served(away) as (url, _), pytest.raises(NotFetched, match="another host"):
            client(url, "t0ken").document("a", "*/*")
        assert seen == []


def test_an_archive_from_the_host_that_the_registry_names(tmp_path: Path) -> None:
    with served(answer(b"archive", "application/octet-stream")) as (files, seen), served(answer(b"")) as (url, _):
        digests = client(url, "t0ken").archive(f"{files}a.tgz", tmp_path / "a.tgz")
        assert digests["sha256"] == hashlib.sha256(b"archive").hexdigest()
        assert (tmp_path / "a.tgz").read_bytes() == b"archive"
        assert seen == [("/a.tgz", "")]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://files.example/a",
        "http://u:p@files.example/a",
        "http://169.254.169.254/a",
        "https://127.0.0.1/a",
        "https://localhost/a",
        "https://[::1]/a",
        "http://files.example/a",
        "https://",
    ],
)
def test_archives_that_are_not_asked_for(tmp_path: Path, url: str) -> None:
    asked = Client(Access("https://registry.example/", "a test"))
    with pytest.raises(NotFetched):
        asked.archive(url, tmp_path / "a.tgz")
    assert asked.asked == 0


def test_nobody_answers() -> None:
    with pytest.raises(NotFetched, match="cannot be asked"):
        client("http://127.0.0.1:9/").document("a", "*/*")


def test_an_authority_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    access = Access("https://127.0.0.1:9/", "a test", authorities=[str(tmp_path / "none.pem")])
    with pytest.raises(NotFetched, match="no such file"):
        Client(access).document("a", "*/*")

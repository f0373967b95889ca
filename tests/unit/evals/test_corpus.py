"""The corpus: its lists and splits, what is left out of it, and how it is fetched and laid out."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from evals import archives
from evals.corpus import Fetching, Listed, Reported, bases, lay_out, listed, split_of, write_lists
from evals.describe import load_all


def row(name: str, old: str = "1.0.0", new: str = "1.0.1") -> Listed:
    return Listed("npm", name, "library", old, new, split_of(name))


def report(name: str, **more: str) -> dict[str, str]:
    return {
        "ecosystem": "npm",
        "name": name,
        "kind": "versions",
        "versions": "",
        "ranges": "",
        "withdrawn": "0",
        **more,
    }


def test_there_are_as_many_as_were_asked_for() -> None:
    counted = Counter((one.ecosystem, one.split) for one in listed())
    assert counted["npm", "report"] >= 3000
    assert counted["npm", "measure"] >= 1500
    assert counted["PyPI", "report"] >= 1000
    assert counted["PyPI", "measure"] >= 500


def test_the_split_is_that_of_the_name_and_no_transition_stands_twice() -> None:
    rows = listed()
    assert [one for one in rows if one.split != split_of(one.name)] == []
    assert len({(one.ecosystem, one.name, one.old, one.new) for one in rows}) == len(rows)
    assert {one.stratum for one in rows} == {"library", "bundled", "native", "cli", "sdk", "security", "ai", "hard"}


def test_reported_releases_are_left_out(tmp_path: Path) -> None:
    reported = Reported(
        [
            report("one", versions="1.0.1|9.0.0"),
            report("two", kind="all"),
            report("three", kind="ranges", ranges="introduced=0.9.0,fixed=1.0.1"),
            report("four", kind="unknown"),
            report("five", versions="1.0.1", withdrawn="1"),
        ]
    )
    write_lists([row(name) for name in ("one", "two", "three", "four", "five")], reported, tmp_path)
    assert [one.name for one in listed(tmp_path)] == ["five", "four"]
    assert not reported.holds("npm", "three", "1.0.1")
    assert not reported.holds("npm", "three", "of no version")


@contextmanager
def registry(answers: dict[str, bytes], asked: list[str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            content = answers.get(self.path)
            if self.path == "/flaky/" and asked.count(self.path) == 1:
                self.send_error(503)
            elif content is None:
                self.send_error(404)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *parts: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_fetched_once_tried_again_and_laid_out(tmp_path: Path) -> None:
    tarball = archives.tarball({"package.json": b"{}"}, "package")
    answers: dict[str, bytes] = {}
    asked: list[str] = []
    with registry(answers, asked) as url:
        versions = {one: {"dist": {"tarball": f"{url}one-{one}.tgz"}} for one in ("1.0.0", "1.0.1")}
        answers["/one"] = json.dumps({"name": "one", "versions": versions}).encode()
        answers["/one-1.0.0.tgz"] = answers["/one-1.0.1.tgz"] = tarball
        files = ("flaky-1.0-py3-none-any.whl", "flaky-1.1-py3-none-any.whl")
        told = [{"filename": one, "url": f"{url}{one}"} for one in (*files, "flaky-1.1.tar.gz", "flaky-0.9.tar.gz")]
        answers["/flaky/"] = json.dumps({"name": "flaky", "files": told}).encode()
        answers.update({f"/{one}": archives.wheel({"a.py": b""}, "flaky.dist-info") for one in files})
        python = Listed("PyPI", "flaky", "library", "1.0", "1.1", "report", *files)
        rows = [row("one"), python, row("gone")]
        first = Fetching(tmp_path / "c", url, url, pause=0.0)
        first.all(rows)
        assert first.failed == ["npm gone"]
        before = len(asked)
        again = Fetching(tmp_path / "c", url, url, pause=0.0)
        again.all(rows)
        assert asked[before:] == ["/gone"]
    assert len((tmp_path / "c/digests.tsv").read_text().splitlines()) == 4
    assert lay_out(tmp_path / "c", tmp_path / "v", rows) == 5
    assert (tmp_path / "v/npm/one/one-1.0.1.tgz").read_bytes() == tarball
    page = json.loads((tmp_path / "v/pypi/flaky/index.json").read_bytes())
    assert [one["filename"] for one in page["files"]] == [*files, "flaky-0.9.tar.gz"]


def test_what_replicas_are_made_out_of_is_fetched_too() -> None:
    wanted = {package.base for one in load_all().values() for package in one.package if package.base}
    assert {one.new_file or f"{one.name}@{one.new}" for one in bases()} == wanted
    assert len(wanted) > 10

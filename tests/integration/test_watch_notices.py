"""Who is told of a detection: a case, a command, a webhook; in time, bounded, and never in silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.adapters.watcher import notices
from pratique.adapters.watcher.notices import Notices
from tests.standins.watching import given, words

BODY = b'{"detection":{}}'


class Receiver:
    """A real server on the loopback that answers as it is told and keeps what it got."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.got: list[bytes] = []
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                outer.got.append(body)
                outer.paths.append(self.path)
                answer = outer.answers.pop(0) if outer.answers else 200
                self.send_response(answer)
                if answer in (301, 302, 307):
                    self.send_header("Location", f"http://127.0.0.1:{outer.port}/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/T0-secret?x=1"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    made: list[Receiver] = []
    yield made
    for one in made:
        one.close()


def _given(told: Notices, times: int = 1) -> Notices:
    for _ in range(times):
        told.give(BODY)
    told.close()
    return told


def test_a_webhook_gets_the_detection_once(receivers: list[Receiver]) -> None:
    receivers.append(Receiver())
    told = _given(Notices(webhook=receivers[0].url))
    assert receivers[0].got == [BODY]
    assert receivers[0].paths == ["/hooks/T0-secret?x=1"]
    assert (told.given, told.failed, told.held_back) == (1, 0, 0)


@pytest.mark.parametrize(
    ("answers", "tries", "given", "failed"),
    [((503, 429), 3, 1, 0), ((500, 500, 500, 500), 3, 0, 1), ((404,), 1, 0, 1), ((307, 307, 307), 1, 0, 1)],
)
def test_what_may_pass_is_tried_again_a_few_times_and_what_may_not_is_said(
    answers: tuple[int, ...], tries: int, given: int, failed: int, receivers: list[Receiver]
) -> None:
    receivers.append(Receiver(*answers))
    told = _given(Notices(webhook=receivers[0].url, pauses=(0.01,)))
    assert len(receivers[0].got) == tries
    assert (told.given, told.failed) == (given, failed)
    assert "/elsewhere" not in receivers[0].paths
    if failed:
        assert told.failures == [f"http://127.0.0.1:{receivers[0].port}: answered {answers[0]}"]
        assert "secret" not in told.failures[0]


def test_nobody_at_the_address_is_a_failure_that_is_said() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_address[1]
    told = _given(Notices(webhook=f"http://127.0.0.1:{port}/", pauses=(0.01,)), 2)
    assert told.failed == 2
    assert "refused" in told.failures[0]


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "127.0.0.1", "http://", "http://127.0.0.1:99999/", "https://a:b@c/"]
)
def test_an_address_that_cannot_be_posted_to_is_refused_at_once(url: str) -> None:
    with pytest.raises(api.UsageError) as error:
        Notices(webhook=url)
    assert ":b@" not in str(error.value)


def test_a_command_gets_it_on_its_input_and_no_shell_reads_its_words(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = "import sys;open(sys.argv[1],'ab').write(sys.stdin.buffer.read()+b'\\n'+sys.argv[2].encode())"
    told = _given(Notices((sys.executable, "-c", code, str(out), "$(touch x); `id`")))
    assert told.given == 1
    assert out.read_bytes() == BODY + b"\n$(touch x); `id`"


def test_a_command_that_fails_or_is_not_there_is_said() -> None:
    told = _given(Notices((sys.executable, "-c", "import sys;sys.stderr.write('no route');sys.exit(3)")))
    assert (told.given, told.failed) == (0, 1)
    assert "ended with 3: no route" in told.failures[0]
    told = _given(Notices(("/nonexistent/notify",)))
    assert told.failures == ["notify: cannot be started: no such file or directory"]


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "SECONDS", 0.5)
    mark = tmp_path / "mark"
    told = Notices(("/bin/sh", "-c", f"(sleep 2; touch {mark}) & sleep 30"))
    begin = time.monotonic()
    told.give(BODY)
    told.close(5)
    assert time.monotonic() - begin < 4
    assert told.failed == 1
    assert "was ended" in told.failures[0]
    time.sleep(2)
    assert not mark.exists()


def test_closing_does_not_wait_for_ever_and_counts_what_is_left() -> None:
    told = Notices(("/bin/sleep", "30"))
    for _ in range(5):
        told.give(BODY)
    begin = time.monotonic()
    told.close(0.3)
    assert time.monotonic() - begin < 5
    assert told.given + told.failed + told.held_back == 5
    assert told.held_back >= 4


def test_the_rate_is_bounded_and_what_is_held_back_is_counted() -> None:
    told = _given(Notices(("/bin/true",)), 50)
    assert told.given == notices.MOST_A_MINUTE
    assert told.held_back == 50 - notices.MOST_A_MINUTE


LINE = json.dumps(
    {
        "rule": "r",
        "priority": "Notice",
        "source": "syscall",
        "time": "2026-10-07T07:21:01Z",
        "output_fields": {
            "evt.type": "execve",
            "proc.pid": 5,
            "proc.exepath": "/dev/shm/x",
            "proc.cmdline": "/dev/shm/x --token=s3cr3t",
            "proc.pname": "node",
        },
    }
)


def test_a_case_gets_every_detection_and_its_timeline_shows_it(tmp_path: Path, receivers: list[Receiver]) -> None:
    receivers.append(Receiver())
    case, key = tmp_path / "case", tmp_path / "case.key"
    api.new_case(case, incidents=["axios-2026-03-31"], key=key).close()
    out = tmp_path / "out"
    out_program = f"{sys.executable} -c \"import sys;open('{out}','a').write(sys.stdin.read())\""
    done = subprocess.run(
        words(
            "--json", "--ingest", "falco", "--level", "high", "--case", case, "--key", key,
            "--webhook", receivers[0].url, "--run", out_program,
        ),
        env=given(tmp_path), input=LINE + "\n", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    first, last = (json.loads(line) for line in done.stdout.splitlines())
    assert first["detection"]["rule"] == "exec-from-shared-memory"
    assert last["sums"]["journaled"] == 1
    assert last["sums"]["given"] == 2
    assert last["sums"]["below"] >= 1
    with api.open_case(case, key=key) as opened:
        entries = [entry.body for entry in opened.entries("detection")]
        timeline = b"".join(api.case_timeline(api.dossier(opened), "text")).decode()
        proof = api.verify_case(opened)
    assert entries == [first] == [json.loads(receivers[0].got[0])] == [json.loads(out.read_text("utf-8"))]
    assert "noticed as it ran" in timeline
    assert "exec-from-shared-memory" in timeline
    assert proof.exit_code in (0, 4), proof
    assert "s3cr3t" not in done.stdout + timeline + out.read_text("utf-8")


def test_the_same_is_told_once_and_its_repetitions_are_counted(tmp_path: Path) -> None:
    text = "".join(LINE.replace('"proc.pid": 5', f'"proc.pid": {pid}') + "\n" for pid in range(5, 45))
    done = subprocess.run(
        words("--json", "--ingest", "falco", "--level", "high"),
        env=given(tmp_path), input=text, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["detection"]["rule"] for one in records[:-1]] == ["exec-from-shared-memory"]
    assert records[-1]["sums"]["repeated"] == 39
    again = subprocess.run(
        words("--json", "--ingest", "falco", "--level", "high", "--again", "0"),
        env=given(tmp_path), input=text, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert len(again.stdout.splitlines()) == 41


def test_a_case_that_cannot_be_opened_is_said_before_anything_is_watched(tmp_path: Path) -> None:
    done = subprocess.run(
        words("--for", "1", "--case", tmp_path / "none"),
        env=given(tmp_path), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "does not exist" in done.stderr
    assert "watch: began" not in done.stderr
    assert os.listdir(tmp_path) == []

"""Telling others of what was noticed: a command that gets it on its standard input, an address that it is posted to.

One thread gives notices, so that a slow receiver never holds up the watch. Everything is bounded: how many wait, how
many are given in a minute, how long one may take, how often it is tried. What was not given is counted and said.
"""

from __future__ import annotations

import collections
import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from pratique.model.errors import UsageError

MOST_WAITING = 256
MOST_A_MINUTE = 30
SECONDS = 10.0
"""So long one notice may take."""
TRIES = 3
_PAUSES = (1.0, 3.0)
_MOST_FAILURES = 5
"""So many failures are told in words; the rest are counted."""


class Notices:
    """Where notices go. `given`, `failed` and `held_back` count them; `failures` say why, the first few."""

    def __init__(self, run: Sequence[str] = (), webhook: str = "", *, pauses: Sequence[float] = _PAUSES) -> None:
        """Raises UsageError where the address of the webhook is none that can be posted to."""
        self.run = tuple(run)
        self.pauses = tuple(pauses)
        self.webhook = _Address(webhook) if webhook else None
        self.given = self.failed = self.held_back = 0
        self.failures: list[str] = []
        self._times: collections.deque[float] = collections.deque(maxlen=MOST_A_MINUTE)
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def any(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self.run or self.webhook)

    def give(self, body: bytes) -> None:
        """Tell of one detection, as JSON. Never waits."""
        if not self.any:
            return
        now = time.monotonic()
        if len(self._times) == MOST_A_MINUTE and now - self._times[0] < 60:
            self.held_back += 1
            return
        try:
            self._waiting.put_nowait(body)
        except queue.Full:
            self.held_back += 1
            return
        self._times.append(now)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="notices", daemon=True)
            self._thread.start()

    def close(self, patience: float = SECONDS) -> None:
        """Give what waits, for so long at most; what is left then counts as held back."""
        if self._thread is None:
            return
        end = time.monotonic() + patience
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(patience)
        if self._thread.is_alive():
            self._ending.set()
            child = self._child
            if child is not None:
                _end(child)
            self._thread.join(max(1.0, end - time.monotonic()))
        while True:
            try:
                left = self._waiting.get_nowait()
            except queue.Empty:
                return
            self.held_back += left is not None

    def _work(self) -> None:
        while not self._ending.is_set():
            body = self._waiting.get()
            if body is None:
                return
            reasons = [self._started(body)] if self.run else []
            reasons += [self._posted(body)] if self.webhook is not None else []
            for reason in reasons:
                if reason:
                    self.failed += 1
                    if len(self.failures) < _MOST_FAILURES:
                        self.failures.append(reason)
                else:
                    self.given += 1

    def _started(self, body: bytes) -> str:
        """Start the command; why it did not take the notice, empty where it did."""
        name = os.path.basename(self.run[0])
        try:
            child = subprocess.Popen(  # noqa: S603 (the command that the user named, as a list)
                self.run, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                start_new_session=True, close_fds=True,
            )  # fmt: skip
        except OSError as error:
            return f"{name}: cannot be started: {(error.strerror or type(error).__name__).lower()}"
        self._child = child
        try:
            _, said = child.communicate(body, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            _end(child)
            child.wait()
            for stream in (child.stdin, child.stderr):  # one that left its session may still hold the other end
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
            return f"{name}: took more than {SECONDS:g} s and was ended"
        finally:
            self._child = None
        if child.returncode:
            words = said[-200:].decode("utf-8", "replace").strip().replace("\n", " ")
            return f"{name}: ended with {child.returncode}" + (f": {words}" if words else "")
        return ""

    def _posted(self, body: bytes) -> str:
        """Post it; why nobody took it, empty where somebody did."""
        reason = ""
        if self.webhook is None:
            return reason
        for attempt in range(TRIES):
            reason, again = self.webhook.post(body)
            if not reason or not again or attempt + 1 == TRIES:
                break
            if self._ending.wait(self.pauses[min(attempt, len(self.pauses) - 1)]):
                break
        return f"{self.webhook.shown}: {reason}" if reason else ""


class _Address:
    """The address of a webhook. `shown` has no path and no query: secrets stand there."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise UsageError("is no address that can be posted to", where="--webhook", advice="Give an https URL")
        if parts.username or parts.password:
            raise UsageError(
                "holds a password, which every list of processes shows",
                where="--webhook",
                advice="Use the address that the receiver gives out, or --run with a program of yours",
            )
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.shown = f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port else "")

    def post(self, body: bytes) -> tuple[str, bool]:
        """One try: why it failed (empty where it did not), and whether another try may help. Redirects are refused."""
        import http.client

        if self._secure:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, self._port, timeout=SECONDS / 2
            )
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=SECONDS / 2)
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/json", "User-Agent": "pratique"})
            answer = connection.getresponse()
            answer.read(1024)
        except (OSError, http.client.HTTPException) as error:
            return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()[:120], True
        finally:
            connection.close()
        if 200 <= answer.status < 300:
            return "", False
        return f"answered {answer.status}", answer.status == 429 or answer.status >= 500


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a command and all that it started in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        child.kill()

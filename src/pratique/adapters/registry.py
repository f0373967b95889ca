"""Fetch one document of a registry, only where the user names the registry.

Plain GET over HTTP or HTTPS: no credentials, no cookies, no proxy of the environment, no redirect to another host or
scheme; the size and the time are bounded.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from pratique.model.errors import UsageError

LARGEST = 128 << 20
SECONDS = 60.0
_ACCEPT = {
    "npm": "application/json",
    "PyPI": "application/vnd.pypi.simple.v1+json, application/json;q=0.5",
}


class NotFetched(Exception):  # noqa: N818  # a reason, not a failure of the program
    """A document that could not be had; the reason names no part of the URL but what the user knows."""


def rooted(url: str) -> str:
    """The registry's URL with a slash at its end. Raises UsageError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("is no http or https URL", where="--registry", advice="Write http://127.0.0.1:4873/")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "holds credentials or a query", where="--registry", advice="Name the plain URL of the registry"
        )
    return url.rstrip("/") + "/"


def fetch(registry: str, ecosystem: str, name: str, *, largest: int = LARGEST, seconds: float = SECONDS) -> bytes:
    """The document of one package. Raises NotFetched.

    It is fetched beside the main thread: a registry that sends its head byte by byte outlives every limit of a socket.
    """
    import queue
    import threading

    path = quote(name, safe="@") if ecosystem == "npm" else f"{quote(name, safe='')}/"
    outcome: queue.SimpleQueue[bytes | NotFetched] = queue.SimpleQueue()

    def ask() -> None:
        try:
            outcome.put(_body(registry, path, _ACCEPT[ecosystem], largest, seconds))
        except NotFetched as reason:
            outcome.put(reason)
        except Exception as error:  # noqa: BLE001  # told to the caller, who would wait for nothing else
            outcome.put(NotFetched(f"the registry cannot be asked: {type(error).__name__}"))

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = outcome.get(timeout=seconds)
    except queue.Empty:
        raise _too_slow(seconds) from None
    if isinstance(found, NotFetched):
        raise found
    return found


def _too_slow(seconds: float) -> NotFetched:
    return NotFetched(f"the document took longer than {seconds:g} s")


def _body(registry: str, path: str, accept: str, largest: int, seconds: float) -> bytes:
    """What the registry answers. Raises NotFetched, and what urllib raises."""
    import time
    import urllib.error
    import urllib.request

    root = urlsplit(registry)

    class SameHost(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # as in urllib
            there = urlsplit(newurl)
            if (there.scheme, there.netloc) != (root.scheme, root.netloc):
                raise NotFetched("the registry sends to another host, which is not followed")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), SameHost())
    headers = {"Accept": accept, "User-Agent": "pratique"}
    request = urllib.request.Request(registry + path, headers=headers)  # noqa: S310  # rooted() lets http and https in
    deadline = time.monotonic() + seconds
    parts: list[bytes] = []
    size = 0
    try:
        with opener.open(request, timeout=min(seconds, 20.0)) as answer:
            while part := answer.read1(1 << 16):
                size += len(part)
                parts.append(part)
                if size > largest:
                    raise NotFetched(f"the document is larger than {largest} bytes")
                if time.monotonic() > deadline:
                    raise _too_slow(seconds)
    except urllib.error.HTTPError as error:
        raise NotFetched(f"the registry answers {error.code}") from None
    return b"".join(parts)

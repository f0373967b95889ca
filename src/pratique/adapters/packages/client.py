"""Ask a registry for a document or an archive: bounded in size and time, to the hosts that it may lead to alone.

A document comes from the registry's own host. An archive may lie on another host, which the registry names; that one is
sent no credential that is not set for it, and may not be inside this machine or network unless the registry is. No
answer leads anywhere else: a redirect to another host is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import queue
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from pratique.adapters.packages.access import Access, shown, usable
from pratique.adapters.registry import NotFetched

LARGEST_DOCUMENT = 128 << 20
LARGEST_ARCHIVE = 512 << 20
SECONDS = 60.0
_QUIET = 20.0
"""So long an answer may be silent, in seconds."""
_PART = 1 << 16


class Absent(NotFetched):
    """The registry says that it does not have it."""


class Client:
    """Asks one registry or index. `asked` counts its requests."""

    def __init__(self, access: Access, *, seconds: float = SECONDS) -> None:
        self.access = access
        self.seconds = seconds
        self.asked = 0
        self._lock = threading.Lock()

    def document(self, path: str, accept: str, *, largest: int = LARGEST_DOCUMENT) -> tuple[bytes, str]:
        """A document below the registry's address, and its media type. Raises NotFetched."""
        parts: list[bytes] = []
        size = 0

        def take(part: bytes) -> None:
            nonlocal size
            size += len(part)
            if size > largest:
                raise NotFetched(f"the document is larger than {largest} bytes")
            parts.append(part)

        url = urljoin(self.access.url, path)
        if _origin(url) != _origin(self.access.url):
            raise NotFetched("the name leads to another host")
        kind = self._beside(lambda stop: self._ask(url, accept, take, stop, packed=True), self.seconds)
        return b"".join(parts), kind

    def archive(self, url: str, place: Path, *, largest: int = LARGEST_ARCHIVE) -> dict[str, str]:
        """Write an archive to a new file; its digests (`sha256`, `sha512`, `sha1`, `sha384`). Raises NotFetched."""
        self._allowed(url)
        digests = {kind: hashlib.new(kind, usedforsecurity=False) for kind in ("sha256", "sha512", "sha1", "sha384")}
        size = 0
        try:
            with place.open("xb") as file:

                def take(part: bytes) -> None:
                    nonlocal size
                    size += len(part)
                    if size > largest:
                        raise NotFetched(f"the archive is larger than {largest} bytes")
                    for digest in digests.values():
                        digest.update(part)
                    file.write(part)

                seconds = self.seconds * 4
                self._beside(lambda stop: self._ask(url, "*/*", take, stop, packed=False), seconds)
        except OSError as error:
            raise NotFetched(f"the archive cannot be kept: {(error.strerror or 'no place').lower()}") from None
        return {kind: digest.hexdigest() for kind, digest in digests.items()}

    def _allowed(self, url: str) -> None:
        """Whether an archive may be asked for there. Raises NotFetched."""
        if not usable(url):
            raise NotFetched("the registry names an archive at no http or https address")
        if urlsplit(url).username is not None:
            raise NotFetched("the registry names an archive at an address with a password")
        if _origin(url) == _origin(self.access.url):
            return
        if urlsplit(self.access.url).scheme == "https" and urlsplit(url).scheme != "https":
            raise NotFetched("the registry, asked over https, names an archive at another host over http")
        if _inside(url) and not _inside(self.access.url):
            raise NotFetched("the registry names an archive inside this machine or network")

    def _beside(self, work: Callable[[threading.Event], str], seconds: float) -> str:
        """Do the work beside this thread: a head that comes byte by byte outlives every limit of a socket."""
        outcome: queue.SimpleQueue[str | NotFetched] = queue.SimpleQueue()
        stop = threading.Event()

        def ask() -> None:
            try:
                outcome.put(work(stop))
            except NotFetched as reason:
                outcome.put(reason)
            except Exception as error:  # noqa: BLE001  # told to the caller, who would wait for nothing else
                outcome.put(NotFetched(f"the registry cannot be asked: {_reason(error)}"))

        with self._lock:
            self.asked += 1
        threading.Thread(target=ask, daemon=True).start()
        try:
            found = outcome.get(timeout=seconds)
        except queue.Empty:
            stop.set()
            raise NotFetched(f"the answer took longer than {seconds:g} s") from None
        if isinstance(found, NotFetched):
            raise found
        return found

    def _ask(self, url: str, accept: str, take: Callable[[bytes], None], stop: threading.Event, *, packed: bool) -> str:
        """Hand every part of the answer on; its media type. Raises NotFetched, and what urllib raises."""
        import urllib.error
        import urllib.request

        class SameOrigin(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # as in urllib
                if _origin(urljoin(req.full_url, newurl)) != _origin(url):
                    fp.close()
                    raise NotFetched("the registry sends to another host, which is not followed")
                return super().redirect_request(req, fp, code, msg, headers, newurl)

        proxy = self.access.proxy_for(url)
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.ProxyHandler({urlsplit(url).scheme: proxy} if proxy else {}),
            SameOrigin(),
        ]
        if urlsplit(url).scheme == "https":
            try:
                context = self.access.trust
            except ImportError:
                raise NotFetched("this Python holds no TLS; fetch archives elsewhere and name them by --from") from None
            handlers.append(urllib.request.HTTPSHandler(context=context))
        headers = {"Accept": accept, "User-Agent": "pratique"}
        if packed:
            headers["Accept-Encoding"] = "gzip"
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  # only http and https get here
        authorization = self.access.authorization(url)
        if authorization is not None:
            request.add_unredirected_header("Authorization", authorization)
        deadline = time.monotonic() + self.seconds * (1 if packed else 4)
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=min(self.seconds, _QUIET)) as answer:
                unpack = _unpacking(answer.headers.get("Content-Encoding") or "", take) if packed else take
                while part := answer.read1(_PART):
                    if stop.is_set() or time.monotonic() > deadline:
                        raise NotFetched(f"the answer took longer than {self.seconds:g} s")
                    unpack(part)
                missing = answer.length
                if missing:
                    raise NotFetched("the answer was cut off")
                return str(answer.headers.get_content_type())
        except urllib.error.HTTPError as error:
            with contextlib.suppress(OSError):
                error.close()
            if error.code in (404, 410):
                raise Absent(f"the registry does not have it ({error.code})") from None
            advice = "; it wants a credential that this user's settings do not hold" if error.code in (401, 403) else ""
            raise NotFetched(f"the registry answers {error.code}{advice}") from None


def _unpacking(encoding: str, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Hand on the parts of an answer as they were before they were packed, piece by piece."""
    if encoding.lower() not in ("gzip", "x-gzip"):
        if encoding and encoding.lower() != "identity":
            raise NotFetched("the registry packs its answer in a way that was not asked for")
        return take
    stream = zlib.decompressobj(wbits=31)

    def unpack(part: bytes) -> None:
        while part:
            try:
                piece = stream.decompress(part, 1 << 20)
            except zlib.error:
                raise NotFetched("the registry packs its answer in a damaged way") from None
            if piece:
                take(piece)
            part = stream.unconsumed_tail
            if stream.eof:
                return

    return unpack


def _reason(error: Exception) -> str:
    """What went wrong, in words that hold no address and no secret."""
    import urllib.error

    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if type(inner).__name__ == "SSLCertVerificationError":
        return "its certificate is vouched for by nobody that this machine or the settings trust"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return type(inner).__name__


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def _inside(url: str) -> bool:
    """Whether an address plainly lies in this machine or a private network."""
    host = (urlsplit(url).hostname or "").lower()
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def described(access: Access) -> str:
    """A registry in words: its address without secrets and the setting that names it."""
    return f"{shown(access.url)} ({access.found_by})"

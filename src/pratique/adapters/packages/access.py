"""One registry or index as the user's client is configured for it: its address, who may vouch for it, what it is sent.

A credential is kept here and leaves in a header alone, to the addresses that its setting is for. It stands in no
record, no message and no representation of these objects.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import ssl


class Credential:
    """What is sent to addresses below a prefix such as `//registry.example/path/`."""

    __slots__ = ("_header", "prefix")

    def __init__(self, prefix: str, header: str) -> None:
        self.prefix = prefix if prefix.endswith("/") else f"{prefix}/"
        self._header = header

    def __repr__(self) -> str:
        return f"Credential({self.prefix!r})"

    def header_for(self, url: str) -> str | None:
        """The value of `Authorization` for an address; None where the credential is not for it."""
        parts = urlsplit(url)
        place = f"//{_host(url)}{parts.path or '/'}"
        return self._header if f"{place}/".startswith(self.prefix) else None


class Access:
    """A registry or index that may be asked. `found_by` says which setting names it, never a setting's secret."""

    def __init__(
        self,
        url: str,
        found_by: str,
        *,
        credentials: Sequence[Credential] = (),
        authorities: Sequence[str] = (),
        certificates: Sequence[str] = (),
        proxies: Mapping[str, str] | None = None,
        unproxied: str = "",
        replaced_host: str = "",
    ) -> None:
        """`authorities` are files of certificates, `certificates` their text; `replaced_host` is what npm replaces."""
        self.url = url.rstrip("/") + "/"
        self.found_by = found_by
        self.replaced_host = replaced_host
        self._credentials = tuple(credentials)
        self._authorities = tuple(authorities)
        self._certificates = tuple(certificates)
        self._proxies = dict(proxies or {})
        self._unproxied = unproxied

    def __repr__(self) -> str:
        return f"Access({shown(self.url)!r}, {self.found_by!r})"

    def authorization(self, url: str) -> str | None:
        """The value of `Authorization` for an address: of the credential with the longest prefix, else None."""
        found = [(len(one.prefix), header) for one in self._credentials if (header := one.header_for(url)) is not None]
        return max(found)[1] if found else None

    def proxy_for(self, url: str) -> str | None:
        """The proxy that an address is asked through; none for this machine itself."""
        host = (urlsplit(url).hostname or "").lower()
        if host in ("localhost", "127.0.0.1", "::1") or host.startswith("127."):
            return None
        for item in self._unproxied.lower().replace(",", " ").split():
            name = item.partition(":")[0].lstrip("*").lstrip(".")
            if not name or host == name or host.endswith(f".{name}"):
                return None
        return self._proxies.get(urlsplit(url).scheme)

    @functools.cached_property
    def trust(self) -> ssl.SSLContext:
        """Whose certificates are taken: those of this machine, and those that the settings name.

        Raises OSError, ssl.SSLError or ValueError where a file that the settings name cannot be used, and ImportError
        where this Python was built without TLS, as the one that the build of its own carries.
        """
        import ssl

        context = ssl.create_default_context()
        for path in self._authorities:
            context.load_verify_locations(cafile=path)
        for text in self._certificates:
            context.load_verify_locations(cadata=text)
        return context


def shown(url: str) -> str:
    """An address as it may be shown: without user, password, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{_host(url)}{parts.path}"


def split_secret(url: str) -> tuple[str, str | None]:
    """An address without its user and password, and the header that those ask for."""
    import base64

    parts = urlsplit(url)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    if parts.username is None:
        return plain, None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return plain, f"Basic {base64.b64encode(pair.encode()).decode()}"


def usable(url: str) -> bool:
    """Whether an address is one of http or https with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def prefix_of(url: str) -> str:
    """The prefix that a credential for an address and all on its host has."""
    return f"//{_host(url)}/"


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2].lower()

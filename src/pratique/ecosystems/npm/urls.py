"""URLs that npm-like managers write, without their secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from pratique.model.observation import Origin

_TARBALL = re.compile(
    r"/(?P<name>(?:@[^/]+/)?[^/@]+)/(?:-|download|_attachments)/(?:@[^/]+/)?(?P<file>[^/]+?)\.t(?:ar\.)?gz$"
)
_GIT = ("git+", "git:", "git@", "github:", "gitlab:", "bitbucket:", "gist:", "ssh:")


def strip_url(url: str) -> str:
    """The URL without user info, query and fragment. Text that is no URL loses what follows `?` or `#`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return re.split(r"[?#]", re.sub(r"//[^/]*@", "//", url))[0]
    if not parts.scheme or not parts.netloc:
        return re.split(r"[?#]", re.sub(r"//[^/]*@", "//", url))[0]
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}{port}{re.split('[?#]', parts.path)[0]}"


def origin_of(resolved: str | None) -> Origin:
    """What kind of source a `resolved` field names. No field counts as unknown, which is treated as a registry."""
    if not resolved:
        return "unknown"
    if resolved.startswith(_GIT) or re.match(r"https?://[^#?]+\.git(?:#|$)", resolved):
        return "git"
    if resolved.startswith(("file:", "./", "../", "/")):
        return "file"
    if resolved.startswith("link:"):
        return "link"
    return "registry"


def tarball_release(url: str) -> tuple[str, str] | None:
    """Package name and version from the URL of a registry tarball, None where it does not look like one.

    Registries and their mirrors put the archive at `<name>/-/<base>-<version>.tgz`, some at `<name>/download/...`.
    """
    for mark in "?#":
        if mark in url:
            url = url[: url.index(mark)]
    match = _TARBALL.search(unquote(url) if "%" in url else url)
    if not match:
        return None
    name = match["name"]
    base = name.rsplit("/", 1)[-1]
    if not match["file"].startswith(f"{base}-"):
        return None
    return name, match["file"][len(base) + 1 :]

"""URLs that npm-like managers write, without their secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from pratique.model.observation import Origin

_NAME = r"(?P<name>(?:@[^/]+/)?[^/@]+)"
_TARBALL = re.compile(rf"/{_NAME}/(?:-|download|_attachments)/(?:\d[^/]*/)?(?:@[^/]+/)?(?P<file>[^/]+?)\.t(?:ar\.)?gz$")
_BY_DIGEST = re.compile(rf"/download/{_NAME}/(?P<version>\d+\.\d+\.\d+[^/]*)/[0-9a-f]{{40,128}}$")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]*)?")
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

    Registries and their mirrors put the archive at `<name>/-/<base>-<version>.tgz`, some at `<name>/download/...` or in
    a further folder with the scope or the version; GitHub at `download/<name>/<version>/<digest>`.
    """
    for mark in "?#":
        if mark in url:
            url = url[: url.index(mark)]
    path = unquote(url) if "%" in url else url
    match = _TARBALL.search(path) if "gz" in path[-3:] else None
    if not match:
        match = _BY_DIGEST.search(path) if "/download/" in path else None
        return (match["name"], match["version"]) if match else None
    name, file = match["name"], match["file"]
    for base in (name.rpartition("/")[2], name.removeprefix("@").replace("/", "-")):
        if file.startswith(f"{base}-") and _VERSION.fullmatch(file, len(base) + 1):
            return name, file[len(base) + 1 :]
    return None

"""Yarn's own words for packages: descriptors (what was asked for), locators (what was chosen), their hashes and slugs.

A descriptor is `name@range`, a locator `name@reference`. In both, the part behind the name may carry a protocol:
`npm:`, `patch:`, `virtual:`, `workspace:`, `portal:`, `link:`, `file:`, `exec:`, a URL, or a git source.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from pratique.ecosystems.npm.urls import origin_of, strip_url, tarball_release
from pratique.model.observation import Origin

_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
_NAME = re.compile(r"(?:@[^@/\s]+/)?[^@/\s]+")
_PROTOCOL = re.compile(r"[a-z][a-z+]*:")
_SHORTHAND = re.compile(r"(?!\.)[^/@:\s]+/[^/@:\s]+")
_SLUG = re.compile(
    r"(?P<slug>@?[^@]+?)-npm-(?P<version>\d+\.\d+\.\d+.*?)-(?P<hash>[0-9a-f]{10})-(?P<key>[0-9a-f]{10}|\d+(?:c\d+)?)\.zip"
)
_DEEPEST = 8


class Locator(msgspec.Struct, frozen=True):
    """A chosen package. `version` is None where the reference itself does not say it."""

    name: str
    version: str | None
    origin: Origin
    resolved: str | None = None


def is_version(text: str) -> bool:
    """Whether `text` is one exact version."""
    return _VERSION.fullmatch(text) is not None


def split_ident(text: str) -> tuple[str, str] | None:
    """Name and what stands behind its `@`; None where `text` starts with no package name."""
    at = text.find("@", 1)
    name, rest = (text, "") if at < 0 else (text[:at], text[at + 1 :])
    return (name, rest) if _NAME.fullmatch(name) else None


def real_name(descriptor: str) -> tuple[str, str | None, str] | None:
    """Real name, alias (None where there is none) and range of a descriptor such as `four@npm:chalk@^4.1.2`."""
    parts = split_ident(descriptor)
    if parts is None:
        return None
    name, asked = parts
    if asked.startswith("npm:"):
        inner = split_ident(asked[4:])
        if inner is not None and inner[1]:
            return inner[0], name if inner[0] != name else None, inner[1]
        return name, None, asked[4:]
    return name, None, asked


def parse_locator(text: str) -> Locator | None:
    """What a locator names: through virtual instances and patches to the package that lies below them."""
    parts = split_ident(text)
    if parts is None or not parts[1]:
        return None
    name, reference = parts
    for _ in range(_DEEPEST):
        if reference.startswith("virtual:"):
            reference = reference.partition("#")[2]
        elif reference.startswith("patch:"):
            inner = split_ident(unquote(re.split("[#]|::", reference[6:], maxsplit=1)[0]))
            if inner is None or not inner[1]:
                return Locator(name, None, "unknown")
            name, reference = inner
        else:
            break
    return _by_reference(name, reference)


def _by_reference(name: str, reference: str) -> Locator:
    body, _, parameters = reference.partition("::")
    if body.startswith("npm:") or is_version(body):
        body = body.removeprefix("npm:")
        if "@" in body[1:]:
            name, body = split_ident(body) or (name, body)
        archive = re.search(r"(?:^|&)__archiveUrl=([^&]+)", parameters)
        resolved = strip_url(unquote(archive[1])) if archive else None
        return Locator(name, body if is_version(body) else None, "registry", resolved)
    origin = origin_of_range(reference)
    if origin in ("git", "remote-tarball", "registry") and "://" in body:
        release = tarball_release(body) if origin != "git" else None
        resolved = strip_url(body)
        return Locator(*release, "registry", resolved) if release else Locator(name, None, origin, resolved)
    return Locator(name, None, origin)


def origin_of_range(asked: str) -> Origin:
    """What kind of source the part behind a name's `@` asks for."""
    if asked.startswith("workspace:"):
        return "workspace"
    if asked.startswith(("link:", "portal:")):
        return "link"
    if asked.startswith(("exec:", "file:", "./", "../", "/", "~/")):
        return "git" if "#commit=" in asked or re.search(r"\.git(?:#|$)", asked) else "file"
    if origin_of(asked) == "git" or "#commit=" in asked or _SHORTHAND.fullmatch(asked.partition("#")[0]):
        return "git"
    if asked.startswith(("http://", "https://")):
        return "registry" if tarball_release(asked.partition("::")[0]) else "remote-tarball"
    if _PROTOCOL.match(asked) and not asked.startswith("npm:"):
        return "unknown"
    return "registry"


def locator_hash(name: str, reference: str) -> str:
    """Yarn's hash of a locator: SHA-512 of the name's own SHA-512 (scope and name joined) and the reference."""
    ident = hashlib.sha512(_clean(name.removeprefix("@").replace("/", "", 1))).hexdigest()
    return hashlib.sha512(ident.encode() + _clean(reference)).hexdigest()


def _clean(text: str) -> bytes:
    return text.encode("utf-8", "replace")


class Slug(msgspec.Struct, frozen=True):
    """A file name in Yarn's cache. `names` holds every name it can stand for, `certain` the one its hash proves."""

    names: tuple[str, ...]
    version: str
    certain: str | None


def parse_slug(basename: str) -> Slug | None:
    """Read `<slug>-npm-<version>-<hash>-<key>.zip`; None for other sources and other names.

    The slug of `@scope/name` is `@scope-name`, so a hyphen in either leaves several readings. The ten digits of the
    hash are the start of the locator's hash and tell them apart, unless the locator carries parameters.
    """
    match = _SLUG.fullmatch(basename)
    if not match:
        return None
    names = tuple(_readings(match["slug"]))
    version = match["version"]
    certain = [name for name in names if locator_hash(name, f"npm:{version}").startswith(match["hash"])]
    return Slug(names, version, certain[0] if certain else None)


def _readings(slug: str) -> Iterator[str]:
    if not slug.startswith("@"):
        yield slug
        return
    pieces = slug.split("-")
    for cut in range(1, min(len(pieces), 64)):
        yield f"{'-'.join(pieces[:cut])}/{'-'.join(pieces[cut:])}"

"""Archives in the caches of pip and uv: responses by the address they came from, wheels by their name.

pip keeps the body of each response below `http-v2`, by a digest of its address, and wheels that it built on this
machine. uv keeps what it unpacked: a copy.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator

import msgspec

from pratique.ecosystems.pypi.files import release_of
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.versions import canonical
from pratique.targets.kept.found import Held, content, plain


def pip_body(folder: str, url: str) -> str | None:
    """Where pip's cache keeps the answer from an address; None where it does not."""
    digest = hashlib.sha224(url.encode()).hexdigest()
    path = os.path.join(folder, "http-v2", *digest[:5], f"{digest}.body")
    return path if os.path.isfile(path) else None


def pip_page(folder: str, url: str) -> bytes | None:
    """The page of an index as pip's cache keeps it."""
    path = pip_body(folder, url)
    return content(path) if path else None


def pip_archive(folder: str, url: str) -> Held | None:
    """The archive that pip fetched from an address."""
    path = pip_body(folder, url)
    return Held(path, "pip's cache") if path else None


def pip_wheels(folder: str, name: str, version: str) -> Iterator[Held]:
    """Wheels of a release that pip built on this machine."""
    for path in sorted(glob.iglob(f"{glob.escape(folder)}/wheels/*/*/*/*/*.whl")):
        if _is(os.path.basename(path), name, version):
            yield Held(path, "pip's cache, a wheel that was built on this machine", copy=True)


def uv_copies(folder: str, name: str, version: str) -> Iterator[Held]:
    """What uv unpacked of a release: wheels, then source archives."""
    if not plain(name) or not plain(version):
        return
    base = glob.escape(folder)
    for wheels in sorted(glob.glob(f"{base}/wheels-v*/pypi/{name}") + glob.glob(f"{base}/wheels-v*/index/*/{name}")):
        for path in sorted(glob.glob(f"{glob.escape(wheels)}/*.http")):
            identifier, file = _archive(path)
            release = release_of(file) if file else None
            if release is None or canonical(release[1]) != canonical(version) or not identifier:
                continue
            for place in sorted(glob.glob(f"{base}/archive-v*/{glob.escape(identifier)}")):
                if os.path.isdir(place):
                    yield Held(place, f"uv's cache, unpacked from {file}", copy=True)
    for sources in (f"{base}/sdists-v*/pypi/{name}", f"{base}/sdists-v*/index/*/{name}"):
        for path in sorted(glob.glob(f"{sources}/{glob.escape(version)}/*/src")):
            if os.path.isdir(path):
                yield Held(path, "uv's cache, an unpacked source archive", copy=True)


def _archive(path: str) -> tuple[str, str]:
    """The folder of uv's archive that an entry points to, and the name of the wheel."""
    data = content(path, 16 << 20) or b""
    for end in (int.from_bytes(data[-8:], "little"), len(data)):
        if not 0 < end <= len(data):
            continue
        try:
            value = msgspec.msgpack.decode(data[:end])
        except (msgspec.DecodeError, RecursionError, ValueError):
            continue
        if isinstance(value, list) and value and isinstance(value[0], str) and plain(value[0]):
            file = value[2] if len(value) > 2 and isinstance(value[2], str) else ""
            return value[0], file
    return "", ""


def _is(file: str, name: str, version: str) -> bool:
    release = release_of(file)
    return release is not None and release[0] == normalise(name) and canonical(release[1]) == canonical(version)

"""Every codec of a lockfile or manifest, found by its folder: `ecosystems/<world>/locks/<format>.py`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re

from pratique import ecosystems
from pratique.model.repair import LockCodec


@functools.cache
def codecs() -> tuple[LockCodec, ...]:
    """Every codec, in order of name."""
    found = []
    for world in pkgutil.iter_modules(ecosystems.__path__, f"{ecosystems.__name__}."):
        if not world.ispkg:
            continue
        try:
            folder = importlib.import_module(f"{world.name}.locks")
        except ModuleNotFoundError as error:
            if error.name != f"{world.name}.locks":
                raise
            continue
        for item in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
            codec = getattr(importlib.import_module(item.name), "CODEC", None)
            if isinstance(codec, LockCodec):
                found.append(codec)
    return tuple(sorted(found, key=lambda codec: codec.name))


def codecs_of(path: str, content: bytes = b"") -> tuple[LockCodec, ...]:
    """The codecs of a file by its path; of Yarn's two formats the one that the content shows."""
    name = _end(path, 0)
    found = tuple(
        codec
        for codec in codecs()
        if name in codec.basenames
        or (codec.pattern and re.fullmatch(codec.pattern, _end(path, codec.pattern.count("/"))))
    )
    if name == "yarn.lock":
        berry = content.startswith(b"__metadata:") or b"\n__metadata:" in content
        found = tuple(codec for codec in found if codec.name == ("yarn-berry" if berry else "yarn-classic"))
    return found


def _end(path: str, folders: int) -> str:
    """The basename of a path, with so many folders before it."""
    return "/".join(path.replace("\\", "/").split("/")[-folders - 1 :])

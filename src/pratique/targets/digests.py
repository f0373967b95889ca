"""Every file of a directory tree, hashed: the long second look of `--deep`.

Links are not followed, other file systems not entered, special files not opened. Content folders and git's database,
which the walk leaves out, are hashed too. A file that cannot be read is a refusal.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence

from pratique.model.location import locate, shown
from pratique.model.observation import DigestFact, Observation, Refusal
from pratique.model.ports import Options
from pratique.targets.boundaries import compile_globs, mount_points
from pratique.targets.files import open_file, reason_of

READER = "deep"
_CHUNK = 1 << 20


def digests(
    uri: str, root: str, wanted: Mapping[str, frozenset[str]], options: Options
) -> Iterator[Observation | Refusal | int]:
    """Hash every regular file and yield those whose digest is wanted, refusals, and the number of bytes of each file.

    `wanted` maps an algorithm (`sha1`, `sha256`, `sha512`) to hexadecimal digests.
    """
    algorithms = [name for name, values in sorted(wanted.items()) if values]
    excluded = compile_globs(options.exclude)
    base = root.rstrip(os.sep) + os.sep if root != os.sep else os.sep
    mounts = mount_points(base)
    refusals: list[OSError] = []
    for folder, folders, files in os.walk(base, onerror=refusals.append):
        relative = folder[len(base) :].rstrip(os.sep)
        prefix = f"{relative}/" if relative else ""
        folders[:] = sorted(
            name for name in folders if prefix + name not in mounts and not (excluded and excluded(prefix + name))
        )
        for name in sorted(files):
            path = prefix + name
            if excluded and excluded(path):
                continue
            yield from _hash(uri, base, path, wanted, algorithms)
    for error in refusals:
        location = locate(uri, str(error.filename or base)[len(base) :].rstrip(os.sep) or ".")
        yield Refusal(location.path, READER, reason_of(error), True, uri, location.path_bytes)


def _hash(
    uri: str, base: str, path: str, wanted: Mapping[str, frozenset[str]], algorithms: Sequence[str]
) -> Iterator[Observation | Refusal | int]:
    location = locate(uri, path)
    try:
        if not stat.S_ISREG(os.lstat(base + path).st_mode):
            return
        descriptor = open_file(base + path)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return
            states = [hashlib.new(name, usedforsecurity=False) for name in algorithms]
            size = 0
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                for state in states:
                    state.update(chunk)
    except OSError as error:
        yield Refusal(location.path, READER, reason_of(error), True, uri, location.path_bytes)
        return
    yield size
    for name, state in zip(algorithms, states, strict=True):
        value = state.hexdigest()
        if value in wanted[name]:
            fact = DigestFact(path=shown(path), algorithm=name, digest=value, expected=value, equal=True)
            yield Observation(READER, location, fact)

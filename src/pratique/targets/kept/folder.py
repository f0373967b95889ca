"""A folder of archives that was named for it: flat, or the storage of a mirror.

Files are found by their names, wherever they lie below the folder: `axios-1.14.1.tgz`, `scope-name-1.0.0.tgz`,
`@scope/name/name-1.0.0.tgz` (Verdaccio), `+f/ab/c…/name-1.0-py3-none-any.whl` (devpi), a file named by its SHA-1
(Artifactory). Documents of packages are found too: `<name>/package.json` with versions, `<name>.json`, pages of an
index.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator

from pratique.ecosystems.pypi.files import release_of
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.versions import canonical
from pratique.targets.kept.found import Held, content, walk

_TARBALL = re.compile(r"(?P<base>.+?)-(?P<version>\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]*)?)\.(?:tgz|tar\.gz)")


class Folder:
    """One folder that `--from` names."""

    def __init__(self, path: str) -> None:
        self.path = path

    @functools.cached_property
    def _files(self) -> dict[str, list[str]]:
        """Name of a file to where files of that name lie, relative to the folder."""
        found: dict[str, list[str]] = {}
        for folder, names in walk(self.path):
            for name in names:
                found.setdefault(name, []).append(os.path.relpath(os.path.join(folder, name), self.path))
        return found

    def npm_archives(self, name: str, version: str, sha1: str = "") -> Iterator[Held]:
        """Archives of an npm release, those in a folder of the package's name first."""
        base = name.rpartition("/")[2]
        slug = name.removeprefix("@").replace("/", "-")
        scoped: list[str] = []
        flat: list[str] = []
        for stem in dict.fromkeys((base, slug)):
            for suffix in (".tgz", ".tar.gz"):
                for path in self._files.get(f"{stem}-{version}{suffix}", ()):
                    parts = path.split(os.sep)[:-1]
                    wanted = name.split("/")
                    inside = any(parts[at : at + len(wanted)] == wanted for at in range(len(parts)))
                    (scoped if inside else flat).append(path)
        if not name.startswith("@"):
            flat = [path for path in flat if not any(part.startswith("@") for part in path.split(os.sep))]
            scoped = [path for path in scoped if not any(part.startswith("@") for part in path.split(os.sep))]
        else:
            flat = [path for path in flat if os.path.basename(path).startswith(f"{slug}-")]
        if sha1:
            scoped += self._files.get(sha1, [])
        for path in [*scoped, *flat]:
            yield Held(os.path.join(self.path, path), f"{path} in {self.path}")

    def npm_documents(self, name: str) -> Iterator[tuple[bytes, str]]:
        """Documents of an npm package, each with where it lies."""
        wanted = name.split("/")
        for file in ("package.json", f"{wanted[-1]}.json", f"{name.replace('/', '%2f')}.json"):
            for path in self._files.get(file, ()):
                parts = path.split(os.sep)
                above = parts[: -len(wanted) - 1] if file == "package.json" else parts[:-1]
                if file == "package.json" and parts[-len(wanted) - 1 : -1] != wanted:
                    continue
                if len(wanted) == 1 and above and above[-1].startswith("@"):
                    continue
                data = content(os.path.join(self.path, path))
                if data is not None and b'"versions"' in data:
                    yield data, path

    def npm_versions(self, name: str) -> tuple[str, ...]:
        """The versions that archives here have by their names."""
        base, slug = name.rpartition("/")[2], name.removeprefix("@").replace("/", "-")
        found = {
            match["version"]
            for file in self._files
            if (match := _TARBALL.fullmatch(file)) and match["base"] in (base, slug)
        }
        return tuple(sorted(version for version in found if any(True for _ in self.npm_archives(name, version))))

    def python_archives(self, name: str, version: str = "") -> Iterator[Held]:
        """Wheels and source archives of a Python release, or of all of a project."""
        for file, paths in sorted(self._files.items()):
            release = release_of(file)
            if release is None or release[0] != normalise(name) or file.endswith((".egg", ".egg-info")):
                continue
            if not version or canonical(release[1]) == canonical(version):
                for path in paths:
                    yield Held(os.path.join(self.path, path), f"{path} in {self.path}")

    def python_pages(self, name: str) -> Iterator[tuple[bytes, str]]:
        """Pages of an index about a project, each with where it lies."""
        for file in ("index.json", "index.html", "simple.json", f"{name}.json", f"{name}.html"):
            for path in self._files.get(file, ()):
                parts = path.split(os.sep)
                if file.startswith(("index.", "simple.")) and (len(parts) < 2 or normalise(parts[-2]) != name):
                    continue
                data = content(os.path.join(self.path, path))
                if data is not None:
                    yield data, path

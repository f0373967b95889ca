"""The scratch copy of a project: manifests without what they would start, patches, and archives that they name.

Setting files are looked up here too; what of them a client is given, `settings` says.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping

from pratique.adapters import disk
from pratique.adapters.clients.rows import Row
from pratique.adapters.clients.settings import LARGEST_MANIFEST, PNPM_KEYS
from pratique.model.ports import Unreadable

MOST_MANIFESTS = 5000
MOST_FOLDERS = 50_000
DEEPEST = 8
LARGEST_COPY = 64 << 20
_SKIPPED = frozenset({"node_modules", ".git", ".hg", ".svn", ".yarn", ".pnpm-store", ".venv", "venv", "__pycache__"})


def setting_files(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The setting files that may hold allowed keys: the project's by name, the user's with `user` before it."""
    found: dict[str, bytes] = {}
    for name in (".npmrc", "pnpm-workspace.yaml", ".yarnrc.yml", ".yarnrc", "bunfig.toml"):
        content = files.get(name)
        if content is None:
            content = read(os.path.join(folder, name), LARGEST_MANIFEST)
        if content is not None:
            found[name] = content
    users = [os.path.expanduser("~/.npmrc"), "/usr/local/etc/npmrc", "/usr/etc/npmrc", "/etc/npmrc"]
    own = b"\n".join(
        text for text in (read(os.path.realpath(path), LARGEST_MANIFEST) for path in reversed(users)) if text
    )
    for variable in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if os.environ.get(variable):
            own += f"\nregistry={os.environ[variable]}".encode()
    found["user .npmrc"] = own
    return found


def with_certificates(text: str, home: str) -> str:
    """Settings that name a copy of the certificates, which may lie where the client does not see them."""

    def copied(match: re.Match[str]) -> str:
        content = read(os.path.realpath(json.loads(match[1])), LARGEST_MANIFEST)
        if content is None or b"PRIVATE KEY" in content:
            return ""
        write(os.path.join(home, "certificates.pem"), content)
        return f"cafile={json.dumps(os.path.join(home, 'certificates.pem'))}"

    return re.sub(r'^cafile=("(?:[^"\\]|\\.)*")$', copied, text, flags=re.MULTILINE)


def lay(row: Row, folder: str, copy: str, files: Mapping[str, bytes]) -> None:
    """Copy manifests without what they would start, patches, and archives that a manifest names."""
    count = 0
    named: set[str] = set()
    for relative in _walk(folder):
        base = os.path.basename(relative)
        if base in row.manifests:
            count += 1
            if count > MOST_MANIFESTS:
                break
            content = files.get(relative)
            if content is None:
                content = read(os.path.join(folder, relative), LARGEST_MANIFEST)
            if content is not None:
                named |= _archives(relative, content)
                write(os.path.join(copy, relative), _harmless(content) if base == "package.json" else content)
        elif base.endswith((".patch", ".diff")):
            content = read(os.path.join(folder, relative), LARGEST_MANIFEST)
            if content is not None:
                write(os.path.join(copy, relative), content)
    for relative, content in files.items():
        if os.path.basename(relative) in row.manifests:
            write(os.path.join(copy, relative), _harmless(content) if relative.endswith(".json") else content)
    for relative in named:
        content = read(os.path.join(folder, relative), LARGEST_COPY)
        if content is not None:
            write(os.path.join(copy, relative), content)


def _harmless(content: bytes) -> bytes:
    """A manifest without scripts and without the version of the manager that it wants fetched."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return content
    if not isinstance(document, dict):
        return content
    for key in ("scripts", "packageManager", "devEngines", "gypfile", "volta", "trustedDependencies"):
        document.pop(key, None)
    inner = document.get("pnpm")
    if isinstance(inner, dict):
        document["pnpm"] = {key: value for key, value in inner.items() if key in PNPM_KEYS}
    return json.dumps(document, indent=2).encode()


def _archives(relative: str, content: bytes) -> set[str]:
    """Archives below the project that a manifest asks for by `file:`."""
    found = set()
    for text in re.findall(rb'"(?:file:)?([^"\\:]{1,400}\.(?:tgz|tar\.gz))"', content):
        path = os.path.normpath(os.path.join(os.path.dirname(relative), text.decode("utf-8", "replace")))
        if not os.path.isabs(path) and not path.startswith(".."):
            found.add(path)
    return found


def _walk(folder: str) -> Iterator[str]:
    """Relative paths of the files of a project, without what was installed and without following links."""
    stack = [("", 0)]
    folders = 0
    while stack and folders < MOST_FOLDERS:
        folders += 1
        at, depth = stack.pop()
        with contextlib.suppress(OSError), os.scandir(os.path.join(folder, at)) as entries:
            for entry in sorted(entries, key=lambda item: item.name):
                relative = f"{at}/{entry.name}" if at else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if (entry.name not in _SKIPPED or relative == ".yarn") and depth < DEEPEST:
                        stack.append((relative, depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    yield relative


def read(path: str, largest: int) -> bytes | None:
    """The bytes of a file; None where it cannot be read, or is too large."""
    try:
        return disk.read(path, largest)[0]
    except Unreadable:
        return None


def write(path: str, content: bytes) -> None:
    """Write a file of the copy, with the folders above it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)

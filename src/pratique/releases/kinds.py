"""What kind of file a member of a release is, told by its first bytes and its name."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal[
    "javascript",
    "typescript",
    "declarations",  # .d.ts, .pyi: types alone
    "python",
    "shell",  # sh, bash, PowerShell, batch
    "manifest",  # package.json of the package itself, METADATA, PKG-INFO, pyproject.toml, setup.cfg
    "json",
    "path-configuration",  # .pth
    "gyp",
    "html",
    "text",
    "map",  # source map
    "native",  # ELF, PE, Mach-O, .node, WebAssembly
    "archive",
    "image",
    "binary",
]

_SUFFIXES: dict[str, Kind] = {
    **dict.fromkeys(("js", "mjs", "cjs", "jsx", "es", "es6"), "javascript"),
    **dict.fromkeys(("ts", "mts", "cts", "tsx"), "typescript"),
    **dict.fromkeys(("py", "pyw", "py3"), "python"),
    **dict.fromkeys(("sh", "bash", "zsh", "ksh", "fish", "ps1", "psm1", "psd1", "bat", "cmd"), "shell"),
    **dict.fromkeys(("json", "json5", "jsonc", "webmanifest"), "json"),
    **dict.fromkeys(("html", "htm", "xhtml", "svg", "vue", "svelte"), "html"),
    **dict.fromkeys(("gyp", "gypi"), "gyp"),
    "pyi": "declarations",
    "flow": "declarations",
    "pth": "path-configuration",
    "map": "map",
}
_SOURCE: frozenset[Kind] = frozenset(("javascript", "typescript", "declarations", "python", "shell", "html"))
"""What an interpreter reads by its name, whatever its first letters spell."""

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x7fELF", "native"),
    (b"\xfe\xed\xfa\xce", "native"),
    (b"\xfe\xed\xfa\xcf", "native"),
    (b"\xce\xfa\xed\xfe", "native"),
    (b"\xcf\xfa\xed\xfe", "native"),
    (b"\0asm", "native"),
    (b"PK\x03\x04", "archive"),
    (b"PK\x05\x06", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"\xfd7zXZ\0", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"\0\0\x01\0", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
)
"""First bytes that no source text can begin with."""
_SPELLED: tuple[tuple[bytes, Kind], ...] = (
    (b"MZ", "native"),
    (b"!<arch>\n", "native"),
    (b"BZh", "archive"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
)
"""First bytes that are letters: source text can begin with them too, and is then what its name says."""
_SHEBANG = re.compile(rb"#![^\n]{0,200}?\b(node|nodejs|bun|deno|ts-node|tsx|python[0-9.]*|pypy[0-9.]*|[a-z]{0,4}sh)\b")
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\v\x1b") + b"\x7f"
_BOMS = (b"\xff\xfe", b"\xfe\xff")
_ODD_SHARE = 0.3
_MANIFESTS = frozenset(("package.json", "pyproject.toml", "setup.cfg", "PKG-INFO", "METADATA"))
_SCRIPTS: dict[str, Kind] = {"n": "javascript", "b": "javascript", "d": "javascript", "t": "typescript", "p": "python"}


def kind_of(path: str, head: bytes) -> Kind:
    """The kind of the file at a path below the root of its package, by its first bytes, then by its name.

    `head` holds the first 512 bytes or more of the file, all of it where that is shorter; parts of the middle and the
    end may follow. Source files stay what their name says as long as their bytes can be text: an interpreter goes by
    the name. Total: any path and any bytes give a kind.
    """
    name = path.rpartition("/")[2]
    named = _named(path, name)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"\xca\xfe\xba\xbe"):
        return "native" if int.from_bytes(head[4:8], "big") < 40 else "binary"
    if head[257:262] == b"ustar" and named not in _SOURCE:
        return "archive"
    if named not in _SOURCE:
        for magic, kind in _SPELLED:
            if head.startswith(magic) and (kind != "native" or b"\0" in head or head.startswith(b"!")):
                return kind
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return "image"
    if _odd(head):
        return "binary"
    if named is not None:
        return named
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:300]
    if found := _SHEBANG.match(begin):
        word = found[1].decode()
        return "shell" if word.endswith("sh") else _SCRIPTS[word[0]]
    if re.match(rb"(?i)<(!doctype html|html|svg)\b", begin):
        return "html"
    return "text"


def _named(path: str, name: str) -> Kind | None:
    """The kind that a name alone says."""
    if name in _MANIFESTS and _of_package(path, name):
        return "manifest"
    stem, dot, suffix = name.lower().rpartition(".")
    if not dot:
        return None
    kind = _SUFFIXES.get(suffix)
    if kind == "typescript" and (stem.endswith(".d") or ".d." in stem):
        return "declarations"
    return kind


def _of_package(path: str, name: str) -> bool:
    """Whether a file with the name of a manifest speaks of the package itself: at its root, or among its records."""
    folder = path[: -len(name)].rstrip("/")
    if not folder:
        return name != "METADATA"
    if name in ("METADATA", "PKG-INFO"):
        return "/" not in folder and folder.endswith((".dist-info", ".egg-info"))
    return False


def _odd(head: bytes) -> bool:
    """Whether bytes are no text: many of them are control characters or no UTF-8, and they are no UTF-16."""
    if head.startswith(_BOMS):
        return b"\0" not in head
    odd = len(head) - len(head.translate(None, _CONTROL))
    decoded = head.decode("utf-8", "replace")
    odd += decoded.count("\ufffd") - head.count(b"\xef\xbf\xbd")
    return odd > _ODD_SHARE * max(len(decoded), 1)

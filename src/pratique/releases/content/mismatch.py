"""Files that are not what their names say: a script called a picture, a program called a text, code in JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.release import Fact, SourceFile
from pratique.releases.content.excerpts import printable
from pratique.releases.content.formats import archive_format, native_format, other_format

_MAGIC_BY_SUFFIX: dict[str, frozenset[str]] = {
    suffix: frozenset(formats.split())
    for suffix, formats in {
        "png": "png jpeg gif webp ico",
        "jpg": "jpeg png gif webp avif",
        "jpeg": "jpeg png gif webp avif",
        "gif": "gif png jpeg webp",
        "webp": "webp png jpeg gif avif",
        "bmp": "bmp png jpeg",
        "ico": "ico png bmp jpeg gif",
        "woff": "woff woff2 ttf otf",
        "woff2": "woff2 woff ttf otf",
        "ttf": "ttf otf woff",
        "otf": "otf ttf woff",
        "pdf": "pdf",
        "mp3": "mp3",
        "ogg": "ogg",
        "wav": "wav",
        "flac": "flac",
        "mp4": "mp4",
        "zip": "zip",
        "gz": "gzip",
        "tgz": "gzip",
    }.items()
}
"""Suffixes whose formats begin with fixed bytes, and the formats that are met under them."""
_NATIVE_SUFFIX = re.compile(
    r"\.(?:node|so|dll|exe|dylib|wasm|o|a|obj|lib|bin|pyd|sys|com|elf|bundle|jnilib|ko|msi|scr|efi|axf|mui|ocx|cpl"
    r"|abi3|bc)$|\.so(?:\.\d+)+$|-(?:x64|arm64|x86_64|amd64|linux|darwin|macos)$",
    re.IGNORECASE,
)
_TEXT = frozenset(
    {"txt", "md", "markdown", "rst", "csv", "license", "yml", "yaml", "toml", "ini", "css", "scss", "lock"}
)
_DESCRIBING = frozenset({"md", "markdown", "rst"})
"""Texts about code, which quote it."""
_HEAD = 1 << 14
_POINTER = b"version https://git-lfs"
_SHEBANG = re.compile(rb"\s{0,8}#!\s*/\S*(?:bin|env)\S*[ \t]*(\w*)")
_STATEMENT = re.compile(
    rb"(?m)^[ \t]{0,40}(?:(?:const|let|var)\s+[\w${},\s]{1,80}=|(?:async\s+)?function\s*\*?\s*\w*\s*\(|!function\s*\("
    rb"|\(function\s*\(|\(\s*\(\s*\)\s*=>|module\.exports\b|exports\.\w+\s*=|import\s+[\w{*][^\n]{0,120}\sfrom\s*['\"]|require\s*\(\s*['\"]|eval\s*\()"
)
_PYTHON = re.compile(rb"(?m)^(?:import\s+\w+|from\s+[\w.]+\s+import\s|def\s+\w+\(|exec\(|class\s+\w+[(:])")
_SHELL = re.compile(
    rb"(?mi)^(?:@echo\s+off|\$\w+\s*=\s*(?:new-object|\[)|(?:curl|wget|powershell|iex|invoke-expression|chmod|nohup)\s+\S)"
)
_PROSE = re.compile(rb"[a-z]{2,}[ ][a-z]{2,}[ ][a-z]{2,}[ ][a-z]{2,}")
_SOURCE_SUFFIX = frozenset({"js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "py", "sh", "ps1", "bat", "cmd"})


def suffix_of(path: str) -> str:
    """The suffix of a path without its dot, in lower case; empty where it has none or only a name that begins so."""
    name = path.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return suffix.lower() if dot and stem else ""


def mismatch(file: SourceFile) -> Iterator[Fact]:
    """At most one fact: what the suffix promises is not what the bytes are. `actual` says what they are."""
    content = file.content
    if not content or content.startswith(_POINTER):
        return
    suffix = suffix_of(file.path)
    actual = _actual(suffix, file.path, content)
    if actual:
        yield Fact(
            "content.mismatch",
            file.path,
            0,
            printable(content[:160]),
            file.sha256,
            attributes={"suffix": suffix, "actual": actual},
        )


def _actual(suffix: str, path: str, content: bytes) -> str:
    """What bytes are where the suffix says otherwise; empty where both agree or neither says."""
    native = native_format(content)
    if native is not None:
        return "" if _NATIVE_SUFFIX.search(path.rpartition("/")[2]) else native.format
    promised = _MAGIC_BY_SUFFIX.get(suffix)
    if promised is not None:
        actual = archive_format(content) or other_format(content)
        if actual in promised:
            return ""
        return actual or script_of(content) or ("text" if _is_text(content) else "unknown")
    if suffix == "json":
        return _not_json(content)
    if suffix in _SOURCE_SUFFIX:
        return archive_format(content) or (other_format(content) if not _is_text(content) else "")
    if suffix in _TEXT or not suffix:
        script = script_of(content)
        described = suffix in _DESCRIBING and not _SHEBANG.match(content)
        return script if suffix and script and not described and not _PROSE.search(content[:_HEAD]) else ""
    return ""


def script_of(content: bytes) -> str:
    """The language of a script by its first 16 KiB: a shebang, or two lines that only a program has; empty if none."""
    head = content[:_HEAD]
    shebang = _SHEBANG.match(head)
    if shebang is not None:
        return shebang[1].decode("ascii", "replace") or "script"
    if not _is_text(head):
        return ""
    if len(_STATEMENT.findall(head)) >= 2:
        return "javascript"
    if len(_PYTHON.findall(head)) >= 2:
        return "python"
    if len(_SHELL.findall(head)) >= 2:
        return "shell"
    return "html" if re.match(rb"\s*(?:<!doctype html|<html)", head, re.IGNORECASE) else ""


def _not_json(content: bytes) -> str:
    """What a file called JSON is that begins as none: comments may stand before the value, code may not."""
    head = content[:_HEAD].removeprefix(b"\xef\xbb\xbf")
    bare = re.sub(rb"\A(?:\s|//[^\n]*\n|/\*.*?\*/)+", b"", head, flags=re.DOTALL)
    if not bare or bare[:1] in b'{["-0123456789':
        return ""
    return script_of(bare) or archive_format(content) or other_format(content)


def _is_text(content: bytes) -> bool:
    head = content[:_HEAD]
    if len(head.translate(None, _ODD)) != len(head):
        return False
    return head.isascii() or head.decode("utf-8", "replace").count("\ufffd") * 20 <= len(head)


_ODD = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0b\x0c\x1b\x08")

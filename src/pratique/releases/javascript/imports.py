"""What a file imports: the module, its package, and in which way."""

from __future__ import annotations

import re

from pratique.model.release import Fact, Value
from pratique.releases.javascript.source import Source

BUILTIN = frozenset(
    {
        "assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram",
        "diagnostics_channel", "dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module",
        "net", "os", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "sea",
        "sqlite", "stream", "string_decoder", "sys", "test", "timers", "tls", "trace_events", "tty", "url", "util",
        "v8", "vm", "wasi", "worker_threads", "zlib",
    }
)  # fmt: skip
_NAME = re.compile(r"(@[^/@\s]+/[^/@\s]+|[^/@\s.][^/@\s]*)")


def imported(text: str, *, dynamic: bool) -> dict[str, Value]:
    """The attributes of an import of a module by its text."""
    form, package = form_of(text)
    known: dict[str, Value] = {"module": text[:200], "package": package, "form": form}
    if dynamic:
        known["dynamic"] = True
    return known


def form_of(text: str) -> tuple[str, str]:
    """The form of a module's name (builtin, package, relative, url) and the package it belongs to."""
    if text.startswith(("./", "../", "/", "#", "~/")) or text in {".", ".."} or re.match(r"[A-Za-z]:[\\/]", text):
        return "relative", ""
    if text.startswith(("node:", "bun:")):
        return "builtin", ""
    if re.match(r"[a-z+]{2,}:", text):
        return "url", ""
    if text.split("/", 1)[0] in BUILTIN:
        return "builtin", ""
    found = _NAME.match(text)
    return "package", found.group(1) if found else text[:100]


_PLAIN = re.compile(
    rb"(?<![\w$.])(?:require\(\s*['\"]([^'\"\\\n]{1,300})['\"]\s*\)|(?:from|import)\s*['\"]([^'\"\\\n]{1,300})['\"])"
)
_OTHER = re.compile(
    rb"(?<![\w$])(?:require(?!\(\s*['\"][^'\"\\\n]{1,300}['\"]\s*\))|import(?=\s*[(.])|process(?!\.env\.NODE_ENV)|globalThis"
    rb"|global|window|self|eval|Function|fetch|XMLHttpRequest|WebSocket|EventSource|navigator|Deno|Bun|Reflect"
    rb"|module(?!\.exports|\s*:)|atob|btoa|unescape|setTimeout|setInterval|WebAssembly|importScripts|Buffer|constructor(?!\())"
    rb"(?![\w$])|_0x[0-9a-f]{2}|\\x[2-7]|fromCharCode|\.(?:bash|zsh|npm|git-|ssh)"
)
_ABLE = re.compile(
    r"(?:node:)?(?:child_process|fs|https?2?|net|tls|dgram|dns|vm|zlib|crypto|module|worker_threads|os|process|inspector"
    r"|node-fetch|cross-fetch|undici|axios|got|request|needle|superagent|ky|phin|bent|isomorphic-fetch|ofetch|ws|execa"
    r"|request-promise(?:-native)?|make-fetch-happen|minipass-fetch|follow-redirects|socket\.io-client|cross-spawn|shelljs"
    r"|zx|tinyexec|nano-spawn|foreground-child|rimraf|del|clipboardy|libnpmpublish|fs-extra|graceful-fs)(?:/.*)?"
)


def plain_imports(source: Source) -> list[Fact] | None:
    """The imports of a file that does nothing but import and compute; None where its syntax has to be read.

    Such a file holds none of the words that capabilities begin with, imports modules by literal names alone, none of
    them able to do something, and has no import in a line that may be a comment.
    """
    content = source.content
    if _OTHER.search(content) is not None:
        return None
    found: list[Fact] = []
    for match in _PLAIN.finditer(content):
        name = (match.group(1) or match.group(2)).decode("utf-8", "replace")
        before = content[content.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        if _ABLE.fullmatch(name) or b"//" in before or b"*" in before or len(before) > 2000:
            return None
        known = imported(name, dynamic=False)
        if known["form"] == "package" and b"/*" in content[: match.start()] and not _outside(content, match.start()):
            return None
        found.append(source.fact("import.module", match.start(), **known))
    return found


def _outside(content: bytes, place: int) -> bool:
    """Whether every comment that opens before a place is closed there."""
    return content.rfind(b"/*", 0, place) < content.rfind(b"*/", 0, place)

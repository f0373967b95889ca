"""What a file imports: the module, its package, and in which way."""

from __future__ import annotations

import re

from pratique.model.release import Value

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

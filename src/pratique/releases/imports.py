"""What files import, read cheaply: of files that a release keeps as they were, nothing else may be needed.

A regular expression sees text in comments and strings too. That is enough to tell which files lead to which, and
whether a package is imported anywhere; where a fact is judged, an extractor reads the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from posixpath import dirname, normpath

from pratique.model.release import Fact, Value

_SCRIPT = re.compile(rb"""(?:\brequire|\bfrom|\bimport)[\s(]*["'`]([^"'`\s\\]{1,214})["'`]""")
_PYTHON = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]{1,4000}\)|[^\n#]{1,400})"
    rb"|import[ \t]+([^\n#]{1,400}))",
    re.M,
)
_ENDINGS = ("", ".js", ".cjs", ".mjs", ".json", ".node", ".ts", ".jsx", ".tsx", "/index.js", "/index.cjs", "/index.mjs")
_BUILTIN = frozenset(
    (
        *("assert", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram", "dns", "domain"),
        *("events", "fs", "http", "http2", "https", "inspector", "module", "net", "os", "path", "perf_hooks"),
        *("process", "punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers"),
        *("tls", "tty", "url", "util", "v8", "vm", "wasi", "worker_threads", "zlib"),
    )
)
MOST = 2000
"""So many imports of one file are told."""


def imports(path: str, content: bytes, kind: str, sha256: str) -> tuple[Fact, ...]:
    """The imports of a file of JavaScript, TypeScript or Python as facts `import.module`; of any other kind none."""
    if kind in ("javascript", "typescript"):
        modules = {found[1].decode("utf-8", "replace"): found.start() for found in _SCRIPT.finditer(content)}
        make = _script
    elif kind == "python":
        modules = dict(_python(content))
        make = _module
    else:
        return ()
    facts = []
    for module, at in list(modules.items())[:MOST]:
        line = content.count(b"\n", 0, at) + 1 if len(modules) < 50 else 0
        facts.append(Fact("import.module", path, line, sha256=sha256, attributes=make(module)))
    return tuple(facts)


def _script(module: str) -> dict[str, Value]:
    if module.startswith((".", "/")):
        return {"module": module, "form": "relative"}
    if module.startswith("node:") or module.split("/", 1)[0] in _BUILTIN:
        return {"module": module, "form": "builtin"}
    if ":" in module:
        return {"module": module, "form": "url"}
    parts = module.split("/")
    package = "/".join(parts[:2]) if module.startswith("@") else parts[0]
    return {"module": module, "package": package, "form": "package"}


def _module(module: str) -> dict[str, Value]:
    if module.startswith("."):
        return {"module": module, "form": "relative"}
    return {"module": module, "package": module.partition(".")[0], "form": "package"}


def _python(content: bytes) -> Iterator[tuple[str, int]]:
    """The modules that Python code names, each name below a package too: it may be a module of its own."""
    for found in _PYTHON.finditer(content):
        if found[3] is not None:
            for part in found[3].split(b","):
                name = part.split(b" as ")[0].strip()
                if name:
                    yield name.decode("utf-8", "replace"), found.start()
            continue
        module = found[1].decode("utf-8", "replace")
        yield module, found.start()
        for part in found[2].strip(b"()").split(b","):
            name = part.split(b" as ")[0].strip(b" \t\r\n\\").decode("utf-8", "replace")
            if name.isidentifier():
                yield (module + name if module.endswith(".") else f"{module}.{name}"), found.start()


def resolved(path: str, module: str, members: Collection[str]) -> str | None:
    """The file of the release that a relative module of JavaScript names, as seen from another file; None: none."""
    return located(f"{dirname(path)}/{module}", members)


def located(name: str, members: Collection[str]) -> str | None:
    """The file that a path of JavaScript names, as Node looks for it: as it is, with endings, as a folder."""
    plain = normpath(name.lstrip("/"))
    if plain.startswith(".."):
        return None
    for ending in _ENDINGS:
        candidate = plain + ending if plain != "." else ending.lstrip("/")
        if candidate in members:
            return candidate
    return None


def python_file(path: str, module: str, members: Collection[str], roots: Collection[str]) -> str | None:
    """The file of the release that a module of Python names, as seen from another file; None where it has none.

    `roots` are the folders that absolute names are looked for in, such as the root and `src`.
    """
    if module.startswith("."):
        rest = module.lstrip(".")
        folder = dirname(path)
        for _ in range(len(module) - len(rest) - 1):
            folder = dirname(folder)
        bases = [folder]
    else:
        rest = module
        bases = list(roots)
    tail = rest.replace(".", "/")
    for base in bases:
        prefix = f"{base}/" if base else ""
        for candidate in (f"{prefix}{tail}.py", f"{prefix}{tail}/__init__.py" if tail else f"{prefix}__init__.py"):
            if candidate in members:
                return candidate
    return None
